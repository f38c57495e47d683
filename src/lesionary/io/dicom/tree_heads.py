"""The beginning of an element: its tag, its VR, its length, and what these give away.

Source: DICOM PS3.5 §7.1 (elements with explicit and implicit VR), §6.2.2 (unknown VR).
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lesionary.ingest.deidentify.elements import Buffer, DataSet
from lesionary.io.dicom.elements import (
    ITEM_BYTES,
    ITEM_GROUP,
    LONG_VRS,
    VR_BYTES,
    VR_NAMES,
    dictionary_vr,
)
from lesionary.io.dicom.tree_errors import cut
from lesionary.io.dicom.tree_vrs import looked_up

SEQUENCE_END = 0xE0DD

_TRAILING_PADDING = 0xFFFCFFFC
_MESSAGE_GROUPS = frozenset({0x0000, 0x0002})
_SWAPPED_ITEM_BYTES = b"\xff\xfe\xe0\x00"

_Unpack = Callable[[Buffer, int], tuple[int, ...]]
UNPACK_TAG: Mapping[bool, _Unpack] = {
    False: struct.Struct("<HHL").unpack_from,
    True: struct.Struct(">HHL").unpack_from,
}
"""Group, number and 32-bit length, by whether they are big-endian."""

_UNPACK_EXPLICIT: Mapping[bool, Callable[[Buffer, int], tuple[int, int, bytes, int]]] = {
    False: struct.Struct("<HH2sH").unpack_from,
    True: struct.Struct(">HH2sH").unpack_from,
}
_UNPACK_LONG: Mapping[bool, _Unpack] = {
    False: struct.Struct("<L").unpack_from,
    True: struct.Struct(">L").unpack_from,
}


@dataclass(slots=True)
class Head:
    """What stands before a value; the VR is empty where the file gives none that is one."""

    tag: int
    vr: str
    length: int
    value_at: int


def read_head(
    buffer: Buffer, at: int, bound: int, *, is_implicit: bool, is_big_endian: bool
) -> Head:
    """Read the head of an element, an item or a delimiter.

    An element whose VR is no VR at all is read as an implicit one among explicit ones. Letters
    that may be a VR yet to come have the short length, as all that we ever saw.

    Raises
    ------
    UnreadableSeriesError
        If it does not end before ``bound``.
    """
    if at + 8 > bound:
        raise cut(buffer, bound)
    if is_implicit:
        group, number, length = UNPACK_TAG[is_big_endian](buffer, at)
        return Head(group << 16 | number, "", length, at + 8)
    group, number, code, length = _UNPACK_EXPLICIT[is_big_endian](buffer, at)
    tag = group << 16 | number
    vr = VR_NAMES.get(code, "")
    if vr not in LONG_VRS:
        is_short = vr or (code.isalpha() and code.isupper())
        if not is_short or group == ITEM_GROUP:
            length = _UNPACK_LONG[is_big_endian](buffer, at + 4)[0]
        return Head(tag, vr, length, at + 8)
    if at + 12 > bound:
        raise cut(buffer, bound)
    return Head(tag, vr, _UNPACK_LONG[is_big_endian](buffer, at + 8)[0], at + 12)


def is_passed_over(tag: int) -> bool:
    """Tell group lengths, padding, and what belongs to a message or to the meta information."""
    return tag & 0xFFFF == 0 or tag == _TRAILING_PADDING or tag >> 16 in _MESSAGE_GROUPS


def hides_sequence(buffer: Buffer, head: Head, data_set: DataSet, *, is_big_endian: bool) -> bool:
    """Tell a sequence of defined length that the file does not call one.

    It begins like an item, and the dictionary calls it a sequence or does not know it; or it is
    empty, and the dictionary calls it one.
    """
    begin = buffer[head.value_at : head.value_at + 4]
    if head.vr not in {"", "UN"}:
        return begin == ITEM_BYTES and head.length >= 8 and dictionary_vr(head.tag) == "SQ"
    vr = looked_up(head.tag, data_set)
    if head.length < 8 or vr not in {"SQ", "UN"}:
        return vr == "SQ" and head.length == 0
    is_swapped = is_big_endian and not head.vr
    return begin == (_SWAPPED_ITEM_BYTES if is_swapped else ITEM_BYTES)


def looks_explicit(buffer: Buffer, at: int, bound: int, *, is_big_endian: bool) -> bool:
    """Tell an explicit element where an implicit one is due: its VR would be a length too long."""
    if at + 8 > bound or bytes(buffer[at + 4 : at + 6]) not in VR_BYTES:
        return False
    _, _, length = UNPACK_TAG[is_big_endian](buffer, at)
    return at + 8 + length > bound
