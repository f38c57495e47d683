import pytest

from lesionary import Study
from lesionary.core.errors import InputError, PrivacyError
from lesionary.io.vault.database import Vault
from lesionary.io.vault.place import URL_VARIABLE, vault_place


def test_by_default_a_vault_lies_in_the_vaults_folder(folder):
    place = vault_place()
    assert place.path == folder / "database" / "vault.db"
    assert place.keys.path == folder / "keys" / "vault.key"


def test_what_is_named_goes_before_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, str(tmp_path / "from-environment"))
    assert vault_place().path == tmp_path / "from-environment" / "database" / "vault.db"
    assert vault_place(tmp_path / "named").path == tmp_path / "named" / "database" / "vault.db"
    assert vault_place(f"sqlite:///{tmp_path}/a/b.db").path == tmp_path / "a" / "b.db"


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/d", "postgresql://u:hunter2@h/d", "http://x"])
def test_an_address_of_something_else_is_refused_and_not_repeated(url):
    with pytest.raises(InputError) as caught:
        vault_place(url)
    assert caught.value.code == "vault_url"
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_servers_address_is_never_shown():
    assert "hunter2" not in repr(vault_place("postgresql+psycopg://u:hunter2@h/d"))


@pytest.mark.parametrize("below", ["", "keys"])
def test_keys_beside_their_database_are_refused(tmp_path, below):
    key = tmp_path / "database" / below / "vault.key"
    with pytest.raises(PrivacyError):
        Vault.create(tmp_path, key=f"file:{key}")
    assert not key.exists()
    assert not (tmp_path / "database" / "vault.db").exists()


def test_keys_that_a_link_puts_beside_their_database_are_refused(tmp_path):
    (tmp_path / "database").mkdir()
    (tmp_path / "keys").symlink_to(tmp_path / "database")
    with pytest.raises(PrivacyError):
        vault_place(tmp_path)


def test_neither_database_nor_keys_lie_in_a_study(tmp_path):
    Study.create(tmp_path / "study")
    with pytest.raises(PrivacyError):
        vault_place(tmp_path / "study" / "vault")
    with pytest.raises(PrivacyError):
        vault_place(tmp_path / "vault", f"file:{tmp_path / 'study' / 'vault.key'}")
    with pytest.raises(PrivacyError):
        vault_place("postgresql+psycopg://u@h/d", f"file:{tmp_path / 'study' / 'vault.key'}")
