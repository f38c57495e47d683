"""A release lies in the study's own folder for it, or where nothing of ours is."""

import os
from pathlib import Path

import pytest

from lesionary.app.release_place import release_place
from lesionary.app.study import Study
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError, LesionaryError, PrivacyError
from lesionary.io.release_files import KIND


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = Study.create(tmp_path / "study")
    made.registry.close()
    return made


@pytest.mark.parametrize(
    "inside",
    [
        "",
        ".",
        "objects",
        "objects/ab",
        "objects/new/er",
        "logs",
        "holders",
        "damaged",
        "registry.db",
        "study.toml",
        "release.lock",
        "release/images",
        "release/../objects",
        "../study/logs",
        "anything",
    ],
)
def test_a_place_within_the_study_is_refused(study, inside):
    there = sorted(study.files.root.rglob("*"))
    with pytest.raises(InputError) as caught:
        release_place(study, study.files.root / inside)
    assert (caught.value.code, caught.value.exit_code) == ("usage", 2)
    assert "outside the study" in caught.value.hint
    assert sorted(study.files.root.rglob("*")) == there


def test_the_command_says_so_before_all_else(study, capsys):
    assert run_command(["publish", str(study.files.root), str(study.files.objects)]) == 2
    assert "lie in a study" in capsys.readouterr().err
    assert list(study.files.objects.iterdir()) == []


@pytest.mark.parametrize("way", ["release", "./release", "../study/release", "objects/../release"])
def test_its_own_folder_is_its_own_by_whatever_way(study, way, tmp_path, monkeypatch):
    own = (study.files.root / "release").resolve()
    assert release_place(study, study.files.root / way) == own
    monkeypatch.chdir(study.files.root)
    assert release_place(Study.open("."), Path(way)) == own
    (tmp_path / "link").symlink_to(study.files.root)
    assert release_place(study, tmp_path / "link" / "release") == own


def test_a_link_is_looked_behind(study, tmp_path):
    (tmp_path / "out").symlink_to(study.files.objects)
    (study.files.root / "release").symlink_to(study.files.logs)
    for place in (tmp_path / "out", tmp_path / "out" / "new", study.files.release):
        with pytest.raises(InputError):
            release_place(study, place)
    (study.files.root / "release").unlink()
    (study.files.root / "release").symlink_to(tmp_path / "large disk")
    assert release_place(study, study.files.release) == (tmp_path / "large disk").resolve()


def test_another_study_and_any_release_are_no_place_either(study, tmp_path):
    other = Study.create(tmp_path / "other")
    other.registry.close()
    released = tmp_path / "released"
    released.mkdir()
    (released / "release.json").write_text(f'{{"kind": "{KIND}"}}')
    for place in (other.files.release, other.files.objects, released / "images"):
        with pytest.raises(InputError):
            release_place(study, place)
    assert release_place(study, released) == released.resolve()


def test_the_vault_is_no_place(study, tmp_path, monkeypatch):
    vault = Path(os.environ["LESIONARY_VAULT"])
    for place in (vault, vault / "keys", vault / "new"):
        with pytest.raises(InputError, match="vault"):
            release_place(study, place)
    monkeypatch.setenv("LESIONARY_VAULT", str(study.files.root / "vault"))
    with pytest.raises(PrivacyError):
        release_place(study, tmp_path / "out")


def test_a_folder_beside_other_peoples_files_is_a_place(study, tmp_path):
    (tmp_path / "study.toml").write_text("mine")
    (tmp_path / "release.json").write_text('{"branches": ["main"]}')
    assert release_place(study, tmp_path / "out") == (tmp_path / "out").resolve()


def test_a_circle_of_links_is_told(study, tmp_path):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(LesionaryError) as caught:
        release_place(study, tmp_path / "circle")
    assert caught.value.code == "not_writable"
