"""The few statistics a report prints, on plain arrays."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import FloatArray

FEWEST_PAIRS = 3
"""Below three pairs a rank correlation says nothing."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rank correlation.

    ``rho`` and ``p`` are None where undefined, and ``reason`` says why; ``n`` counts the pairs.
    """

    rho: float | None
    p: float | None
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, quartiles, mean and standard deviation (n - 1; None for a single value)."""

    n: int
    median: float
    lower_quartile: float
    upper_quartile: float
    mean: float
    sd: float | None


def average_ranks(values: FloatArray) -> FloatArray:
    """Rank from 1; equal values share the mean of their ranks. Shape (n,)."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: FloatArray = (last - (sizes - 1) / 2.0)[group]
    return ranks


def spearman(first: FloatArray, second: FloatArray) -> Correlation:
    """Correlate the ranks of two samples, ties by average rank.

    Parameters
    ----------
    first, second : float array, shape (n,)
        Pairs; a pair with a value that is not finite is left out of ``n``.

    Returns
    -------
    Correlation
        With the two-sided p of Student's t on n - 2 degrees of freedom, which takes the pairs for
        independent; it is never less than 2 / n!, the least that n pairs can show. Undefined below
        three pairs or where one side never varies.
    """
    both = np.isfinite(first) & np.isfinite(second)
    n = int(np.count_nonzero(both))
    if n < FEWEST_PAIRS:
        return Correlation(None, None, n, f"needs {FEWEST_PAIRS} lesions, there are {n}")
    a, b = (average_ranks(side[both]) - (n + 1) / 2.0 for side in (first, second))
    spread = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    if spread == 0.0:
        return Correlation(None, None, n, "all values of one side are equal")
    rho = float(np.clip(np.dot(a, b) / spread, -1.0, 1.0))
    return Correlation(rho, _two_sided_p(rho, n), n)


def _two_sided_p(rho: float, n: int) -> float:
    """Chance of |t| at least as large: the incomplete beta function at 1 - rho²."""
    from scipy.special import betainc

    by_t = float(betainc((n - 2) / 2.0, 0.5, (1.0 - rho) * (1.0 + rho)))
    return max(by_t, 2.0 * math.exp(-math.lgamma(n + 1)))


def spread_of(values: FloatArray) -> Spread | None:
    """Summarise the finite values; None where there are none."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return None
    lower, median, upper = (float(q) for q in np.quantile(finite, [0.25, 0.5, 0.75]))
    sd = float(finite.std(ddof=1)) if finite.size > 1 else None
    return Spread(int(finite.size), median, lower, upper, float(finite.mean()), sd)


def density(values: FloatArray, at: FloatArray) -> FloatArray | None:
    """Estimate a probability density with Gaussian kernels of Silverman's width.

    Parameters
    ----------
    values : float array, shape (n,)
        Finite sample.
    at : float array, shape (m,)
        Where to evaluate.

    Returns
    -------
    float array of shape (m,), or None where the sample does not vary.
    """
    if values.size < 2 or np.ptp(values) == 0:
        return None
    lower, upper = (float(q) for q in np.quantile(values, [0.25, 0.75]))
    sd = float(values.std(ddof=1))
    scale = min(sd, (upper - lower) / 1.349) if upper > lower else sd
    width = 0.9 * scale * values.size ** (-0.2)
    total = np.zeros_like(at)
    for part in _chunks(values, 1000):
        total += np.exp(-0.5 * ((at[:, None] - part[None, :]) / width) ** 2).sum(axis=1)
    result: FloatArray = total / (values.size * width * np.sqrt(2 * np.pi))
    return result


def _chunks(values: FloatArray, size: int) -> list[NDArray[np.float64]]:
    return [values[start : start + size] for start in range(0, values.size, size)]
