"""The study's registry: rows out, and writes that leave events.

What rows mean is the business of ``app``. Every write is one transaction, so a killed process
leaves the state before or after it, and writers queue instead of failing.
"""

import datetime as dt
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa

from lesionary.io.actor import this_actor
from lesionary.io.registry import tables
from lesionary.io.registry.chain import GENESIS, Draft, Event, Head
from lesionary.io.registry.engine import engine_of, patiently
from lesionary.io.registry.facts import AUDITED, Row, facts
from lesionary.io.registry.ingest import IngestTransaction
from lesionary.io.registry.making import make_schema, make_tables
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.records import RunRecord, UnitRecord, UnitState
from lesionary.io.registry.transaction import Transaction, upsert
from lesionary.io.registry.version import SCHEMA, SCHEMA_VERSION, require_schema, schema_of
from lesionary.io.registry.wording import no_registry

T = TypeVar("T")

PAGE_SIZE = 500
"""Series that are planned, claimed and recorded at a time."""


class Registry:
    """One study's rows, in a SQLite file or a PostgreSQL schema."""

    def __init__(self, engine: sa.Engine, place: RegistryPlace) -> None:
        self.engine = engine
        self.place = place
        weakref.finalize(self, engine.dispose)

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

    def close(self) -> None:
        """Let go of the file or the server."""
        self.engine.dispose()

    def has_table(self, name: str) -> bool:
        """Tell whether there is such a table."""
        with self.reading() as connection:
            return sa.inspect(connection).has_table(name)

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Open a connection that sees one state and writes nothing."""
        return self._connection().execution_options(read_only=True)

    def _connection(self) -> sa.Connection:
        return patiently(self.engine.connect)

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

    def meta(self, key: str) -> str | None:
        """Return a stored setting."""
        with self.reading() as connection:
            query = sa.select(tables.meta.c.value).where(tables.meta.c.key == key)
            return connection.execute(query).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Store a setting of the moment: no event tells of it."""

        def store() -> None:
            with self.engine.begin() as connection:
                statement = upsert(connection, tables.meta, ["key", "value"])
                connection.execute(statement, {"key": key, "value": value})

        patiently(store)

    def rows(
        self,
        table: sa.Table,
        *,
        order_by: Sequence[str] = (),
        among: Mapping[str, Iterable[Any]] | None = None,
        **equal: Any,
    ) -> list[Row]:
        """Return all rows whose columns equal what is given.

        ``among`` names one column that may have any of several values, however many.
        """
        query = sa.select(table)
        for column, value in equal.items():
            query = query.where(table.c[column] == value)
        queries = [query]
        for column, values in (among or {}).items():
            queries = [query.where(table.c[column].in_(page)) for page in batched(values)]
        with self.reading() as connection:
            rows: list[Row] = [
                dict(row) for one in queries for row in connection.execute(one).mappings()
            ]
        return sorted(rows, key=itemgetter(*order_by)) if order_by else rows

    def all_series(self) -> list[Row]:
        """Return every ingested series in the order of its number, with its time point."""
        with self.reading() as connection:
            query = series_query().order_by(tables.series.c.number)
            return [dict(row) for row in connection.execute(query).mappings()]

    def some_series(self, ids: Iterable[str]) -> list[Row]:
        """Return series by their ids, in the order of their numbers."""
        query = series_query()
        rows: list[Row] = []
        with self.reading() as connection:
            for page in batched(ids):
                chosen = query.where(tables.series.c.id.in_(page))
                rows += [dict(row) for row in connection.execute(chosen).mappings()]
        return sorted(rows, key=itemgetter("number"))

    def series_pages(self, size: int = PAGE_SIZE) -> Iterator[list[Row]]:
        """Yield the series in the order of their numbers, so many at a time."""
        last = 0
        while True:
            query = series_query().where(tables.series.c.number > last)
            query = query.order_by(tables.series.c.number).limit(size)
            with self.reading() as connection:
                page: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
            if not page:
                return
            yield page
            last = page[-1]["number"]

    def sop_uids(self) -> set[str]:
        """Return the keyed SOP UIDs of all slices."""
        with self.reading() as connection:
            return set(connection.execute(sa.select(tables.instance.c.sop_uid)).scalars())

    def units(self, stage: str, names: Iterable[str] | None = None) -> dict[str, UnitRecord]:
        """Return what is known of a stage's units, by name."""
        among = None if names is None else {"name": names}
        rows = self.rows(tables.unit, stage=stage, among=among)
        return {row["name"]: UnitRecord(**row) for row in rows}

    def unit_states(self, stage: str, names: Iterable[str]) -> dict[str, UnitState]:
        """Return key, state and version of units, without their outputs, by name."""
        unit = tables.unit
        query = sa.select(unit.c.name, unit.c.key, unit.c.state, unit.c.version).where(
            unit.c.stage == stage, unit.c.name.in_(list(names))
        )
        with self.reading() as connection:
            return {
                row.name: UnitState(row.key, row.state, row.version)
                for row in connection.execute(query)
            }

    def failed_units(self) -> list[UnitRecord]:
        """Return every unit that failed, by stage and name."""
        rows = self.rows(tables.unit, state="failed", order_by=("stage", "name"))
        return [UnitRecord(**row) for row in rows]

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

    def head(self) -> Head:
        """Return the chain's end."""
        with self.reading() as connection:
            row = connection.execute(
                sa.select(tables.head.c.seq, tables.head.c.hash, tables.head.c.at)
            ).one_or_none()
        return Head(0, GENESIS, "") if row is None else Head(row.seq, row.hash, row.at)

    def events(self, *, after: int = 0, of: str | None = None) -> Iterator[Event]:
        """Yield events in the order of their numbers; ``of`` takes those of one object."""
        event = tables.event
        raw = [
            sa.type_coerce(column, sa.Text).label(column.name)
            if column is event.c.details
            else column
            for column in event.columns
        ]
        query = sa.select(*raw).where(event.c.seq > after).order_by(event.c.seq)
        if of is not None:
            query = query.where(event.c.object == of)
        with self.reading() as connection:
            found = connection.execute(query, execution_options={"yield_per": 1000})
            with closing(found):
                for row in found:
                    yield Event(*row)

    def last_facts(self, kind: str) -> dict[str, str | None]:
        """Return what the last event of every object of a kind says of its row."""
        event = tables.event
        query = (
            sa.select(event.c.object, event.c.fact)
            .where(event.c.object >= f"{kind}/", event.c.object < f"{kind}0")
            .order_by(event.c.seq)
        )
        with self.reading() as connection:
            rows = connection.execute(query, execution_options={"yield_per": 1000})
            return {row.object: row.fact for row in rows}

    def facts(self) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
        """Yield each kind of object, with object and hash of every row there is now."""
        with self.reading() as connection:
            for audited in AUDITED:
                yield audited.kind, facts(connection, audited)


def batched(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield values in lists as long as one query may name."""
    rest = iter(values)
    while page := list(islice(rest, PAGE_SIZE)):
        yield page


def utc_now() -> str:
    """Return the present time, UTC, ISO, to the millisecond."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def series_query() -> Any:
    """Return the query for series with number, date and name of their time point."""
    point = tables.timepoint
    return sa.select(
        tables.series,
        point.c.number.label("timepoint"),
        point.c.study_date,
        point.c.name.label("timepoint_name"),
    ).join(point, tables.series.c.timepoint_id == point.c.id)


def _begin(connection: sa.Connection) -> None:
    for key, value in ((SCHEMA, str(SCHEMA_VERSION)), ("ingests", "0")):
        connection.execute(sa.insert(tables.meta), {"key": key, "value": value})
    connection.execute(sa.insert(tables.head), {"id": 1, "seq": 0, "hash": GENESIS, "at": ""})
