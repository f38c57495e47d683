"""The audit's chain: every event carries the hash of the one before.

An event's hash is the SHA-256 of its fields and of the previous event's hash. Whoever changes one
byte, takes an event out or puts one in breaks every hash that follows. A tail that was cut off is
seen by the registry's ``head`` row, and by an anchor: a line with the last hash, kept elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lesionary.core.identity import canonical_json, digest

GENESIS = "0" * 64
"""What the first event names as the one before it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said of an object, before it has its place in the chain.

    Parameters
    ----------
    action : str
        A past participle: ``added``, ``done``, ``failed``, ``forgotten``.
    object : str
        Kind and name, such as ``series/ser-0001`` or ``unit/measure/ser-0001``.
    why : str
        The reason, in words.
    fact : str or None
        SHA-256 of the row as it is after the action; None once there is no row.
    run_id : str or None
        The run that did it, where a stage did.
    details : JSON value
        What else belongs to it.
    """

    action: str
    object: str
    why: str = ""
    fact: str | None = None
    run_id: str | None = None
    details: Any = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last event: its number, hash and time. Number 0 is a chain without events."""

    seq: int
    hash: str
    at: str


@dataclass(frozen=True, slots=True)
class Event:
    """One link: who did what, when, on which object, and why.

    ``details`` is the canonical JSON text that is stored, or None.
    """

    seq: int
    at: str
    actor: str
    action: str
    object: str
    why: str
    fact: str | None
    run_id: str | None
    details: str | None
    previous: str
    hash: str

    @property
    def expected_hash(self) -> str:
        """The hash that the other fields give."""
        fields = (self.seq, self.at, self.actor, self.action, self.object, self.why)
        rest = (self.fact, self.run_id, self.details, self.previous)
        return digest([canonical_json([*fields, *rest])])


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold."""

    seq: int
    code: str
    reason: str


def linked(drafts: Iterable[Draft], head: Head, *, at: str, actor: str) -> Iterator[Event]:
    """Give drafts their places after ``head``."""
    seq, previous = head.seq, head.hash
    for draft in drafts:
        seq += 1
        details = None if draft.details is None else canonical_json(draft.details).decode()
        unsealed = Event(
            seq, at, actor, draft.action, draft.object, draft.why,
            draft.fact, draft.run_id, details, previous, "",
        )  # fmt: skip
        previous = unsealed.expected_hash
        yield Event(
            seq, at, actor, draft.action, draft.object, draft.why,
            draft.fact, draft.run_id, details, unsealed.previous, previous,
        )  # fmt: skip


def breaks(events: Iterable[Event], head: Head) -> Iterator[Break]:
    """Yield every place where events, in the order of their numbers, do not form the chain."""
    seq, previous = 0, GENESIS
    for event in events:
        if event.seq != seq + 1:
            gone = event.seq - seq - 1
            yield Break(event.seq, "event_removed", f"{gone} events before it are gone")
        elif event.previous != previous:
            yield Break(event.seq, "event_changed", "it does not follow from the event before it")
        if not _is_sealed(event):
            yield Break(event.seq, "event_changed", "its content is not what its hash says")
        seq, previous = event.seq, event.hash
    if (seq, previous) != (head.seq, head.hash):
        reason = f"the chain ends at event {seq}, but was written up to event {head.seq}"
        yield Break(head.seq, "audit_truncated", reason)


def _is_sealed(event: Event) -> bool:
    try:
        return event.expected_hash == event.hash
    except (TypeError, ValueError):  # bytes for text, say: nobody's event
        return False
