"""``lesionary new``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(new)


def new(
    study: Path = typer.Argument(..., help="The folder to make."),
    protocol: str = typer.Option("general", help="A shipped protocol, or a .toml file."),
    title: str = typer.Option("", help="The study's title in its report."),
    registry: str | None = typer.Option(
        None,
        help="PostgreSQL database of the registry, postgresql+psycopg://USER@HOST/DATABASE;"
        " without it the registry is a file in the study.",
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Make a study folder from a protocol."""
    from lesionary.app.study import Study

    made = Study.create(study, protocol=protocol, title=title, registry=registry)
    Output(json).emit(
        {"study": str(study), "protocol": made.protocol.name, "id": made.section.id},
        f"Made study {study} with protocol {made.protocol.name}.\n"
        f"Next: lesionary ingest {study} SCANS",
    )
    return DONE
