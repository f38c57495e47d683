"""The confidence interval of a mean: one function, so that one quantity has one interval."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.errors import InputError
from lesionary.core.statistics.bootstrap import bootstrap_interval
from lesionary.core.statistics.clusters import Clusters
from lesionary.core.statistics.result import Result, clusters_of

FEWEST_TO_DRAW = 40
"""The bootstrap serves from so many effective subjects on: below, its intervals are too narrow."""

BOOTSTRAP, STUDENT = "bootstrap", "t"

Bounds = tuple[float, float]
"""The least and the largest value that a quantity can have."""

UNBOUNDED: Bounds = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Resampling:
    """How sure an interval shall be, and how subjects are drawn; the same numbers, the same ends.

    Parameters
    ----------
    level : float
        Of the interval.
    n_resamples, seed : int
        Of the bootstrap.
    """

    level: float = 0.95
    n_resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class MeanInterval(Result):
    """A mean with its confidence interval.

    Parameters
    ----------
    estimate : float or None
        Mean of all finite values; None where there are none.
    low, high : float or None
        Ends of the interval; None below two subjects.
    level : float
        Such as 0.95.
    n : int
        Finite values.
    n_subjects : int
        Whose they are.
    n_effective : float or None
        How many subjects of equal size they are worth: ``n_subjects``, unless some have more values
        than others.
    n_left_out : int
        Values that are not finite.
    method : str
        ``bootstrap`` or ``t``; empty where there is no interval.
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    n_subjects: int
    n_effective: float | None
    n_left_out: int
    method: str
    reason: str = field(default="")


def mean_interval(
    values: ArrayLike,
    *,
    subjects: Sequence[Hashable] | None = None,
    resampling: Resampling | None = None,
    bounds: Bounds = UNBOUNDED,
) -> MeanInterval:
    """Estimate how sure a mean is, with few subjects as with many.

    The percentile bootstrap of few subjects is far too narrow: it covers the mean in half of all
    samples of two, in 83 % of those of five. Below 40 effective subjects the interval is therefore
    Student's t about the mean, with the standard error of the jackknife that leaves one subject out
    at a time [1]_ and as many degrees of freedom as there are effective subjects, less one. For
    subjects of equal size this is the t interval of their means.

    Parameters
    ----------
    values : float array, shape (n,)
        One a case; what is not finite is left out, and counted.
    subjects : sequence of length n, optional
        Whose each case is; without it each case is a subject's own.
    resampling : Resampling, optional
        Level of the interval; resamples and seed where subjects are drawn.
    bounds : tuple of float
        Least and largest value there can be, such as 0 and 1: the interval ends there.

    Returns
    -------
    MeanInterval
        Effective subjects are ``n² / Σ nᵢ²``, of ``nᵢ`` values each. Values that do not vary have
        an interval without width.

    Raises
    ------
    InputError
        If the level or the resamples are out of range, or there is not one subject for each value.

    References
    ----------
    .. [1] Efron, Tibshirani, An introduction to the bootstrap, chapter 11 (1993).

    Examples
    --------
    >>> found = mean_interval([0.9, 0.8, 0.7], bounds=(0.0, 1.0))
    >>> round(found.low, 3), found.high, found.method
    (0.552, 1.0, 't')
    """
    resampling = resampling or Resampling()
    if not 0.0 < resampling.level < 1.0:
        raise InputError(f"a confidence level lies between 0 and 1, not at {resampling.level}")
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    is_finite = np.isfinite(array)
    kept = array[is_finite]
    owners = clusters_of(subjects, array.size)[is_finite]
    clusters = Clusters.of(owners)
    n = int(kept.size)
    result = partial(
        MeanInterval,
        level=resampling.level,
        n=n,
        n_subjects=clusters.n,
        n_effective=clusters.n_effective,
        n_left_out=int(array.size) - n,
    )
    if n == 0:
        return result(None, None, None, method="", reason="there are no finite values")
    estimate = float(kept.mean())
    if clusters.n < 2:
        return result(estimate, None, None, method="", reason="needs two subjects, there is 1")
    if clusters.n_effective is not None and clusters.n_effective >= FEWEST_TO_DRAW:
        found = bootstrap_interval(
            kept,
            subjects=owners.tolist(),
            level=resampling.level,
            n_resamples=resampling.n_resamples,
            seed=resampling.seed,
        )
        return result(estimate, found.low, found.high, method=BOOTSTRAP)
    if kept.min() == kept.max():
        estimate = float(kept[0])
        return result(estimate, estimate, estimate, method=STUDENT)
    without = clusters.means_without_each(kept)
    reach = clusters.two_sided_t(resampling.level) * clusters.standard_error(without - estimate)
    low, high = max(estimate - reach, bounds[0]), min(estimate + reach, bounds[1])
    return result(estimate, low, high, method=STUDENT)
