"""A study on a real SLURM: the release that one process gives, also when jobs are cancelled."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from servers.postgres import PostgresServer
from servers.processes import wait_until
from servers.slurm import SlurmCluster
from small_scans import write_scans

pytestmark = pytest.mark.slow

LESIONARY = (sys.executable, "-m", "lesionary")
N_SCANS = 12
N_UNITS = 5 * N_SCANS + 1
"""Each series prepared, annotated and measured, its subject followed and judged; one release."""
END_S = 240
# How long Dask waits for a lost worker to come back before another job is asked for: 15 s else.
IMPATIENT = {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s"}


@dataclass
class Place:
    """A study, with what tells its commands where its registry and SLURM are."""

    study: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, command: str, *options: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*LESIONARY, command, self.study, *options, "--json"],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, command: str, *options: str | Path) -> dict:
        with self.start(command, *options) as process:
            out, _ = process.communicate(timeout=END_S)
        document = json.loads(out)
        assert process.returncode == 0, document
        return document

    def n_done(self) -> int:
        return sum(stage["done"] for stage in self.run("status")["stages"])

    def release(self) -> dict[str, bytes]:
        root = self.study / "release"
        files = (path for path in sorted(root.rglob("*")) if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(params=["sqlite", "postgres"])
def copies(request, slurm: SlurmCluster, tmp_path: Path):
    """Return two copies of one study, scans in and nothing done: for one process, and for SLURM."""
    server: PostgresServer | None = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
    names = ("alone", "slurm")
    alone = Place(tmp_path / "alone")
    if server:
        alone.environment["LESIONARY_REGISTRY_URL"] = server.create_database("alone")
    alone.run("new")
    alone.run("ingest", write_scans(tmp_path / "scans", N_SCANS))
    shutil.copytree(alone.study, tmp_path / "slurm")
    queued = Place(tmp_path / "slurm", slurm.environment | IMPATIENT)
    if server:
        url = server.create_database("slurm", template="alone")
        queued.environment["LESIONARY_REGISTRY_URL"] = url
    yield alone, queued
    slurm.cancel_all()
    for name in names if server else ():
        server.drop_database(name)


def listening(pids: list[int]) -> set[str]:
    """Return the addresses on which processes take connections; one that has ended has none."""
    found = set()
    for pid in pids:
        try:
            sockets = psutil.Process(pid).net_connections("inet")
        except psutil.Error:
            continue
        found |= {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}
    return found


def test_a_run_on_slurm_gives_the_release_of_a_run_in_one_process(slurm, copies):
    alone, queued = copies
    alone.run("run")
    run = queued.start("run", "--cluster", "slurm", "--workers", "2")
    is_working = wait_until(lambda: queued.n_done() > 0 or run.poll() is not None, END_S)
    addresses = listening([run.pid, *slurm.pids])
    jobs = slurm.jobs("running")
    out, _ = run.communicate(timeout=END_S)
    document = json.loads(out)
    assert (run.returncode, document["failed"], len(document["done"])) == (0, [], N_UNITS)
    assert is_working
    assert len(jobs) == 2
    assert queued.release() == alone.release()
    assert queued.run("verify")["failed"] == []
    assert addresses
    assert all(ip_address(address).is_loopback for address in addresses)
    assert wait_until(lambda: not slurm.jobs("pending,running"), timeout_s=30)


def test_cancelled_jobs_cost_time_and_nothing_else(slurm, copies):
    alone, queued = copies
    alone.run("run")
    before = set(slurm.jobs())
    run = queued.start("run", "--cluster", "slurm", "--workers", "2")
    assert wait_until(lambda: queued.n_done() > 0 or run.poll() is not None, END_S)
    cancelled = slurm.jobs("running")
    assert cancelled
    slurm.command("scancel", *map(str, cancelled))
    n_done = queued.n_done()
    out, _ = run.communicate(timeout=END_S)
    document = json.loads(out)
    assert n_done < N_UNITS, "the run was over before its jobs were cancelled"
    assert (run.returncode, document["failed"], len(document["done"])) == (0, [], N_UNITS)
    assert set(slurm.jobs()) - before > set(cancelled), "no job took the place of the cancelled"
    assert queued.release() == alone.release()
    assert queued.run("verify")["failed"] == []
