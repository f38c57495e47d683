"""Taking identity out of 200 CT slices: by library calls in memory (row 12), by commands (12b).

Everybody gets the files of :mod:`benchmarks.ct_files` and goes by the rules they bring; private
elements are removed where that is offered. What is left of the twenty tokens is looked for in every
byte that came out.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from benchmarks.ct_files import N_DEIDENTIFIED, TOKENS, n_filled, n_leaked
from benchmarks.lasting import emptied, own_folder, until_end
from benchmarks.race import Contestant, Inputs, Rate, Row

LEAST_RATE = 150.0
"""Files for each second of a core."""

SLICES = f"ct_{N_DEIDENTIFIED}"

Treat: TypeAlias = Callable[[bytes], Sequence[bytes | memoryview]]
"""Returns what becomes of a file, in pieces; nothing where it does not come through."""


class Treated(NamedTuple):
    """What is looked at behind the clock: a way to treat files, and the files."""

    treat: Treat
    contents: Sequence[bytes]


def in_memory(treat: Treat, contents: Sequence[bytes]) -> Treated:
    """Treat every file; nothing is kept, as where files pass through."""
    for content in contents:
        treat(content)
    return Treated(treat, contents)


def told(made: Sequence[bytes], n_given: int) -> str:
    """Say what came through that should not have, and what did not that should have."""
    filled = f", {n_filled(made[0])} elements filled" if made else ""
    n_lost = n_given - len(made)
    return f"{n_leaked(made)} of {len(TOKENS)} tokens left, {n_lost} files lost{filled}"


def told_of_memory(treated: Treated) -> str:
    """Look at every byte that comes out."""
    out = (b"".join(treated.treat(content)) for content in treated.contents)
    return told([content for content in out if content], len(treated.contents))


def told_of_folder(target: Path) -> str:
    """Look at every file that came out."""
    made = sorted(path for path in target.rglob("*.dcm") if path.is_file())
    return told([path.read_bytes() for path in made], N_DEIDENTIFIED)


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def with_door(ct_200: Path) -> Inputs:
    """Give files in memory, and a door whose vault is this process's own."""
    from lesionary.app.door import Door
    from lesionary.app.files.deidentification import Choice, vault_door

    door: Door = until_end(vault_door(Choice(vault=str(own_folder() / "vault.db"))))
    return {"treat": lambda content: door.take(content).chunks, "contents": _contents(ct_200)}


def with_dataset(change: Callable[[], Callable[[Any], Any]], ct_200: Path) -> Inputs:
    """Give files in memory, and a peer's function between pydicom's reading and writing.

    Parameters
    ----------
    change : callable
        Imports the peer and returns what changes a data set in place, or returns another.
    ct_200 : Path
    """
    from pydicom import dcmread

    changed = change()

    def treat(content: bytes) -> Sequence[bytes]:
        ds = dcmread(BytesIO(content))
        ds = changed(ds) or ds
        out = BytesIO()
        ds.save_as(out)
        return (out.getvalue(),)

    return {"treat": treat, "contents": _contents(ct_200)}


def dicom_anonymizer() -> Callable[[Any], Any]:
    """Return dicom-anonymizer's own call."""
    from dicomanonymizer import anonymize_dataset

    return partial(anonymize_dataset, delete_private_tags=True)


def dicognito() -> Callable[[Any], Any]:
    """Return dicognito's own call; one object for all files of a patient, as its users are told."""
    from dicognito.anonymizer import Anonymizer

    return Anonymizer().anonymize


def deid() -> Callable[[Any], Any]:
    """Return deid's own call with the recipe that it brings."""
    from deid.config import DeidRecipe
    from deid.dicom import replace_identifiers

    recipe = DeidRecipe()

    def change(ds: Any) -> Any:
        return replace_identifiers(ds, deid=recipe, save=False, remove_private=True)[0]

    return change


def in_folder(command: Callable[[Path, Path], list[str]], ct_200: Path) -> Inputs:
    """Give a command with its input and where its output goes."""
    folder = own_folder()
    return {"command": command(ct_200, folder), "target": folder / "out"}


def empty_target(command: list[str], target: Path) -> Inputs:
    """Empty the folder for the output."""
    return {"command": command, "target": emptied(target)}


def run(command: list[str], target: Path) -> Path:
    """Run a command to its end."""
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return target


def _module(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", *map(str, words)]


def our_command(source: Path, folder: Path) -> list[str]:
    """Return this package's command; its vault is made by the first, untimed call."""
    vault = folder / "vault" / "vault.db"
    return _module(
        "lesionary", "file", "deidentify", source, folder / "out", "--vault", vault, "--json"
    )


def dicom_anonymizer_command(source: Path, folder: Path) -> list[str]:
    """Return dicom-anonymizer's command."""
    return _module("dicomanonymizer.anonymizer", source, folder / "out")


def dicognito_command(source: Path, folder: Path) -> list[str]:
    """Return dicognito's command."""
    return _module("dicognito", "--quiet", "--output-directory", folder / "out", source)


def deid_command(source: Path, folder: Path) -> list[str]:
    """Return deid's command."""
    words = ("--quiet", "--outfolder", folder / "out", "identifiers", "--action", "all")
    program = Path(sys.executable).with_name("deid")
    return [str(word) for word in (program, *words, "--input", source)]


def _library(package: str, change: Callable[[], Callable[[Any], Any]], note: str) -> Contestant:
    return Contestant(
        package,
        in_memory,
        note,
        (package, "pydicom"),
        partial(with_dataset, change),
        told_of_memory,
    )


def _command(name: str, command: Callable[[Path, Path], list[str]], note: str) -> Contestant:
    is_ours = name.startswith("lesionary")
    return Contestant(
        name,
        run,
        note,
        ("pydicom",) if is_ours else (name.split(maxsplit=1)[0], "pydicom"),
        partial(in_folder, command),
        told_of_folder,
        empty_target,
        is_ours=is_ours,
        is_elsewhere=True,
    )


ROW_12 = Row(
    "12",
    "Take identity out of 200 CT slices in memory",
    (SLICES,),
    (
        Contestant(
            "lesionary Door.take",
            in_memory,
            "every element judged; pixel data are passed on, not copied",
            ("pydicom",),
            with_door,
            told_of_memory,
            is_ours=True,
        ),
        _library("dicom-anonymizer", dicom_anonymizer, "the basic profile's table"),
        _library("dicognito", dicognito, "names, numbers, dates and UIDs only"),
        _library("deid", deid, "its own recipe, which leaves no UID"),
    ),
    (Rate(LEAST_RATE),),
    n_files=N_DEIDENTIFIED,
    about=(
        "Bytes to bytes, file by file, nothing kept. The tokens stand in the same twenty places of "
        "every file (`benchmarks/ct_files.py`), in the preamble, an overlay, the padding and an "
        "unknown element too. *Elements filled* are those of the top level that still say "
        "something, of 95 that did: to leave nothing would be safe, and of no use."
    ),
)
ROW_12B = Row(
    "12b",
    "Take identity out of 200 CT slices, from folder to folder",
    (SLICES,),
    (
        _command("lesionary file deidentify", our_command, "with a vault; every file synced"),
        _command("dicom-anonymizer", dicom_anonymizer_command, "nothing synced"),
        _command("dicognito", dicognito_command, "nothing synced"),
        _command(
            "deid identifiers",
            deid_command,
            "nothing synced; the command has no way to remove private elements",
        ),
    ),
    (Rate(LEAST_RATE),),
    n_files=N_DEIDENTIFIED,
    about="Whole commands, start of the interpreter and imports included.",
)
ROWS = (ROW_12, ROW_12B)
