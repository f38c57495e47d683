import json
import logging
import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from lesionary.core.errors import InputError, PrivacyError, WorkflowError
from lesionary.io.vault import audit, checking, numbers, schema
from lesionary.io.vault import database as databases
from lesionary.io.vault.database import FIRST_NUMBER, LAST_NUMBER, Vault
from lesionary.io.vault.key_places import KEY_VARIABLE

WHY = "asked by the ethics board"
PEOPLE = [(f"PLANTED^{n}", "ST. ELSEWHERE" if n % 2 else "") for n in range(40)]


def events(vault):
    with vault.reading() as connection:
        return [sealed.event for sealed in audit.events(connection)]


def rows_of(vault):
    with vault.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in schema.metadata.sorted_tables
        }


def test_a_patient_keeps_the_number_in_every_process_and_form_of_call(vault, url):
    first = vault.number_of("4711", "H")
    assert vault.number_of(" 4711\0", "H ") == first
    assert vault.numbers_of([("4711", "H"), ("4711", ""), ("4711", "H")])[0::2] == [first, first]
    with Vault.open(url) as other:
        assert other.number_of("4711", "H") == first
        assert other.find("4711", "H") == first
        assert other.number_of("4711") != first


def test_numbers_have_nine_digits_are_unique_and_in_no_order(vault):
    found = vault.numbers_of([(f"ID {n}", "") for n in range(300)])
    assert len(set(found)) == 300
    assert all(FIRST_NUMBER <= number <= LAST_NUMBER for number in found)
    assert found != sorted(found)
    assert len({number % 10 for number in found}) == 10


def test_a_number_that_is_taken_is_drawn_again(vault, monkeypatch):
    draws = iter([5, 5, 5, 7, 5, 7, 9])
    monkeypatch.setattr(databases.secrets, "randbelow", lambda _: next(draws))
    found = [vault.number_of(patient) for patient in ("a", "b", "c")]
    assert found == [FIRST_NUMBER + 5, FIRST_NUMBER + 7, FIRST_NUMBER + 9]


def test_no_number_is_the_patient_id_of_somebody_else(vault, monkeypatch):
    vault.number_of(str(FIRST_NUMBER + 5))
    draws = iter([5, 7])
    monkeypatch.setattr(databases.secrets, "randbelow", lambda _: next(draws))
    assert vault.number_of("b") == FIRST_NUMBER + 7


def test_looking_adds_nobody(vault):
    assert vault.find("4711") is None
    assert not any(map(vault.knows, (0, -1, 7, FIRST_NUMBER, LAST_NUMBER, 10**30)))
    number = vault.number_of("4711")
    assert vault.knows(number)
    assert rows_of(vault)["identity"][0][0] == number
    assert len(rows_of(vault)["identity"]) == 1


def test_nobody_without_an_id_gets_a_number(vault):
    with pytest.raises(InputError):
        vault.numbers_of([("4711", ""), (" ", "H")])
    assert rows_of(vault)["identity"] == []


def test_a_batch_of_none_is_nothing(vault):
    assert vault.numbers_of([]) == []


def test_the_cache_may_overflow_and_nothing_changes(vault, monkeypatch):
    monkeypatch.setattr(databases, "_MAX_CACHED", 3)
    once = [vault.number_of(*person) for person in PEOPLE]
    assert [vault.number_of(*person) for person in PEOPLE] == once
    assert all(map(vault.knows, once))


def test_chunks_of_queries_lose_nobody(vault, monkeypatch):
    monkeypatch.setattr(numbers, "_CHUNK", 7)
    once = vault.numbers_of(PEOPLE)
    assert [vault.find(*person) for person in PEOPLE] == once


def test_a_reveal_gives_back_what_came_in(vault):
    number = vault.number_of("Grüße^Ærø 07 ", "ÖBH")
    assert tuple(vault.reveal(number, WHY, "anna")) == ("Grüße^Ærø 07", "ÖBH")
    last = events(vault)[-1]
    fields = (last.actor, last.action, last.object, last.why)
    assert fields == ("anna", "revealed", f"identity/{number}", WHY)


def test_the_audit_is_there_before_anything_is_decrypted(vault, url, monkeypatch):
    number = vault.number_of("4711")
    seen = []

    def look(self, wanted):
        with Vault.open(url) as other:  # another connection sees what is committed, and only that
            seen.append(events(other)[-1].object)
        raise InterruptedError

    monkeypatch.setattr(Vault, "_decrypted", look)
    with pytest.raises(InterruptedError):
        vault.reveal(number, WHY)
    assert seen == [f"identity/{number}"]


def test_without_an_audit_there_is_no_answer(vault, monkeypatch):
    number = vault.number_of("4711")

    def refuse(*_):
        raise WorkflowError("the disk is full")

    monkeypatch.setattr(audit, "append", refuse)
    monkeypatch.setattr(Vault, "_decrypted", lambda *_: pytest.fail("decrypted"))
    with pytest.raises(WorkflowError):
        vault.reveal(number, WHY)


@pytest.mark.parametrize("why", ["", " ", "why", "because boss", "- - - -", "x" * 3000])
def test_without_a_reason_there_is_no_answer_and_no_event(vault, why):
    number = vault.number_of("4711")
    with pytest.raises(InputError) as caught:
        vault.reveal(number, why)
    assert caught.value.code == "reason"
    assert len(events(vault)) == 1


def test_a_reason_that_names_a_patient_is_not_stored(vault):
    number = vault.number_of("MRN-4711")
    with pytest.raises(PrivacyError) as caught:
        vault.reveal(number, "the family of (MRN-4711) asked")
    assert "4711" not in caught.value.message
    assert len(events(vault)) == 1


@pytest.mark.parametrize("number", [0, -5, 4711, FIRST_NUMBER, LAST_NUMBER + 1, 10**40])
def test_a_number_of_nobody_is_refused_audited_and_never_repeated(vault, number):
    with pytest.raises(InputError) as caught:
        vault.reveal(number, WHY)
    assert caught.value.code == "unknown_number"
    last = events(vault)[-1]
    assert (last.action, last.object) == ("refused", "identity/unknown")
    assert str(number) not in f"{caught.value.message} {last.why}"


def statements_that_change(vault, table):
    column = next(iter(table.primary_key)).name
    yield sa.update(table).values({column: table.c[column]})
    yield sa.delete(table)
    if vault.place.kind == "postgresql":
        yield sa.text(f"TRUNCATE {table.name} CASCADE")
    else:
        again = sa.select(table)
        yield sa.insert(table).prefix_with("OR REPLACE").from_select(list(table.c), again)


def test_no_row_is_ever_changed_or_removed(vault):
    vault.number_of("4711")
    before = rows_of(vault)
    for table in schema.metadata.sorted_tables:
        for statement in statements_that_change(vault, table):
            with (
                pytest.raises(sa.exc.DBAPIError, match="never changed"),
                vault.engine.begin() as connection,
            ):
                connection.execute(statement)
    assert rows_of(vault) == before


def test_sqlites_replace_takes_no_identity_over_through_its_index_either():
    table = schema.identity
    with Vault.create() as vault:
        vault.number_of("4711")
        before = rows_of(vault)
        renumbered = sa.select(table.c.number + 1, table.c.blind_index, table.c.created_at)
        theft = sa.insert(table).prefix_with("OR REPLACE").from_select(list(table.c), renumbered)
        with (
            pytest.raises(sa.exc.DBAPIError, match="never changed"),
            vault.engine.begin() as connection,
        ):
            connection.execute(theft)
        assert rows_of(vault) == before


def test_the_database_holds_no_original_no_key_and_no_hash_without_key(vault, tmp_path):
    numbers_given = vault.numbers_of(PEOPLE)
    vault.reveal(numbers_given[0], WHY)
    stored = repr(rows_of(vault)).encode()
    if vault.place.path is not None:
        stored += b"".join(file.read_bytes() for file in vault.place.path.parent.iterdir())
    for patient_id, issuer in PEOPLE:
        assert patient_id.encode() not in stored
        assert not issuer or issuer.encode() not in stored
    for field in vault.keys.to_text().split()[1:]:
        assert field.partition("=")[2].encode() not in stored
    for key in (*vault.keys.fernet, vault.keys.index, vault.keys.pseudonym):
        assert key not in stored


def test_nothing_of_a_patient_is_shown_logged_or_kept_in_clear(vault, caplog):
    with caplog.at_level(logging.DEBUG):
        number = vault.number_of("PLANTED^4711", "ELSEWHERE")
        identity = vault.reveal(number, WHY)
        with pytest.raises(InputError) as caught:
            vault.reveal(5, WHY)
    shown = f"{vault!r} {vault.__dict__!r} {identity!r} {caught.value!r} {caplog.text}"
    assert "PLANTED" not in shown
    assert "ELSEWHERE" not in shown
    assert vault.keys.to_text().split("index=")[1][:20] not in shown


def test_a_statement_that_fails_quotes_no_value(vault):
    row = {"number": 1, "generation": 1, "token": b"PLANTED"}
    with pytest.raises(sa.exc.IntegrityError) as caught, vault.engine.begin() as connection:
        connection.execute(sa.insert(schema.token), row)
    assert "PLANTED" not in str(caught.value)


def test_a_vault_is_made_once_and_its_keys_with_it(vault, url):
    number = vault.number_of("4711")
    with pytest.raises(WorkflowError) as caught:
        Vault.create(url)
    assert caught.value.code == "vault_taken"
    with Vault.open(url) as same:
        assert same.find("4711") == number
        assert same.pseudonym_key == vault.pseudonym_key
        assert len(same.pseudonym_key) == 32


def test_where_keys_lie_already_no_vault_is_made_over_them(url, folder):
    key = folder / "keys" / "vault.key"
    key.parent.mkdir(parents=True)
    key.write_text("another vault's", encoding="ascii")
    with pytest.raises(WorkflowError) as caught:
        Vault.create(url)
    assert caught.value.code == "vault_key"
    assert key.read_text(encoding="ascii") == "another vault's"
    with pytest.raises(WorkflowError) as caught:
        Vault.open(url)
    assert caught.value.code == "vault_missing"


def test_a_vault_that_could_not_be_made_leaves_no_keys(url, folder, monkeypatch):
    def fail(_):
        raise WorkflowError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "make_tables", fail)
        with pytest.raises(WorkflowError):
            Vault.create(url)
    assert list((folder / "keys").iterdir()) == []
    with Vault.create(url) as made:
        assert made.number_of("4711")


def test_a_vault_that_is_not_there_is_not_made_by_opening_it(url, folder):
    with pytest.raises(WorkflowError) as caught:
        Vault.open(url)
    assert caught.value.code == "vault_missing"
    assert not folder.exists()


def test_keys_of_another_vault_are_known_for_what_they_are(vault, url, tmp_path, monkeypatch):
    with Vault.create(tmp_path / "other") as other:
        foreign = other.place.keys.path
    with pytest.raises(WorkflowError) as caught:
        Vault.open(url, key=f"file:{foreign}")
    assert caught.value.code == "wrong_key"
    monkeypatch.setenv(KEY_VARIABLE, foreign.read_text(encoding="ascii"))
    with pytest.raises(WorkflowError) as caught:
        Vault.open(url)
    assert caught.value.code == "wrong_key"


def test_keys_may_come_from_the_environment(vault, url, monkeypatch):
    number = vault.number_of("4711")
    monkeypatch.setenv(KEY_VARIABLE, vault.keys.to_text())
    vault.place.keys.remove()
    with Vault.open(url) as same:
        assert same.number_of("4711") == number


def test_a_new_vault_takes_the_keys_that_the_environment_holds(vault, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, vault.keys.to_text())
    with Vault.create(tmp_path / "second") as second:
        assert second.pseudonym_key == vault.pseudonym_key
    assert not (tmp_path / "second" / "keys").exists()


def test_files_that_others_may_read_are_refused(folder):
    with Vault.create() as made:
        database, key = made.place.path, made.place.keys.path
    for file in (database, key):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o644)
        with pytest.raises(PrivacyError):
            Vault.open()
        file.chmod(0o600)
    Vault.open().close()


def test_a_newer_vault_is_not_touched(vault, url, monkeypatch):
    monkeypatch.setattr(schema, "VERSION", 0)
    with pytest.raises(WorkflowError) as caught:
        Vault.open(url)
    assert caught.value.code == "schema_new"


def test_a_file_that_is_no_database_is_called_damaged(folder):
    with Vault.create() as made:
        path = made.place.path
    for rest in path.parent.glob("vault.db-*"):
        rest.unlink()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(WorkflowError) as caught:
        Vault.open()
    assert caught.value.code == "vault_damaged"


def test_a_server_that_is_away_is_named_so(folder, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "unused")
    with pytest.raises(WorkflowError) as caught:
        Vault.open("postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none")
    assert caught.value.code == "vault_unreachable"
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_threads_share_a_vault(vault):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: vault.number_of(f"ID {n % 10}"), range(80)))
    assert len(set(found)) == 10
    assert len(rows_of(vault)["identity"]) == 10


def _register(url: str | None, seed: int, out: Path) -> None:
    with Vault.open(url) as vault:
        patients = [f"ID {(n * (seed + 3)) % 29}" for n in range(29)]  # each in another order
        found = {one: vault.number_of(one) for one in patients[:15]}
        rest = vault.numbers_of([(one, "") for one in patients[15:]])
        found |= dict(zip(patients[15:], rest, strict=True))
    out.write_text(json.dumps(found), encoding="utf-8")


def test_eight_processes_that_race_agree_on_every_number(vault, url, tmp_path):
    context = multiprocessing.get_context("spawn")
    outs = [tmp_path / f"{seed}.json" for seed in range(8)]
    processes = [
        context.Process(target=_register, args=(url, seed, out)) for seed, out in enumerate(outs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 8
    first, *others = [json.loads(out.read_text(encoding="utf-8")) for out in outs]
    assert all(other == first for other in others)
    assert len(set(first.values())) == 29
    assert sorted(row[0] for row in rows_of(vault)["identity"]) == sorted(first.values())
    assert list(checking.failures(vault)) == []
