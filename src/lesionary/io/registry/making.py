"""How a registry comes to be: a study's schema on a server, tables, guards, and their version."""

from typing import cast

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.guards import add_guards
from lesionary.io.registry.revision import stamp
from lesionary.io.registry.version import SCHEMA_VERSION
from lesionary.io.registry.wording import registry_error

_TAKEN = ("42P06", "23505")
"""SQLSTATE of a schema that is there, and of two who make it at once."""


def make_schema(connection: sa.Connection, schema: str) -> None:
    """Make a study's schema in a PostgreSQL database.

    Raises
    ------
    WorkflowError
        Code ``registry_taken`` where the database holds the study already.
    """
    try:
        connection.execute(sa.schema.CreateSchema(schema))
    except (sa.exc.ProgrammingError, sa.exc.IntegrityError) as error:
        if getattr(error.orig, "sqlstate", "") not in _TAKEN:
            raise registry_error(cast(Exception, error.orig)) from error
        raise WorkflowError(
            "the database holds a study of this id already",
            code="registry_taken",
            hint="name another database",
        ) from None


def make_tables(connection: sa.Connection) -> None:
    """Make all tables, empty, with their guards."""
    tables.metadata.create_all(connection)
    add_guards(connection)
    stamp(connection, SCHEMA_VERSION)
