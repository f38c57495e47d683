"""The order of a subject's time points: by number, else by date."""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from lesionary.measure.response.faults import RowFault
from lesionary.measure.response.records import Observation, Role

_Key = TypeVar("_Key", Fraction, datetime.date)
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)

NO_ORDER = "time points that are not all numbers need a date each"
SAME_NUMBER = "two time points are the same number in different spelling"
OTHER_ORDER = "readers' dates put this time point in different places"
SAME_DATE = "two time points, not all numbers, have the same date"


def dates_of(
    own: Sequence[Observation], everybody: Sequence[Observation] = ()
) -> dict[str, datetime.date]:
    """Map each time point that is dated to its date.

    Parameters
    ----------
    own : sequence of Observation
        One reader's. The earliest of this reader's scans dates a time point.
    everybody : sequence of Observation
        All rows of the subject: their earliest scan dates a time point that this reader has no
        dated scan of. Blood is drawn on other days: markers date only what no scan does.
    """
    dates: dict[str, datetime.date] = {}
    for rows in (_scans(own), _scans(everybody), own, everybody):
        dates = _earliest(rows) | dates
    return dates


def differently_dated(rows: Iterable[Observation]) -> set[str]:
    """Name the time points of one subject whose scans are of one day here, of another there."""
    by_reader: dict[str, list[Observation]] = {}
    for row in _scans(rows):
        by_reader.setdefault(row.reader, []).append(row)
    said: dict[str, set[datetime.date]] = {}
    for of_reader in by_reader.values():
        for name, date in _earliest(of_reader).items():
            said.setdefault(name, set()).add(date)
    return {name for name, dates in said.items() if len(dates) > 1}


def reader_order_faults(
    own: Sequence[Observation], everybody: Sequence[Observation], timepoints: Sequence[str]
) -> list[RowFault]:
    """Find time points that one reader's dates put in another order than the subject's.

    Where all time points are numbers, no date puts them in order.

    Returns
    -------
    list of RowFault
        For the dated rows of these time points, whoever read them: any may be wrong.
    """
    if all(_NUMBER.fullmatch(name) for name in timepoints):
        return []
    dates = dates_of(own, everybody)
    read = {row.timepoint for row in own}
    dated = [name for name in timepoints if name in read and name in dates]
    contested: set[str] = set()
    latest = dated[0] if dated else ""
    for name in dated[1:]:
        if dates[name] <= dates[latest]:
            contested |= {latest, name}
        else:
            latest = name
    return [
        RowFault(row.row, OTHER_ORDER)
        for row in everybody
        if row.timepoint in contested and row.date is not None
    ]


def _scans(rows: Iterable[Observation]) -> list[Observation]:
    return [row for row in rows if row.role is not Role.MARKER]


def _earliest(rows: Iterable[Observation]) -> dict[str, datetime.date]:
    dates: dict[str, datetime.date] = {}
    for row in rows:
        if row.date is not None:
            dates[row.timepoint] = min(row.date, dates.get(row.timepoint, row.date))
    return dates


def ordered_timepoints(rows: Sequence[Observation]) -> tuple[list[str], list[RowFault]]:
    """Sort one subject's time points; the first is the baseline.

    Parameters
    ----------
    rows : sequence of Observation
        Of one subject, all readers together: a visit is a visit whoever read it.

    Returns
    -------
    list of str
        As numbers where all are numbers (2 before 10), else by date. In order of their text where
        neither is possible.
    list of RowFault
        Why there is no order; empty where there is one. A single time point needs none.
    """
    names = sorted({row.timepoint for row in rows})
    if len(names) < 2:
        return names, []
    if all(_NUMBER.fullmatch(name) for name in names):
        numbers = {name: Fraction(name) for name in names}
        return _sorted_by(numbers, rows, SAME_NUMBER)
    dates = dates_of(rows)
    undated = [RowFault(row.row, NO_ORDER) for row in rows if row.timepoint not in dates]
    return (names, undated) if undated else _sorted_by(dates, rows, SAME_DATE)


def _sorted_by(
    keys: Mapping[str, _Key], rows: Sequence[Observation], why: str
) -> tuple[list[str], list[RowFault]]:
    together: dict[_Key, set[str]] = {}
    for name, key in keys.items():
        together.setdefault(key, set()).add(name)
    doubled = {name for names in together.values() if len(names) > 1 for name in names}
    faults = [RowFault(row.row, why) for row in rows if row.timepoint in doubled]
    return sorted(keys, key=lambda name: (keys[name], name)), faults
