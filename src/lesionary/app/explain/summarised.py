"""Statistics over lesions and series, made again from what the units stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.curated import CurationNow
from lesionary.app.explain.records import Cell, Origin
from lesionary.app.explain.subjects import SUBJECT_STAGES
from lesionary.app.results import left_out_rows, stored_results, to_publish
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.publish.report.data import ReportData, SeriesRow
    from lesionary.publish.report.summary import Statistic, Summary

_OF_INPUTS = frozenset({"left_out", "inputs", "files", "series_left_out"})
"""Measures that count what did not come in."""

_OF_SERIES = frozenset(
    {
        *("series", "series_with_mask", "series_without_mask", "notes", "timepoints", "value"),
        *("series_considered", "series_before", "series_left_out", "series_left"),
        *("series_unchecked", "series_published", "studies_published", "subjects_published"),
    }
)
"""Measures and statistics that rest on what came in, whatever was measured in it."""


@dataclass(slots=True)
class SummaryNow:
    """The report's statistics as they come out now, computed when the first is asked for."""

    study: "Study"
    curated: CurationNow
    _made: "list[tuple[ReportData, Summary]]" = field(default_factory=list)

    def origin(self, cell: Cell) -> Origin:
        """Return where a row of ``summary.csv`` comes from."""
        from lesionary.publish.report.described import lesions_described

        named = _named(cell.row)
        data, summary = self._now()
        found = summary.find(*_key(named))
        lesions = lesions_described(data, named)
        sources, series, subjects = self._sources(data, named)
        facts: dict[str, Any] = {
            "section": named.section,
            "group": named.group or None,
            "measure": named.measure,
            "statistic": named.statistic,
            "n": None if found is None else found.n,
            "units": len(sources),
            "lesions": [f"{row.series}/{row.lesion}" for row in lesions] or None,
        }
        facts = {name: value for name, value in facts.items() if value is not None}
        group = f" of {named.group}" if named.group else ""
        about = f"{named.statistic} of {named.measure}{group}, in the report's {named.section}"
        now = None if found is None else found.row()
        return Origin(about, sources, series, now, facts=facts, subjects=subjects)

    def _now(self) -> "tuple[ReportData, Summary]":
        from lesionary.app.report_data import report_data
        from lesionary.publish.report.summarising import summary_of

        if not self._made:
            results = to_publish(self.study, stored_results(self.study))
            data = report_data(self.study, results, (), ())
            self._made.append((data, summary_of(data)))
        return self._made[0]

    def _sources(
        self, data: "ReportData", named: "Statistic"
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the steps that a statistic comes from first, and whose lineage leads on.

        That is of which series, and of which subjects.
        """
        from lesionary.publish.report.described import series_described

        inputs = list(self._inputs(named)) if named.measure in _OF_INPUTS else []
        if inputs:
            return (tuple(inputs), *self._failed(inputs))
        rows = series_described(data, named) or data.series
        steps = tuple(_step_of(row, named) for row in rows)
        return steps, tuple(row.id for row in rows), ()

    def _failed(self, inputs: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the series of failed units, and the subjects of those that are about one."""
        units = [name.split("/")[1:] for name in inputs if name.startswith("unit/")]
        subjects = tuple(dict.fromkeys(name for stage, name in units if stage in SUBJECT_STAGES))
        of_subjects = self.study.registry.rows(tables.series, among={"subject_id": subjects})
        series = [name for stage, name in units if stage not in SUBJECT_STAGES]
        series += [row["id"] for row in of_subjects]
        return tuple(dict.fromkeys(series)), subjects

    def _inputs(self, named: "Statistic") -> Iterator[str]:
        """Yield findings and failed units that a count of what did not come in is about."""
        if named.section == "curation":
            yield from self.curated.inputs_left_out(named.group)
            return
        if named.section == "ignored":
            code, _, reason = named.group.partition(": ")
            equal: dict[str, Any] = {"outcome": "ignored", "code": code, "reason": reason}
            for row in self.study.registry.rows(tables.finding, order_by=("id",), **equal):
                yield f"finding/{row['id']}"
            return
        for row in left_out_rows(self.study):
            if named.section == "study" or row["code"] == named.group:
                yield f"unit/{row['unit']}" if "unit" in row else f"finding/{row['id']}"


def _named(row: Mapping[str, Any]) -> "Statistic":
    """Return what a published row says that it is; its value is not looked at."""
    from lesionary.publish.report.summary import Statistic

    quantity = row["unit"] if row["measure"] == "mean_intensity" else ""
    names = (row["section"], row["group"], row["measure"], row["statistic"])
    return Statistic(*names, value=None, quantity=quantity)


def _key(named: "Statistic") -> tuple[str, str, str, str, str]:
    return (named.section, named.group, named.measure, named.statistic, named.quantity)


def _step_of(row: "SeriesRow", named: "Statistic") -> str:
    is_of_series = not _OF_SERIES.isdisjoint({named.measure, named.statistic})
    is_of_series = is_of_series or (named.section, named.measure) == ("study", "subjects")
    if is_of_series or not row.is_published:
        return f"series/{row.id}"
    return f"unit/measure/{row.id}"
