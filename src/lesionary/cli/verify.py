"""``lesionary verify``."""

from pathlib import Path

import typer

from lesionary.cli.output import DONE, PARTLY, Output, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    target: Path = typer.Argument(..., help="A study, or a release."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Check a study or a release: checksums, objects, geometry."""
    from lesionary.app.verify import verify_target

    report = verify_target(target)
    document = report.document()
    if report.failed:
        rows = [(row["unit"], row["code"], row["reason"]) for row in document["failed"]]
        text = f"{len(rows)} of {report.checked} checks failed\n" + table(
            ("what", "code", "reason"), rows
        )
    else:
        text = f"{report.checked} checks passed"
    Output(json).emit(document, text)
    return PARTLY if report.failed else DONE
