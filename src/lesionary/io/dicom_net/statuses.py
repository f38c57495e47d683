"""What a sender is told of each object: the statuses of a C-STORE response.

======  ========================  ==============================================================
status  name                      when
======  ========================  ==============================================================
0x0000  Success                   released and on the disk, or there already with this content
0x0110  Processing failure        we failed: the vault cannot be reached, a fault of our own
0x0111  Duplicate SOP instance    an object of this UID with other content was taken before
0x0122  SOP class not supported   it names no storage class of the standard
0x0124  Refused: not authorized   quarantined: privacy forbids to take it
0xA700  Out of resources          the disk is full or cannot be written
0xC000  Cannot understand         damaged: it cannot be read whole
0xC001  Cannot understand         it claims more than the limits allow
======  ========================  ==============================================================

Source: DICOM PS3.4 table B.2-1, PS3.7 §9.1.1.1.9 and annex C.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE = 0x0111
CLASS_NOT_SUPPORTED = 0x0122
NOT_AUTHORIZED = 0x0124
OUT_OF_RESOURCES = 0xA700
CANNOT_UNDERSTAND = 0xC000
OVER_LIMIT = 0xC001

OF_CODES: Mapping[str, int] = MappingProxyType(
    {
        "sop_conflict": DUPLICATE,
        "unknown_object": CLASS_NOT_SUPPORTED,
        "not_writable": OUT_OF_RESOURCES,
        "empty_file": CANNOT_UNDERSTAND,
        "no_uid": CANNOT_UNDERSTAND,
        "not_dicom": CANNOT_UNDERSTAND,
        "truncated": CANNOT_UNDERSTAND,
        "unreadable": CANNOT_UNDERSTAND,
        "unsupported_syntax": CANNOT_UNDERSTAND,
        "wrong_vr": CANNOT_UNDERSTAND,
        "archive_limit": OVER_LIMIT,
        "size_claim": OVER_LIMIT,
        "too_deep": OVER_LIMIT,
    }
)
"""Statuses of codes that have one of their own."""

_LONGEST_COMMENT = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told.

    Parameters
    ----------
    status : int
    comment : str
        Error comment of at most 64 characters; never a value of what was sent.
    """

    status: int = SUCCESS
    comment: str = ""


def refusal(code: str, *, otherwise: int = PROCESSING_FAILURE) -> Answer:
    """Return the answer for an object that is not taken.

    Parameters
    ----------
    code : str
        Of the gate, the quarantine or an error: it is told to the sender as it is.
    otherwise : int
        Status of codes that have none of their own.

    Examples
    --------
    >>> refusal("truncated")
    Answer(status=49152, comment='truncated')
    """
    return Answer(OF_CODES.get(code, otherwise), code[:_LONGEST_COMMENT])
