"""Bland–Altman: bias and limits of agreement between two methods or readers."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.errors import InputError
from lesionary.core.statistics.clusters import Clusters
from lesionary.core.statistics.mean import Resampling, mean_interval
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
    bias_interval : tuple of float or None
        Confidence interval of the mean difference, by
        :func:`~lesionary.core.statistics.mean.mean_interval`.
    bias_interval_method : str
        ``bootstrap`` or ``t``; empty where there is no interval.
    lower_limit_interval, upper_limit_interval : tuple of float or None
        Confidence intervals, by Student's t; None where subjects have several pairs.
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
    bias_interval_method: str
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
    resampling: Resampling | None = None,
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
    resampling = resampling or Resampling()
    a, b = (np.asarray(side, dtype=np.float64).reshape(-1) for side in (first, second))
    if a.size != b.size:
        raise InputError(f"pairs need sides of the same length, not {a.size} and {b.size}")
    is_finite = np.isfinite(a) & np.isfinite(b)
    owners = clusters_of(subjects, a.size)[is_finite]
    differences: FloatArray = a[is_finite] - b[is_finite]
    mean = mean_interval(differences, subjects=owners.tolist(), resampling=resampling)
    clusters = Clusters.of(owners)
    n, n_subjects, has_repeats = mean.n, clusters.n, clusters.has_repeats
    result = partial(
        BlandAltman,
        bias_interval_method=mean.method,
        level=resampling.level,
        n=n,
        n_subjects=n_subjects,
        n_left_out=int(a.size) - n,
        has_repeats=has_repeats,
    )
    bias = mean.estimate
    if bias is None or mean.low is None or mean.high is None:
        thing = "subjects" if has_repeats else "pairs"
        why = f"needs two {thing}, there is {n_subjects}" if n else "there are no pairs"
        return result(
            bias=bias,
            sd=None,
            lower_limit=None,
            upper_limit=None,
            bias_interval=None,
            lower_limit_interval=None,
            upper_limit_interval=None,
            reason=why,
        )
    sd = _sd_with_repeats(differences, clusters) if has_repeats else float(differences.std(ddof=1))
    limits = partial(
        result,
        bias=bias,
        sd=sd,
        lower_limit=bias - Z * sd,
        upper_limit=bias + Z * sd,
        bias_interval=(mean.low, mean.high),
    )
    if has_repeats:
        why = "with several pairs a subject the limits' intervals have no closed form"
        return limits(lower_limit_interval=None, upper_limit_interval=None, reason=why)
    t = clusters.two_sided_t(resampling.level)
    reach = t * sd * math.sqrt(1.0 / n + Z**2 / (2.0 * (n - 1)))
    lower, upper = bias - Z * sd, bias + Z * sd
    return limits(
        lower_limit_interval=(lower - reach, lower + reach),
        upper_limit_interval=(upper - reach, upper + reach),
    )


def _sd_with_repeats(differences: FloatArray, clusters: Clusters) -> float:
    """Return the SD of one pair of one subject.

    The variance within subjects and what is between them beyond it come from a one-way analysis
    of variance; a negative share between counts as none.
    """
    sizes = clusters.sizes.astype(np.float64)
    n, n_subjects = differences.size, clusters.n
    means = np.bincount(clusters.numbers, weights=differences) / sizes
    within = float(np.sum((differences - means[clusters.numbers]) ** 2)) / (n - n_subjects)
    among = float(np.sum(sizes * (means - differences.mean()) ** 2)) / (n_subjects - 1)
    usual_size = (n**2 - float(np.sum(sizes**2))) / ((n_subjects - 1) * n)
    return math.sqrt(within + max(0.0, (among - within) / usual_size))
