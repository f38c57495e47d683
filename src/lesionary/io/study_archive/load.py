"""The database's side of reading an archive: one transaction, and nothing unless it ends well."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.database.engine import is_sqlite
from lesionary.io.registry import tables
from lesionary.io.registry.engine import engine_of
from lesionary.io.registry.making import make_schema, make_tables
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.soundness import faults
from lesionary.io.registry.version import SCHEMA_VERSION
from lesionary.io.study_archive.layout import CARRIED, IMPORT_TOKEN, carried, changed, part_member
from lesionary.io.study_archive.older import bring_up, make_old_tables
from lesionary.io.study_archive.rows import insert_stored, rows_of
from lesionary.io.study_archive.tar import TarReader

_TOGETHER = 1000


@contextmanager
def loading(
    place: RegistryPlace, token: str, dead_tokens: Collection[str], *, schema: int
) -> Iterator[sa.Connection]:
    """Open the transaction in which a registry comes to be, guards and all.

    Parameters
    ----------
    place : RegistryPlace
    token : str
        Of the folder that is being made. A server keeps it, for folder and schema cannot come into
        being in one step: a process killed between the two leaves a schema whose token is that of
        an abandoned folder, and no study's.
    dead_tokens : collection of str
        Tokens of abandoned folders; a schema that bears one of them is replaced.
    schema : int
        Of the rows that come; :func:`require_whole` makes an older one this Lesionary's.

    Raises
    ------
    WorkflowError
        Code ``registry_taken`` where the database holds the study already.
    """
    engine = engine_of(place)
    try:
        with engine.begin() as connection:
            if is_sqlite(connection):
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            else:
                _drop_if_of(connection, place.schema, dead_tokens)
                make_schema(connection, place.schema)
            if schema == SCHEMA_VERSION:
                make_tables(connection)
            else:
                make_old_tables(connection, schema)
            _defer(connection, schema, "DEFERRABLE INITIALLY DEFERRED")
            yield connection
            if not is_sqlite(connection):
                connection.execute(sa.insert(tables.meta), {"key": IMPORT_TOKEN, "value": token})
    finally:
        engine.dispose()


def unload(place: RegistryPlace, token: str) -> None:
    """Drop the schema that an import made whose folder could not get its name."""
    if place.url is None:
        return
    engine = engine_of(place)
    try:
        with engine.begin() as connection:
            _drop_if_of(connection, place.schema, {token})
    finally:
        engine.dispose()


def load_tables(connection: sa.Connection, reader: TarReader, schema: int) -> dict[str, int]:
    """Read every table's parts into the database; return the number of rows by table.

    Raises
    ------
    InputError
        If rows are none of their table's, come twice or out of order, or contradict others.
    """
    return {table.name: _load(connection, reader, table) for table in carried(schema)}


def _load(connection: sa.Connection, reader: TarReader, table: sa.Table) -> int:
    n_rows, last_key, number = 0, None, 1
    keys = table.primary_key.columns.keys()
    while reader.name == (member := part_member(table.name, number)):
        rows = rows_of(reader.part(), table, member)
        while together := list(islice(rows, _TOGETHER)):
            for row in together:
                key = tuple(row[name] for name in keys)
                if last_key is not None and key <= last_key:
                    raise changed(member, "its rows are not in the order of their keys")
                last_key = key
            try:
                insert_stored(connection, table, together)
            except sa.exc.IntegrityError:
                raise changed(member, "its rows contradict each other or name others that"
                              " are not there") from None  # fmt: skip
            n_rows += len(together)
        number += 1
    return n_rows


def require_whole(connection: sa.Connection, place: RegistryPlace, schema: int) -> None:
    """Hold what was loaded against itself and against its audit, as the database now has it.

    Rows of an older schema are first brought up to this Lesionary's.

    Raises
    ------
    InputError
        Code ``archive_changed``.
    """
    _require_references(connection, schema)
    told = sa.select(tables.meta.c.value).where(tables.meta.c.key == "schema")
    if connection.execute(told).scalar() != str(schema):
        raise changed("tables/meta", "it names another schema than the archive")
    if schema != SCHEMA_VERSION:
        try:
            bring_up(connection, place, schema)
        except WorkflowError as error:
            if error.code != "head_changed":
                raise
            raise changed("audit/head", error.message) from error
    for fault in faults(connection):
        raise changed(fault.object, f"the study's audit does not hold there: {fault.reason}")


def _require_references(connection: sa.Connection, schema: int) -> None:
    if is_sqlite(connection):
        is_broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None
    else:
        try:
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            is_broken = False
        except sa.exc.IntegrityError:
            is_broken = True
    if is_broken:
        raise changed("tables", "a row names another that is not there")
    _defer(connection, schema, "NOT DEFERRABLE")


def _defer(connection: sa.Connection, schema: int, how: str) -> None:
    """Say when a server looks at references within one table: its rows come by key, in any order.

    SQLite is told for the transaction as a whole.
    """
    if is_sqlite(connection):
        return
    loaded = {table.name for table in carried(schema)}
    for table in (one for one in CARRIED if one.name in loaded):
        for constraint in table.foreign_key_constraints:
            if constraint.referred_table is table:
                (column,) = constraint.column_keys
                name = f"{table.name}_{column}_fkey"
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ALTER CONSTRAINT {name} {how}"
                )


def _drop_if_of(connection: sa.Connection, schema: str, tokens: Collection[str]) -> None:
    """Drop a schema that bears one of the tokens: no study uses it."""
    is_there = sa.inspect(connection).has_table("meta", schema=schema)
    token = sa.select(tables.meta.c.value).where(tables.meta.c.key == IMPORT_TOKEN)
    if tokens and is_there and connection.execute(token).scalar() in tokens:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
