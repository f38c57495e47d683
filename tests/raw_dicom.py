"""DICOM written byte by byte: what pydicom would not write, or would set right first."""

import struct

from lesionary.io.dicom.elements import LONG_VRS

UNDEFINED = 0xFFFFFFFF
ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
EXPLICIT_LITTLE, IMPLICIT_LITTLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"


def explicit(
    tag: int, vr: str, value: bytes = b"", length: int | None = None, order: str = "<"
) -> bytes:
    """Return an element with explicit VR; the length may lie."""
    length = len(value) if length is None else length
    if vr in LONG_VRS:
        head = struct.pack(order + "HH2sHL", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    else:
        head = struct.pack(order + "HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)
    return head + value


def implicit(tag: int, value: bytes = b"", length: int | None = None) -> bytes:
    """Return an element with implicit VR; the length may lie."""
    length = len(value) if length is None else length
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, length) + value


def item(value: bytes = b"", *, is_open_ended: bool = False, length: int | None = None) -> bytes:
    """Return an item of a sequence, or a fragment."""
    if is_open_ended:
        return struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED) + value + ITEM_END
    length = len(value) if length is None else length
    return struct.pack("<HHL", 0xFFFE, 0xE000, length) + value


def file_of(*elements: bytes, syntax: str = EXPLICIT_LITTLE) -> bytes:
    """Return a file of these elements."""
    meta = explicit(0x00020010, "UI", syntax.encode() + b"\0" * (len(syntax) % 2))
    length = explicit(0x00020000, "UL", struct.pack("<L", len(meta)))
    return b"\0" * 128 + b"DICM" + length + meta + b"".join(elements)
