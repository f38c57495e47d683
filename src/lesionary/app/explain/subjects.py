"""What a study's registry knows of some subjects: their units, and what readers decided of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.lineage import unit_step
from lesionary.app.explain.records import Step, without_nulls
from lesionary.io.registry import tables
from lesionary.io.registry.records import UnitRecord

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]

SUBJECT_STAGES = ("track", "respond")
_DECIDED = (tables.decision, tables.role_decision, tables.reported_diameter)
DECIDED_KINDS = tuple(table.name for table in _DECIDED)
"""Kinds of steps that a reader decided about a subject's course."""


@dataclass(frozen=True, slots=True)
class SubjectLineage:
    """Rows of one subject.

    Parameters
    ----------
    subject : str
    series : dict
        Rows of all its series, by id.
    units : dict
        Records by stage.
    runs : dict
        Rows by id.
    decided : dict
        What readers decided, by the step's id.
    """

    subject: str
    series: Mapping[str, Row]
    units: Mapping[str, UnitRecord]
    runs: Mapping[str, Row]
    decided: Mapping[str, Row]

    def output(self, stage: str) -> Any:
        """Return what a unit made; None where there is none that is done."""
        record = self.units.get(stage)
        return record.output if record is not None and record.state == "done" else None

    def inputs(self, stage: str) -> Mapping[str, Any]:
        """Return what a unit was made from; empty where there is none."""
        record = self.units.get(stage)
        return (record.inputs or {}) if record is not None else {}

    def steps(self) -> Iterator[Step]:
        """Yield every step of this subject, what others rest on first."""
        for name, row in self.decided.items():
            yield _decided_step(name, row)
        for stage in SUBJECT_STAGES:
            record = self.units.get(stage)
            if record is not None:
                yield self._unit_step(record)

    def _unit_step(self, record: UnitRecord) -> Step:
        step = unit_step(record, self.runs.get(record.run_id or ""), self._sources(record))
        inputs = without_nulls(_readable(record))
        return Step(step.id, step.kind, {**step.facts, "inputs": inputs}, step.sources)

    def _sources(self, record: UnitRecord) -> tuple[str, ...]:
        found = [f"unit/track/{self.subject}"] if record.stage == "respond" else []
        for series in _series_in(record):
            found += [f"unit/{stage}/{series}" for stage in ("measure", "annotate", "prepare")]
        if record.stage == "respond":
            found += _words_in(record, self.decided)
        return tuple(found)


def subject_lineages(study: "Study", subjects: Iterable[str]) -> dict[str, SubjectLineage]:
    """Read everything about some subjects; what their series know of themselves stays unread."""
    registry, names = study.registry, list(subjects)
    among = {"subject_id": names}
    series = registry.rows(tables.series, among=among, order_by=("number",))
    units = {stage: registry.units(stage, names) for stage in SUBJECT_STAGES}
    decided = [
        (f"{table.name}/{row['id']}", row)
        for table in _DECIDED
        for row in registry.rows(table, among=among, order_by=("id",))
    ]
    ids = {one.run_id for of_stage in units.values() for one in of_stage.values() if one.run_id}
    runs = {row["id"]: row for row in registry.rows(tables.run, among={"id": ids})}
    return {
        name: SubjectLineage(
            name,
            {row["id"]: row for row in series if row["subject_id"] == name},
            {stage: of_stage[name] for stage, of_stage in units.items() if name in of_stage},
            runs,
            {step: row for step, row in decided if row["subject_id"] == name},
        )
        for name in names
    }


def _series_in(record: UnitRecord) -> Sequence[str]:
    """Return the series that a unit was made from."""
    inputs = record.inputs or {}
    if record.stage == "respond":
        return list(inputs.get("scans", {}))
    return [scan[0] for _, scans in inputs.get("timepoints", ()) for scan in scans]


def _words_in(record: UnitRecord, decided: Mapping[str, Row]) -> Iterator[str]:
    """Yield what a unit was given of all that readers decided."""
    inputs = record.inputs or {}
    decisions = inputs.get("decisions", {})
    given = {
        "decision": decisions.get("links", ()),
        "role_decision": decisions.get("roles", ()),
        "reported_diameter": inputs.get("reported", ()),
    }
    for name, row in decided.items():
        kind = name.partition("/")[0]
        if any(_is_same(one, row) for one in given[kind]):
            yield name


def _is_same(given: Mapping[str, Any], row: Row) -> bool:
    """Tell whether a unit's input is a row: all fields that both have by one name are equal."""
    flat = {**given, "series_id": given.get("series"), "object_id": given.get("object")}
    for end in ("from", "to"):
        flat |= {f"{end}_{name}": value for name, value in given.get(end, {}).items()}
        flat |= {f"{end}_series_id": given.get(end, {}).get("series")}
    return all(flat[name] == value for name, value in row.items() if name in flat)


def _readable(record: UnitRecord) -> dict[str, Any]:
    """Return a unit's inputs with what other steps hold by name only."""
    inputs = dict(record.inputs or {})
    if record.stage == "respond":
        inputs.pop("tracks", None)
        return inputs | {"scans": list(inputs.get("scans", {}))}
    timepoints = {name: [scan[0] for scan in scans] for name, scans in inputs.get("timepoints", ())}
    return inputs | {"timepoints": timepoints}


def _decided_step(name: str, row: Row) -> Step:
    facts = {key: value for key, value in row.items() if key != "subject_id"}
    facts = without_nulls(facts) | {"subject": row["subject_id"]}
    corrected = row.get("replaces")
    sources = [f"reported_diameter/{corrected}"] if corrected is not None else []
    series = (row.get(column) for column in ("series_id", "from_series_id", "to_series_id"))
    sources += [f"series/{one}" for one in series if one is not None]
    sources.append(f"subject/{row['subject_id']}")
    return Step(name, name.partition("/")[0], facts, tuple(dict.fromkeys(sources)))
