"""``lesionary file respond``: a table of lesions, judged over time."""

from itertools import groupby
from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, Output, table
from lesionary.cli.words import CriteriaChoice


def respond(
    csv: Path = typer.Argument(..., help="One row a lesion and time point."),
    criteria: CriteriaChoice = typer.Option("recist11", help="recist11 or irecist."),
    confirm_days: int = typer.Option(
        28, min=0, help="Least days until a CR or PR counts as confirmed."
    ),
    sd_min_days: int = typer.Option(
        0, min=0, help="Least days from the baseline for SD to be a best response."
    ),
    strict: bool = typer.Option(
        False, "--strict", help="Refuse baselines with too many targets, or too small ones."
    ),
    uncertainty: Path | None = typer.Option(
        None, help="A model of readers' errors, TOML or JSON: adds probabilities."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Judge a table of lesions by RECIST 1.1 or iRECIST: sums, responses, best response."""
    from lesionary.app.files.response import respond as judged

    rows = judged(
        csv,
        criteria=criteria,
        confirm_days=confirm_days,
        sd_min_days=sd_min_days,
        strict=strict,
        uncertainty=uncertainty,
    )
    Output(json).emit(rows, response_text(rows))
    return DONE


def response_text(rows: list[dict[str, Any]]) -> str:
    r"""Lay time points out for a terminal, a table for each subject and reader.

    What would move a terminal's cursor or change its colours is shown as ``\x1b`` and the like.
    """
    parts = []
    shown = [_printable(row) for row in rows]
    for (subject, reader), of_reader in groupby(shown, lambda row: (row["subject"], row["reader"])):
        heading = f"{subject}, read by {reader}" if reader else str(subject)
        parts.append("\n".join([heading, *_subject_text(list(of_reader))]))
    return "\n\n".join(parts)


def _printable(value: Any) -> Any:
    """Escape what is not printable, in names wherever they stand."""
    if isinstance(value, str):
        return "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in value
        )
    if isinstance(value, dict):
        return {name: _printable(one) for name, one in value.items()}
    return [_printable(one) for one in value] if isinstance(value, list) else value


def _subject_text(rows: list[dict[str, Any]]) -> list[str]:
    is_immune = "i_overall_response" in rows[0]
    header = ["time point", "date", "sum mm", "to baseline %", "to nadir %"]
    header += ["target", "non-target", "new", "overall", "best", "confirmed"]
    header += ["iRECIST", "new mm"] if is_immune else []
    cells = [_cells(row, is_immune=is_immune) for row in rows]
    last = rows[-1]
    notes = []
    if last["progressed"]:
        notes.append(f"progression: first seen at {last['progression_timepoint']}")
    if is_immune and last["i_progressed"]:
        notes.append(f"confirmed progression: first seen at {last['i_progression_timepoint']}")
    for name in ("time_to_progression", "duration_of_response"):
        if (days := last[f"{name}_days"]) is not None:
            more = " or more" if last[f"{name}_censored"] else ""
            notes.append(f"{name.replace('_', ' ')}: {days} days{more}")
    if "probability" in last:
        notes += [_uncertainty_text(row) for row in rows if row["probability"] is not None]
    notes += [f"warning: {row['timepoint']}: {text}" for row in rows for text in row["warnings"]]
    return [table(header, cells), *notes]


def _uncertainty_text(row: dict[str, Any]) -> str:
    shown = [f"{name} {share:.0%}" for name, share in row["probability"].items() if share]
    moved = row["moved_most_by"]
    more = f"; moved most by {moved}" if moved else ""
    return f"probability: {row['timepoint']}: {', '.join(shown)}{more}"


def _cells(row: dict[str, Any], *, is_immune: bool) -> list[str]:
    shown = [
        row["timepoint"],
        row["date"] or "–",
        _sum(row),
        _percent(row["change_from_baseline_percent"]),
        _percent(row["change_from_nadir_percent"]),
        row["target_response"] or "–",
        row["non_target_response"] or "–",
        "yes" if row["new_lesion"] else "no",
        row["overall_response"] or "–",
        row["best_overall_response"] or "–",
        row["best_overall_response_confirmed"] or "–",
    ]
    if is_immune:
        shown += [row["i_overall_response"] or "–", _mm(row["new_target_sum_mm"])]
    return shown


def _sum(row: dict[str, Any]) -> str:
    is_partial = row["sum_mm"] is None and row["measured_sum_mm"] is not None
    return f"({_mm(row['measured_sum_mm'])})" if is_partial else _mm(row["sum_mm"])


def _mm(value: float | None) -> str:
    return "–" if value is None else str(value)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
