"""Clean values by their representation: texts, numbers, ages, identifiers, binary words.

Bytes in, as they stand in a data set; bytes out, unpadded, in UTF-8 where they are text. What is
not of its representation's shape becomes empty: a number that is none may be a name.

Source: DICOM PS3.5 §6.2.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lesionary.ingest.deidentify.characters import decode
from lesionary.ingest.deidentify.chunks import OLDEST_YEARS
from lesionary.ingest.deidentify.codes import clean_code_string
from lesionary.ingest.deidentify.vocabulary import Terms
from lesionary.ingest.deidentify.words import LETTERS_READ, Words

INTEGER_DIGITS = 9
"""More digits make a telephone or a record number, and no 32-bit count needs them."""

DECIMAL_LETTERS = 32
"""The standard says 16; writers that print every digit of a spacing exceed it."""

WHOLE_DIGITS = 10
UID_LETTERS = 64

TEXT_LETTERS: Mapping[str, int] = MappingProxyType(
    {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240, "UC": LETTERS_READ, "UT": LETTERS_READ}
)
"""The representations that hold text, and how many letters a value has at most."""

MANY_VALUED = frozenset({"SH", "LO", "UC"})
"""Texts of which there may be several, with backslashes between."""

WORD_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "AT": 4, "FD": 8, "FL": 4, "OB": 1, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2,
        "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
    }
)  # fmt: skip
"""Bytes of one word of a binary value."""

_PADDING = b" \0"
_AGE = re.compile(rb"([0-9]{1,4})([DWMYdwmy])")
_DECIMAL = re.compile(rb"[+-]?(?:([0-9]+)\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_INTEGER = re.compile(rb"[+-]?([0-9]+)")
_UID = re.compile(rb"[0-9]+(?:\.[0-9]+)+")
_PER_YEAR: Mapping[bytes, float] = MappingProxyType({b"D": 365.25, b"W": 52.18, b"M": 12, b"Y": 1})


def clean_text(value: bytes, vr: str, charsets: Sequence[str], words: Words) -> bytes:
    r"""Keep the allowed words of a text.

    Parameters
    ----------
    value : bytes
    vr : str
        One of ``TEXT_LETTERS``; any other is taken for one long text.
    charsets : sequence of str
        Specific Character Set of the data set.
    words : Words

    Returns
    -------
    bytes
        UTF-8, cut at the representation's length, and unread beyond ``LETTERS_READ`` letters in
        all. Of several values, one that goes leaves its place empty; if all go, so does the whole.

    Examples
    --------
    >>> clean_text(b"CT THORAX\\SMITH", "LO", [], Words())
    b'CT THORAX\\'
    """
    text = decode(value, charsets)
    n_letters = TEXT_LETTERS.get(vr, TEXT_LETTERS["UT"])
    parts = text[:LETTERS_READ].split("\\") if vr in MANY_VALUED else [text]
    if vr in MANY_VALUED and len(text) > LETTERS_READ:
        parts[-1] = parts[-1].rpartition(" ")[0]
    cleaned = [_cut(words.clean(part), n_letters, words) for part in parts]
    return "\\".join(cleaned).encode() if any(cleaned) else b""


def _cut(text: str, n_letters: int, words: Words) -> str:
    """Cut a text; a word cut in two may no longer be one that stays."""
    if "\\" in text:
        text = words.clean(text.replace("\\", " "))
    return text if len(text) <= n_letters else words.clean(text[:n_letters])


def clean_cs(value: bytes, words: Words, terms: Sequence[Terms] = ()) -> bytes:
    """Clean code strings; see ``codes.clean_code_string``."""
    text = bytes(value).decode("ascii", "replace").rstrip(" \0")
    return clean_code_string(text, words, terms).encode()


def clean_age(value: bytes) -> bytes:
    """Return ages in the standard's form, 90 years for all who are older than 89.

    Examples
    --------
    >>> clean_age(b"092Y"), clean_age(b"45y"), clean_age(b"born 1920")
    (b'090Y', b'045Y', b'')
    """
    ages = [_one_age(one.strip(_PADDING)) for one in bytes(value).split(b"\\")]
    return b"\\".join(ages) if any(ages) else b""


def _one_age(value: bytes) -> bytes:
    found = _AGE.fullmatch(value)
    if found is None:
        return b""
    number, unit = int(found[1]), found[2].upper()
    years = number / _PER_YEAR[unit]
    if years >= OLDEST_YEARS + 1:
        return b"%03dY" % (OLDEST_YEARS + 1)
    return b"%03d%s" % ((number, unit) if number <= 999 else (int(years), b"Y"))


def clean_ds(value: bytes) -> bytes:
    """Keep decimal numbers as they are written; one that is none lets all of them go.

    Part of a position would be a wrong position. More than ten digits before the point are no
    measurement.
    """
    values = _values(value)
    return b"\\".join(values) if all(map(_is_decimal, values)) else b""


def _is_decimal(value: bytes) -> bool:
    found = _DECIMAL.fullmatch(value)
    if found is None:
        return not value
    return len(value) <= DECIMAL_LETTERS and len(found[1] or b"") <= WHOLE_DIGITS


def clean_is(value: bytes) -> bytes:
    """Keep whole numbers of at most nine digits; one that is none lets all of them go."""
    values = _values(value)
    return b"\\".join(values) if all(map(_is_integer, values)) else b""


def _is_integer(value: bytes) -> bool:
    found = _INTEGER.fullmatch(value)
    return not value if found is None else len(found[1].lstrip(b"0")) <= INTEGER_DIGITS


def _values(value: bytes) -> list[bytes]:
    return [one.strip(_PADDING) for one in bytes(value).split(b"\\")]


def uids(value: bytes) -> list[str]:
    """Return the UIDs of a value in order; what has no UID's shape comes as the empty text.

    Leading zeros of a component are against the standard and common, so they are let pass.
    """
    return [one.decode("ascii") if is_uid(one) else "" for one in _values(value)]


def is_uid(value: bytes) -> bool:
    """Return whether a text has the shape of a UID: numbers, dots, 64 letters at most."""
    return len(value) <= UID_LETTERS and _UID.fullmatch(value) is not None


def clean_binary(value: bytes, vr: str) -> bytes:
    """Keep a binary value that is made of whole words; empty otherwise, and for unknown VRs."""
    n_bytes = WORD_BYTES.get(vr)
    return bytes(value) if n_bytes is not None and len(value) % n_bytes == 0 else b""
