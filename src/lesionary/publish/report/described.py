"""From a statistic back to the lesions and the series that it describes."""

from collections.abc import Callable, Iterable, Sequence

from lesionary.core.volume import BoolArray, Quantity
from lesionary.publish.report.data import LesionRow, ReportData, SeriesRow
from lesionary.publish.report.groups import Group, has_features, has_sizes
from lesionary.publish.report.members import (
    ALL_LABELS,
    kinds_of,
    maker_name,
    makers_of,
    subject_label,
    unreviewed,
    visit_name,
    without_segmenter,
)
from lesionary.publish.report.summarising import (
    WITH_SIZES,
    WITHOUT_SIZES,
    with_features,
    without_features,
)
from lesionary.publish.report.summary import Statistic

_COUNTS_SERIES = frozenset({"series", "series_with_mask", "series_without_mask", "notes"})
_COUNTS_NO_LESIONS = frozenset({"subjects", "timepoints", "left_out", "dropped_pieces"})
_WITHOUT_LESIONS = frozenset({"intake", "left_out", "ignored", "curation"})
_FIELDS = {
    "diameter_mm": ("diameter_mm",),
    "volume_ml": ("volume_ml",),
    "volume_by_diameter": ("volume_ml", "diameter_mm"),
}
"""Fields of a lesion that a measure needs."""


def lesions_described(data: ReportData, one: Statistic) -> list[LesionRow]:
    """Return the lesions that entered a statistic; none where it counts something else."""
    if one.measure in _COUNTS_SERIES or one.section in _WITHOUT_LESIONS:
        return []
    if one.section == "study" and one.measure in _COUNTS_NO_LESIONS:
        return []
    if one.section == "series" and one.measure != "lesions":
        return []
    return _with_measure(_LESIONS[one.section](data, one), one)


def series_described(data: ReportData, one: Statistic) -> list[SeriesRow]:
    """Return the series that a statistic rests on, were it a zero that was found there."""
    is_in = _SERIES.get(one.section)
    if is_in is not None:
        return [row for row in data.series if is_in(row, one)]
    names = {row.series for row in lesions_described(data, one)}
    return [row for row in data.series if not names or row.id in names]


def _with_measure(rows: Iterable[LesionRow], one: Statistic) -> list[LesionRow]:
    if one.measure in _FIELDS:
        fields = _FIELDS[one.measure]
        return [row for row in rows if all(getattr(row, name) is not None for name in fields)]
    if one.measure == "mean_intensity":
        return [
            row for row in rows if row.quantity == one.quantity and row.mean_intensity is not None
        ]
    if one.measure == "lesions_without_volume":
        return [row for row in rows if row.volume_ml is None]
    return _drawn(list(rows), one.measure)


def _drawn(rows: Sequence[LesionRow], measure: str) -> list[LesionRow]:
    """Return the lesions that have, or have not, what a figure needs; else all of them."""
    group = Group("", tuple(rows), "", "o")
    if measure == WITH_SIZES:
        return _where(rows, has_sizes(group))
    if measure == WITHOUT_SIZES:
        return _where(rows, ~has_sizes(group))
    for quantity in Quantity:
        if measure == with_features(quantity):
            return _where(rows, has_features(group, quantity))
        if measure == without_features(quantity):
            lacking = _where(rows, ~has_features(group, quantity))
            return [row for row in lacking if row.quantity == quantity]
    return list(rows)


def _where(rows: Sequence[LesionRow], shown: BoolArray) -> list[LesionRow]:
    return [row for row, is_shown in zip(rows, shown, strict=True) if is_shown]


def _of_kind(data: ReportData, one: Statistic) -> Iterable[LesionRow]:
    return next((kind.lesions for kind in kinds_of(data.lesions) if kind.name == one.group), ())


def _of_label(data: ReportData, one: Statistic) -> Iterable[LesionRow]:
    return [row for row in data.lesions if one.group in {row.label, ALL_LABELS}]


def _of_subject(data: ReportData, one: Statistic) -> Iterable[LesionRow]:
    return [
        row
        for row in data.lesions
        if one.group in {row.subject, subject_label(row.subject, row.label)}
    ]


def _of_series(data: ReportData, one: Statistic) -> Iterable[LesionRow]:
    return [row for row in data.lesions if row.series == one.group]


def _of_visit(data: ReportData, one: Statistic) -> Iterable[LesionRow]:
    scans = {row.id for row in series_described(data, one)}
    return [row for row in data.lesions if row.series in scans]


def _of_makers(data: ReportData, one: Statistic) -> Iterable[LesionRow]:
    if one.measure == "without_segmenter":
        return without_segmenter(data.lesions)
    if one.measure.startswith("unreviewed_"):
        return unreviewed(data.lesions, are_drafts=one.measure == "unreviewed_drafts")
    makers = makers_of(data.lesions)
    return next((rows for maker, rows in makers.items() if maker_name(maker) == one.group), [])


_LESIONS: dict[str, Callable[[ReportData, Statistic], Iterable[LesionRow]]] = {
    "study": lambda data, _: data.lesions,
    "kinds": _of_kind,
    "time": _of_visit,
    "labels": _of_label,
    "subjects": _of_subject,
    "series": _of_series,
    "masks": _of_makers,
}


def _came_so(row: SeriesRow, one: Statistic) -> bool:
    """Tell whether a series is one of those that a count of what came in is about."""
    if one.measure == "notes":
        return bool(row.notes)
    if one.measure == "series":
        return row.outcome == one.group
    return row.is_annotated == (one.measure == "series_with_mask")


_SERIES: dict[str, Callable[[SeriesRow, Statistic], bool]] = {
    "study": lambda _row, _one: True,
    "intake": _came_so,
    "time": lambda row, one: one.group == visit_name(row.modality, row.timepoint),
    "subjects": lambda row, one: (
        one.group == row.subject or one.group.startswith(subject_label(row.subject, ""))
    ),
    "series": lambda row, one: one.group == row.id,
}
