"""Compiled loops of the prepare stage; imported at first use."""

import math

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel

_CROSSING_SLACK = 1e-9  # float64's noise must not push a crossing off the centre it lies on


@kernel
def flip_crossings(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    starts: NDArray[np.int64],
    slices: NDArray[np.int64],
    parity: NDArray[np.uint8],
) -> None:
    """Flip, for every side of every polygon, the first voxel of each row at or after the side.

    Parameters
    ----------
    rows, columns : array, shape (points,)
        Row and column of each vertex.
    starts : array, shape (polygons + 1,)
        Where each polygon begins in ``rows``.
    slices : array, shape (polygons,)
        Slice of each polygon; those beyond the image are passed over.
    parity : uint8 array, shape (slices, rows, columns)
        Changed in place. The exclusive or along each row is the filled image.
    """
    n_slices, n_rows, n_columns = parity.shape
    for polygon in range(slices.shape[0]):
        index = slices[polygon]
        if index < 0 or index >= n_slices:
            continue
        last = starts[polygon + 1] - 1
        for end in range(starts[polygon], starts[polygon + 1]):
            low = last
            high = end
            last = end
            if rows[low] > rows[high]:  # one direction, so that a side drawn back and forth
                low, high = high, low  # crosses each row at the same float
            y = rows[low]
            x = columns[low]
            height = rows[high] - y
            # a side holds its lower end's row and not its upper end's: level sides hold none
            first_row = max(0, math.ceil(max(y, -1.0)))
            stop_row = math.ceil(min(rows[high], float(n_rows)))
            for row in range(first_row, stop_row):
                crossing = x + (row - y) / height * (columns[high] - x)
                if crossing > n_columns:
                    continue
                column = max(0, math.ceil(max(crossing, -1.0) - _CROSSING_SLACK))
                if column < n_columns:
                    parity[index, row, column] ^= 1
