"""The one transaction in which an ingest becomes part of the study, or does not."""

from typing import Any

import sqlalchemy as sa

from lesionary.io.registry import tables
from lesionary.io.registry.statements import upsert
from lesionary.io.registry.transaction import Transaction

INGESTS = "ingests"
"""The setting that holds how many ingests there were."""


class IngestTransaction(Transaction):
    """Writes of one ingest, which has a number: item 12 of ingest 1 is ``1#12``."""

    def __init__(self, connection: sa.Connection, **options: Any) -> None:
        super().__init__(connection, **options)
        number = connection.execute(
            sa.select(tables.meta.c.value).where(tables.meta.c.key == INGESTS)
        ).scalar_one()
        self.number = int(number) + 1
        self._why = f"ingest {self.number}"
        connection.execute(
            sa.update(tables.meta)
            .where(tables.meta.c.key == INGESTS)
            .values(value=str(self.number))
        )

    def setting(self, key: str) -> str | None:
        """Return a setting of the moment, None where it was never stored."""
        query = sa.select(tables.meta.c.value).where(tables.meta.c.key == key)
        return self.connection.execute(query).scalar()

    def set(self, key: str, value: str) -> None:
        """Store a setting of the moment: no event tells of it."""
        statement = upsert(self.connection, tables.meta, ["key", "value"])
        self.connection.execute(statement, {"key": key, "value": value})
