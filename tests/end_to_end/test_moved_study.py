"""A study's folder that somebody moves away during a command: one error, and nothing is lost."""

import json

import pytest

from lesionary.app import running
from lesionary.app.study import Study
from lesionary.app.verify import verify_target
from lesionary.cli.main import run_command
from lesionary.io.objects import ObjectStore
from lesionary.io.release_files import ReleaseWriter
from small_scans import write_scans

UNUSABLE = 2


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))


@pytest.fixture
def scans(tmp_path):
    return write_scans(tmp_path / "scans", 2)


@pytest.fixture
def study(tmp_path):
    return Study.create(tmp_path / "study").files.root


@pytest.fixture
def command(capsys):
    def run(*words):
        code = run_command([*map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, json.loads(out)

    return run


def move_before_call(patch, study, owner, name, n):
    """Have the study moved away just before the nth call of a method."""
    original, calls = getattr(owner, name), []

    def moved(self, *arguments, **options):
        calls.append(name)
        if len(calls) == n:
            study.rename(study.with_name("moved"))
        return original(self, *arguments, **options)

    patch.setattr(owner, name, moved)


def assert_is_told_and_nothing_is_made(answer, study):
    code, document = answer
    assert (code, document["error"]["code"]) == (UNUSABLE, "study_moved")
    assert document["error"]["hint"]
    assert not study.exists()


def assert_goes_on(command, study, scans):
    moved = study.with_name("moved")
    code, _ = command("ingest", moved, scans)
    assert code == 0
    code, document = command("run", moved)
    assert (code, document["failed"]) == (0, [])
    assert verify_target(moved).failed == []
    return document


@pytest.mark.parametrize("n", [1, 2])
def test_an_ingest_stops_and_comes_in_where_the_study_is_now(command, study, scans, monkeypatch, n):
    with monkeypatch.context() as patch:
        move_before_call(patch, study, ObjectStore, "put_volume", n)
        assert_is_told_and_nothing_is_made(command("ingest", study, scans), study)
    assert command("status", study.with_name("moved"))[1]["series"] == []
    assert_goes_on(command, study, scans)


def test_an_ingest_whose_study_was_exchanged_names_no_objects_that_went_elsewhere(
    command, study, scans, monkeypatch
):
    put = ObjectStore.put_volume

    def exchanged(self, volume):
        if study.with_name("moved").exists():
            return put(self, volume)
        study.rename(study.with_name("moved"))
        Study.create(study)
        return put(self, volume)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "put_volume", exchanged)
        code, document = command("ingest", study, scans)
    assert (code, document["error"]["code"]) == (UNUSABLE, "study_moved")
    assert command("status", study)[1]["series"] == []
    assert_goes_on(command, study, scans)


@pytest.mark.parametrize("cluster", ["none", "local"])
def test_a_run_stops_and_what_was_done_is_kept(command, study, scans, monkeypatch, cluster):
    options = ("--cluster", cluster, *(("--workers", "1") if cluster == "local" else ()))
    assert command("ingest", study, scans)[0] == 0
    with monkeypatch.context() as patch:
        move_before_call(patch, study, running._Receipts, "add", 2)
        assert_is_told_and_nothing_is_made(command("run", study, *options), study)
    document = assert_goes_on(command, study, scans)
    assert not [unit for unit in document["done"] if unit.startswith("prepare/")]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_release_is_not_written_where_the_study_was(command, study, scans, monkeypatch, n):
    assert command("ingest", study, scans)[0] == 0
    with monkeypatch.context() as patch:
        move_before_call(patch, study, ReleaseWriter, "_place", n)
        assert_is_told_and_nothing_is_made(command("run", study), study)
    document = assert_goes_on(command, study, scans)
    assert document["done"] == ["publish/release"]


def test_who_stands_in_the_folder_is_told_too(command, study, scans, monkeypatch):
    assert command("ingest", study, scans)[0] == 0
    monkeypatch.chdir(study)
    with monkeypatch.context() as patch:
        move_before_call(patch, study, running._Receipts, "add", 1)
        assert_is_told_and_nothing_is_made(command("run", "."), study)
    assert_goes_on(command, study, scans)
