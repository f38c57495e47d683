"""Where each frame of a multi-frame image lies in its file.

What the header claims is compared with what there is before anything is made a frame of.

Source: DICOM PS3.5 annex A.4 (encapsulation), §8.1.1 and annex D (how native frames follow each
other); PS3.3 C.7.6.3.1.8 (extended offset table).
"""

import struct
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.header import PixelFormat, PixelLocation
from lesionary.io.dicom.compressed import truncated
from lesionary.io.dicom.elements import ITEM, ITEM_GROUP, Buffer, Element

MOST_FRAGMENTS = 1_000_000
_STREAM_STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51")

Piece = tuple[int, int]
"""Offset in the file and length of a fragment."""


def native_places(whole: PixelLocation, grid: PixelFormat, n_frames: int) -> list[PixelLocation]:
    """Return where native frames lie, one after the other without a gap.

    Raises
    ------
    UnreadableSeriesError
        ``size_claim``, where the value is too short for them.
    """
    size = grid.frame_bytes
    if (whole.length or 0) < n_frames * size:
        raise UnreadableSeriesError(
            f"{n_frames} frames of {grid.rows} × {grid.columns} pixels of"
            f" {grid.bits_allocated} bits in {whole.length} bytes",
            code="size_claim",
            hint="export the series again from where it came from",
        )
    return [
        replace(
            whole,
            offset=whole.offset + number * size,
            length=size,
            available=max(0, whole.available - number * size),
            starts_mid_word=number * size % 2 == 1,
        )
        for number in range(n_frames)
    ]


def encapsulated_places(
    buffer: Buffer, whole: PixelLocation, n_frames: int, tables: tuple[Element | None, ...]
) -> list[PixelLocation]:
    """Return which fragments make which frame.

    Parameters
    ----------
    buffer : bytes-like
        The file.
    whole : PixelLocation
        Of the value: the offset table's item comes first.
    n_frames : int
    tables : tuple of Element or None
        Extended offset table, as the file has it.

    Raises
    ------
    UnreadableSeriesError
        ``truncated``, ``size_claim`` where there are fewer fragments than frames, and
        ``unsupported_pixels`` where nothing tells whose the fragments are.
    """
    table, pieces, is_closed = _pieces(buffer, whole.offset)
    if len(pieces) < n_frames and not is_closed:
        raise truncated("the compressed pixel data stop before their end")
    if len(pieces) < n_frames:
        raise UnreadableSeriesError(
            f"{n_frames} frames in {len(pieces)} pieces of compressed pixel data",
            code="size_claim",
            hint="export the series again from where it came from",
        )
    starts = _starts(buffer, pieces, n_frames, (table, "L"), *((e, "Q") for e in tables if e))
    ends = [*starts[1:], len(pieces)]
    return [
        replace(whole, fragments=tuple(pieces[start:end]))
        for start, end in zip(starts, ends, strict=True)
    ]


def _pieces(buffer: Buffer, at: int) -> tuple[bytes, list[Piece], bool]:
    """Return the basic offset table, the fragments behind it, and whether their end is marked."""
    items: list[Piece] = []
    is_closed = False
    while at + 8 <= len(buffer):
        group, number, length = struct.unpack_from("<HHL", buffer, at)
        at += 8
        if group != ITEM_GROUP or number != ITEM:
            is_closed = True
            break
        if at + length > len(buffer):
            raise truncated("the compressed pixel data stop before their end")
        if len(items) > MOST_FRAGMENTS:
            raise UnreadableSeriesError(
                f"more than {MOST_FRAGMENTS} pieces of compressed pixel data", code="size_claim"
            )
        items.append((at, length))
        at += length
    if not items:
        return b"", [], is_closed
    table_at, table_bytes = items[0]
    return bytes(buffer[table_at : table_at + table_bytes]), items[1:], is_closed


def _starts(
    buffer: Buffer, pieces: Sequence[Piece], n_frames: int, *tables: tuple[bytes | Element, str]
) -> list[int]:
    """Return the index of each frame's first fragment."""
    for table, code in tables:
        value = table.value if isinstance(table, Element) else table
        starts = _by_table(value, code, pieces)
        if len(starts) == n_frames:
            return starts
    if len(pieces) == n_frames:
        return list(range(n_frames))
    if n_frames == 1:
        return [0]
    starts = [n for n, (at, _) in enumerate(pieces) if _begins_stream(buffer, at)]
    if len(starts) == n_frames and starts[0] == 0:
        return starts
    raise UnreadableSeriesError(
        f"{n_frames} frames in {len(pieces)} pieces of compressed pixel data, and no table says"
        " which is whose",
        code="unsupported_pixels",
        hint="export the series uncompressed",
    )


def _by_table(value: bytes, code: str, pieces: Sequence[Piece]) -> list[int]:
    """Read an offset table; one that is none, or points elsewhere, gives nothing."""
    n_offsets = len(value) // struct.calcsize("<" + code)
    offsets = struct.unpack_from(f"<{n_offsets}{code}", value)
    begins = {at - 8 - (pieces[0][0] - 8): number for number, (at, _) in enumerate(pieces)}
    starts = [begins.get(offset, -1) for offset in offsets]
    is_sound = bool(starts) and starts[0] == 0 and all(a < b for a, b in pairwise(starts))
    return starts if is_sound else []


def _begins_stream(buffer: Buffer, at: int) -> bool:
    return bytes(buffer[at : at + 4]).startswith(_STREAM_STARTS)
