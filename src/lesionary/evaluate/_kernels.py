"""Compiled loops of this stage. Import at first use: numba is heavy."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel

Runs = NDArray[np.int32]
"""Shape (n, 3), in voxel order: row, first column, column after the last."""


@kernel
def shared_voxels(
    first: Runs,
    first_owners: NDArray[np.int32],
    second: Runs,
    second_owners: NDArray[np.int32],
) -> NDArray[np.int64]:
    """List the stretches of voxels that two sides share: owner, owner, voxels; shape (n, 3).

    Neighbouring stretches of the same two owners are added up, so one pair of lesions comes a few
    times at most for each of its rows. One sweep: both sides come in voxel order.
    """
    met = np.empty((first.shape[0] + second.shape[0], 3), np.int64)
    n = one = other = 0
    while one < first.shape[0] and other < second.shape[0]:
        row, other_row = first[one, 0], second[other, 0]
        if row < other_row:
            one += 1
            continue
        if other_row < row:
            other += 1
            continue
        stop, other_stop = first[one, 2], second[other, 2]
        voxels = min(stop, other_stop) - max(first[one, 1], second[other, 1])
        if voxels > 0:
            mine, theirs = first_owners[one], second_owners[other]
            if n > 0 and met[n - 1, 0] == mine and met[n - 1, 1] == theirs:
                met[n - 1, 2] += voxels
            else:
                met[n, 0], met[n, 1], met[n, 2] = mine, theirs, voxels
                n += 1
        if stop <= other_stop:
            one += 1
        else:
            other += 1
    return met[:n].copy()
