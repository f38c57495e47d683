"""Rows as they are stored, out of any database and into any other."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.core.identity import canonical_json
from lesionary.io.database.engine import is_sqlite
from lesionary.io.registry import tables
from lesionary.io.study_archive.layout import (
    OF_THIS_MACHINE,
    PART_BYTES,
    ROW_BYTES,
    changed,
)

Row = dict[str, Any]

_FETCHED = 1000
_INT32 = 1 << 31
_INT64 = 1 << 63


def stored_rows(connection: sa.Connection, table: sa.Table) -> Iterator[Row]:
    """Yield a table's rows by primary key, text by code points, JSON as the text it is."""
    query = sa.select(*(_raw(column) for column in table.columns))
    for column in table.primary_key:
        query = query.order_by(_by_code_points(connection, column))
    if table is tables.meta:
        query = query.where(table.c.key.not_in(OF_THIS_MACHINE))
    rows = connection.execute(query, execution_options={"yield_per": _FETCHED})
    for row in rows.mappings():
        yield dict(row)


def count_rows(connection: sa.Connection, table: sa.Table) -> int:
    """Return how many rows of a table travel."""
    query = sa.select(sa.func.count()).select_from(table)
    if table is tables.meta:
        query = query.where(table.c.key.not_in(OF_THIS_MACHINE))
    return int(connection.execute(query).scalar_one())


def insert_stored(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    """Add rows in their stored form: JSON goes in as the text it is."""
    values = {column.name: sa.bindparam(column.name, type_=_raw_type(column)) for column in table.c}
    connection.execute(sa.insert(table).values(values), rows)


def parts(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield rows as JSON lines, so many bytes at a time.

    Raises
    ------
    WorkflowError
        If a row is longer than any that is read.
    """
    lines, n_bytes = [], 0
    for row in rows:
        line = canonical_json(row) + b"\n"
        if len(line) > ROW_BYTES:
            raise WorkflowError(f"a row of {len(line)} bytes is too long", code="archive_limit")
        lines.append(line)
        n_bytes += len(line)
        if n_bytes >= PART_BYTES:
            yield b"".join(lines)
            lines, n_bytes = [], 0
    if lines:
        yield b"".join(lines)


def rows_of(content: bytes, table: sa.Table, member: str) -> Iterator[Row]:
    """Yield the rows of a part, each checked against its table.

    Raises
    ------
    InputError
        If a line is no row of the table, or is written otherwise than an export writes it.
    """
    if not content.endswith(b"\n"):
        raise changed(member, "its last row is cut")
    for number, line in enumerate(content[:-1].split(b"\n"), start=1):
        row = _parsed(line)
        if row is None or row.keys() != set(table.c.keys()):
            raise changed(member, f"line {number} is no row of its table")
        for column in table.columns:
            if not _is_of_type(row[column.name], column):
                raise changed(member, f"line {number}: `{column.name}` has no value of its kind")
        yield row


def _parsed(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
        is_canonical = canonical_json(row) == line
    except (ValueError, RecursionError):
        return None
    return row if is_canonical and isinstance(row, dict) else None


def _is_of_type(value: object, column: sa.Column[Any]) -> bool:
    if value is None:
        return bool(column.nullable)
    kind = column.type
    if isinstance(kind, tables.StoredJson):
        return isinstance(value, str) and "\0" not in value and _is_json(value)
    if isinstance(kind, sa.Boolean):
        return isinstance(value, bool)
    if isinstance(kind, sa.Integer):
        bound = _INT64 if isinstance(kind, sa.BigInteger) else _INT32
        return type(value) is int and -bound <= value < bound
    if isinstance(kind, sa.Float):
        return isinstance(value, float)
    return isinstance(value, str) and "\0" not in value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, tables.StoredJson):
        return sa.type_coerce(column, sa.Text).label(column.name)
    return column


def _raw_type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    return sa.Text() if isinstance(column.type, tables.StoredJson) else column.type


def _by_code_points(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if is_sqlite(connection) or not isinstance(column.type, sa.String):
        return column
    return sa.collate(column, "C")
