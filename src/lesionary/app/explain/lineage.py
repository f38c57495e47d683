"""What a study's registry knows of some series, as steps from each unit back to the scan.

Only the series that are asked for are read, so one number of a large study is explained as fast as
one of a small study.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.records import Step, without_nulls
from lesionary.io.registry import tables
from lesionary.io.registry.records import UnitRecord

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]

STAGES = ("prepare", "annotate", "measure", "agree", "evaluate")
_OUTPUTS = {
    "object": "image",
    "mask": "mask of lesions",
    "consensus": "readers' consensus",
    "uncertainty": "map of disagreement",
}
"""Fields of a unit's output that name one object, and what it is."""

_PATH_OUTPUTS = {"prepare": ("object",), "measure": ("mask",)}
"""Objects of an output that numbers further on rest on."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Rows of some series.

    Parameters
    ----------
    series, subjects, runs : dict
        Rows by id.
    units : dict
        Records by stage and series.
    annotations, boxes : dict
        Rows by series.
    """

    series: Mapping[str, Row]
    subjects: Mapping[str, Row]
    units: Mapping[tuple[str, str], UnitRecord]
    annotations: Mapping[str, Sequence[Row]]
    boxes: Mapping[str, Sequence[Row]]
    runs: Mapping[str, Row]

    @classmethod
    def of(cls, study: "Study", series: Iterable[str]) -> "Lineage":
        """Read everything about some series."""
        registry = study.registry
        rows = {row["id"]: row for row in registry.some_series(series)}
        ids = list(rows)
        units = {
            (stage, name): record
            for stage in STAGES
            for name, record in registry.units(stage, ids).items()
        }
        subjects = {row["subject_id"] for row in rows.values()}
        runs = {record.run_id for record in units.values() if record.run_id}
        drawn = {"series_id": ids}
        return cls(
            rows,
            _by_id(registry.rows(tables.subject, among={"id": subjects})),
            units,
            _by_series(registry.rows(tables.annotation, among=drawn, order_by=("id",))),
            _by_series(registry.rows(tables.box, among=drawn, order_by=("id",))),
            _by_id(registry.rows(tables.run, among={"id": runs})),
        )

    def output(self, stage: str, series: str) -> Any:
        """Return what a unit made; None where there is none that is done."""
        record = self.units.get((stage, series))
        return record.output if record is not None and record.state == "done" else None

    def steps(self) -> Iterator[Step]:
        """Yield every step of these series, what others rest on first."""
        for row in self.subjects.values():
            yield _subject_step(row)
        for name, row in self.series.items():
            yield _series_step(row)
            for annotation in self.annotations.get(name, ()):
                yield _annotation_step(annotation)
            for box in self.boxes.get(name, ()):
                yield _box_step(box)
            for stage in STAGES:
                record = self.units.get((stage, name))
                if record is not None:
                    yield self._unit_step(record)

    def _unit_step(self, record: UnitRecord) -> Step:
        run = self.runs.get(record.run_id or "")
        return unit_step(record, run, self._sources(record), _objects(record))

    def _sources(self, record: UnitRecord) -> tuple[str, ...]:
        """Return the steps that a unit's inputs name."""
        find = _SOURCES[record.stage]
        return tuple(dict.fromkeys(find(self, record)))

    def _of_series(self, record: UnitRecord) -> Iterator[str]:
        yield f"series/{record.name}"

    def _of_annotate(self, record: UnitRecord) -> Iterator[str]:
        inputs = record.inputs or {}
        yield from self._annotations(record.name, inputs.get("masks"))
        yield from self._boxes(record.name, inputs.get("boxes"))
        yield f"unit/prepare/{record.name}"

    def _of_measure(self, record: UnitRecord) -> Iterator[str]:
        yield f"unit/annotate/{record.name}"
        yield f"unit/prepare/{record.name}"

    def _of_agree(self, record: UnitRecord) -> Iterator[str]:
        inputs = record.inputs or {}
        yield from self._by_readers(record.name, inputs.get("readers"))
        if inputs.get("clean_up"):
            yield f"unit/prepare/{record.name}"

    def _of_evaluate(self, record: UnitRecord) -> Iterator[str]:
        inputs = record.inputs or {}
        yield from self._by_readers(record.name, inputs.get("references"))
        yield from self._by_readers(record.name, inputs.get("predictions"))
        if inputs.get("drafted"):
            yield f"unit/annotate/{record.name}"
        if inputs.get("clean_up"):
            yield f"unit/prepare/{record.name}"

    def _by_readers(self, series: str, readers: Mapping[str, Any] | None) -> Iterator[str]:
        for masks in (readers or {}).values():
            yield from self._annotations(series, masks)

    def _annotations(self, series: str, masks: Sequence[Any] | None) -> Iterator[str]:
        """Yield annotations that a unit was given, or all where it does not say."""
        for row in self.annotations.get(series, ()):
            if masks is None or any(
                (row["object_id"], row["author"]) == (mask[0], mask[1]) for mask in masks
            ):
                yield f"annotation/{row['id']}"

    def _boxes(self, series: str, boxes: Sequence[Any] | None) -> Iterator[str]:
        for row in self.boxes.get(series, ()):
            if boxes is None or [row["label"], *row["bounds"]] in boxes:
                yield f"box/{row['id']}"


_SOURCES = {
    "prepare": Lineage._of_series,
    "annotate": Lineage._of_annotate,
    "measure": Lineage._of_measure,
    "agree": Lineage._of_agree,
    "evaluate": Lineage._of_evaluate,
}


def unit_step(
    record: UnitRecord,
    run: Row | None,
    sources: tuple[str, ...] = (),
    objects: Mapping[str, str] | None = None,
) -> Step:
    """Return the step of a unit, with the run that did it."""
    facts = {
        "stage": record.stage,
        "name": record.name,
        "key": record.key,
        "state": record.state,
        "version": record.version,
        "inputs": _readable(record.inputs),
        "model": record.model,
        "seed": record.seed,
        "clean_up": _clean_up(record),
        "run": run,
    }
    return Step(
        f"unit/{record.stage}/{record.name}", "unit", without_nulls(facts), sources, objects or {}
    )


def _readable(inputs: Any) -> Any:
    """Return a unit's inputs with given masks by the names of their fields."""
    if not isinstance(inputs, Mapping):
        return inputs
    named = dict(inputs)
    if "masks" in named:
        named["masks"] = _named_masks(named["masks"])
    for field in ("readers", "references", "predictions"):
        if field in named:
            named[field] = {name: _named_masks(masks) for name, masks in named[field].items()}
    return named


def _named_masks(masks: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    fields = ("object", "author", "method", "state", "ingest")
    return [dict(zip(fields, mask, strict=False)) for mask in masks]


def _clean_up(record: UnitRecord) -> Any:
    if record.stage != "annotate" or not record.output:
        return None
    steps = (record.output.get("clean_up") or {}).get("steps")
    return steps and [step["rule"] for step in steps]


def _objects(record: UnitRecord) -> dict[str, str]:
    output = record.output or {}
    named = {output[field]: _OUTPUTS[field] for field in _PATH_OUTPUTS.get(record.stage, ())}
    if record.stage == "annotate":
        named |= dict.fromkeys(output.get("layers", ()), "layer of drawn lesions")
        before = (output.get("clean_up") or {}).get("before", ())
        named |= dict.fromkeys(before, "layer before clean-up")
    return named


def _subject_step(row: Row) -> Step:
    names = ("id", "number", "sex", "age", "is_from_file")
    return Step(f"subject/{row['id']}", "subject", _facts(row, names))


def _series_step(row: Row) -> Step:
    names = (
        "id", "number", "ingest", "source", "outcome", "modality", "quantity", "region", "subset",
        "shape", "spacing_mm", "study_date", "timepoint", "timepoint_name", "suv_factor",
        "series_uid", "study_uid", "pixel_hash",
    )  # fmt: skip
    facts = _facts(row, names) | {"subject": row["subject_id"], "object": row["object_id"]}
    return Step(
        f"series/{row['id']}",
        "series",
        facts,
        (f"subject/{row['subject_id']}",),
        {row["object_id"]: "image as ingested"},
    )


def _annotation_step(row: Row) -> Step:
    names = (
        "id", "author", "role", "version", "generation", "method", "review_state", "ingest",
        "source",
    )  # fmt: skip
    facts = _facts(row, names) | {"series": row["series_id"], "object": row["object_id"]}
    parents = (f"annotation/{row['parent_id']}",) if row["parent_id"] else ()
    return Step(
        f"annotation/{row['id']}",
        "annotation",
        facts,
        (*parents, f"series/{row['series_id']}"),
        {row["object_id"]: "mask that came along"},
    )


def _box_step(row: Row) -> Step:
    facts = _facts(row, ("id", "label", "bounds", "ingest", "source"))
    series = row["series_id"]
    return Step(f"box/{row['id']}", "box", facts | {"series": series}, (f"series/{series}",))


def finding_step(row: Row) -> Step:
    """Return the step of an input that was left out."""
    names = ("id", "ingest", "source", "code", "outcome", "reason", "hint", "instances", "by_rule")
    return Step(f"finding/{row['id']}", "finding", _facts(row, names))


def _facts(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names if row[name] is not None}


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def _by_series(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["series_id"], []).append(row)
    return grouped
