"""``lesionary ingest``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted
from lesionary.cli.source_map import require_place, write_source_map
from lesionary.cli.status import arriving_text, flow_text, left_out_text
from lesionary.cli.words import AffineChoice
from lesionary.io.arrivals import QUIET_S

if TYPE_CHECKING:
    from lesionary.app.ingest import IngestReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    study: Path = typer.Argument(..., help="The study folder."),
    paths: list[Path] = typer.Argument(None, help="Files, folders, zip or tar archives."),
    subject: str = typer.Option(None, help="The subject of images that name none."),
    reader_from: str = typer.Option(
        None, help="Where names tell who: '{subject}/{timepoint}/{reader}_*.nii.gz'."
    ),
    affine: AffineChoice | None = typer.Option(
        None, help="sform or qform: which one counts where a NIfTI's two disagree."
    ),
    source_map: Path = typer.Option(None, help="Write which source number is which file (0600)."),
    max_volume_bytes: int = typer.Option(None, help="Largest volume; default 4 GiB."),
    max_archive_bytes: int = typer.Option(None, help="Most that one archive unpacks; 64 GiB."),
    max_archive_ratio: float = typer.Option(None, help="Unpacked to packed from 1 GiB on; 200."),
    max_nesting: int = typer.Option(None, help="Levels of sequences or archives; 64."),
    *,
    received: bool = typer.Option(False, "--received", help="Take what `listen` stored instead."),
    quiet_s: float = typer.Option(
        QUIET_S,
        min=0,
        help="Of what is received: while somebody listens, leave series whose last object came less"
        " than so many seconds ago, or whose sender is still there; 0 takes all.",
    ),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Take scans, masks and boxes into a study."""
    from lesionary.app.ingest import IngestOptions, ingest_paths
    from lesionary.app.study import Study
    from lesionary.cli.progress import progress
    from lesionary.io.limits import Limits

    opened = Study.open(study)
    _require_one_origin(paths, received)
    if source_map is not None:
        require_place(source_map, outside=study, what="the study")
    limits = Limits().with_changes(
        volume_bytes=max_volume_bytes,
        archive_bytes=max_archive_bytes,
        archive_ratio=max_archive_ratio,
        nesting=max_nesting,
    )
    taken, arriving = _received(study, quiet_s) if received else (list(paths or []), [])
    options = IngestOptions(
        subject=subject,
        reader_from=reader_from,
        affine=affine,
        limits=limits,
        are_received=received,
        arriving=arriving,
    )
    with progress() as bars:
        report = ingest_paths(opened, taken, options, progress=bars)
    if source_map is not None:
        write_source_map(source_map, report.sources)
    Output(json).emit(report.document(), _text(report, study))
    if sys.stderr.isatty() and not json:
        _show_sources(report)
    return exit_code(report.document())


def _require_one_origin(paths: list[Path] | None, is_received: bool) -> None:
    from lesionary.core.errors import InputError

    if bool(paths) == is_received:
        raise InputError(
            "ingest takes paths, or what was received",
            code="usage",
            hint="name files or folders, or say --received and name none",
        )


def _received(study: Path, quiet_s: float) -> tuple[list[Path], list[Path]]:
    """Return the received files to take, and those whose series is still arriving."""
    from lesionary.core.errors import InputError
    from lesionary.io.received import ReceivedFiles

    whole, arriving = ReceivedFiles(study).divided(quiet_s)
    if not whole and not arriving:
        raise InputError(
            "nothing was received into this study yet",
            code="usage",
            hint="start `lesionary listen` for this study and send to it",
        )
    return whole, arriving


def exit_code(document: dict[str, Any]) -> int:
    """Return 0, 1 where something faulty was left out, 2 where nothing usable remains.

    What is still arriving is no fault.
    """
    faulty = [row for row in document["left_out"] if not row["by_rule"]]
    has_come = document["series"] or document["masks"] or any(document["again"].values())
    has_come = has_come or document["boxes"] or document["arriving"]["objects"]
    if not has_come and (faulty or not document["left_out"]):
        return UNUSABLE
    return PARTLY if faulty else DONE


def _text(report: "IngestReport", study: Path) -> str:
    document = report.document()
    new, again = document["new"], document["again"]
    own = [row for row in document["series"] if row["source"].startswith(f"{report.number}#")]
    n_warned = sum(row["outcome"] == "warned" for row in own)
    n_fixed = sum(row["outcome"] == "fixed" for row in own)
    lines = [
        f"Ingest {report.number}: {new['series']} series"
        f" ({n_warned} with warnings, {n_fixed} fixed), {counted(new['masks'], 'mask')},"
        f" {counted(new['boxes'], 'box', 'boxes')}, {len(document['left_out'])} left out,"
        f" {len(document['ignored'])} ignored"
    ]
    if not any(new.values()) and any(again.values()):
        lines[0] = f"Ingest {report.number}: nothing new"
        lines[0] += f", {len(document['left_out'])} left out" if document["left_out"] else ""
    if any(again.values()):
        lines.append(_again_text(again, study))
    is_told_before = again["left_out"] and not any(new.values()) and not document["left_out"]
    if document["curation"]["considered"] > document["curation"]["kept"] and not is_told_before:
        lines.append(flow_text(document["curation"]))
    if document["left_out"]:
        lines.append(left_out_text(document["left_out"]))
    if document["arriving"]["objects"]:
        lines.append(f"{arriving_text(document)}: --quiet-s 0 takes them as they are")
    if any(new.values()):
        lines.append(f"Next: lesionary run {study}")
    return "\n".join(lines)


def _again_text(again: dict[str, int], study: Path) -> str:
    """Say what came that the study held, or had left out, before."""
    held = [
        counted(again["series"], "series", "series"),
        counted(again["drawings"], "drawing"),
    ]
    known = [text for text in held if not text.startswith("0 ")]
    lines = [f"The study held before: {', '.join(known)}"] if known else []
    if again["left_out"]:
        lines.append(
            f"Left out as before: {again['left_out']}; the reasons: lesionary status {study}"
        )
    return "\n".join(lines)


def _show_sources(report: "IngestReport") -> None:
    """Name the files behind the numbers, on the user's own terminal only."""
    shown = {row["source"] for row in report.document()["left_out"]}
    for token, name in report.sources:
        if token in shown:
            sys.stderr.write(f"  {token} = {name}\n")
