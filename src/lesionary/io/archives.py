"""Archives unpacked into a private folder: whatever they hold, nothing lands outside it.

Members are streamed a piece at a time and counted as they come; what an archive declares of sizes
and names is never trusted. Links and devices are never made, so no member can be led elsewhere.
"""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from lesionary.core.errors import InputError, UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.io.archive_budget import ArchiveLimitError, Budget
from lesionary.io.file_kind import FileKind
from lesionary.io.gzip_stream import BZIP2, GZIP, XZ, InflatedStream
from lesionary.io.limits import KIB, MIB
from lesionary.io.member_names import PACK_AGAIN, PathOutsideError, create_file, shown, steps_of
from lesionary.io.opening import opened, size_of
from lesionary.io.voxels import ByteStream

PIECE = 256 * KIB

CENTRAL_DIRECTORY_BYTES = 40 * MIB
"""A zip's list of members is read whole: this much of it takes some 600 MB of memory."""

TAR_HEADER_BYTES = 4 * MIB
"""A tar's long names and attributes are read whole; no honest file has this much of them."""

_READ_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_ENCRYPTED = 0x1
# What the two libraries raise for bytes that are no archive; RecursionError: headers on headers.
_ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    struct.error,
)
_ARCHIVE_DAMAGE = (*_ZIP_DAMAGE, tarfile.TarError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file that was unpacked.

    Parameters
    ----------
    name : str
        Its path in the archive, safe to show.
    path : Path
        Where it is now; usually the same below the private folder.
    """

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class MemberFinding:
    """What the gate says of one member, or with an empty name of the archive itself."""

    name: str
    finding: Finding


Unpacked = Member | MemberFinding


def unpack(path: Path, kind: FileKind, folder: Path, budget: Budget) -> Iterator[Unpacked]:
    """Unpack an archive, member by member; never raises for what the archive holds.

    Parameters
    ----------
    path : Path
        The archive.
    kind : FileKind
        ``ZIP`` or ``TAR``; the compression of a tar is found by its content.
    folder : Path
        Where to: an empty private folder.
    budget : Budget
        What may still be unpacked.

    Yields
    ------
    Member or MemberFinding
        In the archive's order. A finding on the archive itself is the last that comes.
    """
    members = _zip_members if kind is FileKind.ZIP else _tar_members
    try:
        with opened(path) as file:
            yield from members(file, folder, budget)
    except InputError as error:
        yield MemberFinding("", left_out(error))
    except _ARCHIVE_DAMAGE:
        yield MemberFinding("", left_out(_damaged()))


def left_out(error: InputError) -> Finding:
    """Say with a finding what an error says."""
    return Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")


def _damaged() -> UnreadableSeriesError:
    return UnreadableSeriesError(
        "the archive is cut or damaged from here on; what came before was taken",
        code="truncated",
        hint="copy it again from its source",
    )


def _zip_members(file: io.BufferedReader, folder: Path, budget: Budget) -> Iterator[Unpacked]:
    _require_short_directory(file)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _zip_member(archive, info, folder, budget)


def _zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, budget: Budget
) -> Unpacked:
    name = shown(info.filename)
    try:
        steps = steps_of(info.filename)
        with _open_zip_member(archive, info) as source:
            return Member(shown("/".join(steps)), _copied(source, folder, steps, budget))
    except ArchiveLimitError:
        raise
    except InputError as error:
        return MemberFinding(name, left_out(error))
    except _ZIP_DAMAGE:
        damage = UnreadableSeriesError(
            "the member is cut or damaged",
            code="gzip_corrupt",
            hint="copy the archive again from its source",
        )
        return MemberFinding(name, left_out(damage))


def _require_short_directory(file: io.BufferedReader) -> None:
    """Refuse a list of members that would fill the memory, before the library reads it whole."""
    end_mark, longest_comment = b"PK\x05\x06", 1 << 16
    size = size_of(file)
    file.seek(max(size - longest_comment - 22, 0))
    tail = file.read()
    at = tail.rfind(end_mark)
    declared = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    is_zip64 = declared == 0xFFFFFFFF
    if is_zip64:
        at = tail.rfind(b"PK\x06\x06")
        declared = int.from_bytes(tail[at + 40 : at + 48], "little") if at >= 0 else 0
    file.seek(0)
    if declared > CENTRAL_DIRECTORY_BYTES:
        raise ArchiveLimitError(
            "the archive's list of members is too long to be read",
            hint="unpack it yourself and give the folder",
        )


def _open_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise PathOutsideError("the member is a link or a device", hint=PACK_AGAIN)
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableSeriesError(
            "the member is encrypted",
            code="encrypted",
            hint="unpack the archive with its password and give the folder",
        )
    if info.compress_type not in _READ_METHODS:
        raise UnreadableSeriesError(
            f"the member is packed by a method that is not read ({info.compress_type})",
            code="unreadable",
            hint="unpack the archive yourself and give the folder",
        )
    return archive.open(info)


def _tar_members(file: io.BufferedReader, folder: Path, budget: Budget) -> Iterator[Unpacked]:
    compression = next((c for c in (GZIP, XZ, BZIP2) if file.peek(6).startswith(c.magic)), None)
    raw = file if compression is None else InflatedStream(file, compression)
    stream = _TarStream(raw, budget.renewed())
    with tarfile.TarFile(fileobj=cast(IO[bytes], stream)) as archive:
        while (info := stream.next_header(archive)) is not None:
            if not info.isdir():
                yield _tar_member(archive, info, folder, budget)
    if not stream.met_end_mark:
        raise _damaged()
    stream.drain()


def _tar_member(
    archive: tarfile.TarFile, info: tarfile.TarInfo, folder: Path, budget: Budget
) -> Unpacked:
    name = shown(info.name)
    try:
        steps = steps_of(info.name)
        source = archive.extractfile(info) if info.isreg() else None
        if source is None:
            raise PathOutsideError("the member is a link, a pipe or a device", hint=PACK_AGAIN)
    except PathOutsideError as error:
        return MemberFinding(name, left_out(error))
    with source:
        return Member(shown("/".join(steps)), _copied(source, folder, steps, budget))


class _TarStream:
    """A stream that the tar library believes it can seek in, forwards, with bounded headers.

    Parameters
    ----------
    raw : binary stream
        The unpacked tar.
    budget : Budget
        What may still be read of it, members that are skipped included.
    """

    def __init__(self, raw: ByteStream, budget: Budget) -> None:
        self._raw = raw
        self._budget = budget
        self._position = 0
        self._header_bytes: int | None = 0
        self.met_end_mark = False

    def next_header(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        """Return the next member, or None behind the last."""
        self._header_bytes = 0
        info = archive.next()
        self._header_bytes = None
        cast(Any, archive).members.clear()  # the library keeps every header it has seen
        return info

    def tell(self) -> int:
        """Return how far the stream was read."""
        return self._position

    def seek(self, position: int) -> None:
        """Read on to ``position``."""
        if position < self._position:
            raise tarfile.StreamError("a tar is read forwards only")
        while self._position < position:
            if not self._read(min(position - self._position, PIECE)):
                raise tarfile.ReadError("unexpected end of data")

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes, fewer at the end only."""
        if self._header_bytes is not None:
            self._header_bytes += size
            if self._header_bytes > TAR_HEADER_BYTES:
                raise ArchiveLimitError(
                    "a member's header is too long to be read",
                    hint="unpack it yourself and give the folder",
                )
        pieces = []
        while size and (piece := self._read(min(size, PIECE))):
            pieces.append(piece)
            size -= len(piece)
        data = b"".join(pieces)
        self.met_end_mark = data == bytes(tarfile.BLOCKSIZE)
        return data

    def drain(self) -> None:
        """Read to the end: a compressed stream has its checksum there."""
        while self._read(PIECE):
            pass

    def _read(self, size: int) -> bytes:
        piece = self._raw.read(size) or b""
        self._budget.spend(len(piece))
        self._position += len(piece)
        return piece


def _copied(source: IO[bytes], folder: Path, steps: tuple[str, ...], budget: Budget) -> Path:
    budget.spend_member()
    path, target = create_file(folder, steps)
    try:
        with target:
            while piece := source.read(PIECE):
                budget.spend(len(piece))
                _write(target, piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _write(target: IO[bytes], piece: bytes) -> None:
    try:
        target.write(piece)
    except OSError as error:
        raise ArchiveLimitError(
            f"the archive cannot be unpacked here: {error.strerror or type(error).__name__}",
            hint="set TMPDIR to a folder with more space, or unpack it yourself",
        ) from error
