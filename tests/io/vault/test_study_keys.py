import stat

import pytest

from lesionary.core.errors import PrivacyError, WorkflowError
from lesionary.io.vault import KEY_BYTES, create_key, read_key

STUDY_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def vault(tmp_path, monkeypatch):
    folder = tmp_path / "vault"
    monkeypatch.setenv("LESIONARY_VAULT", str(folder))
    return folder


def test_a_key_is_made_once_and_read_by_its_owner_alone(vault, tmp_path):
    key = create_key(tmp_path / "study", STUDY_ID)
    assert len(key) == KEY_BYTES
    assert read_key(tmp_path / "study", STUDY_ID) == key
    (path,) = (vault / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(WorkflowError):
        create_key(tmp_path / "study", STUDY_ID)


def test_a_key_that_others_may_read_is_refused(vault, tmp_path):
    create_key(tmp_path / "study", STUDY_ID)
    (path,) = (vault / "keys").iterdir()
    path.chmod(0o644)
    with pytest.raises(PrivacyError):
        read_key(tmp_path / "study", STUDY_ID)


def test_a_missing_key_is_never_made_anew(vault, tmp_path):
    with pytest.raises(WorkflowError):
        read_key(tmp_path / "study", STUDY_ID)


def test_a_vault_inside_the_study_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "study" / "keys"))
    with pytest.raises(PrivacyError):
        create_key(tmp_path / "study", STUDY_ID)
