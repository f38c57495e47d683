"""Move dates, keep times: values of DA, DT and TM.

Every function takes a value as it stands in a data set, padded or not, of several values too, and
returns it unpadded. What is malformed becomes empty, so that text in a date goes nowhere.

Source: DICOM PS3.5 §6.2 (DA, DT, TM, the older forms ``1997.03.04`` and ``10:11:12``).
"""

import datetime as dt
import re
from collections.abc import Callable

from lesionary.ingest.pseudonym import moved

_PADDING = b" \0"
_DA = re.compile(rb"([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
_CLOCK = rb"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_TM = re.compile(_CLOCK)
_OLD_TM = re.compile(rb"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?")
_ZONE = rb"(?:-(?:0[0-9]|1[0-2])[0-5][0-9]|\+(?:0[0-9]|1[0-4])[0-5][0-9])"
_DT = re.compile(
    rb"(?P<year>[0-9]{4})(?P<month>[0-9]{2})?(?P<day>(?<=[0-9]{6})[0-9]{2})?"
    rb"(?P<clock>(?<=[0-9]{8})" + _CLOCK + rb")?(?P<zone>" + _ZONE + rb")?"
)


def shift_da(value: bytes, days_back: int) -> bytes:
    """Move dates back by a number of days.

    Parameters
    ----------
    value : bytes
        Of DA: one date, several, or ranges such as ``20200101-20200131``.
    days_back : int
        A day that would lie before the calendar's first becomes that, as in ``pseudonym.shifted``.

    Returns
    -------
    bytes
        Dates as ``YYYYMMDD``; empty where none is one.

    Examples
    --------
    >>> shift_da(b"20200301", 1)
    b'20200229'
    >>> shift_da(b"John Doe", 1)
    b''
    """
    return _each(value, lambda one: _one_date(one, days_back))


def shift_dt(value: bytes, days_back: int) -> bytes:
    """Move the dates in values of DT; time of day and zone stay.

    A year or a month without its day is moved from its middle and stays as coarse as it was.

    Examples
    --------
    >>> shift_dt(b"20200301101500.5+0100", 1)
    b'20200229101500.5+0100'
    >>> shift_dt(b"202003", 31)
    b'202002'
    """
    return _each(value, lambda one: _one_datetime(one, days_back))


def tm(value: bytes) -> bytes:
    """Keep valid times, of one value, several, or ranges; what is none becomes empty.

    Examples
    --------
    >>> tm(b"10:11:12 ")
    b'101112'
    >>> tm(b"2511")
    b''
    """
    return _each(value, _one_time)


def _each(value: bytes, change: Callable[[bytes], bytes | None]) -> bytes:
    """Change each value and each end of a range; all empty is empty."""
    changed = [_range(one.strip(_PADDING), change) for one in bytes(value).split(b"\\")]
    return b"\\".join(changed) if any(changed) else b""


def _range(value: bytes, change: Callable[[bytes], bytes | None]) -> bytes:
    whole = change(value)
    if whole is not None:
        return whole
    for place in (at for at, one in enumerate(value) if one == ord("-")):
        ends = (value[:place].strip(_PADDING), value[place + 1 :].strip(_PADDING))
        changed = [change(end) if end else b"" for end in ends]
        if None not in changed and any(ends):
            return b"-".join(one or b"" for one in changed)
    return b""


def _one_date(value: bytes, days_back: int) -> bytes | None:
    found = _DA.fullmatch(value)
    date = found and _date(*(int(part) for part in found.groups() if part is not None))
    return _written(moved(date, days_back)) if date else None


def _one_time(value: bytes) -> bytes | None:
    plain = value.replace(b":", b"") if _OLD_TM.fullmatch(value) else value
    return plain if _TM.fullmatch(plain) else None


def _one_datetime(value: bytes, days_back: int) -> bytes | None:
    found = _DT.fullmatch(value)
    if found is None:
        return None
    month, day = found["month"], found["day"]
    date = _date(int(found["year"]), int(month or b"7"), int(day or (b"15" if month else b"1")))
    if date is None:
        return None
    n_digits = 8 if day else 6 if month else 4
    rest = (found["clock"] or b"") + (found["zone"] or b"")
    return _written(moved(date, days_back))[:n_digits] + rest


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _written(date: dt.date) -> bytes:
    return b"%04d%02d%02d" % (date.year, date.month, date.day)
