"""``lesionary file ratings``: what reviewers say of drafts, and how far they agree."""

from collections import Counter
from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, PARTLY, Output, counted, table

_MOST_LINES = 12
_LEFT_OUT = frozenset(
    {
        "bad_score",
        "breaks_off",
        "conflicting_rating",
        "no_reviewer",
        "open_quote",
        "ragged_row",
    }
)
"""Findings of rows whose rating does not count; the others only say what looks odd."""


def ratings(
    csv: Path = typer.Argument(..., help="A table with the columns of qa-results.csv."),
    group_by: str = typer.Option(None, help="A column, such as ContrastPhase or Collection."),
    out: Path = typer.Option(
        None, "--out", help="Folder for tables (CSV, JSON, LaTeX) and figures (SVG, PNG)."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Count Likert scores by reviewer, and compare reviewers by Kendall's tau-b and kappa."""
    from lesionary.app.files.ratings import rating_summary

    found = rating_summary(csv, group_by=group_by, out=out)
    Output(json).emit(found, ratings_text(found))
    return PARTLY if any(row["code"] in _LEFT_OUT for row in found["findings"]) else DONE


def ratings_text(found: dict[str, Any]) -> str:
    """Lay the summary out for a terminal."""
    parts = [_counts(found), _pairs(found), _groups(found), _findings(found)]
    return "\n\n".join(part for part in parts if part)


def _counts(found: dict[str, Any]) -> str:
    scale = [str(step) for step in found["scale"]]
    rows = [
        (
            row["reviewer"],
            row["sample"],
            str(row["cases"]),
            *(str(row["counts"][step]) for step in scale),
            *(str(row[name]) for name in ("unrated", "bad", "conflicting")),
        )
        for row in found["counts"]
    ]
    header = ("reviewer", "cases of", "cases", *scale, "unrated", "bad", "conflicting")
    return table(header, rows) or "No row names a reviewer."


def _pairs(found: dict[str, Any]) -> str:
    rows = [
        (
            f"{row['first']} – {row['second']}",
            row["sample"],
            str(row["n"]),
            _number(row["kendall_tau_b"]),
            _number(row["p"]),
            _number(row["p_permutation"]),
            _number(_percent(row["exact_agreement"]), digits=1),
            _number(row["cohen_kappa"]),
            _number(row["weighted_kappa"]),
        )
        for row in found["pairs"]
    ]
    header = (
        "reviewers",
        "cases of",
        "n",
        "tau-b",
        "p",
        "permuted p",
        "same %",
        "kappa",
        "weighted kappa",
    )
    notes = []
    for row in found["pairs"]:
        name = f"{row['first']} – {row['second']}, {row['sample']}"
        notes += [f"{name}: {why}" for why in dict.fromkeys(row.get("reason", {}).values())]
        if published := row.get("as_published"):
            notes.append(f"{name}, as published: {_published(published)}")
    return "\n".join([table(header, rows), *notes]) if rows else ""


def _published(row: dict[str, Any]) -> str:
    if row["tau"] is None:
        return str(row["reason"]["tau"])
    return f"tau-b {_number(row['tau'])}, n = {row['n']}"


def _groups(found: dict[str, Any]) -> str:
    rows = [
        (
            row["value"] or "–",
            row["reviewer"],
            str(row["n"]),
            str(row["n_subjects"]),
            _number(row["mean"], digits=2),
            f"{_number(row['low'], digits=2)} to {_number(row['high'], digits=2)}",
            _number(row["median"], digits=1),
        )
        for row in found["groups"]
    ]
    header = (found["group_by"], "reviewer", "n", "patients", "mean", "95 %", "median")
    return table(header, rows)


def _findings(found: dict[str, Any]) -> str:
    counts = Counter(row["code"] for row in found["findings"])
    parts = []
    for code, n in counts.items():
        lines = [str(row["line"]) for row in found["findings"] if row["code"] == code]
        shown = ", ".join(lines[:_MOST_LINES]) + (", …" if n > _MOST_LINES else "")
        parts.append(f"{code}, {counted(n, 'row')}: line {shown}")
    return "\n".join(parts)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _number(value: float | None, *, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
