"""The only way to write: rows together with the events that tell of them, all or nothing.

A transaction first locks ``head``, so writers queue and the chain has no gaps. Events get their
places when the block ends.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Draft, Head, linked
from lesionary.io.registry.engine import is_sqlite
from lesionary.io.registry.facts import BY_TABLE, Row, fact_of, facts, series_fact, stored
from lesionary.io.registry.records import RunRecord, UnitRecord

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
"""How far the clocks of two machines that share a study may differ."""


class Transaction:
    """Writes rows and remembers what to say of them.

    Parameters
    ----------
    connection : Connection
        With a transaction begun.
    at : str
        Now, UTC, ISO.
    actor : str
        Who writes.
    why : str
        Reason that events take which are given none of their own.
    accepts_clock : bool
        Whether a time before the last event's is taken: the user said so.

    Raises
    ------
    WorkflowError
        Code ``clock_set_back`` where ``at`` lies before the last event.
    """

    def __init__(
        self,
        connection: sa.Connection,
        *,
        at: str,
        actor: str,
        why: str = "",
        accepts_clock: bool = False,
    ) -> None:
        self.connection = connection
        self.at = at
        self._actor = actor
        self._why = why
        self._drafts: list[Draft] = []
        self._counts: Counter[str] = Counter()
        self.start = locked_head(connection)
        if not accepts_clock:
            _require_forward(self.start, at)

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

    def insert_series(self, row: Row, sop_uids: Sequence[str]) -> None:
        """Add a series with its slices in the order of k."""
        self.connection.execute(sa.insert(tables.series), dict(row))
        slices = [
            {"series_id": row["id"], "k": k, "sop_uid": uid} for k, uid in enumerate(sop_uids)
        ]
        if slices:
            self.connection.execute(sa.insert(tables.instance), slices)
        values = stored(tables.series, row)
        self._tell("added", f"series/{row['id']}", series_fact(values, list(sop_uids)))
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
            raise changed_meanwhile(audited.object_of(row))
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
            raise changed_meanwhile(audited.object_of(row))
        self._tell("removed", audited.object_of(row), None, why)
        self.count(_tally_name(table, row), -1)

    def add_run(self, run: RunRecord) -> None:
        """Store a run before its first unit."""
        self.insert(tables.run, [asdict(run)], action="started")

    def record_units(self, records: Iterable[UnitRecord], whys: Mapping[str, str]) -> None:
        """Store outcomes in place of older ones; ``whys`` says by name why a unit was due.

        What another process recorded under the same key meanwhile stands: the work was the same.
        """
        for stage, group in _by_stage(records).items():
            known = self._known(stage, list(group))
            fresh = [
                record for record in group.values() if not _stands(known.get(record.name), record)
            ]
            self._write_units(stage, fresh, known, whys)

    def end_claims(self, records: Iterable[UnitRecord], holder: str) -> None:
        """Give up a holder's claims on what is now recorded."""
        claim = tables.claim
        for stage, group in _by_stage(records).items():
            self.connection.execute(
                sa.delete(claim).where(
                    claim.c.stage == stage, claim.c.name.in_(list(group)), claim.c.holder == holder
                )
            )

    def forget_units(self, stage: str, names: Iterable[str], *, why: str) -> None:
        """Make units due again, or drop those that no longer exist."""
        unit = tables.unit
        known = self._known(stage, list(names))
        self._tell_changed(stage, list(known))
        for name, row in known.items():
            self.connection.execute(
                sa.delete(unit).where(unit.c.stage == stage, unit.c.name == name)
            )
            self._tell("forgotten", f"unit/{stage}/{name}", None, why)
            self.count(f"unit:{stage}:{row['state']}", -1)

    def rows(self, table: sa.Table) -> list[Row]:
        """Return all rows as this transaction sees them."""
        return [dict(row) for row in self.connection.execute(sa.select(table)).mappings()]

    def next_number(self, column: sa.Column[int]) -> int:
        """Return the number after the highest of a column."""
        highest = self.connection.execute(sa.select(sa.func.max(column))).scalar()
        return int(highest or 0) + 1

    def has_event(self, sealed: Head) -> bool:
        """Tell whether the chain holds the event that a transaction before this one ended with."""
        event = tables.event
        query = sa.select(event.c.seq).where(event.c.seq == sealed.seq, event.c.hash == sealed.hash)
        return self.connection.execute(query).first() is not None

    def finish(self) -> Head:
        """Give the events their places; return the chain's new end."""
        if self._counts:
            self._write_counts()
        if not self._drafts:
            return self.start
        events = list(linked(self._drafts, self.start, at=self.at, actor=self._actor))
        rows = [
            {
                "seq": e.seq, "at": e.at, "actor": e.actor, "action": e.action,
                "object": e.object, "why": e.why, "fact": e.fact, "run_id": e.run_id,
                "details": draft.details, "previous": e.previous, "hash": e.hash,
            }
            for e, draft in zip(events, self._drafts, strict=True)
        ]  # fmt: skip
        try:
            self.connection.execute(sa.insert(tables.event), rows)
        except sa.exc.IntegrityError as error:  # an event of this number is there
            raise _head_changed() from error
        last = Head(events[-1].seq, events[-1].hash, self.at)
        self.connection.execute(
            sa.update(tables.head).values(seq=last.seq, hash=last.hash, at=last.at)
        )
        return last

    def _tell(
        self, action: str, name: str, fact: str | None, why: str = "", run_id: str | None = None
    ) -> None:
        self._drafts.append(Draft(action, name, why or self._why, fact, run_id))

    def _known(self, stage: str, names: Sequence[str]) -> dict[str, Any]:
        unit = tables.unit
        query = sa.select(unit.c.name, unit.c.version, unit.c.state, unit.c.key).where(
            unit.c.stage == stage, unit.c.name.in_(names)
        )
        return {row["name"]: row for row in self.connection.execute(query).mappings()}

    def _write_units(
        self,
        stage: str,
        records: Sequence[UnitRecord],
        known: Mapping[str, Any],
        whys: Mapping[str, str],
    ) -> None:
        if not records:
            return
        unit = tables.unit
        columns = [column.name for column in unit.columns]
        self._tell_changed(stage, [one.name for one in records if one.name in known])
        rows = []
        for record in records:
            before = known.get(record.name)
            version = 1 if before is None else before["version"] + 1
            row = {name: getattr(record, name) for name in columns} | {"version": version}
            rows.append(row)
            fact = fact_of(stored(unit, row))
            why = whys.get(record.name, "")
            self._tell(record.state, f"unit/{stage}/{record.name}", fact, why, record.run_id)
            self.count(f"unit:{stage}:{record.state}")
            if before is not None:
                self.count(f"unit:{stage}:{before['state']}", -1)
        self.connection.execute(upsert(self.connection, unit, columns), rows)

    def _tell_changed(self, stage: str, names: Sequence[str]) -> None:
        """Say which rows that are about to go are not what their last events say.

        Somebody changed them past Lesionary; what replaces them must not hide that.
        """
        if not names:
            return
        unit, event = tables.unit, tables.event
        objects = {f"unit/{stage}/{name}" for name in names}
        query = sa.select(event.c.object, event.c.fact).where(event.c.object.in_(objects))
        told = {
            row.object: row.fact for row in self.connection.execute(query.order_by(event.c.seq))
        }
        where = (unit.c.stage == stage, unit.c.name.in_(names))
        for name, fact in facts(self.connection, BY_TABLE[unit.name], *where):
            if told.get(name) != fact:
                why = "the row was not what its last event says: it was changed past Lesionary"
                self._drafts.append(Draft("found changed", name, why, fact))

    def _write_counts(self) -> None:
        rows = [{"name": name, "n": n} for name, n in sorted(self._counts.items()) if n]
        if rows:
            statement = _dialect_insert(self.connection, tables.tally)
            added = {"n": tables.tally.c.n + statement.excluded.n}
            self.connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=added), rows
            )


def locked_head(connection: sa.Connection) -> Head:
    """Return the chain's end and hold it until the transaction ends."""
    query = sa.select(tables.head.c.seq, tables.head.c.hash, tables.head.c.at)
    rows = connection.execute(query.with_for_update()).all()
    if len(rows) != 1:
        raise _head_changed()
    return Head(*rows[0])


def upsert(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> Any:
    """Return an insert that replaces a row of the same primary key."""
    statement = _dialect_insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def insert_where_free(connection: sa.Connection, table: sa.Table) -> Any:
    """Return an insert that leaves a row of the same primary key alone."""
    keys = [column.name for column in table.primary_key]
    return _dialect_insert(connection, table).on_conflict_do_nothing(index_elements=keys)


def changed_meanwhile(name: str) -> WorkflowError:
    """Say that two people changed one row."""
    return WorkflowError(
        f"{name} was changed by somebody else meanwhile",
        code="changed_meanwhile",
        hint="look at it again, then repeat the change",
    )


def _head_changed() -> WorkflowError:
    """Say that somebody wrote to the row that tells where the chain ends."""
    return WorkflowError(
        "the audit does not end where it should: nothing can be added to it",
        code="head_changed",
        hint="see what `lesionary verify STUDY` says, and restore the study from a backup",
    )


def _dialect_insert(connection: sa.Connection, table: sa.Table) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if is_sqlite(connection) else postgresql
    return dialect.insert(table)


def is_behind(at: str, before: str) -> bool:
    """Tell whether a time lies before another by more than clocks may differ."""
    if not before:
        return False
    behind = dt.datetime.fromisoformat(before) - dt.datetime.fromisoformat(at)
    return behind > CLOCK_TOLERANCE


def _require_forward(head: Head, at: str) -> None:
    if is_behind(at, head.at):
        raise WorkflowError(
            f"this machine's clock says {at}, but the study's last event was at {head.at}",
            code="clock_set_back",
            hint="set the clock; or, if the last event's time was wrong, say so with"
            " `lesionary audit STUDY --accept-clock --why TEXT`",
        )


def _tally_name(table: sa.Table, row: Row) -> str:
    return f"finding:{row['outcome']}" if table is tables.finding else table.name


def _by_stage(records: Iterable[UnitRecord]) -> dict[str, dict[str, UnitRecord]]:
    groups: dict[str, dict[str, UnitRecord]] = {}
    for record in records:
        groups.setdefault(record.stage, {})[record.name] = record
    return groups


def _stands(known: Any, record: UnitRecord) -> bool:
    return known is not None and known["key"] == record.key and known["state"] == "done"
