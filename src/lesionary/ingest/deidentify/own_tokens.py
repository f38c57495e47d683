"""What a file's own header says of its people, so that no other element repeats it.

A list of words cannot tell the swan from Ms Swan, nor a weight from a record's number. The header
can: what it calls its patient, its physicians, its site, and how it numbers them, goes wherever
else it stands. ``own_sources`` says where the header tells.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from lesionary.ingest.deidentify.nobodys import NOBODYS, OF_PLACES, PARTICLES
from lesionary.ingest.deidentify.vocabulary import folded, package_vocabulary

NUMBER_DIGITS = 4
"""Shorter numbers are everybody's."""

LONG_DIGITS = 6
"""So many digits no measurement shares with a record by chance."""

GONE = "\u3042"
"""A letter of no word: marks in a text where an own word stood."""

_CACHED_TEXTS = 1024
_CACHED_LETTERS = 256
_MIXED_LETTERS = 4
_PART_LETTERS = 3
_SEAM_LETTERS = 4
_PHONE_DIGITS = (7, 10)
_GROUPS = 5
_COUNTED = "1234567890"
"""An identifier that only counts stands for one, where nobody is named either."""

_RUN = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+")
_PARTS = re.compile(r"[0-9]+|[^\W\d_]+")
_HUMPS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
_GROUPED = re.compile(r"[0-9]+(?:[-./ ]{1,2}[0-9]+)*")
_APART = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)+")
_WHOLE = re.compile(r"[+-]?0*([0-9]*)(?:\.0*)?")
_DATE = re.compile(r"([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "AE", "Ö": "OE", "Ü": "UE",
                          "å": "aa", "Å": "AA"})  # fmt: skip
_NUMBERS = {"FD": "d", "FL": "f", "SL": "i", "UL": "I", "SV": "q", "UV": "Q"}


class Source(Enum):
    """Where the header tells something, which is how far it is taken."""

    NAME = "name"
    IDENTITY = "identity"
    """A patient's, study's or order's number; a telephone."""
    DEVICE = "device"
    PLACE = "place"
    BIRTH = "birth"


@dataclass(frozen=True, slots=True, repr=False)
class OwnTokens:
    """Words and numbers of a file's own people and places. Threads may share it.

    Parameters
    ----------
    people : frozenset of str
        Words of names, and identifiers of letters and digits, folded.
    places : frozenset of str
        Words of sites, departments and addresses, folded.
    numbers : frozenset of str
        Digits without leading zeros, four at least.
    """

    people: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    _known: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)
    _digits: tuple[bytes, ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digits", tuple(one.encode() for one in self.numbers))

    def __bool__(self) -> bool:
        return bool(self.people or self.places or self.numbers)

    def occur_in(self, text: str) -> bool:
        """Tell whether a text holds one of them."""
        if len(text) > _CACHED_LETTERS:
            return self._occur_in(text)
        known = self._known.get(text)
        if known is None:
            known = self._occur_in(text)
            if len(self._known) < _CACHED_TEXTS:
                self._known[text] = known
        return known

    def name_a_person_in(self, text: str) -> bool:
        """Tell whether a text holds one that is not only a place's."""
        return self.occur_in(text) and OwnTokens(self.people, frozenset(), self.numbers).occur_in(
            text
        )

    def marked(self, text: str) -> str:
        """Return a text with ``GONE`` where one stood.

        Examples
        --------
        >>> OwnTokens(frozenset({"SWAN"}), numbers=frozenset({"4711"})).marked("CT swan 4711 mm")
        'CT あ あ mm'
        """
        if self.numbers:
            text = _GROUPED.sub(lambda found: GONE if self._is_number(found[0]) else found[0], text)
        return _RUN.sub(lambda run: GONE if self._is_own(run[0]) else run[0], text)

    def _occur_in(self, text: str) -> bool:
        return any(map(self._is_own, _RUN.findall(text))) or (
            bool(self.numbers) and any(map(self._is_number, _GROUPED.findall(text)))
        )

    def _is_own(self, run: str) -> bool:
        """Judge one run of letters and digits: whole, by its parts, by its humps, as two words."""
        key = folded(run)
        if self._has(key):
            return True
        if not key.isalpha():
            parts = _PARTS.findall(run)
            return any(map(self._is_own, parts)) if len(parts) > 1 else self._has_number(key)
        humps = _HUMPS.findall(run)
        if len(humps) > 1:
            own = [self._has(folded(hump)) for hump in humps]
            if all(own) or any(
                is_own and len(hump) >= _PART_LETTERS
                for is_own, hump in zip(own, humps, strict=True)
            ):
                return True
        places = range(_PART_LETTERS, len(key) - _PART_LETTERS + 1)
        return any(self._is_seam(key[:at], key[at:]) for at in places)

    def _is_seam(self, first: str, second: str) -> bool:
        """Tell whether of two words written as one both are own, or a long one and one is known."""
        own = [self._has(first), self._has(second)]
        if all(own) or not any(own):
            return all(own)
        named, other = (first, second) if own[0] else (second, first)
        return len(named) >= _SEAM_LETTERS and other in package_vocabulary().plain

    def _has(self, key: str) -> bool:
        return key in self.people or key in self.places

    def _has_number(self, digits: str) -> bool:
        return digits.lstrip("0") in self.numbers

    def _is_number(self, grouped: str) -> bool:
        """Judge digits with marks between them, some of the groups together, or a date's parts."""
        groups = _DIGITS.findall(grouped)
        if not grouped.isascii():
            return False
        padded = [one.zfill(2) for one in groups]
        for first in range(len(groups)):
            for last in range(first + 1, min(first + _GROUPS, len(groups)) + 1):
                if self._has_number("".join(groups[first:last])) or self._has_number(
                    "".join(padded[first:last])
                ):
                    return True
        return False

    def number_in(self, value: bytes, *, least_digits: int = NUMBER_DIGITS) -> bool:
        """Tell whether one of several decimal numbers is an own one, whatever its sign."""
        if not any(digits in value for digits in self._digits):
            return False
        return any(
            one in self.numbers and len(one) >= least_digits
            for one in map(_whole, value.decode("ascii", "replace").split("\\"))
        )

    def binary_number_in(self, value: bytes, vr: str) -> bool:
        """Tell whether one of a few binary numbers is an own one of many digits."""
        form = _NUMBERS.get(vr)
        if form is None or len(value) > 32 or not self.numbers:
            return False
        numbers = (one[0] for one in struct.iter_unpack(f"<{form}", value))
        return any(
            one == one // 1 and len(text := str(abs(int(one)))) >= LONG_DIGITS
            and text in self.numbers
            for one in numbers
            if abs(one) < 1e18
        )  # fmt: skip


NOTHING = OwnTokens()


def _whole(number: str) -> str:
    """Return the digits of a whole number, without sign and leading zeros."""
    found = _WHOLE.fullmatch(number.strip())
    return found[1] if found else ""


@lru_cache(maxsize=32)
def tokens_of(told: frozenset[tuple[Source, str]], number: str) -> OwnTokens:
    """Return the tokens of what a header tells.

    Parameters
    ----------
    told : frozenset of (Source, str)
        Texts by where they stand.
    number : str
        What the patient becomes: it is no identity, and a file treated before holds it.
    """
    people: set[str] = set()
    places: set[str] = set()
    numbers: set[str] = set()
    identities = {text for source, text in told if source is Source.IDENTITY}
    for source, text in told:
        if text == number:
            continue
        is_numbered = text in identities and _DIGITS.search(text)
        if source is Source.BIRTH:
            numbers.update(_dates(text))
        elif source is Source.PLACE:
            places.update(one for one in _words(text, 3) if one not in OF_PLACES)
        elif source is Source.NAME and not is_numbered:
            people.update(_names(text))
        else:
            people.update(_identifiers(text))
        if source is not Source.BIRTH:
            is_exact = source in {Source.IDENTITY, Source.NAME}
            numbers.update(_numbers(text, NUMBER_DIGITS if is_exact else NUMBER_DIGITS + 1))
    bare = {one.lstrip("0") for one in numbers} - {number, number.lstrip("0")}
    if not people:
        bare -= {_COUNTED[:n] for n in range(NUMBER_DIGITS, LONG_DIGITS + 1)}
    return OwnTokens(
        frozenset(people),
        frozenset(places - people),
        frozenset(one for one in bare if len(one) >= NUMBER_DIGITS),
    )


def _names(text: str) -> Iterator[str]:
    for group in text.split("="):
        for component in group.split("^"):
            words = list(_words(component, 2))
            yield from (one for one in words if len(words) == 1 or one not in PARTICLES)


def _words(text: str, least: int) -> Iterator[str]:
    spellings = {text, text.translate(_UMLAUTS)}
    for spelling in spellings:
        whole = (re.sub(r"['’`-]", "", one) for one in _APART.findall(spelling))
        for word in (*_LETTERS.findall(spelling), *whole):
            key = folded(word)
            if key.isascii() and len(key) >= least and key not in NOBODYS:
                yield key


def _identifiers(text: str) -> Iterator[str]:
    """Return what of an identifier is no plain number: its letters only where it has no digits."""
    if not _DIGITS.search(text):
        yield from _words(text, 3)
        return
    whole = "".join(_RUN.findall(text))
    for run in (whole, *_RUN.findall(text)):
        key = folded(run)
        if len(key) >= _MIXED_LETTERS and not key.isdigit() and not key.isalpha():
            yield key


def _numbers(text: str, least: int) -> Iterator[str]:
    runs = _DIGITS.findall(text)
    yield from (run for run in runs if len(run) >= least)
    whole = "".join(runs)
    if len(runs) > 1 and len(whole) >= LONG_DIGITS:
        yield whole
        yield from (whole[-n:] for n in _PHONE_DIGITS if len(whole) > n)


def _dates(text: str) -> Iterator[str]:
    found = _DATE.match(text.strip())
    if found is None or found[0] in {"19000101", "00010101"}:
        return
    year, month, day = found.groups()
    for one in (year, year[2:]):
        yield from (one + month + day, day + month + one, month + day + one)
