"""What may be trusted in an image file: its orientation, its numbers, its labels. No file is read.

Index axes come in the file's own order here; nothing below depends on it.
"""

from itertools import product
from typing import Literal

import numpy as np

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import AnyArray, BoolArray, FloatArray, Geometry, LabelArray, LabelMap

AffineChoice = Literal["sform", "qform"]

LARGEST_CONFLICT_VOXELS = 0.1
"""Two orientations of one file agree where no corner voxel moves further than this."""

LARGEST_SHEAR = float(np.sin(np.deg2rad(0.1)))
"""Largest cosine between two axes: 0.1° from square, as for a tilted gantry."""

INTEGER_TOLERANCE = 1e-3
LARGEST_LABEL = int(np.iinfo(np.uint16).max)

_LARGEST_MM = 1e7
_SMALLEST_MM = 1e-5

_HINT_AFFINE = "look at both, then choose with --affine sform or --affine qform"


def judge_affines(
    sform: FloatArray | None,
    qform: FloatArray | None,
    shape: tuple[int, int, int],
    *,
    choice: AffineChoice | None = None,
    undeclared: dict[AffineChoice, FloatArray] | None = None,
) -> FloatArray:
    """Choose the affine of a file that may state two.

    Where both are there and agree, the sform is taken: it keeps more digits.

    Parameters
    ----------
    sform, qform : array, shape (4, 4), optional
        Indices to millimetres; None where the file does not declare it.
    shape : tuple of int
        Voxels along the affines' three columns.
    choice : {"sform", "qform"}, optional
        The user's decision, which counts where both are there or none is.
    undeclared : mapping, optional
        What the fields of a file hold that declares neither: used where the user chose it.

    Raises
    ------
    InputError
        ``no_orientation``, ``sheared`` or ``affine_conflict``.
    """
    declared: dict[AffineChoice, FloatArray] = {}
    if sform is not None and is_usable(sform):
        declared["sform"] = sform
    if qform is not None and is_usable(qform):
        declared["qform"] = qform
    if not declared and choice is not None and undeclared is not None:
        declared = {choice: undeclared[choice]} if is_usable(undeclared[choice]) else {}
    if not declared:
        raise InputError(
            "the file does not say where its voxels lie in the patient",
            code="no_orientation",
            hint="convert it again from its source, or choose with --affine sform or qform",
        )
    if choice in declared:
        declared = {choice: declared[choice]}
    affine = next(iter(declared.values()))
    require_square(affine)
    if len(declared) == 2:
        _require_agreement(declared["sform"], declared["qform"], shape)
    return affine


def grid_of_axes(
    shape: tuple[int, int, int], axes_mm: FloatArray, origin_mm: FloatArray
) -> Geometry:
    """Build the grid of a file that states one vector an axis, fastest axis first.

    Parameters
    ----------
    shape : tuple of int
        Voxels along ``(k, j, i)``.
    axes_mm : array, shape (3, 3)
        Columns: the steps along ``i, j, k`` in LPS millimetres.
    origin_mm : array, shape (3,)
        Centre of the first voxel in LPS millimetres.

    Raises
    ------
    InputError
        ``no_orientation`` or ``sheared``.
    """
    affine = np.eye(4)
    affine[:3, :3] = axes_mm[:, ::-1] + 0.0  # + 0.0: no negative zeros
    affine[:3, 3] = origin_mm + 0.0
    if not is_usable(affine):
        raise InputError(
            "the header's axes are not three finite vectors that span space",
            code="no_orientation",
            hint="convert it again from its source",
        )
    require_square(affine)
    return Geometry(shape, affine)


def is_usable(affine: FloatArray) -> bool:
    """Tell whether an affine spans space, with numbers that can be millimetres."""
    if not (np.abs(affine) < _LARGEST_MM).all():  # nor NaN
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.min() < _SMALLEST_MM:
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-6)


def require_square(affine: FloatArray) -> None:
    """Raise ``sheared`` where two axes are further than 0.1° from a right angle."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosine = float(np.abs(axes.T @ axes - np.eye(3)).max())
    if cosine > LARGEST_SHEAR:
        angle = np.rad2deg(np.arccos(min(cosine, 1.0)))
        raise InputError(
            f"two axes meet at {angle:.2f}°, not at a right angle: lengths and areas in the file's "
            "own slices would be wrong",
            code="sheared",
            hint="resample it to a square grid; --affine qform, where there is one, has no shear",
        )


def _require_agreement(sform: FloatArray, qform: FloatArray, shape: tuple[int, int, int]) -> None:
    ends = list(product(*[(0, n - 1) for n in shape]))
    corners = np.column_stack([ends, np.ones(8)]).T
    moved = (np.linalg.inv(sform) @ qform @ corners - corners)[:3]
    voxels = float(np.linalg.norm(moved, axis=0).max())
    if voxels > LARGEST_CONFLICT_VOXELS:
        raise InputError(
            f"sform and qform place a corner {voxels:.2f} voxels apart",
            code="affine_conflict",
            hint=_HINT_AFFINE,
        )


def invalid_voxels(array: AnyArray) -> tuple[BoolArray | None, tuple[Finding, ...]]:
    """Find voxels that hold NaN or infinity.

    Returns
    -------
    bool array of the same shape, or None where there are none
    tuple of Finding
        ``nan``, warned of.
    """
    if array.dtype.kind != "f" or all(np.isfinite(part).all() for part in array):
        return None, ()
    invalid: BoolArray = ~np.isfinite(array)
    n_invalid = int(np.count_nonzero(invalid))
    reason = f"{n_invalid} of {array.size} voxels are NaN or infinite: kept, left out of windows"
    return invalid, (Finding("nan", Outcome.WARNED, reason, "a lesion that holds one has no mean"),)


def to_labels(array: AnyArray) -> tuple[LabelArray, tuple[Finding, ...]]:
    """Turn the numbers of a mask into labels.

    Returns
    -------
    uint16 array of the same shape
    tuple of Finding
        ``mask_not_integer``, fixed, where numbers within 1e-3 of integers were rounded.

    Raises
    ------
    InputError
        ``mask_not_integer`` where a number is further from an integer, NaN, below 0 or above 65535.
    """
    labels = np.empty(array.shape, np.uint16)
    furthest = 0.0
    for part, target in zip(array, labels, strict=True):
        rounded = np.rint(part) if part.dtype.kind == "f" else part
        if part.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                furthest = max(furthest, _or_one(float(np.abs(part - rounded).max())))
        _require_labels(rounded, furthest)
        target[...] = rounded
    if furthest == 0.0:
        return labels, ()
    reason = f"numbers up to {furthest:.2g} away from integers were rounded"
    return labels, (Finding("mask_not_integer", Outcome.FIXED, reason),)


def _or_one(distance: float) -> float:
    return distance if np.isfinite(distance) else 1.0


def _require_labels(rounded: AnyArray, furthest: float) -> None:
    if furthest > INTEGER_TOLERANCE:
        raise InputError(
            f"a mask holds whole numbers, this one a number {furthest:.3g} away from any",
            code="mask_not_integer",
            hint="export it as a label map; a probability map needs a threshold first",
        )
    lowest, highest = rounded.min(), rounded.max()
    if lowest < 0 or highest > LARGEST_LABEL:
        raise InputError(
            f"a mask holds labels from 0 to {LARGEST_LABEL}, this one {lowest:g} to {highest:g}",
            code="mask_not_integer",
            hint="renumber the labels",
        )


def label_map_on(label_map: LabelMap, geometry: Geometry) -> tuple[LabelMap, tuple[Finding, ...]]:
    """Bring a label map onto an image's grid, where that takes no resampling.

    Returns
    -------
    LabelMap
        On ``geometry`` itself, so that both share one grid to the last bit.
    tuple of Finding
        ``grid_mismatch``, fixed, where the axes were listed in another order.

    Raises
    ------
    GeometryMismatchError
        Where the two hold other voxels.
    """
    if geometry.is_same_grid(label_map.geometry):
        return LabelMap(label_map.array, geometry, label_map.labels), ()
    order = geometry.order_of(label_map.geometry)
    if order is None:
        raise GeometryMismatchError(
            _difference(label_map.geometry, geometry),
            hint="resample the mask to its image, with nearest neighbours",
        )
    turned = np.ascontiguousarray(order.apply(label_map.array))
    reason = "the mask lists the image's voxels in another axis order: it was turned"
    finding = Finding("grid_mismatch", Outcome.FIXED, reason)
    return LabelMap(turned, geometry, label_map.labels), (finding,)


def _difference(mask: Geometry, image: Geometry) -> str:
    if sorted(mask.shape) != sorted(image.shape):
        return f"the mask has {_times(mask.shape)} voxels, the image {_times(image.shape)}"
    if mask.shape != image.shape:
        return f"the mask's {_times(mask.shape)} voxels are not the image's in another order"
    apart_mm = image.largest_corner_distance_mm(mask)
    return f"corners of mask and image lie up to {apart_mm:.3f} mm apart"


def _times(shape: tuple[int, int, int]) -> str:
    return " × ".join(str(n) for n in shape)
