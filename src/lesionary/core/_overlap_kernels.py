"""The compiled pass over two label maps at once. Import at first use: numba is heavy.

A *joint run* is a stretch of voxels of one row along which neither map changes its value, and at
least one holds something. They are collected in portions of bounded size, then counted.
"""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel
from lesionary.core.volume import AnyArray

Words = NDArray[np.uint64]

JointRuns = NDArray[np.int32]
"""Shape (n, 5): row ``k * n_j + j``, first column, column after the last, both values."""

_BLOCK = 128  # words looked at together while skipping empty space: a row of 512 uint16


@kernel
def _is_empty_block(one: Words, other: Words) -> bool:
    held = np.uint64(0)
    for word in range(_BLOCK):  # a fixed number, so that the compiler unrolls it into wide ors
        held |= one[word] | other[word]
    return bool(held == np.uint64(0))


@kernel
def find_joint_runs(
    first: AnyArray,
    second: AnyArray,
    first_words: Words,
    second_words: Words,
    width: int,
    voxel: int,
    runs: JointRuns,
) -> tuple[int, int]:
    """Fill ``runs`` with the joint runs from ``voxel`` on; return how many, and where to go on.

    Both maps have the same type and are given in C order, once as voxels, once as words of eight
    bytes, which end early where the voxels do not fill the last one.
    """
    shift = 3 if first.itemsize == 1 else 2  # a word holds 2 ** shift voxels
    lane_mask = (1 << shift) - 1
    ones = np.uint64(0x0001000100010001) if shift == 2 else np.uint64(0x0101010101010101)
    empty = np.uint64(0)
    n_words = first_words.size
    n = row = row_end = 0
    while voxel < first.size:
        word = voxel >> shift
        end_word = min(word + _BLOCK, n_words)
        if end_word == word + _BLOCK and _is_empty_block(
            first_words[word:end_word], second_words[word:end_word]
        ):
            voxel = end_word << shift
            continue
        end = end_word << shift if end_word > word else first.size
        while voxel < end:
            if voxel & lane_mask == 0:
                word = voxel >> shift
                while word < end_word and first_words[word] | second_words[word] == empty:
                    word += 1
                voxel = max(voxel, word << shift)
                if voxel >= end:
                    break
            a, b = first[voxel], second[voxel]
            if a | b == 0:
                voxel += 1
                continue
            if n == runs.shape[0]:
                return n, voxel
            if voxel >= row_end:
                row = voxel // width
                row_end = (row + 1) * width
            start = voxel
            a_pattern = np.uint64(a) * ones  # uint64 all along: with int64 numba makes it float64
            b_pattern = np.uint64(b) * ones
            voxel += 1
            while voxel < row_end and first[voxel] == a and second[voxel] == b:
                if voxel & lane_mask == lane_mask:
                    word = (voxel >> shift) + 1
                    last = row_end >> shift
                    while (
                        word < last
                        and first_words[word] == a_pattern
                        and second_words[word] == b_pattern
                    ):
                        word += 1
                    voxel = (word << shift) - 1
                voxel += 1
            runs[n, 0] = row
            runs[n, 1] = start - row * width
            runs[n, 2] = voxel - row * width
            runs[n, 3] = a
            runs[n, 4] = b
            n += 1
    return n, voxel


@kernel
def number_values(runs: JointRuns, column: int, numbers: NDArray[np.int32], n: int) -> int:
    """Give values that stand in ``column`` for the first time the next numbers from ``n`` on."""
    for run in range(runs.shape[0]):
        value = runs[run, column]
        if numbers[value] < 0:
            numbers[value] = n
            n += 1
    return n


@kernel
def count_runs(
    runs: JointRuns,
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> None:
    """Add the runs' voxels to the table; ``rows`` and ``columns`` number the values."""
    for run in range(runs.shape[0]):
        row, column = rows[runs[run, 3]], columns[runs[run, 4]]
        counts[row, column] += runs[run, 2] - runs[run, 1]


@kernel
def enclose_runs(
    runs: JointRuns, column: int, n_j: int, numbers: NDArray[np.int32], boxes: NDArray[np.int32]
) -> None:
    """Widen the boxes (n, 3, 2), half-open along (k, j, i), to hold the runs of their values."""
    for run in range(runs.shape[0]):
        box = boxes[numbers[runs[run, column]]]
        k, j = runs[run, 0] // n_j, runs[run, 0] % n_j
        box[0, 0], box[0, 1] = min(box[0, 0], k), max(box[0, 1], k + 1)
        box[1, 0], box[1, 1] = min(box[1, 0], j), max(box[1, 1], j + 1)
        box[2, 0], box[2, 1] = min(box[2, 0], runs[run, 1]), max(box[2, 1], runs[run, 2])
