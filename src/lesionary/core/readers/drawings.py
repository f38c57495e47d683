"""The voxels that any of several readers drew, read by blocks: what patterns are counted from.

Each array is streamed through once to mark the blocks that are not empty; only those are gathered,
a batch at a time, into one small buffer with a row for each reader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.flat import flat_voxels
from lesionary.core.volume import AnyArray

if TYPE_CHECKING:
    from lesionary.core.readers._pattern_kernels import Batch, Table

MAX_READERS = 64
"""Bits of a pattern."""

BATCH = 2048
"""Blocks gathered at once: half a megabyte a reader."""

AS_DRAWN = np.zeros(0, dtype=np.uint16)
"""The translation that leaves values as they are."""


def checked_arrays(arrays: Sequence[AnyArray]) -> tuple[AnyArray, ...]:
    """Return the arrays if they are label arrays of one shape, 1 to 64 of them.

    Raises
    ------
    InputError
        If there are none, too many, or one of another type.
    GeometryMismatchError
        If they differ in shape.
    """
    if not 1 <= len(arrays) <= MAX_READERS:
        raise InputError(f"1 to {MAX_READERS} readers can be compared, not {len(arrays)}")
    for array in arrays:
        if array.dtype.kind not in "bu" or array.dtype.itemsize > 2:
            raise InputError(f"readers' labels are bool, uint8 or uint16, not {array.dtype}")
        if array.shape != arrays[0].shape:
            raise GeometryMismatchError(f"readers drew on {arrays[0].shape} and {array.shape}")
    return tuple(arrays)


def sorted_entries(table: "Table") -> "Table":
    """Return the entries of a table, without its free slots, sorted by value and pattern."""
    values, patterns, counts = table
    taken = np.flatnonzero(values)
    taken = taken[np.lexsort((patterns[taken], values[taken]))]
    return values[taken], patterns[taken], counts[taken]


@dataclass(frozen=True, eq=False)
class Drawings:
    """Several readers' label arrays, ready to be read block by block.

    Parameters
    ----------
    shape : tuple of int
        Of each array.
    voxels : tuple of uint8 or uint16 arrays, each of shape (n_voxels,)
        One a reader, in C order.
    meaning : uint16 array, shape (65536,) or (0,)
        What each value is read as; ``AS_DRAWN`` leaves it.
    blocks : int64 array
        The blocks in which any reader drew anything, ascending.
    """

    shape: tuple[int, ...]
    voxels: tuple[AnyArray, ...]
    meaning: NDArray[np.uint16]
    blocks: NDArray[np.int64]

    @classmethod
    def of(cls, arrays: Sequence[AnyArray], meaning: NDArray[np.uint16] = AS_DRAWN) -> "Drawings":
        """Check the arrays and find the blocks that are not empty."""
        from lesionary.core.readers._pattern_kernels import BLOCK, mark_blocks

        checked = checked_arrays(arrays)
        voxels = tuple(flat_voxels(array)[0] for array in checked)
        size = voxels[0].size
        is_used = np.zeros(-(-size // BLOCK), dtype=np.bool_)
        for flat in voxels:
            whole = flat[: size // BLOCK * BLOCK]
            mark_blocks(whole.view(np.uint64), BLOCK * flat.itemsize // 8, is_used)
            if flat[whole.size :].any():
                is_used[-1] = True
        return cls(checked[0].shape, voxels, meaning, np.flatnonzero(is_used))

    @property
    def n_voxels(self) -> int:
        """Voxels of the image."""
        return int(self.voxels[0].size)

    def batches(self) -> "Iterator[Batch]":
        """Gather the blocks; each batch is overwritten by the next."""
        from lesionary.core.readers._pattern_kernels import BLOCK, gather, unite_words

        n_gathered = min(BATCH, self.blocks.size)
        buffer = np.empty((len(self.voxels), n_gathered * BLOCK), dtype=np.uint16)
        words = buffer.view(np.uint64)
        held = np.empty(words.shape[1], dtype=np.uint64)
        for begin in range(0, self.blocks.size, BATCH):
            blocks = self.blocks[begin : begin + BATCH]
            buffer[:, blocks.size * BLOCK :] = 0
            for flat, row in zip(self.voxels, buffer, strict=True):
                gather(flat, blocks, self.meaning, row)
            unite_words(words, held)
            yield blocks, buffer, words, held

    def counted(self) -> "Table":
        """Return value, pattern and count of all that was drawn, sorted by the first two."""
        from lesionary.core.readers._pattern_kernels import count_patterns, larger_table, new_table

        table, n_taken = new_table(1024), 0
        for _, buffer, words, held in self.batches():
            word = 0
            while True:
                n_taken, word = count_patterns(buffer, words, held, table, n_taken, word)
                if word == held.size:
                    break
                table = larger_table(table, 2 * table[0].size)
        return sorted_entries(table)

    def paint(
        self,
        values: NDArray[np.int64],
        patterns: NDArray[np.uint64],
        scores: NDArray[np.float64],
        numbers: AnyArray,
    ) -> AnyArray:
        """Return an array that holds, in each voxel, the number of its best value and pattern.

        Parameters
        ----------
        values, patterns, scores, numbers : arrays, shape (m,)
            For each value and pattern that occurs, the empty pattern included where it does, how
            good it is and what to write. The highest score wins, ties go to the lower value.

        Raises
        ------
        InputError
            If a pattern of the arrays is missing.
        """
        from lesionary.core.readers._pattern_kernels import index_table, paint_best

        empty = np.flatnonzero(patterns == np.uint64(0))
        empty = empty[np.lexsort((values[empty], -scores[empty]))]
        out = np.zeros(self.n_voxels, dtype=numbers.dtype)
        if empty.size and numbers[empty[0]] != 0:
            out.fill(numbers[empty[0]])
        table = index_table(values, patterns)
        for batch in self.batches():
            if not paint_best(batch, table, scores, empty, numbers, out):
                raise InputError("the patterns are not those of these arrays")
        return out.reshape(self.shape)
