"""Archives of older schemas: which tables they have, and how they come to be this one's.

Their rows are read into tables as they were. Then the same steps run as in an upgrade, within the
import's one transaction; only what they make is held against its audit.
"""

import sqlalchemy as sa

from lesionary.io.registry import tables
from lesionary.io.registry.migrations import schema_2
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.revision import stamp
from lesionary.io.registry.upgrade import drop_kept, run_steps
from lesionary.io.registry.version import SCHEMA_VERSION

OLDEST_SCHEMA = 2
"""Schema 1 had no archives."""

_OLD = {2: schema_2.metadata}


def tables_of(schema: int) -> list[sa.Table]:
    """Return the tables of a schema, each after those that its rows name; JSON is known as such."""
    if schema == SCHEMA_VERSION:
        return tables.metadata.sorted_tables
    known = sa.MetaData()
    return [_typed(table, known) for table in _OLD[schema].sorted_tables]


def make_old_tables(connection: sa.Connection, schema: int) -> None:
    """Make the tables of an older schema, empty, without guards: they do not stay."""
    _OLD[schema].create_all(connection)
    stamp(connection, schema)


def bring_up(connection: sa.Connection, place: RegistryPlace, schema: int) -> None:
    """Make tables of an older schema those of this one, rows and all."""
    drop_kept(connection, run_steps(connection, place, schema))


def _typed(table: sa.Table, known: sa.MetaData) -> sa.Table:
    """Return a table with the types that its columns have today: of old, JSON was told as text."""
    today = tables.metadata.tables[table.name].columns
    columns = (
        sa.Column(
            own.name, today[own.name].type, primary_key=own.primary_key, nullable=own.nullable
        )
        for own in table.columns
    )
    return sa.Table(table.name, known, *columns)
