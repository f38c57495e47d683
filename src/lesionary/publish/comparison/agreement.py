"""Tables and figures of agreement: the mouse paper's Tables 3 and 4 and its Figure 2 (M8)."""

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

_COUNTS = (Column("n", "n"), Column("n_missed", "missed"))
_METRICS = {
    "dice": ("Dice", 3),
    "volume_difference_ml": ("volume difference (ml)", 3),
    "diameter_difference_mm": ("diameter difference (mm)", 2),
    "fleiss_kappa": ("Fleiss' κ", 3),
    "volume_rmse_ml": ("volume RMSE (ml)", 3),
    "volume_rmse_percent": ("volume RMSE (%)", 1),
    "diameter_rmse_mm": ("diameter RMSE (mm)", 2),
}
"""What the printed tables show, with heading and decimals."""


def agreement_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Lay out what ``agree`` found over many cases.

    Parameters
    ----------
    summary : mapping
        ``to_json()`` of an agreement summary: lists of rows by name.
    """
    return [
        _overall(summary),
        _by_group(summary),
        _table(summary, "tumours", "Each tumour, all readers together.", _OBJECT_COLUMNS),
        _table(summary, "pairs", "Each tumour, pair by pair.", _PAIR_COLUMNS),
        _table(summary, "cases", "Each case, all foreground together.", _CASE_COLUMNS),
        _table(summary, "case_pairs", "Each case, pair by pair.", _PAIR_COLUMNS),
        _table(summary, "summary", "Every metric, overall and by group.", _SUMMARY_COLUMNS),
        _table(summary, "counts", "What was compared, and what was missed.", _COUNT_COLUMNS),
        _table(summary, "icc", "Intraclass correlation of readers' measurements.", _ICC_COLUMNS),
        _table(
            summary, "bland_altman", "Bias and limits of agreement, pair by pair.", _BIAS_COLUMNS
        ),
    ]


def agreement_pictures(summary: Mapping[str, Any]) -> Iterator[Picture]:
    """Draw Dice, volumes and diameters of every tumour; what nobody can compare is not drawn."""
    pairs, tumours = summary["pairs"], summary["tumours"]
    boxes = (
        ("dice", f"{DICE} by pair of readers", pairs, "dice", DICE),
        (
            "volume_difference",
            "Difference of readers' volumes by pair",
            pairs,
            "volume_difference_ml",
            "volume difference (ml)",
        ),
        (
            "diameter_difference",
            "Difference of readers' diameters by pair",
            pairs,
            "diameter_difference_mm",
            "diameter difference (mm)",
        ),
        (
            "volume_rmse",
            "Deviation of readers' volumes from their mean",
            tumours,
            "volume_rmse_ml",
            "volume RMSE (ml)",
        ),
        (
            "kappa",
            "Fleiss' kappa of each tumour over the whole image",
            tumours,
            "fleiss_kappa",
            "Fleiss' κ",
        ),
    )
    for name, title, rows, field, axis in boxes:
        if samples := _samples(rows, field):
            yield figure_boxes(f"agreement_{name}", title, samples, axis)
    if samples := _pooled(_samples(pairs, "dice")):
        title = f"{DICE} of every tumour by pair of readers"
        yield figure_histogram("agreement_dice_histogram", title, samples, DICE)
    for reading, unit in (("volume", "ml"), ("diameter", "mm")):
        if panels := _panels(summary, reading, unit):
            title = f"Difference against mean of readers' {reading}s"
            name = f"agreement_bland_altman_{reading}"
            yield figure_bland_altman(name, title, panels, f"{reading} ({unit})")


def _overall(summary: Mapping[str, Any]) -> Table:
    found = _summary_rows(summary, "overall")
    rows = list(_pivoted(found).values())
    return Table(
        "agreement_overall",
        f"Agreement over all tumours, mean ± standard deviation. {_domain(found)}"
        " A tumour that one reader missed counts with a Dice of 0 and a volume of 0 ml.",
        [Column("readers", "readers"), *_metric_columns(rows), *_COUNTS],
        rows,
    )


def _by_group(summary: Mapping[str, Any]) -> Table:
    found = _summary_rows(summary, "group") or _summary_rows(summary, "overall")
    rows = list(_pivoted(found).values())
    return Table(
        "agreement_by_group",
        f"Agreement by data set, mean ± standard deviation over tumours. {_domain(found)}",
        [
            Column("group", "data set"),
            Column("readers", "readers"),
            *_metric_columns(rows),
            *_COUNTS,
        ],
        rows,
    )


def _summary_rows(summary: Mapping[str, Any], scope: str) -> list[Row]:
    return [row for row in summary["summary"] if row["level"] == "tumour" and row["scope"] == scope]


def _pivoted(rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, Any]]:
    """Put the metrics of one group and one pair side by side."""
    table: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = row["group"], row["readers"]
        line = table.setdefault(key, {"group": row["group"], "readers": row["readers"]})
        line[row["metric"]] = row["mean"]
        line[f"{row['metric']}_sd"] = row["sd"]
        for count in ("n", "n_missed"):
            line.setdefault(count, row[count])
    return table


def _metric_columns(rows: Sequence[Row]) -> list[Column]:
    return [
        Column(metric, heading, decimals, f"{metric}_sd")
        for metric, (heading, decimals) in _METRICS.items()
        if any(row.get(metric) is not None for row in rows)
    ]


def _domain(rows: Sequence[Row]) -> str:
    """Say what kappa counts: no kappa is printed without it."""
    kappas = [row for row in rows if row["metric"] == "fleiss_kappa"]
    if not kappas:
        return ""
    least = min(row["domain_voxels_least"] for row in kappas)
    most = max(row["domain_voxels_most"] for row in kappas)
    counted = f"{least}" if least == most else f"{least} to {most}"
    return f"Domain of κ: the whole image, {counted} voxels."


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
        sides = np.array(
            [
                (one[f"first_{reading}_{unit}"], one[f"second_{reading}_{unit}"])
                for one in summary["pairs"]
                if one["pair"] == pair and one.get(f"{reading}_difference_{unit}") is not None
            ],
            dtype=np.float64,
        ).reshape(-1, 2)
        if len(sides):
            panels.append(
                PairedDifferences(
                    title=pair,
                    means=sides.mean(axis=1),
                    differences=sides[:, 0] - sides[:, 1],
                    bias=row["bias"],
                    lower=row["lower_limit"],
                    upper=row["upper_limit"],
                )
            )
    return panels


def _table(summary: Mapping[str, Any], name: str, caption: str, columns: Sequence[Column]) -> Table:
    rows = summary[name]
    known = {field for row in rows for field in row}
    shown = [column for column in columns if column.key in known] or list(columns)
    return Table(f"agreement_{name}", caption, shown, rows)


_NAMING = (Column("group", "data set"), Column("case", "case"))
_TUMOUR = (*_NAMING, Column("label", "label"), Column("tumour", "tumour"))
_OBJECT_COLUMNS = (
    *_TUMOUR,
    Column("dice_mean", "mean Dice", 3),
    Column("fleiss_kappa", "κ", 4),
    Column("domain_voxels", "domain (voxels)"),
    Column("volume_mean_ml", "volume (ml)", 3),
    Column("volume_rmse_ml", "RMSE (ml)", 3),
    Column("volume_rmse_percent", "RMSE (%)", 1),
    Column("diameter_mean_mm", "diameter (mm)", 1),
    Column("missed_by", "missed by"),
    Column("fused", "fused"),
)
_PAIR_COLUMNS = (
    *_TUMOUR,
    Column("pair", "pair"),
    Column("dice", "Dice", 3),
    Column("volume_difference_ml", "volume difference (ml)", 3),
    Column("diameter_difference_mm", "diameter difference (mm)", 1),
    Column("missed_by", "missed by"),
)
_CASE_COLUMNS = (
    *_NAMING,
    Column("n_tumours", "tumours"),
    Column("dice_mean", "mean Dice", 3),
    Column("fleiss_kappa", "κ", 4),
    Column("domain_voxels", "domain (voxels)"),
    Column("volume_mean_ml", "volume (ml)", 3),
    Column("volume_rmse_percent", "RMSE (%)", 1),
)
_SUMMARY_COLUMNS = (
    Column("level", "level"),
    Column("group", "data set"),
    Column("metric", "metric"),
    Column("readers", "readers"),
    Column("mean", "mean", 3, "sd"),
    Column("median", "median", 3),
    Column("mean_low", "95 % from", 3),
    Column("mean_high", "to", 3),
    *_COUNTS,
    Column("n_undefined", "undefined"),
    Column("mean_without_missed", "mean without missed", 3),
)
_COUNT_COLUMNS = (
    Column("scope", "scope"),
    Column("group", "data set"),
    Column("n_cases", "cases"),
    Column("n_subjects", "subjects"),
    Column("n_tumours", "tumours"),
    Column("n_missed", "missed by somebody"),
    Column("n_fused", "fused"),
)
_ICC_COLUMNS = (
    Column("level", "level"),
    Column("group", "data set"),
    Column("reading", "reading"),
    Column("readers", "readers"),
    Column("agreement", "ICC(2,1)", 3),
    Column("agreement_low", "95 % from", 3),
    Column("agreement_high", "to", 3),
    Column("n", "n"),
    Column("n_left_out", "left out"),
)
_BIAS_COLUMNS = (
    Column("level", "level"),
    Column("group", "data set"),
    Column("reading", "reading"),
    Column("pair", "pair"),
    Column("bias", "bias", 3, "sd"),
    Column("lower_limit", "lower limit", 3),
    Column("upper_limit", "upper limit", 3),
    Column("n", "n"),
    Column("n_left_out", "left out"),
)
