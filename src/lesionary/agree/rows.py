"""Agreement of many cases as long tables: a row for every tumour and pair, one for every tumour.

Rows are plain dictionaries, ready for CSV and JSON. A pair is always named and subtracted in one
order, that in which readers first appear, whatever the order of the masks in a case.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Literal

from lesionary.agree.agreement import Agreement
from lesionary.agree.scores import NEITHER, NO_DIFFERENCE, Scores, with_reason
from lesionary.agree.volumes import Pair
from lesionary.core.cases import CaseKey
from lesionary.core.readers.performance import performance

Case = tuple[CaseKey, Agreement]
Row = dict[str, Any]

Per = Literal["tumour", "case"]
"""Tumour by tumour, or all foreground of a case together."""

NOBODY = "nobody drew anything"
ONE_READER = "one reader has no pair"


def reader_order(cases: Sequence[Case]) -> tuple[str, ...]:
    """Return every reader once, in the order in which they first appear."""
    return tuple(dict.fromkeys(name for _, found in cases for name in found.readers))


def pair_name(first: str, second: str) -> str:
    """Name a pair as the mouse paper does: ``A vs. B``."""
    return f"{first} vs. {second}"


def object_rows(cases: Sequence[Case], per: Per) -> list[Row]:
    """Return one row for every tumour, or for every case.

    Parameters
    ----------
    cases : sequence of (CaseKey, Agreement)
        In the order in which rows shall come.
    per : {"tumour", "case"}
        What a row is about.

    Returns
    -------
    list of dict
        ``n_missed`` and ``missed_by`` say which readers drew nothing of it; they count in all
        figures but the diameters. Where nobody drew anything every figure is null.
    """
    return [
        _object_row(naming, found.readers, scores) for found, naming, scores in _objects(cases, per)
    ]


def pair_rows(cases: Sequence[Case], per: Per) -> list[Row]:
    """Return one row for every tumour (or case) and pair of readers.

    Parameters
    ----------
    cases : sequence of (CaseKey, Agreement)
        In the order in which rows shall come.
    per : {"tumour", "case"}
        What a row is about.

    Returns
    -------
    list of dict
        ``n_missed`` counts which of the two missed it: with 1, Dice is 0 and the volume is 0 ml;
        with 2 there is nothing to compare and the figures are null.
    """
    order = reader_order(cases)
    rows = []
    for found, naming, scores in _objects(cases, per):
        known = sorted(range(len(found.readers)), key=lambda n: order.index(found.readers[n]))
        named = naming, found.readers, scores
        rows += [_pair_row(*named, pair) for pair in combinations(known, 2)]
    return rows


def reader_rows(cases: Sequence[Case], per: Per) -> list[Row]:
    """Return one row for every tumour (or case) and reader.

    Parameters
    ----------
    cases : sequence of (CaseKey, Agreement)
        In the order in which rows shall come.
    per : {"tumour", "case"}
        What a row is about.

    Returns
    -------
    list of dict
        The reader's volume and its distance from the mean of all, and the sensitivity and
        specificity that STAPLE gives the reader. One who missed it has 0 ml and sensitivity 0;
        sensitivity is null for all where the consensus is empty.
    """
    order = reader_order(cases)
    rows = []
    for found, naming, scores in _objects(cases, per):
        known = sorted(range(len(found.readers)), key=lambda n: order.index(found.readers[n]))
        rows += [_reader_row(naming, found.readers[n], scores, n) for n in known]
    return rows


def _objects(cases: Sequence[Case], per: Per) -> Iterator[tuple[Agreement, Row, Scores]]:
    for key, found in cases:
        naming: Row = {"group": key.group, "subject": key.subject, "case": key.case}
        if per == "case":
            extent = {"n_tumours": len(found.tumours), "fused": found.n_fused > 0}
            yield found, naming | extent, found.foreground
            continue
        for tumour in found.tumours:
            place = {"label": tumour.label, "tumour": tumour.tumour.number}
            yield found, naming | place | {"fused": tumour.tumour.is_fused}, tumour.scores


def _object_row(naming: Row, readers: Sequence[str], scores: Scores) -> Row:
    volumes = scores.volumes
    is_drawn = any(scores.present)
    missed = zip(readers, scores.present, strict=True)
    defined = [dice for dice in scores.dice.values() if dice is not None]
    row: Row = naming | {
        "n_readers": scores.n_readers,
        "n_missed": scores.n_missed,
        "missed_by": [name for name, is_there in missed if not is_there],
        "n_pairs": len(scores.dice),
        "n_pairs_undefined": len(scores.dice) - len(defined),
        "domain": scores.domain.kind,
        "domain_voxels": scores.domain.voxels,
        "fleiss_kappa": scores.kappa.value,
        "krippendorff_alpha": scores.alpha.value,
        "dice_mean": sum(defined) / len(defined) if defined else None,
        "volume_mean_ml": volumes.mean_ml if is_drawn else None,
        "volume_rmse_ml": volumes.rmse_ml if is_drawn else None,
        "volume_rmse_percent": volumes.rmse_percent,
        "readers": list(readers),
        "volume_ml": list(volumes.volume_ml),
    }
    if scores.diameter_mm is not None:
        row |= {
            "diameter_mean_mm": scores.diameter_rmse.mean,
            "diameter_rmse_mm": scores.diameter_rmse.value,
            "diameter_mm": list(scores.diameter_mm),
        }
    known = scores.reason
    nulls = (field for field, value in row.items() if value is None)
    reason = {field: known.get(field) or _why(field, scores) for field in nulls}
    if "diameter_mm" in known:
        reason["diameter_mm"] = known["diameter_mm"]
    return with_reason(row, reason)


def _why(field: str, scores: Scores) -> str:
    """Say why a figure of :func:`_object_row` is undefined that no document has."""
    if field == "diameter_mean_mm":
        return scores.diameter_rmse.reason
    return NOBODY if not any(scores.present) else ONE_READER


def _pair_row(naming: Row, readers: Sequence[str], scores: Scores, pair: Pair) -> Row:
    names = tuple(readers[reader] for reader in pair)
    drew = tuple(scores.present[reader] for reader in pair)
    first_ml, second_ml = (scores.volumes.volume_ml[reader] for reader in pair)
    row: Row = naming | {
        "pair": pair_name(*names),
        "first_reader": names[0],
        "second_reader": names[1],
        "n_missed": drew.count(False),
        "missed_by": [name for name, is_there in zip(names, drew, strict=True) if not is_there],
        "dice": scores.patterns.dice(*pair),
        "first_volume_ml": first_ml,
        "second_volume_ml": second_ml,
        "volume_difference_ml": scores.volumes.difference_ml(pair) if any(drew) else None,
    }
    reason = {} if any(drew) else {"dice": NEITHER, "volume_difference_ml": NEITHER}
    if scores.diameter_mm is not None:
        fields = "first_diameter_mm", "second_diameter_mm"
        for field, reader in zip(fields, pair, strict=True):
            row[field] = scores.diameter_mm[reader]
            if why := scores.why_no_diameter(reader):
                reason[field] = why
        row["diameter_difference_mm"] = scores.diameter_difference_mm(pair)
        if row["diameter_difference_mm"] is None:
            reason["diameter_difference_mm"] = NO_DIFFERENCE
    return with_reason(row, reason)


def _reader_row(naming: Row, name: str, scores: Scores, reader: int) -> Row:
    is_drawn, is_missed = any(scores.present), not scores.present[reader]
    volume_ml, mean_ml = scores.volumes.volume_ml[reader], scores.volumes.mean_ml
    found = performance(scores.staple)
    row: Row = naming | {
        "reader": name,
        "n_readers": scores.n_readers,
        "n_missed": int(is_missed),
        "missed_by": [name] if is_missed else [],
        "volume_ml": volume_ml,
        "volume_from_mean_ml": volume_ml - mean_ml if is_drawn and mean_ml is not None else None,
    }
    reason = {} if is_drawn else {"volume_from_mean_ml": NOBODY}
    for field in ("sensitivity", "specificity"):
        values = getattr(found, field)
        row[f"staple_{field}"] = None if values is None else float(values[reader])
        if values is None:
            reason[f"staple_{field}"] = found.reason[field]
    if scores.diameter_mm is not None:
        row["diameter_mm"] = scores.diameter_mm[reader]
        if why := scores.why_no_diameter(reader):
            reason["diameter_mm"] = why
    return with_reason(row, reason)
