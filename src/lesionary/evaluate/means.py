"""The mean over several references, each value with the number of references it rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

METRICS = (
    "dsc",
    "nsd",
    "hd95_mm",
    "hd95_reference_to_prediction_mm",
    "hd95_prediction_to_reference_mm",
    "mean_surface_distance_mm",
    "hausdorff_mm",
    "volume_difference_ml",
)
"""What each label of an evaluation has a number for, or null."""

RATES = ("sensitivity", "false_negative_rate", "precision", "f1")
"""What each detection has a number for, or null."""

NOWHERE = "undefined against every reference"
NAMING = ("label", "value", "composite", "values", "tolerance_mm")

Document = Mapping[str, Any]
"""What ``to_json`` of an evaluation returns, or a row of it."""


def mean_of(documents: Sequence[Document]) -> dict[str, Any]:
    """Average evaluations of one prediction against several references.

    Parameters
    ----------
    documents : sequence of Document
        One for each reference.

    Returns
    -------
    dict
        ``n_references``, ``n_self_compared``; ``labels``, each with the mean of each metric over
        the references against which it is defined, and ``n``, how many those are; ``detection``
        likewise. Labels go together by value, whatever text a reference gives them. Each label
        counts the references: ``n_missed`` against which it was missed, ``n_spurious`` which do not
        have it, ``n_self_compared`` whose voxels are its own, ``n_absent`` for which neither mask
        has it, all of ``n_references``.
    """
    grouped: dict[tuple[bool, int, str], list[Document]] = {}
    for document in documents:
        for row in document["labels"]:
            grouped.setdefault(_place(row), []).append(row)
    return {
        "n_references": len(documents),
        "n_self_compared": sum(bool(document["self_compared"]) for document in documents),
        "labels": [
            {name: rows[0][name] for name in NAMING if name in rows[0]}
            | _counted(rows, len(documents))
            | _averaged(rows, METRICS)
            for _, rows in sorted(grouped.items())
        ],
        "detection": _averaged([document["detection"] for document in documents], RATES),
    }


def _place(row: Document) -> tuple[bool, int, str]:
    """Order rows: labels by value, then composites by name."""
    return (True, 0, str(row["label"])) if "composite" in row else (False, int(row["value"]), "")


def _counted(rows: Sequence[Document], n_references: int) -> dict[str, int]:
    """Count the references by how one label stands to them."""
    n_present = sum(row["dsc"] is not None for row in rows)
    return {
        "n_references": n_references,
        "n_missed": sum(bool(row["missed"]) for row in rows),
        "n_spurious": sum(bool(row["spurious"]) for row in rows),
        "n_self_compared": sum(bool(row["self_compared"]) for row in rows),
        "n_absent": n_references - n_present,
    }


def _averaged(rows: Sequence[Document], fields: Sequence[str]) -> dict[str, Any]:
    held = {name: [row[name] for row in rows if row[name] is not None] for name in fields}
    averages: dict[str, Any] = {
        name: sum(values) / len(values) if values else None for name, values in held.items()
    }
    averages["n"] = {name: len(values) for name, values in held.items()}
    reason = {name: NOWHERE for name, values in held.items() if not values}
    return averages | {"reason": reason} if reason else averages
