import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import WorkflowError
from lesionary.io.vault.identity import identity_of
from lesionary.io.vault.vault_keys import VaultKeys, fernet_of

LINE = VaultKeys.create().to_text()


def fields(keys):
    return keys.fernet, keys.index, keys.pseudonym


def test_the_line_of_text_holds_all_keys():
    keys = VaultKeys.create().with_new_fernet().with_new_fernet()
    assert fields(VaultKeys.from_text(keys.to_text())) == fields(keys)
    assert fields(VaultKeys.from_text(f"  {keys.to_text()}\r\n")) == fields(keys)


def test_all_keys_differ_from_vault_to_vault():
    one, other = VaultKeys.create(), VaultKeys.create()
    assert len({*one.fernet, one.index, one.pseudonym, *other.fernet, other.index}) == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        LINE[:-8],
        LINE + " more=1",
        LINE.replace("lesionary-vault-1", "lesionary-vault-2"),
        LINE.replace("index=", "pseudonym="),
        LINE.replace("fernet=", "fernet=,"),
        LINE.replace("index=", "index=é"),
    ],
)
def test_what_is_no_line_of_keys_is_refused_and_never_quoted(text):
    with pytest.raises(WorkflowError) as caught:
        VaultKeys.from_text(text)
    assert caught.value.code == "vault_key"
    assert caught.value.__cause__ is None
    said = f"{caught.value.message} {caught.value.hint}"
    assert all(part not in said for part in text.split() if len(part) > 30)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    with pytest.raises(WorkflowError):
        VaultKeys.from_text(text)


def test_a_new_key_stands_in_front_and_changes_no_other():
    before = VaultKeys.create()
    after = before.with_new_fernet()
    assert after.fernet[1:] == before.fernet
    assert (after.index, after.pseudonym) == (before.index, before.pseudonym)
    identity = identity_of("4711")
    assert after.blind_index(identity) == before.blind_index(identity)


def test_another_vault_finds_nobody_by_this_ones_index():
    identity = identity_of("4711")
    assert VaultKeys.create().blind_index(identity) != VaultKeys.create().blind_index(identity)


def test_keys_are_never_shown_by_accident():
    keys = VaultKeys.create()
    for secret in keys.to_text().split()[1:]:
        assert secret.partition("=")[2] not in f"{keys!r} {keys}"


def test_a_fernet_key_is_cryptographys_own():
    key = VaultKeys.create().fernet[0]
    assert fernet_of(key).decrypt(fernet_of(key).encrypt(b"text")) == b"text"
