"""Where UIDs stay: what of the patient may be read in them, and what that leads to.

A UID in which a day can be read is replaced for its own text, one that holds the patient's ID for
the patient's: so all files agree. What only this file knows, such as an accession number, another
file that names the same UID may not know; replaced here and kept there, the reference would break.
So such a file is set aside instead.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lesionary.ingest.deidentify.cleaning import is_well_known
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.facts import text_of
from lesionary.ingest.deidentify.quarantine import Quarantined
from lesionary.ingest.pseudonym import STAND_INS, Pseudonymiser, has_number

_PATIENT_ID, _BIRTH_DATE = 0x00100020, 0x00100030
# fmt: off
_NUMBERED = frozenset({
    0x00080050, 0x00100020, 0x00101000, 0x00101090, 0x00200010, 0x00321000,  # accession, patient
    0x00380010, 0x00380060, 0x00400009, 0x00400253, 0x00401001, 0x00402006, 0x00402007,
    0x00402016, 0x00402017,  # admission, steps, orders
})
# fmt: on
_ID_DIGITS, _OTHER_DIGITS, _WHOLE_DIGITS = 4, 5, 6
_DIGITS = re.compile(r"[0-9]+")
_DAY = re.compile(r"([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})")
_MOST_BYTES = 64

_TELLING = Quarantined(
    "telling_uid",
    "one of its UIDs, which are to stay, holds a number or a day of its own: without retain_uids"
    " it is released",
)


def naming(names: Pseudonymiser, data_set: DataSet) -> Pseudonymiser:
    """Return who names the UIDs of a patient's files: those with the patient's ID do not stay."""
    if not names.keep_uids:
        return names
    numbers = frozenset(_numbers(text_of(data_set, _PATIENT_ID), _ID_DIGITS))
    return replace(names, numbers=numbers) if numbers else names


def reason_against_uids(
    before: DataSet, after: DataSet, names: Pseudonymiser, *, is_first: bool
) -> Quarantined | None:
    """Return why UIDs that stayed may not, where only this file can tell; else None.

    Parameters
    ----------
    before, after : DataSet
        As it came in, and as it is to go out.
    names : Pseudonymiser
        As ``naming`` returns it.
    is_first : bool
        The file was not treated before: its dates are the true ones.
    """
    if not names.keep_uids:
        return None
    kept = {uid for uid in _uids(after) if not (names.is_own(uid) or is_well_known(uid))}
    own = _told_by(before, names)
    days = own.days if is_first else frozenset[str]()
    if any(has_number(uid, own.numbers | days) for uid in kept):
        return _TELLING
    return None


@dataclass(frozen=True, slots=True, repr=False)
class _Told:
    numbers: frozenset[str]
    days: frozenset[str]


def _told_by(data_set: DataSet, names: Pseudonymiser) -> _Told:
    """Gather numbers and days of a file; days that stay are no secret, but the day of birth is."""
    numbers: set[str] = set()
    dates: set[dt.date] = set()
    births: set[dt.date] = set()
    for element in _elements(data_set):
        if element.tag in _NUMBERED:
            numbers.update(_numbers(_text(element), _OTHER_DIGITS))
        elif element.tag == _BIRTH_DATE:
            births.update(_dates(_text(element)))
        elif element.vr in {"DA", "DT"}:
            dates.update(_dates(_text(element)))
    secret = births - dates if names.keep_dated_uids else births | dates
    forms = (form.lstrip("0") for day in secret for form in _forms(day))
    days = frozenset(form for form in forms if len(form) >= _OTHER_DIGITS)
    return _Told(frozenset(numbers), days)


def _numbers(text: str, least: int) -> Iterator[str]:
    runs = [run.lstrip("0") for run in _DIGITS.findall(text)]
    yield from (run for run in runs if len(run) >= least)
    whole = "".join(_DIGITS.findall(text)).lstrip("0")
    if len(runs) > 1 and len(whole) >= _WHOLE_DIGITS:
        yield whole


def _dates(text: str) -> Iterator[dt.date]:
    for value in text.split("\\"):
        found = _DAY.match(value.strip())
        try:
            date = dt.date(*map(int, found.groups())) if found else None
        except ValueError:
            continue
        if date is not None and date not in STAND_INS:
            yield date


def _forms(day: dt.date) -> Iterator[str]:
    """Write a day as makers do: digits in three orders, day of the year, days since 1970."""
    year, month, date = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    yield from (year + month + date, date + month + year, month + date + year)
    yield f"{year}{day.timetuple().tm_yday:03d}"
    yield from (year[2:] + month + date, date + month + year[2:])
    since = (day - dt.date(1970, 1, 1)).days
    if since > 0:
        yield str(since)


def _uids(data_set: DataSet) -> set[str]:
    values = {bytes(one.value) for one in _elements(data_set) if one.vr == "UI"}
    return {
        uid.strip(" \0") for value in values for uid in value.decode("latin-1").split("\\") if uid
    }


def _text(element: Element) -> str:
    return bytes(element.value[:_MOST_BYTES]).decode("latin-1").strip(" \0")


def _elements(data_set: DataSet) -> Iterator[Element]:
    """Give the elements of all levels that hold values."""
    waiting = [data_set]
    while waiting:
        for element in waiting.pop().elements.values():
            if element.items is None:
                yield element
            else:
                waiting.extend(element.items)
