"""Bootstrap confidence intervals that draw patients, not cases."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionary.core.errors import InputError
from lesionary.core.statistics.result import Result, clusters_of
from lesionary.core.volume import FloatArray

Statistic = Literal["mean", "median"]
BootstrapMethod = Literal["percentile", "bca"]
IndexArray = NDArray[np.intp]

CHUNK = 1 << 16
"""Values drawn at a time: what a processor's cache holds, whatever the sample's size."""


@dataclass(frozen=True, slots=True)
class BootstrapInterval(Result):
    """A mean or median with its bootstrap confidence interval.

    Parameters
    ----------
    estimate : float or None
        Of all finite values; None where there are none.
    low, high : float or None
        Ends of the interval.
    level : float
        Such as 0.95.
    n : int
        Finite values.
    n_clusters : int
        Subjects they come from: what was drawn.
    n_left_out : int
        Values that are not finite.
    statistic, method : str
    n_resamples, seed : int
        With them anyone gets the same interval.
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    n_clusters: int
    n_left_out: int
    statistic: str
    method: str
    n_resamples: int
    seed: int
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Values in ascending order, and which cluster each is of."""

    values: FloatArray
    clusters: IndexArray
    n_clusters: int

    @property
    def is_plain(self) -> bool:
        return self.n_clusters == self.values.size


def bootstrap_interval(
    values: ArrayLike,
    *,
    subjects: Sequence[Hashable] | None = None,
    statistic: Statistic = "mean",
    method: BootstrapMethod = "percentile",
    level: float = 0.95,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> BootstrapInterval:
    """Estimate how sure a mean or a median is.

    Each resample draws as many subjects as there are, with replacement, each with all its cases:
    cases of one patient rise and fall together, and an interval that takes them for independent is
    too narrow. The order of the values makes no difference where each is a subject's own.

    Parameters
    ----------
    values : float array, shape (n,)
        One a case; what is not finite is left out, and counted.
    subjects : sequence of length n, optional
        Whose each case is; without it each case is drawn by itself.
    statistic : {"mean", "median"}
        Of the cases: a subject with more of them weighs more.
    method : {"percentile", "bca"}
        ``bca`` corrects for bias and skewness; where it is undefined, as for a sample that does not
        vary, the percentile interval is returned and ``method`` says so.
    level : float
        Between 0 and 1.
    n_resamples, seed : int
        The same seed gives the same interval.

    Returns
    -------
    BootstrapInterval
        The ends are undefined below two subjects.

    Raises
    ------
    InputError
        For a level, a number of resamples or a word out of range, or if there is not one subject
        for each value.

    References
    ----------
    .. [1] Efron, Tibshirani, An introduction to the bootstrap, chapters 13 and 14 (1993).

    Examples
    --------
    >>> dice = [0.9, 0.8, 0.85, 0.2]
    >>> by_patient = bootstrap_interval(dice, subjects=["a", "a", "a", "b"])
    >>> by_patient.n, by_patient.n_clusters, by_patient.low, by_patient.high
    (4, 2, 0.2, 0.85)
    """
    _require(statistic, method, level, n_resamples)
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    cluster = clusters_of(subjects, array.size)
    is_finite = np.isfinite(array)
    sample = _sample(array[is_finite], cluster[is_finite])
    result = partial(
        BootstrapInterval,
        level=level,
        n=int(sample.values.size),
        n_clusters=sample.n_clusters,
        n_left_out=int(array.size - sample.values.size),
        statistic=statistic,
        n_resamples=n_resamples,
        seed=seed,
    )
    if sample.values.size == 0:
        return result(None, None, None, method=method, reason="there are no finite values")
    estimate = float(np.mean(sample.values) if statistic == "mean" else np.median(sample.values))
    if sample.n_clusters < 2:
        why = f"needs two subjects, there is {sample.n_clusters}"
        return result(estimate, None, None, method=method, reason=why)
    if sample.values[0] == sample.values[-1]:
        return result(estimate, estimate, estimate, method="percentile")
    drawn = np.concatenate(list(_resampled(sample, statistic, n_resamples, seed)))
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    if method == "bca":
        corrected = _corrected_tails(sample, statistic, drawn, estimate, level)
        method = "bca" if corrected else "percentile"
        tails = corrected or tails
    low, high = (float(q) for q in np.quantile(drawn, tails))
    return result(estimate, low, high, method=method)


def _require(statistic: str, method: str, level: float, n_resamples: int) -> None:
    if statistic not in {"mean", "median"}:
        raise InputError(f"the statistic is mean or median, not {statistic!r}")
    if method not in {"percentile", "bca"}:
        raise InputError(f"the method is percentile or bca, not {method!r}")
    if not 0.0 < level < 1.0:
        raise InputError(f"a confidence level lies between 0 and 1, not at {level}")
    if n_resamples < 1:
        raise InputError(f"a bootstrap needs at least one resample, not {n_resamples}")


def _sample(values: FloatArray, cluster: IndexArray) -> _Sample:
    """Sort the values, and number the clusters that are left anew."""
    left, numbers = np.unique(cluster, return_inverse=True)
    order = np.argsort(values, kind="stable")
    if left.size == values.size:  # nobody has two: whose a value is makes no difference
        return _Sample(values[order], np.arange(values.size), values.size)
    return _Sample(values[order], numbers[order], int(left.size))


def _resampled(
    sample: _Sample, statistic: Statistic, n_resamples: int, seed: int
) -> Iterator[FloatArray]:
    """Draw subjects and compute the statistic, a chunk of resamples at a time."""
    rng = np.random.Generator(np.random.SFC64(seed))  # the fastest: drawing is most of the work
    compute = _mean_of_drawn(sample) if statistic == "mean" else _median_of_drawn(sample)
    width = sample.n_clusters if statistic == "mean" else sample.values.size
    n_rows = max(1, CHUNK // width)
    for start in range(0, n_resamples, n_rows):
        shape = (min(n_rows, n_resamples - start), sample.n_clusters)
        yield compute(rng.integers(0, sample.n_clusters, shape))


def _mean_of_drawn(sample: _Sample) -> Callable[[IndexArray], FloatArray]:
    sums = np.bincount(sample.clusters, weights=sample.values)
    sizes = np.bincount(sample.clusters).astype(np.float64)

    def compute(drawn: IndexArray) -> FloatArray:
        total = sums[drawn].sum(axis=1)
        n = drawn.shape[1] if sample.is_plain else sizes[drawn].sum(axis=1)
        means: FloatArray = total / n
        return means

    return compute


def _median_of_drawn(sample: _Sample) -> Callable[[IndexArray], FloatArray]:
    n_clusters = sample.n_clusters

    def compute(drawn: IndexArray) -> FloatArray:
        n_rows = drawn.shape[0]
        flat = drawn + (np.arange(n_rows) * n_clusters)[:, None]
        times = np.bincount(flat.reshape(-1), minlength=n_rows * n_clusters)
        return _weighted_median(sample, times.reshape(n_rows, n_clusters))

    return compute


def _weighted_median(sample: _Sample, times: NDArray[np.integer]) -> FloatArray:
    """Return the median where each cluster's values stand so many times, row by row."""
    weights = times if sample.is_plain else times[:, sample.clusters]
    up_to = np.cumsum(weights, axis=1)
    n = up_to[:, -1]
    lower = np.count_nonzero(up_to <= ((n - 1) // 2)[:, None], axis=1)
    upper = np.count_nonzero(up_to <= (n // 2)[:, None], axis=1)
    medians: FloatArray = (sample.values[lower] + sample.values[upper]) / 2.0
    return medians


def _corrected_tails(
    sample: _Sample, statistic: Statistic, drawn: FloatArray, estimate: float, level: float
) -> tuple[float, float] | None:
    """Return the BCa percentiles, or None where bias or acceleration is undefined."""
    from scipy.special import ndtr, ndtri

    below = np.count_nonzero(drawn < estimate) + np.count_nonzero(drawn == estimate) / 2.0
    bias = float(ndtri(below / drawn.size))
    without = _left_one_out(sample, statistic)
    apart = without.mean() - without
    size = float(np.sum(apart**2)) ** 1.5
    if size == 0.0 or not np.isfinite(bias):
        return None
    acceleration = float(np.sum(apart**3)) / (6.0 * size)
    z = bias + ndtri(np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0]))
    low, high = ndtr(bias + z / (1.0 - acceleration * z))
    return (float(low), float(high)) if low < high else None


def _left_one_out(sample: _Sample, statistic: Statistic) -> FloatArray:
    """Compute the statistic without each subject in turn, shape (n_clusters,)."""
    n_clusters = sample.n_clusters
    if statistic == "mean":
        sums = np.bincount(sample.clusters, weights=sample.values)
        sizes = np.bincount(sample.clusters)
        means: FloatArray = (sums.sum() - sums) / (sample.values.size - sizes)
        return means
    n_rows = max(1, CHUNK // sample.values.size)
    parts = []
    for start in range(0, n_clusters, n_rows):
        rows = np.arange(start, min(start + n_rows, n_clusters))
        times = np.ones((rows.size, n_clusters), dtype=np.int64)
        times[rows - start, rows] = 0
        parts.append(_weighted_median(sample, times))
    return np.concatenate(parts)
