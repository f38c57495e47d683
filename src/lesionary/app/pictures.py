"""A lesion's picture for the report, from what the registry keeps of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionary.core.volume import FloatArray, LabelMap, Quantity, Volume

if TYPE_CHECKING:
    from lesionary.app.results import SeriesResult
    from lesionary.app.study import Study
    from lesionary.core.window import Window
    from lesionary.publish.report.gallery import GalleryItem

_SUV_CEILING = 10.0


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where a lesion was measured."""

    slice_index: int
    long_axis_points_mm: FloatArray
    short_axis_points_mm: FloatArray


@dataclass(frozen=True, slots=True)
class _Lesion:
    """A measured lesion, read back from its row: in the published map its number is its value."""

    lesion: int
    label: str
    value: int
    axes: _Axes | None


def pictures(study: "Study", results: "Sequence[SeriesResult]") -> "Iterator[GalleryItem]":
    """Draw the lesions that the report shows, one series in memory at a time."""
    shown = chosen(study, results)
    for result in results:
        numbers = shown.get(result.id)
        if numbers:
            volume = study.objects.get_volume(result.prepared["object"])
            mask = study.objects.get_label_map(result.measured["mask"])
            yield from pictures_of(result, volume, mask, numbers)


def chosen(study: "Study", results: "Sequence[SeriesResult]") -> dict[str, set[int]]:
    """Return which lesions the report shows, by series."""
    from lesionary.publish.report.gallery import pick_for_gallery

    sizes = [
        (result.id, lesion["lesion"], lesion["volume_ml"])
        for result in results
        for lesion in result.lesions
    ]
    shown: dict[str, set[int]] = {}
    for name, number in pick_for_gallery(sizes, study.protocol.publish.gallery):
        shown.setdefault(name, set()).add(number)
    return shown


def pictures_of(
    result: "SeriesResult", volume: Volume, mask: LabelMap, numbers: set[int]
) -> "Iterator[GalleryItem]":
    """Draw some lesions of one series."""
    for lesion in result.lesions:
        if lesion["lesion"] in numbers and _is_seen(mask, lesion):
            yield picture(volume, mask, lesion, series=result.id, window=result.prepared["window"])


def _is_seen(mask: LabelMap, row: Mapping[str, Any]) -> bool:
    """Tell whether a lesion shows where it was measured: a smaller one may lie over all of it."""
    section = mask.array
    if row["slice_index"] is not None:
        section = section.take(row["slice_index"], axis=mask.geometry.superior_axis)
    return bool((section == row["lesion"]).any())


def picture(
    volume: Volume, mask: LabelMap, row: Mapping[str, Any], *, series: str, window: str
) -> "GalleryItem":
    """Draw one measured lesion in its window."""
    from lesionary.publish.report.gallery import gallery_item

    lesion = _Lesion(row["lesion"], str(row["label"]), row["lesion"], _axes(row))
    return gallery_item(
        volume, mask, lesion, display_window(volume, lesion.label, window), series=series
    )


def _axes(row: Mapping[str, Any]) -> _Axes | None:
    if row["slice_index"] is None:
        return None
    return _Axes(
        row["slice_index"],
        np.array(row["long_axis_points_mm"]),
        np.array(row["short_axis_points_mm"]),
    )


def display_window(volume: Volume, label: str, window: str) -> "Window":
    """Return what is black and what is white.

    CT: the window of the lesion's organ, else of the region. SUV: 0 to 10. Otherwise the middle of
    the image's own values.
    """
    from lesionary.core.terms import parse_label
    from lesionary.core.window import NAMED_WINDOWS, Window, robust_window

    if volume.quantity is Quantity.HU:
        place = parse_label(label)
        return NAMED_WINDOWS[window if place is None else place.window]
    if volume.quantity is Quantity.SUVBW:
        return Window(_SUV_CEILING / 2, _SUV_CEILING)
    return robust_window(volume)
