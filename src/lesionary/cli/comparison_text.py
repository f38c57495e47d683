"""How agreement and evaluation read on a terminal."""

from collections.abc import Sequence
from typing import Any

from lesionary.cli.output import table

_SHOWN = 40
_MAIN_AGREEMENT = frozenset(
    {
        "dice",
        "volume_difference_ml",
        "diameter_difference_mm",
        "fleiss_kappa",
        "volume_rmse_ml",
        "volume_rmse_percent",
    }
)
_MAIN_SCORES = frozenset({"dsc", "nsd", "hd95_mm"})
"""What a terminal shows; JSON and --out have every metric."""

_PERFORMANCE = ("sensitivity", "specificity")


def summary_text(summary: dict[str, Any]) -> str:
    """Lay out the agreement of many cases: every metric with what it rests on."""
    rows = [
        (
            row["group"] or "all",
            row["metric"],
            row["readers"],
            _spread(row["mean"], row["sd"]),
            _number(row["mean_low"], 3),
            _number(row["mean_high"], 3),
            str(row["n"]),
            str(row["n_subjects"]),
            str(row["n_missed"]),
            str(row["n_undefined"]),
        )
        for row in summary["summary"]
        if row["level"] == "tumour" and row["metric"] in _MAIN_AGREEMENT
    ]
    header = ("data set", "metric", "readers", "mean ± SD", "95 % from", "to", "n", "subjects")
    lines = [table((*header, "missed", "undefined"), rows) or "No tumour."]
    kappas = [row for row in summary["summary"] if row["metric"] == "fleiss_kappa"]
    if kappas:
        least, most = kappas[0]["domain_voxels_least"], kappas[0]["domain_voxels_most"]
        voxels = f"{least}" if least == most else f"{least} to {most}"
        lines.append(f"Domain of kappa and alpha: the whole image, {voxels} voxels.")
    lines.append("A tumour missed by one reader counts with Dice 0 and 0 ml.")
    return "\n".join(lines)


def scored_cases_text(document: dict[str, Any]) -> str:
    """Lay out the evaluation of many cases, and how another prediction compares."""
    parts = [f"{len(document['cases'])} cases", scores_text(document["summary"])]
    tested = [
        (
            row["reference"],
            row["group"] or "all",
            str(row["label"]),
            row["metric"],
            f"{row['first']} {_number(row['mean_first'], 3)}",
            f"{row['second']} {_number(row['mean_second'], 3)}",
            str(row["n_pairs"]),
            _number(row["p_by_case"], 4),
            str(row["n_subjects"]),
            _number(row["p_by_subject"], 4),
            str(row["n_self_compared"]),
            _number(row["p_by_subject_without_self_compared"], 4),
        )
        for row in document.get("comparison", ())
        if row["metric"] in _MAIN_SCORES
    ]
    if tested:
        header = ("reference", "collection", "label", "metric", "mean", "mean", "pairs")
        more = ("p by case", "subjects", "p by subject", "self-compared", "p without them")
        parts.append(table((*header, *more), tested))
    return "\n\n".join(parts)


def scores_text(summary: dict[str, Any]) -> str:
    """Lay out the evaluation of many cases: honest beside as published, with denominators.

    Of several references the consensus is shown with every main metric, the others with their DSC.
    """
    references = {row["reference"] for row in summary["scores"]}
    main = {"consensus"} if "consensus" in references else references
    rows = [
        (
            row["group"] or "all",
            row["reference"],
            str(row["label"]),
            row["metric"],
            _spread(row["mean"], row["sd"]),
            str(row["n"]),
            str(row["n_missed"]),
            str(row["n_spurious"]),
            str(row["n_self_compared"]),
            _number(row["mean_without_self_compared"], 3),
            _spread(row["as_published_mean"], row["as_published_sd"]),
            str(row["as_published_n"]),
        )
        for row in summary["scores"]
        if row["metric"] in (_MAIN_SCORES if row["reference"] in main else {"dsc"})
    ]
    header = ("collection", "reference", "label", "metric", "mean ± SD", "n", "missed")
    more = ("spurious", "self-compared", "without them", "as published", "n")
    text = table((*header, *more), rows) or "No label."
    found = [
        (
            row["group"] or "all",
            row["reference"],
            str(row["label"] if row["label"] is not None else "all"),
            f"{row['true_positive']} of {row['reference_lesions']}",
            _number(row["sensitivity"], 3),
            _number(row["precision"], 3),
            _number(row["f1"], 3),
            _number(row["as_published_sensitivity"], 3),
        )
        for row in summary["detection"]
    ]
    header = ("collection", "reference", "label", "found", "sensitivity", "precision", "F1")
    return text + "\n\n" + table((*header, "as published"), found)


def agreement_text(document: dict[str, Any]) -> str:
    """Lay out the agreement about one image: all foreground, then each tumour."""
    readers = document["readers"]
    lines = [_measures(document, "All foreground", readers)]
    for tumour in document["tumours"][:_SHOWN]:
        drawn = zip(document["readers"], tumour["present"], strict=True)
        missed = [name for name, is_there in drawn if not is_there]
        notes = [f"missed by {', '.join(missed)}"] if missed else []
        notes += ["fused"] if tumour["fused"] else []
        name = f"Tumour {tumour['tumour']} of label {tumour['label']}"
        said = f" ({'; '.join(notes)})" if notes else ""
        lines.append(_measures(tumour, name + said, readers))
    more = len(document["tumours"]) - _SHOWN
    if more > 0:
        lines.append(f"… and {more} more, with --json or --out")
    lines += [
        _measures(repeat, f"{repeat['reader']} against own earlier reading", ())
        for repeat in document.get("intra_reader", ())
    ]
    return "\n\n".join(lines)


def _measures(scores: dict[str, Any], title: str, readers: Sequence[str]) -> str:
    rows = [
        (_named(pair, readers), _number(dice, 3), _number(scores["volume_difference_ml"][pair], 3))
        for pair, dice in scores["dice"].items()
    ]
    domain = scores["domain"]
    kappa = f"Fleiss' kappa {_number(scores['fleiss_kappa'], 4)}"
    volumes = ", ".join(_number(volume, 3) for volume in scores["volume_ml"])
    spread = f"RMSE {_number(scores['volume_rmse_ml'], 3)} ml"
    lines = [
        title,
        table(("pair", "Dice", "difference ml"), rows),
        f"{kappa} over the whole {domain['kind']}, {domain['voxels']} voxels",
        f"volumes {volumes} ml; {spread} ({_number(scores['volume_rmse_percent'], 1)} %)",
    ]
    reasons = scores.get("reason", {})
    lines += [f"{field}: {text}" for field, text in reasons.items()]
    return "\n".join(lines)


def _named(pair: str, readers: Sequence[str]) -> str:
    """Write a pair with the readers' names, where they have names."""
    if not readers:
        return pair
    first, second = (readers[int(number) - 1] for number in pair.split("-"))
    return pair if f"{first}-{second}" == pair else f"{pair}  {first} vs. {second}"


def agreed_cases_text(document: dict[str, Any]) -> str:
    """Lay out the agreement over many cases."""
    return f"{len(document['cases'])} cases\n\n{summary_text(document['summary'])}"


def consensus_text(document: dict[str, Any]) -> str:
    """Say what was written, and how each reader did against it."""
    rows = [
        (str(label["label"]), row["reader"], *(_number(row[name], 4) for name in _PERFORMANCE))
        for label in document["labels"]
        for row in label["readers"]
    ]
    return (
        f"{document['output']}: {document['voxels']} voxels, {document['volume_ml']:.3f} ml by"
        f" {document['method']}\n" + table(("label", "reader", *_PERFORMANCE), rows)
    )


def evaluation_text(document: dict[str, Any]) -> str:
    """Lay out one case's scores, against one reference or several."""
    if "references" not in document:
        return _one_reference(document)
    parts = [f"{one['reference']}\n{_one_reference(one)}" for one in document["references"]]
    parts.append(f"Mean over references\n{_labels_table(document['mean']['labels'])}")
    if document["consensus"] is not None:
        method = document["consensus"]["method"]
        parts.append(f"Consensus ({method})\n{_one_reference(document['consensus'])}")
    return "\n\n".join(parts)


def _one_reference(document: dict[str, Any]) -> str:
    found = document["detection"]
    lines = [
        _labels_table(document["labels"]) or "Both masks are empty.",
        f"lesions ({found['rule']}): {found['true_positive']} of {found['reference_lesions']}"
        f" found, {found['false_positive']} of {found['predicted_lesions']} predicted are false;"
        f" sensitivity {_number(found['sensitivity'], 3)},"
        f" precision {_number(found['precision'], 3)}, F1 {_number(found['f1'], 3)}",
    ]
    if document["self_compared"]:
        lines.append("Both masks are the same, voxel for voxel: one is compared with itself.")
    lines += [f"as published: {text}" for text in document["as_published"]["differs"]]
    lines += [f"warning: {text}" for text in document["warnings"]]
    return "\n".join(lines)


def _labels_table(labels: list[dict[str, Any]]) -> str:
    rows = [
        (
            str(row["label"]),
            _number(row["dsc"], 3),
            _number(row["nsd"], 3),
            _number(row.get("tolerance_mm"), 2),
            _number(row["hd95_mm"], 2),
            _number(row["mean_surface_distance_mm"], 2),
            _number(row["volume_difference_ml"], 3),
        )
        for row in labels
    ]
    return table(("label", "DSC", "NSD", "at mm", "HD95 mm", "MSD mm", "volume ml"), rows)


def _spread(mean: float | None, spread: float | None) -> str:
    if mean is None:
        return "–"
    return f"{mean:.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
