"""Clean coded values: code strings, and the value, scheme and meaning of a coded concept."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias, cast

from lesionary.ingest.deidentify.schemes import RECORD_LIKE, RT_SCHEMES, SHAPES, known_rt
from lesionary.ingest.deidentify.vocabulary import Terms, package_sections
from lesionary.ingest.deidentify.words import Words

OTHER = "OTHER"
"""Stands where one of several values of a code string went, so that the others keep their place."""

REMOVED = "REMOVED"
"""Stands where a code's value or meaning went: the standard allows neither to be empty."""

LOCAL_SCHEME = "99LOCAL"
"""Stands where a scheme's designator went."""

_MEANING_LETTERS = 3

_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}", re.IGNORECASE)
_PRIVATE_SCHEME = re.compile(r"99[A-Z_]{1,14}")


_Concepts: TypeAlias = Mapping[str, Mapping[str, Mapping[str, tuple[str, object]]]]


class Code(NamedTuple):
    """A coded concept."""

    value: str
    scheme: str
    meaning: str


def clean_code_string(text: str, words: Words, terms: Sequence[Terms] = ()) -> str:
    r"""Clean the values of a code string (CS).

    Parameters
    ----------
    text : str
        One value, or several with backslashes between.
    words : Words
    terms : sequence of Terms
        What the element may say, value by value; the last are for all that follow. Without any,
        every term of the standard is as good as another.

    Returns
    -------
    str
        A value stays whole or not at all. Of several, one that goes becomes ``OTHER``, so that
        ``ORIGINAL\PRIMARY\AXIAL`` keeps its order; a single one becomes empty.

    Examples
    --------
    >>> clean_code_string("ORIGINAL\\PRIMARY\\SMITH", Words())
    'ORIGINAL\\PRIMARY\\OTHER'
    """
    values = [value.strip(" \0") for value in text.split("\\")]
    places = [terms[min(at, len(terms) - 1)] if terms else None for at in range(len(values))]
    stay = [_is_code_string(*one, words) for one in zip(values, places, strict=True)]
    if len(values) == 1:
        return values[0] if stay[0] else ""
    cleaned = [
        one if not one or is_kept else OTHER for one, is_kept in zip(values, stay, strict=True)
    ]
    return "\\".join(cleaned) if set(cleaned) - {OTHER, ""} else ""


def _is_code_string(value: str, terms: Terms | None, words: Words) -> bool:
    known = package_sections()["terms"] if terms is None else terms.names
    if value.upper().replace(" ", "_") in known and _CODE_STRING.fullmatch(value):
        return True
    if terms is not None and terms.is_closed:
        return False
    return bool(_CODE_STRING.fullmatch(value)) and words.clean(value) == value


def clean_code(value: str, scheme: str, meaning: str, words: Words) -> Code:
    """Clean a coded concept.

    Parameters
    ----------
    value, scheme, meaning : str
        Code value (short, long or URN), coding scheme designator, code meaning.
    words : Words

    Returns
    -------
    Code
        The value stays if the standard lists it or it is of its scheme's shape, check digit
        included, and for mere numbers if the meaning says something; under a private or
        unknown scheme it stays if it were to stay as a text. The meaning stays if it is the
        standard's own, else it is cleaned like any text. What was empty stays empty, what becomes
        empty gets a stand-in.

    Examples
    --------
    >>> clean_code("10200004", "SCT", "Liver", Words())
    Code(value='10200004', scheme='SCT', meaning='Liver')
    >>> clean_code("4711", "99SMITH", "Liver of Smith", Words())
    Code(value='REMOVED', scheme='99LOCAL', meaning='Liver of')
    """
    value, scheme, meaning = (one.strip(" \0") for one in (value, scheme, meaning))
    standard = meanings_of(value, scheme)
    if scheme not in SHAPES and not standard:
        kept = value if words.clean(value) == value else ""
        scheme = scheme and _clean_scheme(scheme, words)
    else:
        kept = value if standard or _is_of_scheme(value, scheme, meaning, words) else ""
    if meaning.casefold() not in standard:
        meaning = words.clean(meaning) or (meaning and REMOVED)
    return Code(kept or (value and REMOVED), scheme, meaning)


def meanings_of(value: str, scheme: str) -> frozenset[str]:
    """Return what the standard says a code means; of SNOMED RT, what its successor means."""
    if scheme in RT_SCHEMES and value in known_rt():
        value, scheme = known_rt()[value], "SCT"
    return standard_codes().get((scheme, value), frozenset())


def _is_of_scheme(value: str, scheme: str, meaning: str, words: Words) -> bool:
    if not SHAPES[scheme](value):
        return False
    n_letters = sum(map(str.isalpha, words.clean(meaning))) if scheme in RECORD_LIKE else 0
    return scheme not in RECORD_LIKE or n_letters >= _MEANING_LETTERS


@cache
def standard_codes() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the meanings, in small letters, of the codes in the standard's context groups."""
    from pydicom.sr._concepts_dict import concepts

    meanings: dict[tuple[str, str], set[str]] = {}
    for scheme, keywords in cast("_Concepts", concepts).items():
        for codes in keywords.values():
            for value, (meaning, _) in codes.items():
                meanings.setdefault((scheme, value), set()).add(meaning.casefold())
    return {code: frozenset(names) for code, names in meanings.items()}


def _clean_scheme(scheme: str, words: Words) -> str:
    if scheme in package_sections()["schemes"]:
        return scheme
    name = scheme[2:].replace("_", " ").strip()
    is_allowed = _PRIVATE_SCHEME.fullmatch(scheme) and name and words.clean(name) == name
    return scheme if is_allowed else LOCAL_SCHEME
