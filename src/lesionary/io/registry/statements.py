"""Inserts that know what to do where a row of the same primary key is there, on both databases."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lesionary.io.database.engine import is_sqlite


def upsert(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> Any:
    """Return an insert that replaces a row of the same primary key."""
    statement = dialect_insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def insert_where_free(connection: sa.Connection, table: sa.Table) -> Any:
    """Return an insert that leaves a row of the same primary key alone."""
    keys = [column.name for column in table.primary_key]
    return dialect_insert(connection, table).on_conflict_do_nothing(index_elements=keys)


def dialect_insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Return the database's own insert, which can say ``ON CONFLICT``."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if is_sqlite(connection) else postgresql
    return dialect.insert(table)
