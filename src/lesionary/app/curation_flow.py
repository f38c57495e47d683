"""The flow of a study: how many series came, whom each rule left out, and what is in the end.

Counts go over all ingests: a series that came twice counts once, by what became of it last. What
the registry knows of each is a row; here they are only counted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.curation import ingest_rules, publish_rules, wording
from lesionary.app.curation_steps import MEASURED, flow_steps
from lesionary.app.results import SeriesResult, series_results, why_not_published
from lesionary.ingest.curation import Stay
from lesionary.io.registry import tables
from lesionary.publish.curation_figure import CurationFlow

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.publish.comparison.picture import Picture

CURATION_COLUMNS = ("source", "series", "outcome", "rule", "asks", "reason")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StudyCuration:
    """What became of every series of a study, up to the release.

    Parameters
    ----------
    rows : tuple of dict
        One a series, in the order in which they first came.
    flow : CurationFlow
    """

    rows: tuple[dict[str, Any], ...]
    flow: CurationFlow

    def table(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of ``curation.csv``."""
        for row in self.rows:
            yield {
                "source": row["source"],
                "series": row["series_id"] or "",
                "outcome": row["outcome"],
                "rule": row["rule"],
                "asks": row["label"],
                "reason": row["reason"],
            }


def study_curation(study: "Study", published: Sequence[SeriesResult]) -> StudyCuration:
    """Return what became of every series that ever came."""
    rows = [dict(row) for row in study.registry.rows(tables.curation, order_by=("id",))]
    series = {row["id"]: row for row in study.registry.all_series()}
    told = {row["series_id"] for row in rows}
    rows += [_untold(row) for name, row in series.items() if name not in told]
    names = {one.id for one in published}
    if any(row["series_id"] not in names for row in rows if row["outcome"] == Stay.IN):
        against = why_not_published(study, series_results(study))
        rows = [_at_publishing(row, names, against) for row in rows]
    kept = [series[name] for name in series if name in names]
    section = study.protocol.curate
    rules = [*ingest_rules(section), *publish_rules(section)]
    flow = CurationFlow(
        n_considered=len(rows),
        steps=tuple(flow_steps(rows, [(rule.name, wording(rule)) for rule in rules])),
        n_series=len(kept),
        n_studies=len({row["study_uid"] for row in kept}),
        n_subjects=len({row["subject_id"] for row in kept}),
        has_rules=bool(section.rule),
    )
    return StudyCuration(tuple(rows), flow)


def flow_chart(flow: CurationFlow, title: str) -> "Picture | None":
    """Draw the flow chart of a study; None where there is nothing to tell."""
    return flow.picture(title) if flow.is_told else None


def _untold(row: Row) -> dict[str, Any]:
    """Return what an older Lesionary, which wrote no curation, would have said of a series."""
    return {
        "source": row["source"],
        "series_id": row["id"],
        "outcome": Stay.IN.value,
        "rule": "",
        "label": "",
        "reason": "",
        "shared_reason": "",
        "unchecked": [],
    }


def _at_publishing(
    row: dict[str, Any], published: Iterable[str], against: Mapping[str, Row]
) -> dict[str, Any]:
    if row["outcome"] == Stay.OUT or row["series_id"] in published:
        return row
    rule, label = MEASURED
    why = {"rule": rule, "label": label, "reason": "not measured", "shared_reason": "not measured"}
    return row | {"outcome": Stay.OUT.value} | dict(against.get(row["series_id"], why))
