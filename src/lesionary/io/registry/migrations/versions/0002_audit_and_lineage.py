"""Schema 2: time points of their own, runs behind units, and an event behind every row.

There is no step back: what schema 2 knows, schema 1 has no place for. The old tables are kept.
"""

from alembic import op

from lesionary.io.registry.migrations import schema_1, schema_2
from lesionary.io.registry.migrations.carry_over import carry_over
from lesionary.io.registry.migrations.set_aside import set_aside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Set the old tables aside, make the new ones, and carry every row over."""
    connection = op.get_bind()
    told = op.get_context().config.attributes  # type: ignore[union-attr]
    tables, home = schema_1.metadata.sorted_tables, told["set_aside_schema"]
    with set_aside(connection, tables, home, prefix="schema1_") as old:
        schema_2.metadata.create_all(connection)
        carry_over(connection, old, at=told["at"], actor=told["actor"])
        schema_2.add_guards(connection)
