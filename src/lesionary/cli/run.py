"""``lesionary run``: every stage that is due."""

from pathlib import Path

import typer

from lesionary.cli.stages import run_stages
from lesionary.cli.words import ClusterName


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    study: Path = typer.Argument(..., help="The study folder."),
    cluster: ClusterName = typer.Option(
        "none", help="none: in this process; local: Dask workers on this machine."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Do every stage that is due, up to the release. A killed run goes on where it was."""
    return run_stages(study, until="publish", cluster=cluster, json=json)
