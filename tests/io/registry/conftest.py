"""The registry's tests run on both databases, and are the very same."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lesionary.io.registry.engine import engine_of
from lesionary.io.registry.migrations import schema_1
from lesionary.io.registry.place import URL_VARIABLE, RegistryPlace
from lesionary.io.registry.registry import Registry

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "registry-schema1.sql"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RegistryPlace:
    """Return the place of a registry that is not there yet."""
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    is_server = request.param == "postgresql"
    url = request.getfixturevalue("postgres_url") if is_server else None
    return RegistryPlace(tmp_path / "registry.db", url, str(uuid4()))


@pytest.fixture
def registry(place: RegistryPlace) -> Iterator[Registry]:
    """Return a new registry."""
    made = Registry.create(place)
    yield made
    made.close()


@pytest.fixture(scope="session")
def _golden_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden") / "registry.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(GOLDEN.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def make_old(_golden_file: Path) -> Callable[[RegistryPlace], None]:
    """Return what puts the golden registry of schema 1 in a place."""

    def make(place: RegistryPlace) -> None:
        if place.url is None:
            shutil.copyfile(_golden_file, place.path)
        else:
            _copy_to_server(_golden_file, place)

    return make


@pytest.fixture
def old(place: RegistryPlace, make_old: Callable[[RegistryPlace], None]) -> RegistryPlace:
    """Return the place of a registry of schema 1 with rows of every kind."""
    make_old(place)
    return place


def _copy_to_server(file: Path, place: RegistryPlace) -> None:
    source, target = sa.create_engine(f"sqlite:///{file}"), engine_of(place)
    with source.connect() as reading, target.begin() as writing:
        writing.execute(sa.schema.CreateSchema(place.schema))
        schema_1.metadata.create_all(writing)
        for table in schema_1.metadata.sorted_tables:
            rows = [dict(row) for row in reading.execute(sa.select(table)).mappings()]
            writing.execute(sa.insert(table), rows)
    source.dispose()
    target.dispose()
