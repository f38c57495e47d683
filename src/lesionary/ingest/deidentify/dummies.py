"""Stand-ins for values that must be there and may not stay."""

from collections.abc import Mapping
from types import MappingProxyType

DUMMY_DATE = b"19000101"
DUMMY_NAME = b"ANONYMOUS"
DUMMY_TEXT = b"REMOVED"

# fmt: off
_BY_VR: Mapping[str, bytes] = MappingProxyType({
    "AE": DUMMY_TEXT, "AS": b"000D", "AT": bytes(4), "CS": b"OTHER", "DA": DUMMY_DATE, "DS": b"0",
    "DT": DUMMY_DATE + b"000000", "FD": bytes(8), "FL": bytes(4), "IS": b"0", "LO": DUMMY_TEXT,
    "LT": DUMMY_TEXT, "OB": bytes(2), "OD": bytes(8), "OF": bytes(4), "OL": bytes(4),
    "OV": bytes(8), "OW": bytes(2), "PN": DUMMY_NAME, "SH": DUMMY_TEXT, "SL": bytes(4),
    "SS": bytes(2), "ST": DUMMY_TEXT, "SV": bytes(8), "TM": b"000000", "UC": DUMMY_TEXT,
    "UL": bytes(4), "UR": b"urn:removed", "US": bytes(2), "UT": DUMMY_TEXT, "UV": bytes(8),
})

_BY_TAG: Mapping[int, bytes] = MappingProxyType({
    0x00100040: b"O",               # PatientSex
    0x04000565: b"COERCE",          # ReasonForTheAttributeModification
    0x0040A493: b"UNVERIFIED",      # VerificationFlag
    0x0040A491: b"PARTIAL",         # CompletionFlag
    0x00080060: b"OT",              # Modality
    0x00080064: b"WSD",             # ConversionType
})
# fmt: on
"""Elements whose code string must be one of an enumeration."""


def dummy(tag: int, vr: str) -> bytes:
    """Return a value that is valid, not empty, and says nothing.

    Parameters
    ----------
    tag : int
        ``0xGGGGEEEE``; some code strings are enumerated, so their stand-in depends on the element.
    vr : str

    Returns
    -------
    bytes
        Unpadded. Empty for what has no value of its own, a sequence, for a UID, which the
        pseudonyms make, and for what is unknown.

    Examples
    --------
    >>> dummy(0x00080023, "DA")
    b'19000101'
    """
    return _BY_TAG.get(tag) or _BY_VR.get(vr, b"")
