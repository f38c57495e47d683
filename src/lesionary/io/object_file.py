"""How an object lies on the disk, and what is believed of a file that claims to be one.

A file is a magic, the header's length (8 bytes, little-endian), the header as canonical JSON, and

- ``LSNOBJ1``: one gzip stream of the raw little-endian arrays, one after the other;
- ``LSNOBJ2``: the number of tokens (8 bytes), and a gzip stream of the tokens that
  :mod:`lesionary.io.row_coding` makes of the one array, a label map.

Which of the two is chosen for an array changes nothing of the object's name. A reader trusts
nothing: before memory is taken, the sizes must agree with the shape and the shape with what so many
compressed bytes can hold; the stream must end where the arrays end, and its checksum be right.
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import AnyArray
from lesionary.io.gzip_stream import DEFLATE_LARGEST_RATIO
from lesionary.io.limits import KIB, MIB
from lesionary.io.object_header import LABEL_DTYPE, LABELS, ObjectHeader, parse_header
from lesionary.io.row_coding import LEAST_SAVING, WIDEST, RowDecoder, encode

if TYPE_CHECKING:
    from hashlib import _Hash

PLAIN = b"LSNOBJ1\n"
ROWS = b"LSNOBJ2\n"

_LENGTH = struct.Struct("<Q")
_TRAILER = struct.Struct("<I")
_GZIP_LEVEL = 1
_PIECE_BYTES = MIB
_LEAST_CODED_BYTES = (
    64 * KIB
)  # what is smaller is one block on the disk, and needs no compiled loop
_MOST_HEADER_BYTES = 64 * MIB  # 65535 labels with a paragraph each


def write_object(file: BinaryIO, header: bytes, arrays: Sequence[AnyArray]) -> None:
    """Write an object of C-ordered little-endian arrays.

    A label map of some size goes as tokens where they are few, everything else as it is.
    """
    tokens = _tokens_of(arrays)
    file.write((PLAIN if tokens is None else ROWS) + _LENGTH.pack(len(header)) + header)
    if tokens is None:
        _write_stream(file, arrays)
    else:
        file.write(_LENGTH.pack(tokens.size))
        _write_stream(file, [tokens])


def _tokens_of(arrays: Sequence[AnyArray]) -> NDArray[np.uint8] | None:
    voxels = arrays[0]
    if len(arrays) > 1 or voxels.dtype != np.uint16 or voxels.nbytes < _LEAST_CODED_BYTES:
        return None
    return encode(voxels.reshape(-1, voxels.shape[-1]))


def _write_stream(file: BinaryIO, arrays: Sequence[AnyArray]) -> None:
    from isal import igzip

    with igzip.IGzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream:
        for array in arrays:
            raw = raw_bytes(array)
            for begin in range(0, raw.size, _PIECE_BYTES):
                stream.write(raw[begin : begin + _PIECE_BYTES].data)


def raw_bytes(array: AnyArray) -> NDArray[np.uint8]:
    """Return the bytes of a C-ordered array, without a copy."""
    return array.reshape(-1).view(np.uint8)


def looks_whole(path: Path, header: bytes, n_raw_bytes: int) -> bool:
    """Tell at the price of two small reads whether ``path`` is likely the object of this header.

    It is where the file begins with the very header and ends with the length that the stream
    before should have. An empty, foreign, cut or zero-filled file is found so; a byte that fell
    over within the stream only by reading it all.
    """
    head = len(PLAIN) + _LENGTH.size + len(header)
    try:
        with path.open("rb") as file:
            start = file.read(head + _LENGTH.size)
            file.seek(-_TRAILER.size, os.SEEK_END)
            (n_packed,) = _TRAILER.unpack(file.read())
    except (OSError, struct.error):
        return False
    magic = start[: len(PLAIN)]
    if start[len(PLAIN) : head] != _LENGTH.pack(len(header)) + header:
        return False
    if magic == ROWS and len(start) == head + _LENGTH.size:
        (n_raw_bytes,) = _LENGTH.unpack(start[head:])
    return magic in {PLAIN, ROWS} and n_packed == n_raw_bytes % (1 << 32)


def read_object(
    file: BinaryIO, *, hashes: bool = False, keeps: bool = True
) -> tuple[ObjectHeader, list[AnyArray], str | None]:
    """Read a whole object in one pass.

    Parameters
    ----------
    file : binary file
        At its begin.
    hashes : bool
        Whether to hash the content on the way.
    keeps : bool
        Whether to return the arrays; without, memory stays at a few MB.

    Returns
    -------
    tuple
        The header, the flat arrays, and the name that the content should have; None where it was
        not asked for.

    Raises
    ------
    One of :func:`~lesionary.io.object_header.damages`
        If the file is no whole, sound object.
    """
    from isal import igzip

    magic = file.read(len(PLAIN))
    if magic not in {PLAIN, ROWS}:
        raise ValueError("wrong magic")
    n_header_bytes = _read_length(file)
    if n_header_bytes > min(_rest_of(file), _MOST_HEADER_BYTES):
        raise ValueError("a header that none would write")
    header = parse_header(file.read(n_header_bytes))
    hasher = hashlib.sha256(header.raw) if hashes else None
    n_tokens = _read_length(file) if magic == ROWS else None
    n_packed_bytes = _rest_of(file)
    _require_possible(header, n_tokens, n_packed_bytes)
    arrays = []
    with igzip.IGzipFile("", "rb", fileobj=file) as stream:
        source = _source(stream, header, n_tokens)
        for dtype, size in zip(header.dtypes, header.sizes, strict=True):
            raw = _take(source, dtype.itemsize * size, hasher, keeps=keeps)
            arrays.append(raw.view(dtype))
        source.finish()
    return header, arrays if keeps else [], hasher.hexdigest() if hasher else None


def _read_length(file: BinaryIO) -> int:
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
    return int(length)


def _rest_of(file: BinaryIO) -> int:
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end - here


def _require_possible(header: ObjectHeader, n_tokens: int | None, n_packed_bytes: int) -> None:
    """Refuse sizes that so many compressed bytes, or so many tokens, cannot stand for."""
    n_unpacked = header.n_raw_bytes if n_tokens is None else n_tokens
    if n_unpacked > DEFLATE_LARGEST_RATIO * n_packed_bytes:
        raise ValueError("more than the stream can hold")
    if n_tokens is None:
        return
    k, j, i = header.shape
    is_possible = k * j <= n_tokens <= header.n_raw_bytes // LEAST_SAVING and i <= WIDEST
    if header.kind != LABELS or not is_possible:
        raise ValueError("tokens that do not fit the shape")


class _Source(Protocol):
    piece_bytes: int

    def fill(self, piece: NDArray[np.uint8]) -> None:
        """Put the next bytes into an array of zeros."""

    def finish(self) -> None:
        """Refuse what is left over, and a wrong checksum."""


class _PlainSource:
    piece_bytes = _PIECE_BYTES

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def fill(self, piece: NDArray[np.uint8]) -> None:
        _read_into(self._stream, piece)

    def finish(self) -> None:
        _require_end(self._stream)


class _RowSource:
    def __init__(self, stream: BinaryIO, n_tokens: int, width: int) -> None:
        tokens = np.empty(n_tokens, np.uint8)
        _read_into(stream, tokens)
        _require_end(stream)
        self._width = width
        self._decoder = RowDecoder(tokens, width)
        row_bytes = width * LABEL_DTYPE.itemsize
        self.piece_bytes = max(_PIECE_BYTES // row_bytes, 1) * row_bytes

    def fill(self, piece: NDArray[np.uint8]) -> None:
        self._decoder.fill(piece.view(LABEL_DTYPE).reshape(-1, self._width))

    def finish(self) -> None:
        self._decoder.finish()


def _source(stream: Any, header: ObjectHeader, n_tokens: int | None) -> _Source:
    file = cast(BinaryIO, stream)
    if n_tokens is None:
        return _PlainSource(file)
    return _RowSource(file, n_tokens, header.shape[2])


def _take(
    source: _Source, n_bytes: int, hasher: "_Hash | None", *, keeps: bool
) -> NDArray[np.uint8]:
    """Read the next ``n_bytes``, hash each piece while the processor holds it, return them."""
    room = np.zeros(n_bytes if keeps else min(n_bytes, source.piece_bytes), np.uint8)
    for begin in range(0, n_bytes, source.piece_bytes):
        end = min(begin + source.piece_bytes, n_bytes)
        piece = room[begin:end] if keeps else room[: end - begin]
        if not keeps:
            piece[:] = 0
        source.fill(piece)
        if hasher:
            hasher.update(piece.data)
    return room


def _read_into(stream: BinaryIO, room: NDArray[np.uint8]) -> None:
    view = room.data
    while view:
        n_read = cast(Any, stream).readinto(view[:_PIECE_BYTES])
        if not n_read:
            raise EOFError
        view = view[n_read:]


def _require_end(stream: BinaryIO) -> None:
    if stream.read(1):  # it is here, too, that the checksum is compared
        raise ValueError("bytes behind the last array")
