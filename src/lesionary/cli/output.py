"""What a command says, and how: one JSON document on stdout, or text for people.

Progress and messages go to stderr. No traceback reaches either: a fault of our own gets exit code
70 and an event id, and its stack, without values, goes to the log.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lesionary.core.errors import LesionaryError

if TYPE_CHECKING:
    from lesionary.app.executor.outcome import Failure

DONE, PARTLY, UNUSABLE, BUG, INTERRUPTED = 0, 1, 2, 70, 130


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go: ``--json`` or not."""

    is_json: bool

    def emit(self, document: Any, text: str) -> None:
        """Print the document, or the text."""
        if self.is_json:
            write_json(document)
        else:
            sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Say something on the side."""
        sys.stderr.write(text + "\n")

    def note_new_vault(self) -> None:
        """Say that there was no vault, and that there is one now."""
        self.note("a new vault was made: keep copies of its database and, elsewhere, of its keys")


def write_json(document: Any) -> None:
    """Print one JSON document; a number that is not finite would be a fault of ours."""
    # In ASCII it is the same document whatever the terminal's encoding, and whatever bytes a file's
    # name is made of. Whole before it is written: a fault must not leave half a document behind.
    sys.stdout.write(json.dumps(document, allow_nan=False, indent=2) + "\n")


def report_error(error: LesionaryError, *, is_json: bool) -> int:
    """Show an expected failure and return its exit code."""
    if is_json:
        write_json(error_document(error))
    else:
        named = f"{error.source}: " if error.source else ""
        sys.stderr.write(f"error: {named}{error.message}\n")
        others = [source for source in error.sources if source != error.source]
        if others:
            sys.stderr.write(f"  also: {', '.join(others)}\n")
        if error.hint:
            sys.stderr.write(f"  hint: {error.hint}\n")
    return error.exit_code


def error_document(error: LesionaryError) -> dict[str, Any]:
    """Return the contract's JSON for an error."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "source": error.source,
            "sources": list(error.sources),
        },
        **error.details,
    }


def report_usage(message: str, *, is_json: bool, hint: str | None = None) -> int:
    """Show that the command line itself is wrong."""
    return report_error(LesionaryError(message, code="usage", hint=hint), is_json=is_json)


def report_interrupt(arguments: Sequence[str]) -> None:
    """Show that the user stopped the command, in one line or as the contract's JSON."""
    is_of_files = list(arguments[:1]) == ["file"]
    again = "run the same command again" + ("" if is_of_files else ": it goes on where it stopped")
    if "--json" in arguments:
        write_json(error_document(LesionaryError("interrupted", code="interrupted", hint=again)))
    else:
        sys.stderr.write(f"interrupted; {again}\n")


def report_bug(error: BaseException, *, is_json: bool) -> int:
    """Show that Lesionary failed, and log where."""
    event = uuid4().hex[:12]
    _log_bug(event, error)
    bug = LesionaryError(
        f"a fault of Lesionary's own, event {event}",
        code="bug",
        hint=f"please report it with the lines of that event in {bug_log()}",
    )
    report_error(bug, is_json=is_json)
    return BUG


def bug_log() -> Path:
    """Return the file that stacks go to."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "lesionary" / "bugs.jsonl"


def log_failures(failures: Iterable["Failure"]) -> None:
    """Log faults of Lesionary's own that a command went on after."""
    for failure in failures:
        _log({"failure": failure.reason, "stack": list(failure.stack)})


def _log_bug(event: str, error: BaseException) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _log({"event": event, "stack": [type(error).__name__, *places]})


def _log(entry: Mapping[str, Any]) -> None:
    try:
        bug_log().parent.mkdir(parents=True, exist_ok=True)
        with bug_log().open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    except OSError:
        sys.stderr.write("the log cannot be written\n")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns: text to the left, numbers to the right."""
    if not rows:
        return ""
    widths = [max(len(str(cell)) for cell in column) for column in zip(header, *rows, strict=True)]
    is_number = [
        all(_looks_numeric(row[position]) for row in rows) for position in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, is_number, strict=True)
        ).rstrip()

    return "\n".join([line(header), *(line(row) for row in rows)])


def counted(n: int, thing: str, things: str | None = None) -> str:
    """Write a number with its noun: ``1 mask``, ``2 masks``."""
    return f"{n} {thing if n == 1 else things or thing + 's'}"


def _looks_numeric(cell: str) -> bool:
    return cell in {"", "–"} or cell.replace(".", "", 1).lstrip("-−").isdigit()
