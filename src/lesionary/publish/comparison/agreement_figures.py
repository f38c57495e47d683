"""Figures of agreement: the mouse paper's Figure 2, histograms, Bland–Altman plots (M8)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.publish.comparison.agreement import domain_text
from lesionary.publish.comparison.boxes import Sample
from lesionary.publish.comparison.difference_figures import PairedDifferences, figure_bland_altman
from lesionary.publish.comparison.figures import figure_boxes, figure_histogram
from lesionary.publish.comparison.limits import Differences, percent_differences
from lesionary.publish.comparison.picture import Picture

Row = Mapping[str, Any]

DICE = "Sørensen–Dice coefficient"
_BOXES = {
    "dice": (f"{DICE} by pair of readers", "dice", DICE),
    "volume_difference": (
        "Difference of readers' volumes by pair",
        "volume_difference_ml",
        "volume difference (ml)",
    ),
    "diameter_difference": (
        "Difference of readers' diameters by pair",
        "diameter_difference_mm",
        "diameter difference (mm)",
    ),
    "volume_rmse": (
        "Deviation of readers' volumes from their mean",
        "volume_rmse_ml",
        "volume RMSE (ml)",
    ),
}
"""Box plots by name: title, field, axis."""


def agreement_pictures(summary: Mapping[str, Any]) -> Iterator[Picture]:
    """Draw Dice, volumes and diameters of every tumour; what nobody can compare is not drawn."""
    pairs, tumours = summary["pairs"], summary["tumours"]
    for name, (title, field, axis) in _BOXES.items():
        rows = pairs if "pair" in title else tumours
        if samples := _samples(rows, field):
            yield figure_boxes(f"agreement_{name}", title, samples, axis)
    if samples := _samples(tumours, "fleiss_kappa"):
        title = f"Fleiss' kappa of each tumour. {domain_text(summary['summary'])}".strip()
        yield figure_boxes("agreement_kappa", title, samples, "Fleiss' κ, whole image")
    if samples := _pooled(_samples(pairs, "dice")):
        title = f"{DICE} of every tumour by pair of readers"
        yield figure_histogram("agreement_dice_histogram", title, samples, DICE, within=(0, 1))
    for reading, unit in (("volume", "ml"), ("diameter", "mm")):
        if panels := _panels(summary, reading, unit):
            title = f"Difference against mean of readers' {reading}s; hollow: one reader missed it"
            name = f"agreement_bland_altman_{reading}"
            yield figure_bland_altman(name, title, panels, (f"mean {reading}", unit), unit)
    if panels := [_panel(one) for one in percent_differences(summary)]:
        title = "Difference of readers' volumes in percent of their mean; missed tumours left out"
        name = "agreement_bland_altman_volume_percent"
        yield figure_bland_altman(name, title, panels, ("mean volume", "ml"), "%")


def _samples(rows: Sequence[Row], field: str) -> list[Sample]:
    gathered: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.get(field) is not None:
            gathered.setdefault((row["group"], row.get("pair", "")), []).append(row[field])
    return [
        Sample(group, pair, np.array(values, dtype=np.float64))
        for (group, pair), values in gathered.items()
    ]


def _pooled(samples: Sequence[Sample]) -> list[Sample]:
    """Put all groups of a pair together."""
    pairs = dict.fromkeys(sample.series for sample in samples)
    return [
        Sample("", pair, np.concatenate([s.values for s in samples if s.series == pair]))
        for pair in pairs
    ]


def _panels(summary: Mapping[str, Any], reading: str, unit: str) -> list[PairedDifferences]:
    limits = {
        row["pair"]: row
        for row in summary["bland_altman"]
        if (row["level"], row["scope"], row["reading"]) == ("tumour", "overall", reading)
    }
    panels = []
    for pair, row in limits.items():
        compared = _compared(summary, pair, f"{reading}_difference_{unit}")
        sides = _sides(compared, f"{reading}_{unit}")
        if len(sides):
            panels.append(
                PairedDifferences(
                    title=pair,
                    means=sides.mean(axis=1),
                    differences=sides[:, 0] - sides[:, 1],
                    is_missed=np.array([one["n_missed"] > 0 for one in compared]),
                    limits=(row["bias"], row["lower_limit"], row["upper_limit"]),
                )
            )
    return panels


def _panel(one: Differences) -> PairedDifferences:
    pair = one.naming["pair"]
    return PairedDifferences(pair, one.means, one.differences, one.is_missed, one.limits)


def _compared(summary: Mapping[str, Any], pair: str, field: str) -> list[Row]:
    return [r for r in summary["pairs"] if r["pair"] == pair and r.get(field) is not None]


def _sides(rows: Sequence[Row], field: str) -> FloatArray:
    values = [(row[f"first_{field}"], row[f"second_{field}"]) for row in rows]
    return np.array(values, dtype=np.float64).reshape(-1, 2)
