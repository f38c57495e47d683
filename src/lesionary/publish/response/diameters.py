"""Diameters as the clinical report states them against computed ones (Bland–Altman)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lesionary.core.statistics import bland_altman
from lesionary.publish.comparison.difference_figures import PairedDifferences, figure_bland_altman
from lesionary.publish.comparison.limits import Differences
from lesionary.publish.comparison.picture import Picture
from lesionary.publish.response.courses import Row

EVERYBODY = "reported − computed"
"""Title where the rows name no reader."""


def diameter_differences(rows: Iterable[Row]) -> list[Differences]:
    """Compare reported with computed diameters, reader by reader.

    Parameters
    ----------
    rows : iterable of mapping
        ``subject``, ``reader``, ``reported_mm``, ``computed_mm``. A row that lacks one of the two
        diameters is left out.

    Returns
    -------
    list of Differences
        Reported minus computed in mm; lesions of one subject are repeats of one another.
    """
    whole = [r for r in rows if r["reported_mm"] is not None and r["computed_mm"] is not None]
    readers = dict.fromkeys(row.get("reader") or "" for row in whole)
    return [
        _of(reader, [row for row in whole if (row.get("reader") or "") == reader])
        for reader in readers
    ]


def figure_diameters(name: str, compared: Sequence[Differences]) -> Picture | None:
    """Draw one panel a reader, or return None where nothing was compared."""
    if not compared:
        return None
    panels = [
        PairedDifferences(
            one.naming["reader"] or EVERYBODY, one.means, one.differences, one.is_missed, one.limits
        )
        for one in compared
    ]
    return figure_bland_altman(
        name,
        "Diameters as reported, against computed",
        panels,
        ("mean of reported and computed diameter", "mm"),
        "reported − computed, mm",
    )


def _of(reader: str, rows: Sequence[Row]) -> Differences:
    reported, computed = (
        np.array([float(row[name]) for row in rows]) for name in ("reported_mm", "computed_mm")
    )
    naming: dict[str, Any] = {"reader": reader, "reading": "diameter", "unit": "mm"}
    return Differences(
        naming,
        (reported + computed) / 2,
        reported - computed,
        np.zeros(len(rows), dtype=np.bool_),
        bland_altman(reported, computed, subjects=[row["subject"] for row in rows]),
    )
