"""``lesionary idc``: series of the Imaging Data Commons, found offline and fetched."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, table
from lesionary.cli.progress import progress

if TYPE_CHECKING:
    from lesionary.app.idc import FindReport, GetReport

MOST_FAILURES = 20

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

    found = find_series(protocol, index=index, links=links)
    output = Output(json)
    if csv is not None:
        write_list(found, csv)
    if report is not None:
        for path in write_flow(found, report):
            output.note(f"wrote {path}")
    output.emit(found.document(), _find_text(found, is_listed=csv is None))
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
    from lesionary.app.idc import get_series

    with progress() as bars:
        report = get_series(what, out, index=index, endpoint_url=endpoint_url, progress=bars)
    Output(json).emit(report.document(), _get_text(report))
    if not report.failed:
        return DONE
    return PARTLY if len(report.failed) < len(report.results) else UNUSABLE


def _find_text(report: "FindReport", *, is_listed: bool) -> str:
    document = report.document()
    lines = [table(_HEADER, [_line_of(row) for row in document["series"]]), ""] if is_listed else []
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
    return "\n".join(lines)


_HEADER = ("series", "collection", "modality", "size", "licence", "address")


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
        f"  not known: {row['element']}, of {row['series']}: {row['table']} would tell"
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
    return "\n".join(lines)


def size_text(size_bytes: int) -> str:
    """Write a size for people: ``12.3 MB``."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e3:.1f} kB"
