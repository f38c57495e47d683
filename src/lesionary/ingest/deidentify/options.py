"""The options of the basic profile, and how an object names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Code: TypeAlias = tuple[str, str]
"""Code value and meaning, of the scheme DCM."""

BASIC_CODE: Code = ("113100", "Basic Application Confidentiality Profile")


class Option(StrEnum):
    """An option of the basic profile (PS3.15 E.3), by the name that a user writes."""

    CLEAN_PIXEL_DATA = "clean_pixel_data"
    CLEAN_VISUAL_FEATURES = "clean_visual_features"
    CLEAN_GRAPHICS = "clean_graphics"
    CLEAN_STRUCTURED_CONTENT = "clean_structured_content"
    CLEAN_DESCRIPTORS = "clean_descriptors"
    LONGITUDINAL_FULL = "retain_full_dates"
    LONGITUDINAL_MODIFIED = "retain_modified_dates"
    PATIENT_CHARACTERISTICS = "retain_patient_characteristics"
    DEVICE_IDENTITY = "retain_device_identity"
    INSTITUTION_IDENTITY = "retain_institution_identity"
    RETAIN_UIDS = "retain_uids"
    SAFE_PRIVATE = "retain_safe_private"


@dataclass(frozen=True, slots=True)
class OptionMetadata:
    """How an option is written into an object, and what it does.

    Parameters
    ----------
    code : Code
        Of context group 7050 (PS3.16).
    description : str
        One line for a user.
    """

    code: Code
    description: str

    @property
    def scheme(self) -> str:
        """Coding scheme designator of the code."""
        return "DCM"


OPTIONS: Mapping[Option, OptionMetadata] = MappingProxyType(
    {
        Option.CLEAN_PIXEL_DATA: OptionMetadata(
            ("113101", "Clean Pixel Data Option"),
            "images that may carry text are blanked by a rule, or quarantined",
        ),
        Option.CLEAN_VISUAL_FEATURES: OptionMetadata(
            ("113102", "Clean Recognizable Visual Features Option"),
            "images that may show a face are quarantined: nothing here takes one away",
        ),
        Option.CLEAN_GRAPHICS: OptionMetadata(
            ("113103", "Clean Graphics Option"),
            "drawings of presentation states stay, their text is cleaned; overlays go",
        ),
        Option.CLEAN_STRUCTURED_CONTENT: OptionMetadata(
            ("113104", "Clean Structured Content Option"),
            "reports, acquisition contexts, specimen steps stay, item by item cleaned",
        ),
        Option.CLEAN_DESCRIPTORS: OptionMetadata(
            ("113105", "Clean Descriptors Option"),
            "descriptions and comments keep the words that are on the list",
        ),
        Option.LONGITUDINAL_FULL: OptionMetadata(
            ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
            "dates and times stay as they are",
        ),
        Option.LONGITUDINAL_MODIFIED: OptionMetadata(
            ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
            "dates of acts move by the patient's own number of days, times of day stay; things' go",
        ),
        Option.PATIENT_CHARACTERISTICS: OptionMetadata(
            ("113108", "Retain Patient Characteristics Option"),
            "sex, age (at most 90), size, weight and the like stay",
        ),
        Option.DEVICE_IDENTITY: OptionMetadata(
            ("113109", "Retain Device Identity Option"),
            "serial numbers, station names stay, and calibration dates unless dates are moved",
        ),
        Option.INSTITUTION_IDENTITY: OptionMetadata(
            ("113112", "Retain Institution Identity Option"),
            "name, address, department of the institution stay",
        ),
        Option.RETAIN_UIDS: OptionMetadata(
            ("113110", "Retain UIDs Option"),
            "UIDs stay, so that results link back; those that tell a day only with full dates",
        ),
        Option.SAFE_PRIVATE: OptionMetadata(
            ("113111", "Retain Safe Private Option"),
            "private elements of the list stay, where their value is of the listed kind",
        ),
    }
)
"""All options of CID 7050, in the standard's order."""
