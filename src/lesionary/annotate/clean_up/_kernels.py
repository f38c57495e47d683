"""Compiled search for the nearest anatomy. Import at first use: numba is heavy."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel
from lesionary.core.volume import BoolArray

FAR = 65535
"""Columns to the nearest voxel of a row that holds none; no nearer one is so far."""


@kernel
def columns_to_nearest(mask: BoolArray) -> NDArray[np.uint16]:
    """Count columns from every voxel to the nearest inside voxel of its own row; 0 inside."""
    n_k, n_j, n_i = mask.shape
    columns = np.empty(mask.shape, np.uint16)
    for k in range(n_k):
        for j in range(n_j):
            away = FAR
            for i in range(n_i):
                away = 0 if mask[k, j, i] else min(away + 1, FAR)
                columns[k, j, i] = away
            away = FAR
            for i in range(n_i - 1, -1, -1):
                away = 0 if mask[k, j, i] else min(away + 1, FAR)
                if away < np.int64(columns[k, j, i]):
                    columns[k, j, i] = away
    return columns


@kernel
def is_near(
    columns: NDArray[np.uint16],
    voxels: NDArray[np.int64],
    steps: NDArray[np.int64],
) -> BoolArray:
    """Tell of each voxel whether an inside voxel lies in reach.

    ``voxels`` has shape (n, 3). ``steps`` has shape (m, 3): slices and rows away, nearest first,
    and how many columns are then in reach.
    """
    n_k, n_j, _ = columns.shape
    near = np.zeros(voxels.shape[0], np.bool_)
    for voxel in range(voxels.shape[0]):
        i = voxels[voxel, 2]
        for step in range(steps.shape[0]):
            k = voxels[voxel, 0] + steps[step, 0]
            j = voxels[voxel, 1] + steps[step, 1]
            if 0 <= k < n_k and 0 <= j < n_j and np.int64(columns[k, j, i]) <= steps[step, 2]:
                near[voxel] = True
                break
    return near
