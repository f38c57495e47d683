"""Fixtures that every part shares."""

import importlib.util
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import settings

from servers import postgres
from servers import slurm as slurm_server
from servers import small_disk as small
from servers.requirements import require

# Kernels compile at their first call, so no example has a deadline. CI draws the same examples
# every time: what it finds can be found again.
settings.register_profile("everywhere", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "everywhere")

# A shell's background job ignores interrupts, and so would every process that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_numbers = itertools.count(1)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public scans, or skip where this machine has none."""
    folder = Path(os.environ.get("LESIONARY_DATA", SHARED))
    if not (folder / "sts_dicom").is_dir():
        pytest.skip(f"no public scans here: set LESIONARY_DATA to a copy of {SHARED.name}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _nothing_in_the_home_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep keys and logs of tests out of the user's own folders, in child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONARY_VAULT", str(tmp_path_factory.mktemp("vault")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """Return a running PostgreSQL server, or skip where this machine has none."""
    require("postgres", postgres.find_binaries() is not None, postgres.PACKAGE)
    has_driver = importlib.util.find_spec("psycopg") is not None
    require("postgres", has_driver, "no PostgreSQL driver here: pip install 'psycopg[binary]'")
    with postgres.PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """Return the address of a fresh, empty database of a running server."""
    postgres_server.start()  # nothing to do, unless a test before left it stopped or killed
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.start()
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def slurm() -> Iterator[slurm_server.SlurmCluster]:
    """Return a running SLURM of two processors, or skip where this machine has none."""
    missing = slurm_server.what_is_missing()
    require("slurm", not missing, missing)
    with slurm_server.SlurmCluster() as cluster:
        yield cluster


@pytest.fixture
def _disks() -> Iterator[small.Disks]:
    require("tmpfs", small.can_mount(), small.NO_RIGHT)
    with small.disks() as room:
        yield room


@pytest.fixture
def small_disk(_disks: small.Disks) -> Callable[[int], small.SmallDisk]:
    """Return what mounts an empty disk of so many MiB; skip where nothing may be mounted."""
    return _disks.small_disk


@pytest.fixture
def read_only(_disks: small.Disks) -> Callable[[Path], AbstractContextManager[Path]]:
    """Return what makes a folder read-only in a ``with`` block; skip where it cannot be mounted."""
    return _disks.read_only
