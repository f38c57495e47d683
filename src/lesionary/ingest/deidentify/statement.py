"""What an instance says about its own de-identification, in the standard's elements."""

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.profile import BASIC_CODE, OPTIONS, Option, Profile

_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_REMOVED, _METHOD, _METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
_TIMES_MODIFIED, _BURNED_IN = 0x00280303, 0x00280301
_CODE_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104

METHOD = "Lesionary: PS3.15 Basic Application Confidentiality Profile"


def state_what_was_done(
    data_set: DataSet, profile: Profile, *, number: str, is_blanked: bool
) -> None:
    """Write the new identity and what was done into a data set (PS3.3 C.7.1.1, C.12.1.1.7)."""
    data_set.put(Element(_PATIENT_ID, "LO", _text(number)))
    data_set.put(Element(_PATIENT_NAME, "PN", _text(number)))
    data_set.put(Element(_REMOVED, "CS", b"YES "))
    data_set.put(Element(_METHOD, "LO", _text(METHOD)))
    codes = [BASIC_CODE, *(OPTIONS[option].code for option in sorted(profile.options))]
    if is_blanked and OPTIONS[Option.CLEAN_PIXEL_DATA].code not in codes:
        codes.append(OPTIONS[Option.CLEAN_PIXEL_DATA].code)
        data_set.put(Element(_BURNED_IN, "CS", b"NO"))
    items = [_coded(value, meaning) for value, meaning in codes]
    data_set.put(Element(_METHOD_CODES, "SQ", items=items))
    data_set.put(Element(_TIMES_MODIFIED, "CS", _text(_how_times_were_treated(profile))))


def _how_times_were_treated(profile: Profile) -> str:
    if Option.LONGITUDINAL_FULL in profile.options:
        return "UNMODIFIED"
    return "MODIFIED" if Option.LONGITUDINAL_MODIFIED in profile.options else "REMOVED"


def _coded(value: str, meaning: str) -> DataSet:
    item = DataSet()
    for tag, vr, text in (
        (_CODE_VALUE, "SH", value),
        (_SCHEME, "SH", "DCM"),
        (_MEANING, "LO", meaning),
    ):
        item.put(Element(tag, vr, _text(text)))
    return item


def _text(text: str) -> bytes:
    value = text.encode("ascii")
    return value + b" " if len(value) % 2 else value
