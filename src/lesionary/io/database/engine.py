"""The two databases, set up so that nothing is lost and writers queue.

SQLite: WAL, every write a ``BEGIN IMMEDIATE`` transaction, a busy timeout, foreign keys on.
PostgreSQL: a schema of its own, a lock timeout, times in UTC.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import LesionaryError
from lesionary.io.database.complaints import is_of_database, is_our_fault
from lesionary.io.database.drivers import postgres_driver
from lesionary.io.database.waiting import wait_s

_PRAGMAS = ("synchronous = FULL", "foreign_keys = ON")


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said of a database that fails.

    Parameters
    ----------
    of_error : callable
        Returns what a driver's exception means.
    of_url : callable
        Returns what is said of an address that cannot be read.
    hides_values : bool
        Whether an error about a statement is shown without what was to be written.
    """

    of_error: Callable[[Exception], LesionaryError]
    of_url: Callable[[], LesionaryError]
    hides_values: bool = False


def sqlite_engine(
    path: Path, wording: Wording, *, frozen_uri: str | None = None, pragmas: tuple[str, ...] = ()
) -> sa.Engine:
    """Return an engine for a file; nothing is opened yet.

    Parameters
    ----------
    path : Path
        The file.
    wording : Wording
    frozen_uri : str, optional
        Its address where it lies so that nothing beside it can be written: then it is only read.
    pragmas : tuple of str
        Further settings of each connection, such as ``secure_delete = ON``.
    """
    options: dict[str, Any] = {"timeout": wait_s(), "isolation_level": None}
    url = sa.URL.create("sqlite", database=str(path))
    if frozen_uri is not None:
        options |= {"uri": True, "check_same_thread": False}
        engine = sa.create_engine(
            url,
            creator=lambda: sqlite3.connect(frozen_uri, **options),
            hide_parameters=wording.hides_values,
        )
    else:
        engine = sa.create_engine(url, connect_args=options, hide_parameters=wording.hides_values)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        try:
            if frozen_uri is None:
                cursor.execute("PRAGMA journal_mode = WAL")
        except UnicodeDecodeError as error:  # the words of a damaged table definition
            raise wording.of_error(error) from error
        for setting in (*_PRAGMAS, *pragmas):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin_immediate(connection: sa.Connection) -> None:
        is_reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return _in_words(engine, wording)


def postgres_engine(url: str, schema: str, wording: Wording) -> sa.Engine:
    """Return an engine for a schema of a server's database; nothing is connected yet.

    Raises
    ------
    LesionaryError
        What ``wording`` says of an address that cannot be read.
    """
    postgres_driver()
    wait_ms = int(wait_s() * 1000)
    options = f"-c search_path={schema} -c lock_timeout={wait_ms} -c timezone=UTC"
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise wording.of_url() from None
    engine = sa.create_engine(
        address,
        connect_args={"options": options, "connect_timeout": 10},
        pool_pre_ping=True,
        pool_size=2,
        hide_parameters=wording.hides_values,
    )
    return _in_words(engine, wording)


def is_sqlite(connection: sa.Connection) -> bool:
    """Tell which of the two databases a connection leads to."""
    return connection.dialect.name == "sqlite"


def _in_words(engine: sa.Engine, wording: Wording) -> sa.Engine:
    @sa.event.listens_for(engine, "handle_error")
    def _say(context: sa.engine.ExceptionContext) -> None:
        cause = context.original_exception
        if isinstance(cause, Exception) and is_of_database(cause) and not is_our_fault(cause):
            raise wording.of_error(cause) from cause

    return engine
