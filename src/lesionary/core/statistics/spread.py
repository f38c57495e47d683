"""How values spread: quartiles, standard deviation, and the distance from their own mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.statistics.result import Result
from lesionary.core.volume import FloatArray


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, quartiles, mean and standard deviation (n - 1; None for a single value)."""

    n: int
    median: float
    lower_quartile: float
    upper_quartile: float
    mean: float
    sd: float | None


def spread_of(values: FloatArray) -> Spread | None:
    """Summarise the finite values; None where there are none."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return None
    lower, median, upper = (float(q) for q in np.quantile(finite, [0.25, 0.5, 0.75]))
    sd = float(finite.std(ddof=1)) if finite.size > 1 else None
    return Spread(int(finite.size), median, lower, upper, float(finite.mean()), sd)


@dataclass(frozen=True, slots=True)
class Rmse(Result):
    """Root mean square distance of readings from their own mean.

    Parameters
    ----------
    value : float or None
        In the readings' unit.
    percent : float or None
        Of the readings' mean.
    mean : float or None
        Of the readings.
    n : int
        Finite readings.
    """

    value: float | None
    percent: float | None
    mean: float | None
    n: int
    reason: str = ""


def rmse_from_mean(readings: ArrayLike) -> Rmse:
    """Measure how far the readings of one thing lie from their mean.

    The square root of the mean squared distance, divided by n and not n - 1: it describes these
    readers, and does not estimate others.

    Parameters
    ----------
    readings : float array, shape (n,)
        What each reader measured; what is not finite is left out.

    Returns
    -------
    Rmse
        Undefined below two readings; the percentage alone where the mean is not positive.

    Examples
    --------
    >>> rmse_from_mean([9.0, 11.0]).percent
    10.0
    """
    values = np.asarray(readings, dtype=np.float64).reshape(-1)
    values = values[np.isfinite(values)]
    n = int(values.size)
    if n < 2:
        return Rmse(None, None, None, n, f"needs two readings, there are {n}")
    mean = float(values.mean())
    value = float(np.sqrt(np.mean((values - mean) ** 2)))
    if mean <= 0.0:
        return Rmse(value, None, mean, n, "a percentage needs a mean above zero")
    return Rmse(value, 100.0 * value / mean, mean, n)
