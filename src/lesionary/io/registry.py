"""The study's registry: what came in, what was drawn, what is done.

SQLite in WAL mode. Every write is one ``BEGIN IMMEDIATE`` transaction, so a killed process leaves
the state before or after it, and writers queue instead of failing.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io import registry_schema as tables
from lesionary.io.registry_status import OUR_FAULTS, registry_error

Row = Mapping[str, Any]

_BUSY_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One stage's work on one unit: done with an output, or failed with a reason."""

    stage: str
    name: str
    key: str
    state: str
    output: Any = None
    code: str | None = None
    reason: str | None = None
    hint: str | None = None


class Registry:
    """Rows in, rows out; what they mean is the business of ``app``."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def create(cls, path: Path) -> "Registry":
        """Make the tables in a new file."""
        registry = cls(_sqlite_engine(path))
        with registry._begin() as connection:
            tables.metadata.create_all(connection)
            connection.execute(
                sa.insert(tables.meta),
                [
                    {"key": "schema", "value": str(tables.SCHEMA_VERSION)},
                    {"key": "ingests", "value": "0"},
                ],
            )
        return registry

    @classmethod
    def open(cls, path: Path) -> "Registry":
        """Open an existing registry, and refuse one that a newer Lesionary made."""
        if not path.is_file():
            raise WorkflowError("the study has no registry", hint="make one with `lesionary new`")
        registry = cls(_sqlite_engine(path))
        found = int(registry.meta("schema") or 0)
        if found != tables.SCHEMA_VERSION:
            raise WorkflowError(
                f"the registry has schema {found}, this Lesionary reads {tables.SCHEMA_VERSION}",
                hint="use the Lesionary that made it, or a newer one",
            )
        return registry

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _begin(self) -> AbstractContextManager[sa.Connection]:
        return self._engine.begin()

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(read_only=True)

    def meta(self, key: str) -> str | None:
        """Return a stored setting."""
        with self._reading() as connection:
            query = sa.select(tables.meta.c.value).where(tables.meta.c.key == key)
            return connection.execute(query).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Store a setting."""
        with self._begin() as connection:
            connection.execute(sa.delete(tables.meta).where(tables.meta.c.key == key))
            connection.execute(sa.insert(tables.meta), {"key": key, "value": value})

    def rows(self, table: sa.Table, *, order_by: Sequence[str] = (), **equal: Any) -> list[Row]:
        """Return all rows whose columns equal what is given."""
        query = sa.select(table)
        for column, value in equal.items():
            query = query.where(table.c[column] == value)
        for column in order_by:
            query = query.order_by(table.c[column])
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def all_series(self) -> list[Row]:
        """Return every ingested series in the order of its number."""
        return self.rows(tables.series, order_by=("number",))

    def sop_uids(self) -> set[str]:
        """Return the keyed SOP UIDs of all slices."""
        with self._reading() as connection:
            return set(connection.execute(sa.select(tables.instance.c.sop_uid)).scalars())

    def units(self, stage: str) -> dict[str, UnitRecord]:
        """Return what is known of a stage's units, by name."""
        rows = self.rows(tables.unit, stage=stage)
        return {row["name"]: UnitRecord(**row) for row in rows}

    def record_unit(self, record: UnitRecord) -> None:
        """Store a unit's outcome, in place of an older one."""
        values = asdict(record)
        with self._begin() as connection:
            connection.execute(
                sa.delete(tables.unit).where(
                    tables.unit.c.stage == record.stage, tables.unit.c.name == record.name
                )
            )
            connection.execute(sa.insert(tables.unit), values)

    def forget_units(self, stage: str, names: Iterable[str]) -> None:
        """Drop units that no longer exist."""
        with self._begin() as connection:
            for name in names:
                connection.execute(
                    sa.delete(tables.unit).where(
                        tables.unit.c.stage == stage, tables.unit.c.name == name
                    )
                )

    @contextmanager
    def ingest(self) -> Iterator["IngestTransaction"]:
        """Open the one transaction in which an ingest becomes part of the study, or does not."""
        with self._begin() as connection:
            number = int(
                connection.execute(
                    sa.select(tables.meta.c.value).where(tables.meta.c.key == "ingests")
                ).scalar_one()
            )
            yield IngestTransaction(connection, number + 1)
            connection.execute(
                sa.update(tables.meta)
                .where(tables.meta.c.key == "ingests")
                .values(value=str(number + 1))
            )


class IngestTransaction:
    """Writes of one ingest; nothing is visible to others before it ends."""

    def __init__(self, connection: sa.Connection, number: int) -> None:
        self._connection = connection
        self.number = number

    def insert(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Add rows."""
        if rows:
            self._connection.execute(sa.insert(table), [dict(row) for row in rows])

    def update(self, table: sa.Table, row_id: str, **values: Any) -> None:
        """Change one row, named by its id."""
        self._connection.execute(sa.update(table).where(table.c.id == row_id).values(**values))

    def forget_units(self, stage: str, names: Iterable[str]) -> None:
        """Make units due again: what they rest on has changed."""
        unit = tables.unit
        for name in names:
            self._connection.execute(
                sa.delete(unit).where(unit.c.stage == stage, unit.c.name == name)
            )

    def rows(self, table: sa.Table) -> list[Row]:
        """Return all rows as this transaction sees them."""
        return [dict(row) for row in self._connection.execute(sa.select(table)).mappings()]


def _sqlite_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _BUSY_TIMEOUT_S, "isolation_level": None},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @sa.event.listens_for(engine, "handle_error")
    def _in_words(context: sa.engine.ExceptionContext) -> None:
        cause = context.original_exception
        if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, OUR_FAULTS):
            raise registry_error(cause) from cause

    @sa.event.listens_for(engine, "begin")
    def _begin_immediate(connection: sa.Connection) -> None:
        is_reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine
