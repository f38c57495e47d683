"""``lesionary prepare``, ``annotate``, ``measure``, ``respond`` …: stage by stage."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.app.executor.options import ClusterOptions
from lesionary.cli.cluster import takes_cluster
from lesionary.cli.comparison_text import scores_text, summary_text
from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, table

if TYPE_CHECKING:
    from lesionary.app.pipeline import RunReport
from lesionary.cli.status import waiting_lines

if TYPE_CHECKING:
    from lesionary.app.study import Study


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(prepare)
    app.command()(annotate)
    app.command()(measure)
    app.command()(respond)
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
def measure(
    study: Path = _STUDY,
    *,
    tracks: bool = typer.Option(
        False, "--tracks", help="Show which lesion became which instead of each lesion's size."
    ),
    cluster: ClusterOptions,
    json: bool = _JSON,
) -> int:
    """Measure every lesion, and follow lesions through time."""
    if not tracks:
        return run_stages(study, until="respond", cluster=cluster, json=json)
    report = _run(_opened(study), "respond", cluster)
    document = report.document() | {"tracks": report.tracks()}
    Output(json).emit(document, tracks_text(document["tracks"]))
    return exit_code(document)


@takes_cluster
def respond(
    study: Path = _STUDY,
    *,
    pdf: Path | None = typer.Option(
        None, metavar="DIR", help="Write each subject's report there as PDF, too."
    ),
    cluster: ClusterOptions,
    json: bool = _JSON,
) -> int:
    """Judge every subject over time: target sums, response, best response."""
    from lesionary.cli.file_respond import response_text

    opened = _opened(study)
    document = _run(opened, "respond", cluster).document()
    rows = document["responses"]
    text = response_text(rows) if rows else "No subject has a measured lesion."
    if any(row["state"] == "proposed" for row in rows):
        text += f"\n\n{_PROPOSED}"
    if pdf is not None:
        from lesionary.app.response_pdf import write_pdfs

        document["reports"] = [str(path) for path in write_pdfs(opened, pdf)]
        text += f"\n\n{len(document['reports'])} reports in {pdf}"
    Output(json).emit(document, text)
    return exit_code(document)


_PROPOSED = (
    "Links between lesions, or targets, are proposed and not yet affirmed by a reader:\n"
    "`lesionary review STUDY accept --stage tracks --reader NAME` affirms them."
)


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
    opened = _opened(study)
    report = _run(opened, until, cluster)
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


def _opened(study: Path) -> "Study":
    from lesionary.app.study import Study

    return Study.open(study)


def _run(study: "Study", until: str, cluster: ClusterOptions) -> "RunReport":
    from lesionary.app.pipeline import run_until
    from lesionary.cli.progress import progress

    with progress() as bars:
        return run_until(study, until, cluster=cluster, progress=bars)


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


def tracks_text(links: list[dict[str, Any]]) -> str:
    """Lay links between lesions out for a terminal."""
    if not links:
        return "No subject has lesions at two time points: there is nothing to follow."
    rows = [
        (
            link["subject"],
            link["track"],
            _place(link["from"]),
            _place(link["to"]),
            link["relation"] + (f" into {link['merged_into']}" if link["merged_into"] else ""),
            f"{link['score']:.2f}",
            link["registration"],
            link["state"],
        )
        for link in links[:_SHOWN]
    ]
    header = ("subject", "track", "from", "to", "relation", "score", "laid over by", "state")
    more = len(links) - _SHOWN
    return table(header, rows) + (f"\n… and {more} more, in tracks.csv" if more > 0 else "")


def _place(end: dict[str, Any]) -> str:
    lesion = "–" if end["lesion"] is None else f"lesion {end['lesion']}"
    return f"{end['timepoint']}: {end['series']} {lesion}"


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
