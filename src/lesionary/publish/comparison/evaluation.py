"""Tables and figures of evaluation: honest and as published side by side (A9, X3)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lesionary.publish.comparison.boxes import Sample
from lesionary.publish.comparison.figures import (
    PairedDifferences,
    Picture,
    figure_bland_altman,
    figure_boxes,
    figure_histogram,
)
from lesionary.publish.comparison.tables import Column, Table

Row = Mapping[str, Any]

DICE = "Sørensen–Dice coefficient"
_METRICS = {
    "dsc": ("DSC", 3),
    "nsd": ("NSD", 3),
    "hd95_mm": ("HD95 (mm)", 2),
    "mean_surface_distance_mm": ("MSD (mm)", 2),
    "volume_difference_ml": ("volume difference (ml)", 2),
}
_FEWEST_FOR_LIMITS = 2


def evaluation_tables(
    summary: Mapping[str, Any], cases: Sequence[Row], comparison: Sequence[Row] = ()
) -> list[Table]:
    """Lay out what ``evaluate`` found over many cases.

    Parameters
    ----------
    summary : mapping
        ``scores``, ``detection`` and ``by_size``: rows over all cases.
    cases : sequence of mapping
        One row a case, reference and label.
    comparison : sequence of mapping
        Tests between two predictions or two references.
    """
    tables = [
        _paper_form(summary["scores"]),
        Table("evaluation_cases", "Each case, label by label.", _CASE_COLUMNS, cases),
        Table(
            "evaluation_scores",
            "Every metric, honest and as published.",
            _SCORES,
            _named(summary["scores"]),
        ),
        Table(
            "evaluation_detection",
            "Lesions found: sensitivity counts reference lesions, precision predicted ones.",
            _DETECTION,
            _named(summary["detection"]),
        ),
        Table("evaluation_by_size", _BY_SIZE_CAPTION, _SIZES, _named(summary["by_size"])),
    ]
    if comparison:
        caption = "Wilcoxon's signed-rank test by case and by subject; the subject is independent."
        tables.append(Table("evaluation_comparison", caption, _COMPARISON, comparison))
    return tables


def evaluation_pictures(cases: Sequence[Row]) -> Iterator[Picture]:
    """Draw every case's scores; undefined values (distances to nothing) are not drawn but counted.

    A missed label is there with its Dice of 0.
    """
    for field, axis in (
        ("dsc", DICE),
        ("nsd", "normalized surface Dice"),
        ("hd95_mm", "HD95 (mm)"),
    ):
        if samples := _samples(cases, field):
            n_missing = sum(row[field] is None for row in cases)
            said = f"; {n_missing} undefined" if n_missing else ""
            yield figure_boxes(
                f"evaluation_{field}", f"{axis} by label{said}", samples, axis + said
            )
    if samples := _samples(cases, "dsc"):
        yield figure_histogram("evaluation_dsc_histogram", f"{DICE} by label", samples, DICE)
    if panels := _panels(cases):
        title = "Predicted minus reference volume"
        yield figure_bland_altman("evaluation_bland_altman", title, panels, "volume (ml)")


def _paper_form(scores: Sequence[Row]) -> Table:
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in scores:
        key = row["group"], row["reference"], row["label"]
        line = lines.setdefault(
            key, {"group": row["group"] or "all", "reference": row["reference"], "label": key[2]}
        )
        metric = row["metric"]
        line |= {metric: row["mean"], f"{metric}_sd": row["sd"]}
        if metric == "dsc":
            line |= {name: row[name] for name in _DENOMINATORS}
            line |= {
                "as_published_dsc": row["as_published_mean"],
                "as_published_dsc_sd": row["as_published_sd"],
                "n_as_published": row["as_published_n"],
            }
    columns = [
        Column("group", "collection"),
        Column("reference", "reference"),
        Column("label", "label"),
        *(
            Column(name, heading, decimals, f"{name}_sd")
            for name, (heading, decimals) in _METRICS.items()
        ),
        Column("n", "n"),
        Column("n_missed", "missed"),
        Column("n_self_compared", "self-compared"),
        Column("as_published_dsc", "DSC as published", 3, "as_published_dsc_sd"),
        Column("n_as_published", "n"),
    ]
    caption = (
        "Mean ± standard deviation over cases. A missed label counts with a DSC of 0; as published"
        " it is dropped, and a case compared with itself counts like any other."
    )
    return Table("evaluation_overall", caption, columns, list(lines.values()))


def _named(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write out what null stands for: all groups, all labels together."""
    return [
        {
            **row,
            "group": "all" if row["group"] is None else row["group"],
            "label": "all" if row["label"] is None else row["label"],
        }
        for row in rows
    ]


def _samples(cases: Sequence[Row], field: str) -> list[Sample]:
    gathered: dict[tuple[str, str], list[float]] = {}
    is_several = len({row["reference"] for row in cases}) > 1
    for row in cases:
        if row[field] is not None:
            series = f"{row['label']}, {row['reference']}" if is_several else str(row["label"])
            gathered.setdefault((row["group"], series), []).append(row[field])
    return [
        Sample(group, series, np.array(values, dtype=np.float64))
        for (group, series), values in gathered.items()
    ]


def _panels(cases: Sequence[Row]) -> list[PairedDifferences]:
    gathered: dict[str, list[tuple[float, float]]] = {}
    for row in cases:
        if row.get("reference_volume_ml") is not None and row["dsc"] is not None:
            sides = row["predicted_volume_ml"], row["reference_volume_ml"]
            gathered.setdefault(f"{row['label']}, {row['reference']}", []).append(sides)
    return [_panel(title, np.array(values)) for title, values in gathered.items()]


def _panel(title: str, sides: "np.ndarray[Any, np.dtype[np.float64]]") -> PairedDifferences:
    differences = sides[:, 0] - sides[:, 1]
    bias = lower = upper = None
    if len(differences) >= _FEWEST_FOR_LIMITS:
        bias, spread = float(differences.mean()), float(differences.std(ddof=1))
        lower, upper = bias - 1.96 * spread, bias + 1.96 * spread
    return PairedDifferences(title, sides.mean(axis=1), differences, bias, lower, upper)


_DENOMINATORS = ("n", "n_missed", "n_self_compared", "n_undefined")
_BY_SIZE_CAPTION = "Lesions found by equivalent diameter; a missed lesion counts with a Dice of 0."
_CASE_COLUMNS = (
    Column("group", "collection"),
    Column("case", "case"),
    Column("reference", "reference"),
    Column("label", "label"),
    Column("dsc", "DSC", 3),
    Column("nsd", "NSD", 3),
    Column("tolerance_mm", "tolerance (mm)", 2),
    Column("hd95_mm", "HD95 (mm)", 2),
    Column("mean_surface_distance_mm", "MSD (mm)", 2),
    Column("volume_difference_ml", "volume difference (ml)", 2),
    Column("self_compared", "self-compared"),
)
_SCORES = (
    Column("group", "collection"),
    Column("reference", "reference"),
    Column("label", "label"),
    Column("metric", "metric"),
    Column("mean", "mean", 3, "sd"),
    Column("ci_low", "95 % from", 3),
    Column("ci_high", "to", 3),
    Column("n", "n"),
    Column("n_undefined", "undefined"),
    Column("n_missed", "missed"),
    Column("n_self_compared", "self-compared"),
    Column("mean_without_self_compared", "mean without", 3),
    Column("as_published_mean", "as published", 3, "as_published_sd"),
    Column("as_published_n", "n"),
)
_DETECTION = (
    Column("group", "collection"),
    Column("reference", "reference"),
    Column("label", "label"),
    Column("rule", "rule"),
    Column("true_positive", "found"),
    Column("reference_lesions", "of"),
    Column("sensitivity", "sensitivity", 3),
    Column("false_negative_rate", "FNR", 3),
    Column("predicted_lesions", "predicted"),
    Column("precision", "precision", 3),
    Column("f1", "F1", 3),
    Column("as_published_sensitivity", "sensitivity as published", 3),
    Column("as_published_f1", "F1 as published", 3),
)
_SIZES = (
    Column("group", "collection"),
    Column("reference", "reference"),
    Column("label", "label"),
    Column("from_mm", "from (mm)", 0),
    Column("to_mm", "to (mm)", 0),
    Column("n_hit", "found"),
    Column("n", "of"),
    Column("sensitivity", "sensitivity", 3),
    Column("mean_dice", "mean Dice", 3),
    Column("n_predicted", "predicted"),
    Column("precision", "precision", 3),
)
_COMPARISON = (
    Column("group", "collection"),
    Column("label", "label"),
    Column("metric", "metric"),
    Column("first", "first"),
    Column("mean_first", "mean", 3),
    Column("second", "second"),
    Column("mean_second", "mean", 3),
    Column("n_pairs", "pairs"),
    Column("p_by_case", "p by case", 4),
    Column("n_subjects", "subjects"),
    Column("p_by_subject", "p by subject", 4),
)
