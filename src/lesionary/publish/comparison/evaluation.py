"""Tables and figures of evaluation: honest and as published side by side (A9, X3)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lesionary.publish.comparison.boxes import Sample
from lesionary.publish.comparison.difference_figures import PairedDifferences, figure_bland_altman
from lesionary.publish.comparison.figures import figure_boxes, figure_histogram
from lesionary.publish.comparison.limits import Differences, volume_differences
from lesionary.publish.comparison.picture import Picture
from lesionary.publish.comparison.tables import Column, Table

Row = Mapping[str, Any]

DICE = "Sørensen–Dice coefficient"
CONSENSUS = "consensus"


def evaluation_tables(
    summary: Mapping[str, Any],
    cases: Sequence[Row],
    *,
    comparison: Sequence[Row] = (),
    left_out: Sequence[Row] = (),
) -> list[Table]:
    """Lay out what ``evaluate`` found over many cases.

    Parameters
    ----------
    summary : mapping
        ``scores``, ``detection`` and ``by_size``: rows over all cases.
    cases : sequence of mapping
        One row a case, reference and label.
    comparison : sequence of mapping
        Tests between two predictions.
    left_out : sequence of mapping
        Cases that are not scored, with the reason: every caption says how many.
    """
    said = _not_scored(cases, left_out)
    tables = [
        _paper_form(summary["scores"], said),
        Table("evaluation_cases", f"Each case, label by label.{said}", _CASE_COLUMNS, cases),
        Table(
            "evaluation_scores",
            f"Every metric, honest and as published.{said}",
            _SCORES,
            _named(summary["scores"]),
        ),
        Table("evaluation_detection", _FOUND + said, _DETECTION, _named(summary["detection"])),
        Table("evaluation_by_size", _BY_SIZE + said, _SIZES, _named(summary["by_size"])),
        Table(
            "evaluation_bland_altman",
            f"Predicted minus reference volume, bias and limits of agreement by label.{said}",
            _BIAS,
            [one.row() for one in volume_differences(cases)],
        ),
        Table("evaluation_left_out", "Cases that are not scored.", _LEFT_OUT, left_out),
    ]
    if comparison:
        tables.append(
            Table("evaluation_comparison", _TESTED + said, _COMPARISON, _named(comparison))
        )
    return tables


def evaluation_pictures(cases: Sequence[Row], of: str = "prediction") -> Iterator[Picture]:
    """Draw every case's scores against one reference: the consensus, where there are several.

    Undefined values (distances to nothing) are not drawn but counted. A missed label is there with
    its Dice of 0. ``of`` names what was scored.
    """
    references = list(dict.fromkeys(row["reference"] for row in cases))
    if not references:
        return
    reference = CONSENSUS if CONSENSUS in references else references[0]
    rows = [row for row in cases if row["reference"] == reference]
    against = f" against {reference}" if len(references) > 1 else ""
    for field, axis in _DRAWN.items():
        if samples := _samples(rows, field):
            n_missing = sum(row[field] is None for row in rows)
            said = f"; {n_missing} undefined" if n_missing else ""
            title = f"{axis} of {of}{against} by label{said}"
            yield figure_boxes(f"evaluation_{field}", title, samples, axis + said)
    if samples := _samples(rows, "dsc"):
        title = f"Distribution of the {DICE} of {of}{against} by label"
        yield figure_histogram("evaluation_dsc_histogram", title, samples, DICE, within=(0, 1))
    if panels := [_panel(one) for one in volume_differences(rows)]:
        title = f"Volume of {of} minus reference volume{against}; hollow: one of them is empty"
        quantity = ("mean volume", "ml")
        name = "evaluation_bland_altman"
        yield figure_bland_altman(name, title, panels, quantity, "ml", is_shared=False)


def _not_scored(cases: Sequence[Row], left_out: Sequence[Row]) -> str:
    if not left_out:
        return ""
    n_scored = len({(row["group"], row["case"]) for row in cases})
    return f" {len(left_out)} of {n_scored + len(left_out)} cases are not scored."


def _paper_form(scores: Sequence[Row], said: str) -> Table:
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in scores:
        key = row["group"], row["reference"], row["label"]
        line = lines.setdefault(
            key, {"group": row["group"] or "all", "reference": row["reference"], "label": key[2]}
        )
        metric = row["metric"]
        line |= {metric: row["mean"], f"{metric}_sd": row["sd"], f"{metric}_n": row["n"]}
        if metric == "dsc":
            line |= {name: row[name] for name in _DENOMINATORS}
            line |= {
                "dsc_without_self_compared": row["mean_without_self_compared"],
                "as_published_dsc": row["as_published_mean"],
                "as_published_dsc_sd": row["as_published_sd"],
                "n_as_published": row["as_published_n"],
            }
    columns = [
        Column("group", "collection"),
        Column("reference", "reference"),
        Column("label", "label"),
        *(
            Column(name, heading, decimals, f"{name}_sd", f"{name}_n")
            for name, (heading, decimals) in _METRICS.items()
        ),
        Column("n", "n"),
        Column("n_subjects", "subjects"),
        Column("n_missed", "missed"),
        Column("n_spurious", "spurious"),
        Column("n_self_compared", "self-compared"),
        Column("dsc_without_self_compared", "DSC without self-compared", 3),
        Column("as_published_dsc", "DSC as published", 3, "as_published_dsc_sd"),
        Column("n_as_published", "n as published"),
    ]
    return Table("evaluation_overall", _OVERALL + said, columns, list(lines.values()))


def _named(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write out what nothing stands for: all groups, all labels together."""
    return [
        {
            **row,
            "group": row["group"] or "all",
            "label": "all" if row["label"] is None else row["label"],
        }
        for row in rows
    ]


def _samples(cases: Sequence[Row], field: str) -> list[Sample]:
    gathered: dict[tuple[str, str], list[float]] = {}
    for row in cases:
        if row[field] is not None:
            gathered.setdefault((row["group"], str(row["label"])), []).append(row[field])
    return [
        Sample(group, label, np.array(values, dtype=np.float64))
        for (group, label), values in gathered.items()
    ]


def _panel(one: Differences) -> PairedDifferences:
    label = one.naming["label"]
    return PairedDifferences(label, one.means, one.differences, one.is_missed, one.limits)


_METRICS = {
    "dsc": ("DSC", 3),
    "nsd": ("NSD", 3),
    "hd95_mm": ("HD95 (mm)", 2),
    "mean_surface_distance_mm": ("MSD (mm)", 2),
    "volume_difference_ml": ("volume difference (ml)", 2),
}
_NAMES = {name: heading for name, (heading, _) in _METRICS.items()} | {
    "hd95_reference_to_prediction_mm": "HD95, reference to prediction (mm)",
    "hd95_prediction_to_reference_mm": "HD95, prediction to reference (mm)",
    "hausdorff_mm": "Hausdorff distance (mm)",
}
_DRAWN = {"dsc": DICE, "nsd": "normalized surface Dice", "hd95_mm": "HD95 (mm)"}
_DENOMINATORS = ("n", "n_subjects", "n_missed", "n_spurious", "n_self_compared", "n_undefined")

_OVERALL = (
    "Mean ± standard deviation over cases. A missed label, and one that is not in the reference,"
    " count with a DSC and NSD of 0 and have no distance; as published both are dropped, and a case"
    " compared with itself counts like any other."
)
_FOUND = "Lesions found: sensitivity counts reference lesions, precision predicted ones."
_BY_SIZE = "Lesions found by equivalent diameter; a missed lesion counts with a Dice of 0."
_TESTED = (
    "Wilcoxon's signed-rank test by case and by subject: subjects, not cases, are independent."
)

_NAMING = (Column("group", "collection"), Column("reference", "reference"))
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
    *_NAMING,
    Column("label", "label"),
    Column("metric", "metric", words=_NAMES),
    Column("mean", "mean", 3, "sd"),
    Column("ci_low", "95 % from", 3),
    Column("ci_high", "to", 3),
    Column("n", "n"),
    Column("n_subjects", "subjects"),
    Column("n_undefined", "undefined"),
    Column("n_missed", "missed"),
    Column("n_spurious", "spurious"),
    Column("n_self_compared", "self-compared"),
    Column("mean_without_self_compared", "mean without", 3),
    Column("as_published_mean", "as published", 3, "as_published_sd"),
    Column("as_published_n", "n as published"),
)
_DETECTION = (
    *_NAMING,
    Column("label", "label"),
    Column("rule", "rule"),
    Column("true_positive", "found"),
    Column("reference_lesions", "of"),
    Column("sensitivity", "sensitivity", 3),
    Column("false_negative_rate", "FNR", 3),
    Column("predicted_lesions", "predicted"),
    Column("precision", "precision", 3),
    Column("f1", "F1", 3),
    Column("n_self_compared", "self-compared cases"),
    Column("sensitivity_without_self_compared", "sensitivity without", 3),
    Column("as_published_sensitivity", "sensitivity as published", 3),
    Column("as_published_f1", "F1 as published", 3),
)
_SIZES = (
    *_NAMING,
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
    Column("metric", "metric", words=_NAMES),
    Column("first", "first"),
    Column("mean_first", "mean", 3),
    Column("second", "second"),
    Column("mean_second", "mean", 3),
    Column("n_pairs", "pairs"),
    Column("p_by_case", "p by case", 4),
    Column("n_subjects", "subjects"),
    Column("p_by_subject", "p by subject", 4),
    Column("n_self_compared", "self-compared"),
    Column("mean_first_without_self_compared", "mean of the first without", 3),
    Column("mean_second_without_self_compared", "mean of the second without", 3),
    Column("p_by_subject_without_self_compared", "p by subject without", 4),
)
_BIAS = (
    Column("reference", "reference"),
    Column("label", "label"),
    Column("bias", "bias (ml)", 3, "sd"),
    Column("lower_limit", "lower limit", 3),
    Column("upper_limit", "upper limit", 3),
    Column("n", "n"),
    Column("n_subjects", "subjects"),
)
_LEFT_OUT = (Column("source", "case"), Column("code", "code"), Column("reason", "reason"))
