"""Tables of agreement: the mouse paper's Tables 3 and 4, and every row behind them (M8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from lesionary.publish.comparison.limits import percent_differences
from lesionary.publish.comparison.tables import Column, Table

Row = Mapping[str, Any]

_COUNTS = (Column("n", "n"), Column("n_subjects", "subjects"), Column("n_missed", "missed"))
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


def not_read(readers: Sequence[Sequence[str]]) -> list[str]:
    """Say who gave no mask of some cases: not to have read is not to have missed.

    Parameters
    ----------
    readers : sequence of sequence of str
        Who read each case.
    """
    names = dict.fromkeys(name for one in readers for name in one)
    absent = {name: sum(name not in one for one in readers) for name in names}
    n = len(readers)
    return [
        f"{name} read {n - lacking} of {n} cases" for name, lacking in absent.items() if lacking
    ]


def agreement_tables(summary: Mapping[str, Any], *, notes: Sequence[str] = ()) -> list[Table]:
    """Lay out what ``agree`` found over many cases.

    Parameters
    ----------
    summary : mapping
        ``to_json()`` of an agreement summary: lists of rows by name.
    notes : sequence of str
        What a reader of the printed tables must know of the cases.
    """
    said = "".join(f" {note[:1].upper()}{note[1:]}." for note in notes)
    return [
        _overall(summary, said),
        _by_group(summary, said),
        _table(summary, "tumours", "Each tumour, all readers together.", _OBJECT_COLUMNS),
        _table(summary, "pairs", "Each tumour, pair by pair.", _PAIR_COLUMNS),
        _table(summary, "tumour_readers", "Each tumour, reader by reader.", _READER_COLUMNS),
        _table(summary, "cases", "Each case, all foreground together.", _CASE_COLUMNS),
        _table(summary, "case_pairs", "Each case, pair by pair.", _PAIR_COLUMNS),
        _table(summary, "case_readers", "Each case, reader by reader.", _READER_COLUMNS),
        _table(summary, "summary", "Every metric, overall and by group.", _SUMMARY_COLUMNS),
        _table(summary, "counts", "What was compared, and what was missed.", _COUNT_COLUMNS),
        _table(summary, "icc", "Intraclass correlation of readers' measurements.", _ICC_COLUMNS),
        _table(
            summary, "bland_altman", "Bias and limits of agreement, pair by pair.", _BIAS_COLUMNS
        ),
        Table(
            "agreement_bland_altman_percent",
            "Bias and limits of agreement of volumes, in percent of the pair's mean; missed"
            " tumours left out.",
            _PERCENT_COLUMNS,
            [one.row() for one in percent_differences(summary)],
        ),
    ]


def _overall(summary: Mapping[str, Any], said: str) -> Table:
    found = _summary_rows(summary, "overall")
    rows = _pivoted(found)
    return Table(
        "agreement_overall",
        f"Agreement over all tumours, mean ± standard deviation. {domain_text(found)}"
        + _MISSED
        + said,
        [Column("readers", "readers"), *_metric_columns(rows), *_COUNTS],
        rows,
    )


def _by_group(summary: Mapping[str, Any], said: str) -> Table:
    found = _summary_rows(summary, "group") or _summary_rows(summary, "overall")
    rows = _pivoted(found)
    return Table(
        "agreement_by_group",
        f"Agreement by data set, mean ± standard deviation over tumours. {domain_text(found)}"
        + _MISSED
        + said,
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


def _pivoted(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Put the metrics of one group and one pair side by side."""
    table: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["metric"] not in _METRICS:
            continue
        key = row["group"], row["readers"]
        line = table.setdefault(key, {"group": row["group"], "readers": row["readers"]})
        line[row["metric"]] = row["mean"]
        line[f"{row['metric']}_sd"] = row["sd"]
        line[f"{row['metric']}_n"] = row["n"]
        for count in ("n", "n_subjects", "n_missed"):
            line.setdefault(count, row[count])
    return list(table.values())


def _metric_columns(rows: Sequence[Row]) -> list[Column]:
    return [
        Column(metric, heading, decimals, f"{metric}_sd", f"{metric}_n")
        for metric, (heading, decimals) in _METRICS.items()
        if any(row.get(metric) is not None for row in rows)
    ]


def domain_text(rows: Sequence[Row]) -> str:
    """Say what kappa counts, from rows of a summary: no kappa is printed without it."""
    kappas = [row for row in rows if row["metric"] == "fleiss_kappa"]
    if not kappas:
        return ""
    least = min(row["domain_voxels_least"] for row in kappas)
    most = max(row["domain_voxels_most"] for row in kappas)
    counted = f"{least}" if least == most else f"{least} to {most}"
    return f"Domain of κ: the whole image, {counted} voxels. "


def _table(summary: Mapping[str, Any], name: str, caption: str, columns: Sequence[Column]) -> Table:
    rows = summary[name]
    known = {field for row in rows for field in row}
    shown = [column for column in columns if column.key in known] or list(columns)
    return Table(f"agreement_{name}", caption, shown, rows)


_MISSED = (
    "A tumour that one reader missed counts with a Dice of 0 and a volume of 0 ml; diameters exist"
    " only where both drew it."
)
_NAMES = {name: heading for name, (heading, _) in _METRICS.items()} | {
    "krippendorff_alpha": "Krippendorff's α",
    "dice_mean": "mean Dice of all pairs",
    "volume_from_mean_ml": "volume less the mean (ml)",
    "staple_sensitivity": "sensitivity against STAPLE",
    "staple_specificity": "specificity against STAPLE",
}
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
_READER_COLUMNS = (
    *_TUMOUR,
    Column("reader", "reader"),
    Column("volume_ml", "volume (ml)", 3),
    Column("volume_from_mean_ml", "less the mean (ml)", 3),
    Column("staple_sensitivity", "sensitivity against STAPLE", 4),
    Column("staple_specificity", "specificity against STAPLE", 6),
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
    Column("metric", "metric", words=_NAMES),
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
_PERCENT_COLUMNS = (
    Column("reading", "reading"),
    Column("pair", "pair"),
    Column("bias", "bias (%)", 1, "sd"),
    Column("lower_limit", "lower limit", 1),
    Column("upper_limit", "upper limit", 1),
    Column("n", "n"),
    Column("n_subjects", "subjects"),
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
