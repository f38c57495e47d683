"""Wilcoxon's signed-rank test: exact for few differences, and by subject where cases are many."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.errors import InputError
from lesionary.core.statistics.ranks import average_ranks
from lesionary.core.statistics.result import Result, clusters_of
from lesionary.core.volume import BoolArray, FloatArray

Method = Literal["auto", "exact", "normal"]

MOST_EXACT = 50
"""Without ties or zeros the exact distribution serves up to so many differences."""

MOST_EXACT_WITH_TIES = 13
"""With ties or zeros, up to so many; SciPy's limit, so that results can be compared."""


@dataclass(frozen=True, slots=True)
class SignedRank(Result):
    """Wilcoxon's signed-rank test, two-sided.

    Parameters
    ----------
    statistic : float or None
        The smaller of the two rank sums.
    p : float or None
        Two-sided.
    effect : float or None
        Rank-biserial correlation, -1 … 1: above 0 where the first side is the larger.
    median_difference : float or None
        Of all differences, zeros included, first minus second.
    n : int
        Differences, zeros included: one a pair, or one a subject.
    n_zero : int
        Differences of exactly zero: they are not ranked, and stand for neither side.
    n_pairs : int
        Pairs that went in; those with a value that is not finite are left out.
    method : str
        ``exact`` or ``normal``, where p is defined; else empty.
    """

    statistic: float | None
    p: float | None
    effect: float | None
    median_difference: float | None
    n: int
    n_zero: int
    n_pairs: int
    method: str = ""
    reason: str = ""


def wilcoxon_signed_rank(
    first: ArrayLike,
    second: ArrayLike | None = None,
    *,
    subjects: Sequence[Hashable] | None = None,
    method: Method = "auto",
) -> SignedRank:
    """Test whether differences lie symmetrically about zero.

    Zeros are dropped before ranking (Wilcoxon's own policy) and counted; tied sizes share the mean
    of their ranks. Differences that only rounding makes unlike are not tied.

    Parameters
    ----------
    first, second : float array, shape (n,)
        Pairs; without ``second``, the differences themselves.
    subjects : sequence, optional
        Whose each pair is. The differences of one subject are averaged first, and a subject counts
        once: a thousand lesions of eight patients are eight, not a thousand.
    method : {"auto", "exact", "normal"}
        ``exact`` walks the distribution of the ranks as they are, ties included. ``normal`` has the
        tie correction and no continuity correction. ``auto`` decides as SciPy 1.17 does: exact up
        to 50 differences, or up to 13 where some are tied or zero.

    Returns
    -------
    SignedRank
        Undefined without differences, or where all are zero.

    References
    ----------
    .. [1] Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1, 80-83 (1945).

    Examples
    --------
    >>> wilcoxon_signed_rank([1.0, 2.0, 3.0, 4.0, 5.0]).p
    0.0625
    """
    if method not in {"auto", "exact", "normal"}:
        raise InputError(f"the method is auto, exact or normal, not {method!r}")
    differences, n_pairs = _differences(first, second, subjects)
    n = int(differences.size)
    if n == 0:
        return SignedRank(None, None, None, None, 0, 0, 0, reason="there are no pairs")
    median = float(np.median(differences))
    others = differences[differences != 0.0]
    n_zero = n - int(others.size)
    if others.size == 0:
        why = f"all {n} differences are zero"
        return SignedRank(None, None, None, median, n, n_zero, n_pairs, reason=why)
    ranks = average_ranks(np.abs(others))
    plus = float(ranks[others > 0.0].sum())
    total = float(ranks.sum())
    is_exact = method == "exact" or (method == "auto" and _is_small(ranks, n, n_zero))
    p = _exact_p(ranks, plus) if is_exact else _normal_p(ranks, plus)
    return SignedRank(
        statistic=min(plus, total - plus),
        p=p,
        effect=(2.0 * plus - total) / total,
        median_difference=median,
        n=n,
        n_zero=n_zero,
        n_pairs=n_pairs,
        method="exact" if is_exact else "normal",
    )


def _differences(
    first: ArrayLike, second: ArrayLike | None, subjects: Sequence[Hashable] | None
) -> tuple[FloatArray, int]:
    """Return one finite difference a pair, or a subject, and how many pairs went in."""
    a = np.asarray(first, dtype=np.float64).reshape(-1)
    b = np.zeros_like(a) if second is None else np.asarray(second, dtype=np.float64).reshape(-1)
    if a.size != b.size:
        raise InputError(f"pairs need sides of the same length, not {a.size} and {b.size}")
    cluster = clusters_of(subjects, a.size)
    is_finite: BoolArray = np.isfinite(a) & np.isfinite(b)
    differences: FloatArray = a[is_finite] - b[is_finite]
    n_pairs = int(differences.size)
    if subjects is None:
        return differences, n_pairs
    sizes = np.bincount(cluster[is_finite])
    sums = np.bincount(cluster[is_finite], weights=differences)
    means: FloatArray = sums[sizes > 0] / sizes[sizes > 0]
    return means, n_pairs


def _is_small(ranks: FloatArray, n: int, n_zero: int) -> bool:
    is_plain = n_zero == 0 and np.unique(ranks).size == ranks.size
    return n <= (MOST_EXACT if is_plain else MOST_EXACT_WITH_TIES)


def _exact_p(ranks: FloatArray, plus: float) -> float:
    """Walk all 2^n signs: how many give each rank sum, in steps of a half."""
    halves = np.rint(2.0 * ranks).astype(np.int64)
    chances = np.zeros(int(halves.sum()) + 1)
    chances[0] = 1.0
    for half in halves:
        shifted = np.zeros_like(chances)
        shifted[half:] = chances[: chances.size - half]
        chances = (chances + shifted) / 2.0
    at = round(2.0 * plus)
    return min(1.0, 2.0 * min(float(chances[: at + 1].sum()), float(chances[at:].sum())))


def _normal_p(ranks: FloatArray, plus: float) -> float:
    """Approximate: under no difference the sum has mean S/2 and variance Σ rank² / 4."""
    z = (plus - ranks.sum() / 2.0) / math.sqrt(float(np.dot(ranks, ranks)) / 4.0)
    return math.erfc(abs(float(z)) / math.sqrt(2.0))
