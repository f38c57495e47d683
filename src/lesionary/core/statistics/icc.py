"""Intraclass correlation: how much of the variation between readings is between subjects."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.errors import InputError
from lesionary.core.statistics.clusters import Clusters
from lesionary.core.statistics.result import Result, clusters_of
from lesionary.core.volume import FloatArray

JACKKNIFE = "jackknife"

FEWEST_SUBJECTS = 5
"""Below so many subjects with several objects each no interval covers the correlation."""

NO_FREEDOM = "the approximation of the interval's degrees of freedom breaks down"


@dataclass(frozen=True, slots=True)
class IntraclassCorrelation(Result):
    """Single-rater intraclass correlations of a two-way layout.

    Parameters
    ----------
    agreement, agreement_low, agreement_high : float or None
        ICC(2,1), also ICC(A,1): readers drawn from many, and a reader who always reads more
        counts as disagreement.
    consistency, consistency_low, consistency_high : float or None
        ICC(3,1), also ICC(C,1): these readers only, and a constant offset between them does not
        count.
    level : float
        Of the intervals.
    n : int
        Objects with a finite reading by every reader.
    n_readers : int
    n_left_out : int
        Objects without.
    n_subjects : int
        Whose the ``n`` objects are.
    has_repeats : bool
        Whether a subject has several of them.
    interval_method : str
        ``F`` where each object is a subject's own, ``jackknife`` where subjects have several; empty
        where nothing is defined.
    """

    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None
    consistency: float | None
    consistency_low: float | None
    consistency_high: float | None
    level: float
    n: int
    n_readers: int
    n_left_out: int
    n_subjects: int
    has_repeats: bool
    interval_method: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Mean squares of a two-way layout without repeats."""

    rows: float
    columns: float
    error: float
    n: int
    k: int


def icc(
    readings: ArrayLike, *, subjects: Sequence[Hashable] | None = None, level: float = 0.95
) -> IntraclassCorrelation:
    """Measure the reliability of one reader's readings.

    Parameters
    ----------
    readings : float array, shape (n_objects, n_readers)
        An object that lacks a finite reading by any reader is left out, and counted.
    subjects : sequence of length n_objects, optional
        Whose each object is; without it each is a subject's own.
    level : float
        Of the intervals.

    Returns
    -------
    IntraclassCorrelation
        May be negative: readers then differ more about one object than objects do. Undefined
        below two objects or two readers, and where the readings do not vary at all. Readings
        without any error have an interval without width. An agreement below zero may lack its
        interval: the approximation behind it then breaks down.

    Raises
    ------
    InputError
        If the readings have not two axes, there is not one subject for each object, or the level
        is out of range.

    Notes
    -----
    With one object a subject the intervals are based on F [1]_ [2]_; they take normal errors for
    granted. With several they would be far too narrow, and so would a bootstrap. From five subjects
    on the interval is then that of the jackknife that leaves out one subject at a time, on Fisher's
    scale ``½ ln((1 + (k - 1) r) / (1 - r))``, freed of its bias, with Student's t on the effective
    subjects less one [3]_. It takes the readers as they are: how sure the agreement of *these* is.

    References
    ----------
    .. [1] Shrout, Fleiss, Intraclass correlations: uses in assessing rater reliability,
       Psychol Bull 86, 420-428 (1979).
    .. [2] McGraw, Wong, Forming inferences about some intraclass correlation coefficients,
       Psychol Methods 1, 30-46 (1996), with its correction 1, 390.
    .. [3] Efron, Tibshirani, An introduction to the bootstrap, chapter 11 (1993).

    Examples
    --------
    >>> icc([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).consistency
    1.0
    """
    table = np.asarray(readings, dtype=np.float64)
    if table.ndim != 2:
        raise InputError(f"readings have the axes subject and reader, not {table.ndim} axes")
    if not 0.0 < level < 1.0:
        raise InputError(f"a confidence level lies between 0 and 1, not at {level}")
    is_complete = np.isfinite(table).all(axis=1)
    whole = table[is_complete]
    clusters = Clusters.of(clusters_of(subjects, table.shape[0])[is_complete])
    n, k = whole.shape
    result = partial(
        IntraclassCorrelation,
        level=level,
        n=n,
        n_readers=k,
        n_left_out=int(table.shape[0] - n),
        n_subjects=clusters.n,
        has_repeats=clusters.has_repeats,
    )
    nothing = (None, None, None, None, None, None)
    if k < 2:
        return result(*nothing, reason=f"needs two readers, there is {k}")
    if n < 2:
        return result(*nothing, reason=f"needs two subjects with readings by all, there is {n}")
    layout = _layout(whole)
    if layout.rows == layout.error == 0.0:
        return result(*nothing, reason="the subjects do not vary")
    agreement = _agreement(layout)
    if agreement is None:
        return result(*nothing, reason="the variances cancel: there is nothing to divide by")
    if clusters.has_repeats:
        return result(**_by_jackknife(whole, clusters, level))
    interval = _agreement_interval(layout, agreement, level)
    low, high = interval or (None, None)
    consistency_low, consistency_high = _consistency_interval(layout, level)
    return result(
        agreement=agreement,
        agreement_low=low,
        agreement_high=high,
        consistency=_consistency(layout),
        consistency_low=consistency_low,
        consistency_high=consistency_high,
        interval_method="F",
        reason="" if interval else NO_FREEDOM,
    )


def _by_jackknife(table: FloatArray, clusters: Clusters, level: float) -> dict[str, Any]:
    """Return estimates and intervals where subjects have several objects.

    Undefined are the intervals of fewer than five subjects, and where the rest without a subject
    has no correlation, or readings without error: then nothing says how far it could move.
    """
    layouts = [_layout(table)]
    if clusters.n >= FEWEST_SUBJECTS:
        layouts += [_layout(table[~clusters.members(one)]) for one in range(clusters.n)]
    found: dict[str, Any] = {"interval_method": JACKKNIFE, "reason": ""}
    for name, estimate in (("agreement", _agreement), ("consistency", _consistency)):
        values = [estimate(layout) for layout in layouts]
        ends, why = _jackknife_interval(values, table.shape[1], clusters, level)
        low, high = ends or (None, None)
        found |= {name: values[0], f"{name}_low": low, f"{name}_high": high}
        found["reason"] = found["reason"] or why
    return found


def _jackknife_interval(
    values: Sequence[float | None], k: int, clusters: Clusters, level: float
) -> tuple[tuple[float, float] | None, str]:
    """Return the interval from the estimate of all and those without each subject, or why not."""
    if clusters.n < FEWEST_SUBJECTS:
        why = f"needs {FEWEST_SUBJECTS} subjects where they have several objects: there"
        return None, f"{why} {'is' if clusters.n == 1 else 'are'} {clusters.n}"
    defined = [value for value in values if value is not None]
    if len(defined) == len(values) and min(defined) == 1.0:
        return (1.0, 1.0), ""
    scaled = [_fisher(value, k) for value in defined]
    if len(defined) < len(values) or not np.isfinite(scaled).all():
        return None, "without one of the subjects the correlation is undefined or perfect"
    whole, without = scaled[0], np.array(scaled[1:])
    centre = clusters.n * whole - (clusters.n - 1) * float(without.mean())
    reach = clusters.two_sided_t(level) * clusters.standard_error(without - whole)
    # A bias that is larger than the reach must not leave the estimate outside its interval.
    low, high = min(centre - reach, whole), max(centre + reach, whole)
    return (_unfisher(low, k), _unfisher(high, k)), ""


def _fisher(value: float, k: int) -> float:
    above, below = 1.0 + (k - 1) * value, 1.0 - value
    return 0.5 * float(np.log(above / below)) if above > 0.0 and below > 0.0 else np.inf


def _unfisher(value: float, k: int) -> float:
    """Turn Fisher's scale back: from -1 / (k - 1) to 1."""
    share = float(np.exp(-2.0 * abs(value)))
    return (
        (1.0 - share) / (1.0 + (k - 1) * share) if value >= 0 else (share - 1.0) / (share + k - 1)
    )


def _layout(table: FloatArray) -> _Layout:
    """Split the variation; what is no more than rounding is none."""
    n, k = table.shape
    grand = table.mean()
    by_row, by_column = table.mean(axis=1) - grand, table.mean(axis=0) - grand
    rest = table - grand - by_row[:, None] - by_column
    rounding = (8.0 * np.finfo(np.float64).eps * float(np.abs(table).max())) ** 2
    squares = (
        k * float(np.dot(by_row, by_row)) / (n - 1),
        n * float(np.dot(by_column, by_column)) / (k - 1),
        float(np.sum(rest**2)) / ((n - 1) * (k - 1)),
    )
    rows, columns, error = (0.0 if square <= n * k * rounding else square for square in squares)
    return _Layout(rows, columns, error, n, k)


def _agreement(layout: _Layout) -> float | None:
    n, k = layout.n, layout.k
    whole = layout.rows + (k - 1) * layout.error + k * (layout.columns - layout.error) / n
    return (layout.rows - layout.error) / whole if whole > 0.0 else None


def _consistency(layout: _Layout) -> float | None:
    if layout.rows == layout.error == 0.0:
        return None
    return (layout.rows - layout.error) / (layout.rows + (layout.k - 1) * layout.error)


def _consistency_interval(layout: _Layout, level: float) -> tuple[float, float]:
    from scipy.special import fdtri

    n, k = layout.n, layout.k
    if layout.error == 0.0:
        return 1.0, 1.0
    f = layout.rows / layout.error
    upper = (1.0 + level) / 2.0
    low = f / float(fdtri(n - 1, (n - 1) * (k - 1), upper))
    high = f * float(fdtri((n - 1) * (k - 1), n - 1, upper))
    return (low - 1.0) / (low + k - 1.0), (high - 1.0) / (high + k - 1.0)


def _agreement_interval(
    layout: _Layout, agreement: float, level: float
) -> tuple[float, float] | None:
    """McGraw and Wong's interval, with Satterthwaite's degrees of freedom.

    None where these vanish, or leave the estimate outside: that takes an estimate below zero.
    """
    from scipy.special import fdtri

    n, k = layout.n, layout.k
    rows, columns, error = layout.rows, layout.columns, layout.error
    if columns == error == 0.0:
        return 1.0, 1.0
    a = k * agreement * columns
    b = (n * (1.0 + (k - 1) * agreement) - k * agreement) * error
    scale = a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1))
    freedom = (a + b) ** 2 / scale if scale > 0.0 else 0.0
    if freedom <= 0.0:
        return None
    upper = (1.0 + level) / 2.0
    f_low = float(fdtri(n - 1, freedom, upper))
    f_high = float(fdtri(freedom, n - 1, upper))
    other = k * columns + (k * n - k - n) * error
    # Divided through by F, which is vast where degrees of freedom are few.
    low = n * (rows / f_low - error) / (other + n * rows / f_low)
    below = other + n * f_high * rows
    high = n * (f_high * rows - error) / below if below > 0.0 else -np.inf
    return (low, high) if low <= agreement <= high else None
