"""``lesionary file deidentify``: DICOM files without identity, under new names."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, log_failures, table
from lesionary.cli.own_words import require_words
from lesionary.cli.source_map import require_place, write_source_map, write_table
from lesionary.core.errors import InputError

if TYPE_CHECKING:
    from lesionary.app.files.deidentification import Deidentified

_CLUTTER = frozenset({"not_a_file", "dicomdir"})
_MOST_RANGES, _MOST_NAMES = 4, 20
_WORD_FIELDS = ("attribute", "word", "count", "outcome")


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
    blank: list[str] = typer.Option(
        [],
        help="A region of pixels with text, US:600x800:0,0,60,800: modality, rows x columns, first"
        " row and column, row and column after the last.",
    ),
    subject: str = typer.Option(None, help="Whose files those are that name no patient."),
    source_map: Path = typer.Option(None, help="Write which source number is which file (0600)."),
    dropped_words: Path = typer.Option(
        None, help="Write which words texts lost, as a table for you alone (0600)."
    ),
    max_nesting: int = typer.Option(None, help="Levels of sequences or archives; 64."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """De-identify DICOM by PS3.15; the vault keeps who is who."""
    from lesionary.app.files.deidentification import Choice, require_places, vault_door
    from lesionary.app.files.deidentification import deidentify as run
    from lesionary.cli.progress import progress
    from lesionary.ingest.deidentify.dropped import DroppedWords
    from lesionary.ingest.deidentify.profile import Profile
    from lesionary.io.limits import Limits

    require_words(word)
    require_places(source, target, vault)
    if source_map is not None:
        require_place(source_map, outside=target, what="the output")
    dropped = None
    if dropped_words is not None:
        _require_words_place(dropped_words, target, source_map)
        dropped = DroppedWords()
    choice = Choice(
        vault=vault,
        added=option,
        left_out=without,
        extra_words=word,
        subject=subject,
        blanks=blank,
        limits=Limits().with_changes(nesting=max_nesting),
    )
    output = Output(json)

    for warning in Profile.default().with_changes(added=option, left_out=without).warnings:
        output.note(f"warning: {warning}")
    with (
        vault_door(choice, when_made=output.note_new_vault, dropped=dropped) as door,
        progress() as bars,
    ):
        done = run(source, target, door, progress=bars)
    if dropped is not None:
        write_table(dropped_words, [_WORD_FIELDS, *map(_written, dropped.rows())])
    if source_map is not None:
        write_source_map(source_map, [(str(number), name) for number, name in done.sources])
    log_failures(done.failures)
    if done.shared_studies:
        studies = counted(len(done.shared_studies), "DICOM study", "DICOM studies")
        output.note(f"warning: {studies} came under two patients: the UIDs tell that both are one")
    output.emit(done.document(), _text(done, target))
    if sys.stderr.isatty() and not json:
        _show_sources(done)
    return exit_code(done)


def _require_words_place(place: Path, target: Path, source_map: Path | None) -> None:
    """Say before anything is read where the table of words must not be written."""
    require_place(
        place, outside=target, what="the output", table="table of dropped words", content="names"
    )
    if source_map is not None and place.resolve() == source_map.resolve():
        raise InputError(
            "the table of dropped words and the source map are one file",
            code="usage",
            hint="name a file for each",
            source=str(place),
        )


def _written(row: tuple[str, str, int, str]) -> tuple[str, ...]:
    keyword, word, count, outcome = row
    return keyword, word, str(count), outcome


def exit_code(done: "Deidentified") -> int:
    """Return 0, 1 where a file was refused as faulty, 2 where nothing came out."""
    refused = [row for row in done.files if row["outcome"] == "refused"]
    is_faulty = any(row["code"] not in _CLUTTER for row in refused)
    if len(refused) == len(done.files):
        return UNUSABLE
    return PARTLY if is_faulty else DONE


def _text(done: "Deidentified", target: Path) -> str:
    """Return the counts and, each reason once, what was not simply released."""
    document = done.document()
    said = (
        f"{target}: {counted(document['released'], 'file')} released,"
        f" {document['quarantined']} quarantined, {document['refused']} refused"
    )
    groups: dict[tuple[str, str, str], list[int]] = {}
    for row in _told(done):
        groups.setdefault((row["outcome"], row["code"], row["reason"]), []).append(row["source"])
    header = ("outcome", "files", "code", "reason", "sources")
    rows = [
        (outcome, str(len(numbers)), code, reason, ranges(numbers))
        for (outcome, code, reason), numbers in sorted(groups.items())
    ]
    return "\n".join(filter(None, (said, table(header, rows))))


def _told(done: "Deidentified") -> Sequence[Mapping[str, Any]]:
    return [row for row in done.files if row["code"]]


def ranges(numbers: Sequence[int]) -> str:
    """Write numbers in ascending order, those in a row as a range, and not too many.

    Examples
    --------
    >>> ranges([0, 3, 4, 5, 9])
    '0, 3–5, 9'
    >>> ranges([0, 2, 4, 6, 8, 10])
    '0, 2, 4, 6, …'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    texts = ["–".join(map(str, run)) for run in runs]
    return ", ".join(texts[:_MOST_RANGES] + ["…"] * (len(texts) > _MOST_RANGES))


def _show_sources(done: "Deidentified") -> None:
    """Name the files behind the numbers, on the user's own terminal only."""
    told = {row["source"] for row in _told(done)}
    named = [(number, name) for number, name in done.sources if number in told]
    for number, name in named[:_MOST_NAMES]:
        sys.stderr.write(f"  {number} = {name}\n")
    if len(named) > _MOST_NAMES:
        sys.stderr.write(f"  … and {len(named) - _MOST_NAMES} more: --source-map FILE has all\n")
