"""The study's registry: made, opened, read, and written in ways that leave events.

Every write is one transaction, so a killed process leaves the state before or after it, and
writers queue instead of failing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa

from lesionary.io.actor import this_actor
from lesionary.io.registry import tables
from lesionary.io.registry.chain import GENESIS, Draft, Head
from lesionary.io.registry.engine import engine_of, patiently
from lesionary.io.registry.ingest import IngestTransaction
from lesionary.io.registry.making import make_schema, make_tables
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.reading import RegistryReader
from lesionary.io.registry.records import RunRecord, UnitRecord
from lesionary.io.registry.statements import upsert
from lesionary.io.registry.transaction import Transaction
from lesionary.io.registry.version import SCHEMA, SCHEMA_VERSION, require_schema, schema_of
from lesionary.io.registry.wording import no_registry

T = TypeVar("T")


class Registry(RegistryReader):
    """One study's rows, in a SQLite file or a PostgreSQL schema."""

    @classmethod
    def create(cls, place: RegistryPlace) -> "Registry":
        """Make the tables in a new file or schema.

        Raises
        ------
        WorkflowError
            Code ``registry_taken`` where the database holds this study already.
        """
        if place.url is None:
            place.path.touch(0o666)  # SQLite itself would keep a group out, whatever the umask
        registry = cls(engine_of(place), place)
        try:
            with registry.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    make_schema(connection, place.schema)
                make_tables(connection)
                _begin(connection)
        except BaseException:
            registry.close()
            raise
        return registry

    @classmethod
    def open(cls, place: RegistryPlace) -> "Registry":
        """Open an existing registry, and refuse one of another schema.

        Raises
        ------
        WorkflowError
            Codes ``schema_old``, ``schema_new``, ``registry_unreachable`` and the like.
        """
        if place.url is None and not place.path.is_file():
            raise no_registry()
        registry = cls(engine_of(place), place)
        try:
            if place.url is not None and not registry.has_table("meta"):
                raise no_registry()
            require_schema(schema_of(registry.meta(SCHEMA)))
        except BaseException:
            registry.close()
            raise
        return registry

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Do a short write, and do it again should the server go away meanwhile.

        Whether a commit that got no answer was done is told by the chain: then the last event's
        hash is in it.

        Parameters
        ----------
        work : callable
            May be called several times, each time in a transaction of its own.
        """
        sealed: list[tuple[Head, T]] = []

        def attempt() -> T:
            with self.engine.begin() as connection:
                transaction = Transaction(connection, at=utc_now(), actor=this_actor())
                if sealed and transaction.has_event(sealed[-1][0]):
                    return sealed[-1][1]
                result = work(transaction)
                end = transaction.finish()
                if end != transaction.start:
                    sealed.append((end, result))
                return result

        return patiently(attempt)

    @contextmanager
    def writing(self, *, why: str = "", accepts_clock: bool = False) -> Iterator[Transaction]:
        """Open one transaction; its events are sealed when the block ends well."""
        with self.engine.begin() as connection:
            transaction = Transaction(
                connection, at=utc_now(), actor=this_actor(), why=why, accepts_clock=accepts_clock
            )
            yield transaction
            transaction.finish()

    @contextmanager
    def ingest(self) -> Iterator[IngestTransaction]:
        """Open the one transaction in which an ingest becomes part of the study, or does not."""
        with self.engine.begin() as connection:
            transaction = IngestTransaction(connection, at=utc_now(), actor=this_actor())
            yield transaction
            transaction.finish()

    def set_meta(self, key: str, value: str) -> None:
        """Store a setting of the moment: no event tells of it."""

        def store() -> None:
            with self.engine.begin() as connection:
                statement = upsert(connection, tables.meta, ["key", "value"])
                connection.execute(statement, {"key": key, "value": value})

        patiently(store)

    def record_units(
        self,
        records: Sequence[UnitRecord],
        whys: Mapping[str, str] | None = None,
        *,
        holder: str | None = None,
    ) -> None:
        """Store several outcomes in one transaction, in which the holder's claims on them end."""

        def record(transaction: Transaction) -> None:
            transaction.record_units(records, whys or {})
            if holder is not None:
                transaction.end_claims(records, holder)

        self.write(record)

    def forget_units(self, stage: str, names: Iterable[str], *, why: str) -> None:
        """Drop units, or make them due again."""
        if names := list(names):
            self.write(lambda transaction: transaction.forget_units(stage, names, why=why))

    def add_run(self, run: RunRecord) -> None:
        """Store a run before its first unit."""
        self.write(lambda transaction: transaction.add_run(run))

    def say(self, draft: Draft) -> None:
        """Add one event about what has no row."""
        self.write(lambda transaction: transaction.say(draft))


def utc_now() -> str:
    """Return the present time, UTC, ISO, to the millisecond."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _begin(connection: sa.Connection) -> None:
    for key, value in ((SCHEMA, str(SCHEMA_VERSION)), ("ingests", "0")):
        connection.execute(sa.insert(tables.meta), {"key": key, "value": value})
    connection.execute(sa.insert(tables.head), {"id": 1, "seq": 0, "hash": GENESIS, "at": ""})
