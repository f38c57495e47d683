"""The audit as people read it: who did what, when, on which object, and why."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.durable import replacing

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.io.registry.chain import Event, Head

CLOCK_ACCEPTED = ("accepted", "clock")
"""Action and object of the event that allows time to step back before it."""

PROTOCOL_READ = ("read", "protocol")
"""Action and object of the event that tells by which ``study.toml`` runs go from here on."""

REMARKED = "remarked"
STUDY_OBJECT = "study"

_LONGEST_TEXT = 10_000
_MISSING = {
    "fact": "the object has no row, or none any more",
    "run_id": "no run did it",
    "details": "there is no more to say",
}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The last events, of one object or of the study.

    Parameters
    ----------
    events : tuple of Event
        In the order of their numbers.
    n_events : int
        Of all that were asked for, shown or not.
    """

    events: "tuple[Event, ...]"
    n_events: int

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {"events": [_event_row(event) for event in self.events], "n_events": self.n_events}


def last_events(study: "Study", *, of: str | None = None, last: int) -> AuditPage:
    """Return the last events, of one object or of the study.

    Raises
    ------
    InputError
        Code ``object_unknown``, if no event names the object.
    """
    if last < 1:
        raise InputError(f"there is no last {last} events", code="usage")
    from lesionary.io.registry.checks import latest_events, snapshot

    with snapshot(study.registry) as connection:
        events, n_events = latest_events(connection, of, last)
    if of is not None and not n_events:
        raise _unknown(of)
    return AuditPage(tuple(events), n_events)


def export_events(study: "Study", file: Path) -> int:
    """Write all events as JSON lines, whole or not at all; return how many.

    Every field is as its hash was made of it, ``details`` as text: ``docs/reference/audit.md``.
    """
    n_events = 0
    with replacing(file) as temporary, temporary.open("w", encoding="utf-8") as out:
        for event in study.registry.events():
            out.write(json.dumps(asdict(event)) + "\n")
            n_events += 1
    return n_events


def anchor(study: "Study", file: Path) -> dict[str, Any]:
    """Write down the last event's hash outside the study.

    Raises
    ------
    InputError
        If the file lies within the study.
    WorkflowError
        Code ``audit_truncated``, if the chain does not end where it should.
    """
    from lesionary.app.anchors import write_anchor

    return write_anchor(study, _end_of_chain(study), file)


def remark(study: "Study", text: str, of: str = STUDY_OBJECT) -> None:
    """Add a person's remark on an object that events name.

    Raises
    ------
    InputError
        Code ``object_unknown``, or ``usage`` where the text is empty or too long.
    """
    from lesionary.io.registry.chain import Draft
    from lesionary.io.registry.checks import last_facts

    why = _clean(text)
    with study.registry.writing() as transaction:
        facts = last_facts(transaction.connection, [of])
        if of not in facts:
            raise _unknown(of)
        # A remark changes no row: what the last event says of the row stays said.
        transaction.say(Draft(REMARKED, of, why, facts[of]))


def accept_clock(study: "Study", why: str) -> None:
    """Write down that time steps back here, and why; from here on time goes on.

    Raises
    ------
    InputError
        Code ``usage``, if there is no reason.
    WorkflowError
        Code ``clock_fine``, if this machine's clock is not behind the last event.
    """
    from lesionary.io.registry.chain import Draft
    from lesionary.io.registry.transaction import is_behind

    reason = _clean(why)
    with study.registry.writing(accepts_clock=True) as transaction:
        if not is_behind(transaction.at, transaction.start.at):
            raise WorkflowError(
                "this machine's clock is not behind the last event",
                code="clock_fine",
                hint="there is nothing to accept",
            )
        action, of = CLOCK_ACCEPTED
        transaction.say(Draft(action, of, reason))


def _end_of_chain(study: "Study") -> "Head":
    from lesionary.io.registry.checks import heads, last_event, snapshot

    with snapshot(study.registry) as connection:
        found, last = heads(connection), last_event(connection)
    if last is None or [head for _, head in found] != [last]:
        raise WorkflowError(
            "the audit does not end where it should",
            code="audit_truncated",
            hint="see what `lesionary verify STUDY` says",
        )
    return last


def _event_row(event: "Event") -> dict[str, Any]:
    row = asdict(event)
    missing = {field: text for field, text in _MISSING.items() if row[field] is None}
    if event.details is not None:
        row["details"] = _decoded(event.details)
    return row | ({"reason": missing} if missing else {})


def _decoded(details: str) -> Any:
    try:
        return json.loads(details)
    except ValueError:  # somebody changed it: `verify` says so
        return details


def _clean(text: str) -> str:
    """Return a person's text as it can be stored and shown."""
    printable = text.encode("utf-8", "backslashreplace").decode()
    clean = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", printable).strip()
    if not clean or len(clean) > _LONGEST_TEXT:
        raise InputError(
            f"a reason or a remark has 1 to {_LONGEST_TEXT} characters",
            code="usage",
            hint="--why TEXT, or --note TEXT",
        )
    return clean


def _unknown(of: str) -> InputError:
    return InputError(
        "no event names this object",
        code="object_unknown",
        hint="kind and name, such as series/ser-0001 or unit/measure/ser-0001",
        source=of,
    )
