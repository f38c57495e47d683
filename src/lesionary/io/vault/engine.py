"""The vault's two databases: writers queue, deleted bytes are overwritten, no value in an error."""

from contextlib import closing
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import LesionaryError, WorkflowError
from lesionary.io.registry.drivers import postgres_driver
from lesionary.io.registry.engine import is_sqlite, wait_s
from lesionary.io.registry.wording import is_of_database, is_our_fault, registry_error
from lesionary.io.vault.place import SCHEMA, VaultPlace, wrong_url

_LOCK = 0x1E510A
"""The advisory lock at which the writers of a server's vault queue."""

_WORDS = {
    "busy": ("busy", "another process holds the vault", "wait until it ends"),
    "not_writable": (
        "not_writable",
        "the vault cannot be written or read",
        "see to free space and to permissions of its folder or server",
    ),
    "registry_unreachable": (
        "vault_unreachable",
        "the vault's server cannot be reached",
        "start it, or mend the address; then run the same command again",
    ),
    "registry_refused": (
        "vault_refused",
        "the vault's server does not let this user in, has no such database, or refuses",
        "see to user, password, database and rights; the server's log says more",
    ),
    "registry_damaged": (
        "vault_damaged",
        "the vault's database is damaged",
        "restore it from a backup: its identities are nowhere else",
    ),
}


def engine_of(place: VaultPlace) -> sa.Engine:
    """Return an engine for the vault's place; nothing is connected yet."""
    engine = _sqlite_engine(place) if place.path is not None else _postgres_engine(place)

    @sa.event.listens_for(engine, "handle_error")
    def _in_words(context: sa.engine.ExceptionContext) -> None:
        cause = context.original_exception
        if isinstance(cause, Exception) and is_of_database(cause) and not is_our_fault(cause):
            raise _vault_error(cause) from None  # a driver may quote what it was given

    return engine


def lock(connection: sa.Connection) -> None:
    """Let no other writer in until the transaction ends; on SQLite it began so."""
    if not is_sqlite(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def erase_deleted(engine: sa.Engine) -> bool:
    """Overwrite what deleted rows left in the files of the database; tell whether it was done."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return (cursor.fetchone() or (1,))[0] == 0  # 1: somebody still reads from the log
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
        server.exec_driver_sql("VACUUM FULL token")
    return True


def _vault_error(cause: Exception) -> LesionaryError:
    of_registry = registry_error(cause)
    if of_registry.code == "registry_url":
        return wrong_url()
    code, message, hint = _WORDS[of_registry.code]
    return WorkflowError(message, code=code, hint=hint)


def _sqlite_engine(place: VaultPlace) -> sa.Engine:
    url = sa.URL.create("sqlite", database=str(place.path))
    options: dict[str, Any] = {"timeout": wait_s(), "isolation_level": None}
    engine = sa.create_engine(url, connect_args=options, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin_immediate(connection: sa.Connection) -> None:
        is_reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(place: VaultPlace) -> sa.Engine:
    postgres_driver()
    wait_ms = int(wait_s() * 1000)
    options = f"-c search_path={SCHEMA} -c lock_timeout={wait_ms} -c timezone=UTC"
    try:
        url = sa.make_url(str(place.url))
    except (sa.exc.ArgumentError, ValueError):
        raise wrong_url() from None
    return sa.create_engine(
        url,
        connect_args={"options": options, "connect_timeout": 10},
        pool_pre_ping=True,
        pool_size=2,
        hide_parameters=True,
    )
