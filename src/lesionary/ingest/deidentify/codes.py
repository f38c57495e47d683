"""Clean coded values: code strings, and the value, scheme and meaning of a coded concept."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, cast

from lesionary.ingest.deidentify.vocabulary import package_sections
from lesionary.ingest.deidentify.words import Words

OTHER = "OTHER"
"""Stands where one of several values of a code string went, so that the others keep their place."""

REMOVED = "REMOVED"
"""Stands where a code's value or meaning went: the standard allows neither to be empty."""

LOCAL_SCHEME = "99LOCAL"
"""Stands where a scheme's designator went."""

CODE_STRING_LETTERS = 16

_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}", re.IGNORECASE)
_PRIVATE_SCHEME = re.compile(r"99[A-Z_]{1,14}")


_Concepts: TypeAlias = Mapping[str, Mapping[str, Mapping[str, tuple[str, object]]]]


class Code(NamedTuple):
    """A coded concept."""

    value: str
    scheme: str
    meaning: str


def clean_code_string(text: str, words: Words) -> str:
    r"""Clean the values of a code string (CS).

    Parameters
    ----------
    text : str
        One value, or several with backslashes between.
    words : Words

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
    if len(values) == 1:
        return values[0] if _is_code_string(values[0], words) else ""
    cleaned = [one if not one or _is_code_string(one, words) else OTHER for one in values]
    return "\\".join(cleaned) if set(cleaned) - {OTHER, ""} else ""


def _is_code_string(value: str, words: Words) -> bool:
    if value.replace(" ", "_") in package_sections()["terms"]:
        return True
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
        The value stays if it is of its scheme's shape, check digit included; under a private or
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
    shape = SHAPES.get(scheme)
    standard = standard_codes().get((scheme, value), frozenset())
    if shape is None and not standard:
        kept = value if words.clean(value) == value else ""
        scheme = scheme and _clean_scheme(scheme, words)
    else:
        kept = value if standard or (shape and shape(value)) else ""
    if meaning.casefold() not in standard:
        meaning = words.clean(meaning) or (meaning and REMOVED)
    return Code(kept or (value and REMOVED), scheme, meaning)


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


def _shaped(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


# fmt: off
_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
"""Multiplication in the dihedral group of the pentagon (Verhoeff, 1969)."""
# fmt: on
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_snomed_id(value: str) -> bool:
    """Return whether a text is a SNOMED CT identifier of a concept, by length, kind, check digit.

    Examples
    --------
    >>> is_snomed_id("10200004"), is_snomed_id("10200005")
    (True, False)
    """
    if not re.fullmatch(r"[1-9][0-9]{5,17}", value) or value[-3:-1] not in {"00", "10"}:
        return False
    check = 0
    for place, digit in enumerate(reversed(value)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = _TURN[turned]
        check = _TIMES[check][turned]
    return check == 0


def is_loinc(value: str) -> bool:
    """Return whether a text is a LOINC number, by its check digit (modulo 10)."""
    found = re.fullmatch(r"([0-9]{1,7})-([0-9])", value)
    if found is None:
        return False
    doubled = [int(digit) * 2 for digit in found[1][::-2]]
    others = [int(digit) for digit in found[1][-2::-2]]
    total = sum(one // 10 + one % 10 for one in doubled) + sum(others)
    return (10 - total % 10) % 10 == int(found[2])


_ATOM = (
    r"(?:[yzafpnumcdhkMGTPEZY]|da|Ki|Mi)?(?:m|g|s|L|l|mol|Pa|Bq|Gy|Sv|Ci|Hz|K|Cel|rad|sr|J|W|V|A|N|T"
    r"|C|F|Ohm|S|Wb|lm|lx|cd|eV|u|bar|min|h|d|wk|mo|a|deg|eq|osm|kat|t|P|B|By|bit|cal|m\[Hg\]"
    r"|m\[H2O\]|Np|R)|%|1|10[*^]|\[(?:degF|hnsf'U|arb'U|iU|IU|ppm|ppb|ppth|in_i|ft_i|lb_av|pH|beats)\]"
    r"|'{1,2}|\{(?P<note>[A-Za-z0-9 ,:()/._+-]{0,32})\}"
)
_UCUM_PART = re.compile(rf"(?:{_ATOM})[+-]?[0-9]{{0,2}}(?:\{{[A-Za-z]{{1,16}}\}})?")


def is_ucum(value: str) -> bool:
    """Return whether a text is a unit of UCUM with a note of a few at most: ``{SUVbw}g/ml``."""
    if not 0 < len(value) <= CODE_STRING_LETTERS * 2:
        return False
    if any(note not in package_sections()["notes"] for note in re.findall(r"\{([^{}]*)\}", value)):
        return False
    bare = re.sub(r"\{[^{}]*\}", "", value).strip("/.")
    bare = re.sub(r"[()]", "", bare)
    return bare == "" or all(_UCUM_PART.fullmatch(part) for part in re.split(r"[./]", bare))


_SNOMED_RT = _shaped(r"[A-Z][A-Z0-9]?-[A-Z0-9]{3,6}")
_ICD = _shaped(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?|[0-9]{3}(?:\.[0-9]{1,2})?")

SHAPES: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "DCM": _shaped(r"1[0-9]{5}|[A-Z]{2,3}"),
        "SCT": is_snomed_id,
        "SRT": _SNOMED_RT,
        "SNM3": _SNOMED_RT,
        "99SDM": _SNOMED_RT,
        "UCUM": is_ucum,
        "LN": is_loinc,
        "FMA": _shaped(r"(?:FMA|fma)?[0-9]{1,6}"),
        "RADLEX": _shaped(r"RID[0-9]{1,6}|RPID[0-9]{1,5}"),
        "NCIt": _shaped(r"C[0-9]{3,6}"),
        "NCIT": _shaped(r"C[0-9]{3,6}"),
        "UMLS": _shaped(r"C[0-9]{7}"),
        "RXNORM": _shaped(r"[0-9]{1,7}"),
        "MSH": _shaped(r"[CD][0-9]{6,9}"),
        "MDC": _shaped(r"[0-9]{1,3}:[0-9]{1,5}|[0-9]{1,6}|MDC_[A-Z0-9_]{1,60}"),
        "IBSI": _shaped(r"[A-Z0-9]{3,4}"),
        "BARI": _shaped(r"[0-9]{1,2}[a-zA-Z]?"),
        "NEU": _shaped(r"[0-9]{1,4}(?:-[0-9])?"),
        "NDC": _shaped(r"[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}"),
        "PUBCHEM_CID": _shaped(r"[0-9]{1,7}"),
        "ITIS_TSN": _shaped(r"[0-9]{1,7}"),
        "UBERON": _shaped(r"(?:UBERON:)?[0-9]{7}"),
        "I10": _ICD,
        "I10P": _shaped(r"[0-9A-HJ-NP-Z]{7}"),
        "I9C": _ICD,
        "I11": _shaped(r"[0-9A-Z]{4}(?:\.[0-9A-Z]{1,2})?"),
        "ICDO3": _shaped(r"[CM]?[0-9]{2,4}(?:[./][0-9])?"),
        "BI": _shaped(r"[A-Z0-9.]{1,6}"),
        "ISO639_1": _shaped(r"[a-z]{2}"),
        "ISO639_2": _shaped(r"[a-z]{3}"),
        "RFC3066": _shaped(r"[a-z]{2,3}(?:-[A-Z]{2})?"),
        "RFC5646": _shaped(r"[a-z]{2,3}(?:-[A-Z]{2})?"),
        "ISO3166_1": _shaped(r"[A-Z]{2,3}"),
    }
)
"""The shapes of codes by their schemes' designators (PS3.16 §8)."""
