"""Writes that are either whole or not there.

A file is written under a temporary name in its own folder, flushed to the disk, and renamed. A
process killed at any moment leaves the old file or the new one, never a half.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from lesionary.core.errors import WorkflowError
from lesionary.io.limits import in_words

PARTIAL = ".partial-"
"""Names that start so are leftovers of a killed process."""

_HINT = "see to free space, to permissions, and to the name of the output"
_HINTS = {
    errno.ENOSPC: "free space on the disk, then run the same command again: it goes on",
    errno.EDQUOT: "free space within your quota, then run the same command again: it goes on",
    errno.EROFS: "the disk may only be read: mount it for writing, or copy the study elsewhere",
    errno.ENOENT: "a folder of the output's name is not there: make it, or name another",
    errno.EEXIST: "a file stands where the output needs a folder: name another",
    errno.ENOTDIR: "a file stands where the output needs a folder: name another",
    errno.EACCES: "ask the owner of the folder for permission to write in it",
}


_AT_CWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a kernel or a disk says that has no exchange of names."""


@contextmanager
def writing(place: Path | None = None) -> Iterator[None]:
    """Say in words why the system refuses to write: a full disk, no permission, no such folder.

    Parameters
    ----------
    place : Path, optional
        Where it is written to: a full disk is then told with the space that is left.

    Raises
    ------
    WorkflowError
        Code ``not_writable``, in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WorkflowError(
            f"the system refuses to write: {reason}{_space_left(error, place)}",
            code="not_writable",
            hint=_HINTS.get(error.errno or 0, _HINT),
        ) from error


def _space_left(error: OSError, place: Path | None) -> str:
    if error.errno != errno.ENOSPC or place is None:
        return ""
    for folder in (place, *place.absolute().parents):
        with suppress(OSError):
            return f" ({in_words(shutil.disk_usage(folder).free)} free)"
    return ""


def partial_name(path: Path) -> Path:
    """Return a temporary sibling of ``path`` that keeps its endings (readers go by them)."""
    return path.with_name(f"{PARTIAL}{uuid4().hex[:12]}-{path.name}")


def flush_to_disk(path: Path) -> None:
    """Wait until a file or a folder's entries are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no handle for a folder's entries
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path, *, below: Path | None = None) -> None:
    """Make a folder, with those above it, and wait until their entries are on the disk.

    Parameters
    ----------
    path : Path
    below : Path, optional
        A folder above it that must be there: where it was moved away, it is not made again.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    if path.is_dir():
        return
    if path.parent != below:
        make_folder(path.parent, below=below)
    with writing(path):
        path.mkdir(exist_ok=True)
        flush_to_disk(path.parent)


def exchange(one: Path, other: Path) -> bool:
    """Let two files or folders change names in one step; tell whether that can be done here.

    Linux and macOS know it, not every disk does; elsewhere nothing happens.

    Raises
    ------
    OSError
        If the system refuses, such as for want of permission.
    """
    import ctypes

    libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        refused = libc.renameat2(_AT_CWD, names[0], _AT_CWD, names[1], _RENAME_EXCHANGE)
    elif hasattr(libc, "renamex_np"):
        refused = libc.renamex_np(*names, _RENAME_SWAP)
    else:
        return False
    code = ctypes.get_errno() if refused else 0
    if code and code not in _CANNOT_EXCHANGE:
        raise OSError(code, os.strerror(code), str(one), None, str(other))
    return not code


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; rename it to ``path`` when the block ends well.

    Where the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    require_file(path)
    temporary = partial_name(path)
    with writing(path.parent):
        try:
            yield temporary
            flush_to_disk(temporary)
            temporary.replace(path)
            flush_to_disk(path.parent)
        finally:
            _discard(temporary)


def require_file(path: Path) -> None:
    """Raise unless a name is free or a file's: a device that is replaced is gone for everybody.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    with writing(path):
        is_taken = path.exists() and not path.is_file()
    if is_taken:
        raise WorkflowError(
            "what has the output's name is no file but a folder or a device",
            code="not_writable",
            hint="name a file",
        )


def _discard(temporary: Path) -> None:
    # A name that the system refused to write it refuses to remove: the first reason is the better.
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
