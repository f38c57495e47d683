"""Compressed streams, read forwards in bounded pieces and written the same bytes every time.

Whatever a stream claims, one call unpacks at most :data:`PIECE` bytes, so a bomb costs no memory.
gzip and zlib go through ``isal``, which is some three times as fast as Python's own and checks the
checksums; bzip2 and xz through the standard library.
"""

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from isal import igzip_lib, isal_zlib

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.limits import KIB, MIB

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE = 256 * KIB
"""Bytes read or unpacked at a time; fits the second-level cache."""

XZ_MEMORY_BYTES = 256 * MIB
"""An xz stream may ask for a dictionary of up to 4 GiB; the tool's strongest level takes 65 MiB."""

DEFLATE_LARGEST_RATIO = 1032
"""No deflate stream unpacks to more than this many times its size: 258 bytes in two bits."""

_DAMAGED: tuple[type[Exception], ...] = (
    cast(type[Exception], igzip_lib.IsalError),
    lzma.LZMAError,
    OSError,
    ValueError,
    EOFError,
)

_LEVEL = 1
_WINDOW_BITS = {"gzip": 31, "zlib": 15}


class Inflater(Protocol):
    """What ``igzip_lib``, ``bz2`` and ``lzma`` decompressors have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was met, and its checksum is right."""

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to unpack without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """Bytes behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Unpack at most ``max_length`` bytes."""


@dataclass(frozen=True, slots=True)
class Compression:
    """One format of compressed streams.

    Parameters
    ----------
    name : str
        For messages.
    magic : bytes
        What every stream begins with; where it is empty, no second stream may follow the first.
    new_inflater : callable
        Makes what unpacks one stream.
    largest_ratio : int, optional
        Unpacked to packed bytes at most; None where the format sets no useful bound.
    """

    name: str
    magic: bytes
    new_inflater: Callable[[], Inflater]
    largest_ratio: int | None = None


def _gzip_inflater() -> Inflater:
    inflater: Inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return inflater


def _zlib_inflater() -> Inflater:
    inflater: Inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    return inflater


def _xz_inflater() -> Inflater:
    return lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES)


GZIP = Compression("gzip", b"\x1f\x8b", _gzip_inflater, DEFLATE_LARGEST_RATIO)
ZLIB = Compression("zlib", b"", _zlib_inflater, DEFLATE_LARGEST_RATIO)
BZIP2 = Compression("bzip2", b"BZh", bz2.BZ2Decompressor)
XZ = Compression("xz", b"\xfd7zXZ\x00", _xz_inflater)


class InflatedStream(io.RawIOBase):
    """The unpacked bytes of a compressed file, forwards only.

    Several streams one behind the other, as ``bgzip`` writes them, read as one; zeros behind the
    last are padding.

    Parameters
    ----------
    file : binary file
        Positioned at the start of the stream. Not closed by this object.
    compression : Compression
        Its format.

    Raises
    ------
    UnreadableSeriesError
        While reading: ``truncated`` where the file ends within a stream, ``gzip_corrupt`` where
        the stream or its checksum is wrong, ``gzip_oversized`` where other bytes follow it.
    """

    def __init__(self, file: io.BufferedIOBase, compression: Compression) -> None:
        super().__init__()
        self._file = file
        self._compression = compression
        self._inflater = compression.new_inflater()
        self._put_back = b""
        self._is_done = False

    def readable(self) -> bool:
        """Tell that this stream can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Unpack into ``buffer`` and return how many bytes; 0 at the end only."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), PIECE)
        while wanted and not self._is_done:
            piece = self._next_piece(wanted)
            if piece:
                view[: len(piece)] = piece
                return len(piece)
        return 0

    def _next_piece(self, wanted: int) -> bytes:
        if self._inflater.eof:
            self._start_next_stream()
            return b""
        data = b""
        if self._inflater.needs_input:
            data = self._put_back or self._file.read(PIECE)
            self._put_back = b""
            if not data:
                raise UnreadableSeriesError(
                    f"the {self._compression.name} stream ends before its end mark",
                    code="truncated",
                    hint="copy the file again from its source",
                )
        try:
            return self._inflater.decompress(data, wanted)
        except _DAMAGED as error:
            raise UnreadableSeriesError(
                f"the {self._compression.name} stream is damaged, or its checksum is wrong",
                code="gzip_corrupt",
                hint="copy the file again from its source",
            ) from error

    def _start_next_stream(self) -> None:
        rest = self._inflater.unused_data.lstrip(b"\0")
        while not rest:
            piece = self._file.read(PIECE)
            if not piece:
                self._is_done = True
                return
            rest = piece.lstrip(b"\0")
        rest += self._file.read(len(self._compression.magic))
        if not self._compression.magic or not rest.startswith(self._compression.magic):
            raise UnreadableSeriesError(
                f"other bytes follow the {self._compression.name} stream",
                code="gzip_oversized",
                hint="write the file again: what is behind its end belongs to no image",
            )
        self._put_back = rest
        self._inflater = self._compression.new_inflater()


class Deflater:
    """Compress to a file at the fastest level; the same input gives the same bytes.

    No file name and no time enter the stream. Bytes may differ between processor families, whose
    fastest match finders differ; what they unpack to does not.

    Parameters
    ----------
    file : binary file
        Where the stream goes.
    container : str
        ``gzip`` or ``zlib``.
    """

    def __init__(self, file: BinaryIO, container: str = "gzip") -> None:
        self._file = file
        self._engine: Any = isal_zlib.compressobj(
            _LEVEL, isal_zlib.DEFLATED, _WINDOW_BITS[container]
        )

    def write(self, data: bytes | memoryview) -> None:
        """Compress ``data`` behind what came before."""
        self._file.write(self._engine.compress(data))

    def finish(self) -> None:
        """Write the end of the stream; the file stays open."""
        self._file.write(self._engine.flush())


@contextmanager
def deflating(file: BinaryIO, container: str = "gzip") -> Iterator[Deflater]:
    """Give a :class:`Deflater` whose stream is ended where the block ends well."""
    deflater = Deflater(file, container)
    yield deflater
    deflater.finish()
