"""The vault's tables, the same on SQLite and PostgreSQL; triggers refuse to change any row."""

from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.io.database import guards

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


def make_tables(connection: sa.Connection) -> None:
    """Make all tables, empty, with their guards."""
    metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(guards.refusing_function(_REFUSE))
    for table in metadata.sorted_tables:
        add_guards(connection, table)


def add_guards(connection: sa.Connection, table: sa.Table) -> None:
    """Create the triggers of one table."""
    for statement in guards.guards_of(table, connection.dialect.name, _REFUSE).values():
        connection.exec_driver_sql(statement)


def drop_guards(connection: sa.Connection, table: sa.Table) -> None:
    """Take a table's triggers away, within a transaction that puts them back."""
    guards.drop_guards(connection, table, must_exist=True)


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
        wanted = guards.guards_of(table, connection.dialect.name, _REFUSE)
        yield from sorted(wanted.keys() - found)
