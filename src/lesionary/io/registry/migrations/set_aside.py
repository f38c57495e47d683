"""Put the tables of schema 1 where those of schema 2 are not in their way.

On a server they move to a schema of their own and stay there: that is the copy that an upgrade
keeps. In a file they take other names for the while, and go: the copy is a file beside it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lesionary.io.registry.migrations import schema_1

_PREFIX = "schema1_"

Old = Mapping[str, sa.TableClause]


@contextmanager
def set_aside(connection: sa.Connection, schema: str | None) -> Iterator[Old]:
    """Move the tables; give them by the names they had.

    ``schema`` is their new home on a server; None stands for a file.
    """
    tables = schema_1.metadata.sorted_tables
    if schema is not None:
        connection.execute(sa.schema.CreateSchema(schema))
        home = connection.dialect.identifier_preparer.quote(schema)
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} SET SCHEMA {home}")
        yield {table.name: _moved(table, table.name, schema=schema) for table in tables}
        return
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {_PREFIX}{table.name}")
    yield {table.name: _moved(table, _PREFIX + table.name) for table in tables}
    for table in reversed(tables):
        connection.exec_driver_sql(f"DROP TABLE {_PREFIX}{table.name}")


def _moved(table: sa.Table, name: str, **home: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(own.name, own.type) for own in table.columns), **home)
