"""A run killed at any moment, and run again, gives what an undisturbed run gives, byte for byte."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lesionary.app.ingest import ingest_paths
from lesionary.app.study import Study
from lesionary.app.verify import verify_target
from small_scans import write_scans


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    previous = os.environ.get("LESIONARY_VAULT")
    os.environ["LESIONARY_VAULT"] = str(folder / "vault")
    made = Study.create(folder / "study")
    ingest_paths(made, [write_scans(folder / "scans")])
    made.registry.close()
    yield folder / "study"
    if previous is None:
        del os.environ["LESIONARY_VAULT"]
    else:
        os.environ["LESIONARY_VAULT"] = previous


def start(study: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "lesionary", "run", str(study), "--json"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def content(release: Path) -> dict[str, bytes]:
    return {
        path.relative_to(release).as_posix(): path.read_bytes()
        for path in sorted(release.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def calm(study, tmp_path_factory):
    """Run a copy undisturbed; return its release and how long it took."""
    copy = tmp_path_factory.mktemp("calm") / "study"
    shutil.copytree(study, copy)
    began = time.monotonic()
    assert start(copy).wait(timeout=120) == 0
    seconds = time.monotonic() - began
    release = content(copy / "release")
    assert len(release) > 10
    return release, seconds


def test_killed_runs_end_in_the_same_release(study, calm, tmp_path):
    expected, full_s = calm
    disturbed = tmp_path / "disturbed"
    shutil.copytree(study, disturbed)
    rng = np.random.default_rng(20)
    for delay_s in rng.uniform(0.3, 1.0, 4) * full_s:
        run = start(disturbed)
        time.sleep(delay_s)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=60)
    assert start(disturbed).wait(timeout=120) == 0
    assert content(disturbed / "release") == expected
    assert verify_target(disturbed).failed == []
    assert not list(disturbed.glob(".partial-*"))


STOP_AFTER = """
import os, sys
from lesionary.io import durable, registry
left = int(sys.argv[1])
def counted(function):
    def wrapper(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os._exit(137)
        return function(*arguments, **options)
    return wrapper
durable.flush_to_disk = counted(durable.flush_to_disk)
registry.Registry.record_unit = counted(registry.Registry.record_unit)
import lesionary.io.release_files, lesionary.io.checked_images
lesionary.io.release_files.flush_to_disk = durable.flush_to_disk
from lesionary.cli.main import run_command
sys.exit(run_command(["run", sys.argv[2], "--json"]))
"""


@pytest.mark.parametrize("n_writes", [1, 9, 22, 36])
def test_a_crash_at_the_nth_write_changes_nothing_in_the_end(study, calm, tmp_path, n_writes):
    crashed = tmp_path / "crashed"
    shutil.copytree(study, crashed)
    command = [sys.executable, "-c", STOP_AFTER, str(n_writes), str(crashed)]
    stopped = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert stopped.returncode == 137
    assert start(crashed).wait(timeout=120) == 0
    assert content(crashed / "release") == calm[0]


def test_a_second_run_does_nothing(study, tmp_path):
    copy = tmp_path / "study"
    shutil.copytree(study, copy)
    assert start(copy).wait(timeout=120) == 0
    before = {path: path.stat().st_mtime_ns for path in (copy / "release").rglob("*")}
    assert start(copy).wait(timeout=120) == 0
    after = {path: path.stat().st_mtime_ns for path in (copy / "release").rglob("*")}
    assert after == before
