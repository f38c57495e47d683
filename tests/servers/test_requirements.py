"""A server that is not there: left out with a sentence, or a failure where it was demanded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.outcomes import Failed, Skipped

from servers import postgres, slurm, small_disk
from servers.requirements import VARIABLE, require

HERE = Path(__file__).parent
ONE_OF_EACH = {
    "test_postgres": "test_writes_reach_the_disk",
    "test_slurm": "test_a_job_that_fails_is_an_error",
    "test_small_disk": "test_disks_of_one_test_are_apart",
}
WHY = "no PostgreSQL server here: install the Debian package postgresql"


@pytest.fixture(params=["", "slurm", "tmpfs, slurm"])
def not_demanded(request, monkeypatch):
    monkeypatch.setenv(VARIABLE, request.param)


@pytest.fixture(params=["postgres", "slurm,postgres", " postgres , tmpfs", "postgres slurm"])
def is_demanded(request, monkeypatch):
    monkeypatch.setenv(VARIABLE, request.param)


def test_a_missing_server_is_skipped_naming_the_package(not_demanded):
    with pytest.raises(Skipped, match="install the Debian package postgresql"):
        require("postgres", False, WHY)


def test_a_missing_server_that_was_demanded_fails_naming_the_package(is_demanded):
    with pytest.raises(Failed, match=r"names postgres, but: .*package postgresql"):
        require("postgres", False, WHY)


def test_a_server_that_is_there_is_used(is_demanded):
    require("postgres", True, WHY)


def test_without_the_variable_nothing_is_demanded(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(Skipped):
        require("tmpfs", False, "no right to mount here")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_misspelt_demand_fails_instead_of_demanding_nothing(monkeypatch, is_there):
    monkeypatch.setenv(VARIABLE, "postgress")
    with pytest.raises(Failed, match=r"names postgress; it may name dcmtk, orthanc, postgres, "):
        require("postgres", is_there, WHY)


def test_a_test_may_only_ask_for_what_can_be_demanded():
    with pytest.raises(ValueError, match="mysql is not one of"):
        require("mysql", True, "")


@pytest.fixture
def bare_machine(tmp_path):
    """Return what runs one test of each server as on a machine that has none of them."""
    (tmp_path / "bare.py").write_text(
        "from servers import postgres, slurm, small_disk\n"
        "postgres.find_binaries = lambda: None\n"
        "slurm.PROGRAMS = ('no_such_program',)\n"
        "small_disk.can_mount = lambda: False\n"
    )

    def run(demand: str) -> tuple[int, str]:
        tests = [f"{HERE}/{file}.py::{test}" for file, test in ONE_OF_EACH.items()]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "bare", "-p", "no:cacheprovider", *tests],
            cwd=HERE.parents[1],
            env=os.environ | {VARIABLE: demand, "PYTHONPATH": f"{tmp_path}:{HERE.parent}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_a_bare_machine_leaves_out_what_needs_servers_and_says_why(bare_machine):
    code, out = bare_machine("")
    assert (code, out.splitlines()[-1].split(" in ")[0]) == (0, "3 skipped")
    for sentence in (postgres.PACKAGE, slurm.PACKAGE, small_disk.NO_RIGHT):
        assert sentence in out


def test_a_bare_machine_fails_where_all_servers_are_demanded(bare_machine):
    code, out = bare_machine("postgres,slurm,tmpfs")
    assert (code, out.splitlines()[-1].split(" in ")[0]) == (1, "3 errors")
    for name in ("postgres", "slurm", "tmpfs"):
        assert f"{VARIABLE} names {name}, but: no " in out
