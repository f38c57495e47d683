"""Bias and limits of agreement that figures print: computed once for the figure and its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.core.statistics import BlandAltman, bland_altman
from lesionary.core.volume import BoolArray, FloatArray

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Two readings of several things, and how far they differ.

    Parameters
    ----------
    naming : mapping
        What tells its row of the table apart: pair of readers, or reference and label.
    means, differences : float array, shape (n,)
        Of the two readings of each thing.
    is_missed : bool array, shape (n,)
        Where one of the two is the 0 of something missed.
    found : BlandAltman
    """

    naming: Row
    means: FloatArray
    differences: FloatArray
    is_missed: BoolArray
    found: BlandAltman

    @property
    def limits(self) -> tuple[float | None, float | None, float | None]:
        """Bias, lower and upper limit."""
        return self.found.bias, self.found.lower_limit, self.found.upper_limit

    def row(self) -> dict[str, Any]:
        """Return the row of the table."""
        low, high = self.found.bias_interval or (None, None)
        names = ("bias", "sd", "lower_limit", "upper_limit", "n", "n_subjects", "has_repeats")
        values = {name: getattr(self.found, name) for name in names}
        return {
            **self.naming,
            **values,
            "bias_low": low,
            "bias_high": high,
            "bias_interval_method": self.found.bias_interval_method,
            "confidence": self.found.level,
            "reason": self.found.reason or None,
        }


def percent_differences(summary: Row) -> list[Differences]:
    """Compare volumes both readers drew, in percent: differences grow with the tumour."""
    found = []
    for pair in dict.fromkeys(row["pair"] for row in summary["pairs"]):
        rows = [
            row
            for row in summary["pairs"]
            if row["pair"] == pair
            and row.get("volume_difference_ml") is not None
            and row["n_missed"] == 0
        ]
        if rows:
            found.append(_percent(pair, rows))
    return found


def _percent(pair: str, rows: Sequence[Row]) -> Differences:
    first, second = (_column(rows, f"{side}_volume_ml") for side in ("first", "second"))
    means = (first + second) / 2
    percent = 100 * (first - second) / means
    return Differences(
        {"level": "tumour", "reading": "volume", "unit": "percent", "pair": pair},
        means,
        percent,
        np.zeros(len(means), dtype=np.bool_),
        bland_altman(percent, np.zeros_like(percent), subjects=_subjects(rows)),
    )


def volume_differences(cases: Sequence[Row]) -> list[Differences]:
    """Compare the predicted with each reference's volume, label by label."""
    gathered: dict[tuple[str, str], list[Row]] = {}
    for row in cases:
        if row.get("reference_volume_ml") is not None and row["dsc"] is not None:
            gathered.setdefault((row["reference"], str(row["label"])), []).append(row)
    return [_volumes(*names, rows) for names, rows in gathered.items()]


def _volumes(reference: str, label: str, rows: Sequence[Row]) -> Differences:
    predicted, true = (_column(rows, f"{side}_volume_ml") for side in ("predicted", "reference"))
    return Differences(
        {"reference": reference, "label": label, "reading": "volume", "unit": "ml"},
        (predicted + true) / 2,
        predicted - true,
        (predicted == 0) | (true == 0),
        bland_altman(predicted, true, subjects=_subjects(rows)),
    )


def _column(rows: Sequence[Row], name: str) -> FloatArray:
    return np.array([row[name] for row in rows], dtype=np.float64)


def _subjects(rows: Sequence[Row]) -> list[tuple[Any, Any]]:
    return [(row["group"], row["subject"]) for row in rows]
