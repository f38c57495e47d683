"""``lesionary publish``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(publish)


def publish(
    study: Path = typer.Argument(..., help="The study folder."),
    out: Path = typer.Argument(None, help="Where to; default STUDY/release."),
    layout: str = typer.Option("recist", help="recist."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Write the release of what is measured: layout, tables, report, checksums."""
    from lesionary.app.release import publish_study
    from lesionary.app.study import Study
    from lesionary.core.errors import InputError

    if layout != "recist":
        raise InputError(f"no layout `{layout}`", code="usage", hint="layouts: recist")
    opened = Study.open(study)
    receipt = publish_study(opened, out or opened.files.release)
    Output(json).emit(
        receipt.document(),
        f"{receipt.n_images} images, {receipt.n_lesions} lesions: {receipt.release}\n"
        f"Report: {receipt.release}/report.html",
    )
    return DONE
