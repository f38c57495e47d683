"""Compiled loops over the runs of two readers. Import at first use: numba is heavy."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel

PieceRuns = NDArray[np.int32]
"""Shape (n, 4): row, first column, column after the last, piece; in voxel order."""


@kernel
def find_meetings(first: PieceRuns, second: PieceRuns, n_j: int) -> NDArray[np.int32]:
    """List which pieces of two readers overlap or touch (26 neighbours), shape (m, 2).

    A pair is listed once or several times. Both lists of runs come in voxel order and no two runs
    of one list overlap, so one pointer into ``second`` for each of the nine neighbouring rows
    walks along with ``first``.
    """
    met = np.empty((256, 2), np.int32)
    n = 0
    n_second = second.shape[0]
    pointers = np.zeros(9, np.int64)
    for run in range(first.shape[0]):
        row, start, stop = np.int64(first[run, 0]), first[run, 1], first[run, 2]
        piece = first[run, 3]
        j = row % n_j
        for neighbour in range(9):
            step_j = neighbour % 3 - 1
            if j + step_j < 0 or j + step_j >= n_j:
                continue
            target = row + (neighbour // 3 - 1) * n_j + step_j
            other = pointers[neighbour]
            while other < n_second and (
                second[other, 0] < target
                or (second[other, 0] == target and second[other, 2] < start)
            ):
                other += 1
            pointers[neighbour] = other
            while other < n_second and second[other, 0] == target and second[other, 1] <= stop:
                if n == 0 or met[n - 1, 0] != piece or met[n - 1, 1] != second[other, 3]:
                    if n == met.shape[0]:
                        grown = np.empty((2 * n, 2), np.int32)
                        grown[:n] = met
                        met = grown
                    met[n, 0] = piece
                    met[n, 1] = second[other, 3]
                    n += 1
                other += 1
    return met[:n].copy()
