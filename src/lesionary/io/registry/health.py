"""Whether the database itself is sound: its pages, its references, its guards, its counts."""

import re
from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.core.annotation import GIVEN
from lesionary.io.database.engine import is_sqlite
from lesionary.io.registry import catalog, tables
from lesionary.io.registry.catalog import Triggers
from lesionary.io.registry.facts import AUDITED
from lesionary.io.registry.guards import add_guards, drop_guards, guard_statements
from lesionary.io.registry.making import make_tables
from lesionary.io.registry.status import SEVERAL_READERS

_TRIGGER = re.compile(r"CREATE TRIGGER (?P<name>\w+) .*? ON (?P<table>\w+) ")


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
    """Return the triggers that should refuse to change what is permanent, and do not.

    They are gone, switched off, or are others, or the function that they call is another.
    """
    wanted, there = _wanted_triggers(connection), _triggers(connection)
    if not is_sqlite(connection) and not _refuses(connection):
        there = {}
    return sorted(place[1] for place in wanted if there.get(place) != wanted[place])


def changed_definitions(connection: sa.Connection) -> list[str]:
    """Return what is not defined as this Lesionary defines it, in words.

    These are tables and indexes, on a server also their columns, constraints, rules and functions;
    and triggers that are not ours. A file is held against a registry made anew, a server's schema
    against what its catalogue should say.
    """
    if is_sqlite(connection):
        wanted, there = _fresh_definitions(), _definitions(connection)
    else:
        wanted, there = catalog.wanted(), catalog.found(connection)
    names = wanted.keys() | there.keys()
    changed = [name for name in names if wanted.get(name) != there.get(name)]
    strangers = _triggers(connection).keys() - _wanted_triggers(connection).keys()
    return sorted([*changed, *(f"the trigger {name} of {table}" for table, name in strangers)])


def is_legible(connection: sa.Connection) -> bool:
    """Tell whether all columns are there to be read; SQLite's answer comes with each query."""
    return is_sqlite(connection) or not catalog.lost_columns(connection)


def _wanted_triggers(connection: sa.Connection) -> Triggers:
    found = map(_TRIGGER.match, guard_statements(connection.dialect.name))
    return {(one["table"], one["name"]): one.string for one in found if one}


def _triggers(connection: sa.Connection) -> Triggers:
    if not is_sqlite(connection):
        return catalog.triggers(connection)
    query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"
    return {(row.tbl_name, row.name): row.sql for row in connection.exec_driver_sql(query)}


def _fresh_definitions() -> dict[str, str]:
    fresh = sa.create_engine("sqlite://")
    with fresh.begin() as other:
        make_tables(other)
        definitions = _definitions(other)
    fresh.dispose()
    return definitions


def _definitions(connection: sa.Connection) -> dict[str, str]:
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type != 'trigger'"
    rows = connection.exec_driver_sql(query)
    return {f"the {row.type} {row.name}": row.sql for row in rows}


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


def _refuses(connection: sa.Connection) -> bool:
    """Tell whether the function behind a server's triggers is still ours."""
    body = catalog.refusing_body(connection)
    return any(body == one.split("$$")[1] for one in guard_statements("postgresql") if "$$" in one)
