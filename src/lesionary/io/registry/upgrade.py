"""Bring a registry of an older Lesionary up to this one's schema, whole or not at all.

The steps lie in ``migrations``. All of them run in one transaction, so a process that dies, a full
disk or a server that goes away leave the registry as it was. Before a file is touched it is copied.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.actor import this_actor
from lesionary.io.durable import replacing
from lesionary.io.registry import tables
from lesionary.io.registry.engine import engine_of
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry, utc_now
from lesionary.io.registry.revision import revision_of, stamp
from lesionary.io.registry.version import SCHEMA_VERSION, require_schema
from lesionary.io.registry.wording import no_registry, registry_damaged, registry_error

if TYPE_CHECKING:
    from alembic.config import Config

_STEPS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of a registry.

    Parameters
    ----------
    before, after : int
        Its schema; equal where there was nothing to do.
    backup : str or None
        The copy of the old one: a file beside the registry, or a schema of the same database. None
        where there was nothing to do.
    """

    before: int
    after: int
    backup: str | None


def upgrade_registry(place: RegistryPlace) -> Upgraded:
    """Bring a registry up to the schema that this Lesionary writes.

    Nobody else may use the registry meanwhile: the caller holds the study's lock.

    Raises
    ------
    WorkflowError
        Codes ``registry_missing``; ``schema_new`` where a newer Lesionary made it; ``not_writable``
        where the disk is full; ``head_changed`` and ``registry_damaged`` where its rows contradict
        each other. The registry is then as it was.
    """
    if place.url is None and not place.path.is_file():
        raise no_registry()
    registry = Registry(engine_of(place), place)
    with closing(registry):
        if place.url is not None and not registry.has_table("meta"):
            raise no_registry()
        with registry.reading() as connection:
            before = _schema_of(connection)
        if before >= SCHEMA_VERSION:
            require_schema(before)
            return Upgraded(before, before, None)
        copy = None if place.url is not None else _copied(place.path, before)
        with registry.engine.begin() as connection:
            before = _schema_of(_alone(connection))
            if before == SCHEMA_VERSION:  # somebody else was first
                return Upgraded(before, before, copy)
            kept = run_steps(connection, place, before)
    return Upgraded(before, SCHEMA_VERSION, copy or kept)


def _schema_of(connection: sa.Connection) -> int:
    meta = tables.meta
    found = connection.execute(sa.select(meta.c.value).where(meta.c.key == "schema")).scalar()
    if found is None:
        raise WorkflowError(
            "the registry does not say which schema it has",
            code="registry_damaged",
            hint="restore the study from a backup",
        )
    return int(found)


def _alone(connection: sa.Connection) -> sa.Connection:
    """Wait for others; SQLite's writers queue from the first statement on."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE meta IN ACCESS EXCLUSIVE MODE")
    return connection


def _copied(path: Path, schema: int) -> str:
    """Copy a registry's file under a name that is free, and wait until it is on the disk."""
    stem = f"{path.stem}-schema{schema}-backup"
    names = (path.with_name(f"{stem}{'' if n == 1 else f'-{n}'}{path.suffix}") for n in count(1))
    copy = next(name for name in names if not name.exists())
    with replacing(copy) as temporary:
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("VACUUM INTO ?", (str(temporary),))
        except sqlite3.Error as error:
            raise registry_error(error) from error
    return copy.name


def _free_schema(connection: sa.Connection, schema: str, version: int) -> str:
    taken = set(sa.inspect(connection).get_schema_names())
    names = (f"{schema}_schema{version}{'' if n == 1 else f'_{n}'}" for n in count(1))
    return next(name for name in names if name not in taken)


def run_steps(connection: sa.Connection, place: RegistryPlace, before: int) -> str | None:
    """Go from schema to schema; return the schema of the database that keeps the first one's rows.

    What stands between the first and the last is nobody's, and goes.
    """
    from alembic import command

    if not sa.inspect(connection).has_table("alembic_version"):
        stamp(connection, before)
    kept: str | None = None
    for version in range(before, SCHEMA_VERSION):
        aside = None if place.url is None else _free_schema(connection, place.schema, version)
        try:
            command.upgrade(steps(connection, aside), revision_of(version + 1))
        except sa.exc.IntegrityError as error:  # rows contradict each other: nobody wrote them so
            raise registry_damaged() from error
        if version == before:
            kept = aside
        else:
            drop_kept(connection, aside)
    return kept


def drop_kept(connection: sa.Connection, schema: str | None) -> None:
    """Drop the schema of a database that holds an older registry's rows; None stands for none."""
    if schema is not None:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))


def steps(connection: sa.Connection, aside: str | None) -> "Config":
    """Return what Alembic has to know to run steps in a connection's transaction.

    ``aside`` is the schema of the database that takes the old tables; None stands for a file.
    """
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["set_aside_schema"] = aside
    config.attributes["at"] = utc_now()
    config.attributes["actor"] = this_actor()
    return config
