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
from lesionary.io.registry.migrations import schema_2
from lesionary.io.registry.place import URL_VARIABLE, RegistryPlace
from lesionary.io.registry.registry import Registry
from lesionary.io.registry.revision import stamp
from old_registries import TABLES

GOLDEN = Path(__file__).resolve().parents[2] / "golden"

MakeOld = Callable[..., None]


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
def _golden_files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    paths = {schema: tmp_path_factory.mktemp("golden") / "registry.db" for schema in TABLES}
    for schema, path in paths.items():
        with closing(sqlite3.connect(path)) as connection:
            text = GOLDEN.joinpath(f"registry-schema{schema}.sql").read_text(encoding="utf-8")
            connection.executescript(text)
    return paths


@pytest.fixture
def make_old(_golden_files: dict[int, Path]) -> MakeOld:
    """Return what puts the golden registry of a schema in a place."""

    def make(place: RegistryPlace, schema: int = 1) -> None:
        if place.url is None:
            shutil.copyfile(_golden_files[schema], place.path)
        else:
            _copy_to_server(_golden_files[schema], place, schema)

    return make


@pytest.fixture
def old(place: RegistryPlace, make_old: MakeOld) -> RegistryPlace:
    """Return the place of a registry of schema 1 with rows of every kind."""
    make_old(place)
    return place


@pytest.fixture
def old_2(place: RegistryPlace, make_old: MakeOld) -> RegistryPlace:
    """Return the place of a registry of schema 2 with rows of every kind."""
    make_old(place, 2)
    return place


@pytest.fixture(params=[1, 2])
def outdated(
    request: pytest.FixtureRequest, place: RegistryPlace, make_old: MakeOld
) -> RegistryPlace:
    """Return the place of a registry of any schema before this one."""
    make_old(place, request.param)
    return place


def _copy_to_server(file: Path, place: RegistryPlace, schema: int) -> None:
    source, target = sa.create_engine(f"sqlite:///{file}"), engine_of(place)
    with source.connect() as reading, target.begin() as writing:
        writing.execute(sa.schema.CreateSchema(place.schema))
        TABLES[schema].create_all(writing)
        for table in TABLES[schema].sorted_tables:
            if rows := [dict(row) for row in reading.execute(sa.select(table)).mappings()]:
                writing.execute(sa.insert(table), rows)
        if schema > 1:
            schema_2.add_guards(writing)
            stamp(writing, schema)
    source.dispose()
    target.dispose()
