"""The working grid of the built-in segmenters: the box and its surroundings, in bounded size.

Engines compute on blocks of voxels, listed in one order whatever order the file has, so that the
48 ways to store a scan give the same mask. Everything large stays a view of the volume: memory
grows with the box, not with the scan.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import (
    AnyArray,
    AxisOrder,
    BoolArray,
    Box,
    FloatArray,
    Geometry,
    Volume,
)

Field = NDArray[np.float32]

MAX_BOX_BLOCKS = 60_000
"""Blocks inside the box at most. Three times as many gain nothing on real tumours."""

SURROUNDINGS = 0.25
"""What is seen beyond the box, as a share of :attr:`WorkingGrid.half_extent_mm`."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkingGrid:
    """Block means around a box, and where the blocks lie in it.

    Parameters
    ----------
    values : float64 array, shape (K, J, I)
        Mean of each block's valid voxels; 0 where there is none.
    valid : bool array, shape (K, J, I)
        Blocks with at least one valid voxel.
    positions : three arrays that broadcast to (K, J, I)
        Place of the block's centre along each axis: −1 and 1 at the box's faces.
    spacing_mm : tuple of float
        Distance between neighbouring blocks.
    half_extent_mm : float
        Geometric mean of half the box's three edges: the size of the object that is sought.
    """

    values: FloatArray
    valid: BoolArray
    positions: tuple[FloatArray, FloatArray, FloatArray]
    spacing_mm: tuple[float, float, float]
    half_extent_mm: float
    _order: AxisOrder
    _blocks: tuple[int, int, int]
    _offsets: tuple[int, int, int]
    _box: Box

    @property
    def inside(self) -> BoolArray:
        """Blocks whose centre lies within the box, shape (K, J, I)."""
        k, j, i = (np.abs(x) < 1.0 for x in self.positions)
        return k & j & i

    def voxels_of(self, membership: Field) -> BoolArray:
        """Return where ``membership``, interpolated between blocks, is above one half.

        Returns
        -------
        bool array, shape of the box
            In the volume's own axis order.
        """
        array = np.empty([r.stop - r.start for r in self._box], dtype=np.bool_)
        target = self._order.apply(array)
        (k0, k1, kw), (j0, j1, jw), (i0, i1, iw) = (
            _interpolation(n, size, block, offset)
            for n, size, block, offset in zip(
                target.shape, membership.shape, self._blocks, self._offsets, strict=True
            )
        )
        rows = membership[:, j0] * (1 - jw)[:, None] + membership[:, j1] * jw[:, None]
        planes = rows[:, :, i0] * (1 - iw) + rows[:, :, i1] * iw
        for k in range(target.shape[0]):
            target[k] = planes[k0[k]] * (1 - kw[k]) + planes[k1[k]] * kw[k] > 0.5
        return array


def working_grid(volume: Volume, box: Box) -> WorkingGrid:
    """Cut the box and its surroundings out of ``volume`` and average them into blocks.

    Not finite voxels and those that the volume calls invalid take no part in the means.
    """
    order = nearest_lps_order(volume.geometry)
    spacing_mm = tuple(volume.geometry.spacing_mm[axis] for axis in order.axes)
    array = order.apply(volume.array)
    inner = reorder_box(box, order, volume.geometry.shape)
    edges = np.array([r.stop - r.start for r in inner])
    half_extent_mm = float(np.prod(edges * spacing_mm / 2) ** (1 / 3))
    pads = [int(np.ceil(SURROUNDINGS * half_extent_mm / s)) for s in spacing_mm]
    outer = tuple(
        slice(max(0, r.start - pad), min(size, r.stop + pad))
        for r, pad, size in zip(inner, pads, array.shape, strict=True)
    )
    blocks = _block_shape(edges, spacing_mm)
    invalid = None if volume.invalid is None else order.apply(volume.invalid)[outer]
    values, valid = _block_means(array[outer], invalid, blocks)
    offsets = [i.start - o.start for i, o in zip(inner, outer, strict=True)]
    k, j, i = (
        ((np.arange(n) + 0.5) * block - offset) * 2 / edge - 1
        for n, block, offset, edge in zip(values.shape, blocks, offsets, edges, strict=True)
    )
    return WorkingGrid(
        values=values,
        valid=valid,
        positions=(k[:, None, None], j[:, None], i),
        spacing_mm=(
            spacing_mm[0] * blocks[0],
            spacing_mm[1] * blocks[1],
            spacing_mm[2] * blocks[2],
        ),
        half_extent_mm=half_extent_mm,
        _order=order,
        _blocks=blocks,
        _offsets=(offsets[0], offsets[1], offsets[2]),
        _box=box,
    )


def nearest_lps_order(geometry: Geometry) -> AxisOrder:
    """Find the order whose axes run nearest to superior, posterior and left (ties: the first)."""
    wanted = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    along = np.round(wanted @ geometry.directions, 9)

    def nearness(order: AxisOrder) -> float:
        signs = [-1.0 if is_flipped else 1.0 for is_flipped in order.flips]
        return float(sum(signs[new] * along[new, old] for new, old in enumerate(order.axes)))

    return max(AxisOrder.all(), key=nearness)


def reorder_box(box: Box, order: AxisOrder, shape: tuple[int, int, int]) -> Box:
    """Return the box of ``order.apply(array)`` that holds the same voxels, shape before it."""
    k, j, i = (
        slice(shape[old] - box[old].stop, shape[old] - box[old].start) if flip else box[old]
        for old, flip in zip(order.axes, order.flips, strict=True)
    )
    return k, j, i


def _block_shape(edges: NDArray[np.int_], spacing_mm: tuple[float, ...]) -> tuple[int, int, int]:
    """Lengthen blocks along their shortest edge in mm until the box holds few enough of them."""
    blocks = np.ones(3, dtype=int)
    while np.prod(np.ceil(edges / blocks)) > MAX_BOX_BLOCKS:
        blocks[np.argmin(blocks * spacing_mm)] += 1
    return int(blocks[0]), int(blocks[1]), int(blocks[2])


def _block_means(
    array: AnyArray, invalid: BoolArray | None, blocks: tuple[int, int, int]
) -> tuple[FloatArray, BoolArray]:
    """Average valid voxels, block by block; the last block of an axis may be cut short."""
    starts = [np.arange(0, n, block) for n, block in zip(array.shape, blocks, strict=True)]
    shape = tuple(s.size for s in starts)
    sums, counts = np.zeros(shape), np.zeros(shape)
    for k, start in enumerate(starts[0]):
        slab = array[start : start + blocks[0]].astype(np.float64)
        is_valid = np.isfinite(slab)
        if invalid is not None:
            is_valid &= ~invalid[start : start + blocks[0]]
        for total, part in ((sums, np.where(is_valid, slab, 0.0)), (counts, is_valid)):
            rows = np.add.reduceat(part.sum(axis=0, dtype=np.float64), starts[1], axis=0)
            total[k] = np.add.reduceat(rows, starts[2], axis=1)
    valid = counts > 0
    return sums / np.maximum(counts, 1), valid


def _interpolation(
    n: int, size: int, block: int, offset: int
) -> tuple[NDArray[np.int_], NDArray[np.int_], Field]:
    """Return, for ``n`` voxels from ``offset``, two blocks beside each and the second's weight."""
    place = np.clip((np.arange(offset, offset + n) + 0.5) / block - 0.5, 0, size - 1)
    lower = np.floor(place).astype(int)
    return lower, np.minimum(lower + 1, size - 1), (place - lower).astype(np.float32)
