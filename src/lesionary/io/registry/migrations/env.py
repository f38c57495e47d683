"""What Alembic runs before the steps: they go in the transaction that ``upgrade.py`` began."""

from alembic import context


def run() -> None:
    """Run the steps that are due in the transaction that the caller began, and ends."""
    context.configure(
        connection=context.config.attributes["connection"],
        transactional_ddl=True,  # SQLite's too, since its driver begins no transactions of its own
    )
    with context.begin_transaction():
        context.run_migrations()


if not __name__.startswith("lesionary."):  # Alembic runs this file under a name of its own
    run()
