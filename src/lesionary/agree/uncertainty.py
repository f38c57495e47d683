"""Where readers disagree, voxel by voxel: a map to lay over the image (M11).

A voxel's uncertainty is that of a coin which falls as often as readers drew it: 0 bits where all
drew it or none did, 1 bit where half of them did. Readers count alike; the second map trusts each
as far as STAPLE does.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from lesionary.core.readers.consensus import Staple
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


def disagreeing_share(
    arrays: Sequence[AnyArray], values: Collection[int] | None = None
) -> FloatMap:
    """Map the share of readers who stand against the greater number, 0 to ½.

    Parameters
    ----------
    arrays, values
        As for :func:`reader_entropy`.

    Returns
    -------
    float32 array of that shape
        0 where all agree.

    Raises
    ------
    InputError, GeometryMismatchError
        As :func:`lesionary.core.readers.patterns.reader_patterns`.
    """
    patterns = foreground_patterns(arrays, values)
    share = patterns.n_drawing / patterns.n_readers
    return painted(arrays, patterns, np.minimum(share, 1 - share).astype(np.float32), values)


def staple_uncertainty(
    arrays: Sequence[AnyArray], estimate: Staple, values: Collection[int] | None = None
) -> FloatMap:
    """Map how near STAPLE's probability is to a half: ``1 - |2p - 1|``.

    Parameters
    ----------
    arrays, values
        What the estimate was made from: one object.
    estimate : Staple
        Of that object.

    Returns
    -------
    float32 array of that shape
        0 where STAPLE is sure either way, 1 where its probability is ½.

    Raises
    ------
    InputError
        If the estimate was made from other arrays.
    """
    doubt = 1 - np.abs(2 * estimate.probability - 1)
    return painted(arrays, estimate.patterns, doubt.astype(np.float32), values)
