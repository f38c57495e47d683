"""A study's schema on a PostgreSQL server: what the server's catalogue says of it, and should say.

Both are told as mappings from what there is to how it is defined, in the server's own words. What
should be there comes from ``tables.py``, so nothing is made on the server to compare with, and who
may only read can verify.
"""

from collections.abc import Iterator
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lesionary.io.registry import tables
from lesionary.io.registry.guards import REFUSE
from lesionary.io.registry.revision import VERSION_TABLE

Definitions = dict[str, str]
Triggers = dict[tuple[str, str], str]

_PLAIN = "permanent"
_HERE = "relnamespace = current_schema()::regnamespace"
_TABLES = (
    "SELECT 'the table ' || c.relname, concat_ws(' ',"  # noqa: S608 - our own words
    " CASE WHEN c.relkind = 'r' THEN NULL ELSE 'kind ' || c.relkind::text END,"
    " CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'else' END,"
    " CASE WHEN c.relrowsecurity THEN 'with policies' END,"
    " CASE WHEN EXISTS (SELECT FROM pg_inherits h WHERE c.oid IN (h.inhparent, h.inhrelid))"
    " THEN 'with relatives' END,"
    " CASE WHEN EXISTS (SELECT FROM pg_trigger t"
    " WHERE t.tgrelid = c.oid AND t.tgisinternal AND t.tgenabled <> 'O')"
    " THEN 'without its references' END)"
    f" FROM pg_class c WHERE c.{_HERE} AND c.relkind NOT IN ('i', 'I', 't', 'c')"
)
_COLUMNS = (
    "SELECT 'the column ' || c.relname || '.' || a.attname, concat_ws(' ',"  # noqa: S608
    " format_type(a.atttypid, a.atttypmod),"
    " CASE WHEN a.attnotnull THEN 'NOT NULL' END,"
    " 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),"
    " CASE WHEN a.attidentity <> '' THEN 'identity' END,"
    " CASE WHEN a.attgenerated <> '' THEN 'generated' END,"
    " CASE WHEN a.attcollation <> t.typcollation THEN 'with a collation' END)"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " JOIN pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    f" WHERE c.{_HERE} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND a.attnum > 0 AND NOT a.attisdropped"
)
_CONSTRAINTS = (  # not their names, which say nothing of what they refuse
    "SELECT 'the constraint ' || pg_get_constraintdef(o.oid) || ' of ' || c.relname, ''"  # noqa: S608
    " FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid"
    f" WHERE c.{_HERE} AND o.contype IN ('p', 'u', 'f', 'c', 'x')"
)
_INDEXES = (  # those that no constraint keeps
    "SELECT 'the index ' || c.relname,"  # noqa: S608
    " replace(pg_get_indexdef(c.oid), quote_ident(current_schema()) || '.', '')"
    " || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END"
    " FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
    f" WHERE c.{_HERE} AND NOT EXISTS (SELECT FROM pg_constraint o"
    " WHERE o.conindid = c.oid AND o.contype IN ('p', 'u', 'x'))"
)
_RULES = (
    "SELECT 'the rule ' || r.rulename || ' of ' || c.relname, pg_get_ruledef(r.oid)"  # noqa: S608
    " FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
    f" WHERE c.{_HERE} AND c.relkind IN ('r', 'p')"
)
_FUNCTIONS = (  # the guards' own is looked at with them
    "SELECT 'the function ' || proname, ''"  # noqa: S608
    " FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    f" AND NOT (proname = '{REFUSE}' AND pronargs = 0)"
)
_QUERIES = (_TABLES, _COLUMNS, _CONSTRAINTS, _INDEXES, _RULES, _FUNCTIONS)

_NAMES_OF_TYPES = {"VARCHAR": "character varying", "FLOAT": "double precision"}


def found(connection: sa.Connection) -> Definitions:
    """Return what the server has in the study's schema, without triggers."""
    definitions: Definitions = {}
    for query in _QUERIES:
        definitions |= _rows(connection, query)
    return definitions


def wanted() -> Definitions:
    """Return what it has of a study that was made anew."""
    return {
        what: how
        for table in (*tables.metadata.sorted_tables, VERSION_TABLE)
        for what, how in _of_table(table)
    }


def lost_columns(connection: sa.Connection) -> list[str]:
    """Return the columns that are gone or of another type: their tables cannot be read."""
    there = _rows(connection, _COLUMNS)
    lost = []
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            what = f"the column {table.name}.{column.name}"
            if not there.get(what, "").startswith(_type_of(column)):
                lost.append(what)
    return lost


def triggers(connection: sa.Connection) -> Triggers:
    """Return triggers by table and name; one that is switched off is defined as nothing."""
    query = (
        "SELECT c.relname, t.tgname,"  # noqa: S608
        " CASE t.tgenabled WHEN 'O' THEN pg_get_triggerdef(t.oid, true) ELSE '' END"
        " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        f" WHERE c.{_HERE} AND NOT t.tgisinternal"
    )
    return {(table, name): how for table, name, how in connection.exec_driver_sql(query)}


def refusing_body(connection: sa.Connection) -> str | None:
    """Return the source of the function behind the triggers."""
    query = (
        "SELECT p.prosrc FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"  # noqa: S608
        " WHERE p.pronamespace = current_schema()::regnamespace AND l.lanname = 'plpgsql'"
        f" AND p.proname = '{REFUSE}' AND p.pronargs = 0"
    )
    body: str | None = connection.exec_driver_sql(query).scalar()
    return body


def _rows(connection: sa.Connection, query: str) -> Definitions:
    return {row[0]: row[1] for row in connection.exec_driver_sql(query)}


def _of_table(table: sa.Table) -> Iterator[tuple[str, str]]:
    yield f"the table {table.name}", _PLAIN
    for column in table.columns:
        is_needed = "" if column.nullable else " NOT NULL"
        yield f"the column {table.name}.{column.name}", _type_of(column) + is_needed
    for constraint in table.constraints:
        yield f"the constraint {_constraint(constraint)} of {table.name}", ""
    for index in table.indexes:
        columns = ", ".join(column.name for column in index.columns)
        unique = "UNIQUE " if index.unique else ""
        made = f"CREATE {unique}INDEX {index.name} ON {table.name} USING btree ({columns})"
        yield f"the index {index.name}", made


def _type_of(column: sa.Column[object]) -> str:
    word = column.type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]
    name, bracket, size = word.partition("(")
    return _NAMES_OF_TYPES.get(name, name.lower()) + bracket + size


def _constraint(constraint: sa.Constraint) -> str:
    if isinstance(constraint, sa.ForeignKeyConstraint):
        own = ", ".join(constraint.column_keys)
        their = ", ".join(element.column.name for element in constraint.elements)
        return f"FOREIGN KEY ({own}) REFERENCES {constraint.referred_table.name}({their})"
    kind = "PRIMARY KEY" if isinstance(constraint, sa.PrimaryKeyConstraint) else "UNIQUE"
    columns = cast("sa.PrimaryKeyConstraint | sa.UniqueConstraint", constraint).columns
    return f"{kind} ({', '.join(column.name for column in columns)})"
