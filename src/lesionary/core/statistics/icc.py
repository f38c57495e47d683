"""Intraclass correlation: how much of the variation between readings is between subjects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.errors import InputError
from lesionary.core.statistics.result import Result
from lesionary.core.volume import FloatArray


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
        Subjects with a finite reading by every reader.
    n_readers : int
    n_left_out : int
        Subjects without.
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
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Mean squares of a two-way layout without repeats."""

    rows: float
    columns: float
    error: float
    n: int
    k: int


def icc(readings: ArrayLike, *, level: float = 0.95) -> IntraclassCorrelation:
    """Measure the reliability of one reader's readings.

    Parameters
    ----------
    readings : float array, shape (n_subjects, n_readers)
        A subject that lacks a finite reading by any reader is left out, and counted.
    level : float
        Of the F-based intervals [1]_ [2]_; they take normal errors and independent subjects for
        granted.

    Returns
    -------
    IntraclassCorrelation
        May be negative: readers then differ more about one subject than subjects do. Undefined
        below two subjects or two readers, and where the readings do not vary at all. Readings
        without any error have an interval without width. An agreement below zero may lack its
        interval: the approximation behind it then breaks down.

    Raises
    ------
    InputError
        If the readings have not two axes, or the level is out of range.

    References
    ----------
    .. [1] Shrout, Fleiss, Intraclass correlations: uses in assessing rater reliability,
       Psychol Bull 86, 420-428 (1979).
    .. [2] McGraw, Wong, Forming inferences about some intraclass correlation coefficients,
       Psychol Methods 1, 30-46 (1996), with its correction 1, 390.

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
    n, k = whole.shape
    n_left_out = int(table.shape[0] - n)

    def undefined(reason: str) -> IntraclassCorrelation:
        nothing = (None, None, None, None, None, None)
        return IntraclassCorrelation(*nothing, level, n, k, n_left_out, reason)

    if k < 2:
        return undefined(f"needs two readers, there is {k}")
    if n < 2:
        return undefined(f"needs two subjects with readings by all, there is {n}")
    layout = _layout(whole)
    if layout.rows == layout.error == 0.0:
        return undefined("the subjects do not vary")
    agreement = _agreement(layout)
    if agreement is None:
        return undefined("the variances cancel: there is nothing to divide by")
    interval = _agreement_interval(layout, agreement, level)
    low, high = interval or (None, None)
    f = layout.rows / layout.error if layout.error > 0.0 else np.inf
    consistency = (f - 1.0) / (f + k - 1.0) if np.isfinite(f) else 1.0
    return IntraclassCorrelation(
        agreement,
        low,
        high,
        float(consistency),
        *_consistency_interval(layout, float(f), level),
        level,
        n,
        k,
        n_left_out,
        "" if interval else "the approximation of the interval's degrees of freedom breaks down",
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


def _consistency_interval(layout: _Layout, f: float, level: float) -> tuple[float, float]:
    from scipy.special import fdtri

    n, k = layout.n, layout.k
    if not np.isfinite(f):
        return 1.0, 1.0
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
