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
    anchor: Path | None = typer.Option(
        None, help="A file that `audit --anchor` wrote: nothing is gone."
    ),
    repair: bool = typer.Option(
        False, "--repair", help="Make due again what can be made again; delete nothing whole."
    ),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Check a study or a release: registry, audit, objects, leaks, checksums, geometry."""
    from lesionary.app.verify import VerifyOptions, VerifyReport, verify_target

    report: VerifyReport = verify_target(target, VerifyOptions(anchor, repair))
    text = _text(report.failed, report.repaired, report.checked)
    Output(json).emit(report.document(), "\n\n".join([text, *map(_note, report.notes)]))
    return PARTLY if report.failed else DONE


def _note(note: dict[str, str]) -> str:
    return f"note: {note['reason']}\nhint: {note['hint']}"


def _text(
    failed: list[dict[str, str]], repaired: list[dict[str, str]] | None, n_checked: int
) -> str:
    parts = []
    if repaired is not None:
        rows = [(row["unit"], row["done"]) for row in repaired]
        parts.append(f"Repaired:\n{table(('what', 'done'), rows)}" if rows else "nothing to repair")
    if not failed:
        return "\n\n".join([*parts, f"{n_checked} checks passed"])
    rows_failed = [(row["unit"], row["code"], row["reason"]) for row in failed]
    parts.append(
        f"{len(failed)} of {n_checked} checks failed\n"
        + table(("what", "code", "reason"), rows_failed)
    )
    hints = dict.fromkeys(row["hint"] for row in failed if "hint" in row)
    parts += ["\n".join(f"hint: {hint}" for hint in hints)] if hints else []
    return "\n\n".join(parts)
