"""The rules themselves but one: what each takes away, and why (M4, A4)."""

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lesionary.annotate.clean_up.drawn import (
    ROUNDING_MM,
    Drawn,
    Labels,
    Removed,
    RuleError,
    Skipped,
    has_voxels_in,
    missing,
)
from lesionary.core.components import Components, components
from lesionary.core.volume import BoolArray, FloatArray, Geometry, Quantity, Volume


class Rule(Protocol):
    """What every rule is: a frozen record of its parameters that can be applied.

    ``labels`` names what it is about, by value or text; none means all. Other labels stay as they
    are. ``readers`` says whether it may touch what a reader drew or affirmed.
    """

    name: ClassVar[str]

    @property
    def labels(self) -> Labels:
        """What the rule is about."""
        ...

    @property
    def readers(self) -> bool:
        """Whether it touches readers' work."""
        ...

    def removed(self, drawn: Drawn) -> Removed | Skipped:
        """Return what is taken away; nothing is changed."""
        ...


def _require_range(low: float | None, high: float | None, unit: str) -> None:
    if low is None and high is None:
        raise RuleError(f"low_{unit}", f"should be given, or `high_{unit}`")
    for key, bound in ((f"low_{unit}", low), (f"high_{unit}", high)):
        if bound is not None and not isfinite(bound):
            raise RuleError(key, f"should be a finite number, not {bound!r}")
    if low is not None and high is not None and low > high:
        raise RuleError(f"low_{unit}", f"should not be above `high_{unit}`: {low:g} > {high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """Remove what is too dark or too bright to be tumour, such as air and bone (M4).

    A voxel goes where its intensity is strictly below ``low_hu`` or above ``high_hu``. With
    ``keep_enclosed`` a 26-connected pocket of such voxels stays where none of them touches, by
    face, edge or corner, a voxel outside the labels that the rule is about: gas and calcification
    in a tumour's middle belong to it. The image's border counts as outside, and so does a hole
    that was left undrawn. Voxels without a measurement (NaN, infinite, padding) stay.

    An image that is known to hold something else than HU is skipped.
    """

    name: ClassVar[str] = "intensity"
    low_hu: float | None = None
    high_hu: float | None = None
    keep_enclosed: bool = True
    labels: Labels = ()
    readers: bool = False

    def __post_init__(self) -> None:
        _require_range(self.low_hu, self.high_hu, "hu")

    def removed(self, drawn: Drawn) -> Removed | Skipped:
        """Return the voxels out of bounds that are not enclosed."""
        image = drawn.context.image
        if image is None:
            raise missing(self.name, "the image", "name it with --image")
        if not _may_hold_hu(image):
            return Skipped(f"the image is {image.modality} in {image.quantity.value}, not in HU")
        inside = drawn.union[drawn.box]
        gone = inside & self._is_out_of_bounds(image.cropped(drawn.box))
        return drawn.cut(_open_pockets(gone, inside) if self.keep_enclosed else gone, drawn.box)

    def _is_out_of_bounds(self, image: Volume) -> BoolArray:
        is_out = np.zeros(image.array.shape, dtype=np.bool_)
        if self.low_hu is not None:
            is_out |= image.array < self.low_hu
        if self.high_hu is not None:
            is_out |= image.array > self.high_hu
        if image.array.dtype.kind == "f":
            is_out &= np.isfinite(image.array)
        if image.invalid is not None:
            is_out &= ~image.invalid
        return is_out


def _may_hold_hu(image: Volume) -> bool:
    """Tell whether an image is in HU, or a file that says neither modality nor quantity."""
    is_unknown = image.quantity is Quantity.ARBITRARY and image.modality in {"CT", "OT"}
    return image.quantity is Quantity.HU or is_unknown


def _open_pockets(gone: BoolArray, inside: BoolArray) -> BoolArray:
    """Return those 26-connected pieces of ``gone`` that touch what is not ``inside``."""
    pockets = components(gone)
    is_open = has_voxels_in(pockets, gone & ~_interior(inside))
    opened: BoolArray = pockets.painted(is_open) != 0
    return opened


def _interior(inside: BoolArray) -> BoolArray:
    """Return the voxels whose 26 neighbours are all inside; beyond the array nothing is."""
    interior = inside
    for axis in range(3):
        along = np.moveaxis(interior, axis, 0)
        interior = np.zeros_like(inside)
        np.moveaxis(interior, axis, 0)[1:-1] = along[:-2] & along[1:-1] & along[2:]
    return interior


@dataclass(frozen=True, slots=True, kw_only=True)
class Diameter:
    """Remove components whose largest axial diameter is out of a range (A4: 3 to 30 mm).

    Components are 26-connected pieces of one label; the diameter is measured edge to edge. Both
    bounds belong to the range.
    """

    name: ClassVar[str] = "diameter"
    low_mm: float | None = None
    high_mm: float | None = None
    labels: Labels = ()
    readers: bool = False

    def __post_init__(self) -> None:
        _require_range(self.low_mm, self.high_mm, "mm")

    def removed(self, drawn: Drawn) -> Removed:
        """Return the components that are too small or too large."""
        diameter_mm = drawn.context.diameter_mm
        if diameter_mm is None:
            raise missing(self.name, "a way to measure diameters", "give one in the context")
        low_mm = 0.0 if self.low_mm is None else self.low_mm - ROUNDING_MM
        high_mm = np.inf if self.high_mm is None else self.high_mm + ROUNDING_MM
        kept = tuple(np.ones_like(chosen) for chosen in drawn.chosen)
        for found, chosen, keeps in zip(drawn.found, drawn.chosen, kept, strict=True):
            for number in np.flatnonzero(chosen).tolist():
                keeps[number] = low_mm <= diameter_mm(found[number], drawn.geometry) <= high_mm
        return drawn.without(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinVoxels:
    """Remove crumbs: 26-connected pieces of one label of fewer than ``voxels`` voxels.

    A label's only piece goes too.
    """

    name: ClassVar[str] = "min_voxels"
    voxels: int
    labels: Labels = ()
    readers: bool = False

    def __post_init__(self) -> None:
        if self.voxels < 1:
            raise RuleError("voxels", f"should be at least 1, not {self.voxels}")

    def removed(self, drawn: Drawn) -> Removed:
        """Return the crumbs."""
        return drawn.without(tuple(found.voxels >= self.voxels for found in drawn.found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Largest:
    """Keep the ``n`` largest pieces of all its labels taken together (A4).

    Labels that touch are one piece: of kidney, tumour and cyst two pieces are the two kidneys,
    each with what grows in it. Pieces are 26-connected. Of equals the one whose first voxel comes
    first in ``(k, j, i)`` order stays.
    """

    name: ClassVar[str] = "largest"
    n: int = 1
    labels: Labels = ()
    readers: bool = False

    def __post_init__(self) -> None:
        if self.n < 1:
            raise RuleError("n", f"should be at least 1, not {self.n}")

    def removed(self, drawn: Drawn) -> Removed:
        """Return every piece but the largest."""
        pieces = components(drawn.union)
        return _all_but(pieces.by_volume[: self.n], pieces, drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Centremost:
    """Keep the one large piece nearest the image's centre (A4: the prostate).

    Large are the pieces of all its labels taken together, 26-connected, that have at least
    ``min_share`` of the largest one's voxels. Of these the one stays whose centroid is nearest the
    image's centre in the axial plane, in mm; along the patient all are equally near. Ties go to
    the larger, then to the one whose first voxel comes first in ``(k, j, i)`` order.
    """

    name: ClassVar[str] = "centremost"
    min_share: float = 0.5
    labels: Labels = ()
    readers: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.min_share <= 1:
            raise RuleError("min_share", f"should be above 0 and at most 1, not {self.min_share}")

    def removed(self, drawn: Drawn) -> Removed:
        """Return every piece but the one in the middle."""
        pieces = components(drawn.union)
        is_small = pieces.voxels < self.min_share * pieces.voxels.max() * (1 - 1e-12)
        distances_mm = np.where(is_small, np.inf, _distances_from_centre_mm(pieces, drawn.geometry))
        order = np.lexsort((-pieces.voxels, np.round(distances_mm, 6)))
        return _all_but(order[:1], pieces, drawn)


def _distances_from_centre_mm(pieces: Components, geometry: Geometry) -> FloatArray:
    """Return how far each piece's centroid lies from the image's centre in the axial plane.

    Sums of indices are whole numbers, so mirrored pieces are equally far to the last bit.
    """
    runs = pieces.runs.astype(np.int64)
    n_voxels = runs[:, 2] - runs[:, 1]
    k, j = np.divmod(runs[:, 0], pieces.shape[1])
    twice = np.stack([2 * k * n_voxels, 2 * j * n_voxels, (runs[:, 1] + runs[:, 2] - 1) * n_voxels])
    sums = np.add.reduceat(twice, pieces.begins[:-1], axis=1)
    squares = np.zeros(len(pieces))
    for axis in {0, 1, 2} - {geometry.superior_axis}:
        off_centre = sums[axis] - (pieces.shape[axis] - 1) * pieces.voxels
        squares += (off_centre / (2 * pieces.voxels) * geometry.spacing_mm[axis]) ** 2
    distances: FloatArray = np.sqrt(squares)
    return distances


def _all_but(kept: NDArray[np.int64], pieces: Components, drawn: Drawn) -> Removed:
    is_gone = np.ones(len(pieces), dtype=np.uint16)
    is_gone[kept] = 0
    return drawn.cut(pieces.painted(is_gone)[drawn.box] != 0, drawn.box)
