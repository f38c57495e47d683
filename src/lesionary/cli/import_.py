"""``lesionary import``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, Output, counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    archive: Path = typer.Argument(..., help="What `lesionary export` wrote."),
    study: Path = typer.Argument(..., help="The folder to make."),
    registry: str = typer.Option(
        None, help="URL of a PostgreSQL database; default is a file in the study."
    ),
    max_volume_bytes: int = typer.Option(None, help="Largest volume; default 4 GiB."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Make a study of an archive: the same hashes, on another machine or database."""
    from lesionary.app.portable import import_study
    from lesionary.cli.progress import progress
    from lesionary.io.limits import Limits

    limits = Limits().with_changes(volume_bytes=max_volume_bytes)
    with progress() as bars:
        receipt = import_study(archive, study, registry=registry, limits=limits, progress=bars)
    Output(json).emit(
        receipt.document(),
        f"Made study {study}: {counted(receipt.n_objects, 'object')},"
        f" {counted(receipt.n_events, 'event')}, all verified.\n"
        "To ingest more, copy the study's key into this vault.\n"
        f"Next: lesionary run {study}",
    )
    return DONE
