"""What several readers drew, as a histogram: how many voxels each set of readers agreed on.

The *pattern* of a voxel is a number whose bit r is set where reader r drew it. Dice between any
two readers, kappa, alpha, majority and STAPLE need only the count of each pattern: a whole scan
comes down to a few numbers, exact integers, found in one pass that skips what nobody drew.

With labels, every value has patterns of its own: where two readers gave a voxel different values,
it counts for both. The domain is always the whole image: pattern 0 is all that nobody drew.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import MAX_LABEL
from lesionary.core.errors import InputError
from lesionary.core.readers.drawings import MAX_READERS, Drawings
from lesionary.core.volume import AnyArray, BoolArray, read_only

PatternArray = NDArray[np.uint64]
"""Shape (m,): patterns, bit r for reader r."""


@dataclass(frozen=True, eq=False)
class ReaderPatterns:
    """How many voxels each set of readers drew; of one object.

    Parameters
    ----------
    n_readers : int
        1 to 64.
    patterns : uint64 array, shape (m,)
        Ascending; bit r is set where reader r drew the voxel. 0 is the background.
    counts : int64 array, shape (m,)
        Voxels of each; their sum is the domain. Patterns without any are left out.

    Raises
    ------
    InputError
        If the arrays do not fit together or name a reader who is not there.

    Examples
    --------
    >>> two = ReaderPatterns(2, np.array([0, 1, 3], np.uint64), np.array([90, 4, 6]))
    >>> two.voxels.tolist(), two.n_voxels, two.dice(0, 1)
    ([10, 6], 100, 0.75)
    """

    n_readers: int
    patterns: PatternArray
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not 1 <= self.n_readers <= MAX_READERS:
            raise InputError(f"patterns hold 1 to {MAX_READERS} readers, not {self.n_readers}")
        patterns = np.asarray(self.patterns, dtype=np.uint64)
        counts = np.asarray(self.counts, dtype=np.int64)
        if patterns.ndim != 1 or patterns.shape != counts.shape:
            raise InputError(f"patterns of {patterns.shape} with counts of {counts.shape}")
        if (patterns[1:] <= patterns[:-1]).any() or (counts < 0).any():
            raise InputError("patterns are ascending, each once, with no fewer than 0 voxels")
        if patterns.size and int(patterns[-1]) >> self.n_readers:
            raise InputError(f"pattern {int(patterns[-1])} is not one of {self.n_readers} readers")
        object.__setattr__(self, "patterns", read_only(patterns[counts > 0]))
        object.__setattr__(self, "counts", read_only(counts[counts > 0]))

    @property
    def n_voxels(self) -> int:
        """Voxels of the domain."""
        return int(self.counts.sum())

    @property
    def n_background(self) -> int:
        """Voxels that nobody drew."""
        return self.n_voxels - self.n_drawn

    @property
    def n_drawn(self) -> int:
        """Voxels that any reader drew: the union."""
        return int(self.counts[self.patterns > np.uint64(0)].sum())

    @cached_property
    def is_drawn(self) -> BoolArray:
        """Who drew what, shape (n_readers, m)."""
        readers = np.arange(self.n_readers, dtype=np.uint64)[:, None]
        drawn: BoolArray = (self.patterns >> readers & np.uint64(1)).astype(np.bool_)
        return drawn

    @property
    def n_drawing(self) -> NDArray[np.int64]:
        """How many readers drew the voxels of each pattern, shape (m,)."""
        return np.bitwise_count(self.patterns).astype(np.int64)

    @cached_property
    def voxels(self) -> NDArray[np.int64]:
        """Voxels of each reader, shape (n_readers,)."""
        return np.array([self.counts[drawn].sum() for drawn in self.is_drawn], dtype=np.int64)

    def both(self, first: int, second: int) -> int:
        """Voxels that two readers, counted from 0, drew both."""
        return int(self.counts[self.is_drawn[first] & self.is_drawn[second]].sum())

    def dice(self, first: int, second: int) -> float | None:
        """Sørensen–Dice of two readers, counted from 0; None where neither drew anything."""
        total = int(self.voxels[first]) + int(self.voxels[second])
        return 2 * self.both(first, second) / total if total else None

    def with_domain(self, n_voxels: int) -> "ReaderPatterns":
        """Return the same drawings in an image of ``n_voxels``: only the background changes.

        Patterns of a crop that holds all that was drawn become exactly those of the whole image.

        Raises
        ------
        InputError
            If more voxels are drawn than that.
        """
        is_pattern = self.patterns > np.uint64(0)
        return with_background(
            self.n_readers, self.patterns[is_pattern], self.counts[is_pattern], n_voxels
        )

    def restricted(self, readers: Sequence[int]) -> "ReaderPatterns":
        """Return the histogram of some readers, counted from 0, in the order given.

        Raises
        ------
        InputError
            If a reader is named twice or is not there.
        """
        if len(set(readers)) != len(readers) or not set(readers) <= set(range(self.n_readers)):
            raise InputError(f"readers {list(readers)} of {self.n_readers}, counted from 0")
        patterns = np.zeros_like(self.patterns)
        for bit, reader in enumerate(readers):
            patterns |= self.is_drawn[reader].astype(np.uint64) << np.uint64(bit)
        unique, places = np.unique(patterns, return_inverse=True)
        counts = np.zeros(unique.size, dtype=np.int64)
        np.add.at(counts, places, self.counts)
        return ReaderPatterns(len(readers), unique, counts)


def with_background(
    n_readers: int, patterns: PatternArray, counts: NDArray[np.int64], n_voxels: int
) -> ReaderPatterns:
    """Make a histogram of the patterns that are not empty and the size of the image.

    Raises
    ------
    InputError
        If more voxels are drawn than the image has.
    """
    n_drawn = int(counts.sum())
    if n_drawn > n_voxels:
        raise InputError(f"{n_drawn} voxels are drawn: they do not fit into {n_voxels}")
    return ReaderPatterns(
        n_readers,
        np.concatenate([np.zeros(1, dtype=np.uint64), patterns]),
        np.concatenate([np.array([n_voxels - n_drawn], dtype=np.int64), counts]),
    )


def reader_patterns(
    arrays: Sequence[AnyArray], values: Collection[int] | None = None
) -> dict[int, ReaderPatterns]:
    """Count the patterns of every label over the whole image, in one pass.

    Memory: half a megabyte a reader and one byte for 1024 voxels, whatever the image's size; an
    array that is not in C order is copied first.

    Parameters
    ----------
    arrays : sequence of bool, uint8 or uint16 arrays of the same shape
        One a reader, 1 to 64 of them; 0 is background.
    values : collection of int, optional
        Count these only, found or not; by default all that any reader drew.

    Returns
    -------
    dict of int to ReaderPatterns
        By ascending value; empty where nobody drew anything.

    Raises
    ------
    InputError
        If there is no array, more than 64, another type, or a value outside 1 … 65535.
    GeometryMismatchError
        If the arrays differ in shape.

    Examples
    --------
    >>> first, second = np.array([[[0, 1, 1, 2]]], np.uint8), np.array([[[0, 0, 1, 1]]], np.uint8)
    >>> found = reader_patterns([first, second])
    >>> {value: (p.patterns.tolist(), p.counts.tolist()) for value, p in found.items()}
    {1: ([0, 1, 2, 3], [1, 1, 1, 1]), 2: ([0, 1], [3, 1])}
    """
    return patterns_of(Drawings.of(arrays), values)


def patterns_of(
    drawings: Drawings, values: Collection[int] | None = None
) -> dict[int, ReaderPatterns]:
    """Count as :func:`reader_patterns` does, where the blocks have been found already."""
    wanted = None if values is None else _checked(values)
    labels, patterns, counts = drawings.counted()
    wanted = np.unique(labels).tolist() if wanted is None else wanted
    begins = np.searchsorted(labels, wanted)
    ends = np.searchsorted(labels, wanted, side="right")
    n_readers = len(drawings.voxels)
    return {
        value: with_background(n_readers, patterns[begin:end], counts[begin:end], drawings.n_voxels)
        for value, begin, end in zip(wanted, begins, ends, strict=True)
    }


def foreground_patterns(
    arrays: Sequence[AnyArray], values: Collection[int] | None = None
) -> ReaderPatterns:
    """Count the patterns of several labels taken together as one object.

    Parameters
    ----------
    arrays : sequence of bool, uint8 or uint16 arrays of the same shape
        One a reader, 1 to 64 of them; 0 is background.
    values : collection of int, optional
        The labels that make up the object; by default all but 0.

    Returns
    -------
    ReaderPatterns
        Of the whole image.

    Raises
    ------
    InputError, GeometryMismatchError
        As :func:`reader_patterns`.
    """
    drawings = Drawings.of(arrays, one_object(values))
    _, patterns, counts = drawings.counted()
    return with_background(len(arrays), patterns, counts, drawings.n_voxels)


def painted(
    arrays: Sequence[AnyArray],
    patterns: ReaderPatterns,
    numbers: AnyArray,
    values: Collection[int] | None = None,
) -> AnyArray:
    """Return an array of the image's shape that holds the number of each voxel's pattern.

    Parameters
    ----------
    arrays, values
        What ``patterns`` were counted from with :func:`foreground_patterns`.
    patterns : ReaderPatterns
        Of one object.
    numbers : array, shape (m,)
        One for each pattern, such as a probability.

    Returns
    -------
    array of the type of ``numbers``
        Of the arrays' shape.

    Raises
    ------
    InputError
        If there is not one number a pattern, or a pattern of the arrays is missing.
    """
    if numbers.shape != patterns.patterns.shape:
        raise InputError(f"{numbers.shape} numbers for {patterns.patterns.size} patterns")
    drawings = Drawings.of(arrays, one_object(values))
    same = np.ones(numbers.size, dtype=np.int64)
    return drawings.paint(same, patterns.patterns, np.zeros(numbers.size), numbers)


def one_object(values: Collection[int] | None = None) -> NDArray[np.uint16]:
    """Return the table, shape (65536,), that turns ``values``, else all but 0, into 1."""
    meaning = np.zeros(MAX_LABEL + 1, dtype=np.uint16)
    if values is None:
        meaning[1:] = 1
    else:
        meaning[_checked(values)] = 1
    return meaning


def _checked(values: Collection[int]) -> list[int]:
    wanted = sorted(set(values))
    if wanted and not 1 <= wanted[0] <= wanted[-1] <= MAX_LABEL:
        raise InputError(f"labels are 1 to {MAX_LABEL}, not {wanted[0]} to {wanted[-1]}")
    return wanted
