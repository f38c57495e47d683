"""Rank correlations: Spearman's rho and Kendall's tau-b."""

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.statistics.result import Result, finite_pairs
from lesionary.core.volume import FloatArray

MOST_ENUMERATED = 8
"""All orders of so many pairs are tried; of more, some are drawn."""

MOST_PERMUTED = 30
"""Above so many pairs the normal approximation of tau serves."""

N_DRAWN = 10_000
"""Orders drawn, with the given one beside them."""

NOT_PERMUTED = f"more than {MOST_PERMUTED} pairs need no permutations"

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

    Parameters
    ----------
    tau : float or None
        None where undefined; ``reason`` says why.
    p : float or None
        Two-sided, as SciPy gives it.
    p_permutation : float or None
        Two-sided: the share of all orders of one side whose tau is at least as far from 0. None
        above 30 pairs, where the normal approximation serves.
    permutations : int
        How many orders were looked at: n! up to 8 pairs, else 10,000 drawn; 0 for none.
    n : int
        Pairs.
    """

    tau: float | None
    p: float | None
    p_permutation: float | None
    permutations: int
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


def kendall_tau_b(first: ArrayLike, second: ArrayLike, *, seed: int = 0) -> KendallTau:
    """Tell how far two samples agree about order, ties taken into account.

    Parameters
    ----------
    first, second : float array, shape (n,)
        Pairs; a pair with a value that is not finite is left out of ``n``.
    seed : int
        Of the permutations that are drawn.

    Returns
    -------
    KendallTau
        Tau-b = (P - Q) / sqrt((P + Q + T)(P + Q + U)), from concordant pairs P, discordant pairs Q,
        and pairs tied on one side only, T and U [1]_. The two-sided p is SciPy's: exact where
        nothing is tied and n is at most 33, else from the normal approximation, which does not suit
        few pairs with ties: there ``p_permutation`` is the one to trust. Both take the pairs for
        independent. Undefined below two pairs, and where a side never varies: raters who give
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
        return KendallTau(None, None, None, 0, n, f"needs 2 pairs, there are {n}")
    if reason := constant_side(x, y):
        return KendallTau(None, None, None, 0, n, reason)
    from scipy.stats import kendalltau

    result = kendalltau(x, y)
    tau, p = float(result.statistic), float(result.pvalue)
    by_permutation, n_permutations = _permuted(x, y, seed)
    if math.isfinite(p):
        reason = NOT_PERMUTED if by_permutation is None else ""
        return KendallTau(tau, p, by_permutation, n_permutations, n, reason)
    why = "too few pairs that are not tied"
    return KendallTau(tau, None, by_permutation, n_permutations, n, why)


def _permuted(first: FloatArray, second: FloatArray, seed: int) -> tuple[float | None, int]:
    """Return the share of orders of one side that are as far from chance, and how many were tried.

    Ties stay in every order, so the numerator of tau alone, a whole number, is compared.
    """
    n = int(first.size)
    if n > MOST_PERMUTED:
        return None, 0
    signs = [np.sign(side[:, None] - side).astype(np.int8) for side in (first, second)]
    if n <= MOST_ENUMERATED:
        orders = np.array(list(permutations(range(n))))
    else:
        orders = np.random.default_rng(seed).permuted(np.tile(np.arange(n), (N_DRAWN, 1)), axis=1)
    rows, columns = np.triu_indices(n, 1)
    fixed = signs[0][rows, columns].astype(np.int64)
    observed = abs(int(np.dot(fixed, signs[1][rows, columns])))
    sums = signs[1][orders[:, rows], orders[:, columns]] @ fixed
    n_extreme = int(np.count_nonzero(np.abs(sums) >= observed))
    if n <= MOST_ENUMERATED:
        return n_extreme / len(orders), len(orders)
    return (n_extreme + 1) / (N_DRAWN + 1), N_DRAWN


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
