"""What ``status`` shows, read through the database's driver alone.

SQLAlchemy takes 0.4 s of CPU to import; ``status`` must answer sooner. Plain SQL over the DB-API
reads the same tables (``tables.py``). Counts come from ``tally``, which is kept up with the rows,
so the summary of a million series takes no longer than that of ten.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from lesionary.io.database.complaints import is_of_database, is_our_fault
from lesionary.io.database.drivers import postgres_driver
from lesionary.io.registry.place import POSTGRES, RegistryPlace
from lesionary.io.registry.version import SCHEMA, require_schema, schema_of
from lesionary.io.registry.wording import no_registry, registry_error

STAGES = (
    "prepare",
    "annotate",
    "measure",
    "track",
    "respond",
    "agree",
    "evaluate",
    "publish",
)

PLANNED = "planned:"
"""Settings that start so hold how many units the last run of a stage planned."""

PROTOCOL_DIGEST = "protocol_digest"
"""The setting that holds the hash of ``study.toml`` as the last run read it."""

RECEIVED_INGESTED = "received_ingested"
"""The setting that holds how many received objects lay there when they were last ingested."""

SEVERAL_READERS = "series_of_several_readers"
"""The count of series that two named readers or more drew on: what ``agree`` plans."""

Rows = list[dict[str, Any]]


def read_status(
    place: RegistryPlace, protocol_digest: str, *, limit: int | None = None
) -> dict[str, Any]:
    """Return the contract's status document: series, left out, ignored, masks, stages.

    ``protocol_changed`` says that ``study.toml`` is another than the last run's: what is counted as
    done may then be due again. With ``limit`` each list is cut at so many rows, and ``counts`` says
    how many there are.
    """
    if place.url is None and not place.path.is_file():
        raise no_registry()
    try:
        with _connected(place) as database:
            _require_registry(database, place)
            return _status(database, protocol_digest, limit)
    except Exception as error:
        if not is_of_database(error) or is_our_fault(error):
            raise
        raise registry_error(error) from error


def _require_registry(database: "_Database", place: RegistryPlace) -> None:
    if place.url is not None and database.rows("SELECT to_regclass('meta') AS it")[0]["it"] is None:
        raise no_registry()
    rows = database.rows("SELECT value FROM meta WHERE key = ?", SCHEMA)
    require_schema(schema_of(rows[0]["value"] if rows else None))


class _Database:
    """Rows as dictionaries from either driver; ``?`` stands for a value."""

    def __init__(self, connection: Any, mark: str) -> None:
        self._connection = connection
        self._mark = mark

    def rows(self, query: str, *values: object) -> Rows:
        cursor = self._connection.cursor()
        cursor.execute(query.replace("?", self._mark), values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def page(self, query: str, *values: object, limit: int | None) -> Rows:
        return self.rows(query + ("" if limit is None else f" LIMIT {limit}"), *values)


@contextmanager
def _connected(place: RegistryPlace) -> Iterator[_Database]:
    if place.url is None:
        with closing(sqlite3.connect(place.reading_uri, uri=True)) as connection:
            yield _Database(connection, "?")
        return
    psycopg = postgres_driver()
    url = place.url.replace(POSTGRES, "postgresql", 1)
    options = f"-c search_path={place.schema}"
    with closing(psycopg.connect(url, options=options, connect_timeout=10)) as connection:
        yield _Database(connection, "%s")


def _status(database: _Database, protocol_digest: str, limit: int | None) -> dict[str, Any]:
    counts = {row["name"]: row["n"] for row in database.rows("SELECT name, n FROM tally")}
    series = database.page(
        "SELECT s.*, t.number AS timepoint FROM series s JOIN timepoint t ON t.id = s.timepoint_id"
        " ORDER BY s.number",
        limit=limit,
    )
    left_out = _findings(database, "left_out", limit)
    ignored = _findings(database, "ignored", limit)
    notes = notes_of(_notes(database, [row["id"] for row in series] if limit is not None else None))
    return {
        "series": [series_row(_decoded(row), notes.get(row["id"], ())) for row in series],
        "left_out": [left_out_row(row) for row in left_out],
        "ignored": [ignored_row(row) for row in ignored],
        "masks": database.page(
            "SELECT series_id AS series, author, method, review_state, source FROM annotation"
            " ORDER BY series_id, id",
            limit=limit,
        ),
        "stages": _stages(database, counts),
        "protocol_changed": _setting(database, PROTOCOL_DIGEST) not in {None, protocol_digest},
        "failed": database.page(
            "SELECT stage, name AS unit, code, reason, hint FROM unit"
            " WHERE state = 'failed' ORDER BY stage, name",
            limit=limit,
        ),
        "counts": {
            "subjects": counts.get("subject", 0),
            "series": counts.get("series", 0),
            "masks": counts.get("annotation", 0),
            "left_out": counts.get("finding:left_out", 0),
            "ignored": counts.get("finding:ignored", 0),
            "failed": sum(n for name, n in counts.items() if name.endswith(":failed")),
        },
        "curation": {"considered": counts.get("curation", 0), "left_out": _left_out_by(database)},
        "received": {"ingested": int(_setting(database, RECEIVED_INGESTED) or 0)},
    }


def _left_out_by(database: _Database) -> Rows:
    """Count whom each rule left out; an index has it all, and no series that is in."""
    return database.rows(
        "SELECT rule, label AS asks, COUNT(*) AS series FROM curation WHERE outcome = 'out'"
        " GROUP BY rule, label ORDER BY series DESC, rule, label"
    )


def _findings(database: _Database, outcome: str, limit: int | None) -> Rows:
    query = "SELECT * FROM finding WHERE outcome = ? ORDER BY id"
    return database.page(query, outcome, limit=limit)


def _notes(database: _Database, series: Sequence[str] | None) -> Rows:
    if series is None:
        return database.rows("SELECT * FROM finding WHERE series_id IS NOT NULL ORDER BY id")
    if not series:
        return []
    marks = ", ".join("?" * len(series))
    return database.rows(
        f"SELECT * FROM finding WHERE series_id IN ({marks}) ORDER BY id",  # noqa: S608 - marks only
        *series,
    )


def _setting(database: _Database, key: str) -> str | None:
    rows = database.rows("SELECT value FROM meta WHERE key = ?", key)
    return str(rows[0]["value"]) if rows else None


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: json.loads(row[name]) for name in ("shape", "spacing_mm")}


def notes_of(findings: Iterable[Mapping[str, Any]]) -> dict[str, Rows]:
    """Return what was found about each series, as ``ingest`` and ``status`` show it."""
    notes: dict[str, Rows] = {}
    for row in findings:
        if row["series_id"] is not None:
            note = {"code": row["code"], "reason": row["reason"]}
            notes.setdefault(row["series_id"], []).append(note)
    return notes


def series_row(row: Mapping[str, Any], notes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
        "notes": list(notes),
    }


def left_out_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was left out as ``ingest`` and ``status`` show it."""
    names = ("source", "code", "reason", "instances", "hint")
    return {name: row[name] for name in names} | {"by_rule": bool(row["by_rule"])}


def ignored_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was ignored as ``ingest`` and ``status`` show it."""
    return {name: row[name] for name in ("source", "code", "reason")}


def _stages(database: _Database, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    planned_units = _planned(database, counts)
    stages = []
    for stage in STAGES:
        done, failed = (counts.get(f"unit:{stage}:{state}", 0) for state in ("done", "failed"))
        due = max(0, planned_units[stage] - done - failed)
        stages.append({"stage": stage, "due": due, "done": done, "failed": failed})
    return stages


def _planned(database: _Database, counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many units each stage has: some stages plan fewer than one a series.

    ``evaluate`` plans by the protocol, so what is known is the number that the last run planned.
    """
    rows = database.rows("SELECT value FROM meta WHERE key = ?", f"{PLANNED}evaluate")
    n_series = counts.get("series", 0)
    return {
        "prepare": n_series,
        "annotate": n_series,
        "measure": n_series,
        "track": counts.get("subject", 0),
        "respond": counts.get("subject", 0),
        "agree": counts.get(SEVERAL_READERS, 0),
        "evaluate": int(rows[0]["value"]) if rows else 0,
        "publish": min(1, n_series),
    }
