"""``lesionary audit``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, Output, table

if TYPE_CHECKING:
    from lesionary.app.audit import AuditPage
    from lesionary.app.study import Study

_LAST = 40
_SHOWN_WIDTH = 60


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    study: Path = typer.Argument(..., help="The study folder."),
    *,
    of: str | None = typer.Option(None, "--object", help="Only this one, such as series/ser-0001."),
    last: int = typer.Option(_LAST, help="How many events to list, counted from the end."),
    anchor: Path | None = typer.Option(
        None, help="Append the last event's hash to this file outside the study."
    ),
    export: Path | None = typer.Option(None, help="Write all events to this file, as JSON lines."),
    note: str | None = typer.Option(None, help="Add a remark on --object, or on the study."),
    accept_clock: bool = typer.Option(
        False, "--accept-clock", help="Let time step back here: the last event's was wrong."
    ),
    why: str | None = typer.Option(None, help="The reason for --accept-clock."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Show who did what, when, on which object, and why; add to it; anchor its end elsewhere."""
    from lesionary.app import audit as audits
    from lesionary.app.study import Study
    from lesionary.core.errors import InputError

    _require_one(anchor, export, note, accept_clock)
    if why and not accept_clock:
        raise InputError("--why is the reason for --accept-clock", code="usage")
    opened, output = Study.open(study), Output(json)
    if anchor is not None:
        line = audits.anchor(opened, anchor)
        output.emit({"anchored": line}, f"event {line['seq']} is anchored: {line['hash']}")
    elif export is not None:
        n_events = audits.export_events(opened, export)
        output.emit({"exported": n_events}, f"{n_events} events written")
    elif note is not None:
        audits.remark(opened, note, of or audits.STUDY_OBJECT)
        _emit_page(output, opened, of or audits.STUDY_OBJECT, 1)
    elif accept_clock:
        audits.accept_clock(opened, why or "")
        _emit_page(output, opened, None, 1)
    else:
        _emit_page(output, opened, of, last)
    return DONE


def _emit_page(output: Output, study: "Study", of: str | None, last: int) -> None:
    from lesionary.app.audit import last_events

    page = last_events(study, of=of, last=last)
    output.emit(page.document(), _text(page))


def _text(page: "AuditPage") -> str:
    rows = [
        (str(one.seq), *map(_short, (one.at, one.actor, one.action, one.object, one.why)))
        for one in page.events
    ]
    listed = table(("event", "when", "who", "what", "on", "why"), rows)
    n_before = page.n_events - len(rows)
    return listed + (f"\n… and {n_before} before: see --last" if n_before else "")


def _short(text: str) -> str:
    """Cut a text to one line of characters that a terminal shows and does not obey."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    one_line = " ".join(shown.split())
    return one_line if len(one_line) <= _SHOWN_WIDTH else one_line[: _SHOWN_WIDTH - 1] + "…"


def _require_one(*wishes: Any) -> None:
    from lesionary.core.errors import InputError

    if sum(wish not in {None, False} for wish in wishes) > 1:
        raise InputError(
            "--anchor, --export, --note and --accept-clock are four things to do, not one",
            code="usage",
            hint="name one of them",
        )
