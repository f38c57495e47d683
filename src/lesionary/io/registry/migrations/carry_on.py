"""From schema 2 to schema 3: every row as it is, and the audit's chain continued.

An event says of a row one hash over all of its columns. A subject has a column more now, so each
is told of anew; a series' slices are hashed with their frames' numbers only where they have some.
A row that was not what its last event says is not told of: it stays what ``verify`` finds changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.core.identity import canonical_json, digest
from lesionary.io.registry.chain import Draft, Head, linked
from lesionary.io.registry.migrations import schema_3 as new
from lesionary.io.registry.migrations.set_aside import Old

WHY = "upgrade from schema 2"

Row = dict[str, Any]

_PAGE = 500
_FLAG = "is_from_file"


def tables_there(connection: sa.Connection) -> list[sa.TableClause]:
    """Return the tables that a registry of schema 2 has, each after those that its rows name.

    Some have parts of schema 3 already: while it was being built, it had no number of its own.
    """
    inspector = sa.inspect(connection)
    found = []
    for table in new.metadata.sorted_tables:
        if inspector.has_table(table.name):
            there = {column["name"] for column in inspector.get_columns(table.name)}
            columns = [sa.column(c.name, c.type) for c in table.columns if c.name in there]
            found.append(sa.table(table.name, *columns))
    return found


def carry_on(connection: sa.Connection, old: Old, *, at: str, actor: str) -> None:
    """Fill the new tables from the old ones, and tell of it.

    Parameters
    ----------
    connection : Connection
        In the transaction that holds all of it.
    old : mapping of str to table
        The tables of schema 2.
    at, actor : str
        When (UTC, ISO), and who upgrades.

    Raises
    ------
    WorkflowError
        Code ``head_changed`` where the audit does not end where it should.
    """
    for table in new.metadata.sorted_tables:
        if table.name in old:
            names = old[table.name].columns.keys()
            rows = sa.select(*(old[table.name].c[name] for name in names))
            connection.execute(sa.insert(table).from_select(names, rows))
    start = _head(connection)
    drafts = [draft for page in _subjects(connection) for draft in _told(connection, old, page)]
    details = {"before": 2, "after": 3}
    drafts.append(Draft("upgraded", "registry/schema", WHY, details=details))
    events = list(linked(drafts, start, at=at, actor=actor))
    names = new.event.columns.keys()
    connection.execute(
        sa.insert(new.event), [{name: getattr(one, name) for name in names} for one in events]
    )
    end = {"seq": events[-1].seq, "hash": events[-1].hash, "at": at}
    connection.execute(sa.update(new.head).values(**end))
    schema = sa.update(new.meta).where(new.meta.c.key == "schema")
    connection.execute(schema.values(value="3"))


def _head(connection: sa.Connection) -> Head:
    rows = connection.execute(sa.select(new.head.c.seq, new.head.c.hash, new.head.c.at)).all()
    last = connection.execute(sa.select(sa.func.max(new.event.c.seq))).scalar() or 0
    if len(rows) != 1 or rows[0].seq < last:
        raise WorkflowError(
            "the audit does not end where it should: nothing can be added to it",
            code="head_changed",
            hint="restore the study from a backup",
        )
    return Head(*rows[0])


def _subjects(connection: sa.Connection) -> Iterator[list[Row]]:
    """Yield the subjects page by page, truth as its number: what is stored."""
    subject = new.subject
    columns = [
        sa.type_coerce(column, sa.Integer).label(_FLAG) if column.name == _FLAG else column
        for column in subject.columns
    ]
    last = ""
    while True:
        query = sa.select(*columns).where(subject.c.id > last).order_by(subject.c.id).limit(_PAGE)
        page = [dict(row) for row in connection.execute(query).mappings()]
        if not page:
            return
        yield page
        last = page[-1]["id"]


def _told(connection: sa.Connection, old: Old, rows: Sequence[Row]) -> Iterator[Draft]:
    """Yield what is to be said of rows whose hash is another with the new column."""
    last = _last_facts(connection, [f"subject/{row['id']}" for row in rows])
    known = old["subject"].columns.keys()
    for row in rows:
        values = row
        if values[_FLAG] in {0, 1}:
            values[_FLAG] = bool(values[_FLAG])
        before = _fact({name: values[name] for name in known})
        after, name = _fact(values), f"subject/{row['id']}"
        if before != after and last.get(name) == before:
            yield Draft("carried_over", name, WHY, after)


def _fact(values: Mapping[str, Any]) -> str:
    try:
        return digest([canonical_json(dict(values))])
    except (TypeError, ValueError):  # nobody can have written such a row
        return "-"


def _last_facts(connection: sa.Connection, objects: Sequence[str]) -> dict[str, str | None]:
    event = new.event.c
    last = sa.select(sa.func.max(event.seq)).where(event.object.in_(objects))
    query = sa.select(event.object, event.fact).where(event.seq.in_(last.group_by(event.object)))
    return {row.object: row.fact for row in connection.execute(query)}
