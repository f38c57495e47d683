"""The one image type: a grid in patient space, and what lies on it.

Conventions, everywhere in Lesionary (``docs/explanation/geometry.md`` tells why):

- Arrays are indexed ``(k, j, i)`` = slice, row, column, and indices name voxel *centres*.
- World coordinates are DICOM's LPS (x to the patient's Left, y Posterior, z Superior), in mm.
- ``affine`` maps ``(k, j, i, 1)`` to ``(x, y, z, 1)`` in float64. Origin, spacing and direction are
  read from it, so they cannot disagree with it.
- Nothing is mutable: arrays are read-only views, changed copies come from ``with_array``.

``k`` need not run along the patient: a NIfTI may be stored in any axis order, and the array keeps
the file's. Whoever needs slices across the patient asks :attr:`Geometry.superior_axis`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import GeometryMismatchError, InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LabelArray = NDArray[np.uint16]
AnyArray = NDArray[Any]

SAME_GRID_MM = 1e-3
"""Two grids are the same where no corner lies further apart than this."""

Box = tuple[slice, slice, slice]
"""Half-open index ranges along ``(k, j, i)``."""


class Quantity(StrEnum):
    """What a voxel's number means."""

    HU = "hu"
    BQML = "bqml"
    SUVBW = "suvbw"
    COUNTS = "counts"
    ARBITRARY = "arbitrary"


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A regular grid of voxel centres in patient space.

    Parameters
    ----------
    shape : tuple of int
        Voxels along ``(k, j, i)``, each at least 1.
    affine : array, shape (4, 4)
        ``(k, j, i, 1)`` to LPS millimetres. Kept as read-only float64.
    frame_of_reference_uid : str, optional
        Two grids in different known frames are never the same grid.

    Raises
    ------
    InputError
        If the affine is not finite, is singular, or the shape is not three positive numbers.
    """

    shape: tuple[int, int, int]
    affine: FloatArray
    frame_of_reference_uid: str | None = None

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(f"a grid needs three positive sizes, not {shape}", code="not_3d")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise InputError("the affine is not a finite 4 × 4 matrix", code="no_orientation")
        if not np.array_equal(affine[3], [0, 0, 0, 1]):
            raise InputError("the affine's last row is not 0 0 0 1", code="no_orientation")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise InputError("the affine is singular: an axis has no length", code="no_orientation")
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along ``(k, j, i)``."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def directions(self) -> FloatArray:
        """Unit vectors of the axes ``k, j, i`` in LPS, as the columns of a 3 × 3 array."""
        matrix: FloatArray = self.affine[:3, :3] / np.array(self.spacing_mm)
        return matrix

    @property
    def n_voxels(self) -> int:
        """Number of voxels of the grid."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def superior_axis(self) -> int:
        """Array axis nearest to patient-superior: its slices are the nearest to axial.

        Ties go to the first axis.
        """
        return int(np.argmax(np.round(np.abs(self.directions[2]), 9)))

    def to_world(self, indices: AnyArray) -> FloatArray:
        """Map indices, shape (..., 3) in ``(k, j, i)``, to LPS millimetres, shape (..., 3)."""
        points: FloatArray = np.asarray(indices, dtype=np.float64) @ self.affine[:3, :3].T
        return points + self.affine[:3, 3]

    def to_index(self, points_mm: AnyArray) -> FloatArray:
        """Map LPS millimetres, shape (..., 3), to fractional ``(k, j, i)``, shape (..., 3)."""
        inverse = np.linalg.inv(self.affine[:3, :3])
        offsets: FloatArray = np.asarray(points_mm, dtype=np.float64) - self.affine[:3, 3]
        return offsets @ inverse.T

    def corners_mm(self) -> FloatArray:
        """Centres of the eight corner voxels in LPS millimetres, shape (8, 3)."""
        ends = [(0, n - 1) for n in self.shape]
        return self.to_world(np.array(list(product(*ends))))

    def largest_corner_distance_mm(self, other: "Geometry") -> float:
        """Largest distance between corresponding corners: a small rotation moves them most."""
        distances = np.linalg.norm(self.corners_mm() - other.corners_mm(), axis=1)
        return float(distances.max())

    def is_same_grid(self, other: "Geometry", *, atol_mm: float = SAME_GRID_MM) -> bool:
        """Tell whether ``other`` is this grid in this frame of reference (an unknown one fits)."""
        return (
            self.shape == other.shape
            and self._fits_frame(other)
            and self.largest_corner_distance_mm(other) <= atol_mm
        )

    def require_same_grid(self, other: "Geometry", *, atol_mm: float = SAME_GRID_MM) -> None:
        """Raise :class:`GeometryMismatchError` unless ``other`` is the same grid and frame."""
        if self.shape != other.shape:
            raise GeometryMismatchError(f"{self.shape} voxels against {other.shape}")
        if not self._fits_frame(other):
            raise GeometryMismatchError("the two lie in different frames of reference")
        distance_mm = self.largest_corner_distance_mm(other)
        if distance_mm > atol_mm:
            raise GeometryMismatchError(f"corners lie up to {distance_mm:.3f} mm apart")

    def _fits_frame(self, other: "Geometry") -> bool:
        mine, theirs = self.frame_of_reference_uid, other.frame_of_reference_uid
        return mine is None or theirs is None or mine == theirs

    def without_frame(self) -> "Geometry":
        """Return the same grid without the name of its frame of reference."""
        return Geometry(self.shape, self.affine)

    def cropped(self, box: Box) -> "Geometry":
        """Return the grid of ``array[box]``; the box's steps must be 1 and its bounds inside."""
        starts = [r.start for r in box]
        shape = tuple(r.stop - r.start for r in box)
        affine = self.affine.copy()
        affine[:3, 3] = self.to_world(np.array(starts))
        return Geometry((shape[0], shape[1], shape[2]), affine, self.frame_of_reference_uid)

    def reordered(self, order: "AxisOrder") -> "Geometry":
        """Return the grid of ``order.apply(array)``: the same points, listed in another order."""
        turn = np.zeros((4, 4))
        turn[3, 3] = 1.0
        for new, (old, is_flipped) in enumerate(zip(order.axes, order.flips, strict=True)):
            turn[old, new] = -1.0 if is_flipped else 1.0
            if is_flipped:
                turn[old, 3] = self.shape[old] - 1
        shape = tuple(self.shape[old] for old in order.axes)
        return Geometry(
            (shape[0], shape[1], shape[2]), self.affine @ turn, self.frame_of_reference_uid
        )

    def order_of(self, other: "Geometry", *, atol_mm: float = SAME_GRID_MM) -> "AxisOrder | None":
        """Find the signed permutation that turns ``other`` into this grid, or None."""
        for order in AxisOrder.all():
            if tuple(other.shape[old] for old in order.axes) != self.shape:
                continue
            if self.is_same_grid(other.reordered(order), atol_mm=atol_mm):
                return order
        return None


@dataclass(frozen=True, slots=True)
class AxisOrder:
    """One of the 48 ways to list the voxels of a grid: an axis permutation with flips.

    ``axes[new]`` is the old axis that becomes axis ``new``; ``flips[new]`` says if it is turned.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @staticmethod
    def all() -> "tuple[AxisOrder, ...]":
        """Return all 48, identity first."""
        return tuple(
            AxisOrder((a, b, c), (flip_a, flip_b, flip_c))
            for a, b, c in permutations((0, 1, 2))
            for flip_a, flip_b, flip_c in product((False, True), repeat=3)
        )

    def apply(self, array: AnyArray) -> AnyArray:
        """Return a view of ``array`` in this order."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return array.transpose(self.axes)[steps]


def read_only(array: AnyArray) -> AnyArray:
    """Return a read-only view, so that no caller can change what others share."""
    view = array.view()
    view.setflags(write=False)
    return view


def _require_shape(array: AnyArray, geometry: Geometry) -> None:
    if array.shape != geometry.shape:
        raise GeometryMismatchError(f"an array of {array.shape} on a grid of {geometry.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Intensities on a grid.

    Parameters
    ----------
    array : array, shape (slices, rows, columns)
        Any real number type; read-only from here on.
    geometry : Geometry
        Where the voxels lie.
    modality : str
        DICOM's Modality: ``CT``, ``MR``, ``PT``; ``OT`` where unknown.
    quantity : Quantity
        What the numbers mean.
    invalid : bool array of the same shape, optional
        Voxels that hold no measurement (CT padding, NaN). They stay in the array but out of
        windows, and a lesion that holds one has no mean intensity.
    """

    array: AnyArray
    geometry: Geometry
    modality: str = "OT"
    quantity: Quantity = Quantity.ARBITRARY
    invalid: BoolArray | None = None

    def __post_init__(self) -> None:
        _require_shape(self.array, self.geometry)
        object.__setattr__(self, "array", read_only(self.array))
        if self.invalid is not None:
            _require_shape(self.invalid, self.geometry)
            object.__setattr__(self, "invalid", read_only(self.invalid))

    def with_array(self, array: AnyArray, *, quantity: Quantity | None = None) -> "Volume":
        """Return the same grid with other numbers."""
        return replace(self, array=array, quantity=quantity or self.quantity)

    def cropped(self, box: Box) -> "Volume":
        """Return the part inside ``box``."""
        return replace(
            self,
            array=self.array[box],
            geometry=self.geometry.cropped(box),
            invalid=None if self.invalid is None else self.invalid[box],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """One object on a grid: a bool array, shape (slices, rows, columns)."""

    array: BoolArray
    geometry: Geometry

    def __post_init__(self) -> None:
        _require_shape(self.array, self.geometry)
        if self.array.dtype != np.bool_:
            raise InputError(f"a mask is bool, not {self.array.dtype}", code="mask_not_integer")
        object.__setattr__(self, "array", read_only(self.array))

    @property
    def n_voxels(self) -> int:
        """Number of voxels inside."""
        return int(np.count_nonzero(self.array))

    def with_array(self, array: BoolArray) -> "Mask":
        """Return another object on the same grid."""
        return replace(self, array=array)


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Several objects on a grid that do not overlap.

    Parameters
    ----------
    array : uint16 array, shape (slices, rows, columns)
        0 is background.
    geometry : Geometry
        Where the voxels lie.
    labels : mapping of int to str
        The text of each value, such as ``m,liver``; values without text are known by their number.
    """

    array: LabelArray
    geometry: Geometry
    labels: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_shape(self.array, self.geometry)
        if self.array.dtype != np.uint16:
            raise InputError(
                f"a label map is uint16, not {self.array.dtype}", code="mask_not_integer"
            )
        object.__setattr__(self, "array", read_only(self.array))

    def mask_of(self, value: int) -> Mask:
        """Return the voxels that hold ``value``."""
        return Mask(self.array == np.uint16(value), self.geometry)

    def with_array(self, array: LabelArray) -> "LabelMap":
        """Return other values on the same grid, with the same texts."""
        return replace(self, array=array)
