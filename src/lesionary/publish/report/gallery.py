"""Cut a lesion's section out of its scan, turned the way a radiologist reads it.

The picture is the slice across the axis nearest patient-superior in which the lesion was measured:
the patient's right on the viewer's left, anterior up, whatever order the file keeps its voxels in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import InputError
from lesionary.core.volume import AnyArray, BoolArray, Geometry, LabelMap, Mask, Volume
from lesionary.core.window import Window

MARGIN = 0.35
"""Surroundings on each side of a lesion, as a share of its extent …"""
MARGIN_MM = 8.0
"""… and no less than this."""
FIELD_MM = 36.0
"""No picture shows less than this: a 5 mm nodule needs its neighbourhood."""

Point = tuple[float, float]
"""Row and column of the picture; whole numbers are pixel centres."""
Segment = tuple[Point, Point]


class SectionAxes(Protocol):
    """Where a lesion was measured."""

    @property
    def slice_index(self) -> int:
        """Along the axis nearest patient-superior, in the file's order."""

    @property
    def long_axis_points_mm(self) -> AnyArray:
        """Both ends in LPS mm, shape (2, 3)."""

    @property
    def short_axis_points_mm(self) -> AnyArray:
        """Both ends in LPS mm, shape (2, 3)."""


class MeasuredLesion(Protocol):
    """What the gallery needs to know of a lesion; the measuring stage's record fits."""

    @property
    def lesion(self) -> int:
        """Number of the lesion within its series, from 1."""

    @property
    def label(self) -> str | int:
        """Such as ``m,liver``."""

    @property
    def value(self) -> int:
        """Its value in the label map."""

    @property
    def axes(self) -> SectionAxes | None:
        """None where no diameter is defined."""


@dataclass(frozen=True, slots=True, eq=False)
class GalleryItem:
    """One lesion's picture.

    Parameters
    ----------
    series : str
        The series' name in the study.
    lesion : int
        Number of the lesion within the series.
    label : str
        Its label.
    pixels : uint8 array, shape (rows, columns)
        The windowed section around the lesion; black beyond the scan.
    mask : bool array of the same shape
        The lesion in this section.
    spacing_mm : tuple of float
        Between rows and between columns.
    long_axis, short_axis : Segment, optional
        Both ends in row and column of this picture; None where not measured.
    window : Window
        What is black and what is white.
    """

    series: str
    lesion: int
    label: str
    pixels: NDArray[np.uint8]
    mask: BoolArray
    spacing_mm: tuple[float, float]
    long_axis: Segment | None
    short_axis: Segment | None
    window: Window


@dataclass(frozen=True, slots=True)
class _View:
    """How a section of a grid is turned for display."""

    across: int
    rows: int
    columns: int
    is_row_flipped: bool
    is_column_flipped: bool

    @staticmethod
    def of(geometry: Geometry) -> "_View":
        across = geometry.superior_axis
        first, second = (axis for axis in range(3) if axis != across)
        x, y, _ = np.abs(geometry.directions)
        rows, columns = first, second
        if x[first] + y[second] > x[second] + y[first]:
            rows, columns = second, first
        return _View(
            across,
            rows,
            columns,
            bool(geometry.directions[1, rows] < 0),  # rows go down to posterior
            bool(geometry.directions[0, columns] < 0),  # columns go right to the patient's left
        )

    def section(self, array: AnyArray, index: int) -> AnyArray:
        """Return slice ``index`` of a volume as it is shown, a view."""
        picture = array.take(index, axis=self.across)
        if self.rows > self.columns:
            picture = picture.T
        steps = (-1 if self.is_row_flipped else 1, -1 if self.is_column_flipped else 1)
        turned: AnyArray = picture[:: steps[0], :: steps[1]]
        return turned

    def segment(self, geometry: Geometry, points_mm: AnyArray) -> Segment:
        """Return two world points, shape (2, 3), in rows and columns of the picture."""
        ends = geometry.to_index(points_mm)
        rows, columns = ends[:, self.rows], ends[:, self.columns]
        if self.is_row_flipped:
            rows = geometry.shape[self.rows] - 1 - rows
        if self.is_column_flipped:
            columns = geometry.shape[self.columns] - 1 - columns
        (r0, r1), (c0, c1) = rows.tolist(), columns.tolist()
        return (r0, c0), (r1, c1)


def gallery_item(
    volume: Volume,
    drawn: Mask | LabelMap,
    lesion: MeasuredLesion,
    window: Window,
    *,
    series: str,
    value: int | None = None,
) -> GalleryItem:
    """Cut one lesion's section out of its scan.

    Parameters
    ----------
    volume : Volume
        The scan.
    drawn : Mask or LabelMap
        The lesion alone, or a map of lesions on the same grid.
    lesion : MeasuredLesion
        Where it was measured. Without axes, the section with the most voxels is shown.
    window : Window
        What is black and what is white.
    series : str
        The series' name in the study.
    value : int, optional
        The lesion's value in ``drawn`` where that is not the map it was measured on.

    Raises
    ------
    GeometryMismatchError
        If mask and scan lie on different grids.
    InputError
        If the section holds no voxel of the lesion.
    """
    volume.geometry.require_same_grid(drawn.geometry)
    geometry = volume.geometry
    view = _View.of(geometry)
    value = 1 if isinstance(drawn, Mask) else lesion.value if value is None else value
    axes = lesion.axes
    index = axes.slice_index if axes else _largest_section(drawn.array == value, view.across)
    mask = view.section(drawn.array, index) == value
    if not mask.any():
        raise InputError(f"slice {index} holds no voxel of lesion {lesion.lesion}")
    spacing_mm = (geometry.spacing_mm[view.rows], geometry.spacing_mm[view.columns])
    top, left, n_rows, n_columns = _frame(mask, spacing_mm)
    invalid = None if volume.invalid is None else view.section(volume.invalid, index)
    grey = window.apply(view.section(volume.array, index), invalid)
    ends = () if axes is None else (axes.long_axis_points_mm, axes.short_axis_points_mm)
    segments = [_moved(view.segment(geometry, points), top, left) for points in ends]
    return GalleryItem(
        series=series,
        lesion=lesion.lesion,
        label=str(lesion.label),
        pixels=_cut(grey, top, left, (n_rows, n_columns)),
        mask=_cut(mask, top, left, (n_rows, n_columns)),
        spacing_mm=spacing_mm,
        long_axis=segments[0] if segments else None,
        short_axis=segments[1] if segments else None,
        window=window,
    )


def pick_for_gallery(
    volumes_ml: Iterable[tuple[str, int, float | None]], limit: int = 60
) -> tuple[tuple[str, int], ...]:
    """Choose which lesions to show: the largest of every series, then the second largest, and on.

    Parameters
    ----------
    volumes_ml : iterable of (series, lesion, volume in ml)
        All lesions; one without a volume counts as the smallest.
    limit : int
        How many pictures at most.

    Returns
    -------
    tuple of (series, lesion)
        Sorted by series and lesion, in the order in which the series first appear.
    """
    by_series: dict[str, list[tuple[float, int]]] = {}
    for series, lesion, volume_ml in volumes_ml:
        size = -1.0 if volume_ml is None else volume_ml
        by_series.setdefault(series, []).append((-size, lesion))
    place = {series: n for n, series in enumerate(by_series)}
    ranked = [
        (rank, size, place[series], series, lesion)
        for series, lesions in by_series.items()
        for rank, (size, lesion) in enumerate(sorted(lesions))
    ]
    chosen = sorted(ranked)[:limit]
    return tuple((s, n) for _, _, _, s, n in sorted(chosen, key=lambda c: (c[2], c[4])))


def _largest_section(mask: BoolArray, across: int) -> int:
    others = tuple(axis for axis in range(3) if axis != across)
    return int(np.argmax(np.count_nonzero(mask, axis=others)))


def _frame(mask: BoolArray, spacing_mm: tuple[float, float]) -> tuple[int, int, int, int]:
    """Return top, left, rows, columns of a field that is square in mm around the lesion."""
    ends = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    extents_mm = [(b - a + 1) * s for (a, b), s in zip(ends, spacing_mm, strict=True)]
    largest_mm = float(max(extents_mm))
    field_mm = max(FIELD_MM, largest_mm + 2 * max(MARGIN_MM, MARGIN * largest_mm))
    sizes = [max(1, round(field_mm / s)) for s in spacing_mm]
    starts = [int(np.ceil((a + b + 1 - n) / 2)) for (a, b), n in zip(ends, sizes, strict=True)]
    return starts[0], starts[1], sizes[0], sizes[1]


def _cut(picture: AnyArray, top: int, left: int, shape: tuple[int, int]) -> AnyArray:
    """Return the part of ``picture`` in a frame that may reach beyond it; outside is 0."""
    part = np.zeros(shape, dtype=picture.dtype)
    rows = slice(max(top, 0), min(top + shape[0], picture.shape[0]))
    columns = slice(max(left, 0), min(left + shape[1], picture.shape[1]))
    inside = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    part[inside] = picture[rows, columns]
    return part


def _moved(segment: Segment, top: int, left: int) -> Segment:
    (r0, c0), (r1, c1) = segment
    return (r0 - top, c0 - left), (r1 - top, c1 - left)
