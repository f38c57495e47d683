"""Stored values to quantities: rescale slice by slice, in int16 where that is exact.

Source: DICOM PS3.3 C.11.1.1.2 (``output = slope × stored + intercept``).
"""

from collections.abc import Iterable

import numpy as np

from lesionary.core.volume import AnyArray

_INT16 = np.iinfo(np.int16)


def is_integral(rescales: Iterable[tuple[float, float]]) -> bool:
    """Tell whether all slopes and intercepts are integers, so that int16 may hold the result."""
    return all(slope.is_integer() and intercept.is_integer() for slope, intercept in rescales)


def rescale_exactly(stored: AnyArray, slope: int, intercept: int, out: AnyArray) -> None:
    """Write ``slope × stored + intercept`` into an int16 ``out``.

    Parameters
    ----------
    stored : integer array
        Stored values of one slice; not empty.
    slope, intercept : int
        Of this slice.
    out : int16 array of the same shape
        Untouched on an error.

    Raises
    ------
    OverflowError
        If int16 does not hold every value.

    Examples
    --------
    >>> out = np.zeros(2, dtype=np.int16)
    >>> rescale_exactly(np.array([0, 4095], dtype=np.uint16), 1, -1024, out)
    >>> out.tolist()
    [-1024, 3071]
    """
    ends = (int(stored.min()) * slope + intercept, int(stored.max()) * slope + intercept)
    if min(ends) < _INT16.min or max(ends) > _INT16.max:
        raise OverflowError(f"{min(ends)} to {max(ends)} in int16")
    # Integers wrap modulo 2**16, so a result that fits is right whatever happened on the way.
    np.copyto(out, stored, casting="unsafe")
    if slope != 1:
        np.multiply(out, _wrapped(slope), out=out)
    if intercept != 0:
        np.add(out, _wrapped(intercept), out=out)


def rescale_rounded(stored: AnyArray, slope: float, intercept: float, out: AnyArray) -> None:
    """Write ``slope × stored + intercept``, worked out in float64, into a float32 ``out``."""
    values = stored.astype(np.float64)
    values *= slope
    values += intercept
    out[...] = values


def _wrapped(value: int) -> np.int16:
    return np.int16((value - _INT16.min) % 2**16 + _INT16.min)
