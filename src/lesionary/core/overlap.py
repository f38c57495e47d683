"""Where two label maps of one image agree: every pair of values, counted in one pass.

One contingency table holds all that Dice, volumes, matching and "is it the same drawing?" ask for,
of every label and of every composite of labels, and the boxes tell later steps where to look.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import MAX_LABEL
from lesionary.core.errors import InputError
from lesionary.core.flat import flat_voxels, words_of
from lesionary.core.volume import AnyArray, Box, LabelArray

MOST_PAIRS = 1 << 26
"""Entries of the largest table that is counted (half a GiB)."""

_PORTION = 1 << 15
"""Joint runs that are counted together."""

BoxArray = NDArray[np.int32]
"""Shape (n, 3, 2): half-open index ranges along ``(k, j, i)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """How often each value of one label map lies on each value of another.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    first_values, second_values : uint16 arrays, shapes (n,) and (m,)
        What occurs in each, ascending, without the background's 0.
    counts : int64 array, shape (n + 1, m + 1)
        Voxels of every pair; row and column 0 are background, the others as in ``first_values``
        and ``second_values``. All of them together are the image's voxels.
    first_boxes, second_boxes : int32 arrays, shapes (n, 3, 2) and (m, 3, 2)
        The smallest half-open box around each value, along ``(k, j, i)``.
    """

    shape: tuple[int, int, int]
    first_values: LabelArray
    second_values: LabelArray
    counts: NDArray[np.int64]
    first_boxes: BoxArray
    second_boxes: BoxArray

    @property
    def values(self) -> tuple[int, ...]:
        """What occurs in either, ascending, without 0."""
        return tuple(np.union1d(self.first_values, self.second_values).tolist())

    def first_voxels(self, values: Collection[int]) -> int:
        """Count the voxels that hold any of ``values`` in the first; 0 where none occurs."""
        return int(self.counts[_indices(self.first_values, values) + 1].sum())

    def second_voxels(self, values: Collection[int]) -> int:
        """Count the voxels that hold any of ``values`` in the second; 0 where none occurs."""
        return int(self.counts[:, _indices(self.second_values, values) + 1].sum())

    def both(self, values: Collection[int]) -> int:
        """Count the voxels that hold any of ``values`` in both, be it the same one or another."""
        rows = _indices(self.first_values, values) + 1
        columns = _indices(self.second_values, values) + 1
        return int(self.counts[np.ix_(rows, columns)].sum())

    def dice(self, values: Collection[int]) -> float | None:
        """Return twice the common voxels over the voxels of both (Sørensen–Dice).

        Several values are one object, a composite: a voxel counts as common where each side holds
        any of them. 0 where one side is empty, None where both are.
        """
        sizes = self.first_voxels(values) + self.second_voxels(values)
        return 2 * self.both(values) / sizes if sizes else None

    def union_box(self, values: Collection[int]) -> Box | None:
        """Return the smallest box around ``values`` on both sides; None where none occurs."""
        boxes = np.concatenate(
            [
                self.first_boxes[_indices(self.first_values, values)],
                self.second_boxes[_indices(self.second_values, values)],
            ]
        )
        if len(boxes) == 0:
            return None
        k, j, i = zip(boxes[:, :, 0].min(0).tolist(), boxes[:, :, 1].max(0).tolist(), strict=True)
        return slice(*k), slice(*j), slice(*i)

    def is_identical(self, values: Collection[int] | None = None) -> bool:
        """Tell whether both sides drew the same, voxel for voxel, and drew something.

        Parameters
        ----------
        values : collection of int, optional
            Compare the object that these make up. Left out, every voxel must hold the same value
            on both sides.
        """
        if values is None:
            if not np.array_equal(self.first_values, self.second_values):
                return False
            on_diagonal = int(np.trace(self.counts[1:, 1:]))
            return 0 < on_diagonal == int(self.counts.sum() - self.counts[0, 0])
        return 0 < self.both(values) == self.first_voxels(values) == self.second_voxels(values)


def overlap(first: AnyArray, second: AnyArray) -> Overlap:
    """Count every pair of values of two label maps in one pass.

    Space that is empty in both is skipped eight bytes at a time. Memory: the table and
    0.7 MB; an array that is not in C order, or narrower than the other, is copied first.

    Parameters
    ----------
    first, second : bool, uint8 or uint16 arrays, shape (slices, rows, columns)
        0 is background. They may differ in type, not in shape.

    Returns
    -------
    Overlap
        Without values where both are empty.

    Raises
    ------
    InputError
        If the shapes differ, an array has another type or not three axes, or so many values occur
        that the table would not fit into memory.

    Examples
    --------
    >>> one = np.array([[[1, 1, 2, 2, 0, 0]]], dtype=np.uint8)
    >>> other = np.array([[[0, 1, 1, 2, 2, 0]]], dtype=np.uint16)
    >>> found = overlap(one, other)
    >>> found.counts.tolist()
    [[1, 0, 1], [1, 1, 0], [0, 1, 1]]
    >>> found.dice([1]), found.dice([1, 2]), found.dice([3])
    (0.5, 0.75, None)
    """
    from lesionary.core import _overlap_kernels as kernels

    require_two_label_arrays(first, second)
    n_k, n_j, n_i = first.shape
    one, other = flat_voxels(first, second)
    words = words_of(one), words_of(other)
    rows, columns = _Side(), _Side()
    counts = np.zeros((1, 1), dtype=np.int64)
    portion = np.empty((_PORTION, 5), dtype=np.int32)
    voxel = 0
    while voxel < first.size:
        n, voxel = kernels.find_joint_runs(one, other, words[0], words[1], n_i, voxel, portion)
        runs = portion[:n]
        rows.take_in(runs, 3, n_j)
        columns.take_in(runs, 4, n_j)
        counts = _enlarged(counts, len(rows.boxes), len(columns.boxes))
        kernels.count_runs(runs, rows.numbers, columns.numbers, counts)
    counts[0, 0] = first.size - counts.sum()
    return Overlap(
        shape=(n_k, n_j, n_i),
        first_values=rows.values,
        second_values=columns.values,
        counts=counts[np.ix_(rows.order, columns.order)],
        first_boxes=rows.boxes[rows.order[1:]],
        second_boxes=columns.boxes[columns.order[1:]],
    )


class _Side:
    """The values one map has shown so far, numbered as they came, and their boxes."""

    def __init__(self) -> None:
        self.numbers = np.full(MAX_LABEL + 1, -1, dtype=np.int32)
        self.numbers[0] = 0
        self.boxes: BoxArray = np.zeros((1, 3, 2), dtype=np.int32)

    def take_in(self, runs: NDArray[np.int32], column: int, n_j: int) -> None:
        from lesionary.core import _overlap_kernels as kernels

        n_known = len(self.boxes)
        n = kernels.number_values(runs, column, self.numbers, n_known)
        unseen = np.empty((n - n_known, 3, 2), dtype=np.int32)
        unseen[:, :, 0], unseen[:, :, 1] = np.iinfo(np.int32).max, 0
        self.boxes = np.concatenate([self.boxes, unseen])
        kernels.enclose_runs(runs, column, n_j, self.numbers, self.boxes)

    @property
    def values(self) -> LabelArray:
        """Ascending, without 0."""
        return np.flatnonzero(self.numbers >= 0)[1:].astype(np.uint16)

    @property
    def order(self) -> NDArray[np.int32]:
        """Return the number of 0 and of each value, ascending by value."""
        return self.numbers[self.numbers >= 0]


def _enlarged(counts: NDArray[np.int64], n_rows: int, n_columns: int) -> NDArray[np.int64]:
    if counts.shape == (n_rows, n_columns):
        return counts
    if n_rows * n_columns > MOST_PAIRS:
        raise InputError(
            f"{n_rows} values against {n_columns} are too many to count every pair of them",
            hint="Compare fewer labels at a time.",
        )
    grown = np.zeros((n_rows, n_columns), dtype=np.int64)
    grown[: counts.shape[0], : counts.shape[1]] = counts
    return grown


def require_two_label_arrays(first: AnyArray, second: AnyArray) -> None:
    """Raise unless both are three-dimensional, of labels, and of the same shape."""
    for array in (first, second):
        if array.ndim != 3 or array.dtype.kind not in "bu" or array.dtype.itemsize > 2:
            raise InputError(f"a comparison needs three axes of labels, not {_kind(array)}")
    if first.shape != second.shape:
        raise InputError(
            f"label maps of {first.shape} and {second.shape} voxels cannot be compared",
            hint="Resample one onto the other's grid.",
        )


def _kind(array: AnyArray) -> str:
    return f"{array.ndim} of {array.dtype}"


def _indices(known: LabelArray, values: Collection[int]) -> NDArray[np.intp]:
    """Return where in ``known`` any of ``values`` stands; other values are no one's."""
    return np.flatnonzero(np.isin(known, np.fromiter(values, np.int64, len(values))))
