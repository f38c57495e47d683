"""Rank correlations: Spearman's rho and Kendall's tau-b."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.statistics.result import Result, finite_pairs
from lesionary.core.volume import FloatArray

FEWEST_PAIRS = 3
"""Below three pairs Spearman's correlation says nothing."""


@dataclass(frozen=True, slots=True)
class Correlation(Result):
    """Spearman's rank correlation.

    ``rho`` and ``p`` are None where undefined, and ``reason`` says why; ``n`` counts the pairs.
    """

    rho: float | None
    p: float | None
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KendallTau(Result):
    """Kendall's tau-b.

    ``tau`` and ``p`` are None where undefined, and ``reason`` says why; ``n`` counts the pairs.
    """

    tau: float | None
    p: float | None
    n: int
    reason: str = ""


def average_ranks(values: FloatArray) -> FloatArray:
    """Rank from 1; equal values share the mean of their ranks. Shape (n,)."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: FloatArray = (last - (sizes - 1) / 2.0)[group]
    return ranks


def spearman(first: ArrayLike, second: ArrayLike) -> Correlation:
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
    x, y = finite_pairs(first, second)
    n = int(x.size)
    if n < FEWEST_PAIRS:
        return Correlation(None, None, n, f"needs {FEWEST_PAIRS} pairs, there are {n}")
    a, b = (average_ranks(side) - (n + 1) / 2.0 for side in (x, y))
    spread = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    if spread == 0.0:
        return Correlation(None, None, n, constant_side(x, y))
    rho = float(np.clip(np.dot(a, b) / spread, -1.0, 1.0))
    return Correlation(rho, _two_sided_p(rho, n), n)


def kendall_tau_b(first: ArrayLike, second: ArrayLike) -> KendallTau:
    """Tell how far two samples agree about order, ties taken into account.

    Parameters
    ----------
    first, second : float array, shape (n,)
        Pairs; a pair with a value that is not finite is left out of ``n``.

    Returns
    -------
    KendallTau
        Tau-b = (P - Q) / sqrt((P + Q + T)(P + Q + U)), from concordant pairs P, discordant pairs Q,
        and pairs tied on one side only, T and U [1]_. The two-sided p is SciPy's: exact where
        nothing is tied and n is at most 33, else from the normal approximation; it takes the pairs
        for independent. Undefined below two pairs, and where a side never varies: raters who give
        everything the same score agree, but on no order.

    References
    ----------
    .. [1] Kendall, The treatment of ties in ranking problems, Biometrika 33, 239-251 (1945).

    Examples
    --------
    >>> kendall_tau_b([1, 2, 3, 4], [1, 3, 2, 4]).tau  # doctest: +ELLIPSIS
    0.66666666666666...
    >>> kendall_tau_b([5, 5, 5], [3, 4, 5]).reason
    'the first side never varies: 5 in all 3'
    """
    x, y = finite_pairs(first, second)
    n = int(x.size)
    if n < 2:
        return KendallTau(None, None, n, f"needs 2 pairs, there are {n}")
    if reason := constant_side(x, y):
        return KendallTau(None, None, n, reason)
    from scipy.stats import kendalltau

    result = kendalltau(x, y)
    tau, p = float(result.statistic), float(result.pvalue)
    if not math.isfinite(p):
        return KendallTau(tau, None, n, "too few pairs that are not tied")
    return KendallTau(tau, p, n)


def constant_side(first: FloatArray, second: FloatArray) -> str:
    """Say which side never varies, with its value; empty where both vary."""
    is_constant = [bool(np.all(side == side[0])) for side in (first, second)]
    n = first.size
    if all(is_constant):
        return f"neither side varies: {first[0]:g} and {second[0]:g} in all {n}"
    if is_constant[0]:
        return f"the first side never varies: {first[0]:g} in all {n}"
    if is_constant[1]:
        return f"the second side never varies: {second[0]:g} in all {n}"
    return ""


def _two_sided_p(rho: float, n: int) -> float:
    """Chance of |t| at least as large: the incomplete beta function at 1 - rho²."""
    from scipy.special import betainc

    by_t = float(betainc((n - 2) / 2.0, 0.5, (1.0 - rho) * (1.0 + rho)))
    return max(by_t, 2.0 * math.exp(-math.lgamma(n + 1)))
