"""Whether the database itself is sound: its pages, its references, its guards, its counts."""

import re
from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.core.annotation import GIVEN
from lesionary.io.registry import tables
from lesionary.io.registry.engine import is_sqlite
from lesionary.io.registry.facts import AUDITED
from lesionary.io.registry.guards import add_guards, drop_guards, guard_statements
from lesionary.io.registry.making import make_tables
from lesionary.io.registry.status import SEVERAL_READERS

_TRIGGER = re.compile(r"CREATE TRIGGER (\w+) ")


def damages(connection: sa.Connection) -> Iterator[str]:
    """Yield what the database finds wrong with its own file; a server looks after its own."""
    if is_sqlite(connection):
        for (text,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if text != "ok":
                yield str(text)


def dangling(connection: sa.Connection) -> Iterator[str]:
    """Yield references that lead to no row, in words; a server refuses them."""
    if is_sqlite(connection):
        for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"a row of {table} refers to a row of {parent} that is not there"


def missing_guards(connection: sa.Connection) -> list[str]:
    """Return the triggers that should refuse to change what is permanent, and are not there."""
    dialect = connection.dialect.name
    wanted = {
        found.group(1): statement
        for statement in guard_statements(dialect)
        if (found := _TRIGGER.match(statement))
    }
    if is_sqlite(connection):
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        there = {row.name: row.sql for row in connection.exec_driver_sql(query)}
        return sorted(name for name, sql in wanted.items() if there.get(name) != sql)
    working = _working_triggers(connection) if _refuses(connection) else set()
    return sorted(wanted.keys() - working)


def changed_definitions(connection: sa.Connection) -> list[str]:
    """Return the tables and indexes that are not defined as this Lesionary defines them.

    They are held against those of a registry made anew; a server looks after its own.
    """
    if not is_sqlite(connection):
        return []
    fresh = sa.create_engine("sqlite://")
    with fresh.begin() as other:
        make_tables(other)
        wanted, there = _definitions(other), _definitions(connection)
    fresh.dispose()
    names = wanted.keys() | there.keys()
    return sorted(name for name in names if wanted.get(name) != there.get(name))


def _definitions(connection: sa.Connection) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type != 'trigger'"
    return {row.name: row.sql for row in connection.exec_driver_sql(query)}


def put_guards_back(connection: sa.Connection) -> None:
    """Make all triggers anew."""
    for table in tables.PERMANENT:
        drop_guards(connection, table)
    add_guards(connection)


def true_counts(connection: sa.Connection) -> dict[str, int]:
    """Count what ``tally`` keeps count of; what there is none of is not named."""
    counts: dict[str, int] = {}
    for audited in AUDITED:
        if audited.table not in {tables.unit, tables.finding}:
            query = sa.select(sa.func.count()).select_from(audited.table)
            counts[audited.table.name] = connection.execute(query).scalar_one()
    finding, unit, mask = tables.finding.c, tables.unit.c, tables.annotation.c
    by_outcome = sa.select(finding.outcome, sa.func.count()).group_by(finding.outcome)
    counts |= {f"finding:{name}": n for name, n in connection.execute(by_outcome)}
    by_state = sa.select(unit.stage, unit.state, sa.func.count()).group_by(unit.stage, unit.state)
    for stage, state, n in connection.execute(by_state):
        counts[f"unit:{stage}:{state}"] = n
    several = (
        sa.select(mask.series_id)
        .where(mask.author != GIVEN)
        .group_by(mask.series_id)
        .having(sa.func.count(mask.author.distinct()) > 1)
    )
    query = sa.select(sa.func.count()).select_from(several.subquery())
    counts[SEVERAL_READERS] = connection.execute(query).scalar_one()
    return {name: n for name, n in counts.items() if n}


def kept_counts(connection: sa.Connection) -> dict[str, int]:
    """Return what ``tally`` says, but for zeros."""
    query = sa.select(tables.tally.c.name, tables.tally.c.n)
    return {name: n for name, n in connection.execute(query) if n}


def keep_counts(connection: sa.Connection, counts: dict[str, int]) -> None:
    """Replace what ``tally`` says."""
    connection.execute(sa.delete(tables.tally))
    if counts:
        rows = [{"name": name, "n": n} for name, n in sorted(counts.items())]
        connection.execute(sa.insert(tables.tally), rows)


def _working_triggers(connection: sa.Connection) -> set[str]:
    query = (
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = current_schema()::regnamespace"
        " AND NOT t.tgisinternal AND t.tgenabled = 'O'"
    )
    return set(connection.exec_driver_sql(query).scalars())


def _refuses(connection: sa.Connection) -> bool:
    """Tell whether the function behind the triggers is still ours."""
    query = (
        "SELECT prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        " AND proname = 'lesionary_refuse'"
    )
    body = connection.exec_driver_sql(query).scalar()
    return bool(body) and any(str(body) in one for one in guard_statements("postgresql"))
