"""The order of a subject's time points: by number, else by date."""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from lesionary.measure.response.faults import RowFault
from lesionary.measure.response.records import Observation

_Key = TypeVar("_Key", Fraction, datetime.date)
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)

NO_ORDER = "time points that are not all numbers need a date each"
SAME_NUMBER = "two time points are the same number in different spelling"
SAME_DATE = "two time points, not all numbers, have the same date"


def dates_of(rows: Iterable[Observation]) -> dict[str, datetime.date]:
    """Map each time point that is dated to its earliest date."""
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
