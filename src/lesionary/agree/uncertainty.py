"""Where readers disagree, voxel by voxel: a map to lay over the image (M11).

A voxel's uncertainty is that of a coin which falls as often as readers drew it: 0 bits where all
drew it or none did, 1 bit where half of them did. Readers count alike.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from lesionary.core.readers.patterns import foreground_patterns, painted
from lesionary.core.volume import AnyArray, FloatArray

FloatMap = NDArray[np.float32]
"""One number a voxel, of the image's shape."""


def entropy_bits(share: FloatArray) -> FloatArray:
    """Return the entropy of something that is so with a probability of ``share``, in bits.

    Parameters
    ----------
    share : array
        0 to 1. At both ends the entropy is 0.

    Examples
    --------
    >>> entropy_bits(np.array([0.0, 0.25, 0.5, 1.0])).round(3).tolist()
    [0.0, 0.811, 1.0, 0.0]
    """
    both = np.stack([share, 1 - share])
    surprise = -np.log2(both, where=both > 0, out=np.zeros_like(both))
    entropy: FloatArray = (both * surprise).sum(axis=0)
    return entropy


def reader_entropy(arrays: Sequence[AnyArray], values: Collection[int] | None = None) -> FloatMap:
    """Map how divided the readers are over each voxel, in bits.

    Parameters
    ----------
    arrays : sequence of bool, uint8 or uint16 arrays of the same shape
        One a reader, 1 to 64 of them; 0 is background.
    values : collection of int, optional
        The labels that count as drawn, taken together; by default all.

    Returns
    -------
    float32 array of that shape
        0 where all agree, so everywhere for one reader or empty masks; 1 where half drew the voxel.
        Three readers differ by 0.918 bits wherever they do.

    Raises
    ------
    InputError, GeometryMismatchError
        As :func:`lesionary.core.readers.patterns.reader_patterns`.

    Examples
    --------
    >>> readers = [np.array([[[0, 1, 1]]], np.uint8), np.array([[[0, 0, 2]]], np.uint8)]
    >>> reader_entropy(readers).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    patterns = foreground_patterns(arrays, values)
    bits = entropy_bits(patterns.n_drawing / patterns.n_readers)
    return painted(arrays, patterns, bits.astype(np.float32), values)
