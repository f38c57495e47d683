"""What a header's texts tell: the words and numbers of its people, things and places.

``own_sources`` says where a header tells; ``own_tokens`` finds again what was told.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache

from lesionary.ingest.deidentify.nobodys import NOBODYS, OF_PLACES, PARTICLES
from lesionary.ingest.deidentify.own_identifiers import NUMBER_DIGITS, Identifier, identifier_of
from lesionary.ingest.deidentify.own_tokens import LONG_DIGITS, OwnTokens
from lesionary.ingest.deidentify.vocabulary import folded

_MIXED_LETTERS = 4
_PHONE_DIGITS = (7, 10)
_COUNTED = "1234567890"
"""An identifier that only counts stands for one, where nobody is named either."""

_RUN = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+")
_APART = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)+")
_DATE = re.compile(r"([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "AE", "Ö": "OE", "Ü": "UE",
                          "å": "aa", "Å": "AA"})  # fmt: skip


class Source(Enum):
    """Where the header tells something, which is how far it is taken."""

    NAME = "name"
    IDENTITY = "identity"
    """A patient's or study's number; a telephone."""
    ORDER = "order"
    """The number of an order, or of a step of it."""
    DEVICE = "device"
    PLACE = "place"
    BIRTH = "birth"


_NUMBERING = (Source.IDENTITY, Source.ORDER)
_EXACT = (Source.NAME, *_NUMBERING)


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
    identifiers: set[Identifier] = set()
    identities = {text for source, text in told if source in _NUMBERING}
    for source, text in told:
        if text == number:
            continue
        identifiers.update(_whole_identifiers(source, text))
        is_numbered = text in identities and _DIGITS.search(text)
        if source is Source.BIRTH:
            numbers.update(_dates(text))
        elif source is Source.PLACE:
            places.update(one for one in _words(text, 3) if one not in OF_PLACES)
        elif source is Source.NAME and not is_numbered:
            people.update(_names(text))
            people.update(_identifiers(text) if _DIGITS.search(text) else ())
        else:
            people.update(_identifiers(text))
        if source is not Source.BIRTH:
            numbers.update(_numbers(text, NUMBER_DIGITS + (source not in _EXACT)))
    nobodys = {number, number.lstrip("0")}
    if not people:
        nobodys.update(_COUNTED[:n] for n in range(NUMBER_DIGITS, LONG_DIGITS + 1))
    bare = {one.lstrip("0") for one in numbers} - nobodys
    return OwnTokens(
        frozenset(people),
        frozenset(places - people),
        frozenset(one for one in bare if len(one) >= NUMBER_DIGITS),
        frozenset(one for one in identifiers if one.key not in nobodys),
    )


def _whole_identifiers(source: Source, text: str) -> Iterable[Identifier]:
    if source is Source.BIRTH or source is Source.PLACE or not _DIGITS.search(text):
        return ()
    texts = text.split("=") if source is Source.NAME else [text]
    is_device, is_order = source is Source.DEVICE, source is Source.ORDER
    found = (identifier_of(one, is_device=is_device, is_order=is_order) for one in texts)
    return filter(None, found)


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
    if len(runs) > 1 and len(whole) >= (LONG_DIGITS if _LETTERS.search(text) else least):
        yield whole
        yield from (whole[-n:] for n in _PHONE_DIGITS if len(whole) > n)


def _dates(text: str) -> Iterator[str]:
    found = _DATE.match(text.strip())
    if found is None or found[0] in {"19000101", "00010101"}:
        return
    year, month, day = found.groups()
    for one in (year, year[2:]):
        yield from (one + month + day, day + month + one, month + day + one)
