"""One value at a time: what is kept of it, cleaned or replaced, under one key and list of words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from lesionary.ingest.deidentify import dates, values
from lesionary.ingest.deidentify.characters import decode
from lesionary.ingest.deidentify.classes import is_well_known
from lesionary.ingest.deidentify.codes import Code, clean_code
from lesionary.ingest.deidentify.counted import is_record_number, kept_binary
from lesionary.ingest.deidentify.dropped import DroppedWords
from lesionary.ingest.deidentify.dummies import dummy
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.own_days import NO_DAYS, OwnDays
from lesionary.ingest.deidentify.own_identifiers import NUMBER_DIGITS
from lesionary.ingest.deidentify.own_tokens import LONG_DIGITS, NOTHING, OwnTokens
from lesionary.ingest.deidentify.particulars import (
    EQUIPMENT,
    MAKERS,
    NEVER_EMPTY,
    RECORD_DIGITS,
    TERMS,
)
from lesionary.ingest.deidentify.table import Action, standard_table
from lesionary.ingest.deidentify.unowned import (
    FREE_COUNTERS,
    MEASURES,
    unowned_code,
    unowned_terms,
    without_public_names,
)
from lesionary.ingest.deidentify.vocabulary import element_terms
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser

_CHARSET = 0x00080005
_SCHEME, _MEANING = 0x00080102, 0x00080104
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
"""A code, a long one, a URN: a concept has one of them."""

_CODED = frozenset({*_CODE_VALUES, _SCHEME, _MEANING})
_TIME_ZONE = 0x00080201

_PATTERNS: Mapping[int, re.Pattern[bytes]] = MappingProxyType(
    {
        _TIME_ZONE: re.compile(rb"[+-](?:0[0-9]|1[0-4])[0-5][0-9]"),
        0x0040DB00: re.compile(rb"[1-9][0-9]{1,4}"),
    }
)
"""Shapes of the time zone and of a template's number."""

_CACHED = 65_536
_UTF_8 = ("ISO_IR 192",)


@dataclass(frozen=True, slots=True, repr=False)
class Surroundings:
    """Where a value stands.

    Parameters
    ----------
    data_set : DataSet
        The one that holds the element.
    charsets : tuple of str
        Its Specific Character Set.
    """

    data_set: DataSet
    charsets: tuple[str, ...]


def charsets_of(data_set: DataSet, inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Return the character sets of a data set's texts: its own, else those around it."""
    element = data_set.get(_CHARSET)
    if element is None or element.items is not None:
        return inherited
    named = bytes(element.value).decode("latin-1").strip(" \0")
    return tuple(name.strip() for name in named.split("\\")) if named else ("",)


@dataclass(frozen=True, slots=True, repr=False)
class Cleaner:
    """What the actions do to a value.

    Every method takes the element, the VR it is judged by and its surroundings, and returns the new
    value: empty where nothing of it may stay.

    Parameters
    ----------
    words : Words
    pseudonyms : Pseudonymiser
    shift_days : int
    own : OwnTokens
        What the header tells.
    dropped : DroppedWords, optional
    own_beside : OwnTokens
        The same without what an option lets stay: devices, places.
    days : OwnDays
        What the header's dates tell.
    """

    words: Words
    pseudonyms: Pseudonymiser
    shift_days: int
    own: OwnTokens = NOTHING
    dropped: DroppedWords | None = None
    own_beside: OwnTokens = NOTHING
    days: OwnDays = NO_DAYS

    def keep(self, element: Element, vr: str, around: Surroundings) -> bytes:
        """Return a value as it is, where it is of its VR; texts come in UTF-8.

        A text that an option keeps is cleaned all the same if it tells who somebody is.
        """
        if vr == "UI":
            return self._kept_uids(element)
        if self._tells_birth(element, vr):
            return dummy(element.tag, vr)
        check = _CHECKS.get(vr)
        if check is not None:
            kept = check(bytes(element.value))
            return b"" if self._is_record(element.tag, kept, vr) else kept
        if vr in values.WORD_BYTES:
            kept = kept_binary(element.tag, bytes(element.value), vr)
            is_own = element.tag not in MEASURES and (
                self.own.binary_number_in(kept, vr) or self.days.binary_number_in(kept, vr)
            )
            return b"" if is_own else kept
        return self._kept_text(element, vr, around)

    def _kept_text(self, element: Element, vr: str, around: Surroundings) -> bytes:
        """Return a text of its element's shape, or cleaned if it names a person."""
        if element.tag in _PATTERNS:
            bare = bytes(element.value).strip(b" \0")
            return bare if _is_term(element.tag, bare) else b""
        text = decode(bytes(element.value), around.charsets)
        if not (self.own_beside.occur_in(text) or self.days.birth_is_written_in(text)):
            return text.encode()
        cleaned = self._cleaned(element, vr, around)
        row = standard_table().row(element.tag)
        must_be = row is not None and row.action is Action.DUMMY
        return cleaned or (dummy(element.tag, vr) if must_be else b"")

    def _tells_birth(self, element: Element, vr: str) -> bool:
        return vr in {"DA", "DT"} and self.days.tell_birth(element.tag, bytes(element.value))

    def _is_record(self, tag: int, kept: bytes, vr: str) -> bool:
        """Tell whether a number is a record's: by its length, or by what the header says."""
        if vr not in RECORD_DIGITS or len(kept) < NUMBER_DIGITS:
            return False
        if tag in MEASURES:
            return is_record_number(tag, kept, vr)
        least = NUMBER_DIGITS if tag in FREE_COUNTERS else LONG_DIGITS
        is_own = self.own.number_in(kept, least_digits=least) or self.days.number_in(tag, kept)
        return is_own or is_record_number(tag, kept, vr)

    def _kept_uids(self, element: Element) -> bytes:
        """Return UIDs of which those stay that may; a kind's, where the standard names it."""
        if self.pseudonyms.keep_uids:
            shaped = "\\".join(values.uids(bytes(element.value))).encode()
            element = Element(element.tag, "UI", shaped)
        return self.uid(element, "UI", Surroundings(DataSet(), ()))

    def dummy(self, element: Element, vr: str, _: Surroundings) -> bytes:
        """Return a valid value that says nothing."""
        return dummy(element.tag, vr)

    def uid(self, element: Element, _vr: str, _: Surroundings) -> bytes:
        """Return keyed hashes for UIDs and for what is none; those of the standard stay."""
        texts = bytes(element.value).decode("latin-1").split("\\")
        bare = (text.strip(" \0") for text in texts)
        return "\\".join(
            uid if is_well_known(uid) else uid and self.pseudonyms.uid(uid) for uid in bare
        ).encode()

    def clean(self, element: Element, vr: str, around: Surroundings) -> bytes:
        """Return what is known to be harmless in a value."""
        if self._tells_birth(element, vr):
            return dummy(element.tag, vr)
        cleaned = self._cleaned(element, vr, around)
        if self.dropped is not None and vr in _WORDED:
            before = decode(bytes(element.value), around.charsets)
            self.dropped.note(element.tag, before, cleaned.decode(), self.own)
        return cleaned

    def _cleaned(self, element: Element, vr: str, around: Surroundings) -> bytes:
        if element.tag in _CODED:
            return self._coded(element, around)
        if vr in _DATES:
            return _DATES[vr](bytes(element.value), self.shift_days)
        if vr not in _WORDED:
            return self.keep(element, vr, around) if vr in _UNWORDED else b""
        value = bytes(element.value)
        bare = value.strip(b" \0")
        is_term = _is_term(element.tag, bare)
        if element.tag == _TIME_ZONE or (is_term and not self._is_owned_shape(element.tag, bare)):
            return bare if is_term else b""
        words = _with_makers(self.words) if element.tag in EQUIPMENT else self.words
        tag = element.tag if element.tag in element_terms() else 0
        cleaned = _worded(value, vr, around.charsets, words, tag)
        if cleaned and self.own and self._is_owned(value, vr, around.charsets, cleaned):
            cleaned = self._without_own(element, vr, around.charsets, words, cleaned)
        if not cleaned and bare and element.tag in NEVER_EMPTY:
            return dummy(element.tag, vr)
        return cleaned

    def _coded(self, element: Element, around: Surroundings) -> bytes:
        """Clean a part of a code by what its other parts say."""
        found = around.data_set.get
        tag = next((tag for tag in _CODE_VALUES if found(tag) is not None), _CODE_VALUES[0])
        parts = [_text(found(part), around.charsets) for part in (tag, _SCHEME, _MEANING)]
        code = unowned_code(_clean_code(*parts, self.words), self.own, self.words)
        if element.tag in _CODE_VALUES:
            return (code.value if element.tag == tag else "").encode()
        return (code.scheme if element.tag == _SCHEME else code.meaning).encode()

    def _is_owned_shape(self, tag: int, bare: bytes) -> bool:
        """Tell whether a value stays only for its shape, and holds the header's words."""
        terms = TERMS.get(tag, frozenset())
        return not isinstance(terms, frozenset) and self.own.occur_in(
            without_public_names(tag, bare.decode("ascii", "replace"))
        )

    def _is_owned(self, value: bytes, vr: str, charsets: tuple[str, ...], cleaned: bytes) -> bool:
        """Tell whether what stays holds the header's words, or a part of an identifier."""
        if self.own.occur_in(cleaned.decode()):
            return True
        is_cut = vr != "CS" and cleaned != value.strip(b" \0")
        return is_cut and self.own.are_whole_in(decode(value, charsets))

    def _without_own(
        self, element: Element, vr: str, charsets: tuple[str, ...], words: Words, cleaned: bytes
    ) -> bytes:
        """Clean once more, with a gap where the header's own words and numbers stood.

        Only what occurs in the header of this instance is looked for, so nothing is remembered.
        """
        tag = element.tag
        if tag in EQUIPMENT and not self.own.occur_in(without_public_names(tag, cleaned.decode())):
            return cleaned
        if vr == "CS":
            return unowned_terms(element.tag, cleaned, self.own)
        text = decode(bytes(element.value), charsets)
        while True:
            cleaned = values.clean_text(self.own.marked(text).encode(), vr, _UTF_8, words)
            text = cleaned.decode()
            if not self.own.occur_in(text):
                return cleaned


def _is_term(tag: int, bare: bytes) -> bool:
    """Return whether a value is one that the standard defines for its element."""
    pattern = _PATTERNS.get(tag)
    is_shaped = pattern is not None and pattern.fullmatch(bare) is not None
    return is_shaped or bare in TERMS.get(tag, ())


def _text(element: Element | None, charsets: tuple[str, ...]) -> str:
    if element is None or element.items is not None:
        return ""
    return decode(bytes(element.value), charsets)


@lru_cache(maxsize=4)
def _with_makers(words: Words) -> Words:
    return words.with_extra(MAKERS)


@lru_cache(maxsize=_CACHED)
def _clean_code(value: str, scheme: str, meaning: str, words: Words) -> Code:
    return clean_code(value, scheme, meaning, words)


@lru_cache(maxsize=_CACHED)
def _worded(value: bytes, vr: str, charsets: tuple[str, ...], words: Words, tag: int) -> bytes:
    if vr == "CS":
        return values.clean_cs(value, words, element_terms().get(tag, ()))
    return values.clean_text(value, vr, charsets, words)


_WORDED = frozenset({"CS", *values.TEXT_LETTERS})
_UNWORDED = frozenset({"AS", "DS", "IS", *values.WORD_BYTES})
_DATES: Mapping[str, Callable[[bytes, int], bytes]] = MappingProxyType(
    {"DA": dates.shift_da, "DT": dates.shift_dt, "TM": lambda value, _: dates.tm(value)}
)
_CHECKS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "AS": values.clean_age,
        "DS": values.clean_ds,
        "IS": values.clean_is,
        "DA": lambda value: dates.shift_da(value, 0),
        "DT": lambda value: dates.shift_dt(value, 0),
        "TM": dates.tm,
    }
)
