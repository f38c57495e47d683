"""Where a file's data set begins, and how it is encoded: what the bytes say, not what they claim.

Source: DICOM PS3.5 annex A (transfer syntaxes); PS3.10 §7 (file).
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from lesionary.ingest.deidentify.elements import Buffer
from lesionary.io.dicom.elements import (
    DEFLATED,
    IMPLICIT_LITTLE,
    TRANSFER_SYNTAX,
    VR_BYTES,
    RawHeader,
    read_meta,
    start_of,
)
from lesionary.io.dicom.tree_errors import not_dicom, over_limit, truncated
from lesionary.io.limits import in_words

_DEFLATED = frozenset({DEFLATED, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
_META_GROUP = 0x0002


@dataclass(frozen=True, slots=True)
class Stream:
    """The elements of a data set, inflated where they were deflated.

    ``start`` is where they begin in ``buffer``. ``n_trailing_bytes`` counts what lay behind the
    deflated ones. ``media_storage`` has the UIDs of class and instance as the file meta information
    gives them, by their tags in a data set.
    """

    buffer: Buffer
    start: int
    transfer_syntax: str
    is_implicit: bool
    is_big_endian: bool
    n_trailing_bytes: int = 0
    media_storage: Mapping[int, bytes] = field(default_factory=dict)


def open_stream(buffer: Buffer, inflated_limit: int) -> Stream:
    """Find the data set of a file.

    Parameters
    ----------
    buffer : bytes or memoryview
        The whole file, with or without preamble and file meta information.
    inflated_limit : int
        Bytes that a deflated data set may have.

    Raises
    ------
    UnreadableSeriesError
        ``not_dicom``, ``truncated``, or ``archive_limit`` where a deflated data set is larger.
    """
    raw = RawHeader(size=len(buffer))
    start = start_of(buffer)  # type: ignore[arg-type]  # it slices and unpacks, as of any buffer
    if start is None:
        raise not_dicom("the file does not begin like DICOM")
    at = read_meta(buffer, start, raw)  # type: ignore[arg-type]  # likewise
    at = _past_implicit_meta(buffer, at, raw)
    if at > len(buffer):
        raise truncated("the file stops within its file meta information")
    if raw.transfer_syntax in _DEFLATED:
        inflated = _inflated(buffer[at:], inflated_limit)
        if inflated is not None:
            data, n_trailing = inflated
            return _guessed(data, 0, raw, n_trailing)
    return _guessed(buffer, at, raw, 0)


def _past_implicit_meta(buffer: Buffer, at: int, raw: RawHeader) -> int:
    """Go past elements of the file meta information that were written with implicit VR."""
    while at + 8 <= len(buffer):
        group, number, length = struct.unpack_from("<HHL", buffer, at)
        is_explicit = bytes(buffer[at + 4 : at + 6]) in VR_BYTES
        if group != _META_GROUP or is_explicit or at + 8 + length > len(buffer):
            break
        if group << 16 | number == TRANSFER_SYNTAX:
            value = bytes(buffer[at + 8 : at + 8 + length])
            raw.transfer_syntax = value.decode("latin-1").strip("\0 ")
        at += 8 + length
    return at


def _inflated(packed: Buffer, limit: int) -> tuple[bytes, int] | None:
    """Inflate a data set and count what lies behind it; None where it was never deflated."""
    for window_bits in (-zlib.MAX_WBITS, zlib.MAX_WBITS):
        inflater = zlib.decompressobj(window_bits)
        try:
            data = inflater.decompress(packed, limit + 1)
        except zlib.error:
            continue
        if len(data) > limit:
            raise over_limit(f"a deflated data set of more than {in_words(limit)}", "archive_limit")
        if not inflater.eof:
            raise truncated("the deflated data set stops before its end")
        return data, len(inflater.unused_data.rstrip(b"\0"))
    return None


def _guessed(buffer: Buffer, at: int, raw: RawHeader, n_trailing: int) -> Stream:
    """Believe the first element rather than the transfer syntax."""
    transfer_syntax = raw.transfer_syntax
    head = bytes(buffer[at : at + 8])
    is_implicit, is_big = transfer_syntax == IMPLICIT_LITTLE, False
    if len(head) == 8:
        is_implicit = head[4:6] not in VR_BYTES
        is_big = head[0] == 0 < head[1]
    return Stream(buffer, at, transfer_syntax, is_implicit, is_big, n_trailing, raw.media_storage)
