"""``lesionary file adjudicate``: where readers' response differs, and why."""

from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, Output, table
from lesionary.cli.words import CriteriaChoice


def adjudicate(
    csv: Path = typer.Argument(..., help="One row a lesion, time point and reader."),
    criteria: CriteriaChoice = typer.Option("recist11", help="recist11 or irecist."),
    confirm_days: int = typer.Option(
        28, min=0, help="Least days until a CR or PR counts as confirmed."
    ),
    sd_min_days: int = typer.Option(
        0, min=0, help="Least days from the baseline for SD to be a best response."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """List only the time points at which readers' response differs, and the lesion behind each."""
    from lesionary.app.files.adjudication import adjudicate as held

    found = held(csv, criteria=criteria, confirm_days=confirm_days, sd_min_days=sd_min_days)
    Output(json).emit(found, adjudication_text(found))
    return DONE


def adjudication_text(found: dict[str, Any]) -> str:
    """Lay disagreements out for a terminal."""
    rows = [
        (
            row["subject"],
            row["timepoint"],
            " / ".join(row["readers"]),
            " / ".join(verdict or "–" for verdict in row["responses"]),
            lesion,
            " / ".join(row["seen"][lesion]),
            "together" if row["is_joint"] else "alone",
        )
        for row in found["disagreements"]
        for lesion in row["causes"]
    ]
    if not rows:
        return "The readers come to the same response at every time point."
    header = ("subject", "time point", "readers", "response", "lesion", "seen as", "settles it")
    return table(header, rows)
