"""What the codes of the schemes look like that the standard refers to: shapes, check digits, units.

Source: DICOM PS3.16 §8, and the schemes' own rules.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import cast

from lesionary.ingest.deidentify.vocabulary import package_sections, package_vocabulary


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


_PREFIXED = (
    r"(?:[zafpnumcdhkMGT]|da)?(?:m|g|s|L|l|mol|Pa|Bq|Gy|Sv|Ci|Hz|K|J|W|V|A|N|T|C|F|Ohm|S|Wb|lm|lx|cd"
    r"|eV|u|bar|osm|eq|kat|cal|m\[Hg\]|m\[H2O\])|(?:[kMGT]|Ki|Mi|Gi)?(?:By|bit|B)"
)
_UNPREFIXED = (
    r"%|1|'{1,2}|Cel|rad|sr|min|h|d|wk|mo|a|deg|t|P|Np|R|dB|dyn"
    r"|\[(?:degF|hnsf'U|arb'U|iU|IU|ppm|ppb|ppth|in_i|ft_i|lb_av|pH|beats|100)\]"
)
_UCUM_PART = re.compile(
    rf"(?:{_PREFIXED}|{_UNPREFIXED})(?:[+-]?[1-3])?|10[*^][+-]?[0-9]{{1,2}}|\[100\][gm]l?"
)
_UCUM_PARTS = 4
_UNIT_LETTERS = 32


def is_ucum(value: str) -> bool:
    """Return whether a text is a unit of UCUM with a note of a few at most: ``{SUVbw}g/ml``."""
    if not 0 < len(value) <= _UNIT_LETTERS:
        return False
    if any(note not in package_sections()["notes"] for note in re.findall(r"\{([^{}]*)\}", value)):
        return False
    bare = re.sub(r"\{[^{}]*\}", "", value).strip("/.")
    bare = re.sub(r"[()]", "", bare)
    parts = re.split(r"[./]", bare)
    return bare == "" or (len(parts) <= _UCUM_PARTS and all(map(_UCUM_PART.fullmatch, parts)))


_RT_AXES = re.compile(r"(?:[ACFGJLMRSTX]|[DP][0-9A-F])-[0-9A-F]{4,6}")
_RT_DIGITS = 3
RT_SCHEMES = frozenset({"SRT", "SNM3", "99SDM"})
"""Designators of SNOMED RT."""
_RT_TOO = {"F-61FDB": "349358000"}
"""A radiopharmaceutical agent, which has too few digits and stands in old PET images."""


def is_snomed_rt(value: str) -> bool:
    """Return whether a text is a code of SNOMED RT: a known one, or an axis with digits.

    Examples
    --------
    >>> is_snomed_rt("T-62000"), is_snomed_rt("C-111A1"), is_snomed_rt("J-SMITH")
    (True, True, False)
    """
    if value in known_rt():
        return True
    is_shaped = _RT_AXES.fullmatch(value) is not None
    return is_shaped and sum(map(str.isdigit, value[2:])) >= _RT_DIGITS


@cache
def known_rt() -> Mapping[str, str]:
    """Return the codes of SNOMED CT by the codes of SNOMED RT that they followed."""
    from pydicom.sr._snomed_dict import mapping

    return {**cast("Mapping[str, str]", mapping["SRT"]), **_RT_TOO}


def is_mdc_name(value: str) -> bool:
    """Return whether a text is a name of ISO/IEEE 11073 that is made of plain words only.

    Examples
    --------
    >>> is_mdc_name("MDC_ECG_HEART_RATE"), is_mdc_name("MDC_SMITH_JOHN_19640312")
    (True, False)
    """
    first, *others = value.split("_")
    return first == "MDC" and bool(others) and package_vocabulary().plain.issuperset(others)


def _listed(section: str) -> Callable[[str], bool]:
    return lambda value: value in package_sections()[section]


def _unlisted(_: str) -> bool:
    return False


_ICD = _shaped(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?|[0-9]{3}(?:\.[0-9]{1,2})?")


def _is_language_tag(value: str) -> bool:
    language, _, country = value.partition("-")
    known = package_sections()
    is_known = language in known["languages"]
    return is_known and (value == language or country in known["countries"])


SHAPES: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "DCM": _unlisted,
        "SCT": is_snomed_id,
        "SRT": is_snomed_rt,
        "SNM3": is_snomed_rt,
        "99SDM": is_snomed_rt,
        "UCUM": is_ucum,
        "LN": is_loinc,
        "FMA": _shaped(r"(?:FMA|fma)?[0-9]{1,6}"),
        "RADLEX": _shaped(r"RID[0-9]{1,5}|RPID[0-9]{1,4}"),
        "NCIt": _shaped(r"C(?:[0-9]{3,5}|[12][0-9]{5})"),
        "NCIT": _shaped(r"C(?:[0-9]{3,5}|[12][0-9]{5})"),
        "UMLS": _shaped(r"C[0-5][0-9]{6}"),
        "RXNORM": _shaped(r"[0-9]{1,6}|[12][0-9]{6}"),
        "MSH": _shaped(r"[CD](?:000)?[0-9]{6}"),
        "MDC": is_mdc_name,
        "IBSI": _unlisted,
        "BARI": _shaped(r"[0-9]{1,2}[a-zA-Z]?"),
        "NEU": _shaped(r"[0-9]{1,4}(?:-[0-9])?"),
        "NDC": _unlisted,
        "PUBCHEM_CID": _shaped(r"[0-9]{1,6}"),
        "ITIS_TSN": _shaped(r"[0-9]{1,6}"),
        "UBERON": _shaped(r"(?:UBERON:)?00[0-9]{5}"),
        "I10": _ICD,
        "I10P": _shaped(r"(?=(?:.*[0-9]){2})(?=.*[A-Z])[0-9BCDFGHX][0-9A-HJ-NP-Z]{6}"),
        "I9C": _ICD,
        "I11": _shaped(r"[0-9A-HJ-NP-Z][A-HJ-NP-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,2})?"),
        "ICDO3": _shaped(r"[CM]?[0-9]{2,4}(?:[./][0-9])?"),
        "BI": _shaped(r"(?:[A-Z]{2}\.)?[IVX]{1,3}(?:\.[A-Z0-9a-z]{1,2}){1,4}"),
        "ISO639_1": _listed("languages"),
        "ISO639_2": _listed("languages"),
        "RFC3066": _is_language_tag,
        "RFC5646": _is_language_tag,
        "ISO3166_1": _listed("countries"),
    }
)
"""What codes of a scheme look like beyond those that the standard itself lists (PS3.16 §8)."""

RECORD_LIKE = frozenset(
    {
        "FMA", "RADLEX", "NCIt", "NCIT", "UMLS", "RXNORM", "MSH", "PUBCHEM_CID", "ITIS_TSN",
        "UBERON",
    }
)  # fmt: skip

"""Schemes whose codes are mere numbers: unlisted ones stay beside a meaning that stays only."""
