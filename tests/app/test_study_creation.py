"""A study comes to be whole, or not at all."""

import pytest

from lesionary import Study
from lesionary.core.errors import WorkflowError


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))


@pytest.mark.parametrize(
    "title", ['"quoted" \\ title', "two\nlines", "\x00\x1f\x7f", "[study]", "Größe 😀"]
)
def test_a_title_is_read_back_as_it_was_given(tmp_path, title):
    assert Study.create(tmp_path / "study", title=title).section.title == title


def test_a_title_of_broken_bytes_is_shown_escaped(tmp_path):
    assert Study.create(tmp_path / "study", title="caf\udce9").section.title == r"caf\udce9"


def test_another_studys_protocol_makes_a_study_with_a_key_of_its_own(tmp_path):
    first = Study.create(tmp_path / "first", protocol="recist-ct", title="[private]")
    second = Study.create(tmp_path / "second", protocol=str(first.files.protocol))
    assert second.protocol.name == "recist-ct"
    assert second.section.id != first.section.id
    assert second.section.title == "Study by protocol recist-ct"
    assert second.key != first.key


def test_a_vault_that_cannot_be_written_leaves_no_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "file"))
    with pytest.raises(WorkflowError):
        Study.create(tmp_path / "study")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_another_key_of_the_same_name_is_refused(tmp_path):
    """Under it, known subjects would be taken for new ones, and no guard would see."""
    study = Study.create(tmp_path / "study")
    (key,) = (tmp_path / "vault" / "keys").iterdir()
    assert len(study.key) == len(key.read_bytes())
    key.write_bytes(bytes(32))
    with pytest.raises(WorkflowError, match="not the one"):
        _ = Study.open(tmp_path / "study").key
