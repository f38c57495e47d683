"""What ``status`` shows, read through the database driver alone.

SQLAlchemy takes 0.4 s of CPU to import; ``status`` must answer sooner. Plain SQL over the DB-API
reads the same tables (``registry_schema.py``).
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lesionary.core.annotation import GIVEN
from lesionary.core.errors import WorkflowError

OUR_FAULTS = (sqlite3.IntegrityError, sqlite3.ProgrammingError)
"""What the database says of a wrong statement, not of its file."""

STAGES = ("prepare", "annotate", "measure", "agree", "evaluate", "publish")


PLANNED = "planned:"
"""Settings that start so hold how many units the last run of a stage planned."""

PROTOCOL_DIGEST = "protocol_digest"
"""The setting that holds the hash of ``study.toml`` as the last run read it."""


def read_status(path: Path, protocol_digest: str) -> dict[str, Any]:
    """Return the contract's status document: series, left out, ignored, masks, stages.

    ``protocol_changed`` says that ``study.toml`` is another than the last run's: what is counted as
    done may then be due again.
    """
    if not path.is_file():
        raise WorkflowError("the study has no registry", hint="make one with `lesionary new`")
    try:
        return _status(path, protocol_digest)
    except OUR_FAULTS:
        raise
    except sqlite3.DatabaseError as error:
        raise registry_error(error) from error


def _status(path: Path, protocol_digest: str) -> dict[str, Any]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        findings = _rows(connection, "SELECT * FROM finding ORDER BY id")
        series = _rows(connection, "SELECT * FROM series ORDER BY number")
        return {
            "series": [series_row(_decoded(row), findings) for row in series],
            "left_out": [left_out_row(row) for row in findings if row["outcome"] == "left_out"],
            "ignored": [ignored_row(row) for row in findings if row["outcome"] == "ignored"],
            "masks": _masks(connection),
            "stages": _stages(connection, len(series)),
            "protocol_changed": _last_digest(connection) not in {None, protocol_digest},
            "failed": _rows(
                connection,
                "SELECT stage, name AS unit, code, reason, hint FROM unit"
                " WHERE state = 'failed' ORDER BY stage, name",
            ),
        }


def _last_digest(connection: sqlite3.Connection) -> str | None:
    query = "SELECT value FROM meta WHERE key = ?"
    row = connection.execute(query, (PROTOCOL_DIGEST,)).fetchone()
    return None if row is None else str(row[0])


def registry_error(error: sqlite3.DatabaseError) -> WorkflowError:
    """Say in a sentence what the database says of its file."""
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return WorkflowError(
            f"the study's registry cannot be written or read: {error}",
            code="not_writable",
            hint="see to free space and to permissions of the study's folder",
        )
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return WorkflowError(
            "another process holds the study's registry", code="busy", hint="wait until it ends"
        )
    return WorkflowError(
        "the study's registry is damaged",
        code="registry_damaged",
        hint="restore the study from a backup, or make a new one and ingest again",
    )


def _rows(connection: sqlite3.Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query)]


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: json.loads(row[name]) for name in ("shape", "spacing_mm")}


def series_row(row: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a series as ``ingest`` and ``status`` show it."""
    return {
        "id": row["id"],
        "subject": row["subject_id"],
        "timepoint": row["timepoint"],
        "modality": row["modality"],
        "region": row["region"],
        "shape": row["shape"],
        "spacing_mm": row["spacing_mm"],
        "source": row["source"],
        "outcome": row["outcome"],
        "notes": [
            {"code": finding["code"], "reason": finding["reason"]}
            for finding in findings
            if finding["series_id"] == row["id"]
        ],
    }


def left_out_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was left out as ``ingest`` and ``status`` show it."""
    names = ("source", "code", "reason", "instances", "hint")
    return {name: row[name] for name in names} | {"by_rule": bool(row["by_rule"])}


def ignored_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was ignored as ``ingest`` and ``status`` show it."""
    return {name: row[name] for name in ("source", "code", "reason")}


def _masks(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    return _rows(
        connection,
        "SELECT series_id AS series, author, method, review_state, source FROM annotation"
        " ORDER BY series_id, id",
    )


def _stages(connection: sqlite3.Connection, n_series: int) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], int] = {}
    for row in connection.execute("SELECT stage, state, count(*) FROM unit GROUP BY stage, state"):
        counts[row[0], row[1]] = row[2]
    planned_units = _planned(connection, n_series)
    stages = []
    for stage in STAGES:
        planned = planned_units[stage]
        done, failed = counts.get((stage, "done"), 0), counts.get((stage, "failed"), 0)
        stages.append(
            {"stage": stage, "due": max(0, planned - done - failed), "done": done, "failed": failed}
        )
    return stages


def _planned(connection: sqlite3.Connection, n_series: int) -> dict[str, int]:
    """Return how many units each stage has: some stages plan fewer than one a series.

    ``evaluate`` plans by the protocol, so what is known is the number that the last run planned.
    """
    query = "SELECT value FROM meta WHERE key = ?"
    row = connection.execute(query, (f"{PLANNED}evaluate",)).fetchone()
    (several,) = connection.execute(
        "SELECT count(*) FROM (SELECT series_id FROM annotation WHERE author != ?"
        " GROUP BY series_id HAVING count(DISTINCT author) > 1)",
        (GIVEN,),
    ).fetchone()
    return {
        "prepare": n_series,
        "annotate": n_series,
        "measure": n_series,
        "agree": int(several),
        "evaluate": 0 if row is None else int(row[0]),
        "publish": min(1, n_series),
    }
