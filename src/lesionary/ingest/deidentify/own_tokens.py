"""What a file's own header says of its people, so that no other element repeats it.

A list of words cannot tell the swan from Ms Swan, nor a weight from a record's number. The header
can: what it calls its patient, its physicians, its site, and how it numbers them, goes wherever
else it stands. ``own_sources`` says where the header tells.
"""

import re
import struct
from dataclasses import dataclass, field, replace

from lesionary.ingest.deidentify.nobodys import listed_words
from lesionary.ingest.deidentify.own_identifiers import (
    GONE,
    NUMBER_DIGITS,
    Identifier,
    pattern_of,
    squeezed,
    without,
)
from lesionary.ingest.deidentify.vocabulary import folded, package_vocabulary

LONG_DIGITS = 6
"""So many digits no measurement shares with a record by chance."""

_CACHED_TEXTS = 1024
_CACHED_LETTERS = 256
_PART_LETTERS = 3
_SEAM_LETTERS = 4
_INNER_LETTERS = 4
_GROUPS = 5

_RUN = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"[0-9]+")
_PARTS = re.compile(r"[0-9]+|[^\W\d_]+")
_HUMPS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
_GROUPED = re.compile(r"[0-9]+(?:[-./ _^,:]{1,2}[0-9]+)*")
_WHOLE = re.compile(r"[+-]?0*([0-9]*)(?:\.0*)?")
_NUMBERS = {"FD": "d", "FL": "f", "SL": "i", "UL": "I", "SV": "q", "UV": "Q"}


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
    identifiers : frozenset of Identifier
        Whole ones, which go glued to others too.
    """

    people: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    identifiers: frozenset[Identifier] = frozenset()
    _known: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)
    _known_whole: dict[str, bool] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _digits: tuple[bytes, ...] = field(default=(), init=False, repr=False, compare=False)
    _keys: tuple[tuple[str, Identifier], ...] = field(
        default=(), init=False, repr=False, compare=False
    )
    _inner: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digits", tuple(one.encode() for one in self.numbers))
        object.__setattr__(self, "_keys", tuple((one.key, one) for one in self.identifiers))
        inner = tuple(one for one in self.people if len(one) >= _INNER_LETTERS and one.isalpha())
        object.__setattr__(self, "_inner", inner)

    def __bool__(self) -> bool:
        return bool(self.people or self.places or self.numbers or self.identifiers)

    def occur_in(self, text: str) -> bool:
        """Tell whether a text holds one of them."""
        known = self._known.get(text)
        if known is None:
            known = self.stand_alone_in(text) or self.are_whole_in(text)
            _remember(self._known, text, known)
        return known

    def are_whole_in(self, text: str) -> bool:
        """Tell whether a text holds a whole identifier, of which cleaning may have left a part."""
        known = self._known_whole.get(text)
        if known is None:
            bare = squeezed(text)
            known = any(
                key in bare and pattern_of(one).search(folded(text)) is not None
                for key, one in self._keys
            )
            _remember(self._known_whole, text, known)
        return known

    def name_a_person_in(self, text: str) -> bool:
        """Tell whether a text holds one that is not only a place's."""
        return self.occur_in(text) and replace(self, places=frozenset()).occur_in(text)

    def marked(self, text: str) -> str:
        """Return a text with ``GONE`` where one stood.

        Examples
        --------
        >>> OwnTokens(frozenset({"SWAN"}), numbers=frozenset({"4711"})).marked("CT swan 4711 mm")
        'CT あ あ mm'
        """
        if self.identifiers:
            text = without(text, self.identifiers)
        if self.numbers:
            text = _GROUPED.sub(lambda found: GONE if self._is_number(found[0]) else found[0], text)
        return _RUN.sub(lambda run: GONE if self._is_own(run[0]) else run[0], text)

    def stand_alone_in(self, text: str) -> bool:
        """Tell whether a text holds one of them that nothing touches but letters."""
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
        return any(self._is_seam(key[:at], key[at:]) for at in places) or (
            any(one in key for one in self._inner) and not _is_listed(key, humps)
        )

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


def _remember(known: dict[str, bool], text: str, is_own: bool) -> None:
    if len(text) <= _CACHED_LETTERS and len(known) < _CACHED_TEXTS:
        known[text] = is_own


def _is_listed(key: str, humps: list[str]) -> bool:
    """Tell whether a run of letters is of the list, or words of it that were written as one."""
    if key in listed_words() or all(folded(hump) in listed_words() for hump in humps):
        return True
    seams = package_vocabulary().seams
    places = range(_SEAM_LETTERS, len(key) - _SEAM_LETTERS + 1)
    return any(key[:at] in seams and key[at:] in seams for at in places)


def _whole(number: str) -> str:
    """Return the digits of a whole number, without sign and leading zeros."""
    found = _WHOLE.fullmatch(number.strip())
    return found[1] if found else ""
