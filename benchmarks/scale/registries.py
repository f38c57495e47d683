"""The registry at a million rows: a SQLite file and a PostgreSQL server, filled and asked."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from benchmarks.scale.million import SLICES_A_SERIES, fill, fill_slices
from benchmarks.scale.queries import SHOWN, Answer, answers, forget_pages, status_command
from lesionary.app.study import Study
from lesionary.io.registry.status import read_status

if TYPE_CHECKING:
    from tests.servers.postgres import PostgresServer

MOST_SLICES = 1_000_000
"""Slices are filled for as many series as this makes; a row takes what a row takes."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One database, filled and asked.

    Parameters
    ----------
    name : str
    n_series, n_events : int
    fill_s : float
    n_bytes : int
        On the disk, indexes included, without slices.
    n_bytes_a_slice : float
    cold_status_s : float
        The query of ``lesionary status`` when neither database nor system hold a page.
    status_command_s : tuple of float
        The whole command: at first, and again.
    answers : dict of str to Answer
    """

    name: str
    n_series: int
    n_events: int
    fill_s: float
    n_bytes: int
    n_bytes_a_slice: float
    cold_status_s: float
    status_command_s: tuple[float, float]
    answers: dict[str, Answer]


@dataclass(frozen=True, slots=True)
class _Place:
    """A study whose registry is to be filled; ``forget`` makes it cold."""

    name: str
    study: Study
    forget: Callable[[], None]


def filled_registries(folder: Path, n_series: int) -> list[Filled]:
    """Fill a registry of each kind, both at once, then ask one after the other.

    PostgreSQL is left out where no server is installed.
    """
    with ExitStack() as stack:
        places = [_sqlite(folder / "sqlite")]
        if (server := stack.enter_context(_server())) is not None:
            places.append(_postgres(folder / "postgresql", server))
        with ThreadPoolExecutor() as pool:
            took = list(pool.map(lambda place: _filled(place, n_series), places))
        return [_asked(place, n_series, fill_s) for place, fill_s in zip(places, took, strict=True)]


def _filled(place: _Place, n_series: int) -> float:
    began = time.perf_counter()
    fill(place.study.registry, n_series)
    return time.perf_counter() - began


def _asked(place: _Place, n_series: int, fill_s: float) -> Filled:
    study = place.study
    n_bytes, n_events = _size_of(study), study.registry.head().seq
    study.registry.close()
    place.forget()
    began = time.perf_counter()
    read_status(study.files.registry_place, study.protocol_digest, limit=SHOWN)
    cold_status_s = time.perf_counter() - began
    commands = status_command(study.files.root), status_command(study.files.root)
    found = {answer.name: answer for answer in answers(study, n_series)}
    before = _size_of(study)
    n_slices = fill_slices(study.registry, min(n_series, MOST_SLICES // SLICES_A_SERIES))
    n_bytes_a_slice = (_size_of(study) - before) / n_slices
    study.registry.close()
    return Filled(
        place.name,
        n_series,
        n_events,
        fill_s,
        n_bytes,
        n_bytes_a_slice,
        cold_status_s,
        commands,
        found,
    )


def _size_of(study: Study) -> int:
    if study.files.registry_place.url is None:
        return study.files.registry_place.path.stat().st_size
    with study.registry.reading() as connection:
        query = sa.text("SELECT pg_database_size(current_database())")
        return int(connection.execute(query).scalar_one())


def _sqlite(folder: Path) -> _Place:
    study = Study.create(folder)
    return _Place("SQLite", study, lambda: forget_pages([study.files.registry_place.path]))


def _postgres(folder: Path, server: "PostgresServer") -> _Place:
    study = Study.create(folder, registry=server.create_database("scale"))
    with study.registry.engine.connect() as connection:
        # A server that is set up for a million series is not left at 1 GB of log.
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        autocommit.exec_driver_sql("ALTER SYSTEM SET max_wal_size = '16GB'")
        autocommit.exec_driver_sql("SELECT pg_reload_conf()")
        data = Path(str(autocommit.exec_driver_sql("SHOW data_directory").scalar_one()))

    def forget() -> None:
        server.stop()
        forget_pages(path for path in data.rglob("*") if path.is_file())
        server.start()

    return _Place("PostgreSQL", study, forget)


@contextmanager
def _server() -> "Iterator[PostgresServer | None]":
    from tests.servers.postgres import PostgresServer, find_binaries

    if find_binaries() is None:
        yield None
        return
    with PostgresServer() as server:
        yield server
