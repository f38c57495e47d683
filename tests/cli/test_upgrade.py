import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lesionary import Study
from lesionary.cli.main import run_command
from lesionary.io.lock import exclusive
from lesionary.io.study_files import StudyFiles

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "registry-schema1.sql"
UNUSABLE = 2


@pytest.fixture
def answer(capsys):
    def run(*words):
        code = run_command([*map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, json.loads(out)

    return run


@pytest.fixture
def new_study(tmp_path):
    Study.create(tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def old_study(new_study):
    """A study as schema 1 left it."""
    files = StudyFiles(new_study)
    for part in ("", "-wal", "-shm"):
        files.registry.with_name(f"{files.registry.name}{part}").unlink(missing_ok=True)
    with closing(sqlite3.connect(files.registry)) as connection:
        connection.executescript(GOLDEN.read_text(encoding="utf-8"))
    return new_study


def test_an_old_study_is_refused_with_the_way_out_and_upgraded(old_study, answer):
    code, refused = answer("verify", old_study)
    assert (code, refused["error"]["code"]) == (UNUSABLE, "schema_old")
    assert "lesionary upgrade" in refused["error"]["hint"]
    assert answer("upgrade", old_study) == (
        0,
        {
            "study": str(old_study),
            "registry": "sqlite",
            "before": 1,
            "after": 3,
            "backup": "registry-schema1-backup.db",
        },
    )
    assert (old_study / "registry-schema1-backup.db").is_file()
    code, status = answer("status", old_study)
    assert (code, len(status["series"])) == (0, 6)


def test_a_current_study_is_left_alone_and_says_why_there_is_no_copy(new_study, answer):
    code, document = answer("upgrade", new_study)
    assert (code, document["before"], document["after"]) == (0, 3, 3)
    assert document["backup"] is None
    assert document["reason"]["backup"]
    assert list(new_study.glob("*backup*")) == []


def test_the_text_names_the_copy(old_study, capsys):
    assert run_command(["upgrade", str(old_study)]) == 0
    out, _ = capsys.readouterr()
    assert "registry-schema1-backup.db" in out
    assert run_command(["upgrade", str(old_study)]) == 0
    assert "already" in capsys.readouterr().out


def test_a_study_that_somebody_works_on_is_not_upgraded(old_study, answer):
    files = StudyFiles(old_study)
    before = files.registry.read_bytes()
    with exclusive(files.lock):
        code, refused = answer("upgrade", old_study)
    assert (code, refused["error"]["code"]) == (UNUSABLE, "busy")
    assert files.registry.read_bytes() == before


def test_a_study_on_a_server_is_upgraded_and_its_password_never_shown(
    tmp_path, postgres_url, answer
):
    study = tmp_path / "study"
    Study.create(study, registry=postgres_url)
    code, document = answer("upgrade", study)
    assert (code, document["registry"]) == (0, "postgresql")
    password = postgres_url.partition("lesionary:")[2].partition("@")[0]
    assert password not in json.dumps(document)


def test_a_folder_that_is_no_study_is_refused(tmp_path, answer):
    code, refused = answer("upgrade", tmp_path)
    assert code == UNUSABLE
    assert refused["error"]["source"] == str(tmp_path)
