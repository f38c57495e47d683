"""Tables of agreement and evaluation, made again from what the units stored."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.comparisons import Comparisons, prediction_folders
from lesionary.app.explain.records import Cell, Origin
from lesionary.app.stages.agree import AGREE
from lesionary.app.stages.evaluate import DRAFTS, EVALUATE

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]
AGREEMENT, EVALUATION = "agreement", "evaluation"

_NAMING = (
    "group", "subject", "case", "level", "scope", "label", "tumour", "pair", "readers", "reader",
    "reference", "metric", "reading", "composite", "from_mm", "rule",
)  # fmt: skip
"""Columns that tell the rows of a comparison apart."""

_ABOUT_ALL = ("level", "scope", "metric", "reading", "pair", "readers", "reference", "label")
_RESTS_ON = (
    "n", "n_cases", "n_subjects", "n_missed", "n_undefined", "n_left_out", "n_self_compared",
    "interval_method", "bias_interval_method", "confidence", "ci_method", "ci_level", "missed",
)  # fmt: skip


@dataclass(slots=True)
class ComparedTables:
    """Makes tables once, of one series or of all."""

    study: "Study"
    predictions: tuple[str, ...]
    _tables: dict[tuple[str, str | None], dict[str, list[Row]]] = field(default_factory=dict)
    _outputs: dict[tuple[str, str | None], dict[str, Any]] = field(default_factory=dict)
    _texts: dict[tuple[str, str | None], list[dict[str, str]]] = field(default_factory=dict)

    def texts(self, file: str, series: str | None) -> list[dict[str, str]]:
        """Return the same rows as a CSV has them."""
        key = file, series
        if key not in self._texts:
            self._texts[key] = csv_rows(self.rows(file, series))
        return self._texts[key]

    def rows(self, file: str, series: str | None) -> list[Row]:
        """Return a table's rows as they come out now; of one series, or of all where None."""
        below, name = file.rpartition("/")[0].removesuffix("/tables"), file.rpartition("/")[2]
        key = below, series
        if key not in self._tables:
            self._tables[key] = self._made(below, self.outputs(below, series))
        return self._tables[key].get(name.rpartition(".")[0], [])

    def outputs(self, below: str, series: str | None) -> dict[str, Any]:
        """Return the outputs that enter a folder's tables, by series in their order."""
        stage = AGREE.name if below == AGREEMENT else EVALUATE.name
        key = stage, series
        if key not in self._outputs:
            names = None if series is None else [series]
            units = self.study.registry.units(stage, names)
            done = {name: one.output for name, one in units.items() if one.state == "done"}
            order = self.study.registry.some_series(done)
            self._outputs[key] = {row["id"]: done[row["id"]] for row in order}
        found = self._outputs[key]
        if below == AGREEMENT:
            return found
        name = self.prediction_of(below)
        return {one: output for one, output in found.items() if name in output["predictions"]}

    def prediction_of(self, below: str) -> str:
        """Return whose scores lie in a folder."""
        names = sorted({*self.predictions, DRAFTS})
        folders = {folder.rstrip("/"): name for name, folder in prediction_folders(names).items()}
        return folders.get(below, below.rpartition("/")[2])

    def _made(self, below: str, outputs: Mapping[str, Any]) -> dict[str, list[Row]]:
        if not outputs:
            return {}
        from lesionary.publish.comparison.agreement import agreement_tables
        from lesionary.publish.comparison.evaluation import evaluation_tables

        rows = {row["id"]: row for row in self.study.registry.some_series(outputs)}
        if below == AGREEMENT:
            summary = Comparisons(dict(outputs), {}, rows, {}).agreement()
            tables = agreement_tables(summary or {})
        else:
            name = self.prediction_of(below)
            own = {
                series: {"predictions": {name: output["predictions"][name]}}
                for series, output in outputs.items()
            }
            scored = Comparisons({}, own, rows, {}).evaluation()[name]
            tables = evaluation_tables(scored, scored["cases"])
        return {table.name: list(table.rows) for table in tables}


def origin_of_comparison(compared: ComparedTables, cell: Cell, seed: int | None) -> Origin:
    """Return where a row of a comparison comes from: one image, or several together."""
    below = cell.file.partition("/tables/")[0]
    stage = "agree" if below == AGREEMENT else "evaluate"
    series = cell.row.get("case") or None
    if cell.file.rpartition("/")[2].startswith("evaluation_left_out"):
        source = cell.row["source"]
        about = f"{source} has a reference, but no mask of this prediction"
        return Origin(about, (f"series/{source}",), (source,), cell.row)
    now = _row_now(compared, cell, series)
    if series is not None:
        return Origin(_case_words(cell.row), (f"unit/{stage}/{series}",), (series,), now)
    outputs = compared.outputs(below, None)
    prediction = "" if below == AGREEMENT else compared.prediction_of(below)
    names = entered(below, cell.row, outputs, prediction)
    facts = {name: cell.row[name] for name in _RESTS_ON if cell.row.get(name) not in {None, ""}}
    facts["units"] = len(names)
    if seed is not None and "bootstrap" in {*map(str, facts.values())}:
        facts["seed"] = seed
    words = [str(cell.row[name]) for name in _ABOUT_ALL if cell.row.get(name)]
    about = f"{', '.join(dict.fromkeys(words)) or 'all'}: {images_text(len(names))} together"
    sources = tuple(f"unit/{stage}/{name}" for name in names)
    return Origin(about, sources, tuple(names), now, facts=facts)


def _row_now(compared: ComparedTables, cell: Cell, series: str | None) -> Row | None:
    """Return a comparison's row as it comes out now: that about the same, in the same place."""
    rows = compared.rows(cell.file, series)
    is_csv = cell.file.endswith(".csv")
    named = compared.texts(cell.file, series) if is_csv else rows
    names = [name for name in _NAMING if name in cell.row]
    for index, (row, own) in enumerate(zip(rows, named, strict=True)):
        is_here = series is not None or index == cell.index
        if is_here and all(own.get(name) == cell.row[name] for name in names):
            return row
    return None


def csv_rows(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Return rows as their CSV has them."""
    from lesionary.publish.comparison.tables import Table

    _, text = next(Table("rows", "", (), rows).files())
    return list(csv.DictReader(io.StringIO(text)))


def entered(below: str, row: Row, outputs: Mapping[str, Any], prediction: str) -> list[str]:
    """Return the series whose units a row over several of them rests on."""
    if below == AGREEMENT:
        named = str(row.get("pair") or row.get("readers") or "")
        pair = named.split(" vs. ") if " vs. " in named else []
        return [one for one, found in outputs.items() if set(pair) <= set(found["readers"])]
    reference = row.get("reference")
    return [
        one
        for one, found in outputs.items()
        if reference in set(_references(found["predictions"][prediction]))
    ]


def _references(document: Mapping[str, Any]) -> Iterable[str]:
    from lesionary.core.cases import CaseKey
    from lesionary.evaluate.entries import entries

    return (entry.reference for entry in entries([(CaseKey("", "", ""), dict(document))]))


def _case_words(row: Row) -> str:
    words = [str(row["case"])]
    if row.get("tumour"):
        words.insert(0, f"tumour {row['tumour']} of")
    if row.get("label"):
        words.append(f"({row['label']})")
    for name, word in (("pair", ""), ("reader", "by "), ("reference", "against ")):
        if row.get(name):
            words.append(f"{word}{row[name]}")
    return " ".join(words)


def images_text(n: int) -> str:
    """Count images in words."""
    return f"{n} image{'' if n == 1 else 's'}"
