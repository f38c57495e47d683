import pytest
import sqlalchemy as sa

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.database.engine import Wording, is_sqlite, postgres_engine, sqlite_engine
from lesionary.io.database.waiting import WAIT_VARIABLE, wait_s


def wording(*, hides_values):
    return Wording(
        lambda error: WorkflowError(type(error).__name__, code="said"),
        lambda: InputError("no address", code="said_of_url"),
        hides_values=hides_values,
    )


PLAIN, HIDING = wording(hides_values=False), wording(hides_values=True)


def pragma(engine, name):
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_file_loses_nothing_and_its_writers_queue(tmp_path, monkeypatch):
    monkeypatch.setenv(WAIT_VARIABLE, "7")
    engine = sqlite_engine(tmp_path / "a.db", PLAIN, pragmas=("secure_delete = ON",))
    found = {
        name: pragma(engine, name)
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    }
    engine.dispose()
    assert found == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1,
        "busy_timeout": 7000,
    }  # fmt: skip


def test_readers_of_a_file_wait_for_nobody_and_a_second_writer_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv(WAIT_VARIABLE, "0")
    engine = sqlite_engine(tmp_path / "a.db", PLAIN)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        assert is_sqlite(connection)
    with engine.begin():
        with engine.connect().execution_options(read_only=True) as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        with pytest.raises(WorkflowError) as said, engine.begin():
            pass
    engine.dispose()
    assert said.value.code == "said"


def test_a_frozen_file_is_only_read(tmp_path):
    path = tmp_path / "a.db"
    engine = sqlite_engine(path, PLAIN)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    engine.dispose()
    frozen = sqlite_engine(path, PLAIN, frozen_uri=f"{path.as_uri()}?immutable=1")
    with frozen.connect().execution_options(read_only=True) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
    frozen.dispose()
    assert [file.name for file in tmp_path.iterdir()] == ["a.db"]


def test_a_file_that_is_no_database_is_told_in_our_words(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"no database at all" * 100)
    engine = sqlite_engine(path, PLAIN)
    with pytest.raises(WorkflowError) as said, engine.begin():
        pass
    engine.dispose()
    assert (said.value.code, said.value.message) == ("said", "DatabaseError")


def test_values_are_hidden_in_errors_that_are_bugs(tmp_path):
    engine = sqlite_engine(tmp_path / "a.db", HIDING)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER PRIMARY KEY, y)")
        insert = sa.text("INSERT INTO t VALUES (1, :who)")
        connection.execute(insert, {"who": "Planted^Name"})
        with pytest.raises(sa.exc.IntegrityError) as error:
            connection.execute(insert, {"who": "Planted^Name"})
    engine.dispose()
    assert "Planted" not in str(error.value)


def test_an_address_that_cannot_be_read_is_not_repeated():
    with pytest.raises(InputError) as said:
        postgres_engine("postgresql+psycopg://user:secret@host:port/name", "s", PLAIN)
    assert said.value.code == "said_of_url"
    assert said.value.__cause__ is None


def test_a_server_gives_each_study_its_schema_and_times_in_utc(postgres_url, monkeypatch):
    monkeypatch.setenv(WAIT_VARIABLE, "7")
    engine = postgres_engine(postgres_url, "of_its_own", PLAIN)
    with engine.begin() as connection:
        assert not is_sqlite(connection)
        shown = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("search_path", "lock_timeout", "timezone")
        ]
    engine.dispose()
    assert shown == ["of_its_own", "7s", "UTC"]


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "86401"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(monkeypatch, text):
    monkeypatch.setenv(WAIT_VARIABLE, text)
    with pytest.raises(InputError) as refused:
        wait_s()
    assert refused.value.code == "usage"
