"""Opening the files that a user or a header names, without surprises."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from lesionary.core.errors import UnreadableSeriesError


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a regular file that is not empty.

    Raises
    ------
    UnreadableSeriesError
        ``not_a_file`` for folders, pipes and devices (a pipe would block), ``empty_file``, and
        ``unreadable`` where the system refuses, now or while it is read.
    """
    try:
        if not path.is_file():
            message = "a folder, pipe or device" if path.exists() else "there is no such file"
            raise UnreadableSeriesError(message, code="not_a_file", hint="name a file")
        if path.stat().st_size == 0:
            raise UnreadableSeriesError(
                "the file has zero bytes",
                code="empty_file",
                hint="copy the file again from where it came",
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UnreadableSeriesError(
            f"the file cannot be read: {error.strerror or type(error).__name__}",
            code="unreadable",
            hint="see to the permissions of the file and its folder",
        ) from error


def size_of(file: io.BufferedReader) -> int:
    """Return the size of an open file in bytes."""
    return os.fstat(file.fileno()).st_size


def detached_file(header: Path, name: str) -> Path:
    """Return the data file that a header names, if it lies in the header's own folder or below.

    Raises
    ------
    UnreadableSeriesError
        ``path_outside`` where the name, or the link it leads to, points elsewhere; ``no_pixels``
        where there is no such file.
    """
    folder = header.parent.resolve()
    try:
        target = (folder / PurePosixPath(name.replace("\\", "/"))).resolve()
        is_there = target.is_file()
    except (OSError, ValueError):  # no file system takes such a name
        target, is_there = folder, False
    if not target.is_relative_to(folder):
        raise UnreadableSeriesError(
            "the header names a data file outside its own folder",
            code="path_outside",
            hint="put header and data into one folder and let the header name the bare file",
        )
    if not is_there:
        raise UnreadableSeriesError(
            "the data file that the header names is not there",
            code="no_pixels",
            hint="put header and data into one folder",
        )
    return target
