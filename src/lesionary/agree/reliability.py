"""Reliability of readers' volumes and diameters: intraclass correlation and Bland–Altman limits."""

from collections.abc import Iterator, Sequence

import numpy as np

from lesionary.agree.metrics import subject_of
from lesionary.agree.rows import Row
from lesionary.core.statistics import Resampling, bland_altman, icc

READINGS = (("volume", "volume_ml", "ml"), ("diameter", "diameter_mm", "mm"))
"""What is read, the field of the long tables, and its unit."""


def icc_rows(objects: Sequence[Row], readers: Sequence[str], level: float) -> Iterator[Row]:
    """Yield the intraclass correlation of what all readers read, volumes then diameters.

    Parameters
    ----------
    objects : sequence of dict
        Rows of :func:`~lesionary.agree.rows.object_rows`.
    readers : sequence of str
        All of them; an object that one of them did not read is left out, and counted.
    level : float
        Of the intervals.

    Yields
    ------
    dict
        ``agreement`` is ICC(2,1): two-way random, absolute agreement, single reading. A missed
        tumour has 0 ml and counts; it has no diameter, so that it is in ``n_left_out`` there.
        ``n_readers_least`` and ``n_readers_most`` are how many read one object: where they differ,
        those that somebody did not read are left out. Where subjects have several objects
        (``has_repeats``) the intervals rest on subjects.
    """
    present = {reader for row in objects for reader in row["readers"]}
    columns = [reader for reader in readers if reader in present]
    for name, field, unit in READINGS:
        rows = [row for row in objects if field in row]
        if not rows:
            continue
        table = [_readings(row, field, columns) for row in rows]
        found = icc(
            np.array(table, dtype=np.float64).reshape(len(rows), -1),
            subjects=[subject_of(row) for row in rows],
            level=level,
        )
        n_readers = [row["n_readers"] for row in rows]
        yield {
            "reading": name,
            "unit": unit,
            "readers": ", ".join(columns),
            "n_readers_least": min(n_readers),
            "n_readers_most": max(n_readers),
            "n_missed": sum(row["n_missed"] > 0 for row in rows),
            **_plain(found.to_json()),
        }


def bland_altman_rows(pairs: Sequence[Row], resampling: Resampling) -> Iterator[Row]:
    """Yield bias and limits of agreement of every pair, volumes then diameters.

    Parameters
    ----------
    pairs : sequence of dict
        Rows of :func:`~lesionary.agree.rows.pair_rows`. What neither reader drew is left out.
    resampling : Resampling
        How the intervals are drawn: that of the bias is the one of the mean difference elsewhere.

    Yields
    ------
    dict
        Differences are first minus second. A tumour missed by one has 0 ml and counts; it has no
        diameter, so that it is in ``n_left_out`` there.
    """
    by_pair: dict[str, list[Row]] = {}
    for row in pairs:
        if row["n_missed"] < 2:
            by_pair.setdefault(row["pair"], []).append(row)
    for name, field, unit in READINGS:
        for pair, rows in by_pair.items():
            read = [row for row in rows if f"first_{field}" in row]
            if not read:
                continue
            sides = (_side(read, f"{side}_{field}") for side in ("first", "second"))
            found = bland_altman(
                *sides, subjects=[subject_of(row) for row in read], resampling=resampling
            )
            yield {
                "reading": name,
                "unit": unit,
                "pair": pair,
                "n_missed": sum(row["n_missed"] > 0 for row in read),
                **_plain(found.to_json()),
            }


def _plain(row: Row) -> Row:
    """Write ``x_interval: (low, high)`` as ``x_low`` and ``x_high``, each with its reason.

    The level of the intervals becomes ``confidence``: in these tables ``level`` tells tumours from
    cases.
    """
    plain: Row = {"confidence": row.pop("level")}
    reason: dict[str, str] = row.pop("reason", {})
    for name, value in row.items():
        if not name.endswith("_interval"):
            plain[name] = value
            continue
        ends = [name.replace("_interval", end) for end in ("_low", "_high")]
        plain |= dict(zip(ends, value or (None, None), strict=True))
        if name in reason:
            reason |= dict.fromkeys(ends, reason.pop(name))
    return plain | ({"reason": reason} if reason else {})


def _side(rows: Sequence[Row], field: str) -> list[float]:
    return [np.nan if row[field] is None else row[field] for row in rows]


def _readings(row: Row, field: str, columns: Sequence[str]) -> list[float]:
    """Return one reading a reader; NaN, which the statistics leave out, where there is none."""
    nobody = row["n_missed"] == row["n_readers"]
    of_reader = dict(zip(row["readers"], row[field], strict=True))
    readings = (None if nobody else of_reader.get(reader) for reader in columns)
    return [np.nan if value is None else value for value in readings]
