"""The two databases, set up so that nothing is lost and writers queue.

SQLite: WAL, every write a ``BEGIN IMMEDIATE`` transaction, a busy timeout, foreign keys on.
PostgreSQL: one schema a study, writers queue at the row of ``head``.
"""

import math
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.registry.drivers import postgres_driver
from lesionary.io.registry.place import RegistryPlace, wrong_url
from lesionary.io.registry.wording import is_of_database, is_our_fault, registry_error

WAIT_VARIABLE = "LESIONARY_REGISTRY_WAIT_S"
_WAIT_S = 60.0
_WAIT_AT_MOST_S = 86_400.0
_TRY_EVERY_S = 0.5

T = TypeVar("T")


def wait_s() -> float:
    """Return how long a writer waits for another, in seconds.

    Raises
    ------
    InputError
        Code ``usage`` where the environment says otherwise than with a number from 0 to a day.
    """
    text = os.environ.get(WAIT_VARIABLE) or str(_WAIT_S)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _WAIT_AT_MOST_S:
        raise InputError(
            f"{WAIT_VARIABLE} is no number of seconds from 0 to {_WAIT_AT_MOST_S:g}",
            code="usage",
            hint=f"export {WAIT_VARIABLE}={_WAIT_S:g}",
        )
    return seconds


def patiently(work: Callable[[], T]) -> T:
    """Do something with the database; while its server is away, try again for ``wait_s``.

    Raises
    ------
    WorkflowError
        Code ``registry_unreachable`` when the time is over.
    """
    until = time.monotonic() + wait_s()
    while True:
        try:
            return work()
        except WorkflowError as error:
            if error.code != "registry_unreachable" or time.monotonic() > until:
                raise
            time.sleep(_TRY_EVERY_S)


def engine_of(place: RegistryPlace) -> sa.Engine:
    """Return an engine for the registry's place; nothing is connected yet."""
    engine = _sqlite_engine(place) if place.url is None else _postgres_engine(place)

    @sa.event.listens_for(engine, "handle_error")
    def _in_words(context: sa.engine.ExceptionContext) -> None:
        cause = context.original_exception
        if isinstance(cause, Exception) and is_of_database(cause) and not is_our_fault(cause):
            raise registry_error(cause) from cause

    return engine


def is_sqlite(connection: sa.Connection) -> bool:
    """Tell which of the two databases a connection leads to."""
    return connection.dialect.name == "sqlite"


def _sqlite_engine(place: RegistryPlace) -> sa.Engine:
    options: dict[str, Any] = {"timeout": wait_s(), "isolation_level": None}
    is_frozen = place.is_frozen
    url = sa.URL.create("sqlite", database=str(place.path))
    if is_frozen:
        options |= {"uri": True, "check_same_thread": False}
        engine = sa.create_engine(
            url, creator=lambda: sqlite3.connect(place.reading_uri, **options)
        )
    else:
        engine = sa.create_engine(url, connect_args=options)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        try:
            if not is_frozen:
                cursor.execute("PRAGMA journal_mode = WAL")
        except UnicodeDecodeError as error:  # the words of a damaged table definition
            raise registry_error(error) from error
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin_immediate(connection: sa.Connection) -> None:
        is_reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(place: RegistryPlace) -> sa.Engine:
    postgres_driver()
    wait_ms = int(wait_s() * 1000)
    options = f"-c search_path={place.schema} -c lock_timeout={wait_ms} -c timezone=UTC"
    try:
        url = sa.make_url(str(place.url))
    except (sa.exc.ArgumentError, ValueError):
        raise wrong_url("the registry's address cannot be read") from None
    return sa.create_engine(
        url,
        connect_args={"options": options, "connect_timeout": 10},
        pool_pre_ping=True,
        pool_size=2,
    )
