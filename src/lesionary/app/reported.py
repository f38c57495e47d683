"""Diameters as clinical reports state them: entered, imported, corrected; never overwritten (R9).

A diameter is kept for good with who entered it. A correction is a further one that names what it
replaces. The lesion that it is of is found when it is entered, by its value in the mask that came
along or by its track's name, and kept with the mask that its number is of.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.measured_values import MeasuredValues
from lesionary.app.reader_tables import HINT
from lesionary.app.readers_words import require_reader, standing
from lesionary.app.reported_places import places_of_track
from lesionary.app.review import reviewed_subjects
from lesionary.measure.response.amounts import parse_mm
from lesionary.measure.response.faults import RowFault, refuse

if TYPE_CHECKING:
    from lesionary.app.review_rows import Reviewed
    from lesionary.app.study import Study
    from lesionary.ingest.recist_names import RecistMeasurement
    from lesionary.io.registry.transaction import Transaction

Json = dict[str, Any]

COLUMNS = ("subject", "timepoint", "lesion", "diameter_mm")
"""Of a plain table; ``series`` may stand beside them."""

REPORT = "report"

NOT_HERE = "its series is not in this study"


@dataclass(frozen=True, slots=True)
class Diameter:
    """One diameter to be stored.

    Parameters
    ----------
    line : int
        Of the table, from 1 with the header; 1 without one.
    subject, timepoint_id, lesion, diameter_mm : str
    series : str or None
        Where its source names one.
    place : tuple of (str, int, str) or None
        Series, number and mask of the measured lesion; None where it was not found.
    """

    line: int
    subject: str
    timepoint_id: str
    lesion: str
    diameter_mm: str
    series: str | None = None
    place: tuple[str, int, str] | None = None

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a stored row is about the same lesion by the same name."""
        is_named = (row["timepoint_id"], row["lesion"]) == (self.timepoint_id, self.lesion)
        return is_named and self.series in {None, row["series_id"]}

    def says_what(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a stored row says the very same."""
        place = (row["series_id"], row["number"], row["object_id"])
        known = self.place or (self.series, None, None)
        return parse_mm(row["diameter_mm"]) == parse_mm(self.diameter_mm) and place == known


@dataclass(slots=True)
class _Table:
    """What a table says, and what is wrong with it."""

    diameters: list[Diameter] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    left_out: list[RowFault] = field(default_factory=list)


def enter_diameter(
    study: "Study",
    *,
    subject: str,
    timepoint: str,
    lesion: str,
    diameter_mm: str,
    reader: str,
    series: str | None = None,
) -> Json:
    """Store one reported diameter.

    Parameters
    ----------
    study : Study
    subject : str
        Such as ``sub-0001``.
    timepoint : str
        Its number.
    lesion : str
        The track's name, as ``A``.
    diameter_mm : str
        A decimal, kept as it is written.
    reader : str
        Who enters it.
    series : str, optional
        Where several show the lesion.

    Raises
    ------
    InputError
        Code ``bad_rows``, with what is wrong.
    """
    reader = require_reader(reader)
    values = (subject, timepoint, lesion, diameter_mm)
    row = dict(zip(COLUMNS, values, strict=True)) | {"series": series or ""}
    table = _plain(study, [(1, row)])
    refuse(table.faults, HINT)
    return _stored(study, table, reader)


def import_diameters(study: "Study", text: str, reader: str) -> Json:
    """Store the reported diameters of a table.

    Parameters
    ----------
    study : Study
    text : str
        CSV: ``recist_measurements.csv`` as the recist layout has it, of which rows of series that
        are not here are left out; or ``subject,timepoint,lesion,diameter_mm``.
    reader : str
        Who enters them.

    Raises
    ------
    InputError
        Code ``bad_rows``, with every bad row and its line; nothing is then stored.
    """
    from lesionary.ingest.recist_names import parse_measurements
    from lesionary.ingest.sidecars import read_table

    reader = require_reader(reader)
    header = text.removeprefix("\ufeff").partition("\n")[0]
    if "recist_measurement_mm" in header:
        table = _recist(study, parse_measurements(text))
    else:
        table = _plain(study, read_table(text, COLUMNS))
    refuse(table.faults, HINT)
    return _stored(study, table, reader)


def reported_diameters(study: "Study") -> list[Json]:
    """Return every reported diameter in the order of entry, those too that others correct."""
    from lesionary.io.registry import tables

    rows = study.registry.rows(tables.reported_diameter, order_by=("id",))
    numbers = {row["id"]: row["number"] for row in study.registry.rows(tables.timepoint)}
    valid = {row["id"] for row in standing(rows)}
    return [_document(row, numbers[row["timepoint_id"]], row["id"] in valid) for row in rows]


def _document(row: Mapping[str, Any], timepoint: int, is_valid: bool) -> Json:
    found: Json = {
        "id": row["id"],
        "subject": row["subject_id"],
        "timepoint": timepoint,
        "lesion": row["lesion"],
        "series": row["series_id"],
        "measured_lesion": row["number"],
        "diameter_mm": row["diameter_mm"],
        "source": row["source"],
        "reader": row["reader"],
        "at": row["at"],
        "is_valid": is_valid,
        "replaces": row["replaces"],
    }
    texts = {
        "series": "no series is named",
        "measured_lesion": "no measured lesion was known by this name",
        "replaces": "it corrects no other",
    }
    reason = {name: why for name, why in texts.items() if found[name] is None}
    return found | {"reason": reason} if reason else found


def _plain(study: "Study", rows: Iterable[tuple[int, Mapping[str, str]]]) -> _Table:
    from lesionary.io.registry import tables

    points = {
        (row["subject_id"], str(row["number"])): row["id"]
        for row in study.registry.rows(tables.timepoint)
    }
    rows = list(rows)
    wanted = {row["subject"] for _, row in rows}
    followed = {one.name: one for one in reviewed_subjects(study) if one.name in wanted}
    series = {row["id"]: row["timepoint_id"] for row in study.registry.all_series()}
    table = _Table()
    for line, row in rows:
        point = points.get((row["subject"], row["timepoint"]))
        named = row.get("series") or None
        why = _fault_of_mm(row["diameter_mm"])
        if point is None:
            why = "no such subject and time point in this study"
        elif not row["lesion"]:
            why = "names no lesion"
        elif named is not None and series.get(named) != point:
            why = "no such series of that time point"
        if why or point is None:
            table.faults.append(RowFault(line, why))
            continue
        place = _place_of(followed.get(row["subject"]), row["lesion"], row["timepoint"], named)
        values = (row["subject"], point, row["lesion"], row["diameter_mm"].strip())
        table.diameters.append(Diameter(line, *values, named, place))
    _note_repeated(table)
    return table


def _place_of(
    one: "Reviewed | None", lesion: str, timepoint: str, series: str | None
) -> tuple[str, int, str] | None:
    """Return the one measured lesion of a track at a time point; None where it is not just one."""
    if one is None:
        return None
    before = one.before
    places, _ = places_of_track(before.tracks, before.lesions, lesion, timepoint, series)
    if len(places) != 1 or places[0].lesion is None:
        return None
    return places[0].series, places[0].lesion, one.mask(places[0])


def _recist(study: "Study", rows: Sequence["RecistMeasurement"]) -> _Table:
    from lesionary.app.study_names import names_of

    names = names_of(study)
    series = {row["series_uid"]: row for row in study.registry.all_series()}
    values = MeasuredValues(study)
    table = _Table()
    for row in rows:
        if not row.measurement_mm:  # nobody reported one
            continue
        own = series.get(names.uid(row.uuid))
        why = _fault_of_mm(row.measurement_mm)
        if own is None:
            table.left_out.append(RowFault(row.line, NOT_HERE))
        elif why:
            table.faults.append(RowFault(row.line, why))
        elif not (row.label_value.isascii() and row.label_value.isdecimal()):
            table.faults.append(RowFault(row.line, "lesion_label_value is no value of a mask"))
        else:
            text, value = row.measurement_mm.strip(), row.label_value
            known = (own["subject_id"], own["timepoint_id"], value, text, own["id"])
            place = values.lesion_of(own, int(value))
            table.diameters.append(Diameter(row.line, *known, place))
    _note_repeated(table)
    return table


def _fault_of_mm(text: str) -> str:
    try:
        parse_mm(text)
    except ValueError as error:
        return f"the diameter is {error}"
    return ""


def _note_repeated(table: _Table) -> None:
    seen: set[tuple[str, str, str | None]] = set()
    for one in table.diameters:
        key = (one.timepoint_id, one.lesion, one.series)
        if key in seen:
            table.faults.append(RowFault(one.line, "another row is about the same lesion"))
        seen.add(key)


def _stored(study: "Study", table: _Table, reader: str) -> Json:
    counts = {"added": 0, "corrected": 0, "unchanged": 0}
    if table.diameters:
        with study.registry.writing(why="reported diameters were entered") as transaction:
            for one in table.diameters:
                counts[_store(transaction, one, reader)] += 1
    lines = [{"line": one.row, "reason": one.reason} for one in table.left_out]
    n_found = sum(one.place is not None for one in table.diameters)
    return {"reader": reader, **counts, "matched": n_found, "left_out": lines}


def _store(transaction: "Transaction", one: Diameter, reader: str) -> str:
    import sqlalchemy as sa

    from lesionary.io.registry import tables

    columns = tables.reported_diameter.c
    query = sa.select(tables.reported_diameter).where(columns.timepoint_id == one.timepoint_id)
    held = transaction.connection.execute(query.order_by(columns.id)).mappings()
    known = [row for row in standing(dict(row) for row in held) if one.is_of(row)]
    if any(one.says_what(row) for row in known):
        return "unchanged"
    series, number, object_id = one.place or (one.series, None, None)
    row = {
        "id": transaction.next_number(columns.id),
        "subject_id": one.subject,
        "timepoint_id": one.timepoint_id,
        "lesion": one.lesion,
        "series_id": series,
        "number": number,
        "object_id": object_id,
        "diameter_mm": one.diameter_mm,
        "source": REPORT,
        "reader": reader,
        "at": transaction.at,
        "replaces": known[-1]["id"] if known else None,
    }
    action = "corrected" if known else "added"
    transaction.insert(tables.reported_diameter, [row], action=action)
    return action
