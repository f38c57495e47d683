import io
import json

import pytest

from lesionary.cli.main import run_command

DONE, PARTLY, UNUSABLE = 0, 1, 2
WHY = ["--why", "asked by the ethics board"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LESIONARY_VAULT_KEY", raising=False)
    monkeypatch.delenv("LESIONARY_VAULT_URL", raising=False)
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("LESIONARY_ACTOR", "anna")
    return tmp_path / "vault"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request):
    """The option that names the vault."""
    is_server = request.param == "postgresql"
    return ["--vault", request.getfixturevalue("postgres_url")] if is_server else []


@pytest.fixture
def say(capsys):
    def run(*words):
        code = run_command(["vault", *words])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


@pytest.fixture
def answer(say):
    def run(*words):
        code, out, _ = say(*words, "--json")
        return code, json.loads(out)

    return run


def register(where, patient_id, issuer=""):
    from lesionary.io.vault.database import Vault

    with Vault.open(where[1] if where else None) as vault:
        return vault.number_of(patient_id, issuer)


def test_from_a_new_vault_to_a_retired_key(answer, where, monkeypatch):
    code, made = answer("create", *where)
    assert (code, made["keys"]) == (DONE, "file")
    number = register(where, "MRN 4711", "H")
    monkeypatch.setattr("sys.stdin", io.StringIO("MRN 4711\n"))
    assert answer("find", "--issuer", "H", *where) == (DONE, {"number": number})
    code, found = answer("reveal", str(number), *WHY, *where)
    assert (code, found) == (DONE, {"number": number, "patient_id": "MRN 4711", "issuer": "H"})
    assert answer("rotate", *WHY, *where) == (DONE, {"generation": 2, "n_identities": 1})
    code, retired = answer("retire", *WHY, *where)
    assert (code, retired["n_tokens"], retired["n_keys"]) == (DONE, 1, 1)
    code, page = answer("audit", *where)
    actions = [event["action"] for event in page["events"]]
    assert actions == ["created", "found", "revealed", "rotated", "retired"]
    assert {event["actor"] for event in page["events"]} == {"anna"}
    code, status = answer("status", *where)
    assert (status["n_identities"], status["n_events"], status["n_keys"]) == (1, 5, 1)
    code, report = answer("verify", "--anchor", status["anchor"], *where)
    assert (code, report["failed"]) == (DONE, [])


def test_a_reveal_without_a_reason_is_refused(answer):
    answer("create")
    number = str(register([], "4711"))
    code, refused = answer("reveal", number)
    assert (code, refused["error"]["code"]) == (UNUSABLE, "usage")
    code, refused = answer("reveal", number, "--why", "because")
    assert (code, refused["error"]["code"]) == (UNUSABLE, "reason")


@pytest.mark.parametrize("typed", ["DOE^JOHN", "4711", "²", "-5", "123456789"])
def test_what_is_no_number_is_refused_audited_and_not_repeated(say, answer, typed):
    answer("create")
    code, out, err = say("reveal", *WHY, "--", typed)
    assert code == UNUSABLE
    assert typed not in out + err
    _, page = answer("audit")
    assert page["events"][-1]["object"] == "identity/unknown"


def test_a_patient_whom_the_vault_does_not_know(say, answer, monkeypatch):
    answer("create")
    monkeypatch.setattr("sys.stdin", io.StringIO("DOE^JOHN\n"))
    code, found = answer("find", "-")
    assert (code, found["number"]) == (UNUSABLE, None)
    assert found["reason"]["number"]
    code, out, err = say("find", "DOE^JANE")
    assert (code, out) == (UNUSABLE, ""), "a script that reads a number gets none"
    assert "--issuer" in err
    assert "DOE" not in err
    _, page = answer("audit")
    assert "DOE" not in json.dumps(page)
    assert page["events"][-1]["action"] == "not_found"


def test_an_empty_input_is_nobody(answer, monkeypatch):
    answer("create")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, refused = answer("find")
    assert (code, refused["error"]["code"]) == (UNUSABLE, "subject_missing")


def test_at_a_terminal_the_id_is_asked_for_and_not_shown(say, answer, monkeypatch):
    answer("create")
    number = register([], "4711")
    asked = []

    def prompt(text, **options):
        asked.append(options)
        return "4711"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", prompt)
    assert say("find") == (DONE, f"{number}\n", "")
    assert asked == [{"hide_input": True, "err": True}]


def test_there_is_no_vault_until_it_is_made(answer, folder):
    code, refused = answer("status")
    assert (code, refused["error"]["code"]) == (UNUSABLE, "vault_missing")
    assert "vault create" in refused["error"]["hint"]
    assert not folder.exists()


def test_keys_go_where_they_are_told_and_are_never_shown(say, tmp_path):
    key = tmp_path / "elsewhere" / "ours.key"
    code, out, err = say("create", "--key", f"file:{key}")
    assert code == DONE
    assert str(key) in out
    for field in key.read_text(encoding="ascii").split()[1:]:
        assert field.partition("=")[2] not in out + err


def test_a_key_is_handed_out_before_it_is_used(say, answer):
    answer("create")
    assert answer("rotate", "--key-only") == (DONE, {"is_added": True, "n_keys": 2})
    assert answer("rotate", "--key-only") == (DONE, {"is_added": False, "n_keys": 2})
    assert answer("rotate", *WHY)[1]["generation"] == 2
    code, refused = answer("rotate")
    assert (code, refused["error"]["code"]) == (UNUSABLE, "reason")


def test_what_does_not_hold_is_listed(say, answer):
    from lesionary.io.vault import schema
    from lesionary.io.vault.database import Vault

    answer("create")
    with Vault.open() as vault, vault.writing() as connection:
        schema.drop_guards(connection, schema.event)
    code, report = answer("verify")
    assert (code, {one["code"] for one in report["failed"]}) == (PARTLY, {"guard_missing"})
    code, out, _ = say("verify")
    assert (code, "guard_missing" in out) == (PARTLY, True)


def test_the_texts_name_the_counts(say, where):
    say("create", *where)
    number = register(where, "a\x1b[2Jb", "H")
    code, out, _ = say("reveal", str(number), *WHY, *where)
    assert (code, "\x1b" in out, "issuer: H" in out) == (DONE, False, True)
    assert "1 identity encrypted" in say("rotate", *WHY, *where)[1]
    assert "1 old token removed; 1 old key dropped" in say("retire", *WHY, *where)[1]
    assert "1 identity on" in say("status", *where)[1]
    assert say("verify", *where) == (DONE, "The vault holds.\n", "")
    code, out, _ = say("audit", "--last", "1", *where)
    assert "retired" in out
    assert "3 before" in out


def test_a_kept_original_is_given_back_with_a_reason_that_the_audit_keeps(say, answer, tmp_path):
    from lesionary.io.kept_objects import KeptObjects
    from lesionary.io.vault.database import Vault

    answer("create")
    assert answer("kept") == (DONE, {"kept": []})
    with Vault.open() as vault:
        name = KeptObjects(vault).keep(b"original", "ultrasound")
    assert answer("kept") == (DONE, {"kept": [name]})
    output = tmp_path / "original.dcm"
    code, refused = answer("kept", name, "-o", str(output))
    assert (code, refused["error"]["code"], output.exists()) == (UNUSABLE, "reason", False)
    assert answer("kept", name)[0] == UNUSABLE
    code, given = answer("kept", name, "-o", str(output), *WHY)
    assert (code, given["bytes"], output.read_bytes()) == (DONE, 8, b"original")
    assert output.stat().st_mode & 0o077 == 0
    event = answer("audit", "--last", "1")[1]["events"][0]
    assert (event["action"], event["object"]) == ("gave", f"kept/{name}")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (["--why", ""], "no reason was given"),
        (["--why", "  "], "no reason was given"),
        (["--why", "because"], "and it has 1"),
        (["--why", "a b c d"], "and it has 0"),
        (["--why", "word " * 500], "too long: 2499 characters"),
    ],
)
@pytest.mark.parametrize(
    "asked", [["reveal", "123456789"], ["retire"], ["rotate"], ["kept", "one", "-o", "out"]]
)
def test_a_reason_that_is_none_is_told_what_it_lacks(say, asked, why, said):
    say("create")
    code, _, err = say(*asked, *why)
    assert code == UNUSABLE
    assert said in err
    assert "hint: --why" in err


@pytest.mark.parametrize("key", ["nonsense", "file:", "keyring:", " "])
def test_keys_go_to_a_place_that_is_one(say, folder, key):
    code, _, err = say("create", "--key", key)
    assert code == UNUSABLE
    assert "keyring:NAME" in err
    assert not folder.exists()


def test_a_new_vault_says_where_it_lies(say, folder):
    _, out, _ = say("create")
    assert str(folder / "database" / "vault.db") in out
    assert str(folder / "keys" / "vault.key") in out


def test_events_are_counted_from_one(say):
    say("create")
    code, _, err = say("audit", "--last", "0")
    assert code == UNUSABLE
    assert "--last takes a whole number of at least 1" in err
