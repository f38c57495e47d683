"""Schema 1: what came in, what was drawn, what is done."""

from alembic import op

from lesionary.io.registry.migrations import schema_1

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    schema_1.metadata.create_all(op.get_bind())
