"""Where a line of ``curation.csv`` comes from, and whom a count of the flow chart is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.curation_flow import StudyCuration, study_curation
from lesionary.app.explain.records import Cell, Origin
from lesionary.app.results import stored_results, to_publish
from lesionary.ingest.curation import Stay
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.app.study import Study


@dataclass(slots=True)
class CurationNow:
    """What became of every series, counted again when it is first asked for."""

    study: "Study"
    _made: list[StudyCuration] = field(default_factory=list)

    def origin(self, cell: Cell) -> Origin:
        """Return where a line of ``curation.csv`` comes from: a series, or why it is out."""
        line = cell.row
        about = f"what became of {line['series'] or line['source']}: {line['outcome']}"
        names = ("source", "series", "rule")
        for row, now in zip(self._now().rows, self._now().table(), strict=True):
            if all(now[name] == line[name] for name in names):
                series = () if row["series_id"] is None else (row["series_id"],)
                return Origin(about, tuple(_steps(self.study, row)), series, now)
        return Origin(about, (), (), None)

    def inputs_left_out(self, group: str) -> Iterator[str]:
        """Yield the steps behind a count of series that a rule left out, or for one reason."""
        from lesionary.publish.report.members import reason_name

        for row in self._now().rows:
            of_it = {row["label"], reason_name(row["label"], row["shared_reason"])}
            if row["outcome"] == Stay.OUT and group in of_it:
                yield from _steps(self.study, row)

    def _now(self) -> StudyCuration:
        if not self._made:
            published = to_publish(self.study, stored_results(self.study))
            self._made.append(study_curation(self.study, published))
        return self._made[0]


def _steps(study: "Study", row: Mapping[str, Any]) -> Iterator[str]:
    """Yield what says so: the finding of what did not come in, the unit of what was measured."""
    if row["series_id"] is not None:
        is_out = row["outcome"] == Stay.OUT
        yield f"unit/measure/{row['series_id']}" if is_out else f"series/{row['series_id']}"
        return
    for found in study.registry.rows(tables.finding, source=row["source"], order_by=("id",)):
        if found["reason"] == row["reason"]:
            yield f"finding/{found['id']}"
