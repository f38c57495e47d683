"""What an event says of a row: one hash over the row as it is stored.

``lesionary verify`` reads every row again and holds its hash against the last event that names it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lesionary.core.identity import canonical_json, digest
from lesionary.io.registry import tables

Row = Mapping[str, Any]

_SOPS, _FRAMES = "sop_uids", "frames"

Slice = tuple[str, int | None]
"""A slice's SOP instance UID, and the number of its frame in that file, where it holds many."""

NO_FACT = "-"
"""The hash of a row that nobody can have written: with bytes for text, or an infinite number."""


@dataclass(frozen=True, slots=True)
class Audited:
    """A table whose rows events speak of: each row by a kind and the columns that name it."""

    table: sa.Table
    kind: str
    names: tuple[str, ...] = ("id",)

    def object_of(self, row: Row) -> str:
        """Return how events name a row."""
        return "/".join([self.kind, *(str(row[name]) for name in self.names)])


AUDITED = (
    Audited(tables.subject, "subject"),
    Audited(tables.timepoint, "timepoint"),
    Audited(tables.series, "series"),
    Audited(tables.finding, "finding"),
    Audited(tables.curation, "curation"),
    Audited(tables.annotation, "annotation"),
    Audited(tables.box, "box"),
    Audited(tables.review, "review"),
    Audited(tables.lesion, "lesion"),
    Audited(tables.track, "track"),
    Audited(tables.decision, "decision"),
    Audited(tables.role_decision, "role_decision"),
    Audited(tables.reported_diameter, "reported_diameter"),
    Audited(tables.split, "split", ("name", "subject_id")),
    Audited(tables.declared_set, "declared_set", ("name", "kind", "value")),
    Audited(tables.run, "run"),
    Audited(tables.unit, "unit", ("stage", "name")),
)
"""Every table with content of its own. Slices belong to their series; ``claim``, ``meta`` and
``tally`` are of the moment."""

BY_TABLE = {audited.table.name: audited for audited in AUDITED}


def stored(table: sa.Table, row: Row) -> dict[str, Any]:
    """Return a row as the database holds it: every column, JSON as its canonical text."""
    values: dict[str, Any] = {}
    for column in table.columns:
        value = row.get(column.name)
        if value is not None:
            value = _as_stored(column, value)
        values[column.name] = value
    return values


def _as_stored(column: sa.Column[Any], value: Any) -> Any:
    if isinstance(column.type, tables.StoredJson):
        return canonical_json(value).decode()
    if isinstance(column.type, sa.Float):
        return float(value)  # 1 comes back as 1.0
    return value


def fact_of(values: Mapping[str, Any]) -> str:
    """Return the hash of a row in its stored form; of a series see :func:`series_fact`."""
    return digest([canonical_json(dict(values))])


def series_fact(values: Mapping[str, Any], slices: Sequence[Slice]) -> str:
    """Return the hash of a series with its slices in their order."""
    return fact_of(_with_slices(values, slices))


def _with_slices(values: Mapping[str, Any], slices: Sequence[Slice]) -> dict[str, Any]:
    """Add the slices' UIDs; their frames' numbers only where there are some."""
    whole = dict(values) | {_SOPS: [sop_uid for sop_uid, _ in slices]}
    frames = [frame for _, frame in slices]
    return whole | {_FRAMES: frames} if any(frame is not None for frame in frames) else whole


def facts(
    connection: sa.Connection, audited: Audited, *where: sa.ColumnElement[bool]
) -> Iterator[tuple[str, str]]:
    """Yield object and hash of every row of a table (``where``), as it is in the database now."""
    raw = sa.select(*(_raw(column) for column in audited.table.columns)).where(*where)
    flags = [c.name for c in audited.table.columns if isinstance(c.type, sa.Boolean)]
    slices = _Slices(connection) if audited.table is tables.series else None
    if slices is not None:
        raw = raw.order_by(audited.table.c.id)
    rows = connection.execute(raw, execution_options={"yield_per": 1000})
    for row in rows.mappings():
        values = dict(row)
        values |= {name: bool(values[name]) for name in flags if values[name] in {0, 1}}
        if slices is not None:
            values = _with_slices(values, slices.of(values["id"]))
        yield audited.object_of(values), _fact_of_stored(values)


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Read JSON as its text and truth as its number: what is stored, not what it stands for."""
    if isinstance(column.type, tables.StoredJson):
        return sa.type_coerce(column, sa.Text).label(column.name)
    if isinstance(column.type, sa.Boolean):
        return sa.type_coerce(column, sa.Integer).label(column.name)
    return column


def _fact_of_stored(values: Mapping[str, Any]) -> str:
    """Return the hash of a row; ``NO_FACT`` of one that holds what no JSON can say."""
    try:
        return fact_of(values)
    except (TypeError, ValueError):
        return NO_FACT


class _Slices:
    """One series' slices after another's."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._query = (
            sa.select(tables.instance.c.sop_uid, tables.instance.c.frame)
            .where(tables.instance.c.series_id == sa.bindparam("series"))
            .order_by(tables.instance.c.k)
        )

    def of(self, series_id: str) -> list[Slice]:
        rows = self._connection.execute(self._query, {"series": series_id})
        return [(row.sop_uid, row.frame) for row in rows]
