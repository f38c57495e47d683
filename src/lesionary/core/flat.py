"""Label arrays as kernels read them: in C order, eight bytes at a time."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import AnyArray, read_only


def flat_voxels(*arrays: AnyArray) -> list[AnyArray]:
    """Return the voxels of each in C order, read-only, at addresses that hold whole words.

    All come as uint8, or all as uint16 where any of them has two bytes a voxel. What is so already
    is not copied.
    """
    itemsize = max(array.dtype.itemsize for array in arrays)
    flats = []
    for array in arrays:
        labels = array.view(np.uint8) if array.dtype == np.bool_ else array
        flat = np.ascontiguousarray(labels, dtype=f"=u{itemsize}").reshape(-1)
        flats.append(read_only(flat if flat.ctypes.data % 8 == 0 else flat.copy()))
    return flats


def words_of(flat: AnyArray) -> NDArray[np.uint64]:
    """Return the same bytes by eight; a rest that does not fill a word is left out."""
    per_word = 8 // flat.itemsize
    words: NDArray[np.uint64] = flat[: flat.size // per_word * per_word].view(np.uint64)
    return words
