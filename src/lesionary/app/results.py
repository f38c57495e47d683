"""What the stages made of each series, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.app.curation import publish_rules, wording
from lesionary.app.curation_steps import WITH_LESIONS
from lesionary.app.executor import BUG_CODE
from lesionary.app.stage import Scope, Stage, finished
from lesionary.app.stages.agree import AGREE
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.evaluate import EVALUATE
from lesionary.app.stages.measure import MEASURE
from lesionary.app.stages.prepare import PREPARE
from lesionary.app.stages.respond import RESPOND
from lesionary.app.stages.track import TRACK
from lesionary.app.study import Study
from lesionary.ingest.curation import SeriesFacts, curate
from lesionary.io.registry import tables
from lesionary.io.registry.records import UnitRecord


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """One measured series: its registry row and the outputs of the three stages."""

    row: Mapping[str, Any]
    prepared: Mapping[str, Any]
    annotated: Mapping[str, Any]
    measured: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The series' name in the study."""
        return str(self.row["id"])

    @property
    def lesions(self) -> list[dict[str, Any]]:
        """Its measured lesions, largest first."""
        rows: list[dict[str, Any]] = self.measured["lesions"]
        return rows

    def lesion_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the lesions with series, subject and time point."""
        place = {
            "series": self.id,
            "subject": self.row["subject_id"],
            "timepoint": self.row["timepoint"],
            "quantity": self.prepared["quantity"],
        }
        for lesion in self.lesions:
            yield place | lesion


def series_results(study: Study) -> list[SeriesResult]:
    """Return every series that is measured, with what is up to date of it."""
    prepared, annotated = finished(study, PREPARE), finished(study, ANNOTATE)
    measured = finished(study, MEASURE)
    return [
        SeriesResult(row, prepared[row["id"]], annotated[row["id"]], measured[row["id"]])
        for row in study.registry.all_series()
        if row["id"] in measured
    ]


def stored_results(study: Study) -> list[SeriesResult]:
    """Return every series that is measured as it is stored, were it out of date by now."""
    outputs = [
        {name: unit.output for name, unit in units.items() if unit.state == "done"}
        for units in map(study.registry.units, (PREPARE.name, ANNOTATE.name, MEASURE.name))
    ]
    return [
        SeriesResult(row, *(found[row["id"]] for found in outputs))
        for row in study.registry.all_series()
        if all(row["id"] in found for found in outputs)
    ]


def to_publish(study: Study, series: list[SeriesResult]) -> list[SeriesResult]:
    """Leave out the images that the protocol does not publish."""
    against = why_not_published(study, series)
    return [one for one in series if one.id not in against]


def why_not_published(study: Study, series: Sequence[SeriesResult]) -> dict[str, dict[str, str]]:
    """Return why measured images are not in the release, by series: rules that ask for lesions.

    A series that nobody has looked at has no known lesions; one without a lesion has none that is
    large enough.
    """
    rules = publish_rules(study.protocol.curate)
    against: dict[str, dict[str, str]] = {}
    for one in series:
        decision = curate([_facts(one)], rules).decisions[0] if rules else None
        if decision is not None and decision.step is not None:
            against[one.id] = {
                "rule": decision.rule,
                "label": wording(rules[decision.step]),
                "reason": decision.reason,
                "shared_reason": decision.shared_reason,
            }
        elif not (one.lesions or study.protocol.publish.images_without_lesions):
            rule, label = WITH_LESIONS
            why = {"reason": "no lesion", "shared_reason": "no lesion"}
            against[one.id] = {"rule": rule, "label": label} | why
    return against


def _facts(one: SeriesResult) -> SeriesFacts:
    known = [lesion["diameter_mm"] for lesion in one.lesions]
    diameters_mm = tuple(mm for mm in known if mm is not None)
    is_known = one.annotated["is_annotated"] and (diameters_mm or not known)
    return SeriesFacts(one.id, "", "", lesion_diameters_mm=diameters_mm if is_known else None)


def _ruled_out_rows(study: Study) -> list[dict[str, Any]]:
    """Return what rules on lesions left out, as findings are shown."""
    if not publish_rules(study.protocol.curate):
        return []
    results = series_results(study)
    against = why_not_published(study, results)
    return [
        {
            "source": one.row["source"],
            "code": f"rule_{against[one.id]['rule']}",
            "reason": against[one.id]["reason"],
            "instances": 1,
            "hint": "change [curate] in study.toml and publish again, if it belongs to the release",
            "by_rule": True,
            "unit": f"measure/{one.id}",
        }
        for one in results
        if one.id in against and against[one.id]["rule"] != WITH_LESIONS[0]
    ]


_STAGES = (PREPARE, ANNOTATE, MEASURE, TRACK, RESPOND, AGREE, EVALUATE)


def left_out_rows(study: Study) -> list[Mapping[str, Any]]:
    """Return what is not in the release, and why: left out by ingest, by rules on lesions, failed.

    A failed unit stands under its series' source, a subject's under that of its first series, as
    far as its inputs are those of today.
    """
    rows = list(study.registry.rows(tables.finding, outcome="left_out", order_by=("id",)))
    failed = study.registry.failed_units()
    for stage in _STAGES:
        rows += _failed_rows(study, stage, [one for one in failed if one.stage == stage.name])
    return rows + _ruled_out_rows(study)


def _failed_rows(
    study: Study, stage: Stage, failed: Sequence[UnitRecord]
) -> Iterator[dict[str, Any]]:
    if not failed:
        return
    series = _series_of(study, stage, [record.name for record in failed])
    planned = {work.name: stage.key_of(work) for work in stage.plan(study, series)}
    for record in failed:
        if planned.get(record.name) == record.key:
            own = [row for row in series if stage.names([row]) == [record.name]]
            yield {
                "source": own[0]["source"],
                "code": record.code,
                "reason": f"{stage.name} failed: {_published_reason(record)}",
                "instances": 1,
                "hint": record.hint or "",
                "by_rule": False,
                "unit": f"{stage.name}/{record.name}",
            }


def _series_of(study: Study, stage: Stage, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the series that units are about, by number: all of a subject's where it is one."""
    if stage.scope is Scope.SERIES:
        return study.registry.some_series(names)
    of_subjects = study.registry.rows(tables.series, among={"subject_id": names})
    return study.registry.some_series([row["id"] for row in of_subjects])


def _published_reason(record: UnitRecord) -> str:
    """Return why a unit failed, the same whenever it fails: an event of the log is of one run."""
    reason = record.reason or ""
    return reason.partition(", event ")[0] if record.code == BUG_CODE else reason


def lesion_rows(study: Study) -> list[dict[str, Any]]:
    """Return every measured lesion of the study."""
    return [row for result in series_results(study) for row in result.lesion_rows()]
