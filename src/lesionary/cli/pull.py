"""``lesionary pull``: fetch from a DICOMweb server into a study."""

import sys
from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, log_failures


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

    server = Server(dicomweb, tls_ca, timeout_s, authorization=authorization_from())
    queries = _queries(match, study_uid, modality, is_all=everything)
    opened = Study.open(study)
    with (
        study_door(opened, vault, extra_words=word) as entrance,
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
    Output(json).emit(document, _text(document, study))
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
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "the file to match by cannot be read", code="not_a_file", source=str(path)
        ) from None
    rows = [line.partition("=") for line in text.splitlines() if line.strip()]
    wrong = [n for n, (key, sign, _) in enumerate(rows, 1) if not sign or not key.strip().isalnum()]
    if wrong:
        raise InputError(
            f"line {wrong[0]} is not Keyword=value",
            code="usage",
            hint="such as PatientID=…; a keyword is a DICOM attribute's",
        )
    return {key.strip(): value.strip() for key, _, value in rows}


def _text(document: dict[str, Any], study: Path) -> str:
    from lesionary.cli.listen import counts_text

    lines = [f"{counted(document['series'], 'series', 'series')}: {counts_text(document)}"]
    if document["unfetched"]:
        lines.append(f"The server did not hand over {document['unfetched']} of its objects.")
    if document["released"]:
        lines.append(f"Next: lesionary ingest {study} --received")
    return "\n".join(lines)
