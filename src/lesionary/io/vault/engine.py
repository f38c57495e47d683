"""The vault's two databases: writers queue, deleted bytes are overwritten, no value in an error."""

from contextlib import closing

import sqlalchemy as sa

from lesionary.core.errors import LesionaryError, WorkflowError
from lesionary.io.database.engine import Wording, is_sqlite, postgres_engine, sqlite_engine
from lesionary.io.registry.wording import registry_error
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
    wording = Wording(_vault_error, wrong_url, hides_values=True)
    if place.path is not None:
        return sqlite_engine(place.path, wording, pragmas=("secure_delete = ON",))
    return postgres_engine(str(place.url), SCHEMA, wording)


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
