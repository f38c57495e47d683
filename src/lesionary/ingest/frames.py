"""Where the frames of a multi-frame object lie, and on which slices of an image.

Frames are placed by position and orientation alone. Their order in the file means nothing: writers
sort them by segment or by slice, upwards or downwards, and leave empty ones out.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import SAME_GRID_MM, AnyArray, FloatArray, Geometry

PLACE_MM = 0.01
PLACE_SHARE = 0.01
"""A frame lies on a slice within 0.01 mm, across the slices also within 1 % of their distance.

So much may a slice of an image be off its even grid, too: it is what the gate calls even.
"""

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FramePlanes:
    """Frames of one size and orientation in patient space.

    Parameters
    ----------
    positions_mm : array, shape (frames, 3)
        LPS centre of each frame's first pixel.
    row_step_mm, column_step_mm : array, shape (3,)
        From a pixel to its neighbour in the next row, and in the next column.
    shape : tuple of int
        Rows and columns.
    slice_step_mm : float, optional
        Distance of neighbouring slices as the header states it; None where it does not.
    frame_of_reference_uid : str, optional
        As in the file.
    """

    positions_mm: FloatArray
    row_step_mm: FloatArray
    column_step_mm: FloatArray
    shape: tuple[int, int]
    slice_step_mm: float | None = None
    frame_of_reference_uid: str | None = None

    @property
    def normal(self) -> FloatArray:
        """Unit vector across the frames: row direction × column direction."""
        across = np.cross(self.column_step_mm, self.row_step_mm)
        normal: FloatArray = across / np.linalg.norm(across)
        return normal

    @property
    def distances_mm(self) -> FloatArray:
        """Distance of each frame from the origin along the normal."""
        distances: FloatArray = self.positions_mm @ self.normal
        return distances

    def corners_mm(self) -> FloatArray:
        """Centres of each frame's corner pixels, shape (frames, 4, 3)."""
        ends = product((0, self.shape[0] - 1), (0, self.shape[1] - 1))
        offsets = [j * self.row_step_mm + i * self.column_step_mm for j, i in ends]
        return self.positions_mm[:, None, :] + np.array(offsets)[None]


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """How frames fill an image's array.

    ``axes`` are the array axes of the frames' slices, rows and columns, ``flips`` tells whether
    rows and columns run the other way, and ``slices`` holds one index along ``axes[0]`` a frame.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool]
    slices: IndexArray

    def view(self, array: AnyArray) -> AnyArray:
        """Return the image's array as (slices, rows, columns) of the frames, without a copy."""
        turned = array.transpose(self.axes)
        rows, columns = (slice(None, None, -1 if flip else 1) for flip in self.flips)
        return turned[:, rows, columns]


def place(planes: FramePlanes, geometry: Geometry) -> Placement:
    """Find the slice of ``geometry`` that each frame covers, pixel on pixel.

    The frames may lie along any axis of the grid and run either way (a signed permutation).

    Raises
    ------
    GeometryMismatchError
        If the frames lie in another frame of reference, are turned or scaled against the grid (by
        more than 1e-3 mm at a corner), shifted by more than 0.01 mm, differ from its slices in
        size, or lie between its slices or beyond them.
    """
    mine, theirs = planes.frame_of_reference_uid, geometry.frame_of_reference_uid
    if mine is not None and theirs is not None and mine != theirs:
        raise GeometryMismatchError("the frames lie in another frame of reference than the image")
    axes, flips = _axes(planes, geometry)
    sizes = tuple(geometry.shape[axis] for axis in axes[1:])
    if planes.shape != sizes:
        raise GeometryMismatchError(
            f"the frames have {planes.shape[0]} × {planes.shape[1]} pixels, "
            f"the image's slices {sizes[0]} × {sizes[1]}"
        )
    placement = Placement(axes, flips, _slices(planes, geometry, axes[0]))
    _require_pixels_meet(planes, geometry, placement)
    return placement


def _axes(
    planes: FramePlanes, geometry: Geometry
) -> tuple[tuple[int, int, int], tuple[bool, bool]]:
    """Find the array axes that rows and columns of the frames run along."""
    inverse = np.linalg.inv(geometry.affine[:3, :3])
    steps = np.array([inverse @ planes.row_step_mm, inverse @ planes.column_step_mm])
    row_axis, column_axis = (int(axis) for axis in np.abs(steps).argmax(axis=1))
    if row_axis == column_axis:
        raise GeometryMismatchError("the frames are turned against the image's slices")
    along = (steps[0, row_axis], steps[1, column_axis])
    axes = (3 - row_axis - column_axis, row_axis, column_axis)
    return axes, (bool(along[0] < 0), bool(along[1] < 0))


def _slices(planes: FramePlanes, geometry: Geometry, axis: int) -> IndexArray:
    """Find the slice nearest to each frame's centre; refuse planes between slices or beyond."""
    spacing_mm, n_slices = geometry.spacing_mm[axis], geometry.shape[axis]
    indices = geometry.to_index(planes.corners_mm().mean(axis=1))[:, axis]
    slices = np.rint(indices)
    is_beyond = (slices < 0) | (slices >= n_slices)
    if is_beyond.any():
        raise GeometryMismatchError(
            f"{np.count_nonzero(is_beyond)} of {len(slices)} frames lie beyond the image's slices"
        )
    largest_mm = float(np.abs(indices - slices).max(initial=0.0)) * spacing_mm
    if largest_mm > max(PLACE_MM, PLACE_SHARE * spacing_mm):
        raise GeometryMismatchError(
            f"frames lie up to {largest_mm:.3f} mm from the nearest of the image's slices, "
            f"which are {spacing_mm:.3f} mm apart"
        )
    return slices.astype(np.int64)


def _require_pixels_meet(planes: FramePlanes, geometry: Geometry, placement: Placement) -> None:
    """Compare the frames' corners with those of the slices that they were put on."""
    axis, row_axis, column_axis = placement.axes
    ends = [_ends(n, flip) for n, flip in zip(planes.shape, placement.flips, strict=True)]
    expected = np.zeros((len(placement.slices), 4, 3))
    expected[:, :, axis] = placement.slices[:, None]
    for corner, (row, column) in enumerate(product(*ends)):
        expected[:, corner, row_axis] = row
        expected[:, corner, column_axis] = column
    apart_mm = (geometry.to_index(planes.corners_mm()) - expected) * geometry.spacing_mm
    turned_mm = float(np.abs(apart_mm - apart_mm[:, :1]).max(initial=0.0))
    if turned_mm > SAME_GRID_MM:
        raise GeometryMismatchError(
            f"the frames are turned or scaled against the image: by {turned_mm:.3f} mm at a corner"
        )
    shifted_mm = float(np.abs(apart_mm[..., [row_axis, column_axis]]).max(initial=0.0))
    if shifted_mm > PLACE_MM:
        raise GeometryMismatchError(
            f"the frames' pixels lie up to {shifted_mm:.3f} mm beside the image's"
        )


def _ends(n: int, is_flipped: bool) -> tuple[int, int]:
    return (n - 1, 0) if is_flipped else (0, n - 1)


def own_grid(planes: FramePlanes, *, max_voxels: int) -> Geometry:
    """Build the grid that the frames span by themselves, slices along the normal.

    Slices that have no frame are part of it.

    Raises
    ------
    InputError
        If the grid would have more than ``max_voxels`` (``size_claim``), or if a single plane comes
        without a slice distance (``no_orientation``).
    GeometryMismatchError
        If the planes are not evenly spaced or shifted against each other.
    """
    order = np.argsort(planes.distances_mm, kind="stable")
    distances_mm = planes.distances_mm[order]
    step_mm = _step_mm(distances_mm, planes.slice_step_mm)
    n_slices = round(float(distances_mm[-1] - distances_mm[0]) / step_mm) + 1
    if n_slices * planes.shape[0] * planes.shape[1] > max_voxels:
        raise InputError(
            f"the frames span {n_slices} slices of {planes.shape[0]} × {planes.shape[1]}: "
            f"more than the limit of {max_voxels} voxels",
            code="size_claim",
        )
    affine = np.eye(4)
    affine[:3, :3] = np.array(
        [planes.normal * step_mm, planes.row_step_mm, planes.column_step_mm]
    ).T
    affine[:3, 3] = planes.positions_mm[order[0]]
    geometry = Geometry((n_slices, *planes.shape), affine, planes.frame_of_reference_uid)
    place(planes, geometry)
    return geometry


def _step_mm(distances_mm: FloatArray, stated_mm: float | None) -> float:
    """Take the stated distance where all gaps are multiples of it, else the smallest gap.

    Either is stretched to fit the outer planes, so that no rounding adds up between them.
    """
    gaps_mm = np.diff(distances_mm)
    gaps_mm = gaps_mm[gaps_mm > SAME_GRID_MM]
    if stated_mm is None or not _divides(stated_mm, gaps_mm):
        if gaps_mm.size == 0:
            raise InputError(
                "a single plane without a slice distance has no volume", code="no_orientation"
            )
        stated_mm = float(gaps_mm.min())
    extent_mm = float(distances_mm[-1] - distances_mm[0])
    n_steps = round(extent_mm / stated_mm)
    return extent_mm / n_steps if n_steps else stated_mm


def _divides(step_mm: float, gaps_mm: FloatArray) -> bool:
    remainders_mm = np.abs(gaps_mm - np.rint(gaps_mm / step_mm) * step_mm)
    return bool(remainders_mm.max(initial=0.0) <= max(PLACE_MM, PLACE_SHARE * step_mm))
