"""Names of archive members: what they may be, where they land, how they are shown."""

import os
import re
import tempfile
from pathlib import Path
from typing import IO

from lesionary.core.errors import InputError

PACK_AGAIN = "unpack it yourself where you trust it, or have it packed again"

DEEPEST = 64
"""Folders below each other; deeper members land flat."""

_LONGEST_STEP_BYTES = 200
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class PathOutsideError(InputError):
    """An archive member that would land, or lead, outside its folder."""

    code = "path_outside"


def steps_of(name: str) -> tuple[str, ...]:
    r"""Split a member's name into folders and file.

    Backslashes separate too: some programs write them, and on Windows they would.

    Raises
    ------
    PathOutsideError
        If the name is absolute, has a drive, or climbs out with ``..``.

    Examples
    --------
    >>> steps_of("./a\\b.dcm")
    ('a', 'b.dcm')
    """
    slashed = name.replace("\\", "/")
    steps = tuple(step for step in slashed.split("/") if step not in {"", "."})
    if slashed.startswith("/") or _DRIVE.match(slashed) or ".." in steps:
        raise PathOutsideError(
            "the member's name leads out of the archive's folder", hint=PACK_AGAIN
        )
    return steps or ("unnamed",)


def shown(name: str) -> str:
    r"""Write a name so that it can be printed and encoded, whatever bytes it came from.

    Examples
    --------
    >>> shown("a\tb")
    'a\\x09b'
    """
    return _CONTROL.sub(_escaped, name)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def create_file(folder: Path, steps: tuple[str, ...]) -> tuple[Path, IO[bytes]]:
    """Make a new file for a member, at its own place where that is free and lawful.

    Data files are found by their headers that way. Twice the same name, a file where a folder is
    wanted, too long or too deep a name: the member gets a name of its own.
    """
    if len(steps) <= DEEPEST and all(_is_lawful(step) for step in steps):
        path = folder.joinpath(*steps)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return path, path.open("xb")
        except OSError:  # the name is taken, or this file system does not take it
            pass
    handle, name = tempfile.mkstemp(dir=folder)
    return Path(name), os.fdopen(handle, "wb")


def _is_lawful(step: str) -> bool:
    is_short = len(step.encode("utf-8", "surrogatepass")) <= _LONGEST_STEP_BYTES
    return is_short and not _CONTROL.search(step) and not step.endswith((".", " "))
