"""The vault's tables, the same on SQLite and PostgreSQL; triggers refuse to change any row."""

from collections.abc import Iterator

import sqlalchemy as sa

VERSION = 1

metadata = sa.MetaData()

vault = sa.Table(
    "vault",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("index_check", sa.String, nullable=False),
    sa.Column("pseudonym_check", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

generation = sa.Table(
    "generation",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key_check", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

identity = sa.Table(
    "identity",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("blind_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("created_at", sa.String, nullable=False),
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("number", sa.ForeignKey("identity.number"), primary_key=True),
    sa.Column("generation", sa.ForeignKey("generation.number"), primary_key=True),
    sa.Column("token", sa.LargeBinary, nullable=False),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("object", sa.String, nullable=False),
    sa.Column("why", sa.String, nullable=False),
    sa.Column("previous", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
    sa.Column("seal", sa.String, nullable=False, doc="of the hash, under the index key"),
)

_REFUSE = "lesionary_vault_refuse"
_FUNCTION = (
    f"CREATE OR REPLACE FUNCTION {_REFUSE}() RETURNS trigger AS $$ BEGIN"
    " RAISE EXCEPTION USING MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are never changed'; END $$"
    " LANGUAGE plpgsql"
)


def make_tables(connection: sa.Connection) -> None:
    """Make all tables, empty, with their guards."""
    metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTION)
    for table in metadata.sorted_tables:
        add_guards(connection, table)


def add_guards(connection: sa.Connection, table: sa.Table) -> None:
    """Create the triggers of one table."""
    for name, statement in _guards(table, connection.dialect.name).items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {statement}")


def drop_guards(connection: sa.Connection, table: sa.Table) -> None:
    """Take a table's triggers away, within a transaction that puts them back."""
    on = f" ON {table.name}" if connection.dialect.name == "postgresql" else ""
    for name in _guards(table, connection.dialect.name):
        connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")


def missing_guards(connection: sa.Connection) -> Iterator[str]:
    """Yield the triggers that are not there, by name."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if connection.dialect.name == "postgresql":
        listed = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE relnamespace = current_schema()::regnamespace AND tgenabled <> 'D'"
        )
    found = set(connection.exec_driver_sql(listed).scalars())
    for table in metadata.sorted_tables:
        yield from sorted(_guards(table, connection.dialect.name).keys() - found)


def _guards(table: sa.Table, dialect: str) -> dict[str, str]:
    name = table.name
    if dialect == "postgresql":
        refuse = f"EXECUTE FUNCTION {_REFUSE}()"
        return {
            f"{name}_no_update": f"BEFORE DELETE OR UPDATE ON {name} FOR EACH ROW {refuse}",
            f"{name}_no_delete": f"BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {refuse}",
        }
    refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are never changed'); END"
    # REPLACE deletes the rows in its way, and calls no trigger for that.
    keys = [[column.name for column in table.primary_key]]
    keys += [[column.name] for column in table.columns if column.unique]
    same = " OR ".join(" AND ".join(f"{key} = NEW.{key}" for key in one) for one in keys)
    is_taken = f"EXISTS (SELECT 1 FROM {name} WHERE {same})"  # noqa: S608 - our own names
    return {
        f"{name}_no_update": f"BEFORE UPDATE ON {name} {refuse}",
        f"{name}_no_delete": f"BEFORE DELETE ON {name} {refuse}",
        f"{name}_no_replace": f"BEFORE INSERT ON {name} WHEN {is_taken} {refuse}",
    }
