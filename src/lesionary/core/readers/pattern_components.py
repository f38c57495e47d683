"""Tumours that several readers drew: the components of what any of them drew, one by one.

Two readers' drawings of a label belong to one object where they overlap or touch, directly or by
way of others: the object is a 26-connected component of the readers' union. Everything is worked
out on runs (see ``core/components.py``); no array of the image's size is made, and only voxels that
somebody drew are visited.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import Component, Components, RunArray
from lesionary.core.errors import InputError
from lesionary.core.flat import flat_voxels
from lesionary.core.readers.drawings import checked_arrays, sorted_entries
from lesionary.core.readers.patterns import ReaderPatterns, with_background
from lesionary.core.volume import AnyArray, BoolArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PatternComponent:
    """One object: a component of the readers' union, and who drew what of it.

    Parameters
    ----------
    union : Component
        All that any reader drew: value, voxels, first voxel, box, runs.
    patterns : ReaderPatterns
        Of this object in the whole image: all other voxels are background.
    reader_runs : tuple of int32 arrays, each of shape (n, 3)
        Each reader's own runs, in voxel order.
    """

    union: Component
    patterns: ReaderPatterns
    reader_runs: tuple[RunArray, ...]

    @property
    def is_present(self) -> BoolArray:
        """Tell of each reader whether any of it was drawn, shape (n_readers,)."""
        return np.array([len(runs) > 0 for runs in self.reader_runs], dtype=np.bool_)

    def drawn_by(self, reader: int) -> Component | None:
        """Return all that a reader, counted from 0, drew of it; None where that is nothing.

        Disconnected parts are taken together.
        """
        runs = self.reader_runs[reader]
        return _joined(runs, self.union) if len(runs) else None

    def parts_of(self, reader: int) -> Components:
        """Return the 26-connected parts of what a reader, counted from 0, drew of it."""
        value = np.full(len(self.reader_runs[reader]), self.union.value)
        return _connected(_with_value(self.reader_runs[reader], value), self.union.shape)[0]

    @cached_property
    def is_fused(self) -> bool:
        """Tell whether one part of a reader's bridges two or more of another's."""
        parts = [self.parts_of(reader) for reader in range(len(self.reader_runs))]
        if max(map(len, parts)) < 2:
            return False
        crops = [_numbered(found, self.union) for found in parts]
        return any(
            _bridges(crops[a], crops[b]) for a in range(len(parts)) for b in range(len(parts))
        )


@dataclass(frozen=True, eq=False)
class PatternComponents:
    """All objects of several readers, by label value, within it by first voxel.

    Parameters
    ----------
    n_readers : int
        How many readers.
    unions : Components
        Of the readers' union, label by label.
    patterns, counts : arrays, shape (m,)
        The patterns but 0 of all objects, one object after the other.
    pattern_begins : int64 array, shape (n + 1,)
        Where those of each object begin.
    runs : int32 array, shape (r, 3)
        The readers' runs, by object, then reader.
    run_begins : int64 array, shape (n * n_readers + 1,)
        Where those of each object and reader begin.
    """

    n_readers: int
    unions: Components
    patterns: NDArray[np.uint64]
    counts: Ints
    pattern_begins: Ints
    runs: RunArray
    run_begins: Ints

    def __len__(self) -> int:
        return len(self.unions)

    def __getitem__(self, number: int) -> PatternComponent:
        here = slice(self.pattern_begins[number], self.pattern_begins[number + 1])
        n_voxels = int(np.prod(self.unions.shape, dtype=np.int64))
        first = number * self.n_readers
        begins = self.run_begins[first : first + self.n_readers + 1].tolist()
        return PatternComponent(
            union=self.unions[number],
            patterns=with_background(
                self.n_readers, self.patterns[here], self.counts[here], n_voxels
            ),
            reader_runs=tuple(self.runs[a:b] for a, b in pairwise(begins)),
        )

    def __iter__(self) -> Iterator[PatternComponent]:
        return (self[number] for number in range(len(self)))


def pattern_components(
    arrays: Sequence[AnyArray],
    values: Collection[int] | None = None,
    *,
    is_one_object: bool = False,
) -> PatternComponents:
    """Find the objects that several readers drew, and count the patterns of each.

    Memory: some 100 bytes a run of each reader; an array not in C order is copied first.

    Parameters
    ----------
    arrays : sequence of bool, uint8 or uint16 arrays, shape (slices, rows, columns)
        One a reader, 1 to 64 of them; 0 is background.
    values : collection of int, optional
        Labels to look at; by default all.
    is_one_object : bool
        All that bears one label is one object, in however many pieces.

    Returns
    -------
    PatternComponents
        None where nobody drew anything. Objects of different labels may share voxels; those of
        one label do not. A label's counts add up to its :func:`reader_patterns` without background.

    Raises
    ------
    InputError
        If there is no array, more than 64, one of another type, or not three axes.
    GeometryMismatchError
        If the arrays differ in shape.

    Examples
    --------
    >>> first = np.array([[[1, 1, 0, 0, 0, 1]]], np.uint8)
    >>> second = np.array([[[0, 1, 1, 0, 0, 0]]], np.uint8)
    >>> for found in pattern_components([first, second]):
    ...     print(found.union.n_voxels, found.is_present.tolist(), found.patterns.dice(0, 1))
    3 [True, True] 0.5
    1 [True, False] 0.0
    """
    from lesionary.core.readers._run_pattern_kernels import sort_by_key, unite_runs

    arrays = checked_arrays(arrays)
    if arrays[0].ndim != 3:
        raise InputError(f"components need three axes, not {arrays[0].ndim}")
    n_k, n_j, n_i = arrays[0].shape
    n_readers = len(arrays)
    runs, readers = _runs_of(arrays, values)
    united, holder = unite_runs(runs)
    unions, numbers = _connected(united, (n_k, n_j, n_i), is_one_object=is_one_object)
    order, run_begins = sort_by_key(numbers[holder] * n_readers + readers, len(unions) * n_readers)
    objects, patterns, counts = _counted(runs, readers, holder, numbers, n_readers)
    return PatternComponents(
        n_readers=n_readers,
        unions=unions,
        patterns=patterns,
        counts=counts,
        pattern_begins=np.searchsorted(objects, np.arange(len(unions) + 1)),
        runs=runs[order, :3],
        run_begins=run_begins,
    )


def _runs_of(
    arrays: Sequence[AnyArray], values: Collection[int] | None
) -> tuple[NDArray[np.int32], Ints]:
    """Return all readers' runs, sorted by value, row and start, and the reader of each."""
    from lesionary.core._kernels import find_runs

    width = arrays[0].shape[2]
    lists = []
    for array in arrays:
        (flat,) = flat_voxels(array)
        shift = 3 if flat.itemsize == 1 else 2
        words = flat[: flat.size >> shift << shift].view(np.uint64)
        lists.append(find_runs(flat, words, shift, width))
    runs = np.concatenate(lists)
    readers = np.repeat(np.arange(len(arrays)), [len(found) for found in lists])
    if values is not None:
        is_wanted = np.isin(runs[:, 3], sorted(set(values)))
        runs, readers = runs[is_wanted], readers[is_wanted]
    places = runs[:, 0].astype(np.int64) * width + runs[:, 1]
    order = np.argsort(places, kind="stable")  # merges the readers' sorted lists
    order = order[np.argsort(runs[order, 3].astype(np.uint16), kind="stable")]
    return runs[order], readers[order]


def _connected(
    runs: NDArray[np.int32], shape: tuple[int, int, int], *, is_one_object: bool = False
) -> tuple[Components, Ints]:
    """Group disjoint runs, sorted by value, row and start, into components of each value.

    Where each value is one object, its runs are one component, connected or not. Returns the
    components and the number of each run's.
    """
    from lesionary.core._kernels import group_runs, join_runs

    bounds = np.flatnonzero(np.diff(runs[:, 3], prepend=-1, append=-1))
    numbers = np.empty(len(runs), dtype=np.int64)
    groups: list[tuple[AnyArray, ...]] = []
    n = n_runs = 0
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        part = runs[begin:end]
        parents = np.zeros(len(part), np.int32) if is_one_object else join_runs(part, shape[1])
        grouped, begins, voxels, boxes = group_runs(part, parents, shape[1])
        numbers[begin:end] = parents + n  # group_runs has turned them into components
        values = np.full(len(voxels), part[0, 3], dtype=np.uint16)
        groups.append((values, voxels, boxes, grouped, begins[:-1] + n_runs))
        n += len(voxels)
        n_runs += len(part)
    if not groups:
        nothing = np.zeros(0, dtype=np.int64)
        boxes = np.zeros((0, 3, 2), dtype=np.int32)
        none = Components(
            shape, nothing.astype(np.uint16), nothing, boxes, runs[:, :3], np.zeros(1, np.int64)
        )
        return none, numbers
    values, voxels, boxes, grouped, begins = (
        np.concatenate(column) for column in zip(*groups, strict=True)
    )
    return Components(shape, values, voxels, boxes, grouped, np.append(begins, n_runs)), numbers


def _counted(
    runs: NDArray[np.int32], readers: Ints, holder: Ints, numbers: Ints, n_readers: int
) -> tuple[Ints, NDArray[np.uint64], Ints]:
    """Return object, pattern and count, sorted by the first two."""
    from lesionary.core.readers._pattern_kernels import larger_table, new_table
    from lesionary.core.readers._run_pattern_kernels import count_run_patterns

    table, n_taken, run = new_table(1024), 0, 0
    while True:
        n_taken, run = count_run_patterns(
            runs, readers, holder, numbers, n_readers, table, n_taken, run
        )
        if run == len(runs):
            break
        table = larger_table(table, 2 * table[0].size)
    objects, patterns, counts = sorted_entries(table)
    return objects - 1, patterns, counts


def _with_value(runs: RunArray, value: AnyArray) -> NDArray[np.int32]:
    return np.column_stack([runs, value]).astype(np.int32)


def _joined(runs: RunArray, union: Component) -> Component:
    """Return one reader's runs within an object as a component of their own."""
    k, j = np.divmod(runs[:, 0], union.shape[1])
    return Component(
        value=union.value,
        n_voxels=int((runs[:, 2] - runs[:, 1]).sum()),
        first=(int(k[0]), int(j[0]), int(runs[0, 1])),
        box=(
            slice(int(k.min()), int(k.max()) + 1),
            slice(int(j.min()), int(j.max()) + 1),
            slice(int(runs[:, 1].min()), int(runs[:, 2].max())),
        ),
        runs=runs,
        shape=union.shape,
    )


def _numbered(parts: Components, union: Component) -> Ints:
    """Return a map of the union's box that holds 1, 2, … in the parts."""
    crop = np.zeros([side.stop - side.start for side in union.box], dtype=np.int64)
    for number, part in enumerate(parts, start=1):
        here = tuple(
            slice(side.start - whole.start, side.stop - whole.start)
            for side, whole in zip(part.box, union.box, strict=True)
        )
        crop[here][part.crop()] = number
    return crop


def _bridges(one: Ints, other: Ints) -> bool:
    """Tell whether a part of the one overlaps two parts of the other."""
    is_shared = (one > 0) & (other > 0)
    pairs = np.unique(np.column_stack([one[is_shared], other[is_shared]]), axis=0)
    return bool((np.bincount(pairs[:, 0]) > 1).any()) if len(pairs) else False
