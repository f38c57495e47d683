"""Where UIDs stay: what of the patient may be read in them, and what that leads to.

A UID in which a day can be read is replaced for its own text, one that holds the patient's ID for
the patient's: so all files agree. What only this file knows, such as an accession number, another
file that names the same UID may not know; replaced here and kept there, the reference would break.
So such a file is set aside instead.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from lesionary.ingest.deidentify.classes import is_well_known
from lesionary.ingest.deidentify.elements import DataSet
from lesionary.ingest.deidentify.facts import text_of
from lesionary.ingest.deidentify.own_days import (
    FORM_DIGITS,
    dates_in,
    elements_of,
    forms_of,
    text_in,
)
from lesionary.ingest.deidentify.quarantine import Quarantined
from lesionary.ingest.pseudonym import Pseudonymiser, has_number

_PATIENT_ID, _BIRTH_DATE = 0x00100020, 0x00100030
# fmt: off
_NUMBERED = frozenset({
    0x00080050, 0x00100020, 0x00101000, 0x00101090, 0x00200010, 0x00321000,  # accession, patient
    0x00380010, 0x00380060, 0x00400009, 0x00400253, 0x00401001, 0x00402006, 0x00402007,
    0x00402016, 0x00402017,  # admission, steps, orders
})
# fmt: on
_ID_DIGITS, _OTHER_DIGITS, _WHOLE_DIGITS = 4, FORM_DIGITS, 6
_DIGITS = re.compile(r"[0-9]+")
_PHONES = frozenset({0x00102154, 0x00102155, 0x00080094, 0x00401103, 0x00401104})
_LOCAL_DIGITS = 7
"""Of a telephone its last digits are enough, whatever is written before them."""

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
    is_apart = own.apart is not None and any(map(own.apart.search, kept))
    return _TELLING if is_apart and is_first else None


@dataclass(frozen=True, slots=True, repr=False)
class _Told:
    numbers: frozenset[str]
    days: frozenset[str]
    apart: re.Pattern[str] | None


def _told_by(data_set: DataSet, names: Pseudonymiser) -> _Told:
    """Gather numbers and days of a file; days that stay are no secret, but the day of birth is."""
    numbers: set[str] = set()
    dates: set[dt.date] = set()
    births: set[dt.date] = set()
    for element in elements_of(data_set):
        if element.tag in _NUMBERED:
            numbers.update(_numbers(text_in(element), _OTHER_DIGITS))
        elif element.tag in _PHONES:
            numbers.update(_phones(text_in(element)))
        elif element.tag == _BIRTH_DATE:
            births.update(dates_in(text_in(element)))
        elif element.vr in {"DA", "DT"}:
            dates.update(dates_in(text_in(element)))
    secret = births - dates if names.keep_dated_uids else births | dates
    forms = (form.lstrip("0") for day in secret for form in forms_of(day))
    days = frozenset(form for form in forms if len(form) >= _OTHER_DIGITS)
    return _Told(frozenset(numbers), days, _apart(secret))


def _numbers(text: str, least: int) -> Iterator[str]:
    runs = [run.lstrip("0") for run in _DIGITS.findall(text)]
    yield from (run for run in runs if len(run) >= least)
    whole = "".join(_DIGITS.findall(text)).lstrip("0")
    if len(runs) > 1 and len(whole) >= _WHOLE_DIGITS:
        yield whole


def _phones(text: str) -> Iterator[str]:
    for one in text.split("\\"):
        digits = "".join(_DIGITS.findall(one))
        if len(digits) >= _OTHER_DIGITS:
            yield digits[-_LOCAL_DIGITS:].lstrip("0")


def _apart(days: Collection[dt.date]) -> re.Pattern[str] | None:
    """Return what finds a day whose year, month and day are components, in three orders."""
    if not days:
        return None
    written = (
        rf"{one.year}\.0?{one.month}\.0?{one.day}"
        rf"|0?{one.day}\.0?{one.month}\.{one.year}|0?{one.month}\.0?{one.day}\.{one.year}"
        for one in sorted(days)
    )
    return re.compile(rf"\.(?:{'|'.join(written)})(?![0-9])")


def _uids(data_set: DataSet) -> set[str]:
    values = {bytes(one.value) for one in elements_of(data_set) if one.vr == "UI"}
    return {
        uid.strip(" \0") for value in values for uid in value.decode("latin-1").split("\\") if uid
    }
