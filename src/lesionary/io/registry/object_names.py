"""Which objects rows name.

``verify`` wants them exactly, each with the rows that need it. Garbage collection wants them all:
any word in any row that could be an object's name keeps the object, whatever column it stands in.
"""

import re
from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.io.registry import tables

_WORD = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ID_LENGTH = 64
_NO_NAMES = (tables.event, tables.head, tables.run)
"""What only tells of objects. An event's hashes, or its words on a mask that was forgotten, keep
nothing."""

_PAGE = {"yield_per": 1000}


def needed_objects(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Yield every object that the study cannot do without, with the row that names it.

    These are the volumes of series, the given masks, and what units put out; the hashes that
    ``publish`` puts out are of files.
    """
    series, mask, unit = tables.series.c, tables.annotation.c, tables.unit.c
    for row in connection.execute(sa.select(series.id, series.object_id), execution_options=_PAGE):
        yield row.object_id, f"series/{row.id}"
    for row in connection.execute(sa.select(mask.id, mask.object_id), execution_options=_PAGE):
        yield row.object_id, f"annotation/{row.id}"
    query = sa.select(
        unit.stage, unit.name, sa.type_coerce(unit.output, sa.Text).label("output")
    ).where(unit.stage != "publish", unit.output.is_not(None))
    for row in connection.execute(query, execution_options=_PAGE):
        for name in _WORD.findall(str(row.output)):
            yield name, f"unit/{row.stage}/{row.name}"


def possible_names(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Yield every word of 64 hexadecimal digits in any row, with the table where it stands."""
    for table in tables.metadata.sorted_tables:
        columns = [] if table in _NO_NAMES else [*_texts(table)]
        if not columns:
            continue
        is_long = sa.or_(*(sa.func.length(column) >= _ID_LENGTH for column in columns))
        query = sa.select(*columns).where(is_long)
        for row in connection.execute(query, execution_options=_PAGE):
            for text in row:
                for name in _WORD.findall(str(text)):
                    yield name, table.name


def _texts(table: sa.Table) -> Iterator[sa.ColumnElement[str]]:
    for column in table.columns:
        is_text = isinstance(column.type, sa.String | tables.StoredJson)
        if is_text and column is not tables.unit.c.key:
            yield sa.type_coerce(column, sa.Text).label(column.name)
