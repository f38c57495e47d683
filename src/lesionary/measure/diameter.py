"""Long and short axis of a lesion in the axial plane, by the two definitions of R8.

``caliper`` is what a radiologist draws, from edge to edge. ``as_published`` is what the authors of
the recist data set computed, from pixel centre to pixel centre, about one pixel less.
``docs/explanation/diameters.md`` draws both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from lesionary.core.components import Component
from lesionary.core.volume import AnyArray, FloatArray, Geometry

SQUARE_PIXEL = 1e-6
"""In-plane spacings that differ relatively by less are one: an affine's rounding is no shape."""

FLOAT32_NOISE = 1e-5
"""OpenCV's rectangles are float32: lengths that differ relatively by less are a tie."""


class Definition(StrEnum):
    """How a diameter is measured."""

    CALIPER = "caliper"
    AS_PUBLISHED = "as_published"


@dataclass(frozen=True, slots=True, eq=False)
class Diameters:
    """The two axes of a lesion, both in the slice that holds the longest long axis.

    Parameters
    ----------
    long_axis_mm, short_axis_mm : float
        Their lengths.
    slice_index : int
        Along :attr:`Geometry.superior_axis`, in the array's order.
    long_axis_points_mm, short_axis_points_mm : float64 array, shape (2, 3)
        Their ends in LPS millimetres.
    """

    long_axis_mm: float
    short_axis_mm: float
    slice_index: int
    long_axis_points_mm: FloatArray
    short_axis_points_mm: FloatArray


@dataclass(frozen=True, slots=True)
class _Sections:
    """How a grid is cut into slices: the array's axes across and in the plane, and spacings."""

    geometry: Geometry
    across: int
    a: int
    b: int
    a_mm: float
    b_mm: float

    @classmethod
    def of(cls, geometry: Geometry) -> "_Sections":
        across, spacing_mm = geometry.superior_axis, geometry.spacing_mm
        a, b = (axis for axis in range(3) if axis != across)
        a_mm, b_mm = spacing_mm[a], spacing_mm[b]
        if abs(a_mm - b_mm) <= SQUARE_PIXEL * a_mm:
            b_mm = a_mm
        return cls(geometry, across, a, b, a_mm, b_mm)

    def to_world(self, slice_index: int, in_plane: AnyArray) -> FloatArray:
        """Map fractional indices ``(a, b)``, shape (n, 2), of one slice to LPS millimetres."""
        indices = np.empty((len(in_plane), 3))
        indices[:, self.across] = slice_index
        indices[:, [self.a, self.b]] = in_plane
        return self.geometry.to_world(indices)


def caliper(lesion: Component, geometry: Geometry) -> Diameters:
    """Measure edge to edge, as with calipers on the screen (RECIST 1.1 [1]_).

    The outline of a section is the set of midpoints of its boundary pixel edges. The long axis is
    the longest distance between two of them, all pieces of the section taken together, over all
    axial slices. The short axis is the longest chord of that section's convex hull perpendicular
    to it: a segment inside, not the projected width. One pixel measures one pixel, not nothing.

    Parameters
    ----------
    lesion : Component
        What is measured.
    geometry : Geometry
        Grid of the image it lies in; pixels need not be square.

    Returns
    -------
    Diameters
        Ties go to the lowest slice, there to the long axis with the longest short axis, then to
        the one whose ends come first in the order of the voxels.

    References
    ----------
    .. [1] Eisenhauer et al., Eur J Cancer 45, 228-247 (2009).

    Examples
    --------
    >>> from lesionary.core.components import components
    >>> grid = Geometry((1, 20, 30), np.eye(4)[[2, 1, 0, 3]])
    >>> [rectangle] = components(np.ones(grid.shape, dtype=bool))
    >>> axes = caliper(rectangle, grid)
    >>> round(axes.long_axis_mm, 2), round(axes.short_axis_mm, 2)
    (35.51, 23.67)
    """
    from lesionary.measure import _kernels

    plane = _Sections.of(geometry)
    low, high, corner = _extents(lesion, plane)
    squares = _kernels.longest_squared(low, high, plane.a_mm, plane.b_mm)
    section = int(np.argmax(squares >= squares.max() * (1 - _kernels.SAME_LENGTH)))
    hull = np.empty((4 * low.shape[1] + 6, 2), dtype=np.int64)
    n = _kernels.outline_hull(low[section], high[section], hull)
    long_mm, short_mm = _kernels.axes(hull[:n], plane.a_mm, plane.b_mm)
    slice_index = int(corner[plane.across]) + section
    in_plane = corner[[plane.a, plane.b]]
    spacing_mm = (plane.a_mm, plane.b_mm)
    return Diameters(
        long_axis_mm=float(np.linalg.norm(long_mm[1] - long_mm[0])),
        short_axis_mm=float(np.linalg.norm(short_mm[1] - short_mm[0])),
        slice_index=slice_index,
        long_axis_points_mm=plane.to_world(slice_index, long_mm / spacing_mm + in_plane),
        short_axis_points_mm=plane.to_world(slice_index, short_mm / spacing_mm + in_plane),
    )


def as_published(lesion: Component, geometry: Geometry) -> Diameters | None:
    """Measure from pixel centre to pixel centre, as the authors of the recist data set did.

    In each axial slice, OpenCV's rectangle of least area around the pixel centres of the outline
    of largest area: its longer side is the long axis, the other the short one. The slice with the
    longest long axis counts. The authors multiply pixels by the row spacing; theirs are square.
    Where they are not, points are scaled first.

    Parameters
    ----------
    lesion : Component
        What is measured.
    geometry : Geometry
        Grid of the image it lies in.

    Returns
    -------
    Diameters or None
        None where every section consists of single pixels: their outlines have one point and are
        skipped. The axes are drawn through the middle of the rectangle's sides. Ties go to the
        lowest slice.

    References
    ----------
    .. [1] Rojas et al., recist-dataset, ``utils/diameters.py`` (strategy ``largest-area``).
    """
    from lesionary.measure import _kernels

    plane = _Sections.of(geometry)
    low, high, corner = _extents(lesion, plane)
    # No rectangle is longer than its farthest points are apart: most slices need no OpenCV.
    bounds_mm = _kernels.longest_between_centres(low, high, plane.a_mm, plane.b_mm)
    voxels = lesion.crop().view(np.uint8)
    in_plane = corner[[plane.a, plane.b]]
    found: dict[int, _Rectangle] = {}
    longest_mm = 0.0
    for section in np.argsort(-bounds_mm, kind="stable").tolist():
        if bounds_mm[section] < longest_mm * (1 - FLOAT32_NOISE):
            break
        rectangle = _Rectangle.around(voxels.take(section, axis=plane.across), in_plane, plane)
        if rectangle is not None:
            found[section] = rectangle
            longest_mm = max(longest_mm, rectangle.long_mm)
    if not found:
        return None
    section = min(n for n, r in found.items() if r.long_mm >= longest_mm * (1 - FLOAT32_NOISE))
    slice_index = int(corner[plane.across]) + section
    long_ends, short_ends = found[section].axes()
    return Diameters(
        long_axis_mm=found[section].long_mm,
        short_axis_mm=found[section].short_mm,
        slice_index=slice_index,
        long_axis_points_mm=plane.to_world(slice_index, long_ends),
        short_axis_points_mm=plane.to_world(slice_index, short_ends),
    )


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """OpenCV's rectangle (centre, sides, angle) in units of a row: ``x`` is stretched to them."""

    rectangle: tuple[Sequence[float], Sequence[float], float]
    plane: _Sections

    @classmethod
    def around(cls, pixels: AnyArray, corner: AnyArray, plane: _Sections) -> "_Rectangle | None":
        """Enclose the outline of largest area, or return None where none has two points."""
        import cv2

        outlines, _ = cv2.findContours(
            pixels,
            cv2.RETR_EXTERNAL,
            cv2.CHAIN_APPROX_SIMPLE,
            offset=(int(corner[1]), int(corner[0])),  # OpenCV's points are (column, row)
        )
        outlines = [outline for outline in outlines if len(outline) > 1]
        if not outlines:
            return None
        outline = max(outlines, key=cv2.contourArea)
        if plane.a_mm != plane.b_mm:
            outline = (outline * np.array([plane.b_mm / plane.a_mm, 1.0])).astype(np.float32)
        return cls(cv2.minAreaRect(outline), plane)

    @property
    def long_mm(self) -> float:
        return max(self.rectangle[1]) * self.plane.a_mm

    @property
    def short_mm(self) -> float:
        return min(self.rectangle[1]) * self.plane.a_mm

    def axes(self) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the long and the short axis as fractional indices ``(a, b)``."""
        import cv2

        corners = cv2.boxPoints(self.rectangle).tolist()  # four points: numpy would only be slower
        sides = [
            math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
            for (x0, y0), (x1, y1) in pairwise(corners[:3])
        ]
        stretch = self.plane.b_mm / self.plane.a_mm
        points = [(y, x / stretch) for x, y in corners]
        middles = [
            ((a0 + a1) / 2, (b0 + b1) / 2) for (a0, b0), (a1, b1) in pairwise([*points, points[0]])
        ]
        along_first = np.array(sorted((middles[3], middles[1])))
        along_second = np.array(sorted((middles[0], middles[2])))
        if sides[0] >= sides[1]:
            return along_first, along_second
        return along_second, along_first


def _extents(lesion: Component, plane: _Sections) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Return the first and last voxel of each section's lines, and the box's first corner."""
    from lesionary.measure._kernels import extents

    box = np.array([(side.start, side.stop) for side in lesion.box], dtype=np.int32)
    low, high = extents(lesion.runs, lesion.shape[1], plane.across, box)
    return low, high, box[:, 0]
