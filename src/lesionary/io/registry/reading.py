"""Questions to a study's registry: rows, series, units and events out, nothing in.

What rows mean is the business of ``app``. Series can be had in pages, each read at its own moment,
so that no reader keeps all of them, nor a connection for as long as it works on them.
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from itertools import islice
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from lesionary.io.registry import tables
from lesionary.io.registry.chain import GENESIS, Event, Head
from lesionary.io.registry.engine import patiently
from lesionary.io.registry.facts import Row
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.records import UnitRecord, UnitState

PAGE_SIZE = 500
"""Series that are planned, claimed and recorded at a time."""

SUBJECTS_A_PAGE = 100
"""Subjects whose series are planned, claimed and recorded at a time."""


class RegistryReader:
    """What can be asked of one study's rows, in a SQLite file or a PostgreSQL schema."""

    def __init__(self, engine: sa.Engine, place: RegistryPlace) -> None:
        self.engine = engine
        self.place = place
        weakref.finalize(self, engine.dispose)

    def close(self) -> None:
        """Let go of the file or the server."""
        self.engine.dispose()

    def has_table(self, name: str) -> bool:
        """Tell whether there is such a table."""
        with self.reading() as connection:
            return sa.inspect(connection).has_table(name)

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Open a connection that sees one state and writes nothing."""
        return patiently(self.engine.connect).execution_options(read_only=True)

    def meta(self, key: str) -> str | None:
        """Return a stored setting."""
        with self.reading() as connection:
            query = sa.select(tables.meta.c.value).where(tables.meta.c.key == key)
            return connection.execute(query).scalar()

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
            queries = [query.where(table.c[column].in_(page)) for page in _batched(values)]
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
            for page in _batched(ids):
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

    def subject_pages(self, size: int = SUBJECTS_A_PAGE) -> Iterator[list[Row]]:
        """Yield all series of so many subjects at a time, subjects in order of their numbers."""
        last = 0
        numbers = sa.select(tables.subject.c.number).order_by(tables.subject.c.number).limit(size)
        while True:
            with self.reading() as connection:
                found = numbers.where(tables.subject.c.number > last)
                page = list(connection.execute(found).scalars())
                if not page:
                    return
                chosen = sa.select(tables.subject.c.id).where(
                    tables.subject.c.number.between(page[0], page[-1])
                )
                query = series_query().where(tables.series.c.subject_id.in_(chosen))
                query = query.order_by(tables.series.c.number)
                rows: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
            yield rows
            last = page[-1]

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


def series_query() -> Any:
    """Return the query for series with number, date and name of their time point."""
    point = tables.timepoint
    return sa.select(
        tables.series,
        point.c.number.label("timepoint"),
        point.c.study_date,
        point.c.name.label("timepoint_name"),
    ).join(point, tables.series.c.timepoint_id == point.c.id)


def _batched(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield values in lists as long as one query may name."""
    rest = iter(values)
    while page := list(islice(rest, PAGE_SIZE)):
        yield page
