"""From each surfel of one surface to the nearest of another, exactly, in little memory.

Which voxels are inside, and where surfels sit, is kept as one bit a place. A surfel first looks
along the rows around it, nearest rows first: one look at a row's bits tells the nearest surfel
within 63 columns, and the search ends as soon as the next row is further away than what was found.
That settles nearly all. For the few beyond reach, the plane of their column is swept by lower
envelopes, which is exact at any distance and holds no more than a plane at a time.

Distances come out as in scipy's exact Euclidean transform, to the last bit: squares are added in
the order slices, rows, columns.
"""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.flat import flat_voxels
from lesionary.core.surfaces.near_places import BitGrid, near_places
from lesionary.core.volume import AnyArray, Box, FloatArray


def packed_inside(array: AnyArray, is_inside: NDArray[np.uint8], box: Box) -> BitGrid:
    """Pack which voxels of a box are inside, with a margin of one voxel outside on every side.

    Parameters
    ----------
    array : bool, uint8 or uint16 array, shape (slices, rows, columns)
        A mask or label map.
    is_inside : uint8 array, shape (65536,)
        1 for each value that is inside.
    box : Box
        Where to look.

    Returns
    -------
    uint64 array, shape (slices + 2, rows + 2, words)
        Of the box; voxel ``i`` of a row has bit ``i + 1``.
    """
    from lesionary.core.surfaces._kernels import pack_inside

    k, j, i = (side.indices(length)[:2] for side, length in zip(box, array.shape, strict=True))
    size = (max(k[1] - k[0], 0), max(j[1] - j[0], 0), max(i[1] - i[0], 0))
    begin = (k[0], j[0], i[0])
    is_as_kernels_want = array.flags.c_contiguous and array.dtype.isnative
    if not is_as_kernels_want or array.ctypes.data % 8 != 0:
        array, begin = array[box], (0, 0, 0)
    (flat,) = flat_voxels(array)
    return pack_inside(flat, array.shape[1], array.shape[2], begin, size, is_inside)


def marked_surfels(inside: BitGrid) -> BitGrid:
    """Mark the corners between voxels that carry a surfel.

    Parameters
    ----------
    inside : uint64 array
        As :func:`packed_inside` gives it.

    Returns
    -------
    uint64 array, shape (slices + 1, rows + 1, words)
        Corner ``i`` of a row, before voxel ``i``, has bit ``i + 64``: the words at a row's ends
        are empty.
    """
    from lesionary.core.surfaces._kernels import find_surfels

    return find_surfels(inside)


def nearest_surfels(
    inside: BitGrid, own: BitGrid, other: BitGrid, spacing_mm: tuple[float, float, float]
) -> tuple[FloatArray, FloatArray]:
    """Measure from each surfel of one surface to the nearest of another.

    Parameters
    ----------
    inside, own : uint64 arrays
        One object's voxels, as :func:`packed_inside` gives them, and its surfels.
    other : uint64 array
        The other's surfels, in the same box.
    spacing_mm : three floats
        Along ``(k, j, i)``.

    Returns
    -------
    distances_mm, areas_mm2 : float64 arrays, shape (surfels,)
        Ascending by distance, then by area. Infinite where the other surface does not exist.
    """
    from lesionary.core.surfaces import _kernels as kernels

    near = near_places(spacing_mm)
    counts = np.zeros((*near.distances_mm2.shape, len(near.areas_mm2)), dtype=np.int32)
    far, n_rings = kernels.measure_near(inside, own, other, near, spacing_mm, counts)
    ring, columns, kind = np.nonzero(counts[:n_rings])
    mm2, areas = near.distances_mm2[ring, columns], near.areas_mm2[kind]
    times = counts[ring, columns, kind]
    if len(far):
        far = far[np.argsort(far[:, 2], kind="stable")]
        far_mm2 = kernels.measure_far(other, far, spacing_mm) if other.any() else np.inf
        mm2 = np.append(mm2, np.broadcast_to(far_mm2, len(far)))
        areas = np.append(areas, near.areas_mm2[near.kinds[far[:, 3]]])
        times = np.append(times, np.ones(len(far), dtype=np.int32))
    distances_mm = np.sqrt(mm2)
    order = np.lexsort((areas, distances_mm))
    times = times[order]
    return np.repeat(distances_mm[order], times), np.repeat(areas[order], times)
