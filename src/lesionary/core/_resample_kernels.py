"""Compiled loops of resampling. Import at first use: numba is heavy.

Positions are continuous voxel indices; voxel ``n`` reaches from ``n - 0.5`` to ``n + 0.5``. Within
half a voxel of the outermost centres their value holds on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel
from lesionary.core.volume import AnyArray, BoolArray, FloatArray

Offsets = NDArray[np.int64]

_ON_VOXEL = 1e-6  # a position this near a centre lies on it: no neighbour has a weight


@kernel
def _place(position: float, size: int) -> tuple[int, int, float]:
    """Lower and upper voxel and the upper one's weight, of a position inside."""
    low = int(np.floor(position))
    weight = position - low
    if weight > 1 - _ON_VOXEL:
        low += 1
        weight = 0.0
    if weight < _ON_VOXEL or low >= size - 1:
        low = min(low, size - 1)
        return low, low, 0.0
    if low < 0:
        return 0, 0, 0.0
    return low, low + 1, weight


@kernel
def _is_inside(position: float, size: int) -> bool:
    return -0.5 <= position < size - 0.5


@kernel
def axis_table(
    start: float, step: float, n: int, size: int, stride: int, is_nearest: bool
) -> tuple[Offsets, FloatArray]:
    """Offsets (n, 2) of the lower and upper voxel along one axis, and the upper one's weight.

    Offsets are indices times ``stride``; -1 outside.
    """
    offsets = np.empty((n, 2), np.int64)
    weights = np.zeros(n)
    for index in range(n):
        position = start + index * step
        if not _is_inside(position, size):
            offsets[index] = -1
            continue
        low, high, weight = _place(position, size)
        if is_nearest:
            low = high = high if weight >= 0.5 else low
            weight = 0.0
        offsets[index, 0], offsets[index, 1] = low * stride, high * stride
        weights[index] = weight
    return offsets, weights


@kernel
def inner_range(offsets: Offsets) -> tuple[int, int]:
    """First and one past the last index of one axis that lies inside."""
    begin, end = 0, offsets.shape[0]
    while begin < end and offsets[begin, 0] < 0:
        begin += 1
    while end > begin and offsets[end - 1, 0] < 0:
        end -= 1
    return begin, end


@kernel
def sample_rows(
    flat: AnyArray,
    offsets: tuple[Offsets, Offsets, Offsets],
    weights: tuple[FloatArray, FloatArray, FloatArray],
    fill: Any,
    is_whole: bool,
    mixed: NDArray[Any],
    out: AnyArray,
) -> None:
    """Trilinear values on a grid whose axes run along those of the image, rows along rows.

    Four rows of the image are mixed into one, which the compiler does many voxels at a time, then
    that one is sampled. ``mixed`` is room for a row, in the precision to calculate with.
    """
    along_i, part_i = offsets[2], weights[2].astype(mixed.dtype)
    begin, end = inner_range(along_i)
    first = last = 0
    if end > begin:
        first = min(along_i[begin, 0], along_i[end - 1, 0])
        last = max(along_i[begin, 1], along_i[end - 1, 1]) + 1
    number = mixed.dtype.type  # numba would mix a short integer with float32 in float64
    share = np.empty(4, mixed.dtype)
    for k in range(out.shape[0]):
        low_k, high_k, part_k = offsets[0][k, 0], offsets[0][k, 1], weights[0][k]
        for j in range(out.shape[1]):
            low_j, high_j, part_j = offsets[1][j, 0], offsets[1][j, 1], weights[1][j]
            row = out[k, j]
            if low_k < 0 or low_j < 0 or end == begin:
                row[:] = fill
                continue
            share[0], share[1] = (1 - part_k) * (1 - part_j), (1 - part_k) * part_j
            share[2], share[3] = part_k * (1 - part_j), part_k * part_j
            a = flat[low_k + low_j + first : low_k + low_j + last]
            b = flat[low_k + high_j + first : low_k + high_j + last]
            c = flat[high_k + low_j + first : high_k + low_j + last]
            d = flat[high_k + high_j + first : high_k + high_j + last]
            sa, sb, sc, sd = share[0], share[1], share[2], share[3]
            for x in range(last - first):
                below = sa * number(a[x]) + sb * number(b[x])
                mixed[x] = below + (sc * number(c[x]) + sd * number(d[x]))
            row[:begin] = fill
            row[end:] = fill
            for i in range(begin, end):
                low = mixed[along_i[i, 0] - first]
                value = low + part_i[i] * (mixed[along_i[i, 1] - first] - low)
                row[i] = np.rint(value) if is_whole else value


@kernel
def sample_parallel(
    flat: AnyArray,
    offsets: tuple[Offsets, Offsets, Offsets],
    weights: tuple[FloatArray, FloatArray, FloatArray],
    fill: Any,
    is_whole: bool,
    out: AnyArray,
) -> None:
    """Trilinear values on a grid whose axes run along those of the image, in any order."""
    n_k, n_j, _ = out.shape
    along_i, part_i = offsets[2], weights[2]
    begin, end = inner_range(along_i)
    for k in range(n_k):
        low_k, high_k, part_k = offsets[0][k, 0], offsets[0][k, 1], weights[0][k]
        for j in range(n_j):
            low_j, high_j, part_j = offsets[1][j, 0], offsets[1][j, 1], weights[1][j]
            row = out[k, j]
            if low_k < 0 or low_j < 0:
                row[:] = fill
                continue
            row[:begin] = fill
            row[end:] = fill
            a, b = low_k + low_j, low_k + high_j
            c, d = high_k + low_j, high_k + high_j
            for i in range(begin, end):
                low, high, part = along_i[i, 0], along_i[i, 1], part_i[i]
                rest = 1 - part
                first = rest * flat[a + low] + part * flat[a + high]
                second = rest * flat[b + low] + part * flat[b + high]
                third = rest * flat[c + low] + part * flat[c + high]
                fourth = rest * flat[d + low] + part * flat[d + high]
                first += part_j * (second - first)
                third += part_j * (fourth - third)
                value = first + part_k * (third - first)
                row[i] = np.rint(value) if is_whole else value


@kernel
def pick_parallel(
    flat: AnyArray, offsets: tuple[Offsets, Offsets, Offsets], fill: Any, out: AnyArray
) -> None:
    """Nearest values on a grid whose axes run along those of the image."""
    n_k, n_j, n_i = out.shape
    for k in range(n_k):
        for j in range(n_j):
            low_k, low_j = offsets[0][k, 0], offsets[1][j, 0]
            for i in range(n_i):
                low_i = offsets[2][i, 0]
                is_outside = low_k < 0 or low_j < 0 or low_i < 0
                out[k, j, i] = fill if is_outside else flat[low_k + low_j + low_i]


@kernel
def touch_parallel(
    flat: BoolArray, offsets: tuple[Offsets, Offsets, Offsets], out: BoolArray
) -> None:
    """Mark what lies outside, or has a true voxel among those with a weight."""
    begin, end = inner_range(offsets[2])
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[k, j] = True
            if offsets[0][k, 0] < 0 or offsets[1][j, 0] < 0:
                continue
            out[k, j, begin:end] = False
            if flat.size == 0:
                continue
            for i in range(begin, end):
                for corner in range(8):
                    voxel = offsets[0][k, corner >> 2] + offsets[1][j, corner >> 1 & 1]
                    out[k, j, i] |= flat[voxel + offsets[2][i, corner & 1]]


@kernel
def _row_inside(
    base: tuple[float, float, float],
    step: tuple[float, float, float],
    size: tuple[int, int, int],
    n: int,
) -> tuple[int, int]:
    """First and one past the last of ``n`` voxels of a row that lie inside along every axis."""
    begin, end = 0, n
    for axis in range(3):
        if step[axis] != 0.0:
            ends = (-0.5 - base[axis]) / step[axis], (size[axis] - 0.5 - base[axis]) / step[axis]
            begin = max(begin, int(min(max(np.floor(min(ends)), 0.0), float(n))))
            end = min(end, int(min(max(np.ceil(max(ends)) + 1, 0.0), float(n))))
    while begin < end and not _point_inside(base, step, size, begin):  # rounding, at most two steps
        begin += 1
    while end > begin and not _point_inside(base, step, size, end - 1):
        end -= 1
    return begin, end


@kernel
def _point_inside(
    base: tuple[float, float, float],
    step: tuple[float, float, float],
    size: tuple[int, int, int],
    index: int,
) -> bool:
    is_inside = True
    for axis in range(3):
        is_inside &= _is_inside(base[axis] + index * step[axis], size[axis])
    return is_inside


@kernel
def sample_oblique(
    array: AnyArray,
    start: FloatArray,
    steps: FloatArray,
    fill: Any,
    kind: tuple[bool, bool],
    out: AnyArray,
) -> None:
    """Trilinear or nearest values on any grid.

    Voxel ``(k, j, i)`` of ``out`` lies at ``start + steps @ (k, j, i)``. ``kind``: whether numbers
    are whole, and whether the nearest is taken.
    """
    is_whole, is_nearest = kind
    size_k, size_j, size_i = array.shape
    step = (steps[0, 2], steps[1, 2], steps[2, 2])
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            base = (
                start[0] + k * steps[0, 0] + j * steps[0, 1],
                start[1] + k * steps[1, 0] + j * steps[1, 1],
                start[2] + k * steps[2, 0] + j * steps[2, 1],
            )
            begin, end = _row_inside(base, step, array.shape, out.shape[2])
            row = out[k, j]
            row[:begin] = fill
            row[end:] = fill
            for i in range(begin, end):
                k0, k1, part_k = _place(base[0] + i * step[0], size_k)
                j0, j1, part_j = _place(base[1] + i * step[1], size_j)
                i0, i1, part_i = _place(base[2] + i * step[2], size_i)
                if is_nearest:
                    near_k, near_j = k1 if part_k >= 0.5 else k0, j1 if part_j >= 0.5 else j0
                    row[i] = array[near_k, near_j, i1 if part_i >= 0.5 else i0]
                    continue
                rest_i = 1 - part_i
                first = rest_i * array[k0, j0, i0] + part_i * array[k0, j0, i1]
                second = rest_i * array[k0, j1, i0] + part_i * array[k0, j1, i1]
                third = rest_i * array[k1, j0, i0] + part_i * array[k1, j0, i1]
                fourth = rest_i * array[k1, j1, i0] + part_i * array[k1, j1, i1]
                first += part_j * (second - first)
                third += part_j * (fourth - third)
                value = first + part_k * (third - first)
                row[i] = np.rint(value) if is_whole else value


@kernel
def touch_oblique(
    array: BoolArray,
    size: tuple[int, int, int],
    start: FloatArray,
    steps: FloatArray,
    is_nearest: bool,
    out: BoolArray,
) -> None:
    """Mark what lies outside ``size``, or has a true voxel among those with a weight."""
    step = (steps[0, 2], steps[1, 2], steps[2, 2])
    places = np.empty((3, 2), np.int64)
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            base = (
                start[0] + k * steps[0, 0] + j * steps[0, 1],
                start[1] + k * steps[1, 0] + j * steps[1, 1],
                start[2] + k * steps[2, 0] + j * steps[2, 1],
            )
            begin, end = _row_inside(base, step, size, out.shape[2])
            out[k, j] = True
            out[k, j, begin:end] = False
            if array.size == 0:
                continue
            for i in range(begin, end):
                for axis in range(3):
                    low, high, part = _place(base[axis] + i * step[axis], size[axis])
                    if is_nearest:
                        low = high = high if part >= 0.5 else low
                    places[axis, 0], places[axis, 1] = low, high
                for corner in range(8):
                    out[k, j, i] |= array[
                        places[0, corner >> 2],
                        places[1, corner >> 1 & 1],
                        places[2, corner & 1],
                    ]
