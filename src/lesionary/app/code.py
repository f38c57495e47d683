"""Which Lesionary this is: its version, and a hash over its own sources."""

from functools import cache
from importlib.metadata import version
from pathlib import Path

import lesionary
from lesionary.core.identity import digest


def code_version() -> str:
    """Return the version of the installed package."""
    return version("lesionary")


@cache
def code_digest() -> str:
    """Return the SHA-256 over names and contents of all the package's Python files.

    A version number says nothing of a checkout that somebody changed; this does.
    """
    root = Path(lesionary.__file__).parent
    parts: list[bytes] = []
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes()
        parts += [f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode(), content]
    return digest(parts)
