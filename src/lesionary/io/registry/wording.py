"""What databases say, in words: the same for SQLite and PostgreSQL, without loading either."""

import sqlite3

from lesionary.core.errors import LesionaryError, WorkflowError
from lesionary.io.database.complaints import is_of_address
from lesionary.io.registry.place import wrong_url

_NO_RIGHT = "42501"
_REFUSALS = (
    "authentication failed",
    "pg_hba.conf",
    "does not exist",
    "permission denied",
    "password",
)
"""What a server says to one it does not let in: then the driver knows no state, only the text."""

_NO_CONNECTION = "53300"
_FULL = ("too many connections", "too many clients", "remaining connection slots")
"""What a server says that has no connection left: again only the text is known."""


def registry_error(error: Exception) -> LesionaryError:
    """Say in a sentence what a driver's exception means for the study."""
    if isinstance(error, sqlite3.Error | UnicodeDecodeError):
        return _sqlite_error(error)
    if is_of_address(error):
        return wrong_url("the registry's address cannot be read")
    return _postgres_error(error)


def _sqlite_error(error: sqlite3.Error | UnicodeDecodeError) -> WorkflowError:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return WorkflowError(
            f"the study's registry cannot be written or read: {error}",
            code="not_writable",
            hint="see to free space and to permissions of the study's folder",
        )
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return busy()
    return registry_damaged()


def no_registry() -> WorkflowError:
    """Say that there is none."""
    return WorkflowError(
        "the study has no registry",
        code="registry_missing",
        hint="make one with `lesionary new`; where it lies on a server, study.toml or"
        " LESIONARY_REGISTRY_URL must name it",
    )


def registry_damaged() -> WorkflowError:
    """Say that the database is not what it was."""
    return WorkflowError(
        "the study's registry is damaged",
        code="registry_damaged",
        hint="restore the study from a backup, or make a new one and ingest again",
    )


def busy() -> WorkflowError:
    """Say that another process would not let go of the registry."""
    return WorkflowError(
        "another process holds the study's registry", code="busy", hint="wait until it ends"
    )


_GONE = ("08", "57P", "40")
"""Classes of SQLSTATE that pass: the connection broke, the server stops, writers collided."""


def _postgres_error(error: Exception) -> WorkflowError:
    state = str(getattr(error, "sqlstate", None) or "")
    if state == "55P03":  # lock_not_available
        return busy()
    if state in {"53100", "25006"}:  # disk_full, read_only_sql_transaction
        return WorkflowError(
            "the registry's server refuses to write: its disk is full, or it is read-only",
            code="not_writable",
            hint="see to the database server, then run again: what was recorded stays",
        )
    is_let_in = state or not any(words in str(error) for words in _REFUSALS)
    if state.startswith(("28", "3D", _NO_RIGHT)) or not is_let_in:
        return WorkflowError(
            "the registry's server does not let this user in, or has no such database",
            code="registry_refused",
            hint="see to user, password and database of the registry's URL",
        )
    if state and not state.startswith((*_GONE, _NO_CONNECTION)):
        return WorkflowError(
            f"the registry's server refuses: SQLSTATE {state}",
            code="registry_refused",
            hint="the database server's log says more",
        )
    if state == _NO_CONNECTION or any(words in str(error) for words in _FULL):
        return WorkflowError(
            "the registry's server has no connection to spare",
            code="registry_unreachable",
            hint="wait until others end, or raise the server's or the user's connection limit",
        )
    return WorkflowError(
        "the registry's server cannot be reached",
        code="registry_unreachable",
        hint="start it, or mend the URL; then run again: what was recorded stays",
    )
