"""Where a published row comes from: the units, the rows, and the value they give today."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.cells import json_text_of
from lesionary.app.explain.compared import (
    AGREEMENT,
    EVALUATION,
    ComparedTables,
    csv_rows,
    origin_of_comparison,
)
from lesionary.app.explain.curated import CurationNow
from lesionary.app.explain.followed import FOLDER, OF_TRACKS, TRACKS, CoursesNow
from lesionary.app.explain.lineage import Lineage
from lesionary.app.explain.records import Cell, Origin
from lesionary.app.explain.subjects import SUBJECT_STAGES, SubjectLineage
from lesionary.app.explain.summarised import SummaryNow
from lesionary.app.release_tables import layout_images
from lesionary.app.results import SeriesResult, left_out_rows
from lesionary.core.errors import InputError
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]

_PAGE = 500


@dataclass(slots=True)
class Origins:
    """Finds origins; what was read of a series or made of all is kept."""

    study: "Study"
    published: Sequence[str]
    compared: ComparedTables
    summarised: SummaryNow
    curated: CurationNow
    courses: CoursesNow
    seed: int | None = None
    _lineages: dict[str, Lineage] = field(default_factory=dict)
    _told: set[int] = field(default_factory=set)

    def lineage(self, series: str) -> Lineage:
        """Return what is known of one series."""
        if series not in self._lineages:
            self._read([series])
        return self._lineages[series]

    def lineages(self, series: Sequence[str]) -> Iterator[Lineage]:
        """Yield what is known of several series, but for what was yielded before."""
        missing = [name for name in series if name not in self._lineages]
        for first in range(0, len(missing), _PAGE):
            self._read(missing[first : first + _PAGE])
        for name in series:
            lineage = self._lineages[name]
            if id(lineage) not in self._told:
                self._told.add(id(lineage))
                yield lineage

    def subject(self, name: str) -> SubjectLineage:
        """Return what is known of one subject."""
        return self.courses.lineage(name)

    def subjects(self, names: Sequence[str]) -> Iterator[SubjectLineage]:
        """Yield what is known of several subjects, but for what was yielded before."""
        for lineage in map(self.subject, names):
            if id(lineage) not in self._told:
                self._told.add(id(lineage))
                yield lineage

    def _read(self, names: Sequence[str]) -> None:
        self._lineages |= dict.fromkeys(names, Lineage.of(self.study, names))

    def of(self, cell: Cell) -> Origin:
        """Return where a row comes from.

        Raises
        ------
        InputError
            Code ``no_walk`` for a file without numbers of its own.
        """
        find = _FINDERS.get(cell.file)
        if find is not None:
            return find(self, cell)
        if "/labels/" in cell.file:
            return self._of_labels(cell)
        if cell.file.startswith(FOLDER) and cell.file.endswith(".csv"):
            return self._of_course(cell)
        if cell.file.startswith((f"{AGREEMENT}/", f"{EVALUATION}/")) and "/tables/" in cell.file:
            return origin_of_comparison(self.compared, cell, self.seed)
        raise InputError(
            "this file has no numbers of its own",
            code="no_walk",
            hint="name a table, a mask, or a number that is printed in it",
            source=cell.file,
        )

    def series_named(self, base: str) -> str:
        """Return the series whose image, mask or labels go by a name of the layout."""
        uid = base.partition("_")[2]
        rows = self.study.registry.rows(tables.series, series_uid=uid)
        if not rows:
            raise InputError(
                "the study has no series of this name",
                code="no_such_series",
                hint="is this release of this study?",
                source=base,
            )
        return str(rows[0]["id"])

    def of_lesion(self, series: str, lesion: int) -> Origin:
        """Return the origin of a row about one measured lesion."""
        lineage = self.lineage(series)
        measured = lineage.output("measure", series)
        own = [row for row in (measured or {}).get("lesions", ()) if row["lesion"] == lesion]
        about = f"lesion {lesion} of {series}"
        now: dict[str, Any] | None = None
        if own:
            row = lineage.series[series]
            now = self.courses.with_track(
                {
                    "series": series,
                    "subject": row["subject_id"],
                    "timepoint": row["timepoint"],
                    "quantity": (lineage.output("prepare", series) or {}).get("quantity"),
                    **own[0],
                }
            )
            about += f": {own[0]['label']}, {own[0]['kind']}"
        return Origin(about, (f"unit/measure/{series}",), (series,), now, lesion)

    def _of_lesions_csv(self, cell: Cell) -> Origin:
        found = self.of_lesion(cell.row["series"], int(cell.row["lesion"]))
        if cell.column in OF_TRACKS:
            return self.courses.of_track(cell.row["subject"], found)
        return found

    def _of_course(self, cell: Cell) -> Origin:
        return self.courses.origin(cell)

    def _of_lesions_json(self, cell: Cell) -> Origin:
        if not cell.place.startswith("/dropped/"):
            return self._of_lesions_csv(cell)
        series = cell.row["series"]
        measured = self.lineage(series).output("measure", series) or {"dropped": []}
        rows = [{"series": series} | crumb for crumb in measured["dropped"]]
        now = next((row for row in rows if row == dict(cell.row)), None)
        about = f"a piece of {series} too small to be a lesion: {cell.row['label']}"
        return Origin(about, (f"unit/measure/{series}",), (series,), now)

    def _of_clean_up(self, cell: Cell) -> Origin:
        series, step = cell.row["series"], int(cell.row["step"])
        annotated = self.lineage(series).output("annotate", series) or {}
        steps = (annotated.get("clean_up") or {"steps": []})["steps"]
        now = None
        for one in (one for one in steps if one["step"] == step):
            for row in one["labels"] or [{"label": None}]:
                if (row["label"] or "") == cell.row["label"]:
                    now = {"series": series, "step": step, "rule": one["rule"]} | row
        about = f"clean-up rule {step} on {cell.row['label'] or 'no label'} of {series}"
        return Origin(about, (f"unit/annotate/{series}",), (series,), now)

    def _of_left_out(self, cell: Cell) -> Origin:
        row = cell.row
        about = f"what was left out of {row['source']}: {row['code']}"
        equal = {"source": row["source"], "code": row["code"], "outcome": "left_out"}
        for found in self.study.registry.rows(tables.finding, **equal):
            if found["reason"] == row["reason"]:
                return Origin(about, (f"finding/{found['id']}",), (), found)
        for series in self.study.registry.rows(tables.series, source=row["source"]):
            lineage = self.lineage(series["id"])
            for (stage, name), unit in lineage.units.items():
                reason = f"{stage} failed: {unit.reason}"
                if unit.state == "failed" and (unit.code, reason) == (row["code"], row["reason"]):
                    now = {**row, "instances": 1, "by_rule": False, "hint": unit.hint or ""}
                    return Origin(about, (f"unit/{stage}/{name}",), (name,), now)
        for out in (one for one in left_out_rows(self.study) if "unit" in one):
            if (out["source"], out["code"]) == (row["source"], row["code"]):
                stage, _, name = out["unit"].partition("/")
                sources = (f"unit/{out['unit']}",)
                if stage in SUBJECT_STAGES:
                    own = tuple(self.subject(name).series)
                    return Origin(about, sources, own, out, subjects=(name,))
                return Origin(about, sources, (name,), out)
        return Origin(about, (), (), None)

    def _of_curation(self, cell: Cell) -> Origin:
        return self.curated.origin(cell)

    def _of_summary(self, cell: Cell) -> Origin:
        return self.summarised.origin(cell)

    def _of_patients(self, cell: Cell) -> Origin:
        number, ask = int(cell.row["patient_id"]), self.study.registry.rows
        found = ask(tables.subject, released_id=number) or ask(tables.subject, number=number)
        (subject,) = found or [{"id": None}]
        own = [
            row["id"]
            for row in self.study.registry.rows(
                tables.series, subject_id=subject["id"], order_by=("number",)
            )
            if row["id"] in self.published
        ]
        texts = self._layout(own)
        rows = _csv_rows(texts.get("metadata/patients.csv", ""))
        sources = (f"subject/{subject['id']}", *(f"series/{name}" for name in own))
        about = f"{subject['id']}, with {len(own)} published series"
        return Origin(about, sources, tuple(own), rows[0] if rows else None)

    def _of_series_json(self, cell: Cell) -> Origin:
        return self._of_layout(str(cell.row["uuid"]), lambda texts: texts[cell.file][0])

    def _of_windows(self, cell: Cell) -> Origin:
        name = str(cell.column)
        uid = name.partition("_")[2].removesuffix(".nii.gz")
        origin = self._of_layout(uid, lambda texts: texts[cell.file])
        return Origin(
            f"the window that {origin.series[0]} is shown in",
            (f"unit/prepare/{origin.series[0]}",),
            origin.series,
            origin.now,
        )

    def _of_labels(self, cell: Cell) -> Origin:
        base = cell.file.rpartition("/")[2].removesuffix(".json")
        series = self.series_named(base)
        if cell.column is None:
            raise InputError("name a value of it", code="no_such_value", source=cell.file)
        found = self.of_lesion(series, int(cell.column))
        now = None if found.now is None else {cell.column: found.now["label"]}
        return Origin(found.about, found.sources, found.series, now, found.lesion)

    def _of_layout(self, uid: str, pick: Callable[[Any], Row]) -> Origin:
        series = self.series_named(f"_{uid}")
        now = pick(_documents(self._layout([series])))
        return Origin(f"image {series}", (f"series/{series}",), (series,), now)

    def _layout(self, names: Sequence[str]) -> dict[str, str]:
        """Return the layout's text files as they come out now of some series."""
        from lesionary.publish.recist_layout import layout_texts

        results = []
        for name in names:
            lineage = self.lineage(name)
            outputs = [lineage.output(stage, name) for stage in ("prepare", "annotate", "measure")]
            if all(outputs):
                results.append(SeriesResult(lineage.series[name], *outputs))
        images = layout_images(self.study, results)
        return layout_texts([images[one.id] for one in results]) if results else {}


_FINDERS: dict[str, Callable[[Origins, Cell], Origin]] = {
    "lesions.csv": Origins._of_lesions_csv,
    "lesions.json": Origins._of_lesions_json,
    TRACKS: Origins._of_course,
    "clean_up.csv": Origins._of_clean_up,
    "left_out.csv": Origins._of_left_out,
    "curation.csv": Origins._of_curation,
    "summary.csv": Origins._of_summary,
    "metadata/patients.csv": Origins._of_patients,
    "metadata/series.json": Origins._of_series_json,
    "metadata/windows_mapping.json": Origins._of_windows,
}


def text_now(cell: Cell, now: Row) -> str | None:
    """Return what would stand at a cell's place now; None where nothing would."""
    if cell.column is None or cell.column not in now:
        return None
    if cell.file.endswith(".csv"):
        return csv_rows([{**now, cell.column: _sorted(now[cell.column])}])[0][cell.column]
    value = now[cell.column]
    for part in cell.rest:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return json_text_of(value)


def _sorted(value: Any) -> Any:
    """Return reasons in the order in which a CSV has them."""
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value


def _csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _documents(texts: Mapping[str, str]) -> dict[str, Any]:
    import json

    return {name: json.loads(text) for name, text in texts.items() if name.endswith(".json")}
