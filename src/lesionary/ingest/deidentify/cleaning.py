"""One value at a time: what is kept of it, cleaned or replaced, under one key and list of words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from lesionary.ingest.deidentify import dates, values
from lesionary.ingest.deidentify.characters import decode
from lesionary.ingest.deidentify.codes import Code, clean_code
from lesionary.ingest.deidentify.dummies import dummy
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser

_CHARSET = 0x00080005
_SCHEME, _MEANING = 0x00080102, 0x00080104
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
"""A code, a long one, a URN: a concept has one of them."""

_CODED = frozenset({*_CODE_VALUES, _SCHEME, _MEANING})
_TIME_ZONE = 0x00080201
_ZONE = re.compile(rb"[+-](?:0[0-9]|1[0-4])[0-5][0-9]")

_EQUIPMENT = frozenset({0x00080070, 0x00081090})
"""Manufacturer and model: there a maker's name is no person's."""

_MAKERS = (
    "Accuray", "ADAC", "Agfa", "Bruker", "Canon", "Carestream", "Corporation", "CTI",
    "Discovery", "Elekta", "Elscint", "Esaote", "Fonar", "Fuji", "Fujifilm", "GE", "Healthcare",
    "Healthineers", "Hitachi", "Hologic", "Imatron", "Ingenia", "Ingenuity", "Konica", "Marconi",
    "Medical", "Mediso", "Medtronic", "MILabs", "Minolta", "Neurologica", "Neusoft", "Nihon",
    "PerkinElmer", "Philips", "Picker", "Planmeca", "Rigaku", "Samsung", "Shimadzu",
    "Siemens", "Signa", "Skyscan", "ST", "STE", "Systems", "TF", "Toshiba", "UIH", "United",
    "Imaging", "Varian", "VCT", "Vereos", "Xoran", "Ziehm",
)  # fmt: skip

_NEVER_EMPTY = frozenset(
    {
        0x0040A160,  # text of a report's item
        0x00620005,  # label of a segment
        0x00700001,  # annotation, layer and text of a presentation state
        0x00700002,
        0x00700006,
        0x00700080,  # label of a presentation state, registration, segmentation
        0x30060002,  # label of a structure set
        0x300A0002,  # label of a plan
    }
)
"""Texts that their objects must have: where no word may stay, a stand-in does."""

_CACHED = 65_536


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
    """

    words: Words
    pseudonyms: Pseudonymiser
    shift_days: int

    def keep(self, element: Element, vr: str, around: Surroundings) -> bytes:
        """Return a value as it is, where it is of its VR; texts come in UTF-8."""
        check = _CHECKS.get(vr)
        if check is not None:
            return check(bytes(element.value))
        if vr in values.WORD_BYTES:
            return values.clean_binary(bytes(element.value), vr)
        return decode(bytes(element.value), around.charsets).encode()

    def dummy(self, element: Element, vr: str, _: Surroundings) -> bytes:
        """Return a valid value that says nothing."""
        return dummy(element.tag, vr)

    def uid(self, element: Element, _vr: str, _: Surroundings) -> bytes:
        """Return keyed hashes for UIDs; those that the standard names stay."""
        return "\\".join(
            uid if is_well_known(uid) else uid and self.pseudonyms.uid(uid)
            for uid in values.uids(bytes(element.value))
        ).encode()

    def clean(self, element: Element, vr: str, around: Surroundings) -> bytes:
        """Return what is known to be harmless in a value."""
        if element.tag in _CODED:
            return self._coded(element, around)
        if vr in _DATES:
            return _DATES[vr](bytes(element.value), self.shift_days)
        if vr not in _WORDED:
            return self.keep(element, vr, around) if vr in _UNWORDED else b""
        value = bytes(element.value)
        if element.tag == _TIME_ZONE:
            return value.strip(b" \0") if _ZONE.fullmatch(value.strip(b" \0")) else b""
        words = _with_makers(self.words) if element.tag in _EQUIPMENT else self.words
        cleaned = _worded(value, vr, around.charsets, words)
        if not cleaned and value.strip(b" \0") and element.tag in _NEVER_EMPTY:
            return dummy(element.tag, vr)
        return cleaned

    def _coded(self, element: Element, around: Surroundings) -> bytes:
        """Clean a part of a code by what its other parts say."""
        found = around.data_set.get
        tag = next((tag for tag in _CODE_VALUES if found(tag) is not None), _CODE_VALUES[0])
        parts = [_text(found(part), around.charsets) for part in (tag, _SCHEME, _MEANING)]
        code = _clean_code(*parts, self.words)
        if element.tag in _CODE_VALUES:
            return (code.value if element.tag == tag else "").encode()
        return (code.scheme if element.tag == _SCHEME else code.meaning).encode()


def _text(element: Element | None, charsets: tuple[str, ...]) -> str:
    if element is None or element.items is not None:
        return ""
    return decode(bytes(element.value), charsets)


@lru_cache(maxsize=4)
def _with_makers(words: Words) -> Words:
    return words.with_extra(_MAKERS)


@lru_cache(maxsize=_CACHED)
def _clean_code(value: str, scheme: str, meaning: str, words: Words) -> Code:
    return clean_code(value, scheme, meaning, words)


@lru_cache(maxsize=_CACHED)
def _worded(value: bytes, vr: str, charsets: tuple[str, ...], words: Words) -> bytes:
    if vr == "CS":
        return values.clean_cs(value, words)
    return values.clean_text(value, vr, charsets, words)


@lru_cache(maxsize=_CACHED)
def is_well_known(uid: str) -> bool:
    """Tell whether the standard itself names a UID: a class, a syntax, a frame of reference."""
    from pydicom._uid_dict import UID_dictionary

    return uid in UID_dictionary


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
        "UI": lambda value: "\\".join(values.uids(value)).encode(),
        "DA": lambda value: dates.shift_da(value, 0),
        "DT": lambda value: dates.shift_dt(value, 0),
        "TM": dates.tm,
    }
)
