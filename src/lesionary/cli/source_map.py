"""Tables that tell who is who: 0600, never inside what is given away.

The source map says which source number is which file, the dropped words what texts lost.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from lesionary.core.errors import InputError


def require_place(
    source_map: Path,
    *,
    outside: Path,
    what: str,
    table: str = "source map",
    content: str = "file names",
) -> None:
    """Say before anything is read that a table of it could not, or must not, be written there.

    Parameters
    ----------
    source_map : Path
    outside : Path
        What is given away, or kept for others.
    what : str
        What that is called.
    table, content : str
        What the table is called, and what it holds.

    Raises
    ------
    InputError
        If it would lie inside ``outside``, or in no folder, or is a folder.
    """
    if source_map.resolve().is_relative_to(outside.resolve()):
        raise InputError(
            f"the {table} must not lie inside {what}: it holds {content}",
            code="usage",
            hint="name a file elsewhere, that only you read",
            source=str(source_map),
        )
    if source_map.is_dir() or not source_map.absolute().parent.is_dir():
        raise InputError(
            f"the {table} cannot be written: its folder does not exist, or it is a folder itself",
            code="not_writable",
            hint="name a file in a folder that is there",
            source=str(source_map),
        )


def write_source_map(path: Path, sources: Iterable[tuple[str, str]]) -> None:
    """Write a line a source: its number, a tab, its name.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    write_table(path, sources)


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows with tabs between their fields into a file that only its owner can read.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    from lesionary.io.durable import require_file, writing

    require_file(path)
    with writing():
        path.unlink(missing_ok=True)  # an older file may have been readable for others
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines("\t".join(row) + "\n" for row in rows)
