"""Writes that are either whole or not there.

A file is written under a temporary name in its own folder, flushed to the disk, and renamed. A
process killed at any moment leaves the old file or the new one, never a half.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from lesionary.core.errors import WorkflowError

PARTIAL = ".partial-"
"""Names that start so are leftovers of a killed process."""


@contextmanager
def writing() -> Iterator[None]:
    """Say in words why the system refuses to write: a full disk, no permission, no such folder.

    Raises
    ------
    WorkflowError
        Code ``not_writable``, in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise WorkflowError(
            f"the system refuses to write: {error.strerror or type(error).__name__}",
            code="not_writable",
            hint="see to free space, to permissions, and to the name of the output",
        ) from error


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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; rename it to ``path`` when the block ends well.

    Where the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    temporary = partial_name(path)
    with writing():
        try:
            yield temporary
            flush_to_disk(temporary)
            temporary.replace(path)
            flush_to_disk(path.parent)
        finally:
            _discard(temporary)


def _discard(temporary: Path) -> None:
    # A name that the system refused to write it refuses to remove: the first reason is the better.
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
