"""From the rows of a report to its statistics: the only place where they are computed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.findings import Outcome
from lesionary.core.statistics import spearman, spread_of
from lesionary.core.volume import FloatArray, Quantity
from lesionary.publish.report.burden import BurdenPoint, burden_of
from lesionary.publish.report.data import LesionRow, ReportData, SeriesRow, TruthRow
from lesionary.publish.report.groups import Group, has_features, has_sizes
from lesionary.publish.report.members import (
    ALL_LABELS,
    grouped_by,
    ignored_name,
    kinds_of,
    labels_of,
    maker_name,
    makers_of,
    reason_name,
    subject_label,
    subjects_of,
    unreviewed,
    visit_name,
    visits_of,
    without_segmenter,
)
from lesionary.publish.report.summary import COUNT, Statistic, Summary

if TYPE_CHECKING:
    from lesionary.publish.curation_figure import CurationFlow

_UNSEEN_SUBJECT = "no series of this subject has a mask"
_UNSEEN_SERIES = "the series has no mask: nobody has looked for lesions"
_HOLE = "the volume of a lesion in this sum is undefined"

WITH_SIZES, WITHOUT_SIZES = "lesions_with_sizes", "lesions_without_sizes"
"""Lesions with a volume and a diameter to be drawn against each other, and those without."""

Names = tuple[str, str]
"""Section and group."""


def with_features(quantity: Quantity) -> str:
    """Name the lesions that have a diameter, a volume and a mean intensity of a quantity."""
    return f"lesions_with_features_{quantity}"


def without_features(quantity: Quantity) -> str:
    """Name the lesions of images of a quantity that lack one of these numbers."""
    return f"lesions_without_features_{quantity}"


def summary_of(data: ReportData) -> Summary:
    """Sum up everything that the report sums up, section by section."""
    return Summary(_statistics(data))


def _statistics(data: ReportData) -> Iterator[Statistic]:
    yield from _study(data)
    yield from _kinds(data.lesions)
    for modality, points in burden_of(data.series, data.lesions).items():
        yield from _visits(modality, points)
    yield from _truth([row for row in data.truth if row.true_volume_ml > 0])
    yield from _labels(data.lesions)
    yield from _subjects(data)
    yield from _intake(data.series)
    yield from _series(data)
    yield from _left_out(data)
    yield from _masks(data.lesions)
    if data.flow is not None and data.flow.is_told:
        yield from _curation(data.flow)


def _count(names: Names, measure: str, n: int) -> Statistic:
    return Statistic(*names, measure, COUNT, n)


def _study(data: ReportData) -> Iterator[Statistic]:
    names = "study", ""
    yield _count(names, "subjects", len({row.subject for row in data.series}))
    visits = {(row.subject, row.timepoint) for row in data.series}
    yield _count(names, "timepoints", len(visits))
    yield _count(names, "series", len(data.series))
    yield _count(names, "lesions", len(data.lesions))
    known_ml = _known(row.volume_ml for row in data.lesions)
    yield Statistic(*names, "volume_ml", "sum", float(sum(known_ml)), len(known_ml))
    yield _count(names, "lesions_without_volume", len(data.lesions) - len(known_ml))
    yield _count(names, "left_out", len(data.left_out))
    yield _count(names, "dropped_pieces", len(data.dropped))


def _kinds(lesions: Sequence[LesionRow]) -> Iterator[Statistic]:
    for group in kinds_of(lesions):
        names = "kinds", group.name
        yield _count(names, "lesions", len(group.lesions))
        reason = "no lesion of this kind has a {}"
        yield from _quartiles(names, "diameter_mm", group.diameters_mm, reason.format("diameter"))
        yield from _quartiles(names, "volume_ml", group.volumes_ml, reason.format("volume"))
        yield from _intensities(group, reason.format("mean intensity"))
        rank = spearman(group.volumes_ml, group.diameters_mm)
        for statistic, value in (("spearman_rho", rank.rho), ("spearman_p", rank.p)):
            measure = "volume_by_diameter"
            yield Statistic(*names, measure, statistic, value, rank.n, reason=rank.reason)
        yield from _drawn(group)


def _intensities(group: Group, reason: str) -> Iterator[Statistic]:
    """Yield mean and SD for each quantity: HU and SUV have no common mean."""
    names = "kinds", group.name
    if not group.quantities:
        yield Statistic(*names, "mean_intensity", "mean", None, 0, reason=reason)
    for quantity in group.quantities:
        spread = spread_of(group.intensities(quantity))
        if spread is None:
            continue
        yield Statistic(*names, "mean_intensity", "mean", spread.mean, spread.n, quantity)
        if spread.sd is not None:
            yield Statistic(*names, "mean_intensity", "sd", spread.sd, spread.n, quantity)


def _drawn(group: Group) -> Iterator[Statistic]:
    """Yield how many lesions have what a figure needs, and how many have not."""
    names = "kinds", group.name
    for quantity in group.quantities:
        shown = int(np.count_nonzero(has_features(group, quantity)))
        of_it = sum(row.quantity == quantity for row in group.lesions)
        yield _count(names, with_features(quantity), shown)
        yield _count(names, without_features(quantity), of_it - shown)
    shown = int(np.count_nonzero(has_sizes(group)))
    yield _count(names, WITH_SIZES, shown)
    yield _count(names, WITHOUT_SIZES, len(group.lesions) - shown)


def _visits(modality: str, points: Sequence[BurdenPoint]) -> Iterator[Statistic]:
    for timepoint, found in visits_of(points).items():
        names = "time", visit_name(modality, timepoint)
        yield _count(names, "subjects", len(found))
        yield _count(names, "lesions", sum(point.n_lesions for point in found))
        yield from _quartiles(names, "volume_ml", np.array([point.volume_ml for point in found]))
        yield _count(names, "incomplete", sum(not point.is_complete for point in found))


def _truth(rows: Sequence[TruthRow]) -> Iterator[Statistic]:
    if not rows:
        return
    names = "truth", ""
    n_missed = sum(row.volume_ml is None for row in rows)
    errors = np.array(_known(row.volume_error_percent for row in rows))
    yield _count(names, "lesions", len(rows))
    yield _count(names, "found", len(rows) - n_missed)
    yield _count(names, "missed", n_missed)
    yield from _quartiles(names, "dice", np.array(_known(row.dice for row in rows)))
    yield from _quartiles(names, "volume_error_percent", errors)
    yield from _quartiles(names, "absolute_volume_error_percent", np.abs(errors))


def _labels(lesions: Sequence[LesionRow]) -> Iterator[Statistic]:
    for label, rows in {**labels_of(lesions), ALL_LABELS: lesions}.items():
        names = "labels", label
        yield _count(names, "lesions", len(rows))
        yield _count(names, "subjects", len({row.subject for row in rows}))
        yield _volume(names, rows)
        diameters_mm = np.array(_known(row.diameter_mm for row in rows))
        reason = "no lesion of this label has a diameter"
        yield from _quartiles(names, "diameter_mm", diameters_mm, reason)


def _subjects(data: ReportData) -> Iterator[Statistic]:
    n_series = Counter(scan.subject for scan in data.series)
    looked_at = {scan.subject for scan in data.series if scan.is_annotated}
    for subject, rows in subjects_of(data.series, data.lesions).items():
        names = "subjects", subject
        yield _count(names, "series", n_series[subject])
        if rows or subject in looked_at:
            yield _count(names, "lesions", len(rows))
            yield _volume(names, rows)
        else:
            yield Statistic(*names, "lesions", COUNT, None, reason=_UNSEEN_SUBJECT)
            yield Statistic(*names, "volume_ml", "sum", None, 0, reason=_UNSEEN_SUBJECT)
        for label, own in labels_of(rows).items():
            yield _count(("subjects", subject_label(subject, label)), "lesions", len(own))


def _intake(series: Sequence[SeriesRow]) -> Iterator[Statistic]:
    outcomes = Counter(row.outcome for row in series)
    for outcome in (Outcome.INGESTED, Outcome.WARNED, Outcome.FIXED):
        yield _count(("intake", outcome), "series", outcomes[outcome])
    n_unseen = sum(not row.is_annotated for row in series)
    yield _count(("intake", ""), "series_with_mask", len(series) - n_unseen)
    yield _count(("intake", ""), "series_without_mask", n_unseen)
    yield _count(("intake", ""), "notes", sum(len(row.notes) for row in series))


def _series(data: ReportData) -> Iterator[Statistic]:
    n_lesions = Counter(row.series for row in data.lesions)
    for row in data.series:
        names = "series", row.id
        if row.is_annotated:
            yield _count(names, "lesions", n_lesions[row.id])
        else:
            yield Statistic(*names, "lesions", COUNT, None, reason=_UNSEEN_SERIES)
        if not row.is_published:
            yield from _grid(names, row)


def _grid(names: Names, row: SeriesRow) -> Iterator[Statistic]:
    """Yield what ``metadata/series.json`` holds of published series only."""
    for axis, size in zip(("slices", "rows", "columns"), row.shape, strict=True):
        yield Statistic(*names, axis, "value", size)
    for axis, mm in zip(("slice", "row", "column"), row.spacing_mm, strict=True):
        yield Statistic(*names, f"{axis}_spacing_mm", "value", mm)


def _left_out(data: ReportData) -> Iterator[Statistic]:
    by_code = grouped_by((row.code, row) for row in data.left_out)
    for code, rows in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        yield _count(("left_out", code), "inputs", len(rows))
    for (code, reason), ignored in sorted(
        grouped_by(((row.code, row.reason), row.count) for row in data.ignored).items()
    ):
        yield _count(("ignored", ignored_name(code, reason)), "files", sum(ignored))


def _masks(lesions: Sequence[LesionRow]) -> Iterator[Statistic]:
    names = "masks", ""
    yield _count(names, "unreviewed_drafts", len(unreviewed(lesions, are_drafts=True)))
    yield _count(names, "unreviewed_others", len(unreviewed(lesions, are_drafts=False)))
    yield _count(names, "without_segmenter", len(without_segmenter(lesions)))
    for maker, rows in makers_of(lesions).items():
        yield _count(("masks", maker_name(maker)), "lesions", len(rows))


def _curation(flow: "CurationFlow") -> Iterator[Statistic]:
    """Yield how many series came, whom each rule left out and why, and how many are published."""
    yield _count(("curation", ""), "series_considered", flow.n_considered)
    for step in flow.steps:
        names = "curation", step.label
        yield _count(names, "series_before", step.n_before)
        yield _count(names, "series_left_out", step.n_before - step.n_left)
        yield _count(names, "series_left", step.n_left)
        yield _count(names, "series_unchecked", step.n_unchecked)
        for reason, n in step.reasons:
            yield _count(("curation", reason_name(step.label, reason)), "series_left_out", n)
    yield _count(("curation", ""), "series_published", flow.n_series)
    yield _count(("curation", ""), "studies_published", flow.n_studies)
    yield _count(("curation", ""), "subjects_published", flow.n_subjects)


def _volume(names: Names, rows: Sequence[LesionRow]) -> Statistic:
    """Sum volumes; a sum with a hole in it is not given as if it were whole."""
    known_ml = _known(row.volume_ml for row in rows)
    if len(known_ml) < len(rows):
        return Statistic(*names, "volume_ml", "sum", None, len(known_ml), reason=_HOLE)
    return Statistic(*names, "volume_ml", "sum", float(sum(known_ml)), len(known_ml))


def _quartiles(
    names: Names, measure: str, values: FloatArray, reason: str = "there is no value"
) -> Iterator[Statistic]:
    """Yield median and quartiles; of a single value the median alone."""
    spread = spread_of(values)
    if spread is None:
        yield Statistic(*names, measure, "median", None, 0, reason=reason)
        return
    yield Statistic(*names, measure, "median", spread.median, spread.n)
    if spread.n > 1:
        yield Statistic(*names, measure, "lower_quartile", spread.lower_quartile, spread.n)
        yield Statistic(*names, measure, "upper_quartile", spread.upper_quartile, spread.n)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
