"""``lesionary file deidentify``: DICOM files without identity, under new names."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, log_failures, table
from lesionary.cli.source_map import require_place, write_source_map

if TYPE_CHECKING:
    from lesionary.app.files.deidentification import Deidentified

_CLUTTER = frozenset({"not_a_file", "dicomdir"})


def deidentify(
    source: Path = typer.Argument(..., metavar="IN", help="A DICOM file, folder or archive."),
    target: Path = typer.Argument(..., metavar="OUT", help="A folder for what is released."),
    vault: str = typer.Option(
        None, help="URL of the vault's database, or its folder; default: yours."
    ),
    option: list[str] = typer.Option(
        [], help="An option of the basic profile to add, as often as needed: retain_uids, …"
    ),
    without: list[str] = typer.Option([], help="An option of the usual ones to leave out."),
    word: list[str] = typer.Option([], help="A word of your own that texts may keep."),
    subject: str = typer.Option(None, help="Whose files those are that name no patient."),
    source_map: Path = typer.Option(None, help="Write which source number is which file (0600)."),
    max_nesting: int = typer.Option(None, help="Levels of sequences or archives; 64."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """De-identify DICOM by PS3.15; the vault keeps who is who."""
    from lesionary.app.files.deidentification import Choice, vault_door
    from lesionary.app.files.deidentification import deidentify as run
    from lesionary.cli.progress import progress
    from lesionary.io.limits import Limits

    if source_map is not None:
        require_place(source_map, outside=target, what="the output")
    choice = Choice(
        vault=vault,
        added=option,
        left_out=without,
        extra_words=word,
        subject=subject,
        limits=Limits().with_changes(nesting=max_nesting),
    )
    with vault_door(choice) as door, progress() as bars:
        done = run(source, target, door, progress=bars)
    if source_map is not None:
        write_source_map(source_map, [(str(number), name) for number, name in done.sources])
    log_failures(done.failures)
    Output(json).emit(done.document(), _text(done, target))
    return exit_code(done)


def exit_code(done: "Deidentified") -> int:
    """Return 0, 1 where a file was refused as faulty, 2 where nothing came out."""
    refused = [row for row in done.files if row["outcome"] == "refused"]
    is_faulty = any(row["code"] not in _CLUTTER for row in refused)
    if len(refused) == len(done.files):
        return UNUSABLE
    return PARTLY if is_faulty else DONE


def _text(done: "Deidentified", target: Path) -> str:
    document = done.document()
    said = (
        f"{target}: {counted(document['released'], 'file')} released,"
        f" {document['quarantined']} quarantined, {document['refused']} refused"
    )
    rows = [
        (str(row["source"]), row["outcome"], row["code"], row["reason"])
        for row in done.files
        if row["outcome"] != "released"
    ]
    return "\n".join(filter(None, (said, table(("source", "outcome", "code", "reason"), rows))))
