"""Who works on what, when several processes run one study.

A claim names its holder, and a holder is alive as long as it keeps an operating system's lock (a
file lock, or an advisory lock of PostgreSQL): both go when the process dies, whatever the clock
says. Claims of the dead are free.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.database.engine import is_sqlite
from lesionary.io.durable import writing
from lesionary.io.lock import holding, is_free
from lesionary.io.registry import tables
from lesionary.io.registry.engine import patiently
from lesionary.io.registry.registry import Registry
from lesionary.io.registry.statements import insert_where_free

LOCK_SUFFIX = ".holder"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a wish to claim.

    Parameters
    ----------
    mine : frozenset of str
        Units that are now this holder's.
    recorded : frozenset of str
        Units whose outcome somebody recorded since they were planned.
    held : frozenset of str
        Units that another living process works on.
    """

    mine: frozenset[str]
    recorded: frozenset[str]
    held: frozenset[str]


class Holders(Protocol):
    """Knows which holders are alive."""

    def stay_alive(self) -> None:
        """See to it that others know this process to be alive."""
        ...

    def is_alive(self, holder: str) -> bool:
        """Tell whether the process of that name still runs."""
        ...


@dataclass(slots=True)
class Claims:
    """The claims of one process on units of a study."""

    registry: Registry
    holder: str
    holders: Holders
    _dead: set[str] = field(default_factory=set)

    def take(self, stage: str, wanted: Mapping[str, int]) -> Taken:
        """Claim what is free.

        Parameters
        ----------
        stage : str
        wanted : mapping of str to int
            Units by name, with the version that was known when they were planned.
        """
        return patiently(lambda: self._take(stage, wanted))

    def _take(self, stage: str, wanted: Mapping[str, int]) -> Taken:
        self.holders.stay_alive()
        claim, unit = tables.claim, tables.unit
        names = list(wanted)
        of_stage = [claim.c.stage == stage, claim.c.name.in_(names)]
        with self.registry.engine.begin() as connection:
            _queue(connection)
            found = connection.execute(sa.select(claim.c.holder).where(*of_stage).distinct())
            if dead := [one for one in found.scalars() if not self._is_alive(one)]:
                connection.execute(sa.delete(claim).where(*of_stage, claim.c.holder.in_(dead)))
            versions = connection.execute(
                sa.select(unit.c.name, unit.c.version).where(
                    unit.c.stage == stage, unit.c.name.in_(names)
                )
            )
            recorded = {name for name, version in versions if version != wanted[name]}
            rows = [
                {"stage": stage, "name": name, "holder": self.holder}
                for name in names
                if name not in recorded
            ]
            if rows:
                connection.execute(insert_where_free(connection, claim), rows)
            owners = connection.execute(sa.select(claim.c.name, claim.c.holder).where(*of_stage))
            mine: set[str] = set()
            held: set[str] = set()
            for name, owner in owners:
                (mine if owner == self.holder else held).add(name)
        return Taken(frozenset(mine), frozenset(recorded), frozenset(held - recorded))

    def _is_alive(self, holder: str) -> bool:
        return holder == self.holder or self.holders.is_alive(holder)


@contextmanager
def claiming(registry: Registry, folder: Path) -> Iterator[Claims]:
    """Be a holder of claims for as long as the block lasts; what is left of them is free then.

    ``folder`` takes the lock file of a study whose registry is a file.
    """
    holder = uuid4().hex
    if registry.place.url is None:
        with writing():
            folder.mkdir(exist_ok=True)
        lock = folder / f"{holder}{LOCK_SUFFIX}"
        try:
            with holding(lock):
                yield Claims(registry, holder, FileHolders(folder))
        finally:
            lock.unlink(missing_ok=True)
        return
    holders = ServerHolders(registry, holder)
    try:
        holders.stay_alive()
        yield Claims(registry, holder, holders)
    finally:
        holders.leave()


def clear_locks(folder: Path) -> None:
    """Remove the lock files of the dead; only while nobody claims anything in this study."""
    for lock in folder.glob(f"*{LOCK_SUFFIX}"):
        lock.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class FileHolders:
    """A holder is alive while its lock file is held; locks of the dead are removed."""

    folder: Path

    def stay_alive(self) -> None:
        """Do nothing: the system keeps the lock as long as the process lives."""

    def is_alive(self, holder: str) -> bool:
        """Try the holder's lock."""
        lock = self.folder / f"{holder}{LOCK_SUFFIX}"
        if not is_free(lock):
            return True
        lock.unlink(missing_ok=True)
        return False


@dataclass(slots=True)
class ServerHolders:
    """A holder is alive while the session that took its advisory lock lives.

    A server that is started anew has forgotten all locks, so a holder that lives on takes its own
    again before it claims more.
    """

    registry: Registry
    own: str
    _session: sa.Connection | None = None

    def stay_alive(self) -> None:
        """Take the own lock, unless the session that has it still answers."""
        if self._session is not None and _answers(self._session):
            return
        self.leave()
        session = self.registry.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            session.execute(_advisory("pg_advisory_lock", self.own))
        except BaseException:
            session.close()
            raise
        self._session = session

    def leave(self) -> None:
        """End the session, and its lock with it."""
        if self._session is not None:
            self._session.invalidate()
            self._session.close()
            self._session = None

    def is_alive(self, holder: str) -> bool:
        """Try the holder's lock on a connection of its own."""
        with self.registry.engine.connect() as connection:
            is_taken = connection.execute(_advisory("pg_try_advisory_lock", holder)).scalar()
            if not is_taken:
                return True
            connection.execute(_advisory("pg_advisory_unlock", holder))
            return False


def _answers(session: sa.Connection) -> bool:
    try:
        session.execute(sa.select(1))
    except WorkflowError:
        return False
    return True


def _queue(connection: sa.Connection) -> None:
    """Wait for others who claim or end claims; SQLite's writers queue from their first statement.

    Without it a unit that is recorded between two looks would be done twice.
    """
    if not is_sqlite(connection):
        connection.exec_driver_sql("LOCK TABLE claim IN SHARE ROW EXCLUSIVE MODE")


def _advisory(function: str, holder: str) -> sa.Select[tuple[bool]]:
    number = int(holder[:15], 16)  # 60 bits: PostgreSQL's keys are signed 64-bit integers
    return sa.select(sa.func.__getattr__(function)(sa.literal(number, sa.BigInteger)))
