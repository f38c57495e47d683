"""Anchors: the last event's hash, written down where nobody who rewrites the study gets at it.

A file has one JSON line an anchor, ``{"study", "seq", "hash", "at"}``; it may hold those of several
studies. It holds no secret and no identity, so it can lie anywhere, or be sent to somebody.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError
from lesionary.io.durable import flush_to_disk, writing

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.io.registry.chain import Head


def write_anchor(study: "Study", head: "Head", file: Path) -> dict[str, Any]:
    """Append one line to a file and return it; when this returns, it is on the disk.

    Raises
    ------
    InputError
        If the file lies within the study: who rewrites the one could rewrite the other.
    WorkflowError
        Code ``not_writable``.
    """
    if file.resolve().is_relative_to(study.files.root.resolve()):
        raise InputError(
            "an anchor within the study holds nothing",
            code="usage",
            hint="name a file elsewhere, best on another machine",
            source=str(file),
        )
    line = {"study": study.section.id, "seq": head.seq, "hash": head.hash, "at": head.at}
    with writing(file.parent):
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, json.dumps(line).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        flush_to_disk(file.resolve().parent)
    return line


def read_anchors(file: Path, study_id: str) -> dict[int, frozenset[str]]:
    """Return what a file says of one study: hashes by the numbers of their events.

    Raises
    ------
    InputError
        Code ``anchor``, if a line is no anchor, or none is of this study.
    """
    found: dict[int, set[str]] = {}
    for number, line in enumerate(_lines(file), start=1):
        try:
            anchor = json.loads(line)
            study, seq, event_hash = anchor["study"], anchor["seq"], anchor["hash"]
        except (ValueError, TypeError, KeyError):
            raise InputError(
                f"line {number} is no anchor", code="anchor", hint=_HINT, source=str(file)
            ) from None
        if study == study_id:
            found.setdefault(int(seq), set()).add(str(event_hash))
    if not found:
        raise InputError("no line is of this study", code="anchor", hint=_HINT, source=str(file))
    return {seq: frozenset(hashes) for seq, hashes in found.items()}


_HINT = "name the file that `lesionary audit STUDY --anchor FILE` wrote"


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8") as lines:
            yield from (line for line in lines if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the anchor's file cannot be read ({type(error).__name__})",
            code="anchor",
            hint=_HINT,
            source=str(file),
        ) from None
