"""The head that makes a file of a data set from the network.

Only what the association says stands in it. Source: DICOM PS3.10 §7.1.
"""

import struct

_PREAMBLE = b"\0" * 128 + b"DICM"
_LONG = frozenset({b"OB"})
_GROUP = 0x0002
_VERSION = (0x0001, b"OB", b"\0\1")


def as_file(data_set: bytes, *, sop_class_uid: str, transfer_syntax: str) -> bytes:
    """Return a data set as a DICOM file in memory.

    Parameters
    ----------
    data_set : bytes
        As it came, in the association's transfer syntax.
    sop_class_uid, transfer_syntax : str
        UIDs that the association agreed on.
    """
    elements = b"".join(
        _element(number, vr, value)
        for number, vr, value in (
            _VERSION,
            (0x0002, b"UI", _uid(sop_class_uid)),
            (0x0010, b"UI", _uid(transfer_syntax)),
        )
    )
    length = _element(0x0000, b"UL", struct.pack("<I", len(elements)))
    return b"".join((_PREAMBLE, length, elements, data_set))


def _uid(text: str) -> bytes:
    value = text.encode("ascii", "replace")
    return value + b"\0" * (len(value) % 2)


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    if vr in _LONG:
        return struct.pack("<HH2sHI", _GROUP, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", _GROUP, number, vr, len(value)) + value
