"""What was drawn, slice by slice: the pieces of each label, and which continue which.

A *key* is a slice that a label is drawn on. A *piece* is an 8-connected component of one label in
one slice. Between two keys pieces form *groups*: those that lie above each other belong together,
however many they are on either side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import RunArray
from lesionary.core.flat import flat_voxels
from lesionary.core.volume import AnyArray, FloatArray, LabelArray


@dataclass(frozen=True, slots=True)
class Group:
    """Pieces of a label on two keys that belong together; one side may be empty.

    Parameters
    ----------
    value : int
        The label.
    low, high : int
        The two keys.
    pieces : tuple of tuple of int
        Those on the lower key, and those on the upper.
    n_shared : int
        Voxels of the one that lie above voxels of the other.
    """

    value: int
    low: int
    high: int
    pieces: tuple[tuple[int, ...], tuple[int, ...]]
    n_shared: int


@dataclass(frozen=True, slots=True)
class Linked:
    """How the pieces of an image continue.

    Parameters
    ----------
    groups : tuple of Group
        By label, then by key.
    wide : tuple of (value, first key, second key)
        Gaps too wide to be joined.
    """

    groups: tuple[Group, ...]
    wide: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """The pieces of all labels; slices come first, whatever the image's axis order.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows, columns.
    runs : int32 array, shape (n, 4)
        Row ``k * n_j + j``, first column, column after the last, value; in voxel order.
    owners : int32 array, shape (n,)
        The piece of each run.
    grouped : int32 array, shape (n, 3)
        The runs of piece after piece; those of ``p`` are ``grouped[begins[p]:begins[p + 1]]``.
    values, slices, voxels : arrays, shape (pieces,)
        Label, slice and size of each piece.
    boxes : int32 array, shape (pieces, 3, 2)
        Half-open index ranges.
    centres : array, shape (pieces, 2)
        Mean row and column.
    """

    shape: tuple[int, int, int]
    runs: NDArray[np.int32]
    owners: NDArray[np.int32]
    grouped: RunArray
    begins: NDArray[np.int64]
    values: NDArray[np.int64]
    slices: NDArray[np.int64]
    voxels: NDArray[np.int64]
    boxes: NDArray[np.int32]
    centres: FloatArray

    def drawn(self) -> LabelArray:
        """Return the drawing as a new array, slices first."""
        from lesionary.core._kernels import paint_runs

        out = np.zeros(self.shape, dtype=np.uint16)
        rows = out.reshape(-1, self.shape[2])
        paint_runs(self.grouped, self.begins, self.values.astype(np.uint16), rows)
        return out

    def centre(self, pieces: tuple[int, ...]) -> FloatArray:
        """Mean row and column of several pieces of one slice."""
        chosen = list(pieces)
        if len(chosen) == 1:
            mean: FloatArray = self.centres[chosen[0]]
            return mean
        return np.average(self.centres[chosen], axis=0, weights=self.voxels[chosen])

    def linked(self, step: int, spacing_mm: tuple[float, float, float], steepest: float) -> Linked:
        """Tell which pieces continue which, between keys at most ``step`` slices apart.

        Pieces that share a column belong together. Of the others, each belongs to the nearest of
        the other key, nearest pairs first, where the distance between their edges (as if they
        were discs) is at most ``steepest`` times the gap's height; else it stands alone.
        """
        from lesionary.core.slices._kernels import shared_voxels

        gaps = np.array(list(self._gaps()), dtype=np.int64).reshape(-1, 3)
        heights = gaps[:, 2] - gaps[:, 1]
        joined = gaps[heights <= step]
        begins = np.searchsorted(self.runs[:, 0], np.arange(self.shape[0] + 1) * self.shape[1])
        rows = shared_voxels(self.runs, self.owners, begins, joined, self.shape[1])
        shared: dict[int, dict[int, int]] = {}
        for low, high, n in rows.tolist():
            row = shared.setdefault(low, {})
            row[high] = row.get(high, 0) + n
        on_key: dict[tuple[int, int], list[int]] = {}
        for piece, key in enumerate(zip(self.values.tolist(), self.slices.tolist(), strict=True)):
            on_key.setdefault(key, []).append(piece)
        groups: list[Group] = []
        for value, low, high in joined.tolist():
            lows, highs = on_key[value, low], on_key[value, high]
            sides = list(_connected(lows, highs, shared))
            reach_mm = steepest * (high - low) * spacing_mm[0]
            for side in self._paired(sides, spacing_mm, reach_mm):
                n_shared = sum(sum(shared.get(piece, {}).values()) for piece in side[0])
                groups.append(Group(value, low, high, side, n_shared))
        wide = (tuple(gap) for gap in gaps[heights > step].tolist())
        return Linked(tuple(groups), tuple((a, b, c) for a, b, c in wide))

    def _gaps(self) -> Iterable[tuple[int, int, int]]:
        """Value, key and next key, neighbouring slices too."""
        for value in np.unique(self.values).tolist():
            keys = np.unique(self.slices[self.values == value]).tolist()
            yield from ((value, low, high) for low, high in pairwise(keys))

    def _paired(
        self, sides: list["_Sides"], spacing_mm: tuple[float, float, float], reach_mm: float
    ) -> list["_Sides"]:
        """Join pieces that lie above none with their nearest; keep the rest."""
        lows = [low for low, high in sides if not high]
        highs = [high for low, high in sides if not low]
        if not lows or not highs:
            return sides
        distances = sorted(
            (self._edge_distance_mm(low[0], high[0], spacing_mm), low, high)
            for low in lows
            for high in highs
        )
        met: set[int] = set()
        pairs: list[_Sides] = []
        for distance_mm, low, high in distances:
            if distance_mm <= reach_mm and not met & {low[0], high[0]}:
                met |= {low[0], high[0]}
                pairs.append((low, high))
        alone = [side for side in sides if not met.intersection(side[0] + side[1])]
        return sorted(alone + pairs, key=lambda side: side[0] + side[1])

    def _edge_distance_mm(
        self, low: int, high: int, spacing_mm: tuple[float, float, float]
    ) -> float:
        in_plane = np.array(spacing_mm[1:])
        between = np.linalg.norm((self.centres[high] - self.centres[low]) * in_plane)
        areas_mm2 = self.voxels[[low, high]] * in_plane.prod()
        return float(between - np.sqrt(areas_mm2 / np.pi).sum())


_Sides = tuple[tuple[int, ...], tuple[int, ...]]


def _connected(
    lows: list[int], highs: list[int], shared: dict[int, dict[int, int]]
) -> Iterable[_Sides]:
    """Split the pieces of two keys into those that hang together."""
    waiting_lows, waiting_highs = list(lows), list(highs)
    while waiting_lows:
        side = ({waiting_lows.pop(0)}, set[int]())
        has_grown = True
        while has_grown:
            above = {high for low in side[0] for high in shared.get(low, {})}
            below = {low for low in waiting_lows if above & shared.get(low, {}).keys()}
            has_grown = bool(below)
            side[0].update(below)
            side[1].update(above)
            waiting_lows = [low for low in waiting_lows if low not in below]
        waiting_highs = [high for high in waiting_highs if high not in side[1]]
        yield tuple(sorted(side[0])), tuple(sorted(side[1]))
    yield from (((), (high,)) for high in waiting_highs)


def find_sections(array: AnyArray, axis: int) -> Sections:
    """Find the pieces of a label map in the slices along ``axis``.

    Memory: 28 bytes a run. An array whose slices do not come first, or that is not in C order, is
    copied.
    """
    from lesionary.core import _kernels as run_kernels
    from lesionary.core.slices import _kernels

    turned = np.moveaxis(array, axis, 0)
    (flat,) = flat_voxels(turned)
    n_k, n_j, n_i = turned.shape
    runs = run_kernels.find_runs(flat, flat[: flat.size >> 2 << 2].view(np.uint64), 2, n_i)
    owners = _kernels.join_in_slices(runs, n_j)
    grouped, begins, voxels, boxes = run_kernels.group_runs(runs, owners, n_j)
    values = np.zeros(len(voxels), dtype=np.int64)
    values[owners] = runs[:, 3]
    return Sections(
        shape=(n_k, n_j, n_i),
        runs=runs,
        owners=owners,
        grouped=grouped,
        begins=begins,
        values=values,
        slices=boxes[:, 0, 0].astype(np.int64),
        voxels=voxels,
        boxes=boxes,
        centres=_kernels.piece_centres(grouped, begins, n_j),
    )
