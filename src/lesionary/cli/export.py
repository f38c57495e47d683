"""``lesionary export``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, Output, counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    study: Path = typer.Argument(..., help="The study folder."),
    archive: Path = typer.Argument(..., help="The file to write, such as study.tar."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Write a study as one archive that another machine and database can read."""
    from lesionary.app.portable import export_study
    from lesionary.app.study import Study
    from lesionary.cli.progress import progress
    from lesionary.io.limits import in_words

    with progress() as bars:
        receipt = export_study(Study.open(study), archive, progress=bars)
    Output(json).emit(
        receipt.document(),
        f"{archive}: {in_words(receipt.n_bytes)}, {counted(receipt.n_objects, 'object')},"
        f" {counted(receipt.tables['event'], 'event')}\n"
        f"SHA-256: {receipt.sha256}\n"
        "The study's key is not in it: it moves by itself, from vault to vault.\n"
        f"Next, there: lesionary import {archive.name} STUDY",
    )
    return DONE
