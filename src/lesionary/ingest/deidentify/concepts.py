"""Concepts of content items whose values tell who, where or by which device: a table.

Sources: DICOM PS3.16 TID 1001-1007, TID 1204, TID 3602, TID 9007; CID 218 and 7455 for ages.
Meanings count as codes do, for many writers make codes of their own.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

__all__ = ["Kind", "canonical", "is_standard", "kind_of"]


class Kind(StrEnum):
    """What a concept's value tells."""

    IDENTITY = "identity"
    """Who somebody is, or which order, specimen or login is theirs."""
    BIRTH = "birth"
    AGE = "age"
    CHARACTERISTIC = "characteristic"
    """What a patient is like: sex, size, weight."""
    DEVICE = "device"
    INSTITUTION = "institution"
    THING = "thing"
    """When a thing was made, calibrated or goes bad: the same day for every patient."""


_BY_KIND: Mapping[Kind, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Kind.IDENTITY: {
            "DCM": (
                "121029 121030 121036",  # subject's name and ID; whose fetus it is
                "121008 128774 128775",  # person observer's name, login, identifier
                "121020 121021 121022 121124",  # placer, filler, accession, action item
                "121040 121041 121043 111700 111705",  # specimen, slide, container
                "110190 111706 111724",  # who issued them
                "121114 121152 113870 113871 113872",  # physicians, persons, their IDs
                "113510 113511 113512 113513 113514 113516",  # prescription, vial, lot
                "121149",
            ),
            "SCT": ("371484003 184096005 422549004 398225001",),
            "LN": ("54125-0",),
        },
        Kind.BIRTH: {"DCM": ("121031",), "SCT": ("184099003 3950001",), "LN": ("21112-8",)},
        Kind.AGE: {
            "DCM": ("121033 111518 111519 111520 111521 111522 111523 111524 111525 111538",),
            "SCT": ("397669002 424144002 445518008",),
            "LN": ("30525-0 29553-5 21612-7",),
        },
        Kind.CHARACTERISTIC: {
            "DCM": ("121032 111532",),
            "SCT": (
                "27113001 50373000 301898006 60621009",  # weight, height, surface, mass index
                "263495000 184100006",  # sex
                "364320009 365981007",  # pregnancy, smoking
                "397731000 372148003 415229000",  # ethnic and racial groups
            ),
            "LN": (
                "29463-7 3141-9 8302-2 8277-6 3140-1 39156-5",
                "46098-0 76689-9",
                "82810-3 11449-6 11996-6 11977-6 72166-2",
                "46463-6 32624-9 69490-1",
            ),
        },
        Kind.DEVICE: {
            "DCM": (
                "121013 121016 121017",  # observer: name, serial number, where it stands
                "121193 121196 121197",  # subject
                "113877 113880 122143",  # irradiating device
                "110119 110182 121000 121122 121148",  # station, node, unique identifiers
            ),
        },
        Kind.INSTITUTION: {"DCM": ("121009 113873 121121",)},
        Kind.THING: {"DCM": ("113723",)},
    }
)

_MEANINGS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.BIRTH: (
            r".*\b(date of birth|birth ?date|birth ?day|birth date ?time|dob|geburts(datum|tag)"
            r"|date de naissance|fecha de nacimiento|data di nascita|data de nascimento"
            r"|geboortedatum|data urodzenia)\b.*"
        ),
        Kind.AGE: (
            r"((patient|subject|current|chronological) )*age( (in|at) .*| of (patient|subject))?"
            r"|(patienten)?alter( des patienten)?|[aâ]ge du patient|edad( del paciente)?"
            r"|et[aà]( del paziente)?|idade( do paciente)?|leeftijd|wiek"
        ),
        Kind.IDENTITY: (
            r"((subject|patient|person|observer|physician|referring|performing|reading"
            r"|attending|ordering|reporting) )+"
            r"(name|id|identifier|identification|number|login name|telephone|phone|address|e-?mail)"
            r"|.*\b(medical record|social security|insurance|accession|hospital|case|placer|filler"
            r"|order|policy|specimen accession) (number|no\.?|id|identifier)\b.*"
            r"|mrn|ssn|(patienten|vor|nach)?name|patienten-?(id|nummer)"
            r"|nom du patient|nombre del paciente|nome del paziente|nome do paciente"
        ),
        Kind.DEVICE: (
            r".*\b(serial (number|no\.?|id)|station (name|ae title)|unique device identifiers?"
            r"|device (id|identifier)|ae title)\b.*"
        ),
        Kind.INSTITUTION: (
            r".*\b(institution(al)?|hospital|clinic|facility|organi[sz]ation|department) "
            r"(name|address)\b.*"
        ),
        Kind.THING: (
            r"(?=.*\b(date|time|datetime)\b)(?=.*\b(calibrat\w*|manufactur\w*|install\w*|expir\w*"
            r"|steril\w*|reference source|source strength|release|version|approval)\b).*"
        ),
    }
)

_DESIGNATORS: Mapping[str, str] = MappingProxyType(
    {"SNM3": "SRT", "99SDM": "SRT", "LOINC": "LN", "SNOMED-CT": "SCT", "SNOMEDCT": "SCT"}
)
_READ = 128
"""Letters read of a meaning; the standard allows 64."""

_STANDARD = frozenset({"DCM", "SCT", "SRT", "LN", "UCUM", "NCIT", "RADLEX", "UMLS", "IBSI"})


@lru_cache(maxsize=4096)
def canonical(scheme: str, code: str) -> str:
    """Return a concept as ``scheme:code``, SNOMED's older identifiers by their present ones.

    Examples
    --------
    >>> canonical("DCM", "121033"), canonical("SRT", "F-01860")
    ('DCM:121033', 'SCT:60621009')
    """
    scheme = _DESIGNATORS.get(scheme.upper(), scheme.upper())
    if scheme == "SRT":
        from pydicom.sr._snomed_dict import mapping

        present = mapping["SRT"].get(code)
        return f"SCT:{present}" if present else f"SRT:{code}"
    return f"{scheme}:{code}"


def is_standard(concept: str) -> bool:
    """Tell whether a concept is of a public coding scheme."""
    return concept.partition(":")[0] in _STANDARD


@lru_cache(maxsize=4096)
def kind_of(concept: str, meaning: str = "") -> Kind | None:
    """Return what a concept's value tells; None where it is about the finding itself.

    Parameters
    ----------
    concept : str
        As ``canonical`` writes it.
    meaning : str
        In any case; it decides where the code is not in the table.

    Examples
    --------
    >>> kind_of("DCM:121033"), kind_of("99LOCAL:7", "Patient's Name"), kind_of("DCM:121055")
    (<Kind.AGE: 'age'>, <Kind.IDENTITY: 'identity'>, None)
    """
    found = _BY_CODE.get(concept)
    if found is not None:
        return found
    words = meaning[:_READ].casefold().replace("_", " ").split()
    bare = re.sub(r"[\u2019']s\b", "", " ".join(words))
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(bare)), None)


_BY_CODE: Mapping[str, Kind] = MappingProxyType(
    {
        f"{scheme}:{code}": kind
        for kind, by_scheme in _BY_KIND.items()
        for scheme, lines in by_scheme.items()
        for line in lines
        for code in line.split()
    }
)
_PATTERNS: Mapping[Kind, re.Pattern[str]] = MappingProxyType(
    {kind: re.compile(pattern) for kind, pattern in _MEANINGS.items()}
)
