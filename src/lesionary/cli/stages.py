"""``lesionary prepare``, ``annotate``, ``measure``, ``agree``, ``evaluate``: stage by stage."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.app.executor.options import ClusterOptions
from lesionary.cli.cluster import takes_cluster
from lesionary.cli.comparison_text import scores_text, summary_text
from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, table
from lesionary.cli.status import waiting_lines

if TYPE_CHECKING:
    from lesionary.app.study import Study


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(prepare)
    app.command()(annotate)
    app.command()(measure)
    app.command()(agree)
    app.command()(evaluate)


_STUDY = typer.Argument(..., help="The study folder.")
_JSON = typer.Option(False, "--json", help="Print one JSON document.")


@takes_cluster
def prepare(study: Path = _STUDY, *, cluster: ClusterOptions, json: bool = _JSON) -> int:
    """Bring images into the quantity and window that the protocol says."""
    return run_stages(study, until="prepare", cluster=cluster, json=json)


@takes_cluster
def annotate(study: Path = _STUDY, *, cluster: ClusterOptions, json: bool = _JSON) -> int:
    """Turn boxes and given masks into the study's masks."""
    return run_stages(study, until="annotate", cluster=cluster, json=json)


@takes_cluster
def measure(study: Path = _STUDY, *, cluster: ClusterOptions, json: bool = _JSON) -> int:
    """Measure every lesion."""
    return run_stages(study, until="measure", cluster=cluster, json=json)


@takes_cluster
def agree(study: Path = _STUDY, *, cluster: ClusterOptions, json: bool = _JSON) -> int:
    """Hold the readers of every image against each other."""
    return run_stages(study, until="agree", cluster=cluster, json=json)


@takes_cluster
def evaluate(study: Path = _STUDY, *, cluster: ClusterOptions, json: bool = _JSON) -> int:
    """Score drafts and predictions against what readers drew."""
    return run_stages(study, until="evaluate", cluster=cluster, json=json)


_NOTHING = {
    "agree": "No image was read by two readers: there is nothing to agree on.",
    "evaluate": "No image has both a reference and a prediction: see [evaluate] in study.toml.",
}
"""What to say where a stage had nothing to do."""


def run_stages(study: Path, *, until: str, cluster: ClusterOptions, json: bool) -> int:
    """Do what is due up to a stage, and show what came of it."""
    from lesionary.app.pipeline import run_until
    from lesionary.app.study import Study
    from lesionary.cli.progress import progress

    opened = Study.open(study)
    with progress() as bars:
        report = run_until(opened, until, cluster=cluster, progress=bars)
    document = report.document()
    Output(json).emit(document, run_text(document))
    if report.stages[-1].is_idle and until in _NOTHING:
        Output(json).note(_NOTHING[until])
    for line in waiting_lines(_status_of(opened), study):
        Output(json).note(line)
    return exit_code(document)


def _status_of(study: "Study") -> dict[str, Any]:
    from lesionary.io.received import with_waiting
    from lesionary.io.registry.status import read_status

    place, digest = study.files.registry_place, study.files.protocol_digest
    return with_waiting(read_status(place, digest, limit=0), study.files.root)


def exit_code(document: dict[str, Any]) -> int:
    """Return 0, 1 where units failed, 2 where nothing else was done."""
    if not (document["failed"] or "stopped" in document):
        return DONE
    return PARTLY if document["done"] or document["up_to_date"] else UNUSABLE


def run_text(document: dict[str, Any]) -> str:
    """Say how much was done, what failed and why, and where the result lies."""
    lines = [f"{len(document['done'])} units done, {document['up_to_date']} were up to date"]
    if document["failed"]:
        rows = [(row["unit"], row["code"], row["reason"]) for row in document["failed"]]
        lines.append("Failed:\n" + table(("unit", "code", "reason"), rows))
        hints = dict.fromkeys(row["hint"] for row in document["failed"] if row["hint"])
        lines += [f"  hint: {hint}" for hint in hints]
    if stopped := document.get("stopped"):
        lines.append(f"Stopped in {stopped['stage']}: {stopped['reason']}")
        lines.append(f"  hint: {stopped['hint']}")
    if lesions := document.get("lesions"):
        lines.append(_lesions_table(lesions))
    if agreement := document.get("agreement"):
        lines.append(f"\nAgreement of readers\n{summary_text(agreement)}")
    for name, summary in document.get("evaluation", {}).items():
        lines.append(f"\nEvaluation of {name}\n{scores_text(summary)}")
        if lacking := summary["not_predicted"]:
            lines.append(f"Not scored, for want of its mask: {', '.join(lacking)}")
    if release := document.get("release"):
        lines.append(f"Release: {release}\nReport:  {release}/report.html")
    return "\n".join(lines)


_SHOWN = 40


def _lesions_table(lesions: list[dict[str, Any]]) -> str:
    rows = [
        (
            row["series"],
            str(row["lesion"]),
            str(row["label"]),
            f"{row['volume_ml']:.3f}",
            _number(row["long_axis_mm"]),
            _number(row["short_axis_mm"]),
            _number(row["diameter_mm"]),
            _number(row["mean_intensity"]),
        )
        for row in lesions[:_SHOWN]
    ]
    header = ("series", "lesion", "label", "ml", "long mm", "short mm", "diameter mm", "mean")
    more = len(lesions) - _SHOWN
    return table(header, rows) + (f"\n… and {more} more, in lesions.csv" if more > 0 else "")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
