"""Encapsulated pixel data: fragments, and the tables that say where frames begin.

Source: DICOM PS3.5 annex A.4 (encapsulation), table A.4 (offset tables).
"""

import re
import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import Buffer
from lesionary.io.dicom.elements import ITEM, ITEM_GROUP, UNDEFINED
from lesionary.io.dicom.tree_errors import not_dicom, truncated

_SEQUENCE_END = 0xE0DD
_HEADS = {False: struct.Struct("<HHL"), True: struct.Struct(">HHL")}
_ENCAPSULATED = re.compile(r"1\.2\.840\.10008\.1\.2\.(1\.98|4\.\d{2,3}(\.1)?|5|7\.[123]|8\.1)")


def is_encapsulated(transfer_syntax: str) -> bool:
    """Tell the standard's syntaxes of encapsulated pixel data.

    No free text passes for one, nor a private UID, so that what was named in a file may be named
    again in another.
    """
    return _ENCAPSULATED.fullmatch(transfer_syntax) is not None


def require_encapsulated(transfer_syntax: str) -> None:
    """Raise unless compressed pixels can be told how to decode.

    Raises
    ------
    UnreadableSeriesError
        ``unsupported_syntax``.
    """
    if not is_encapsulated(transfer_syntax):
        raise UnreadableSeriesError(
            "the pixel data are compressed, and the file names no syntax that says how",
            code="unsupported_syntax",
            hint="export the series uncompressed or as lossless JPEG 2000",
        )


def read_fragments(
    buffer: Buffer, at: int, bound: int, *, is_big_endian: bool = False
) -> tuple[Buffer, list[Buffer], int]:
    """Read the items of an encapsulated value.

    Parameters
    ----------
    buffer : bytes or memoryview
    at : int
        Where the first item begins.
    bound : int
        Where the value ends at the latest.
    is_big_endian : bool
        How the items' heads are written.

    Returns
    -------
    tuple of bytes-like, list of bytes-like, int
        The basic offset table, views of the fragments, and what comes after the delimiter.

    Raises
    ------
    UnreadableSeriesError
        ``truncated`` or ``not_dicom``.
    """
    view, unpack = memoryview(buffer), _HEADS[is_big_endian].unpack_from
    items: list[Buffer] = []
    while at + 8 <= bound:
        group, number, length = unpack(buffer, at)
        at += 8
        if group == ITEM_GROUP and number == _SEQUENCE_END:
            offsets = bytes(items[0]) if items else b""
            return offsets, items[1:], at
        if group != ITEM_GROUP or number != ITEM or length == UNDEFINED:
            raise not_dicom("the compressed pixel data are broken: something else than fragments")
        if at + length > bound:
            break
        items.append(view[at : at + length])
        at += length
    raise truncated("the compressed pixel data stop before their end")


def sound_offsets(offsets: Buffer, fragments: Sequence[Buffer]) -> Buffer:
    """Return a basic offset table if it is one, else none at all: it may be left empty.

    One it is if its offsets go up from 0 and each is where a fragment begins.
    """
    if not _is_table(offsets, "L", fragments):
        return b""
    return offsets


def has_sound_table(offsets: Buffer, lengths: Buffer, fragments: Sequence[Buffer]) -> bool:
    """Tell whether an extended offset table and its lengths fit the fragments, one a frame."""
    if len(offsets) != 8 * len(fragments) or not _is_table(offsets, "Q", fragments):
        return False
    return bytes(lengths) == struct.pack(f"<{len(fragments)}Q", *map(len, fragments))


def _is_table(offsets: Buffer, code: str, fragments: Sequence[Buffer]) -> bool:
    """Tell whether offsets go up from 0, each to a fragment; odd fragments would be moved."""
    count, rest = divmod(len(offsets), struct.calcsize("<" + code))
    if not count or rest or any(len(fragment) % 2 for fragment in fragments[:-1]):
        return False
    values = struct.unpack(f"<{count}{code}", offsets)
    begins = set(accumulate((len(fragment) + 8 for fragment in fragments[:-1]), initial=0))
    is_rising = all(before < after for before, after in pairwise(values))
    return values[0] == 0 and is_rising and begins.issuperset(values)
