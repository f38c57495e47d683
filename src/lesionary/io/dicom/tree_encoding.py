"""Single elements as bytes, little-endian: heads, lengths and padding.

Source: DICOM PS3.5 §6.2 (padding), §6.2.2 (values too long for their VR), §7.1, annex A.4.
"""

import struct

from lesionary.core.errors import InputError
from lesionary.ingest.deidentify.elements import Buffer, Element, PixelData
from lesionary.io.dicom.elements import ITEM, ITEM_GROUP, LONG_VRS, UNDEFINED, VRS
from lesionary.io.dicom.tree_fragments import sound_offsets
from lesionary.io.dicom.tree_heads import SEQUENCE_END

VIEW_BYTES = 64 * 1024
"""Values from this length on are chunks of their own, so that they are not copied."""

_SHORT_MAX_BYTES = 0xFFFE
_LONG_MAX_BYTES = 0xFFFFFFFE
_TEXT_VRS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT")
)
_pack_short = struct.Struct("<HH2sH").pack
_pack_long = struct.Struct("<HH2sHL").pack
_pack_tag = struct.Struct("<HHL").pack
_DELIMITER = _pack_tag(ITEM_GROUP, SEQUENCE_END, 0)


def is_too_long(element: Element) -> bool:
    """Tell a value that the 16-bit length of its VR cannot tell."""
    return element.vr not in LONG_VRS and len(element.value) > _SHORT_MAX_BYTES


def encoded(element: Element, *, is_implicit: bool = False) -> list[Buffer]:
    """Return one element's head and value, joined where the value is short.

    Raises
    ------
    InputError
        ``wrong_vr`` or ``size_claim``.
    """
    value, padding = element.value, b""
    if len(value) % 2:
        padding = b" " if element.vr in _TEXT_VRS else b"\0"
    length = len(value) + len(padding)
    head = _head(element.tag, element.vr, length, is_implicit=is_implicit)
    if length < VIEW_BYTES:
        return [b"".join((head, value, padding))]
    return [head, value, padding] if padding else [head, value]


def sequence_head(tag: int, length: int, *, is_implicit: bool) -> bytes:
    """Return what stands before the items of a sequence."""
    return _head(tag, "SQ", length, is_implicit=is_implicit)


def item_head(length: int) -> bytes:
    """Return what stands before the elements of an item, or before a fragment."""
    _require_length(length)
    return _pack_tag(ITEM_GROUP, ITEM, length)


def encoded_pixels(pixels: PixelData, *, is_implicit: bool = False) -> list[Buffer]:
    """Return the pixel data element, its fragments or native value uncopied."""
    if pixels.native is not None:
        element = Element(pixels.tag, pixels.vr, pixels.native)
        return encoded(element, is_implicit=is_implicit)
    chunks: list[Buffer] = [_pack_long(pixels.tag >> 16, pixels.tag & 0xFFFF, b"OB", 0, UNDEFINED)]
    for item in (sound_offsets(pixels.offsets, pixels.fragments), *pixels.fragments):
        chunks += [item_head(len(item) + len(item) % 2), item]
        if len(item) % 2:
            chunks.append(b"\0")
    return [*chunks, _DELIMITER]


def _head(tag: int, vr: str, length: int, *, is_implicit: bool) -> bytes:
    if vr not in VRS:
        raise InputError("an element's VR is none of the standard", code="wrong_vr")
    if is_implicit:
        _require_length(length)
        return _pack_tag(tag >> 16, tag & 0xFFFF, length)
    if vr in LONG_VRS:
        _require_length(length)
        return _pack_long(tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    if length <= _SHORT_MAX_BYTES:
        return _pack_short(tag >> 16, tag & 0xFFFF, vr.encode(), length)
    _require_length(length)
    return _pack_long(tag >> 16, tag & 0xFFFF, b"UN", 0, length)


def _require_length(n_bytes: int) -> None:
    if n_bytes > _LONG_MAX_BYTES:
        raise InputError("a value has more than 4 GiB", code="size_claim")
