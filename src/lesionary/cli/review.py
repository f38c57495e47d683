"""``lesionary review``: what awaits a reader, and the reader's word on it."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import typer

from lesionary.cli.output import DONE, Output, counted, table


class Deed(StrEnum):
    """What is to be done."""

    STATUS = "status"
    ACCEPT = "accept"
    EXPORT = "export"
    IMPORT = "import"


StageChoice = Literal["tracks", "targets"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


def review(
    study: Path = typer.Argument(..., help="The study folder."),
    deed: Deed = typer.Argument(
        ...,
        metavar="DEED",
        help="status lists what awaits a reader, accept affirms all of it, export writes it as a"
        " table to edit, import takes one back.",
    ),
    file: Path | None = typer.Argument(None, help="The table, of `export` and `import`."),
    stage: StageChoice | None = typer.Option(None, help="Links between lesions, or their roles."),
    reader: str | None = typer.Option(None, help="Who decides; `accept` and `import` need it."),
    subject: str | None = typer.Option(None, help="Of this subject only; of `accept`."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Affirm or change how lesions are followed, and which are targets.

    Every decision is kept for good, with its reader. The next `run` goes by it. In an edited table
    a row as it was is affirmed, a row that leads elsewhere is relinked, another row from a lesion
    that has one is a split, and an emptied `to_lesion` says that the lesion is gone.
    """
    from lesionary.app import review as reviews
    from lesionary.app.reader_tables import read_table_text, write_new_table
    from lesionary.app.study import Study
    from lesionary.core.errors import LesionaryError

    opened, output = Study.open(study), Output(json)
    if deed is Deed.STATUS:
        document = reviews.review_status(opened)
        output.emit(document, _status_text(document))
        return DONE
    kind = _needed("--stage tracks or --stage targets", stage)
    if deed is Deed.EXPORT:
        path = _needed("a file to write", file)
        text = reviews.export_table(opened, kind)
        write_new_table(path, text)
        n_rows = text.count("\n") - 1
        document = {"stage": kind, "output": str(path), "rows": n_rows}
        output.emit(document, f"Wrote {counted(n_rows, 'row')} to {path}")
        return DONE
    name = _needed("--reader NAME", reader)
    if deed is Deed.ACCEPT:
        document = reviews.accept(opened, kind, name, subject)
    else:
        path = _needed("a file to read", file)
        content = read_table_text(path)
        try:
            document = reviews.import_table(opened, kind, content, name)
        except LesionaryError as error:
            raise error.at(str(path)) from None
    output.emit(document, _decided_text(document))
    return DONE


def _needed(what: str, given: Any) -> Any:
    from lesionary.core.errors import InputError

    if given is None:
        raise InputError(f"give {what}", code="usage", hint="see `lesionary review --help`")
    return given


def _decided_text(document: dict[str, Any]) -> str:
    if not document["decisions"]:
        return "Nothing new was decided: all of it stands as it is"
    lines = [f"{counted(document['decisions'], 'decision')} by {document['reader']}"]
    for row in document["subjects"]:
        words = ", ".join(f"{n} {verdict}" for verdict, n in row["decisions"].items())
        lines.append(f"  {row['subject']}: {words}")
    return "\n".join([*lines, "`lesionary run STUDY` goes by them"])


def _status_text(document: dict[str, Any]) -> str:
    header = ("subject", "state", "links to review", "affirmed", "targets to review", "affirmed")
    rows = [
        (
            row["subject"],
            row["state"],
            *(str(row[stage][state]) for stage in ("tracks", "targets") for state in _STATES),
        )
        for row in document["subjects"]
    ]
    lines = [table(header, rows) or "No subject is followed yet: `lesionary run STUDY`"]
    stale = sum(row["stale_decisions"] for row in document["subjects"])
    if stale:
        lines.append(f"{counted(stale, 'decision')} left aside: what they were made on has changed")
    return "\n".join(lines)


_STATES = ("proposed", "affirmed")
