"""Hard times: a full disk, a wrong clock, a locked registry, files that vanish.

Each is a clear error, nothing is lost, ``verify`` says what is wrong, and when times are better the
same command goes on to the same release, byte for byte.
"""

import gc
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from lesionary.app.study import Study
from lesionary.cli.main import run_command
from lesionary.io.lock import exclusive
from lesionary.io.registry import tables
from small_scans import write_scans

DONE, PARTLY, UNUSABLE = 0, 1, 2


def slow(value: object) -> Any:
    """Mark one of several values of a test as slow."""
    return pytest.param(value, marks=pytest.mark.slow)


def lesionary(*words: object) -> tuple[int, dict[str, Any]]:
    """Run one command; return its exit code and its document."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_command([*map(str, words), "--json"])
    gc.collect()  # nothing keeps a file of the study open, so that its disk can be taken away
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return code, json.loads(out.getvalue())


def error_of(answer: tuple[int, dict[str, Any]]) -> str:
    """Return the code of an answer that is one clear error."""
    code, document = answer
    assert code == UNUSABLE, document
    assert document["error"]["message"]
    assert document["error"]["hint"]
    return document["error"]["code"]


def release_of(study: Path) -> dict[str, bytes]:
    folder = study / "release"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def faults(study: Path, *options: object) -> set[str]:
    code, document = lesionary("verify", study, *options)
    assert code == (PARTLY if document["failed"] else DONE)
    return {row["code"] for row in document["failed"]}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scans(tmp_path_factory.mktemp("input") / "scans", 3)


@pytest.fixture(scope="module")
def fresh(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study with scans that nothing is done on yet."""
    study = Study.create(tmp_path_factory.mktemp("fresh") / "study")
    study.ingest([scans])
    study.registry.close()
    return study.files.root


@pytest.fixture(scope="module")
def calm(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same study after an undisturbed run."""
    study = tmp_path_factory.mktemp("calm") / "study"
    shutil.copytree(fresh, study)
    assert lesionary("run", study)[0] == DONE
    return study


@pytest.fixture
def expected(calm: Path) -> dict[str, bytes]:
    return release_of(calm)


@pytest.fixture
def study(fresh: Path, tmp_path: Path) -> Path:
    shutil.copytree(fresh, tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def done(calm: Path, tmp_path: Path) -> Path:
    shutil.copytree(calm, tmp_path / "done")
    return tmp_path / "done"


def n_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("room", [slow(0), slow(16_384), slow(200_000), 500_000])
def test_a_disk_that_fills_up_during_a_run(small_disk, fresh, expected, room):
    disk = small_disk(32)
    study = disk.path / "study"
    shutil.copytree(fresh, study)
    disk.fill(leave_bytes=room)
    code, document = lesionary("run", study)
    assert code in (PARTLY, UNUSABLE)
    told = (
        {document["error"]["code"]}
        if code == UNUSABLE
        else {row["code"] for row in document["failed"]}
    )
    assert told == {"not_writable"}
    disk.relieve()
    assert faults(study) == set()
    code, document = lesionary("run", study)
    assert (code, document["failed"]) == (DONE, [])
    assert release_of(study) == expected
    assert faults(study) == set()


@pytest.mark.parametrize("room", [slow(0), slow(16_384), 60_000])
def test_a_disk_that_fills_up_during_an_ingest(small_disk, scans, expected, room):
    disk = small_disk(32)
    study = disk.path / "study"
    assert lesionary("new", study)[0] == DONE
    disk.fill(leave_bytes=room)
    code, document = lesionary("ingest", study, scans)
    if code == UNUSABLE:
        assert document["error"]["code"] == "not_writable"
        assert document["error"]["hint"]
    else:
        assert {row["code"] for row in document["left_out"]} == {"not_writable"}
    disk.relieve()
    assert faults(study) == set()
    assert lesionary("ingest", study, scans)[0] == DONE
    assert lesionary("run", study)[0] == DONE
    assert len(release_of(study)) == len(expected)
    assert faults(study) == set()


def test_a_disk_that_is_full_makes_no_study(small_disk):
    disk = small_disk(2)
    disk.fill(leave_bytes=8192)
    assert error_of(lesionary("new", disk.path / "study")) == "not_writable"
    assert [path.name for path in disk.path.iterdir()] == ["ballast"]
    disk.relieve()
    assert lesionary("new", disk.path / "study")[0] == DONE


@pytest.mark.parametrize("room", [0, 60_000])
def test_a_disk_that_fills_up_during_publish_leaves_the_old_release(
    small_disk, calm, expected, room
):
    disk = small_disk(32)
    study = disk.path / "study"
    shutil.copytree(calm, study)
    disk.fill(leave_bytes=room)
    assert error_of(lesionary("publish", study)) == "not_writable"
    disk.relieve()
    assert release_of(study) == expected
    assert faults(study) == set()
    assert lesionary("publish", study)[0] == DONE
    assert release_of(study) == expected


def test_a_folder_that_is_read_only_can_be_read_and_not_changed(read_only, done, expected, scans):
    with read_only(done):
        assert lesionary("status", done)[0] == DONE
        assert lesionary("verify", done)[0] == DONE
        assert lesionary("audit", done)[0] == DONE
        assert error_of(lesionary("run", done)) == "not_writable"
        assert error_of(lesionary("ingest", done, scans)) == "not_writable"
        assert error_of(lesionary("gc", done)) == "not_writable"
        assert error_of(lesionary("audit", done, "--note", "hello")) == "not_writable"
        assert error_of(lesionary("verify", done, "--repair")) == "not_writable"
    assert release_of(done) == expected
    assert lesionary("run", done)[0] == DONE


FUTURE = """
import datetime as dt, sys
from lesionary.io.registry import registry
tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
registry.utc_now = lambda: tomorrow.isoformat(timespec="milliseconds")
from lesionary.cli.main import run_command
sys.exit(run_command(sys.argv[1:]))
"""


def test_a_clock_that_was_set_back(study, expected):
    words = ["audit", str(study), "--note", "from tomorrow", "--json"]
    subprocess.run([sys.executable, "-c", FUTURE, *words], check=True, capture_output=True)
    before = Study.open(study).registry.head()
    assert error_of(lesionary("run", study)) == "clock_set_back"
    assert error_of(lesionary("gc", study)) == "clock_set_back"
    assert Study.open(study).registry.head() == before
    assert faults(study) == {"clock_set_back"}
    assert error_of(lesionary("audit", study, "--accept-clock")) == "usage"
    code, document = lesionary("audit", study, "--accept-clock", "--why", "the battery was empty")
    assert code == DONE
    assert document["events"][0]["why"] == "the battery was empty"
    assert error_of(lesionary("audit", study, "--accept-clock", "--why", "again")) == "clock_fine"
    assert faults(study) == set()
    assert lesionary("run", study)[0] == DONE
    assert release_of(study) == expected


@contextmanager
def locked(study: Path) -> Iterator[None]:
    """Hold the registry as a process of somebody else's would."""
    connection = sqlite3.connect(study / "registry.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_registry_that_another_process_holds(study, expected, scans, monkeypatch):
    monkeypatch.setenv("LESIONARY_REGISTRY_WAIT_S", "0.2")
    with locked(study):
        for words in (["run", study], ["ingest", study, scans], ["audit", study, "--note", "x"]):
            assert error_of(lesionary(*words)) == "busy"
        assert lesionary("status", study)[0] == DONE
        assert faults(study) == set()
    assert lesionary("run", study)[0] == DONE
    assert release_of(study) == expected


def test_a_study_that_another_process_takes_scans_into(study, scans):
    with exclusive(study / "study.lock"):
        for words in (["run", study], ["ingest", study, scans], ["gc", study]):
            assert error_of(lesionary(*words)) == "busy"


@pytest.mark.slow
def test_two_runs_at_once_end_well_with_one_release(study, expected):
    command = [sys.executable, "-m", "lesionary", "run", str(study), "--json"]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    for run in runs:
        run.communicate(timeout=120)
    assert [run.returncode for run in runs] == [DONE, DONE]
    assert release_of(study) == expected
    assert faults(study) == set()


def test_an_object_that_vanished_stops_its_own_unit_only(study, scans, expected):
    opened = Study.open(study)
    row = opened.registry.rows(tables.series, id="ser-0002")[0]
    opened.registry.close()
    opened.objects.path_of(row["object_id"]).unlink()
    code, document = lesionary("run", study)
    assert code == PARTLY
    told = {(row["unit"], row["code"]) for row in document["failed"]}
    assert ("prepare/ser-0002", "object_missing") in told
    assert not {unit for unit, _ in told if "ser-0002" not in unit}
    assert {"measure/ser-0001", "measure/ser-0003"} <= set(document["done"])
    code, document = lesionary("verify", study)
    (fault,) = document["failed"]
    assert fault["code"] == "object_missing"
    assert "series/ser-0002" in fault["reason"]
    assert lesionary("ingest", study, scans)[0] == DONE
    assert faults(study) == set()
    assert lesionary("run", study)[0] == DONE
    tables_of = {name for name in expected if name.endswith((".csv", ".nii.gz"))}
    tables_of.remove("summary.csv")  # counts what came in twice
    after = release_of(study)
    assert {name: after[name] for name in tables_of} == {n: expected[n] for n in tables_of}


@pytest.mark.slow
def test_a_derived_object_that_vanished_is_made_again(done, expected):
    opened = Study.open(done)
    mask = opened.registry.units("measure")["ser-0002"].output["mask"]
    opened.registry.close()
    opened.objects.path_of(mask).unlink()
    assert faults(done) == {"object_missing"}
    assert faults(done, "--repair") == set()
    code, document = lesionary("run", done)
    assert (code, "measure/ser-0002" in document["done"]) == (DONE, True)
    assert faults(done) == set()
    assert release_of(done) == expected


def test_a_registry_that_is_gone(done, scans):
    (done / "registry.db").unlink()
    for words in (["run", done], ["status", done], ["verify", done], ["ingest", done, scans]):
        assert error_of(lesionary(*words)) == "registry_missing"
    assert not (done / "registry.db").exists()


@pytest.mark.parametrize("noise", [b"", b"noise" * 9999, b"SQLite format 3\x00" + b"\xff" * 20_000])
def test_a_registry_that_is_noise(done, scans, noise):
    for path in done.glob("registry.db*"):
        path.unlink()
    (done / "registry.db").write_bytes(noise)
    for words in (["run", done], ["status", done], ["verify", done], ["ingest", done, scans]):
        assert error_of(lesionary(*words)) == "registry_damaged"
    assert not noise or (done / "registry.db").read_bytes() == noise


def test_a_protocol_that_is_gone(done, expected):
    text = (done / "study.toml").read_bytes()
    (done / "study.toml").unlink()
    for words in (["run", done], ["status", done], ["verify", done]):
        error_of(lesionary(*words))
    (done / "study.toml").write_bytes(text)
    assert lesionary("run", done)[0] == DONE
    assert release_of(done) == expected


@pytest.mark.slow
def test_an_object_folder_that_is_gone(study, scans):
    shutil.rmtree(study / "objects")
    code, document = lesionary("run", study)
    assert code in (PARTLY, UNUSABLE)
    assert {row["code"] for row in document["failed"]} == {"object_missing"}
    assert faults(study) == {"object_missing"}
    assert lesionary("ingest", study, scans)[0] == DONE
    assert lesionary("run", study)[0] == DONE
    assert faults(study) == set()


@pytest.mark.slow
def test_an_object_folder_that_lies_elsewhere(study, expected, tmp_path):
    (study / "objects").rename(tmp_path / "elsewhere")
    (study / "objects").symlink_to(tmp_path / "elsewhere")
    assert lesionary("run", study)[0] == DONE
    assert faults(study) == set()
    assert release_of(study) == expected
    (study / "objects").unlink()
    (study / "objects").symlink_to(tmp_path / "nowhere")
    assert faults(study) == {"object_missing"}
    code, document = lesionary("gc", study)
    assert (code, document["removed"]) == (DONE, 0)
