"""Schema 3: what became of every series by which rule, the vault's numbers, and frames' numbers.

There is no step back, as from schema 2. The old tables are kept.
"""

from alembic import op

from lesionary.io.registry.migrations import schema_3
from lesionary.io.registry.migrations.carry_on import carry_on, tables_there
from lesionary.io.registry.migrations.set_aside import set_aside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Set the old tables aside, make the new ones, and carry every row over."""
    connection = op.get_bind()
    told = op.get_context().config.attributes  # type: ignore[union-attr]
    tables, home = tables_there(connection), told["set_aside_schema"]
    with set_aside(connection, tables, home, prefix="schema2_") as old:
        schema_3.metadata.create_all(connection)
        carry_on(connection, old, at=told["at"], actor=told["actor"])
        schema_3.add_guards(connection)
