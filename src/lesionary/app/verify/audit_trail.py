"""The chain of events: whole, in order of time, up to its end, and as an anchor has it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.app.anchors import read_anchors
from lesionary.app.verify.report import VerifyReport

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lesionary.io.registry.chain import Event, Head

_FROM_BACKUP = "restore the study from a backup; events are never changed or removed"
_ACCEPT = (
    "set the clock; or, if the last event's time was wrong, say so with"
    " `lesionary audit STUDY --accept-clock --why TEXT`"
)
_CLOCK = "whose clock was it? `lesionary audit STUDY --accept-clock` writes down such a step"


def verify_audit(
    connection: "Connection", study_id: str, anchor: Path | None, report: VerifyReport
) -> None:
    """Check the chain in one pass over the events.

    Raises
    ------
    InputError
        If the anchor's file cannot be read, or holds nothing of this study.
    """
    from lesionary.io.registry.checks import events, heads

    anchors = {} if anchor is None else read_anchors(anchor, study_id)
    watch = _Watch(report, anchors)
    with report.section("audit/chain"):
        head = _head(heads(connection), report)
        if head is not None:
            _check_chain(watch.of(events(connection)), head, watch, report)
            watch.check_clock(head)
    if anchor is not None:
        with report.section("audit/anchor"):
            watch.check_anchors()


def _head(found: "list[tuple[int, Head]]", report: VerifyReport) -> "Head | None":
    if [number for number, _ in found] == [1]:
        return found[0][1]
    report.fail("audit/head", "head_changed", "the row of the chain's end is not one", _FROM_BACKUP)
    return found[0][1] if found else None


def _check_chain(
    events: "Iterator[Event]", head: "Head", watch: "_Watch", report: VerifyReport
) -> None:
    from lesionary.io.registry.chain import breaks

    for found in breaks(events, head):
        report.fail(f"event/{found.seq}", found.code, found.reason, _FROM_BACKUP)
    if watch.last is not None and watch.last.at != head.at:
        reason = "the time of the chain's end is not that of the last event"
        report.fail("audit/head", "head_changed", reason, _FROM_BACKUP)


class _Watch:
    """Looks at every event that passes: its time, and whether an anchor names it."""

    def __init__(self, report: VerifyReport, anchors: Mapping[int, frozenset[str]]) -> None:
        self.last: Event | None = None
        self._report = report
        self._anchors = anchors
        self._seen: set[int] = set()

    def of(self, events: "Iterator[Event]") -> "Iterator[Event]":
        """Pass events on."""
        for event in events:
            self._report.counts["events"] += 1
            self._check_time(event)
            self._check_anchor(event)
            self.last = event
            yield event

    def check_clock(self, head: "Head") -> None:
        """Compare this machine's clock with the last event."""
        from lesionary.io.registry.registry import utc_now

        now = utc_now()
        if _is_behind(now, head.at):
            reason = f"this machine's clock says {now}, the last event was at {head.at}"
            self._report.fail("audit/clock", "clock_set_back", reason, _ACCEPT)

    def check_anchors(self) -> None:
        """Report every anchored event that did not come."""
        for seq in sorted(self._anchors.keys() - self._seen):
            reason = f"event {seq} is anchored, but it is gone"
            self._report.fail(f"event/{seq}", "audit_truncated", reason, _FROM_BACKUP)

    def _check_time(self, event: "Event") -> None:
        from lesionary.app.audit import CLOCK_ACCEPTED

        before = self.last
        is_accepted = (event.action, event.object) == CLOCK_ACCEPTED
        if before is not None and not is_accepted and _is_behind(event.at, before.at):
            reason = f"it is of {event.at}, the event before it of {before.at}"
            self._report.fail(f"event/{event.seq}", "clock_set_back", reason, _CLOCK)

    def _check_anchor(self, event: "Event") -> None:
        if event.seq not in self._anchors:
            return
        self._seen.add(event.seq)
        if self._anchors[event.seq] != {event.hash}:
            reason = "its hash is not the one that was anchored"
            self._report.fail(f"event/{event.seq}", "event_changed", reason, _FROM_BACKUP)


def _is_behind(at: str, before: str) -> bool:
    from lesionary.io.registry.transaction import is_behind

    try:
        return is_behind(at, before)
    except (TypeError, ValueError):  # one is no time at all: its hash tells
        return False
