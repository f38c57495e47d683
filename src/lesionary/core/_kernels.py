"""Compiled loops over voxels that more than one stage needs. Import at first use: numba is heavy.

A *run* is a stretch of equal, non-zero voxels within one row (along ``i``). Rows are numbered
``k * n_j + j``, so runs listed by row and start are listed in the order of the voxels.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel
from lesionary.core.volume import AnyArray

Runs = NDArray[np.int32]
"""Shape (n, 3): row, first column, column after the last."""

ValuedRuns = NDArray[np.int32]
"""Shape (n, 4): a run and the value of its voxels."""

_BLOCK = 128  # words looked at together while skipping empty space: a row of 512 uint16


@kernel
def _is_empty_block(words: NDArray[np.uint64]) -> bool:
    held = np.uint64(0)
    for word in range(_BLOCK):  # a fixed number, so that the compiler unrolls it into wide ors
        held |= words[word]
    return bool(held == np.uint64(0))


@kernel
def find_runs(flat: AnyArray, words: NDArray[np.uint64], shift: int, width: int) -> ValuedRuns:
    """List the runs of ``flat``, the voxels in C order; ``words`` are the same bytes by eight.

    A word holds ``2 ** shift`` voxels (4 of uint16, 8 of uint8). ``words`` ends early where the
    voxels do not fill the last one. What meets a word is uint64: numba turns uint64 with int64
    into float64.
    """
    per_word = 1 << shift
    lane_mask = per_word - 1
    ones = np.uint64(0x0001000100010001) if shift == 2 else np.uint64(0x0101010101010101)
    empty = np.uint64(0)
    runs = np.empty((1024, 4), np.int32)
    n = row = row_end = voxel = 0
    while voxel < flat.size:
        word = voxel >> shift
        end_word = min(word + _BLOCK, words.size)
        if end_word == word + _BLOCK and _is_empty_block(words[word:end_word]):
            voxel = end_word << shift
            continue
        end = end_word << shift if end_word > word else flat.size
        while voxel < end:
            if voxel & lane_mask == 0:
                word = voxel >> shift
                while word < end_word and words[word] == empty:
                    word += 1
                voxel = max(voxel, word << shift)
                if voxel >= end:
                    break
            value = flat[voxel]
            if value == 0:
                voxel += 1
                continue
            if voxel >= row_end:
                row = voxel // width
                row_end = (row + 1) * width
            start = voxel
            pattern = np.uint64(value) * ones
            voxel += 1
            while voxel < row_end and flat[voxel] == value:
                if voxel & lane_mask == lane_mask:
                    word = (voxel >> shift) + 1
                    last = row_end >> shift
                    while word < last and words[word] == pattern:
                        word += 1
                    voxel = (word << shift) - 1
                voxel += 1
            if n == runs.shape[0]:
                grown = np.empty((2 * n, 4), np.int32)
                grown[:n] = runs
                runs = grown
            runs[n, 0] = row
            runs[n, 1] = start - row * width
            runs[n, 2] = voxel - row * width
            runs[n, 3] = value
            n += 1
    return runs[:n].copy()


@kernel
def root_of(parents: NDArray[np.int32], run: int) -> int:
    """Follow the parents of a run to the first of its component; shorten the way for others."""
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


@kernel
def join_runs(runs: ValuedRuns, n_j: int) -> NDArray[np.int32]:
    """Give every run the index of the first run of its 26-connected component.

    The runs of a row meet those of the four preceding rows that touch it: three of the slice
    above, one beside. Rows come in order, so one pointer for each of the four walks along.
    """
    n = runs.shape[0]
    parents = np.arange(n).astype(np.int32)
    pointers = np.zeros(4, np.int64)
    begin = 0
    while begin < n:
        row = np.int64(runs[begin, 0])
        end = begin + 1
        while end < n and runs[end, 0] == row:
            end += 1
        j = row % n_j
        for neighbour in range(4):
            step = neighbour - 1 if neighbour < 3 else -1
            if j + step < 0 or j + step >= n_j:
                continue
            target = row + step if neighbour == 3 else row - n_j + step
            other = pointers[neighbour]
            while runs[other, 0] < target:
                other += 1
            pointers[neighbour] = other
            for run in range(begin, end):
                start, stop, value = runs[run, 1], runs[run, 2], runs[run, 3]
                while runs[other, 0] == target and runs[other, 2] < start:
                    other += 1
                met = other
                while runs[met, 0] == target and runs[met, 1] <= stop:
                    if runs[met, 3] == value and parents[met] != parents[run]:
                        mine, theirs = root_of(parents, run), root_of(parents, met)
                        parents[max(mine, theirs)] = min(mine, theirs)
                    met += 1
        begin = end
    for run in range(n):
        parents[run] = parents[parents[run]]  # a parent comes first, so it is flat already
    return parents


@kernel
def group_runs(
    runs: ValuedRuns, parents: NDArray[np.int32], n_j: int
) -> tuple[Runs, NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Sort runs by component and sum each up.

    Components are numbered by their first voxel. Returns the runs, where each component's begin
    (one more entry than components), its voxels, and its box (n, 3, 2), half-open along (k, j, i).
    """
    n = 0
    for run in range(runs.shape[0]):
        if parents[run] == run:
            n += 1
    begins = np.zeros(n + 1, np.int64)
    n = 0
    for run in range(runs.shape[0]):  # `parents` becomes the component's number, counted from 0
        if parents[run] == run:
            parents[run] = n
            n += 1
        else:
            parents[run] = parents[parents[run]]
        begins[parents[run] + 1] += 1
    for component in range(n):
        begins[component + 1] += begins[component]
    grouped = np.empty((runs.shape[0], 3), np.int32)
    voxels = np.zeros(n, np.int64)
    boxes = np.empty((n, 3, 2), np.int32)
    boxes[:, :, 0] = np.iinfo(np.int32).max
    boxes[:, :, 1] = 0
    filled = begins[:-1].copy()
    for run in range(runs.shape[0]):
        component = parents[run]
        row, start, stop = runs[run, 0], runs[run, 1], runs[run, 2]
        place = filled[component]
        grouped[place, 0], grouped[place, 1], grouped[place, 2] = row, start, stop
        filled[component] += 1
        voxels[component] += stop - start
        box = boxes[component]
        k, j = row // n_j, row % n_j
        box[0, 0], box[0, 1] = min(box[0, 0], k), max(box[0, 1], k + 1)
        box[1, 0], box[1, 1] = min(box[1, 0], j), max(box[1, 1], j + 1)
        box[2, 0], box[2, 1] = min(box[2, 0], start), max(box[2, 1], stop)
    return grouped, begins, voxels, boxes


@kernel
def paint_runs(runs: Runs, begins: NDArray[np.int64], numbers: NDArray[Any], out: AnyArray) -> None:
    """Write ``numbers[n]`` into the voxels of component ``n``; ``out`` has shape (rows, width)."""
    for component in range(begins.size - 1):
        number = numbers[component]
        if number == 0:
            continue
        for run in range(begins[component], begins[component + 1]):
            out[runs[run, 0], runs[run, 1] : runs[run, 2]] = number


@kernel
def paint_crop(runs: Runs, n_j: int, corner: tuple[int, int, int], out: AnyArray) -> None:
    """Set the voxels of ``runs`` in ``out``, a mask whose first voxel is the image's ``corner``."""
    k, j, i = corner
    for run in range(runs.shape[0]):
        row = runs[run, 0]
        out[row // n_j - k, row % n_j - j, runs[run, 1] - i : runs[run, 2] - i] = True
