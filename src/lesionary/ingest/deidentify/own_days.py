"""A header's own days: when the patient was born, when the file's dates are, and how both are told.

A date of birth goes wherever it stands, whatever the element or the concept says. The day of a scan
moves, so a counter that repeats it as it was would tell by how much.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.own_tokens import LONG_DIGITS, NOTHING, OwnTokens
from lesionary.ingest.deidentify.report_items import is_of_birth
from lesionary.ingest.deidentify.unowned import FREE_COUNTERS
from lesionary.ingest.pseudonym import STAND_INS

_BIRTH_DATE, _STUDY_DATE, _INSTANCE_NUMBER = 0x00100030, 0x00080020, 0x00200013
_ITEM_DATES = frozenset({0x0040A120, 0x0040A121})
_OF_SCANS = frozenset(
    {
        0x00080020,  # study, series, acquisition, content
        0x00080021,
        0x00080022,
        0x00080023,
        0x0008002A,
        0x00189074,  # a frame
        0x00189151,
        0x00181078,  # what was injected for it
        0x00181079,
        0x00189701,  # what its decay is corrected to
    }
)
"""Dates of a scan: those of somebody who was scanned when born are no birth dates."""

_NEWBORN = dt.timedelta(days=7)
_DAY = re.compile(r"([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})")
_ENDS = re.compile(r"\\|(?<=[0-9]{8})-(?=[0-9]{8})")
_RUNS = re.compile(r"[0-9]+")
_MONTH_DIGITS = 6
_MOST_BYTES = 64
_MOST_DAYS = 512
"""More days no header has; one that has does it on purpose."""

FORM_DIGITS = 5
"""A day's form of fewer digits is a number like any other."""


@dataclass(frozen=True, slots=True, repr=False)
class OwnDays:
    """Days of one file. Threads may share it.

    Parameters
    ----------
    births : frozenset of datetime.date
    is_newborn : bool
        The study, as far as its date is told, was at the time of birth.
    numbers : OwnTokens
        Secret days as numbers of the calendar: ``191119``.
    counts : OwnTokens
        The same as days since 1970.
    years : tuple of str
        Of the secret days.
    """

    births: frozenset[dt.date] = frozenset()
    is_newborn: bool = False
    numbers: OwnTokens = NOTHING
    counts: OwnTokens = NOTHING
    years: tuple[str, ...] = ()

    def tell_birth(self, tag: int, value: bytes) -> bool:
        """Tell whether a value of DA or DT is the day, or the month, of birth.

        The dates of a newborn's scan are none.
        """
        if not self.births or (self.is_newborn and tag in _OF_SCANS):
            return False
        text = value.decode("latin-1")
        if not self.births.isdisjoint(dates_in(text)):
            return True
        months = {f"{day:%Y%m}" for day in self.births}
        return any(one.strip(" \0") in months for one in text.split("\\"))

    def birth_is_written_in(self, text: str) -> bool:
        """Tell whether year and day of birth are numbers of a text: ``3 December 1951``."""
        if not self.births:
            return False
        runs = {run.lstrip("0") for run in _RUNS.findall(text)}
        return any({str(day.year), str(day.day)} <= runs for day in self.births)

    def number_in(self, tag: int, value: bytes) -> bool:
        """Tell whether one of several decimal numbers is a secret day.

        Parameters
        ----------
        tag : int
            Numbers of series and acquisitions are free, so that in these days since 1970 and what
            begins with the year count, too. Others need six digits, instances five.
        value : bytes
            As ``values.clean_ds`` returns it.
        """
        is_free = tag in FREE_COUNTERS
        is_counter = is_free or tag == _INSTANCE_NUMBER
        if self.numbers.number_in(value, least_digits=FORM_DIGITS if is_counter else LONG_DIGITS):
            return True
        if not is_free:
            return False
        return self.counts.number_in(value) or any(
            len(bare := one.lstrip("0")) >= FORM_DIGITS and bare.startswith(self.years)
            for one in _RUNS.findall(value.decode("ascii", "replace"))
        )

    def binary_number_in(self, value: bytes, vr: str) -> bool:
        """Tell whether one of a few binary numbers is a secret day."""
        return self.numbers.binary_number_in(value, vr)


NO_DAYS = OwnDays()


def own_days_of(data_set: DataSet, *, are_kept: bool, is_first: bool) -> OwnDays:
    """Return the days of all levels of a data set.

    Parameters
    ----------
    data_set : DataSet
        As it came in.
    are_kept : bool
        Its dates stay as they are: only the day of birth is secret.
    is_first : bool
        It was not treated before: its dates are the true ones.
    """
    births = set[dt.date]()
    others = set[dt.date]()
    for one in _levels(data_set):
        is_birth_item = is_of_birth(one)
        for element in one.elements.values():
            if element.items is not None:
                continue
            if element.tag == _BIRTH_DATE or (is_birth_item and element.tag in _ITEM_DATES):
                births.update(dates_in(text_in(element)))
            elif element.vr in {"DA", "DT"} and len(others) < _MOST_DAYS:
                others.update(dates_in(text_in(element)))
    study = data_set.get(_STUDY_DATE)
    studied = [] if study is None or study.items is not None else [*dates_in(text_in(study))]
    is_newborn = all(any(abs(day - born) <= _NEWBORN for born in births) for day in studied)
    secret = births - others if are_kept else births | (others if is_first else set[dt.date]())
    return OwnDays(
        frozenset(births),
        is_newborn,
        OwnTokens(numbers=_long(form for day in secret for form in calendar_forms(day))),
        OwnTokens(numbers=_long(form for day in secret for form in _counted(day))),
        tuple(sorted({f"{day.year:04d}" for day in secret})),
    )


def _long(forms: Iterator[str]) -> frozenset[str]:
    bare = (form.lstrip("0") for form in forms)
    return frozenset(form for form in bare if len(form) >= FORM_DIGITS)


def dates_in(text: str) -> Iterator[dt.date]:
    """Give the dates of values of DA or DT, ends of ranges too; none that stands for none."""
    for value in _ENDS.split(text):
        found = _DAY.match(value.strip())
        try:
            date = dt.date(*map(int, found.groups())) if found else None
        except ValueError:
            continue
        if date is not None and date not in STAND_INS:
            yield date


def forms_of(day: dt.date) -> Iterator[str]:
    """Write a day as makers do: digits in three orders, day of the year, days since 1970."""
    yield from calendar_forms(day)
    yield from _counted(day)


def calendar_forms(day: dt.date) -> Iterator[str]:
    """Write a day in the digits of the calendar.

    Examples
    --------
    >>> "191119" in calendar_forms(dt.date(2019, 11, 19))
    True
    """
    year, month, date = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    yield from (year + month + date, date + month + year, month + date + year)
    yield f"{year}{day.timetuple().tm_yday:03d}"
    yield from (year[2:] + month + date, date + month + year[2:])


def _counted(day: dt.date) -> Iterator[str]:
    since = (day - dt.date(1970, 1, 1)).days
    if since > 0:
        yield str(since)


def text_in(element: Element) -> str:
    """Return the beginning of a plain text."""
    return bytes(element.value[:_MOST_BYTES]).decode("latin-1").strip(" \0")


def elements_of(data_set: DataSet) -> Iterator[Element]:
    """Give the elements of all levels that hold values."""
    for one in _levels(data_set):
        yield from (element for element in one.elements.values() if element.items is None)


def _levels(data_set: DataSet) -> Iterator[DataSet]:
    waiting = [data_set]
    while waiting:
        one = waiting.pop()
        yield one
        for element in one.elements.values():
            waiting.extend(element.items or ())
