"""Bland–Altman: bias and limits of agreement between two methods or readers."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionary.core.errors import InputError
from lesionary.core.statistics.result import Result, clusters_of
from lesionary.core.volume import FloatArray

Z = 1.96
"""Limits lie so many standard deviations from the bias, as in the papers."""

Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class BlandAltman(Result):
    """Agreement between two sides, in their unit; differences are first minus second.

    Parameters
    ----------
    bias : float or None
        Mean difference.
    sd : float or None
        Standard deviation of the differences, n - 1; with repeats, of one pair of one subject.
    lower_limit, upper_limit : float or None
        Limits of agreement, bias ± 1.96 SD.
    bias_interval, lower_limit_interval, upper_limit_interval : tuple of float or None
        Confidence intervals, by Student's t; None for the limits where subjects have several pairs.
    level : float
        Of the intervals.
    n : int
        Pairs.
    n_subjects : int
        Subjects they come from.
    n_left_out : int
        Pairs with a value that is not finite.
    has_repeats : bool
        Whether a subject has several pairs, and the SD is put together from within and between.
    """

    bias: float | None
    sd: float | None
    lower_limit: float | None
    upper_limit: float | None
    bias_interval: Ends | None
    lower_limit_interval: Ends | None
    upper_limit_interval: Ends | None
    level: float
    n: int
    n_subjects: int
    n_left_out: int
    has_repeats: bool = False
    reason: str = ""


def bland_altman(
    first: ArrayLike,
    second: ArrayLike,
    *,
    subjects: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> BlandAltman:
    """Describe how far two methods or readers differ.

    Parameters
    ----------
    first, second : float array, shape (n,)
        Pairs; one with a value that is not finite is left out, and counted.
    subjects : sequence of length n, optional
        Whose each pair is. Where subjects have several, the SD combines the variance within and
        between them [3]_, and the bias' interval rests on subjects, not pairs.
    level : float
        Of the intervals.

    Returns
    -------
    BlandAltman
        One pair has a bias and nothing else; none has nothing. With repeats, the limits' intervals
        have no closed form and are None, and one subject alone has no limits.

    Raises
    ------
    InputError
        If the sides differ in length, or the level is out of range.

    References
    ----------
    .. [1] Bland, Altman, Statistical methods for assessing agreement between two methods of
       clinical measurement, Lancet 327, 307-310 (1986).
    .. [2] Bland, Altman, Measuring agreement in method comparison studies, Stat Methods Med Res 8,
       135-160 (1999): the variance of a limit, (1/n + 1.96²/(2(n - 1))) SD².
    .. [3] Bland, Altman, Agreement between methods of measurement with multiple observations per
       individual, J Biopharm Stat 17, 571-582 (2007), section 3.

    Examples
    --------
    >>> found = bland_altman([10.0, 12.0, 14.0], [9.0, 12.0, 12.0])
    >>> found.bias, found.sd
    (1.0, 1.0)
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"a confidence level lies between 0 and 1, not at {level}")
    a, b = (np.asarray(side, dtype=np.float64).reshape(-1) for side in (first, second))
    if a.size != b.size:
        raise InputError(f"pairs need sides of the same length, not {a.size} and {b.size}")
    cluster = clusters_of(subjects, a.size)
    is_finite = np.isfinite(a) & np.isfinite(b)
    differences: FloatArray = a[is_finite] - b[is_finite]
    _, numbers, sizes = np.unique(cluster[is_finite], return_inverse=True, return_counts=True)
    n, n_subjects = int(differences.size), int(sizes.size)
    has_repeats = n_subjects < n
    bias = float(differences.mean()) if n else None
    result = partial(
        BlandAltman,
        level=level,
        n=n,
        n_subjects=n_subjects,
        n_left_out=int(a.size) - n,
        has_repeats=has_repeats,
    )
    if bias is None or n_subjects < 2:
        thing = "subjects" if has_repeats else "pairs"
        why = f"needs two {thing}, there is {n_subjects}" if n else "there are no pairs"
        return result(bias, None, None, None, None, None, None, reason=why)
    t = _two_sided_t(n_subjects - 1, level)
    if has_repeats:
        sd, se = _with_repeats(differences, numbers, sizes.astype(np.float64))
    else:
        sd = float(differences.std(ddof=1))
        se = sd / math.sqrt(n)
    lower, upper = bias - Z * sd, bias + Z * sd
    around_bias = (bias - t * se, bias + t * se)
    if has_repeats:
        why = "with several pairs a subject the limits' intervals have no closed form"
        return result(bias, sd, lower, upper, around_bias, None, None, reason=why)
    reach = t * sd * math.sqrt(1.0 / n + Z**2 / (2.0 * (n - 1)))
    around = ((lower - reach, lower + reach), (upper - reach, upper + reach))
    return result(bias, sd, lower, upper, around_bias, *around)


def _with_repeats(
    differences: FloatArray, numbers: NDArray[np.intp], sizes: FloatArray
) -> tuple[float, float]:
    """Return the SD of one pair of one subject, and the standard error of the bias.

    The variance within subjects and what is between them beyond it come from a one-way analysis
    of variance; a negative share between counts as none. The standard error is that of a ratio of
    sums over subjects.
    """
    n, n_subjects = differences.size, sizes.size
    means = np.bincount(numbers, weights=differences) / sizes
    within = float(np.sum((differences - means[numbers]) ** 2)) / (n - n_subjects)
    bias = differences.mean()
    among = float(np.sum(sizes * (means - bias) ** 2)) / (n_subjects - 1)
    usual_size = (n**2 - float(np.sum(sizes**2))) / ((n_subjects - 1) * n)
    between = max(0.0, (among - within) / usual_size)
    off = sizes * (means - bias)
    se = math.sqrt(n_subjects / (n_subjects - 1) * float(np.dot(off, off))) / n
    return math.sqrt(within + between), se


def _two_sided_t(freedom: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1.0 + level) / 2.0))
