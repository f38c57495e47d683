"""The only way to write: rows together with the events that tell of them, all or nothing.

A transaction first locks ``head``, so writers queue and the chain has no gaps. Events get their
places when the block ends. ``row_writer`` and ``unit_writer`` know how rows and units are written.
"""

import datetime as dt
from dataclasses import asdict

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Head, linked
from lesionary.io.registry.records import RunRecord
from lesionary.io.registry.statements import dialect_insert
from lesionary.io.registry.unit_writer import UnitWriter

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
"""How far the clocks of two machines that share a study may differ."""


class Transaction(UnitWriter):
    """Writes rows and units; when it ends, their events are added to the chain.

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
        super().__init__(connection, why=why)
        self.at = at
        self._actor = actor
        self.start = _locked_head(connection)
        if not accepts_clock:
            _require_forward(self.start, at)

    def add_run(self, run: RunRecord) -> None:
        """Store a run before its first unit."""
        self.insert(tables.run, [asdict(run)], action="started")

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

    def _write_counts(self) -> None:
        rows = [{"name": name, "n": n} for name, n in sorted(self._counts.items()) if n]
        if rows:
            statement = dialect_insert(self.connection, tables.tally)
            added = {"n": tables.tally.c.n + statement.excluded.n}
            self.connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=added), rows
            )


def _locked_head(connection: sa.Connection) -> Head:
    """Return the chain's end and hold it until the transaction ends."""
    query = sa.select(tables.head.c.seq, tables.head.c.hash, tables.head.c.at)
    rows = connection.execute(query.with_for_update()).all()
    if len(rows) != 1:
        raise _head_changed()
    return Head(*rows[0])


def _head_changed() -> WorkflowError:
    """Say that somebody wrote to the row that tells where the chain ends."""
    return WorkflowError(
        "the audit does not end where it should: nothing can be added to it",
        code="head_changed",
        hint="see what `lesionary verify STUDY` says, and restore the study from a backup",
    )


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
