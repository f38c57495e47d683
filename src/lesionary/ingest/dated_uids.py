"""UIDs that tell when: makers write the moment of a scan, or of writing a file, into them.

A UID is judged by its own text alone, so every file that names it comes to the same end, and no
reference breaks. Forms are those that public collections show: a day, with or without a time of
day, anywhere in a component; seconds, milliseconds or microseconds since 1970; ticks since year 1
or 1601; years, months and days as components; the clock in a UUID (RFC 9562).
"""

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache
from uuid import UUID

_CACHED = 65_536
_LONGEST = 20
"""Digits of a component that may hold a day anywhere; longer ones are hashes, or begin with it."""

HASH_DIGITS = 28
"""A component of so many digits and more is a hash, or a random number."""

_DAY_DIGITS = 8
_UUID_ROOT = "2.25."
_ARCHIVES = (
    "1.3.6.1.4.1.14519.5.2.1.",  # The Cancer Imaging Archive
    "1.3.6.1.4.1.9328.50.",  # its older collections
    "1.3.6.1.4.1.9590.100.1.2.",  # the same, by another tool
    "1.2.840.113654.2.55.",  # the National Lung Screening Trial
)
"""Roots under which archives write hashes in the place of the makers' UIDs."""

_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
_YEAR = r"(?:19[0-9]{2}|20[0-9]{2}|2100)"
_YEAR_FIRST = re.compile(rf"(?=({_YEAR})({_MONTH})({_DAY}))")
_YEAR_LAST = re.compile(rf"(?:{_MONTH}{_DAY}|{_DAY}{_MONTH}){_YEAR}")
_RECENT_YEAR = r"(?:19[89]|20[0-4])[0-9]"
_SHORT_YEAR = re.compile(rf"[0-9]{{2}}{_MONTH}{_DAY}{_CLOCK}[0-9]{{0,3}}")
_SHORT_YEAR_DIGITS = 12
_MARKED_YEAR = re.compile(rf"300000[0-9]{{2}}{_MONTH}{_DAY}")
"""Two digits of a year: before the time of day, or behind 300000 as a large maker writes it."""

_BARE = re.compile(rf"{_RECENT_YEAR}[0-9]{{7,14}}")
"""A year, and the numbers of month, day and time as they come, without leading zeros."""

_LOOSE_MONTH, _LOOSE_DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12][0-9]|3[01])"
_APART = re.compile(
    rf"\.{_YEAR}\.{_LOOSE_MONTH}\.{_LOOSE_DAY}(?![0-9])"
    rf"|\.(?:{_LOOSE_DAY}\.{_LOOSE_MONTH}|{_LOOSE_MONTH}\.{_LOOSE_DAY})\.{_YEAR}(?![0-9])"
)
"""A day whose year, month and day are components; of birth, too."""

_FIRST, _LAST = dt.datetime(1985, 1, 1, tzinfo=dt.UTC), dt.datetime(2045, 1, 1, tzinfo=dt.UTC)
"""When scanners may have written seconds of a clock."""

_EPOCH_DIGITS = {9: 1, 10: 1, 12: 1000, 13: 1000, 15: 1_000_000, 16: 1_000_000}
_TICKS_DIGITS, _TICKS_PER_S = range(18, 24), 10_000_000
_TICKS_BEFORE_1970 = (dt.date(1970, 1, 1).toordinal() - 1) * 86_400 * _TICKS_PER_S
_FILE_TICKS_DIGITS = 18
_FILE_TICKS_BEFORE_1970 = (
    (dt.date(1970, 1, 1).toordinal() - dt.date(1601, 1, 1).toordinal()) * 86_400 * _TICKS_PER_S
)
_CALENDAR = dt.date(1970, 1, 1).toordinal() - dt.date(1582, 10, 15).toordinal()
_UUID_TICKS_BEFORE_1970 = _CALENDAR * 86_400 * _TICKS_PER_S
_OF_UUID = re.compile(r"2\.25\.([0-9]{1,39})(?![0-9])")
_SORTED_VERSION, _UNIX_VERSION = 6, 7


@lru_cache(maxsize=_CACHED)
def tells_a_date(uid: str) -> bool:
    """Tell whether a day can be read in a UID, or its digits look as if one could.

    Hashes that archives and UUIDs put in the place of a maker's UID are not read for days: in so
    many random digits one would be found by chance.

    Parameters
    ----------
    uid : str
        Numbers and dots.

    Examples
    --------
    >>> tells_a_date("1.3.12.2.1107.5.2.32.35162.2010031109342712345")
    True
    >>> tells_a_date("1.2.840.113619.2.55.3.313318667.350.1615792077.391")
    True
    >>> tells_a_date("1.2.840.113619.2.55.3.17.2")
    False
    """
    if is_random_by_root(uid):
        return any(map(_tells, _short_components(uid))) or _is_timed_uuid(uid)
    return _APART.search(uid) is not None or any(map(_tells, uid.split(".")))


def is_random_by_root(uid: str) -> bool:
    """Tell whether a UID stands under a root of UUIDs, or of an archive that writes hashes."""
    return uid.startswith((_UUID_ROOT, *_ARCHIVES))


def _short_components(uid: str) -> Iterator[str]:
    """Give the components that are too short for a hash: a person or a clock may have written."""
    return (one for one in uid.split(".") if len(one) < HASH_DIGITS)


def _tells(component: str) -> bool:
    if len(component) < _DAY_DIGITS:
        return False
    return (
        _has_day(component)
        or _is_clock(component)
        or _YEAR_LAST.fullmatch(component) is not None
        or _BARE.fullmatch(component) is not None
        or _SHORT_YEAR.fullmatch(component.zfill(_SHORT_YEAR_DIGITS)) is not None
        or _MARKED_YEAR.match(component) is not None
    )


def _has_day(component: str) -> bool:
    places = 1 if len(component) > _LONGEST else len(component)
    return any(
        found.start() < places and _is_day(*map(int, found.groups()))
        for found in _YEAR_FIRST.finditer(component)
    )


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return bool(dt.date(year, month, day))
    except ValueError:
        return False


def _is_clock(component: str) -> bool:
    per_s = _EPOCH_DIGITS.get(len(component))
    if per_s is not None and _is_recent(int(component), per_s):
        return True
    if len(component) not in _TICKS_DIGITS:
        return False
    ticks = int(component[: _TICKS_DIGITS.start])
    is_file_time = len(component) == _FILE_TICKS_DIGITS and _is_recent(
        ticks - _FILE_TICKS_BEFORE_1970, _TICKS_PER_S
    )
    return is_file_time or _is_recent(ticks - _TICKS_BEFORE_1970, _TICKS_PER_S)


def _is_recent(since_1970: int, per_s: int) -> bool:
    return _FIRST.timestamp() <= since_1970 / per_s < _LAST.timestamp()


def _is_timed_uuid(uid: str) -> bool:
    """Tell whether a UID is a UUID made of a clock: version 1, 6 or 7."""
    found = _OF_UUID.match(uid)
    if found is None or (number := int(found[1])) >> 128:
        return False
    uuid = UUID(int=number)
    if uuid.version == _UNIX_VERSION:
        return _is_recent(number >> 80, 1000)
    if uuid.version == _SORTED_VERSION:
        ticks = number >> 80 << 12 | number >> 64 & 0xFFF
    else:
        ticks = uuid.time if uuid.version == 1 else 0
    return _is_recent(ticks - _UUID_TICKS_BEFORE_1970, _TICKS_PER_S)
