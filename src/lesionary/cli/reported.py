"""``lesionary reported``: diameters as clinical reports state them, beside computed ones."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, Output, counted, table

if TYPE_CHECKING:
    from lesionary.app.study import Study


class Deed(StrEnum):
    """What is to be done."""

    LIST = "list"
    ENTER = "enter"
    IMPORT = "import"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reported)


def reported(
    study: Path = typer.Argument(..., help="The study folder."),
    deed: Deed = typer.Argument(
        ...,
        metavar="DEED",
        help="list what was entered, enter one diameter, import those of a table.",
    ),
    file: Path | None = typer.Argument(
        None,
        help="The table: `recist_measurements.csv`, or subject,timepoint,lesion,diameter_mm.",
    ),
    reader: str | None = typer.Option(None, help="Who enters them; all but `list` need it."),
    subject: str | None = typer.Option(None, help="Such as sub-0001."),
    timepoint: str | None = typer.Option(None, help="Its number, from 0."),
    lesion: str | None = typer.Option(None, help="The track's name, as A."),
    diameter_mm: str | None = typer.Option(None, help="Kept as it is written, as 12.3."),
    series: str | None = typer.Option(None, help="Where several series show the lesion."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Keep the diameters that clinical reports state; none is ever overwritten.

    What is entered again is a correction: both stay. The next `run` shows them beside computed
    diameters; with `diameters = "reported"` under `[respond]` in study.toml response goes by them.
    """
    from lesionary.app import reported as diameters
    from lesionary.app.study import Study

    opened, output = Study.open(study), Output(json)
    if deed is Deed.LIST:
        rows = diameters.reported_diameters(opened)
        output.emit({"reported": rows}, _list_text(rows))
        return DONE
    name = _needed("--reader", reader)
    if deed is Deed.IMPORT:
        document = _import(opened, _needed("a file to read", file), name)
    else:
        document = diameters.enter_diameter(
            opened,
            subject=_needed("--subject", subject),
            timepoint=_needed("--timepoint", timepoint),
            lesion=_needed("--lesion", lesion),
            diameter_mm=_needed("--diameter-mm", diameter_mm),
            reader=name,
            series=series,
        )
    output.emit(document, _stored_text(document))
    return PARTLY if document["left_out"] else DONE


def _import(study: "Study", path: Path, reader: str) -> dict[str, Any]:
    from lesionary.app.reader_tables import read_table_text
    from lesionary.app.reported import import_diameters
    from lesionary.core.errors import LesionaryError

    text = read_table_text(path)
    try:
        return import_diameters(study, text, reader)
    except LesionaryError as error:
        raise error.at(str(path)) from None


def _needed(what: str, given: Any) -> Any:
    from lesionary.core.errors import InputError

    if given is None:
        raise InputError(f"give {what}", code="usage", hint="see `lesionary reported --help`")
    return given


def _stored_text(document: dict[str, Any]) -> str:
    counts = ", ".join(f"{document[name]} {name}" for name in ("added", "corrected", "unchanged"))
    lines = [f"{counts}; {document['matched']} matched to a measured lesion"]
    lines += [f"  line {row['line']} left out: {row['reason']}" for row in document["left_out"]]
    return "\n".join(lines)


def _list_text(rows: list[dict[str, Any]]) -> str:
    header = ("subject", "time point", "lesion", "mm", "by", "")
    cells = [
        (
            row["subject"],
            str(row["timepoint"]),
            row["lesion"],
            row["diameter_mm"],
            row["reader"],
            "" if row["is_valid"] else "corrected since",
        )
        for row in rows
    ]
    return table(header, cells) or f"{counted(0, 'diameter')} of reports"
