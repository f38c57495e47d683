import stat

import pytest

from lesionary.core.errors import PluginUnavailableError, PrivacyError, WorkflowError
from lesionary.io.vault.key_places import KEY_VARIABLE, KeyFile, key_place
from lesionary.io.vault.vault_keys import VaultKeys

keyring = pytest.importorskip("keyring")


class RingInMemory(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        del self.entries[service, username]


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    keyring.set_keyring(RingInMemory())
    yield keyring.get_keyring()
    keyring.set_keyring(before)


@pytest.fixture(params=["file", "keyring"])
def place(request, tmp_path):
    if request.param == "keyring":
        request.getfixturevalue("ring")
        return key_place("keyring:ours", tmp_path / "unused")
    return key_place(None, tmp_path / "keys" / "vault.key")


def test_keys_are_made_once_changed_whole_and_taken_away(place):
    keys = VaultKeys.create()
    with pytest.raises(WorkflowError):
        place.read()
    place.create(keys)
    assert place.read().to_text() == keys.to_text()
    with pytest.raises(WorkflowError) as caught:
        place.create(VaultKeys.create())
    assert caught.value.code == "vault_key"
    assert place.read().to_text() == keys.to_text()
    place.replace(keys.with_new_fernet())
    assert place.read().fernet[1:] == keys.fernet
    place.remove()
    with pytest.raises(WorkflowError):
        place.read()


def test_a_key_file_is_its_owners_alone_also_after_a_change(tmp_path):
    place = KeyFile(tmp_path / "keys" / "vault.key")
    place.create(VaultKeys.create())
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    place.replace(VaultKeys.create())
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert list(place.path.parent.iterdir()) == [place.path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o777])
def test_a_key_file_that_others_may_use_is_refused(tmp_path, mode):
    place = KeyFile(tmp_path / "vault.key")
    place.create(VaultKeys.create())
    place.path.chmod(mode)
    with pytest.raises(PrivacyError):
        place.read()


def test_the_environment_gives_keys_or_names_their_place(tmp_path, monkeypatch):
    keys, default = VaultKeys.create(), tmp_path / "default.key"
    monkeypatch.setenv(KEY_VARIABLE, keys.to_text())
    given = key_place(None, default)
    assert (given.kind, given.read().to_text()) == ("environment", keys.to_text())
    for change in (given.create, given.replace):
        with pytest.raises(WorkflowError):
            change(VaultKeys.create())
    monkeypatch.setenv(KEY_VARIABLE, f"file:{tmp_path / 'other.key'}")
    assert key_place(None, default).path == tmp_path / "other.key"
    assert key_place(f"file:{tmp_path / 'third.key'}", default).path == tmp_path / "third.key"
    monkeypatch.delenv(KEY_VARIABLE)
    assert key_place(None, default).path == default


def test_a_keyring_that_is_not_there_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(PluginUnavailableError) as caught:
        key_place("keyring:ours", tmp_path).read()
    assert "pip install" in caught.value.hint


def test_a_keyring_that_is_locked_or_has_no_backend_says_so(tmp_path, monkeypatch):
    def refuse(*_):
        raise keyring.errors.NoKeyringError("no backend")

    monkeypatch.setattr(keyring, "get_password", refuse)
    with pytest.raises(WorkflowError) as caught:
        key_place("keyring:ours", tmp_path).read()
    assert caught.value.code == "vault_key"
