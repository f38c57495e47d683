"""Flat outlines in the index space of a grid: which slice each of them lies on.

Contours drawn by hand are closed polygons in patient space, one a plane. Whether an image can be
the one they were drawn on, and which voxels they enclose, both start from the same question,
answered here once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray, Geometry

FARTHEST_MM = 1e6
"""Coordinates beyond a kilometre are no patient's."""

ON_SLICE = 0.1
"""A plane lies on a slice within this share of the distance between slices.

Wide enough for coordinates written with one decimal and for the CT and PET of one scanner, whose
planes lie some hundredths of a millimetre apart; narrow enough to tell every third slice from all.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Flat closed polygons in index space.

    Parameters
    ----------
    points : array, shape (points, 3)
        Fractional ``(k, j, i)`` of all polygons, one after the other.
    starts : int array, shape (polygons + 1,)
        Polygon ``n`` is ``points[starts[n]:starts[n + 1]]``.
    axis : int
        The array axis that the planes are perpendicular to.
    planes : array, shape (polygons,)
        Fractional index of each plane along ``axis``.
    """

    points: FloatArray
    starts: NDArray[np.int64]
    axis: int
    planes: FloatArray

    @property
    def slices(self) -> NDArray[np.int64]:
        """Nearest slice of each polygon; it may lie beyond the grid."""
        return np.floor(self.planes + 0.5).astype(np.int64)

    @property
    def offsets(self) -> FloatArray:
        """Distance of each plane from its nearest slice, in slices (0 to 0.5)."""
        distances: FloatArray = np.abs(self.planes - self.slices)
        return distances


def place_outlines(outlines_mm: Sequence[FloatArray], geometry: Geometry) -> Outlines | None:
    """Bring polygons into the index space of ``geometry``.

    Parameters
    ----------
    outlines_mm : sequence of arrays, shape (points, 3)
        Polygons in LPS millimetres, each of at least one point. May be empty.
    geometry : Geometry
        Any grid, in any axis order.

    Returns
    -------
    Outlines or None
        None where there is no array axis along which every polygon is flat, that is where the
        planes are not parallel to slices of this grid. Of several such axes (single points are
        flat along each) the first is taken.

    Raises
    ------
    InputError
        If a polygon has no points, is no array of shape (points, 3), or holds a coordinate that is
        not a number or beyond a kilometre.
    """
    starts = np.cumsum([0, *(len(outline) for outline in outlines_mm)])
    if not outlines_mm:
        return Outlines(np.zeros((0, 3)), starts, 0, np.zeros(0))
    points = geometry.to_index(_joined(outlines_mm))
    lowest = np.minimum.reduceat(points, starts[:-1])
    highest = np.maximum.reduceat(points, starts[:-1])
    is_flat = (highest - lowest <= ON_SLICE).all(axis=0)
    if not is_flat.any():
        return None
    axis = int(np.argmax(is_flat))
    return Outlines(points, starts, axis, (lowest[:, axis] + highest[:, axis]) / 2)


def _joined(outlines_mm: Sequence[FloatArray]) -> FloatArray:
    for outline in outlines_mm:
        if outline.ndim != 2 or outline.shape[1] != 3 or len(outline) == 0:
            raise InputError(f"a contour has the shape {outline.shape}, not (points, 3)")
    points = np.concatenate(outlines_mm)
    if not np.abs(points).max() <= FARTHEST_MM:  # NaN is not either
        raise InputError("a contour holds a coordinate that is no place in a patient")
    return points


def lie_on_slices(outlines_mm: Sequence[FloatArray], geometry: Geometry) -> bool:
    """Tell whether every polygon lies on a slice of ``geometry``; true where there is none."""
    outlines = place_outlines(outlines_mm, geometry)
    if outlines is None:
        return False
    slices = outlines.slices
    is_inside = (slices >= 0) & (slices < geometry.shape[outlines.axis])
    return bool((is_inside & (outlines.offsets <= ON_SLICE)).all())


def farthest_from_slices_mm(outlines_mm: Sequence[FloatArray], geometry: Geometry) -> float:
    """Return the largest distance of a polygon's plane from its nearest slice.

    Infinite where the planes are not parallel to slices of the grid, 0 where there is no polygon.
    """
    outlines = place_outlines(outlines_mm, geometry)
    if outlines is None:
        return float("inf")
    if not outlines_mm:
        return 0.0
    return float(outlines.offsets.max()) * geometry.spacing_mm[outlines.axis]
