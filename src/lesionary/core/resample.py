"""Bring an image onto another grid: the CT of a PET onto the PET's, say (A3).

Positions follow voxel centres, so grids of different spacing keep their places: the centre of the
first voxel of a grid twice as coarse lies between two voxels of the finer one, not on its first.
A voxel reaches half its spacing around its centre; beyond the outermost centres, but within their
voxels, their value holds on. This is what ITK does.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import (
    AnyArray,
    BoolArray,
    FloatArray,
    Geometry,
    LabelMap,
    Volume,
    read_only,
)

Order = Literal["trilinear", "nearest"]
"""How a value between voxel centres is found."""

PARALLEL_VOXELS = 1e-5
"""Axes are parallel where, at every corner, treating them so moves no point by more than this."""


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Where the voxels of a grid lie in the index space of another.

    Voxel ``n`` lies at ``start + steps @ n``. ``axes[a]`` is the new axis that runs along axis
    ``a`` of the image; None where some axis runs along none.
    """

    start: FloatArray
    steps: FloatArray
    axes: tuple[int, int, int] | None


def resample(
    volume: Volume,
    onto: Geometry,
    *,
    fill: float,
    order: Order = "trilinear",
    mark_outside: bool = True,
) -> Volume:
    """Sample a volume at the voxel centres of another grid.

    Parameters
    ----------
    volume : Volume
        Any real number type.
    onto : Geometry
        Any pose and spacing.
    fill : float
        Value of voxels that lie outside the volume, such as -1000 for CT in HU.
    order : {"trilinear", "nearest"}
        Nothing is averaged beyond the eight neighbours: onto a much coarser grid, fine detail
        aliases.
    mark_outside : bool
        Mark voxels outside the volume invalid: nothing was measured there.

    Returns
    -------
    Volume
        On ``onto``, with the number type that came in. Whole numbers are rounded, halves to even.
        A voxel is invalid where a voxel that has a weight in it is, or where it lies outside (then
        also without ``mark_outside``, if the volume has invalid voxels of its own).

    Raises
    ------
    GeometryMismatchError
        If the two lie in different frames of reference.
    InputError
        If the order is none of the two, the numbers are not real, or ``fill`` is no number of
        the volume's type.

    Examples
    --------
    >>> fine = Geometry((1, 1, 4), np.eye(4)[[2, 1, 0, 3]])
    >>> coarse = Geometry((1, 1, 2), [[0, 0, 2, 0.5], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    >>> row = Volume(np.array([[[0, 10, 20, 40]]], dtype=np.int16), fine)
    >>> resample(row, coarse, fill=-1000).array.tolist()
    [[[5, 30]]]
    """
    if order not in {"trilinear", "nearest"}:
        raise InputError(f"the order is trilinear or nearest, not {order!r}", code="usage")
    path = _path(volume.geometry, onto)
    array = _sampled(volume.array, path, onto.shape, fill, is_nearest=order == "nearest")
    invalid = None
    if mark_outside or volume.invalid is not None:
        invalid = _touched(volume, path, onto.shape, is_nearest=order == "nearest")
    return replace(volume, array=array, geometry=onto, invalid=invalid)


def resample_labels(label_map: LabelMap, onto: Geometry) -> LabelMap:
    """Give every voxel of another grid the label of the voxel it lies in; 0 outside.

    Raises
    ------
    GeometryMismatchError
        If the two lie in different frames of reference.
    """
    path = _path(label_map.geometry, onto)
    array = _sampled(label_map.array, path, onto.shape, 0, is_nearest=True)
    return replace(label_map, array=array, geometry=onto)


def _path(image: Geometry, onto: Geometry) -> _Path:
    """Find where the voxels of ``onto`` lie, and whether its axes run along the image's."""
    frames = {image.frame_of_reference_uid, onto.frame_of_reference_uid} - {None}
    if len(frames) > 1:
        raise GeometryMismatchError("the two lie in different frames of reference")
    affine: FloatArray = np.linalg.inv(image.affine) @ onto.affine
    steps, start = affine[:3, :3], affine[:3, 3]
    moved = np.abs(steps) * (np.array(onto.shape) - 1)  # voxels from one end to the other
    axes = np.abs(steps).argmax(axis=1)
    others = moved.copy()
    others[np.arange(3), axes] = 0
    is_parallel = len(set(axes.tolist())) == 3 and others.sum(axis=1).max() < PARALLEL_VOXELS
    k, j, i = axes.tolist()
    axes_or_none = (k, j, i) if is_parallel else None
    return _Path(np.ascontiguousarray(start), np.ascontiguousarray(steps), axes_or_none)


def _tables(
    path: _Path, size: tuple[int, ...], shape: tuple[int, ...], *, is_nearest: bool
) -> tuple[Any, Any]:
    """Return offsets and weights along each new axis."""
    from lesionary.core._resample_kernels import axis_table

    strides = (size[1] * size[2], size[2], 1)
    tables: list[Any] = [None, None, None]
    for axis, new in enumerate(path.axes or ()):
        start, step = float(path.start[axis]), float(path.steps[axis, new])
        tables[new] = axis_table(start, step, shape[new], size[axis], strides[axis], is_nearest)
    return tuple(offsets for offsets, _ in tables), tuple(weights for _, weights in tables)


def _sampled(
    array: AnyArray, path: _Path, shape: tuple[int, int, int], fill: float, *, is_nearest: bool
) -> AnyArray:
    from lesionary.core import _resample_kernels as kernels

    source = _native(array)
    is_whole = source.dtype.kind != "f"
    value = _fill_of(source.dtype, fill)
    out = np.empty(shape, dtype=source.dtype)
    if path.axes is None:
        kind = (is_whole, is_nearest)
        kernels.sample_oblique(source, path.start, path.steps, value, kind, out)
        return out
    offsets, weights = _tables(path, source.shape, shape, is_nearest=is_nearest)
    if is_nearest:
        kernels.pick_parallel(source.reshape(-1), offsets, value, out)
    elif path.axes[2] == 2:
        is_short = source.dtype.kind != "f" and source.dtype.itemsize <= 2
        mixed = np.empty(source.shape[2], dtype=np.float32 if is_short else np.float64)
        kernels.sample_rows(source.reshape(-1), offsets, weights, value, is_whole, mixed, out)
    else:
        kernels.sample_parallel(source.reshape(-1), offsets, weights, value, is_whole, out)
    return out


def _touched(
    volume: Volume, path: _Path, shape: tuple[int, int, int], *, is_nearest: bool
) -> BoolArray | None:
    """Mark voxels without a measurement; None where all have one."""
    from lesionary.core import _resample_kernels as kernels

    size = volume.geometry.shape
    if volume.invalid is None and _lies_inside(path, size, shape):
        return None
    invalid = np.zeros((0, 0, 0), dtype=np.bool_) if volume.invalid is None else volume.invalid
    invalid = _native(invalid)
    out = np.empty(shape, dtype=np.bool_)
    if path.axes is None:
        kernels.touch_oblique(invalid, size, path.start, path.steps, is_nearest, out)
    else:
        offsets, _ = _tables(path, size, shape, is_nearest=is_nearest)
        kernels.touch_parallel(invalid.reshape(-1), offsets, out)
    return out if out.any() else None


def _lies_inside(path: _Path, size: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Tell whether the whole new grid lies within the image: a box does where its corners do."""
    ends = np.array(np.meshgrid(*([0, n - 1] for n in shape))).reshape(3, -1)
    corners = path.start[:, None] + path.steps @ ends
    return bool((corners >= -0.5).all() and (corners < np.array(size)[:, None] - 0.5).all())


def _native(array: AnyArray) -> AnyArray:
    """Return the array in C order and the machine's byte order, read-only."""
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise InputError(f"only real numbers are resampled, not {array.dtype}")
    return read_only(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")))


def _fill_of(dtype: np.dtype[Any], fill: float) -> Any:
    """Return ``fill`` as a number of that type, or say that it is none."""
    if dtype.kind == "f":
        return dtype.type(fill)
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if not (limits[0] <= fill <= limits[1] and float(fill).is_integer()):
        raise InputError(
            f"{fill} cannot fill a volume of {dtype}",
            code="usage",
            hint=f"give a whole number from {limits[0]} to {limits[1]}",
        )
    return dtype.type(fill)
