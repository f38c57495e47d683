"""The number under which Alembic knows a registry's schema: ``0002`` for schema 2."""

import sqlalchemy as sa

VERSION_TABLE = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps that number."""


def revision_of(schema: int) -> str:
    """Return the revision that makes a schema."""
    return f"{schema:04d}"


def stamp(connection: sa.Connection, schema: int) -> None:
    """Say which schema a registry has that Alembic did not make."""
    VERSION_TABLE.create(connection)
    connection.execute(sa.insert(VERSION_TABLE), {"version_num": revision_of(schema)})
