"""Clean-up that every drafted mask gets: one piece, without holes."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import BoolArray


def single_solid(inside: BoolArray) -> BoolArray:
    """Keep the piece that fills the middle, else the largest, and fill its holes.

    Pieces are connected by faces. The middle is the inner half of each axis.

    Parameters
    ----------
    inside : bool array, shape (slices, rows, columns)
        What was found in a box. Empty stays empty.

    Returns
    -------
    bool array of the same shape
    """
    from scipy.ndimage import label

    pieces, n_pieces = label(inside)
    if n_pieces == 0:
        return inside
    return fill_holes(inside if n_pieces == 1 else pieces == _piece_of_the_middle(pieces))


def _piece_of_the_middle(pieces: NDArray[np.int32]) -> int:
    """Return the piece with most voxels in the middle; the largest where none lies there."""
    middle = tuple(slice(n // 4, n - n // 4) for n in pieces.shape)
    part = pieces[middle] if pieces[middle].any() else pieces
    return int(np.argmax(np.bincount(part.ravel())[1:])) + 1


def fill_holes(solid: BoolArray) -> BoolArray:
    """Fill background that no path through faces joins to the array's border."""
    from scipy.ndimage import label

    gaps, n_gaps = label(~solid)
    is_open = np.zeros(n_gaps + 1, dtype=np.bool_)
    for axis in range(solid.ndim):
        for end in (0, -1):
            is_open[np.take(gaps, end, axis=axis)] = True
    is_open[0] = False  # the solid itself, which touches the border as well
    filled: BoolArray = ~is_open[gaps]
    return filled
