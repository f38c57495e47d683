"""``lesionary run``: every stage that is due."""

from pathlib import Path

import typer

from lesionary.app.executor.options import ClusterOptions
from lesionary.cli.cluster import takes_cluster
from lesionary.cli.stages import run_stages


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


@takes_cluster
def run(
    study: Path = typer.Argument(..., help="The study folder."),
    *,
    cluster: ClusterOptions,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Do every stage that is due, up to the release. A killed run goes on where it was."""
    return run_stages(study, until="publish", cluster=cluster, json=json)
