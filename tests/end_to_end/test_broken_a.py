"""What breaks a study in a careless hand: foreign folders, bad addresses, protocols that change."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lesionary.app.pipeline import PROTOCOL_DIGEST
from lesionary.app.study import Study
from lesionary.cli.main import run_command
from lesionary.core.errors import WorkflowError
from lesionary.io.database.waiting import WAIT_VARIABLE
from lesionary.io.registry.place import URL_VARIABLE
from lesionary.measure import lesions
from small_scans import write_scans

DONE, PARTLY, UNUSABLE = 0, 1, 2
PASSWORD = "not-to-be-seen"  # noqa: S105 - of nobody
WRONG_URLS = (
    f"postgresql+psycopg://u:{PASSWORD}@host:port/db",
    f"postgresql+psycopg://u:{PASSWORD}@[::1/db",
    f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:1/db?bogus={PASSWORD}",
    f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:1/db?sslmode={PASSWORD}",
    f"postgres://u:{PASSWORD}@host/db",
    f"u:{PASSWORD}@host/db",
    f"{PASSWORD}",
)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study after an undisturbed run."""
    folder = tmp_path_factory.mktemp("calm")
    study = Study.create(folder / "study")
    study.ingest([write_scans(folder / "scans", 2)])
    study.run()
    study.registry.close()
    return study.files.root


@pytest.fixture
def study(calm: Path, tmp_path: Path) -> Path:
    shutil.copytree(calm, tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def lesionary(capfd):
    """Run one command; return its exit code and its document."""

    def run(*words):
        code = run_command([*map(str, words), "--json"])
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        assert PASSWORD not in said.out + said.err
        return code, json.loads(said.out)

    return run


def with_line(study: Path, line: str) -> None:
    text = (study / "study.toml").read_text()
    place = 0 if "=" in line.splitlines()[0] else len(text)
    (study / "study.toml").write_text(f"{text[:place]}{line}\n{text[place:]}")


def changed_protocol(study: Path) -> None:
    text = (study / "study.toml").read_text()
    changed = re.sub(r"min_voxels = \d+", "min_voxels = 900", text, count=1)
    assert changed != text
    (study / "study.toml").write_text(changed)


@pytest.mark.parametrize("url", WRONG_URLS)
@pytest.mark.parametrize("command", ["status", "run", "new"])
def test_a_wrong_address_is_one_clear_error_without_its_password(
    lesionary, study, tmp_path, monkeypatch, url, command
):
    monkeypatch.setenv(WAIT_VARIABLE, "0")
    if command == "new":
        code, document = lesionary("new", tmp_path / "new", "--registry", url)
        assert [path.name for path in tmp_path.iterdir()] == ["study"]
    else:
        monkeypatch.setenv(URL_VARIABLE, url)
        code, document = lesionary(command, study)
    assert code == UNUSABLE
    assert document["error"]["code"] in {"registry_url", "registry_unreachable"}
    assert document["error"]["hint"]


@pytest.mark.parametrize(
    "line",
    [
        f'registry = "postgresql+psycopg://u:{PASSWORD}@host/db"',
        f'[registry]\nurl = ["{PASSWORD}"]',
        f'[registry]\nurl = "x"\n{PASSWORD.replace("-", "_")} = 1',
        f'[[registry]]\nurl = "{PASSWORD}"',
        "registry = 5",
    ],
)
@pytest.mark.parametrize("command", ["status", "run", "verify"])
def test_a_registry_that_is_no_table_is_told_without_what_it_says(lesionary, study, line, command):
    with_line(study, line)
    code, document = lesionary(command, study)
    assert (code, document["error"]["code"]) in {(2, "protocol"), (2, "registry_url")}


@pytest.mark.parametrize("seconds", ["abc", "-1", "inf", "nan", "1e99"])
def test_a_wait_that_is_no_number_of_seconds_is_told(lesionary, study, monkeypatch, seconds):
    monkeypatch.setenv(WAIT_VARIABLE, seconds)
    code, document = lesionary("run", study)
    assert (code, document["error"]["code"]) == (UNUSABLE, "usage")
    assert WAIT_VARIABLE in document["error"]["message"]


def test_an_empty_address_is_none(lesionary, study, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "")
    assert lesionary("run", study)[0] == DONE


@pytest.mark.parametrize("name", ["holders", "logs", "study.toml"])
def test_a_file_where_a_folder_belongs_and_the_reverse_are_told(lesionary, study, name):
    place = study / name
    if is_folder := place.is_dir():
        shutil.rmtree(place)
        place.write_text("mine")
    else:
        place.unlink()
        place.mkdir()
    code, document = lesionary("run", study)
    assert code == UNUSABLE
    assert document["error"]["code"] == ("not_writable" if is_folder else "protocol")
    assert not is_folder or place.read_text() == "mine"


def test_a_foreign_folder_with_a_file_of_the_same_name_is_not_replaced(lesionary, study, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "release.json").write_text('{"branches": ["main"]}')
    (foreign / "thesis.txt").write_text("years of work")
    code, document = lesionary("publish", study, foreign)
    assert (code, document["error"]["code"]) == (UNUSABLE, "input")
    assert sorted(path.name for path in foreign.iterdir()) == ["release.json", "thesis.txt"]


@pytest.mark.parametrize("place", ["release", "elsewhere"])
def test_what_somebody_put_into_a_release_is_not_removed(lesionary, study, place):
    out = study / "release" if place == "release" else study.parent / place
    assert lesionary("publish", study, out)[0] == DONE
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("years of work")
    code, document = lesionary("publish", study, out)
    assert code == UNUSABLE
    assert "move" in document["error"]["hint"]
    assert (out / "notes" / "mine.txt").read_text() == "years of work"
    shutil.rmtree(out / "notes")
    assert lesionary("publish", study, out)[0] == DONE


@pytest.mark.parametrize("name", ["release.json", "SHA256SUMS"])
def test_a_release_that_lost_one_of_its_lists_is_written_anew(lesionary, study, name):
    before = (study / "release" / name).read_bytes()
    (study / "release" / name).unlink()
    assert lesionary("publish", study)[0] == DONE
    assert (study / "release" / name).read_bytes() == before


@pytest.mark.parametrize("out", ["n" * 300, "circle"])
def test_a_place_that_no_folder_can_have_is_told(lesionary, study, tmp_path, out):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    code, document = lesionary("publish", study, tmp_path / out)
    assert (code, document["error"]["code"]) == (UNUSABLE, "not_writable")


def test_a_run_by_a_changed_protocol_does_not_mix_with_one_that_is_under_way(study):
    under_way, changed = Study.open(study), study
    digest = under_way.registry.meta(PROTOCOL_DIGEST)
    with under_way.running():
        assert Study.open(study).run().published.is_new is False
        changed_protocol(changed)
        with pytest.raises(WorkflowError) as error:
            Study.open(study).run()
        assert error.value.code == "busy"
        assert "study.toml" in error.value.message
        assert under_way.registry.meta(PROTOCOL_DIGEST) == digest
    assert "measure/ser-0001" in Study.open(study).run().document()["done"]


def test_a_study_opened_before_its_protocol_changed_says_what_it_went_by(study):
    opened = Study.open(study)
    changed_protocol(study)
    opened.run()
    assert opened.status()["protocol_changed"] is True
    assert Study.open(study).run().published.is_new


def test_a_case_that_fails_by_a_fault_of_ours_leaves_the_same_release_each_time(
    study, monkeypatch, lesionary
):
    changed_protocol(study)
    n_calls = []

    def fail_once(*args, _whole=lesions.measure_lesions, **options):
        n_calls.append(1)
        if len(n_calls) == 1:
            raise RuntimeError
        return _whole(*args, **options)

    left_out = []
    for _ in range(2):
        n_calls.clear()
        monkeypatch.setattr("lesionary.measure.lesions.measure_lesions", fail_once)
        code, document = lesionary("run", study)
        assert (code, [row["code"] for row in document["failed"]]) == (PARTLY, ["bug"])
        left_out.append((study / "release" / "left_out.csv").read_bytes())
        monkeypatch.undo()
    assert left_out[0] == left_out[1]


@pytest.mark.skipif(os.name != "posix", reason="needs signals that stop a process")
@pytest.mark.slow
@pytest.mark.parametrize("after_s", [1.5, 2.5])
def test_a_run_that_is_stopped_for_a_while_loses_nothing(calm, tmp_path, after_s):
    study = Study.create(tmp_path / "study")
    study.ingest([write_scans(tmp_path / "scans", 4)])
    command = [sys.executable, "-m", "lesionary", "run", str(study.files.root), "--json"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        time.sleep(after_s)
        first.send_signal(signal.SIGSTOP)
        second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            time.sleep(3)
            first.send_signal(signal.SIGCONT)
            answers = [json.loads(run.communicate(timeout=120)[0]) for run in (first, second)]
        finally:
            second.kill()
            second.communicate()
    finally:
        first.kill()
        first.communicate()
    did = [unit for answer in answers for unit in answer["done"]]
    assert len(did) == len(set(did)) == 4 * 3 + 1
    assert Study.open(study.files.root).verify().failed == []
