"""``lesionary status``: light enough to call from a prompt, so it imports no array library."""

from collections import Counter
from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, Output, counted, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    study: Path = typer.Argument(..., help="The study folder."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Show what is done, due, failed, and why."""
    from lesionary.io.received import with_waiting
    from lesionary.io.registry.status import read_status
    from lesionary.io.study_files import StudyFiles

    files = StudyFiles(study)
    limit = None if json else _SHOWN
    document = read_status(files.registry_place, files.protocol_digest, limit=limit)
    document = with_waiting(document, files.root)
    text = "\n\n".join([status_text(document), *waiting_lines(document, study)])
    Output(json).emit(document, text)
    return DONE


def waiting_lines(document: dict[str, Any], study: Path) -> list[str]:
    """Say what waits to come in, and that nothing is there yet, with the next command."""
    waiting = document["received"]["waiting"]
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        lines = [f"{counted(waiting, 'received object')} {verb} to come in"]
        if document["arriving"]["objects"]:
            lines.append(arriving_text(document))
        return ["\n".join([*lines, f"Next: lesionary ingest {study} --received"])]
    if document["counts"]["series"] == 0 and document["counts"]["left_out"] == 0:
        return [f"Nothing has come in yet\nNext: lesionary ingest {study} SCANS"]
    return []


def arriving_text(document: dict[str, Any]) -> str:
    """Say what `ingest --received` leaves, because more of it may come."""
    arriving = document["arriving"]
    series = counted(arriving["series"], "series", "series")
    return f"Still arriving: {series} of {counted(arriving['objects'], 'object')} by now"


_SHOWN = 40
"""Rows of each list on a terminal; ``--json`` gives all."""


def status_text(document: dict[str, Any]) -> str:
    """Lay the status out for people."""
    series, counts = document["series"], document["counts"]
    parts = [
        f"{counts['series']} series of {counted(counts['subjects'], 'subject')}, "
        f"{counted(counts['masks'], 'mask')}, {counts['left_out']} left out"
    ]
    parts.append(
        table(
            ("stage", "done", "due", "failed"),
            [
                (row["stage"], str(row["done"]), str(row["due"]), str(row["failed"]))
                for row in document["stages"]
            ],
        )
    )
    if document["protocol_changed"]:
        parts.append(
            "study.toml was changed after the last run: the next one redoes what it touches"
        )
    if series:
        parts.append(_series_table(series) + _and_more(counts["series"]))
    if document["curation"]["left_out"]:
        parts.append(_curation_table(document["curation"]))
    if document["left_out"]:
        parts.append(left_out_text(document["left_out"]) + _and_more(counts["left_out"]))
    if document["failed"]:
        rows = [
            (row["stage"], row["unit"], row["code"], row["reason"]) for row in document["failed"]
        ]
        failed = table(("stage", "unit", "code", "reason"), rows)
        parts.append(f"Failed:\n{failed}" + _and_more(counts["failed"]))
    return "\n\n".join(parts)


def _and_more(n: int) -> str:
    return f"\n… and {n - _SHOWN} more: see --json" if n > _SHOWN else ""


def _series_table(series: list[dict[str, Any]]) -> str:
    rows = [
        (
            row["id"],
            row["subject"],
            str(row["timepoint"]),
            row["modality"],
            row["region"],
            " × ".join(str(n) for n in row["shape"]),
            " × ".join(f"{mm:.3g}" for mm in row["spacing_mm"]),
            row["outcome"],
            ", ".join(sorted({note["code"] for note in row["notes"]})),
        )
        for row in series
    ]
    header = (
        "series",
        "subject",
        "time",
        "mod",
        "region",
        "shape",
        "spacing mm",
        "outcome",
        "notes",
    )
    return table(header, rows)


def _curation_table(curation: dict[str, Any]) -> str:
    """Count whom gate and rules left out, over all ingests."""
    rows = [(row["asks"], str(row["series"])) for row in curation["left_out"]]
    n_out = sum(row["series"] for row in curation["left_out"])
    head = f"Curation: {counted(curation['considered'], 'series', 'series')} came, {n_out} are out"
    return f"{head}\n" + table(("rule", "left out"), rows)


def flow_text(curation: dict[str, Any]) -> str:
    """Lay out how many series came with an ingest, and whom each step left out."""
    rows = [
        (step["asks"], str(step["before"]), str(step["before"] - step["left"]), str(step["left"]))
        for step in curation["steps"]
    ]
    return "Curation:\n" + table(("rule", "before", "out", "left"), rows)


def left_out_text(left_out: list[dict[str, Any]]) -> str:
    """List what was left out: each reason once, with how many and the first few sources."""
    by_reason: Counter[tuple[str, str]] = Counter()
    sources: dict[tuple[str, str], list[str]] = {}
    hints: dict[tuple[str, str], str] = {}
    for row in left_out:
        group = (row["code"], row["reason"])
        by_reason[group] += 1
        sources.setdefault(group, []).append(row["source"])
        hints[group] = row["hint"]
    lines = ["Left out:"]
    for (code, reason), count in by_reason.most_common():
        named = ", ".join(sources[code, reason][:3]) + (", …" if count > 3 else "")
        lines.append(f"  {code}: {reason} ({named})")
        if hints[code, reason]:
            lines.append(f"    hint: {hints[code, reason]}")
    return "\n".join(lines)
