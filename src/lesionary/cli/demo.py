"""``lesionary demo``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, PARTLY, Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    out: Path = typer.Option(Path("lesionary-demo"), help="A new folder for everything."),
    seed: int = typer.Option(7, help="Seed of the phantoms."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Run the shipped protocols on phantoms with known truth, offline, in a few minutes."""
    from lesionary.app.demo import run_demo
    from lesionary.cli.progress import progress

    with progress() as bars:
        result = run_demo(out, seed=seed, progress=bars)
    document = result.document()
    Output(json).emit(document, result.text())
    return PARTLY if document["failed"] else DONE
