"""``lesionary upgrade``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(upgrade)


def upgrade(
    study: Path = typer.Argument(..., help="A study that an older Lesionary made."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Bring a study's registry up to this Lesionary's schema, and keep a copy of the old one."""
    from lesionary.app.upgrade import upgrade_study

    report = upgrade_study(study)
    Output(json).emit(report.document(), report.text())
    return DONE
