"""``lesionary gc``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, Output, counted

_HOURS = 24.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gc)


def gc(
    study: Path = typer.Argument(..., help="The study folder."),
    *,
    older_than: float = typer.Option(
        _HOURS,
        metavar="HOURS",
        help="Leave alone what is younger: a worker may be about to name it.",
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only tell what would go."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Remove objects that no row names, such as those of work that was redone."""
    from lesionary.app.study import Study
    from lesionary.app.tidy import tidy_study
    from lesionary.io.limits import in_words

    report = tidy_study(Study.open(study), older_than_hours=older_than, dry_run=dry_run)
    verb = "would be removed" if dry_run else "removed"
    Output(json).emit(
        report.document(),
        f"{counted(report.n_removed, 'object')} and"
        f" {counted(report.n_leftovers, 'half-written file')} {verb}"
        f" ({in_words(report.n_bytes)}), {report.n_kept} kept",
    )
    return DONE
