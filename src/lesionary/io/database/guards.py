"""Triggers that refuse to change or delete the rows of a table, whoever asks."""

import sqlalchemy as sa


def refusing_function(name: str) -> str:
    """Return the statement that makes the function which a server's triggers call."""
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN"
        " RAISE EXCEPTION USING MESSAGE ="
        " 'rows of ' || TG_TABLE_NAME || ' are never changed'; END $$"
        " LANGUAGE plpgsql"
    )


def guards_of(table: sa.Table, dialect: str, function: str) -> dict[str, str]:
    """Return the statements that make a table's triggers, by the triggers' names.

    Parameters
    ----------
    table : Table
    dialect : {"sqlite", "postgresql"}
    function : str
        The one that a server's triggers call.
    """
    if dialect == "postgresql":
        return _on_server(table.name, function)
    return _in_file(table)


def drop_guards(connection: sa.Connection, table: sa.Table, *, must_exist: bool) -> None:
    """Take a table's triggers away, within a transaction that puts them back.

    ``must_exist`` fails where one is gone already.
    """
    dialect = connection.dialect.name
    on = f" ON {table.name}" if dialect == "postgresql" else ""
    condition = "" if must_exist else "IF EXISTS "
    for name in guards_of(table, dialect, ""):
        connection.exec_driver_sql(f"DROP TRIGGER {condition}{name}{on}")


def _on_server(name: str, function: str) -> dict[str, str]:
    """Return the triggers as the server itself words them, so that definitions can be compared."""
    refuse = f"EXECUTE FUNCTION {function}()"
    rows, truncation = f"{name}_no_update", f"{name}_no_delete"
    return {
        rows: f"CREATE TRIGGER {rows} BEFORE DELETE OR UPDATE ON {name} FOR EACH ROW {refuse}",
        truncation: f"CREATE TRIGGER {truncation} BEFORE TRUNCATE ON {name}"
        f" FOR EACH STATEMENT {refuse}",
    }


def _in_file(table: sa.Table) -> dict[str, str]:
    name = table.name
    refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are never changed'); END"
    # REPLACE deletes the rows in its way, and calls no trigger for that.
    keys = [[column.name for column in table.primary_key]]
    keys += [[column.name] for column in table.columns if column.unique]
    same = " OR ".join(" AND ".join(f"{key} = NEW.{key}" for key in one) for one in keys)
    is_taken = f"EXISTS (SELECT 1 FROM {name} WHERE {same})"  # noqa: S608 - our own names
    when = {
        f"{name}_no_update": f"BEFORE UPDATE ON {name}",
        f"{name}_no_delete": f"BEFORE DELETE ON {name}",
        f"{name}_no_replace": f"BEFORE INSERT ON {name} WHEN {is_taken}",
    }
    return {one: f"CREATE TRIGGER {one} {how} {refuse}" for one, how in when.items()}
