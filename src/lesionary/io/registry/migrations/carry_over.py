"""From schema 1 to schema 2: every row, its event, and the counts."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from lesionary.core.identity import canonical_json, derived_uuid, digest
from lesionary.io.registry.chain import GENESIS, Draft, Head, linked
from lesionary.io.registry.migrations import schema_2 as new
from lesionary.io.registry.migrations.set_aside import Old

WHY = "upgrade from schema 1"

Row = dict[str, Any]

_PAGE = 1000
_GIVEN = "given"
_UNKNOWN_INGEST = 0


def carry_over(connection: sa.Connection, old: Old, *, at: str, actor: str) -> None:
    """Fill the new tables from the old ones, and begin the audit's chain.

    Parameters
    ----------
    connection : Connection
        In the transaction that holds all of it.
    old : mapping of str to table
        The tables of schema 1.
    at, actor : str
        When (UTC, ISO), and who upgrades.
    """
    book = _Book(connection, at=at, actor=actor)
    _copy_settings(connection, old)
    from_files = _subjects_from_files(connection, old)
    book.carry(
        new.subject, _rows(connection, old["subject"], "number"),
        lambda row: row | {"is_from_file": row["id"] in from_files},
    )  # fmt: skip
    book.carry(new.timepoint, _timepoints(connection, old), lambda row: row)
    _carry_series(connection, old, book)
    book.carry(new.finding, _rows(connection, old["finding"], "id"), lambda row: row)
    book.carry(new.annotation, _rows(connection, old["annotation"], "id"), _annotation)
    book.carry(new.box, _rows(connection, old["box"], "id"), _box)
    book.carry(new.unit, _rows(connection, old["unit"], "stage", "name"), _unit)
    book.count("series_of_several_readers", _n_of_several_readers(connection, old))
    book.close()


class _Book:
    """Writes rows with their events, and the counts of them."""

    def __init__(self, connection: sa.Connection, *, at: str, actor: str) -> None:
        self._connection = connection
        self._head = Head(0, GENESIS, "")
        self._at, self._actor = at, actor
        self._counts: Counter[str] = Counter()

    def carry(
        self, table: sa.Table, pages: Iterator[Sequence[Row]], convert: Callable[[Row], Row]
    ) -> None:
        """Write the rows of one table."""
        for page in pages:
            rows = [convert(row) for row in page]
            self._connection.execute(sa.insert(table), rows)
            self.tell(table, [(row, row) for row in rows])

    def tell(self, table: sa.Table, rows: Sequence[tuple[Row, Row]]) -> None:
        """Add the events of rows; beside each row what its hash is over."""
        for row, _ in rows:
            self.count(_tally_name(table, row))
        self._write(
            [
                Draft("carried_over", _object_of(table, row), WHY, digest([canonical_json(whole)]))
                for row, whole in rows
            ]
        )

    def count(self, name: str, n: int = 1) -> None:
        """Raise a count."""
        self._counts[name] += n

    def close(self) -> None:
        """Say that all is carried over; store the counts and the chain's end."""
        details = {"before": 1, "after": 2}
        self._write([Draft("upgraded", "registry/schema", WHY, details=details)])
        tallies = [{"name": name, "n": n} for name, n in sorted(self._counts.items()) if n]
        if tallies:
            self._connection.execute(sa.insert(new.tally), tallies)
        end = self._head
        row = {"id": 1, "seq": end.seq, "hash": end.hash, "at": end.at}
        self._connection.execute(sa.insert(new.head), row)
        schema = sa.update(new.meta).where(new.meta.c.key == "schema")
        self._connection.execute(schema.values(value="2"))

    def _write(self, drafts: Sequence[Draft]) -> None:
        events = list(linked(drafts, self._head, at=self._at, actor=self._actor))
        names = new.event.columns.keys()
        rows = [{name: getattr(event, name) for name in names} for event in events]
        self._connection.execute(sa.insert(new.event), rows)
        self._head = Head(events[-1].seq, events[-1].hash, self._at)


def _copy_settings(connection: sa.Connection, old: Old) -> None:
    names = new.meta.columns.keys()
    settings = sa.select(*(old["meta"].c[name] for name in names))
    connection.execute(sa.insert(new.meta).from_select(names, settings))


def _carry_series(connection: sa.Connection, old: Old, book: _Book) -> None:
    """Write series, then their slices, then events over both."""
    names = new.instance.columns.keys()
    slices = sa.select(*(old["source_instance"].c[name] for name in names))
    parted = _parted_ingests(connection, old)
    for page in _rows(connection, old["series"], "number"):
        connection.execute(sa.insert(new.series), [_series(row, parted) for row in page])
    connection.execute(sa.insert(new.instance).from_select(names, slices))
    uids = (
        sa.select(new.instance.c.sop_uid)
        .where(new.instance.c.series_id == sa.bindparam("series"))
        .order_by(new.instance.c.k)
    )
    for page in _rows(connection, old["series"], "number"):
        told = []
        for row in (_series(row, parted) for row in page):
            sop_uids = list(connection.execute(uids, {"series": row["id"]}).scalars())
            told.append((row, row | {"sop_uids": sop_uids}))
        book.tell(new.series, told)


def _rows(connection: sa.Connection, table: sa.TableClause, *order: str) -> Iterator[list[Row]]:
    """Yield a table's rows page by page, JSON as canonical text."""
    is_json = {name for name, column in table.c.items() if isinstance(column.type, sa.JSON)}
    columns = [
        sa.cast(column, sa.Text).label(name) if name in is_json else column
        for name, column in table.c.items()
    ]
    query = sa.select(*columns).order_by(*(table.c[name] for name in order))
    for page in _pages(connection, query):
        yield [
            {name: _canonical(row[name]) if name in is_json else row[name] for name in row}
            for row in page
        ]


def _pages(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[list[Row]]:
    with closing(connection.execute(query, execution_options={"yield_per": _PAGE})) as found:
        for page in found.mappings().partitions():
            yield [dict(row) for row in page]


def _canonical(text: str | None) -> str | None:
    """Return JSON as schema 2 stores it; schema 1 wrote ``null`` where there was no value."""
    value = None if text is None else json.loads(text, parse_constant=_no_number)
    return None if value is None else canonical_json(value).decode()


def _no_number(_word: str) -> None:
    """JSON has no NaN, though schema 1 would have stored one."""


def _subjects_from_files(connection: sa.Connection, old: Old) -> set[str]:
    """Return the subjects that only a file's name tells apart."""
    series, finding = old["series"], old["finding"]
    query = sa.select(series.c.subject_id).where(
        series.c.id == finding.c.series_id, finding.c.code == "subject_from_file"
    )
    return set(connection.execute(query).scalars())


def _timepoints(connection: sa.Connection, old: Old) -> Iterator[list[Row]]:
    """Yield one row a visit: series of one subject, date and name share it."""
    series = old["series"]
    number = sa.func.min(series.c.timepoint).label("number")
    date = sa.func.max(series.c.study_date).label("study_date")
    name = sa.func.max(series.c.timepoint_name).label("timepoint_name")
    visit = (
        series.c.subject_id,
        sa.func.coalesce(series.c.study_date, ""),
        sa.func.coalesce(series.c.timepoint_name, ""),
    )
    query = sa.select(series.c.subject_id, number, date, name).group_by(*visit)
    for page in _pages(connection, query.order_by(series.c.subject_id, number, date, name)):
        yield [
            {
                "id": _timepoint_id(row),
                "subject_id": row["subject_id"],
                "number": row["number"],
                "study_date": row["study_date"],
                "name": row["timepoint_name"],
                "version": 1,
            }
            for row in page
        ]


def _timepoint_id(row: Mapping[str, Any]) -> str:
    parts = (row["subject_id"], row["study_date"] or "", row["timepoint_name"] or "")
    return str(derived_uuid("timepoint", *parts))


def _parted_ingests(connection: sa.Connection, old: Old) -> set[int]:
    """Return the ingests whose folders parted training from test: elsewhere all was ``train``."""
    series = old["series"]
    sources = sa.select(series.c.source).where(series.c.subset == "test")
    return {_ingest_of(source) for source in connection.execute(sources).scalars()}


def _series(row: Row, parted: set[int]) -> Row:
    ingest = _ingest_of(row["source"])
    gone = {"timepoint", "timepoint_name", "study_date"}
    kept = {name: value for name, value in row.items() if name not in gone}
    added = {
        "ingest": ingest,
        "subset": row["subset"] if ingest in parted else "",
        "timepoint_id": _timepoint_id(row),
        "pixel_hash": None,
    }
    return kept | added


def _annotation(row: Row) -> Row:
    return row | {
        "role": "unknown" if row["author"] == _GIVEN else "reader",
        "generation": None,
        "parent_id": None,
        "ingest": _ingest_of(row["source"]),
    }


def _box(row: Row) -> Row:
    return row | {"ingest": _ingest_of(row["source"])}


def _unit(row: Row) -> Row:
    return row | {"inputs": None, "model": None, "seed": None, "run_id": None, "version": 1}


def _ingest_of(source: str | None) -> int:
    """Return the ingest of a source such as ``1#12``."""
    number = (source or "").partition("#")[0]
    return int(number) if number.isdecimal() else _UNKNOWN_INGEST


def _n_of_several_readers(connection: sa.Connection, old: Old) -> int:
    annotation = old["annotation"]
    several = (
        sa.select(annotation.c.series_id)
        .where(annotation.c.author != _GIVEN)
        .group_by(annotation.c.series_id)
        .having(sa.func.count(annotation.c.author.distinct()) > 1)
    )
    found = connection.execute(sa.select(sa.func.count()).select_from(several.subquery()))
    return int(found.scalar_one())


def _object_of(table: sa.Table, row: Row) -> str:
    if table is new.unit:
        return f"unit/{row['stage']}/{row['name']}"
    return f"{table.name}/{row['id']}"


def _tally_name(table: sa.Table, row: Row) -> str:
    if table is new.finding:
        return f"finding:{row['outcome']}"
    if table is new.unit:
        return f"unit:{row['stage']}:{row['state']}"
    return table.name
