"""Mean, spread and interval of every figure of the long tables (M8, X3).

A tumour that a reader missed is in every mean that can hold it: Dice 0, 0 ml. The mean without it
stands beside it, never alone. What no mean can hold (a diameter of nothing) is left out, counted,
and the row says so. Confidence intervals rest on subjects, not tumours.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lesionary.agree.rows import Row
from lesionary.agree.scores import with_reason
from lesionary.core.statistics import Resampling, mean_interval, spread_of

ALL_READERS = "all"
COUNTED = "counted"
LEFT_OUT = "left out"

SHARE, SIZE, COEFFICIENT = (0.0, 1.0), (0.0, math.inf), (-math.inf, 1.0)
"""The least and the largest value that figures of a kind can have: intervals end there."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of the long tables, what becomes of a missed tumour in its mean, and its range."""

    name: str
    unit: str
    missed: str
    bounds: tuple[float, float] = (-math.inf, math.inf)


PAIR_METRICS = (
    Metric("dice", "", COUNTED, SHARE),
    Metric("volume_difference_ml", "ml", COUNTED),
    Metric("diameter_difference_mm", "mm", LEFT_OUT),
)
READER_METRICS = (
    Metric("volume_from_mean_ml", "ml", COUNTED),
    Metric("staple_sensitivity", "", COUNTED, SHARE),
    Metric("staple_specificity", "", COUNTED, SHARE),
)
OBJECT_METRICS = (
    Metric("fleiss_kappa", "", COUNTED, COEFFICIENT),
    Metric("krippendorff_alpha", "", COUNTED, COEFFICIENT),
    Metric("dice_mean", "", COUNTED, SHARE),
    Metric("volume_rmse_ml", "ml", COUNTED, SIZE),
    Metric("volume_rmse_percent", "%", COUNTED, SIZE),
    Metric("diameter_rmse_mm", "mm", LEFT_OUT, SIZE),
)


def subject_of(row: Row) -> tuple[str, str]:
    """Return whose a row is: subjects of one name in two groups are two."""
    return row["group"], row["subject"]


def summary_rows(
    objects: Sequence[Row], pairs: Sequence[Row], alone: Sequence[Row], resampling: Resampling
) -> Iterator[Row]:
    """Yield one row for every metric and for each pair, each reader, or all of them.

    Parameters
    ----------
    objects, pairs, alone : sequence of dict
        Rows a tumour; a tumour and pair; a tumour and reader. Of one scope.
    resampling : Resampling
        How the intervals are drawn.

    Yields
    ------
    dict
        See :func:`lesionary.agree.summary.summarise`.
    """
    row_of = partial(_summary_row, resampling=resampling)
    kinds = (
        (PAIR_METRICS, _by(pairs, "pair")),
        (OBJECT_METRICS, {ALL_READERS: objects}),
        (READER_METRICS, _by(alone, "reader")),
    )
    for metrics, rows_of in kinds:
        for metric in metrics:
            for readers, rows in rows_of.items():
                if any(metric.name in row for row in rows):
                    yield row_of(metric, readers, rows)


def _by(rows: Sequence[Row], field: str) -> dict[str, Sequence[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[field], []).append(row)
    return dict(found)


def _summary_row(
    metric: Metric, readers: str, rows: Sequence[Row], *, resampling: Resampling
) -> Row:
    known = [row for row in rows if row.get(metric.name) is not None]
    values = np.array([row[metric.name] for row in known], dtype=np.float64)
    seen = np.array([row["n_missed"] == 0 for row in known], dtype=np.bool_)
    spread, without_missed = spread_of(values), spread_of(values[seen])
    interval = mean_interval(
        values,
        subjects=[subject_of(row) for row in known],
        resampling=resampling,
        bounds=metric.bounds,
    )
    n_readers = [row.get("n_readers", 2) for row in known or rows]
    row: Row = {
        "metric": metric.name,
        "unit": metric.unit,
        "readers": readers,
        "n": len(known),
        "n_missed": sum(_is_missed(row) for row in rows),
        "missed": metric.missed,
        "n_undefined": len(rows) - len(known),
        "n_fused": sum(row["fused"] for row in known),
        "n_cases": len({(*subject_of(row), row["case"]) for row in known}),
        "n_subjects": interval.n_subjects,
        "n_readers_least": min(n_readers),
        "n_readers_most": max(n_readers),
        "mean": spread and spread.mean,
        "sd": spread and spread.sd,
        "median": spread and spread.median,
        "lower_quartile": spread and spread.lower_quartile,
        "upper_quartile": spread and spread.upper_quartile,
        "mean_low": interval.low,
        "mean_high": interval.high,
        "interval_method": interval.method,
        "confidence": interval.level,
        "n_without_missed": int(seen.sum()),
        "mean_without_missed": without_missed and without_missed.mean,
        "sd_without_missed": without_missed and without_missed.sd,
    }
    if metric.name in {"fleiss_kappa", "krippendorff_alpha"}:
        row |= _domain_of(rows)
    nulls = [name for name, value in row.items() if value is None]
    return with_reason(row, {name: _why(name, row, interval.reason) for name in nulls})


def _is_missed(row: Row) -> bool:
    """Tell whether some of those compared missed it and somebody drew it."""
    n_compared = 2 if "reader" in row else row.get("n_readers", 2)
    return bool(0 < row["n_missed"] < n_compared)


def _domain_of(rows: Sequence[Row]) -> Row:
    """Return what the coefficients count: no kappa is shown without it."""
    voxels = [row["domain_voxels"] for row in rows]
    return {
        "domain": ", ".join(sorted({row["domain"] for row in rows})),
        "domain_voxels_least": min(voxels),
        "domain_voxels_most": max(voxels),
    }


def _why(name: str, row: Row, of_interval: str) -> str:
    if row["n"] == 0:
        return "there are no values"
    if name.endswith("_without_missed") and row["n_without_missed"] == 0:
        return "every value is of something missed"
    if name.startswith("sd"):
        return "one value has no standard deviation"
    return of_interval
