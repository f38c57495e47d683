"""Writing rows of audited tables: each with the event that tells of it, and with the counts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.facts import BY_TABLE, Row, fact_of, series_fact, stored


class RowWriter:
    """Writes rows and remembers what to say of them; a ``Transaction`` says it.

    Parameters
    ----------
    connection : Connection
        With a transaction begun.
    why : str
        Reason that events take which are given none of their own.
    """

    def __init__(self, connection: sa.Connection, *, why: str = "") -> None:
        self.connection = connection
        self._why = why
        self._drafts: list[Draft] = []
        self._counts: Counter[str] = Counter()

    def say(self, *drafts: Draft) -> None:
        """Add events about what has no row, or whose row the caller wrote."""
        self._drafts += drafts

    def count(self, name: str, n: int = 1) -> None:
        """Raise (or lower) one of the counts that ``status`` shows."""
        self._counts[name] += n

    def insert(self, table: sa.Table, rows: Sequence[Row], *, action: str = "added") -> None:
        """Add rows of an audited table, each with its event."""
        if not rows:
            return
        audited = BY_TABLE[table.name]
        self.connection.execute(sa.insert(table), [dict(row) for row in rows])
        for row in rows:
            self._tell(action, audited.object_of(row), fact_of(stored(table, row)))
            self.count(_tally_name(table, row))

    def insert_series(
        self, row: Row, sop_uids: Sequence[str], frames: Sequence[int | None] = ()
    ) -> None:
        """Add a series with its slices in the order of k.

        ``frames`` are the slices' numbers in files that hold many; none where every slice is one.
        """
        self.connection.execute(sa.insert(tables.series), dict(row))
        slices = list(zip(sop_uids, frames or [None] * len(sop_uids), strict=True))
        rows = [
            {"series_id": row["id"], "k": k, "sop_uid": uid, "frame": frame}
            for k, (uid, frame) in enumerate(slices)
        ]
        if rows:
            self.connection.execute(sa.insert(tables.instance), rows)
        values = stored(tables.series, row)
        self._tell("added", f"series/{row['id']}", series_fact(values, slices))
        self.count("series")

    def change(self, table: sa.Table, row: Row, *, why: str, **values: Any) -> None:
        """Change one row that may be changed; its version counts on.

        Raises
        ------
        WorkflowError
            Code ``changed_meanwhile`` where somebody else changed it first.
        """
        audited = BY_TABLE[table.name]
        changed = dict(row) | values | {"version": row["version"] + 1}
        own = [table.c[name] == row[name] for name in (*audited.names, "version")]
        done = self.connection.execute(
            sa.update(table).where(*own).values(**values, version=row["version"] + 1)
        )
        if done.rowcount != 1:
            raise _changed_meanwhile(audited.object_of(row))
        self._tell("changed", audited.object_of(row), fact_of(stored(table, changed)), why)

    def delete(self, table: sa.Table, row: Row, *, why: str) -> None:
        """Delete one row that may be deleted; the event that tells of it stays.

        Raises
        ------
        WorkflowError
            Code ``changed_meanwhile`` where somebody else deleted it first.
        """
        audited = BY_TABLE[table.name]
        names = [table.c[name] == row[name] for name in audited.names]
        done = self.connection.execute(sa.delete(table).where(*names))
        if done.rowcount != 1:
            raise _changed_meanwhile(audited.object_of(row))
        self._tell("removed", audited.object_of(row), None, why)
        self.count(_tally_name(table, row), -1)

    def rows(self, table: sa.Table) -> list[Row]:
        """Return all rows as this transaction sees them."""
        return [dict(row) for row in self.connection.execute(sa.select(table)).mappings()]

    def next_number(self, column: sa.Column[int]) -> int:
        """Return the number after the highest of a column."""
        highest = self.connection.execute(sa.select(sa.func.max(column))).scalar()
        return int(highest or 0) + 1

    def _tell(
        self, action: str, name: str, fact: str | None, why: str = "", run_id: str | None = None
    ) -> None:
        self._drafts.append(Draft(action, name, why or self._why, fact, run_id))


def _changed_meanwhile(name: str) -> WorkflowError:
    """Say that two people changed one row."""
    return WorkflowError(
        f"{name} was changed by somebody else meanwhile",
        code="changed_meanwhile",
        hint="look at it again, then repeat the change",
    )


def _tally_name(table: sa.Table, row: Row) -> str:
    return f"finding:{row['outcome']}" if table is tables.finding else table.name
