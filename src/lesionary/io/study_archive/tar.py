"""Tar with one spelling: a member's header is what its name and size give, and nothing else.

What is read is compared with what would have been written, byte by byte. So no link, device, second
spelling, attribute or changed bit of a header, of padding or of the end gets by.
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Protocol

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.member_names import shown
from lesionary.io.study_archive.layout import (
    CHECKSUMS,
    PART_BYTES,
    PIECE_BYTES,
    ROW_BYTES,
    changed,
    no_archive,
)

BLOCK_BYTES = tarfile.BLOCKSIZE
_END = bytes(2 * BLOCK_BYTES)


class Hash(Protocol):
    """The part of a hash that is used here."""

    def update(self, piece: bytes, /) -> None:
        """Take in a piece."""
        ...

    def hexdigest(self) -> str:
        """Return the hash of all pieces."""
        ...


@dataclass(slots=True)
class TarWriter:
    """Writes members one after the other, and at the end the list of their hashes.

    Parameters
    ----------
    file : binary file
        Where the archive goes.
    sums : binary file
        A temporary one for the list: a big study's does not fit into memory.
    """

    file: IO[bytes]
    sums: IO[bytes]
    n_bytes: int = 0
    _hash: Hash = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        """The hash of all that is written so far."""
        return self._hash.hexdigest()

    def add_bytes(self, name: str, content: bytes) -> None:
        """Write a small member."""
        self.add(name, len(content), [content])

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> str:
        """Write a member and return its hash.

        Raises
        ------
        WorkflowError
            Code ``changed_meanwhile`` where the pieces are not of that size.
        """
        own = self._member(name, size, pieces)
        self.sums.write(checksum_line(own, name))
        return own

    def finish(self) -> None:
        """Write the list of hashes and the end."""
        size = self.sums.tell()
        self.sums.seek(0)
        self._member(CHECKSUMS, size, pieces_of(self.sums))
        self._write(_END)

    def _member(self, name: str, size: int, pieces: Iterable[bytes]) -> str:
        self._write(_header(name, size))
        state, n_written = hashlib.sha256(), 0
        for piece in pieces:
            n_written += len(piece)
            state.update(piece)
            self._write(piece)
        if n_written != size:
            raise WorkflowError(
                "a file of the study changed while it was read",
                code="changed_meanwhile",
                hint="export again once nobody works on the study",
                source=name,
            )
        self._write(bytes(-size % BLOCK_BYTES))
        return state.hexdigest()

    def _write(self, content: bytes) -> None:
        self.file.write(content)
        self._hash.update(content)
        self.n_bytes += len(content)


@dataclass(slots=True)
class TarReader:
    """Reads members in the order in which they come.

    ``name`` and ``size`` are those of the present member, ``digest`` is the hash of the one before.
    """

    file: IO[bytes]
    sums: IO[bytes]
    name: str = ""
    size: int = 0
    digest: str = ""

    def __post_init__(self) -> None:
        try:
            self._next()
        except InputError:
            raise no_archive() from None

    def pieces(self) -> Iterator[bytes]:
        """Yield the member's content, and go on to the next one."""
        state, left = hashlib.sha256(), self.size
        while left:
            piece = self._read(min(left, PIECE_BYTES))
            state.update(piece)
            left -= len(piece)
            yield piece
        self._pass_padding()
        self.digest = state.hexdigest()
        self.sums.write(checksum_line(self.digest, self.name))
        self._next()

    def content(self, most_bytes: int) -> bytes:
        """Return a small member's content, and go on to the next one."""
        if self.size > most_bytes:
            raise changed(self.name, f"it is larger than the {most_bytes} bytes that one may be")
        return b"".join(self.pieces())

    def part(self) -> bytes:
        """Return a part of a table, and go on to the next member."""
        return self.content(PART_BYTES + ROW_BYTES)

    def finish(self) -> None:
        """Hold the archive's list of hashes against what was read, and see it end there."""
        if self.name != CHECKSUMS:
            raise unexpected(self.name)
        self.sums.seek(0)
        left = self.size
        for line in self.sums:
            told = self._read(len(line)) if len(line) <= left else b""
            if told != line:
                name = line.rstrip(b"\n").partition(b"  ")[2].decode()
                raise changed(name, "its content is not what the archive's list of hashes says")
            left -= len(line)
        if left:
            raise changed(CHECKSUMS, "it lists members that are not there")
        self._pass_padding()
        if self._read(len(_END)) != _END or self.file.read(1):
            raise changed(CHECKSUMS, "something follows it")

    def _next(self) -> None:
        self.name, before = "", self.name
        block = self.file.read(BLOCK_BYTES)
        if len(block) < BLOCK_BYTES:
            raise _truncated(before)
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            is_ours = _header(info.name, info.size) == block
        except (tarfile.HeaderError, ValueError, WorkflowError):
            raise changed(before, "what follows it is damaged") from None
        if not is_ours:
            raise unexpected(info.name)
        self.name, self.size = info.name, info.size

    def _read(self, n_bytes: int) -> bytes:
        piece = self.file.read(n_bytes)
        if len(piece) < n_bytes:
            raise _truncated(self.name)
        return piece

    def _pass_padding(self) -> None:
        if self._read(-self.size % BLOCK_BYTES).strip(b"\0"):
            raise changed(self.name, "something lies between it and the next")


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's content."""
    while piece := file.read(PIECE_BYTES):
        yield piece


def checksum_line(digest: str, name: str) -> bytes:
    """Return a line as ``sha256sum`` writes it."""
    return f"{digest}  {name}\n".encode()


def unexpected(name: str) -> InputError:
    """Refuse a member that no export writes, or not there."""
    return changed(shown(name), "an archive of a study has no such member there")


def _truncated(name: str) -> InputError:
    return InputError(
        "the archive ends within or behind this member",
        code="truncated",
        hint="copy it again from its source",
        source=shown(name),
    )


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except ValueError:
        raise WorkflowError(
            "a file of the study has too long a name or is too large to travel",
            code="archive_limit",
            hint="a name has at most 100 bytes below its folder, a file at most 8 GiB",
            source=shown(name),
        ) from None
