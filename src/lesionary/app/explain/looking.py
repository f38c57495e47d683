"""Look at a step: do its events stand in the chain, its row as they say, its objects as named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.records import Check, Looked, Step
from lesionary.core.errors import LesionaryError
from lesionary.io.registry import tables
from lesionary.io.registry.chain import GENESIS, Event
from lesionary.io.registry.facts import AUDITED, fact_of, series_fact, stored

if TYPE_CHECKING:
    from lesionary.app.study import Study

_TABLES = {audited.kind: audited for audited in AUDITED}
_INTEGERS = frozenset(
    {"box", "finding", "curation", "decision", "role_decision", "reported_diameter"}
)
"""Kinds of rows whose ids are numbers."""


@dataclass(slots=True)
class Looking:
    """Looks at steps, each object once.

    Parameters
    ----------
    study : Study
    reads_objects : bool
        Whether objects are read and held against their names.
    """

    study: "Study"
    reads_objects: bool = True
    _objects: dict[str, Check] = field(default_factory=dict)

    def at(self, step: Step) -> Looked:
        """Return the events of a step, and what holds of it."""
        events = list(self.study.registry.events(of=step.id))
        checks = [*self._event_checks(step.id, events)]
        if self.reads_objects:
            checks += [self.object_check(one, what) for one, what in step.objects.items()]
        run = step.facts.get("run")
        if run is not None:
            own = list(self.study.registry.events(of=f"run/{run['id']}"))
            checks += self._event_checks(f"run/{run['id']}", own)
            events = [*own, *events]
        return Looked(tuple(map(event_document, events)), tuple(checks))

    def object_check(self, object_id: str, what: str) -> Check:
        """Tell whether an object is there and its content still has its name."""
        if object_id not in self._objects:
            name = f"{what} {object_id[:12]} has its content"
            try:
                self.study.objects.verify(object_id)
            except LesionaryError as error:
                self._objects[object_id] = Check(name, holds=False, reason=error.message)
            else:
                self._objects[object_id] = Check(name, holds=True, reason="its hash is its name")
        return self._objects[object_id]

    def links(self, events: list[Event]) -> Check:
        """Tell whether events are what their hashes say, and follow from those before them."""
        what = f"the audit's chain at {_numbers(events)}"
        for event in events:
            if event.expected_hash != event.hash:
                reason = f"event {event.seq} is not what its hash says"
                return Check(what, holds=False, reason=reason)
            if event.previous != self._hash_before(event.seq):
                reason = f"event {event.seq} does not follow from the one before it"
                return Check(what, holds=False, reason=reason)
        return Check(what, holds=True, reason="hashes follow from each other")

    def _hash_before(self, seq: int) -> str:
        if seq <= 1:
            return GENESIS
        before = self.study.registry.rows(tables.event, seq=seq - 1)
        return str(before[0]["hash"]) if before else ""

    def _event_checks(self, name: str, events: list[Event]) -> Iterator[Check]:
        if not events:
            yield Check(f"{name} in the audit", holds=False, reason="no event tells of it")
            return
        yield self.links(events)
        what = f"{name} in the registry"
        fact = self._fact_now(name)
        if fact is None:
            yield Check(what, holds=False, reason="its row is gone")
        elif fact != events[-1].fact:
            reason = f"the row is not what event {events[-1].seq} says"
            yield Check(what, holds=False, reason=reason)
        else:
            yield Check(what, holds=True, reason=f"the row is what event {events[-1].seq} says")

    def _fact_now(self, name: str) -> str | None:
        """Return the hash of a row as it is now."""
        kind, *names = name.split("/", maxsplit=2 if name.startswith("unit/") else 1)
        audited = _TABLES[kind]
        equal: Mapping[str, Any] = dict(zip(audited.names, names, strict=True))
        if kind in _INTEGERS:
            equal = {"id": int(names[0])}
        rows = self.study.registry.rows(audited.table, **equal)
        if not rows:
            return None
        values = stored(audited.table, rows[0])
        if kind != "series":
            return fact_of(values)
        slices = self.study.registry.rows(tables.instance, series_id=rows[0]["id"], order_by=("k",))
        return series_fact(values, [(row["sop_uid"], row["frame"]) for row in slices])


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as JSON, without what it does not say."""
    names = ("seq", "at", "actor", "action", "object", "why", "hash")
    return {name: getattr(event, name) for name in names}


def _numbers(events: list[Event]) -> str:
    return ("event " if len(events) == 1 else "events ") + ", ".join(str(e.seq) for e in events)
