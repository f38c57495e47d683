"""Registries of older schemas: opened, and read as they are stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lesionary.io.registry import tables
from lesionary.io.registry.engine import engine_of
from lesionary.io.registry.migrations import schema_1, schema_2
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry

TABLES = {1: schema_1.metadata, 2: schema_2.metadata}


@contextmanager
def opened(place: RegistryPlace) -> Iterator[Registry]:
    registry = Registry.open(place)
    try:
        yield registry
    finally:
        registry.close()


@contextmanager
def connected(place: RegistryPlace) -> Iterator[sa.Connection]:
    engine = engine_of(place)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def schema_of(place: RegistryPlace) -> int:
    with connected(place) as connection:
        query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "schema")
        return int(connection.execute(query).scalar_one())


def old_rows(place: RegistryPlace) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of an older schema, as stored."""
    found, old_tables = {}, TABLES[schema_of(place)]
    with connected(place) as connection:
        for table in old_tables.sorted_tables:
            columns = [
                sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column
                for column in table.columns
            ]
            rows = connection.execute(sa.select(*columns).order_by(*table.primary_key))
            found[table.name] = [tuple(row) for row in rows]
    return found
