"""``lesionary idc``: series of the Imaging Data Commons, found offline and fetched."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, table
from lesionary.cli.progress import progress

if TYPE_CHECKING:
    from lesionary.app.idc import FindReport
    from lesionary.app.idc_get import GetReport

MOST_FAILURES = 20
MOST_LISTED = 20
_SHORTEST_UID = 16

app = typer.Typer(help="Series of the Imaging Data Commons.", no_args_is_help=True)


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="idc")


@app.command()
def find(
    protocol: str = typer.Argument(..., help="A curation protocol's name, or its .toml file."),
    index: Path | None = typer.Option(
        None, help="idc_index.parquet, or its folder; default: the installed one."
    ),
    csv: Path | None = typer.Option(None, help="Write the series found, as `idc get` reads them."),
    report: Path | None = typer.Option(
        None, help="Folder for every decision (curation.csv) and the flow chart."
    ),
    links: Path | None = typer.Option(
        None, help="seg_index.parquet or a CSV that joins published results to their series."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """List the series that a protocol's rules ask for, with sizes, licences, and what is published.

    No network is needed: the index comes with a package.
    """
    from lesionary.app.idc import find_series, write_flow, write_list

    _require_places(csv, report)
    found = find_series(protocol, index=index, links=links)
    output = Output(json)
    if links is not None and found.protocol.published is None:
        output.note("warning: --links is not used: the protocol names no published results")
    if csv is not None:
        write_list(found, csv)
        output.note(f"wrote {csv}")
    if report is not None:
        for path in write_flow(found, report):
            output.note(f"wrote {path}")
    output.emit(found.document(), _find_text(found, protocol, csv))
    return DONE if found.found else UNUSABLE


@app.command()
def get(
    what: str = typer.Argument(..., help="A curation protocol, or a list from `idc find --csv`."),
    out: Path = typer.Argument(..., help="Folder for the files."),
    index: Path | None = typer.Option(
        None, help="idc_index.parquet, or its folder; default: the installed one."
    ),
    endpoint_url: str | None = typer.Option(
        None, "--endpoint-url", help="Another S3-compatible server than Amazon's."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Fetch series from the public bucket, each file checked; run it again and it goes on."""
    from lesionary.app.idc_get import get_series

    with progress() as bars:
        report = get_series(what, out, index=index, endpoint_url=endpoint_url, progress=bars)
    Output(json).emit(report.document(), _get_text(report))
    if not report.failed:
        return DONE
    return PARTLY if len(report.failed) < len(report.results) else UNUSABLE


def _require_places(csv: Path | None, report: Path | None) -> None:
    """Say before the search what could not be written after it."""
    from lesionary.core.errors import InputError

    if csv is not None and (csv.is_dir() or not csv.parent.is_dir()):
        raise InputError(
            "the list cannot go there: "
            + ("this is a folder" if csv.is_dir() else "its folder is not there"),
            code="usage",
            source=str(csv),
            hint="--csv takes a file in a folder that is there",
        )
    if report is not None and report.exists() and not report.is_dir():
        raise InputError(
            "a folder is needed, and this is a file",
            code="usage",
            source=str(report),
            hint="--report takes a folder: it is made if it is not there",
        )


def _find_text(report: "FindReport", protocol: str, csv: Path | None) -> str:
    document = report.document()
    lines = []
    if csv is None and document["series"]:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        lines += [list_text(document["series"], width), ""]
    steps = [
        (str(number), row["rule"], str(row["before"]), str(row["left"]))
        for number, row in enumerate(document["flow"], start=1)
    ]
    lines += [table(("step", "rule", "before", "left"), steps), ""]
    found = document["found"]
    pairs = f"{counted(found['pairs'], 'pair')}, " if found["pairs"] else ""
    lines.append(
        f"{pairs}{counted(found['series'], 'series', 'series')} of"
        f" {counted(found['subjects'], 'subject')}, {size_text(found['size_bytes'])}"
    )
    lines += [
        f"  {row['licence']}: {counted(row['series'], 'series', 'series')},"
        f" {size_text(row['size_bytes'])}"
        for row in found["licences"]
    ]
    lines += _published_lines(document)
    if document["series"]:
        lines.append(f"Next: lesionary idc get {csv or protocol} FOLDER")
    else:
        lines.append("The rules leave no series: the step after which 0 are left says why.")
    return "\n".join(lines)


_HEADER = ("series", "collection", "modality", "size", "licence", "address")


def list_text(series: Sequence[dict[str, Any]], width: int | None = None) -> str:
    """Return the first series as a table, and how many more there are.

    Parameters
    ----------
    series : sequence of dict
        As in the document.
    width : int, optional
        Columns of the terminal. Where the table is wider, addresses are left out, and if need be
        UIDs are shortened in their midst: the list that ``--csv`` writes has them whole.
    """
    rows = [_line_of(row) for row in series[:MOST_LISTED]]
    text = table(_HEADER, rows)
    if width is not None and _width(text) > width:
        text = table(_HEADER[:-1], [row[:-1] for row in rows])
        longest = max(len(row[0]) for row in rows)
        n_most = max(_SHORTEST_UID, longest - max(0, _width(text) - width))
        text = table(_HEADER[:-1], [(_shortened(row[0], n_most), *row[1:-1]) for row in rows])
    n_more = len(series) - len(rows)
    return text + (f"\n… {n_more} more; --csv FILE writes all" if n_more else "")


def _width(text: str) -> int:
    return max(map(len, text.splitlines()))


def _shortened(uid: str, n_most: int) -> str:
    """Keep the end of a UID whole: it tells series apart."""
    if len(uid) <= n_most:
        return uid
    n_first = (n_most - 1) // 3
    return f"{uid[:n_first]}…{uid[n_first + 1 - n_most :]}"


def _line_of(row: dict[str, Any]) -> tuple[str, ...]:
    size = size_text(row["size_bytes"] or 0)
    named = (row["series_uid"], row["collection"] or "–", row["modality"] or "–", size)
    return (*named, row["licence"] or "–", row["s3_url"])


def _published_lines(document: dict[str, Any]) -> list[str]:
    lines = []
    if published := document["published"]:
        lines.append(
            f"Published: {published['count']} {published['unit']}; found: {published['found']}"
        )
        for row in published["recall"]:
            share = "not defined" if row["recall"] is None else f"{row['recall']:.3f}"
            lines.append(
                f"  recall of {row['of']}, by {row['link']}: {share}"
                f" ({row['found']} of {row['published']})"
            )
    lines += [
        f"  not known of {row['series']}: {row['element']}; {row['table']} would tell"
        for row in document["missing"]
    ]
    return lines


def _get_text(report: "GetReport") -> str:
    document = report.document()
    whole, files = counted(document["done"], "series", "series"), counted(document["files"], "file")
    size = size_text(document["size_bytes"])
    lines = [f"{whole} whole: {files}, {size}; {document['fetched']} fetched now"]
    failed = document["failed"]
    lines += [f"  failed: {row['unit']}: {row['reason']}" for row in failed[:MOST_FAILURES]]
    if len(failed) > MOST_FAILURES:
        lines.append(f"  and {len(failed) - MOST_FAILURES} more: see --json")
    if failed:
        lines.append("Run the same command again: what is whole is not fetched again.")
    return "\n".join(lines)


def size_text(size_bytes: int) -> str:
    """Write a size for people: ``12.3 MB``."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e3:.1f} kB"
