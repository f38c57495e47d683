import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from lesionary.core.errors import WorkflowError
from lesionary.io import registry_schema as tables
from lesionary.io.registry import Registry, UnitRecord


@pytest.fixture
def registry(tmp_path):
    opened = Registry.create(tmp_path / "registry.db")
    yield opened
    opened.close()


def a_subject(number: int) -> dict:
    return {"id": f"sub-{number:04d}", "number": number, "identity_hash": f"{number:064x}"}


def test_an_ingest_that_fails_leaves_nothing(registry):
    def ingest_half():
        with registry.ingest() as ingest:
            ingest.insert(tables.subject, [a_subject(1)])
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        ingest_half()
    assert registry.rows(tables.subject) == []
    with registry.ingest() as ingest:
        assert ingest.number == 1


def test_ingests_are_numbered_one_after_the_other(registry):
    numbers = []
    for _ in range(3):
        with registry.ingest() as ingest:
            numbers.append(ingest.number)
    assert numbers == [1, 2, 3]


def test_a_row_that_points_nowhere_is_refused(registry):
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), registry.ingest() as ingest:
        ingest.insert(tables.instance, [{"series_id": "ser-0001", "k": 0, "sop_uid": "2.25.1"}])


def test_writers_at_the_same_time_queue_and_lose_nothing(tmp_path):
    path = tmp_path / "registry.db"
    Registry.create(path).close()

    def write(worker: int) -> None:
        registry = Registry.open(path)
        for number in range(10):
            registry.record_unit(UnitRecord("s", f"{worker}-{number}", "k", "done", {"n": number}))
        registry.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    registry = Registry.open(path)
    assert len(registry.units("s")) == 40
    registry.close()


def test_a_registry_of_a_newer_lesionary_is_refused(tmp_path, registry):
    registry.close()
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(WorkflowError, match="999"):
        Registry.open(tmp_path / "registry.db")


def test_a_missing_registry_is_named(tmp_path):
    with pytest.raises(WorkflowError):
        Registry.open(tmp_path / "none.db")
