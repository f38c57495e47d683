"""What an instance says about its own de-identification, in the standard's elements."""

from collections.abc import Sequence

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.options import BASIC_CODE, OPTIONS, Code, Option
from lesionary.ingest.deidentify.profile import Profile
from lesionary.ingest.deidentify.quarantine import text_of

_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_REMOVED, _METHOD, _METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
_TIMES_MODIFIED, _BURNED_IN = 0x00280303, 0x00280301
_CODE_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104

UNMODIFIED = "UNMODIFIED"
METHOD = "Lesionary: PS3.15 Basic Application Confidentiality Profile"


def state_what_was_done(
    data_set: DataSet, profile: Profile, *, number: str, is_blanked: bool, before: DataSet
) -> None:
    """Write the new identity and what was done into a data set (PS3.3 C.7.1.1, C.12.1.1.7).

    What others had done before stays said: their codes behind ours, their words before ours.

    Parameters
    ----------
    data_set : DataSet
        Cleaned.
    profile : Profile
    number : str
        New patient ID and name.
    is_blanked : bool
    before : DataSet
        As it came in.
    """
    data_set.put(Element(_PATIENT_ID, "LO", _text(number)))
    data_set.put(Element(_PATIENT_NAME, "PN", _text(number)))
    data_set.put(Element(_REMOVED, "CS", b"YES "))
    methods = [*_earlier_methods(data_set, before), METHOD.encode()]
    data_set.put(Element(_METHOD, "LO", _even(b"\\".join(methods))))
    codes = [BASIC_CODE, *(OPTIONS[option].code for option in sorted(profile.options))]
    if is_blanked and OPTIONS[Option.CLEAN_PIXEL_DATA].code not in codes:
        codes.append(OPTIONS[Option.CLEAN_PIXEL_DATA].code)
        data_set.put(Element(_BURNED_IN, "CS", b"NO"))
    codes += _earlier_codes(data_set, codes)
    items = [_coded(value, meaning) for value, meaning in codes]
    data_set.put(Element(_METHOD_CODES, "SQ", items=items))
    data_set.put(Element(_TIMES_MODIFIED, "CS", _text(_how_times_were_treated(data_set, profile))))


def _earlier_methods(data_set: DataSet, before: DataSet) -> list[bytes]:
    """Return what is left of others' words on what they did, each once, without our own."""
    values = [_values(one.get(_METHOD)) for one in (before, data_set)]
    pairs = zip(*values, strict=False)
    return list(dict.fromkeys(left for was, left in pairs if left and was != METHOD.encode()))


def _values(element: Element | None) -> list[bytes]:
    if element is None or element.items is not None:
        return []
    return [one.strip(b" \0") for one in bytes(element.value).split(b"\\")]


def _earlier_codes(data_set: DataSet, codes: Sequence[Code]) -> list[Code]:
    """Return the standard's codes that were there before and are not ours.

    That true dates stayed is no longer true once they have been moved or removed.
    """
    known = dict([BASIC_CODE, *(option.code for option in OPTIONS.values())])
    said = {value for value, _ in codes}
    if OPTIONS[Option.LONGITUDINAL_FULL].code not in codes:
        said.add(OPTIONS[Option.LONGITUDINAL_FULL].code[0])
    sequence = data_set.get(_METHOD_CODES)
    found = {
        text_of(item, _CODE_VALUE): None
        for item in (sequence.items if sequence is not None and sequence.items else ())
        if text_of(item, _SCHEME) == "DCM"
    }
    return [(value, known[value]) for value in found if value in known and value not in said]


def _how_times_were_treated(data_set: DataSet, profile: Profile) -> str:
    """Tell what became of dates; where they stay, what was done to them before is said again."""
    if Option.LONGITUDINAL_FULL in profile.options:
        before = data_set.get(_TIMES_MODIFIED)
        said = bytes(before.value).decode("latin-1").strip() if before is not None else ""
        return said if said in {"MODIFIED", "REMOVED"} else UNMODIFIED
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
    return _even(text.encode("ascii"))


def _even(value: bytes) -> bytes:
    return value + b" " if len(value) % 2 else value
