"""The pixel hash: one name for one set of voxels, however a file lists and stores them.

A scan that was exported twice has other UIDs, another file format, another number type, another
axis order – and the same voxels. The hash is taken of the canonical reading of those:

- axes reordered and flipped, never resampled, so that ``(k, j, i)`` run nearest to the patient's
  superior, posterior and left;
- every slab of slices in the smallest little-endian type that holds it exactly, of int16, int32,
  float32 and float64; one NaN for all, and no negative zero;
- with the shape, without origin, spacing and frame of reference.

So a scan that was cropped, resampled, windowed or rounded is another scan here.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import AnyArray, AxisOrder, FloatArray

SLAB_VOXELS = 1 << 21
"""A slab is as many whole slices as fit, at least one. Part of the hash's definition."""

TIE = 1e-4
"""Two ways to list oblique axes are equally near where their cosines differ by less.

Wide enough for what float32 and decimal text make of one and the same tilt.
"""

_VERSION = b"lesionary pixels 1"
_CANONICAL = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
_INTEGERS = (np.dtype("<i2"), np.dtype("<i4"))
_EXACT_IN_FLOAT64 = 2**53


def pixel_hash(array: AnyArray, affine: FloatArray) -> str:
    """Return the hash of a scan's voxels, 64 hexadecimal digits.

    Parameters
    ----------
    array : array, shape (slices, rows, columns)
        Real numbers of any type, in any axis order.
    affine : array, shape (4, 4)
        ``(k, j, i, 1)`` to LPS millimetres; only the directions of its axes are looked at.

    Returns
    -------
    str
        SHA-256; equal for every axis order and number type of the same voxels.

    Raises
    ------
    InputError
        If the array is not three-dimensional, or holds no real numbers.

    Examples
    --------
    >>> scan = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    >>> affine = np.diag([3.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    >>> turned = affine @ np.array([[0, 0, -1, 1], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    >>> as_stored_elsewhere = scan.transpose(2, 1, 0)[:, :, ::-1].astype(np.float32)
    >>> pixel_hash(scan, affine) == pixel_hash(as_stored_elsewhere, turned)
    True
    """
    if array.ndim != 3:
        raise InputError(f"a scan has three axes, not {array.ndim}", code="not_3d")
    if array.dtype.kind not in "biuf":
        raise InputError(f"voxels are real numbers, not {array.dtype}", code="not_numbers")
    listed = canonical_order(affine).apply(array)
    state = hashlib.sha256(_VERSION)
    state.update(np.array(listed.shape, dtype="<u8").tobytes())
    for slab in _slabs(listed):
        encoded = _smallest_exact(slab)
        state.update(encoded.dtype.str.encode())
        state.update(np.ascontiguousarray(encoded).reshape(-1).view(np.uint8).data)
    return state.hexdigest()


def canonical_order(affine: FloatArray) -> AxisOrder:
    """Return the way to list a grid that runs nearest to superior, posterior and left.

    The same points get the same listing from each of their 48 orders. Where several are equally
    near, within :data:`TIE`, the one wins whose axes point furthest to superior, then to posterior,
    then to left, asked axis by axis: a rule about the patient, not about the file.

    Parameters
    ----------
    affine : array, shape (4, 4)
        ``(k, j, i, 1)`` to LPS millimetres, invertible.
    """
    matrix = np.asarray(affine, dtype=np.float64)[:3, :3]
    directions = matrix / np.linalg.norm(matrix, axis=0)
    orders = AxisOrder.all()
    turned = np.array(
        [directions[:, order.axes] * np.where(order.flips, -1.0, 1.0) for order in orders]
    )
    nearness = np.einsum("nwa,wa->n", turned, _CANONICAL)
    # Columns are axes k, j, i and rows x, y, z: superior first means rows from the last.
    cosines = turned[:, ::-1, :].transpose(0, 2, 1).reshape(len(orders), 9)
    kept = np.arange(len(orders))
    for criterion in (nearness, *cosines.T):
        values = criterion[kept]
        kept = kept[values > values.max() - TIE]
    return orders[int(kept[0])]


def _slabs(listed: AnyArray) -> Iterator[AnyArray]:
    """Yield the scan in slabs of whole slices, a contiguous few megabytes each."""
    _, n_rows, n_columns = listed.shape
    n_slices = max(1, SLAB_VOXELS // max(1, n_rows * n_columns))
    for first in range(0, len(listed), n_slices):
        yield np.ascontiguousarray(listed[first : first + n_slices])


def _smallest_exact(slab: AnyArray) -> AnyArray:
    """Return the slab in the first canonical type that holds every number of it exactly."""
    if slab.dtype.kind == "b":
        slab = slab.view(np.uint8)
    if slab.dtype.kind in "iu":
        return _smallest_integer(slab)
    if slab.dtype == np.float16:
        slab = slab.astype(np.float32)
    low, high = float(slab.min()), float(slab.max())  # NaN if one voxel is
    for dtype in _INTEGERS:
        if _fits(low, high, dtype):
            whole = slab.astype(dtype)
            if np.array_equal(whole, slab):
                return whole
            break
    return _smallest_float(slab)


def _smallest_integer(slab: AnyArray) -> AnyArray:
    if slab.dtype.itemsize == 2 and slab.dtype.kind == "i":
        return slab.astype(_INTEGERS[0], copy=False)
    low, high = int(slab.min()), int(slab.max())
    for dtype in _INTEGERS:
        if _fits(low, high, dtype):
            return slab.astype(dtype, copy=False)
    if max(-low, high) > _EXACT_IN_FLOAT64:  # no float type of a file holds such numbers
        return slab.astype(slab.dtype.newbyteorder("<"), copy=False)
    return _smallest_float(slab.astype(np.float64))


def _smallest_float(slab: AnyArray) -> AnyArray:
    is_nan = np.isnan(slab)
    if slab.dtype != np.dtype("<f4"):
        with np.errstate(over="ignore", invalid="ignore"):
            single = slab.astype("<f4")
        is_single = np.all((single == slab) | is_nan)
        slab = single if is_single else slab.astype("<f8")
    canonical: AnyArray = slab + slab.dtype.type(0)  # -0.0 + 0.0 is 0.0
    canonical[is_nan] = np.nan
    return canonical


def _fits(low: float, high: float, dtype: np.dtype[np.signedinteger]) -> bool:
    bounds = np.iinfo(dtype)
    return bool(bounds.min <= low and high <= bounds.max)
