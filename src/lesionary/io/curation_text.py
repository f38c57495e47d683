"""Curation protocols: those in the package, and a user's own files."""

from importlib import resources
from pathlib import Path

from lesionary.core.errors import InputError
from lesionary.io.study_files import protocol_text, shipped_protocols


def shipped_curations() -> tuple[str, ...]:
    """Return the names of the curation protocols in the package."""
    folder = resources.files("lesionary") / "protocols" / "curation"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def curation_text(name: str) -> str:
    """Return a shipped curation protocol, a whole protocol, or the file that ``name`` leads to.

    Raises
    ------
    InputError
        If there is none of them.
    """
    if name in shipped_curations():
        folder = resources.files("lesionary") / "protocols" / "curation"
        return (folder / f"{name}.toml").read_text("utf-8")
    if name in shipped_protocols() or Path(name).suffix == ".toml":
        return protocol_text(name)
    raise InputError(
        f"no curation protocol `{name}`",
        code="protocol",
        hint=f"shipped: {', '.join(shipped_curations())}; or the path of a .toml file",
    )
