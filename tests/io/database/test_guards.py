import pytest
import sqlalchemy as sa

from lesionary.io.database.guards import drop_guards, guards_of, refusing_function

FUNCTION = "refuse_it"

metadata = sa.MetaData()
kept = sa.Table(
    "kept",
    metadata,
    sa.Column("a", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("b", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String, unique=True),
    sa.Column("word", sa.String),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    is_server = request.param == "postgresql"
    url = request.getfixturevalue("postgres_url") if is_server else f"sqlite:///{tmp_path / 'a.db'}"
    made = sa.create_engine(url)
    with made.begin() as connection:
        metadata.create_all(connection)
        if is_server:
            connection.exec_driver_sql(refusing_function(FUNCTION))
        for statement in guards_of(kept, request.param, FUNCTION).values():
            connection.exec_driver_sql(statement)
        connection.execute(sa.insert(kept), [row(1, 1, "one"), row(1, 2, "two")])
    yield made
    made.dispose()


def row(a, b, name):
    return {"a": a, "b": b, "name": name, "word": "w"}


def rows(engine):
    with engine.connect() as connection:
        return connection.execute(sa.select(kept).order_by(kept.c.a, kept.c.b)).all()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kept SET word = 'x' WHERE b = 2",
        "DELETE FROM kept WHERE b = 1",
        "DELETE FROM kept",
        "INSERT OR REPLACE INTO kept VALUES (1, 1, 'three', 'w')",
        "INSERT OR REPLACE INTO kept VALUES (9, 9, 'two', 'w')",
        "TRUNCATE kept",
    ],
)
def test_rows_are_never_changed(engine, statement):
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite == statement.startswith("TRUNCATE") or ("REPLACE" in statement) > is_sqlite:
        pytest.skip("the other database's statement")
    before = rows(engine)
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert rows(engine) == before


def test_rows_are_added_where_no_key_is_taken(engine):
    with engine.begin() as connection:
        connection.execute(sa.insert(kept), row(2, 1, "three"))
    assert len(rows(engine)) == 3


def test_guards_that_are_taken_away_refuse_nothing(engine):
    with engine.begin() as connection:
        drop_guards(connection, kept, must_exist=True)
        connection.execute(sa.delete(kept))
    assert rows(engine) == []


def test_guards_that_are_gone_may_be_missed_or_not(engine):
    with engine.begin() as connection:
        drop_guards(connection, kept, must_exist=True)
        drop_guards(connection, kept, must_exist=False)
    with pytest.raises(sa.exc.DBAPIError), engine.begin() as connection:
        drop_guards(connection, kept, must_exist=True)
