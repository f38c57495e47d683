"""Triggers that refuse to change or delete what is permanent, whoever asks."""

from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.io.registry.tables import PERMANENT

REFUSE = "lesionary_refuse"
"""The function that a server's triggers call."""


def guard_statements(dialect: str) -> Iterator[str]:
    """Yield the statements that protect events and what people made."""
    if dialect == "postgresql":
        yield (
            f"CREATE OR REPLACE FUNCTION {REFUSE}() RETURNS trigger AS $$ BEGIN"
            " RAISE EXCEPTION USING MESSAGE ="
            " 'rows of ' || TG_TABLE_NAME || ' are never changed'; END $$"
            " LANGUAGE plpgsql"
        )
    for table in PERMANENT:
        yield from _of_table(table, dialect)


def add_guards(connection: sa.Connection) -> None:
    """Create the triggers."""
    for statement in guard_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def drop_guards(connection: sa.Connection, table: sa.Table) -> None:
    """Take a table's triggers away, for a migration that rebuilds it."""
    for what in ("update", "delete", "replace"):
        name = f"{table.name}_no_{what}"
        on = f" ON {table.name}" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")


def _of_table(table: sa.Table, dialect: str) -> Iterator[str]:
    name = table.name
    if dialect == "postgresql":
        # As the server itself words them: ``verify`` compares.
        for what, when in (("no_update", "DELETE OR UPDATE"), ("no_delete", "TRUNCATE")):
            scope = "STATEMENT" if when == "TRUNCATE" else "ROW"
            yield (
                f"CREATE TRIGGER {name}_{what} BEFORE {when} ON {name}"
                f" FOR EACH {scope} EXECUTE FUNCTION {REFUSE}()"
            )
        return
    refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are never changed'); END"
    for what in ("UPDATE", "DELETE"):
        yield f"CREATE TRIGGER {name}_no_{what.lower()} BEFORE {what} ON {name} {refuse}"
    # REPLACE deletes the row in its way, and calls no trigger for that.
    same = " AND ".join(f"{key.name} = NEW.{key.name}" for key in table.primary_key)
    is_taken = f"EXISTS (SELECT 1 FROM {name} WHERE {same})"  # noqa: S608 - our own names
    yield f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {is_taken} {refuse}"
