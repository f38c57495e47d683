"""Compiled loops over what several readers drew on the same voxels. Import at first use.

The *pattern* of a value at a voxel has bit r set where reader r gave the voxel that value. Patterns
are uint64 throughout: numba turns uint64 with int64 into float64, so no plain number meets one.

Voxels are looked at by blocks of ``BLOCK``. Blocks that no reader touched are passed over while
streaming through memory; the others are gathered into a small buffer, shape (readers, voxels), so
that one compiled loop serves any number of readers.

A *table* counts by value and pattern: open addressing with linear probing, a power of two of slots,
at most half of them taken. Value 0 marks a free slot.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core._kernels import _BLOCK as _WIDE
from lesionary.core._kernels import _is_empty_block
from lesionary.core.jit import kernel
from lesionary.core.volume import AnyArray

BLOCK = 128
"""Voxels of a block: a quarter of a row of 512."""

Int = Any
"""An int, or one of numpy's: the same to the compiler, which has no other."""

Table = tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]
"""Value, pattern and count of each slot."""

Batch = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint64], NDArray[np.uint64]]
"""Numbers of the blocks; their voxels, a row a reader; the same bytes by eight; all rows or-ed."""

_LANES = 4  # uint16 voxels in a word


@kernel
def mark_blocks(words: NDArray[np.uint64], per_block: int, is_used: NDArray[np.bool_]) -> None:
    """Mark the blocks of ``per_block`` words that are not all zero."""
    per_wide = _WIDE // per_block
    for wide in range(-(-words.size // _WIDE)):
        begin = wide * _WIDE
        end = min(begin + _WIDE, words.size)
        if end == begin + _WIDE and _is_empty_block(words[begin:end]):
            continue
        for block in range(wide * per_wide, end // per_block):
            if is_used[block]:
                continue
            for word in range(block * per_block, (block + 1) * per_block):
                if words[word] != np.uint64(0):
                    is_used[block] = True
                    break


@kernel
def gather(
    flat: AnyArray, blocks: NDArray[np.int64], meaning: NDArray[np.uint16], row: NDArray[np.uint16]
) -> None:
    """Copy blocks of one reader into a row of the buffer; 0 where the image has ended.

    ``meaning`` translates values, and is empty where they stay as they are.
    """
    for place in range(blocks.size):
        begin = blocks[place] * BLOCK
        end = min(begin + BLOCK, flat.size)
        target = row[place * BLOCK : (place + 1) * BLOCK]
        source = flat[begin:end]
        if meaning.size == 0:
            for voxel in range(source.size):
                target[voxel] = source[voxel]
        else:
            for voxel in range(source.size):
                target[voxel] = meaning[source[voxel]]
        target[source.size :] = 0


@kernel
def new_table(n_slots: int) -> Table:
    """Return an empty table; ``n_slots`` is a power of two."""
    return np.zeros(n_slots, np.int64), np.zeros(n_slots, np.uint64), np.zeros(n_slots, np.int64)


@kernel
def slot_of(
    values: NDArray[np.int64], patterns: NDArray[np.uint64], value: Int, pattern: Any, guess: Int
) -> Int:
    """Return the slot of a value and pattern, or the free one where they belong.

    ``guess`` is a slot to try first: voxels follow others of their kind.
    """
    if values[guess] == value and patterns[guess] == pattern:
        return guess
    key = pattern * np.uint64(0x9E3779B97F4A7C15) + np.uint64(value) * np.uint64(0xC2B2AE3D27D4EB4F)
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64((key ^ (key >> np.uint64(32))) & np.uint64(values.size - 1))
    while values[slot] != 0 and (values[slot] != value or patterns[slot] != pattern):
        slot = (slot + 1) & (values.size - 1)
    return slot


@kernel
def take(
    values: NDArray[np.int64], patterns: NDArray[np.uint64], slot: Int, value: Int, pattern: Any
) -> int:
    """Claim a slot that ``slot_of`` returned; return 1 where it was free, else 0."""
    if values[slot] != 0:
        return 0
    values[slot] = value
    patterns[slot] = pattern
    return 1


@kernel
def larger_table(table: Table, n_slots: int) -> Table:
    """Return the same entries in a table of ``n_slots``, a power of two."""
    values, patterns, counts = new_table(n_slots)
    for old in range(table[0].size):
        if table[0][old] != 0:
            slot = slot_of(values, patterns, table[0][old], table[1][old], 0)
            take(values, patterns, slot, table[0][old], table[1][old])
            counts[slot] = table[2][old]
    return values, patterns, counts


@kernel
def _pattern_at(buffer: NDArray[np.uint16], voxel: int, first: int, value: Int) -> Any:
    """Return the pattern of ``value``, or 0 where a reader before ``first`` gave it already."""
    for reader in range(first):
        if buffer[reader, voxel] == value:
            return np.uint64(0)
    pattern = np.uint64(0)
    for reader in range(first, buffer.shape[0]):
        if buffer[reader, voxel] == value:
            pattern |= np.uint64(1) << np.uint64(reader)
    return pattern


@kernel
def unite_words(words: NDArray[np.uint64], held: NDArray[np.uint64]) -> None:
    """Write the bits that any reader's word holds: 0 where nobody drew any of its voxels."""
    held[:] = words[0]
    for reader in range(1, words.shape[0]):
        row = words[reader]
        for word in range(held.size):
            held[word] |= row[word]


@kernel
def _uniform_pattern(words: NDArray[np.uint64], word: int, held: Any) -> Any:
    """Return the pattern of four voxels that every reader gave one value or none; 0 if not so."""
    if held != (held & np.uint64(0xFFFF)) * np.uint64(0x0001000100010001):
        return np.uint64(0)
    pattern = np.uint64(0)
    for reader in range(words.shape[0]):
        mine = words[reader, word]
        if mine == held:
            pattern |= np.uint64(1) << np.uint64(reader)
        elif mine != np.uint64(0):
            return np.uint64(0)
    return pattern


@kernel
def count_patterns(
    buffer: NDArray[np.uint16],
    words: NDArray[np.uint64],
    held: NDArray[np.uint64],
    table: Table,
    n_taken: int,
    word: int,
) -> tuple[int, int]:
    """Count the patterns of every value in the buffer, whose bytes ``words`` shows by eight.

    ``held`` is what ``unite_words`` writes. Begins at ``word`` and stops before the first word for
    which the table may have no room. (Were the table enlarged here, its arrays would be rebound in
    the loop, and numba would count references for every voxel.) Returns how many slots are taken
    and the word to go on with.
    """
    n_readers = buffer.shape[0]
    values, patterns, counts = table
    slot: Int = 0
    while word < held.size:
        if held[word] == np.uint64(0):
            word += 1
            continue
        if 2 * (n_taken + _LANES * n_readers) > values.size:
            break
        uniform = _uniform_pattern(words, word, held[word])
        if uniform != np.uint64(0):
            value: Int = np.int64(held[word] & np.uint64(0xFFFF))
            slot = slot_of(values, patterns, value, uniform, slot)
            n_taken += take(values, patterns, slot, value, uniform)
            counts[slot] += _LANES
            word += 1
            continue
        for voxel in range(word * _LANES, (word + 1) * _LANES):
            for reader in range(n_readers):
                value = np.int64(buffer[reader, voxel])
                if value == 0:
                    continue
                pattern = _pattern_at(buffer, voxel, reader, value)
                if pattern == np.uint64(0):
                    continue
                slot = slot_of(values, patterns, value, pattern, slot)
                n_taken += take(values, patterns, slot, value, pattern)
                counts[slot] += 1
        word += 1
    return n_taken, word


@kernel
def index_table(entry_values: NDArray[np.int64], entry_patterns: NDArray[np.uint64]) -> Table:
    """Return a table that holds, in the place of counts, each entry's index."""
    n_slots = 16
    while n_slots < 4 * entry_values.size:
        n_slots *= 2
    values, patterns, entries = new_table(n_slots)
    for entry in range(entry_values.size):
        value, pattern = entry_values[entry], entry_patterns[entry]
        slot = slot_of(values, patterns, value, pattern, 0)
        take(values, patterns, slot, value, pattern)
        entries[slot] = entry
    return values, patterns, entries


@kernel
def _is_drawn(buffer: NDArray[np.uint16], voxel: int, value: Int) -> bool:
    for reader in range(buffer.shape[0]):  # noqa: SIM110 - compiled: no generators
        if buffer[reader, voxel] == value:
            return True
    return False


@kernel
def _is_better(score: Any, value: Int, best_score: Any, best_value: Int) -> bool:
    return bool(score > best_score or (score == best_score and value < best_value))


@kernel
def paint_best(
    batch: Batch,
    table: Table,
    scores: NDArray[np.float64],
    empty: NDArray[np.int64],
    numbers: AnyArray,
    out: AnyArray,
) -> bool:
    """Write the best entry's number into each voxel of a batch of blocks.

    The candidates are the patterns of the values drawn there and the empty pattern of the first
    value not drawn there. The highest of ``scores`` wins, ties go to the lower value. ``empty``
    lists the entries of empty patterns, best first. Voxels that nobody drew are left alone.

    Returns
    -------
    bool
        False where a pattern has no entry in the ``index_table``.
    """
    blocks, buffer, words, held = batch
    values, patterns, entries = table
    value_of = np.zeros(scores.size, np.int64)
    slot: Int = 0
    for slot in range(values.size):
        if values[slot] != 0:
            value_of[entries[slot]] = values[slot]
    is_uniform = False
    best: Int = -1
    for voxel in range(buffer.shape[1]):
        word = voxel // _LANES
        if held[word] == np.uint64(0):
            continue
        if voxel % _LANES == 0:
            is_uniform = _uniform_pattern(words, word, held[word]) != np.uint64(0)
        elif is_uniform:
            out[blocks[voxel // BLOCK] * BLOCK + voxel % BLOCK] = numbers[best]
            continue
        best = -1
        for reader in range(buffer.shape[0]):
            value = np.int64(buffer[reader, voxel])
            if value == 0:
                continue
            pattern = _pattern_at(buffer, voxel, reader, value)
            if pattern == np.uint64(0):
                continue
            slot = slot_of(values, patterns, value, pattern, slot)
            if values[slot] == 0:
                return False
            entry = entries[slot]
            if best < 0 or _is_better(scores[entry], value, scores[best], value_of[best]):
                best = entry
        if best < 0:
            continue
        for entry in empty:
            value = value_of[entry]
            if not _is_drawn(buffer, voxel, value):
                if _is_better(scores[entry], value, scores[best], value_of[best]):
                    best = entry
                break
        out[blocks[voxel // BLOCK] * BLOCK + voxel % BLOCK] = numbers[best]
    return True
