"""The oncology domains of SDTM: their variables, and the controlled terms for our words.

References
----------
.. [1] CDISC, Study Data Tabulation Model Implementation Guide 3.4: TU, TR and RS.
.. [2] CDISC, RECIST 1.1 disease response supplement to the SDTMIG.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lesionary.publish.response.xpt import Variable

_KEYS = (
    Variable("STUDYID", "Study Identifier"),
    Variable("DOMAIN", "Domain Abbreviation"),
    Variable("USUBJID", "Unique Subject Identifier"),
)
_VISIT = (
    Variable("VISITNUM", "Visit Number", is_number=True),
    Variable("VISIT", "Visit Name"),
)


def _evaluator(domain: str) -> tuple[Variable, ...]:
    return (
        Variable(f"{domain}EVAL", "Evaluator"),
        Variable(f"{domain}EVALID", "Evaluator Identifier"),
    )


@dataclass(frozen=True, slots=True)
class Domain:
    """One data set: its name, what it holds, its columns in the guide's order."""

    name: str
    label: str
    variables: tuple[Variable, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [variable.name for variable in self.variables]


TU = Domain(
    "TU",
    "Tumor/Lesion Identification",
    (
        *_KEYS,
        Variable("TUSEQ", "Sequence Number", is_number=True),
        Variable("TUGRPID", "Group ID"),
        Variable("TULNKID", "Link ID"),
        Variable("TUTESTCD", "Tumor/Lesion ID Short Name"),
        Variable("TUTEST", "Tumor/Lesion ID Test Name"),
        Variable("TUORRES", "Tumor/Lesion ID Result"),
        Variable("TUSTRESC", "Tumor/Lesion ID Result Std. Format"),
        Variable("TULOC", "Location of the Tumor/Lesion"),
        Variable("TUMETHOD", "Method of Identification"),
        Variable("TUBLFL", "Baseline Flag"),
        *_evaluator("TU"),
        *_VISIT,
        Variable("TUDTC", "Date/Time of Tumor/Lesion Identification"),
        Variable("TUDY", "Study Day of Tumor/Lesion Identification", is_number=True),
    ),
)

TR = Domain(
    "TR",
    "Tumor/Lesion Results",
    (
        *_KEYS,
        Variable("TRSEQ", "Sequence Number", is_number=True),
        Variable("TRGRPID", "Group ID"),
        Variable("TRLNKID", "Link ID"),
        Variable("TRLNKGRP", "Link Group"),
        Variable("TRTESTCD", "Tumor/Lesion Assessment Short Name"),
        Variable("TRTEST", "Tumor/Lesion Assessment Test Name"),
        Variable("TRORRES", "Result or Finding in Original Units"),
        Variable("TRORRESU", "Original Units"),
        Variable("TRSTRESC", "Character Result/Finding in Std Format"),
        Variable("TRSTRESN", "Numeric Result/Finding in Standard Units", is_number=True),
        Variable("TRSTRESU", "Standard Units"),
        Variable("TRSTAT", "Completion Status"),
        Variable("TRREASND", "Reason Not Done"),
        Variable("TRMETHOD", "Method Used to Identify the Tumor/Lesion"),
        Variable("TRBLFL", "Baseline Flag"),
        *_evaluator("TR"),
        *_VISIT,
        Variable("TRDTC", "Date/Time of Tumor/Lesion Measurement"),
        Variable("TRDY", "Study Day of Tumor/Lesion Measurement", is_number=True),
    ),
)

RS = Domain(
    "RS",
    "Disease Response and Clin Classification",
    (
        *_KEYS,
        Variable("RSSEQ", "Sequence Number", is_number=True),
        Variable("RSLNKGRP", "Link Group ID"),
        Variable("RSTESTCD", "Assessment Short Name"),
        Variable("RSTEST", "Assessment Name"),
        Variable("RSCAT", "Category for Assessment"),
        Variable("RSORRES", "Result or Finding in Original Units"),
        Variable("RSSTRESC", "Character Result/Finding in Std Format"),
        Variable("RSSTAT", "Completion Status"),
        Variable("RSREASND", "Reason Not Done"),
        *_evaluator("RS"),
        *_VISIT,
        Variable("RSDTC", "Date/Time of Assessment"),
        Variable("RSDY", "Study Day of Assessment", is_number=True),
    ),
)

TESTS: Mapping[str, str] = MappingProxyType(
    {
        "TUMIDENT": "Tumor Identification",
        "TUSPLIT": "Tumor Split",
        "TUMERGE": "Tumor Merged",
        "LDIAM": "Longest Diameter",
        "LPERP": "Longest Perpendicular",
        "TUMSTATE": "Tumor State",
        "LNSTATE": "Lymph Node State",
        "SUMDIAM": "Sum of Diameter",
        "ACNSD": "Absolute Change Nadir in Sum of Diam",
        "PCBSD": "Percent Change Baseline in Sum of Diam",
        "PCNSD": "Percent Change Nadir in Sum of Diam",
        "TRGRESP": "Target Response",
        "NTRGRESP": "Non-target Response",
        "NEWLPROG": "New Lesion Progression",
        "OVRLRESP": "Overall Response",
        "BESTRESP": "Best Response",
    }
)
"""Short names of tests, and their names of at most 40 characters."""

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "target": "TARGET",
        "non-target": "NON-TARGET",
        "new": "NEW",
    }
)
"""Roles that are lesions; a tumour marker is none."""

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "CT": "CT SCAN",
        "MR": "MRI",
        "PT": "PET SCAN",
        "US": "ULTRASOUND",
    }
)
"""DICOM's modalities in CDISC's words."""

_LOCATIONS: Mapping[str, str] = MappingProxyType(
    {
        "adrenal": "ADRENAL GLAND",
        "lymph nodes": "LYMPH NODE",
        "parotid": "PAROTID GLAND",
        "prostate": "PROSTATE GLAND",
        "small bowel": "SMALL INTESTINE",
        "thymus": "THYMUS GLAND",
        "thyroid": "THYROID GLAND",
    }
)


def location_of(organ: str) -> str:
    """Return an organ in CDISC's words; one without an own term in capitals."""
    return _LOCATIONS.get(organ, organ.upper())
