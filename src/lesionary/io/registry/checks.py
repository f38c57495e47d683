"""What ``verify`` asks of rows and events: does each row say what its last event says of it.

All answers are of one state of the registry, and come a page at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeVar

import sqlalchemy as sa

from lesionary.io.database.engine import is_sqlite
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Event, Head
from lesionary.io.registry.facts import Audited, facts
from lesionary.io.registry.registry import Registry

_PAGE_SIZE = 1000

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that is not as the audit has it."""

    object: str
    code: str
    reason: str


@contextmanager
def snapshot(registry: Registry) -> Iterator[sa.Connection]:
    """Open a connection that sees one state throughout, whoever writes meanwhile."""
    with registry.reading() as connection:
        if is_sqlite(connection):
            yield connection
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ")


def events(connection: sa.Connection) -> Iterator[Event]:
    """Yield all events in the order of their numbers, their details as they are stored."""
    query = _raw_events().order_by(tables.event.c.seq)
    for row in connection.execute(query, execution_options={"yield_per": _PAGE_SIZE}):
        yield Event(*row)


def latest_events(connection: sa.Connection, of: str | None, n: int) -> tuple[list[Event], int]:
    """Return the last events, of one object or of all, in their order; and how many there are."""
    query, count = _raw_events(), sa.select(sa.func.count()).select_from(tables.event)
    if of is not None:
        query, count = (one.where(tables.event.c.object == of) for one in (query, count))
    rows = connection.execute(query.order_by(tables.event.c.seq.desc()).limit(n)).all()
    return [Event(*row) for row in reversed(rows)], int(connection.execute(count).scalar_one())


def _raw_events() -> sa.Select[Any]:
    return sa.select(
        *(
            sa.type_coerce(column, sa.Text).label(column.name)
            if column is tables.event.c.details
            else column
            for column in tables.event.columns
        )
    )


def heads(connection: sa.Connection) -> list[tuple[int, Head]]:
    """Return every row that says where the chain ends, with its id: there should be one, of 1."""
    head = tables.head.c
    query = sa.select(head.id, head.seq, head.hash, head.at).limit(2)
    return [(row.id, Head(row.seq, row.hash, row.at)) for row in connection.execute(query)]


def last_event(connection: sa.Connection) -> Head | None:
    """Return where the events end, by themselves."""
    event = tables.event.c
    query = sa.select(event.seq, event.hash, event.at).order_by(event.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Head(row.seq, row.hash, row.at)


def row_faults(connection: sa.Connection, audited: Audited) -> Iterator[RowFault]:
    """Yield the rows of a table that are not what their last events say, in both directions."""
    for page in _pages(facts(connection, audited)):
        last = last_facts(connection, [name for name, _ in page])
        for name, fact in page:
            if last.get(name) is None:
                reason = "no event tells of it, or the last one says that it is gone"
                yield RowFault(name, "row_added", reason)
            elif last[name] != fact:
                yield RowFault(name, "row_changed", "it is not what its last event says")
    yield from _rows_gone(connection, audited)
    if audited.table in tables.PERMANENT:
        yield from _told_twice(connection, audited)
    if audited.table is tables.series:
        yield from _slices_out_of_order(connection)


def shared_by_subsets(connection: sa.Connection) -> Iterator[tuple[str, list[str]]]:
    """Yield what series of different given folders (train, test) share, each with those series."""
    series = tables.series.c
    folder = sa.func.coalesce(sa.func.nullif(series.subset, ""), "train")
    values = {
        "a patient": series.subject_id,
        "a StudyInstanceUID": series.study_uid,
        "voxels": series.pixel_hash,
    }
    for what, value in values.items():
        shared = (
            sa.select(value)
            .where(value.is_not(None))
            .group_by(value)
            .having(sa.func.count(folder.distinct()) > 1)
        )
        query = sa.select(value, series.id).where(value.in_(shared)).order_by(value, series.number)
        rows = connection.execute(query, execution_options={"yield_per": _PAGE_SIZE})
        for _, group in groupby(rows, key=lambda row: row[0]):
            yield what, [name for _, name in group]


def count_rows(connection: sa.Connection, audited: Audited) -> int:
    """Count a table's rows."""
    query = sa.select(sa.func.count()).select_from(audited.table)
    return int(connection.execute(query).scalar_one())


def _rows_gone(connection: sa.Connection, audited: Audited) -> Iterator[RowFault]:
    for page in _told(connection, audited.kind):
        last = last_facts(connection, page)
        there = _present(connection, audited, page)
        for name in page:
            if last.get(name) is not None and name not in there:
                yield RowFault(name, "row_removed", "its last event says that it is there")


def _told_twice(connection: sa.Connection, audited: Audited) -> Iterator[RowFault]:
    """Yield rows of which two events say different things, though such rows are never changed.

    So an event that somebody forged for a changed or removed row does not cover it.
    """
    event = tables.event.c
    facts_told = sa.func.count(sa.func.coalesce(event.fact, "").distinct())
    for page in _told(connection, audited.kind):
        query = (
            sa.select(event.object)
            .where(event.object.in_(page))
            .group_by(event.object)
            .having(facts_told > 1)
            .order_by(event.object)
        )
        for name in connection.execute(query).scalars():
            reason = "two events tell of it differently, but such rows are never changed or removed"
            yield RowFault(name, "row_changed", reason)


def _told(connection: sa.Connection, kind: str) -> Iterator[list[str]]:
    """Yield the objects of a kind that events name, in pages."""
    name = tables.event.c.object
    last = f"{kind}/"
    # A server may sort by a language's rules, to which `0` need not come next after `/`.
    is_kind = name < f"{kind}0" if is_sqlite(connection) else name.startswith(last, autoescape=True)
    while True:
        query = (
            sa.select(name).distinct().where(name > last, is_kind).order_by(name).limit(_PAGE_SIZE)
        )
        page = list(connection.execute(query).scalars())
        if not page:
            return
        yield page
        last = page[-1]


def last_facts(connection: sa.Connection, objects: Sequence[str]) -> dict[str, str | None]:
    """Return what the last events of objects say of their rows; without events, nothing."""
    event = tables.event.c
    last = sa.select(sa.func.max(event.seq)).where(event.object.in_(objects))
    query = sa.select(event.object, event.fact).where(event.seq.in_(last.group_by(event.object)))
    return {row.object: row.fact for row in connection.execute(query)}


def _present(connection: sa.Connection, audited: Audited, objects: Sequence[str]) -> set[str]:
    """Return which of some objects have their rows."""
    *leading, last = (audited.table.c[name] for name in audited.names)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in objects:
        names = name.split("/", len(audited.names))[1:]
        if len(names) == len(audited.names):
            groups.setdefault(tuple(names[:-1]), []).append(names[-1])
    found: set[str] = set()
    for group, names in groups.items():
        query = sa.select(*leading, last).where(last.in_(_typed(last, names)))
        for column, value in zip(leading, group, strict=True):
            query = query.where(column == value)
        rows = connection.execute(query).mappings()
        found.update(audited.object_of(dict(row)) for row in rows)
    return found


def _typed(column: sa.Column[Any], names: Iterable[str]) -> list[Any]:
    if isinstance(column.type, sa.Integer):
        return [int(name) for name in names if name.isdecimal() and len(name) < 19]
    return list(names)


def _slices_out_of_order(connection: sa.Connection) -> Iterator[RowFault]:
    """Yield series whose slices are not numbered 0, 1, 2, …: their order alone is in the fact."""
    slices = tables.instance.c
    query = (
        sa.select(slices.series_id)
        .group_by(slices.series_id)
        .having(
            sa.or_(
                sa.func.min(slices.k) != 0,
                sa.func.max(slices.k) != sa.func.count() - 1,
            )
        )
        .order_by(slices.series_id)
    )
    for (series_id,) in connection.execute(query):
        yield RowFault(f"series/{series_id}", "row_changed", "its slices are numbered otherwise")


def _pages(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while page := list(islice(iterator, _PAGE_SIZE)):
        yield page
