import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from lesionary.core.errors import WorkflowError
from lesionary.io.vault import audit, checking, rotation, schema
from lesionary.io.vault.database import Vault
from lesionary.io.vault.key_places import KEY_VARIABLE
from lesionary.io.vault.vault_keys import VaultKeys, fernet_of

WHO = {"why": "the yearly change of keys", "actor": "anna"}
PEOPLE = [(f"PLANTED^{n}", "H") for n in range(25)]


def tokens(vault, generation):
    table = schema.token
    with vault.reading() as connection:
        query = sa.select(table.c.number, table.c.token).where(table.c.generation == generation)
        return {number: bytes(token) for number, token in connection.execute(query)}


def test_a_rotation_changes_the_key_and_nothing_else(vault, url, monkeypatch):
    monkeypatch.setattr(rotation, "_CHUNK", 10)
    numbers, before = vault.numbers_of(PEOPLE), vault.keys
    done = rotation.rotate(vault, **WHO)
    assert (done.generation, done.n_identities) == (2, 25)
    with Vault.open(url) as opened:
        assert opened.keys.fernet[1:] == before.fernet
        assert opened.pseudonym_key == before.pseudonym
        assert opened.numbers_of(PEOPLE) == numbers
        assert opened.reveal(numbers[3], "to see whether it works").patient_id == "PLANTED^3"
        assert list(checking.failures(opened)) == []


def test_both_generations_are_kept_until_the_old_key_is_retired(vault):
    (number,) = vault.numbers_of(PEOPLE[:1])
    (old,) = vault.keys.fernet
    rotation.rotate(vault, **WHO)
    new, _ = vault.keys.fernet
    first, second = tokens(vault, 1)[number], tokens(vault, 2)[number]
    assert fernet_of(old).decrypt(first) == fernet_of(new).decrypt(second)
    with pytest.raises(InvalidToken):
        fernet_of(old).decrypt(second)
    assert MultiFernet([fernet_of(new), fernet_of(old)]).decrypt(first)


def test_a_retired_key_opens_nothing_that_is_left(vault, url):
    numbers = vault.numbers_of(PEOPLE)
    (old,) = vault.keys.fernet
    removed = list(tokens(vault, 1).values())
    rotation.rotate(vault, **WHO)
    done = rotation.retire(vault, **WHO)
    assert (done.n_tokens, done.n_keys, done.has_dropped_keys) == (25, 1, True)
    assert tokens(vault, 1) == {}
    if vault.place.path is not None:
        assert done.is_erased
        left = b"".join(file.read_bytes() for file in vault.place.path.parent.iterdir())
        assert not any(token in left for token in removed)
    with Vault.open(url) as opened:
        assert old not in opened.keys.fernet
        assert opened.numbers_of(PEOPLE) == numbers
        assert opened.reveal(numbers[0], "to see whether it works").patient_id == "PLANTED^0"
        assert list(checking.failures(opened)) == []
    with pytest.raises(sa.exc.DBAPIError), vault.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM token")


def test_nothing_is_retired_that_was_not_rotated(vault):
    vault.number_of("4711")
    with pytest.raises(WorkflowError):
        rotation.retire(vault, **WHO)
    assert len(tokens(vault, 1)) == 1


def test_nothing_is_retired_while_somebody_has_no_newer_token(vault):
    number, _ = vault.numbers_of(PEOPLE[:2])
    rotation.rotate(vault, **WHO)
    with vault.writing() as connection:
        schema.drop_guards(connection, schema.token)
        lost = sa.delete(schema.token).where(
            schema.token.c.number == number, schema.token.c.generation == 2
        )
        connection.execute(lost)
        schema.add_guards(connection, schema.token)
    with pytest.raises(WorkflowError) as caught:
        rotation.retire(vault, **WHO)
    assert caught.value.code == "vault_damaged"
    assert len(tokens(vault, 1)) == 2


def test_a_process_that_was_open_meanwhile_goes_on_under_the_new_key(vault, url):
    with Vault.open(url) as other:
        rotation.rotate(other, **WHO)
        rotation.retire(other, **WHO)
    number = vault.number_of("new since")
    assert list(tokens(vault, 2)) == [number]
    assert vault.reveal(number, "to see whether it works").patient_id == "new since"


def test_who_has_only_the_old_keys_is_told_so_and_registers_nobody(vault, url, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, vault.keys.to_text())
    with Vault.open(url) as stale:
        rotation.rotate(vault, **WHO)
        with pytest.raises(WorkflowError) as caught:
            stale.number_of("4711")
        assert caught.value.code == "wrong_key"
        with pytest.raises(WorkflowError) as caught:
            Vault.open(url)
        assert caught.value.code == "wrong_key"
    assert vault.find("4711") is None


def test_a_key_that_waits_is_handed_out_first_and_then_used(vault, url, monkeypatch):
    vault.numbers_of(PEOPLE)
    assert rotation.add_key(vault)
    assert not rotation.add_key(vault)
    waiting = vault.keys.fernet[0]
    with Vault.open(url) as other:  # as a machine that was given the keys already
        assert other.number_of("4711")
        rotation.rotate(vault, **WHO)
        assert vault.keys.fernet[0] == waiting
        assert other.number_of("4712")
        assert len(tokens(other, 2)) == 27
    assert list(checking.failures(vault)) == []


def test_a_rotation_that_breaks_off_changes_nothing_and_goes_on_later(vault, url, monkeypatch):
    numbers = vault.numbers_of(PEOPLE)

    def fail(*_):
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(audit, "append", fail)
        with pytest.raises(InterruptedError):
            rotation.rotate(vault, **WHO)
    with Vault.open(url) as opened:
        assert opened.numbers_of(PEOPLE) == numbers
        assert opened.reveal(numbers[0], "to see whether it works").patient_id == "PLANTED^0"
        assert rotation.rotate(opened, **WHO).generation == 2
        assert len(opened.keys.fernet) == 2


def test_keys_from_the_environment_are_rotated_by_who_gives_them(vault, url, monkeypatch):
    numbers = vault.numbers_of(PEOPLE)
    monkeypatch.setenv(KEY_VARIABLE, vault.keys.to_text())
    with Vault.open(url) as opened, pytest.raises(WorkflowError) as caught:
        rotation.rotate(opened, **WHO)
    assert caught.value.code == "vault_key"
    monkeypatch.setenv(KEY_VARIABLE, vault.keys.with_new_fernet().to_text())
    with Vault.open(url) as opened:
        rotation.rotate(opened, **WHO)
        done = rotation.retire(opened, **WHO)
        assert (done.n_keys, done.has_dropped_keys) == (1, False)
        assert opened.numbers_of(PEOPLE) == numbers


def test_keys_that_became_another_vaults_are_not_used(vault):
    vault.place.keys.replace(VaultKeys.create())
    with pytest.raises(WorkflowError) as caught:
        rotation.rotate(vault, **WHO)
    assert caught.value.code == "wrong_key"


def test_rotations_and_retirements_are_in_the_audit(vault):
    rotation.rotate(vault, **WHO)
    rotation.rotate(vault, **WHO)
    rotation.retire(vault, **WHO)
    with vault.reading() as connection:
        said = [(one.event.action, one.event.object) for one in audit.events(connection)]
    assert said[1:] == [
        ("rotated", "generation/2"),
        ("rotated", "generation/3"),
        ("retired", "generation/2"),
    ]
    assert len(vault.keys.fernet) == 1


def test_tokens_are_those_of_the_fernet_specification(vault):
    number = vault.number_of("4711")
    text = vault.keys.to_text().split("fernet=")[1].split()[0]
    assert b"4711" in Fernet(text).decrypt(tokens(vault, 1)[number])
