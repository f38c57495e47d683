"""Protocols with rules of curation: those in the package, and a user's own files."""

from pathlib import Path

from lesionary.core.errors import InputError
from lesionary.io.study_files import protocol_text, shipped_protocols

_ARCHIVE = "idc-"


def shipped_curations() -> tuple[str, ...]:
    """Return the names of the protocols in the package that select from an archive."""
    return tuple(name for name in shipped_protocols() if name.startswith(_ARCHIVE))


def curation_text(name: str) -> str:
    """Return a shipped protocol, or the file that ``name`` leads to.

    Raises
    ------
    InputError
        If there is none of them.
    """
    if name in shipped_protocols() or Path(name).suffix == ".toml":
        return protocol_text(name)
    raise InputError(
        f"no curation protocol `{name}`",
        code="protocol",
        hint=f"shipped: {', '.join(shipped_curations())}; or the path of a .toml file",
    )
