"""Tables and figures of a comparison, written as one folder with checksums."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError, LesionaryError
from lesionary.io.durable import writing
from lesionary.io.release_files import (
    CHECKSUMS,
    MANIFEST,
    ReleaseWriter,
    list_files,
    read_manifest,
)

if TYPE_CHECKING:
    from lesionary.publish.comparison.picture import Picture
    from lesionary.publish.comparison.tables import Table

KIND = "lesionary-comparison"


def write_comparison(
    folder: Path,
    tables: "Iterable[Table]",
    pictures: "Iterable[Picture]",
    *,
    about: Mapping[str, Any],
) -> list[str]:
    """Write every table as CSV, JSON and LaTeX and every figure as SVG and PNG.

    Parameters
    ----------
    folder : Path
        New, empty, or an earlier comparison, which is replaced as a whole.
    about : mapping
        What the manifest says of how the figures were made.

    Returns
    -------
    list of str
        Paths below the folder.

    Raises
    ------
    InputError
        If something else stands there.
    """
    try:
        with writing():  # a name may be longer than the system's names
            _require_replaceable(folder)
        return _write(folder, tables, pictures, about)
    except LesionaryError as error:
        raise error.at(str(folder)) from None


def _write(
    folder: Path,
    tables: "Iterable[Table]",
    pictures: "Iterable[Picture]",
    about: Mapping[str, Any],
) -> list[str]:
    writer = ReleaseWriter(folder)
    try:
        written = add_comparison(writer, "", tables, pictures)
        writer.settle(
            {
                "kind": KIND,
                "schema": 1,
                "software": {"name": "lesionary", "version": version("lesionary")},
                **about,
            }
        )
    finally:
        writer.discard()
    return [*written, MANIFEST]


def _require_replaceable(folder: Path) -> None:
    """Refuse a place where anything stands that no comparison wrote: it would be lost."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    manifest = read_manifest(folder) or {}
    if manifest.get("kind") != KIND:
        raise InputError(
            "something that is no comparison stands there",
            code="usage",
            hint="name a new folder, or an earlier comparison",
            source=str(folder),
        )
    files = manifest.get("files")
    known = {*files} if isinstance(files, dict) else set()
    if foreign := sorted(list_files(folder) - {*known, MANIFEST, CHECKSUMS}):
        raise InputError(
            f"beside the earlier comparison stands something else: {foreign[0]}",
            code="usage",
            hint="move it away, or name a new folder",
            source=str(folder),
        )


def add_comparison(
    writer: ReleaseWriter, below: str, tables: "Iterable[Table]", pictures: "Iterable[Picture]"
) -> list[str]:
    """Write tables and figures into what is being written, below a folder; return their paths."""
    written = []
    for table in tables:
        for name, text in table.files():
            writer.add_text(f"{below}tables/{name}", text)
            written.append(f"{below}tables/{name}")
    for picture in pictures:
        for name, data in picture.files():
            writer.add_bytes(f"{below}figures/{name}", data)
            written.append(f"{below}figures/{name}")
    return written
