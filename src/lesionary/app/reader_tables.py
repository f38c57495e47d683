"""Tables that a reader gets to edit, and those that come back."""

from pathlib import Path

from lesionary.core.errors import InputError, LesionaryError, WorkflowError
from lesionary.io.durable import replacing, writing
from lesionary.io.limits import MIB
from lesionary.io.opening import opened, size_of

HINT = "correct these rows; docs/how-to/follow-lesions.md says what each column holds"

LARGEST_BYTES = 64 * MIB
"""Hundreds of thousands of rows; what is larger is something else."""


def read_table_text(path: Path) -> str:
    """Read a table that a user names.

    Raises
    ------
    InputError
        If it cannot be read, is no UTF-8, or is larger than any such table.
    """
    try:
        with opened(path) as file:
            if size_of(file) > LARGEST_BYTES:
                raise InputError(
                    f"a table of {size_of(file)} bytes is larger than {LARGEST_BYTES}",
                    code="too_large",
                    hint="name a table of lesions",
                )
            content: bytes = file.read()
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            "the table is not UTF-8",
            code="bad_table",
            hint="save it as CSV in UTF-8",
            source=str(path),
        ) from None
    except LesionaryError as error:
        raise error.at(str(path)) from None


def write_new_table(path: Path, text: str) -> None:
    """Write a table under a name that is free: another may hold somebody's edits.

    Raises
    ------
    WorkflowError
        Codes ``table_taken`` and ``not_writable``.
    """
    if path.exists():
        raise WorkflowError(
            "there is such a file already, and it may hold somebody's edits",
            code="table_taken",
            hint="name another, or move it away",
            source=str(path),
        )
    with writing(path.parent), replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
