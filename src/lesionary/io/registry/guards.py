"""The guards of what is permanent in a registry: events, and what people made."""

from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.io.database import guards
from lesionary.io.registry.tables import PERMANENT

REFUSE = "lesionary_refuse"
"""The function that a server's triggers call."""


def guard_statements(dialect: str) -> Iterator[str]:
    """Yield the statements that protect events and what people made."""
    if dialect == "postgresql":
        yield guards.refusing_function(REFUSE)
    for table in PERMANENT:
        yield from guards.guards_of(table, dialect, REFUSE).values()


def add_guards(connection: sa.Connection) -> None:
    """Create the triggers."""
    for statement in guard_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def drop_guards(connection: sa.Connection, table: sa.Table) -> None:
    """Take what is there of a table's triggers away, for who puts them back."""
    guards.drop_guards(connection, table, must_exist=False)
