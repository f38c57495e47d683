"""Put the tables of one schema where those of the next are not in their way.

On a server they move to a schema of their own, which may stay: that is the copy that an upgrade
keeps. In a file they take other names for the while, and go: the copy is a file beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

Old = Mapping[str, sa.TableClause]


@contextmanager
def set_aside(
    connection: sa.Connection, tables: Sequence[sa.TableClause], schema: str | None, *, prefix: str
) -> Iterator[Old]:
    """Move tables; give them by the names they had.

    Parameters
    ----------
    connection : Connection
        In the transaction that holds all of it.
    tables : sequence of table
        Each after those that its rows name.
    schema : str or None
        Their new home on a server; None stands for a file.
    prefix : str
        Of their names in a file meanwhile.
    """
    named = {table.name: table for table in tables}
    if schema is not None:
        connection.execute(sa.schema.CreateSchema(schema))
        home = connection.dialect.identifier_preparer.quote(schema)
        for name in named:
            connection.exec_driver_sql(f"ALTER TABLE {name} SET SCHEMA {home}")
        yield {name: _moved(table, name, schema=schema) for name, table in named.items()}
        return
    for name in named:
        _free_names(connection, name)
        connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {prefix}{name}")
    yield {name: _moved(table, prefix + name) for name, table in named.items()}
    for name in reversed(named):
        connection.exec_driver_sql(f"DROP TABLE {prefix}{name}")


def _free_names(connection: sa.Connection, table: str) -> None:
    """Drop a table's indexes and triggers: the next schema's have the same names."""
    query = (
        "SELECT type, name FROM sqlite_master"
        " WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL"
    )
    for kind, name in connection.exec_driver_sql(query, (table,)).all():
        quoted = connection.dialect.identifier_preparer.quote(name)
        connection.exec_driver_sql(f"DROP {kind} {quoted}")


def _moved(table: sa.TableClause, name: str, **home: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(own.name, own.type) for own in table.columns), **home)
