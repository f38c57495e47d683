"""``lesionary pull``: fetch from a DICOMweb server into a study."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, log_failures
from lesionary.cli.own_words import require_words


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(pull)


def pull(
    study: Path = typer.Argument(..., help="The study folder."),
    dicomweb: str = typer.Option(..., help="URL of the server's DICOMweb service."),
    match: Path = typer.Option(
        None, help="File of lines Keyword=value, such as PatientID=…; - reads standard input."
    ),
    study_uid: list[str] = typer.Option([], "--study", help="A StudyInstanceUID to fetch."),
    modality: str = typer.Option(None, help="Only series of this modality."),
    everything: bool = typer.Option(False, "--all", help="Fetch all that the server has."),
    tls_ca: Path = typer.Option(None, help="Authority of the server's certificate, PEM."),
    vault: str = typer.Option(None, help="URL of the vault's database, or its folder."),
    word: list[str] = typer.Option([], help="A word of your own that texts may keep."),
    timeout_s: float = typer.Option(60.0, min=1.0, help="After which a silent server is gone."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Fetch DICOM from a DICOMweb server, de-identify it in memory, store it in a study."""
    from lesionary.app.pull import pull as run
    from lesionary.app.reception import receiving
    from lesionary.app.study import Study
    from lesionary.app.study_door import study_door
    from lesionary.cli.progress import progress
    from lesionary.io.dicomweb.http import Server, authorization_from

    require_words(word)
    server = Server(dicomweb, tls_ca, timeout_s, authorization=authorization_from())
    queries = _queries(match, study_uid, modality, is_all=everything)
    opened, output = Study.open(study), Output(json)
    with (
        study_door(opened, vault, extra_words=word, when_made=output.note_new_vault) as entrance,
        receiving(opened, entrance.door) as reception,
        progress() as bars,
    ):
        done = [run(reception, server, query, progress=bars) for query in queries]
    log_failures(reception.failures)
    document = {
        "series": sum(one.n_series for one in done),
        "unfetched": sum(one.n_unfetched for one in done),
        **reception.total.document(),
    }
    output.emit(document, _text(document, study))
    return exit_code(document)


def exit_code(document: dict[str, Any]) -> int:
    """Return 0, 1 where an object did not come or is faulty, 2 where nothing came."""
    if not document["released"] and not document["duplicate"]:
        return UNUSABLE
    return PARTLY if document["unfetched"] or document["refused"] or document["failed"] else DONE


def _queries(
    match: Path | None, study_uids: list[str], modality: str | None, *, is_all: bool
) -> list[dict[str, str]]:
    from lesionary.core.errors import InputError

    base = _matched(match) if match is not None else {}
    if match is not None and not base:
        raise InputError(
            "what to match by is empty",
            code="usage",
            source=str(match),
            hint="a line each, such as PatientID=…",
        )
    if modality:
        base["Modality"] = modality
    if study_uids:
        return [{**base, "StudyInstanceUID": uid} for uid in study_uids]
    if not base and not is_all:
        raise InputError(
            "nothing says what to fetch",
            code="usage",
            hint="--study UID, --match FILE with lines such as PatientID=…, or --all",
        )
    return [base]


def _matched(path: Path) -> dict[str, str]:
    from lesionary.core.errors import InputError

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "the file to match by cannot be read",
            code="not_a_file",
            source=str(path),
            hint="--match takes a file in UTF-8 of lines such as PatientID=…, or - for a pipe",
        ) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        keyword, _, value = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if problem := _problem(keyword, value, found):
            raise InputError(
                f"line {number} {problem}",
                code="usage",
                hint="Keyword=value, such as PatientID=…, each keyword once: a server that knows"
                " no such keyword, or gets no value, may hand over all that it has",
            )
        found[keyword] = value
    return found


def _problem(keyword: str, value: str, found: Mapping[str, str]) -> str:
    """Say what is wrong with a line to match by, without repeating it."""
    from lesionary.io.dicomweb.client import is_keyword

    if not is_keyword(keyword):
        return "does not begin with the keyword of a DICOM attribute"
    if keyword in found:
        return "names a keyword that a line before it names"
    return "" if value else "has no value"


def _text(document: dict[str, Any], study: Path) -> str:
    from lesionary.cli.listen import counts_text

    lines = [f"{counted(document['series'], 'series', 'series')}: {counts_text(document)}"]
    if not document["series"]:
        lines.append("The server has no series that matches; values count as it has them.")
    if document["unfetched"]:
        lines.append(f"The server did not hand over {document['unfetched']} of its objects.")
    if document["released"]:
        lines.append(f"Next: lesionary ingest {study} --received")
    return "\n".join(lines)
