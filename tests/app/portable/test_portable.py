import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lesionary.app.portable import export_study, import_study
from lesionary.app.study import Study
from lesionary.core.errors import InputError, LesionaryError, PrivacyError, WorkflowError
from lesionary.io.durable import PARTIAL
from lesionary.io.lock import exclusive
from lesionary.io.registry import tables
from lesionary.io.release_files import file_digest
from portable_study import exported, imported, make_study, members_of, schemas_of
from small_scans import write_scans


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def imported_is_whole(root, archive, again):
    return exported(Study.open(root), again) == archive.read_bytes()


def test_a_study_comes_back_with_the_same_hashes(study, archive, tmp_path):
    copy = imported(archive, tmp_path / "copy")
    assert copy.section == study.section
    assert list(copy.registry.events()) == list(study.registry.events())
    assert copy.registry.head() == study.registry.head()
    assert list(copy.objects.list_ids()) == list(study.objects.list_ids())
    assert files_of(copy.files.release) == files_of(study.files.release)
    assert copy.status() == study.status()
    assert exported(copy, tmp_path / "again.tar") == archive.read_bytes()


def test_a_study_goes_to_a_server_and_back_byte_for_byte(archive, tmp_path, postgres_url):
    there = imported(archive, tmp_path / "there", registry=postgres_url)
    assert there.registry.place.url == postgres_url
    assert not there.files.registry.exists()
    second = exported(there, tmp_path / "second.tar")
    back = imported(tmp_path / "second.tar", tmp_path / "back")
    assert exported(back, tmp_path / "third.tar") == second == archive.read_bytes()


def test_a_study_that_was_made_on_a_server_is_the_same_archive_from_a_file(tmp_path, postgres_url):
    made = make_study(tmp_path / "study", postgres_url)
    first = exported(made, tmp_path / "first.tar")
    copy = imported(tmp_path / "first.tar", tmp_path / "copy")
    assert exported(copy, tmp_path / "second.tar") == first


def test_an_address_with_its_password_does_not_travel(tmp_path, postgres_url):
    made = make_study(tmp_path / "study", postgres_url)
    content = exported(made, tmp_path / "study.tar")
    assert b"postgresql" not in content
    protocol = members_of(tmp_path / "study.tar")["study.toml"].decode()
    assert "registry" not in tomllib.loads(protocol)


def test_a_database_named_in_a_comment_is_refused(study, tmp_path):
    protocol = study.files.protocol
    protocol.write_text(protocol.read_text() + "# was postgresql+psycopg://me:secret@host/db\n")
    with pytest.raises(PrivacyError) as refused:
        export_study(study, tmp_path / "study.tar")
    assert "secret" not in str(refused.value)
    assert not (tmp_path / "study.tar").exists()


def test_guards_protect_the_copy_on_either_database(archive, tmp_path, postgres_url):
    for name, url in (("file", None), ("server", postgres_url)):
        copy = imported(archive, tmp_path / name, registry=url)
        for statement in (sa.delete(tables.event), sa.update(tables.annotation).values(author="x")):
            with pytest.raises(sa.exc.DBAPIError), copy.registry.engine.begin() as connection:
                connection.execute(statement)
        copy.registry.close()


def test_a_reference_to_nothing_is_refused_in_the_copy_too(archive, tmp_path, postgres_url):
    copy = imported(archive, tmp_path / "copy", registry=postgres_url)
    row = {"id": "x", "series_id": "ser-0001", "object_id": "0", "author": "a", "role": "reader"}
    row |= {"review_state": "unreviewed", "ingest": 1, "parent_id": "nobody"}
    with pytest.raises(sa.exc.IntegrityError), copy.registry.engine.begin() as connection:
        connection.execute(sa.insert(tables.annotation), row)
    copy.registry.close()


def test_logs_locks_keys_and_claims_do_not_travel(study, tmp_path):
    study.files.logs.joinpath("run.jsonl").write_text("{}")
    claim = {"stage": "measure", "name": "ser-0001", "holder": "somebody"}
    with study.registry.engine.begin() as connection:
        connection.execute(sa.insert(tables.claim), claim)
    export_study(study, tmp_path / "study.tar")
    tops = {name.split("/")[0] for name in members_of(tmp_path / "study.tar")}
    assert tops == {
        "lesionary-study.json", "study.toml", "objects", "release", "tables", "SHA256SUMS",
    }  # fmt: skip
    assert not any("claim" in name for name in members_of(tmp_path / "study.tar"))
    assert study.key not in (tmp_path / "study.tar").read_bytes()


def test_what_the_release_does_not_list_stays_behind(study, tmp_path):
    (study.files.release / "notes of mine.txt").write_text("private")
    content = exported(study, tmp_path / "study.tar")
    assert b"private" not in content


def test_a_study_without_a_release_travels_too(study, tmp_path):
    for path in sorted(study.files.release.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    first = exported(study, tmp_path / "first.tar")
    copy = imported(tmp_path / "first.tar", tmp_path / "copy")
    assert not copy.files.release.exists()
    assert exported(copy, tmp_path / "second.tar") == first


@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_faulty_object_is_named_and_nothing_is_written(study, tmp_path, how):
    object_id = next(study.objects.list_ids())
    path = study.objects.path_of(object_id)
    if how == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[-9] ^= 1
        path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        export_study(study, tmp_path / "study.tar")
    assert refused.value.code == f"object_{how}"
    assert refused.value.source == f"object {object_id[:12]}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study"]


def test_a_damaged_release_is_named(study, tmp_path):
    (study.files.release / "lesions.csv").write_text("series,lesion\nser-0001,2\n")
    with pytest.raises(WorkflowError) as refused:
        export_study(study, tmp_path / "study.tar")
    assert (refused.value.code, refused.value.source) == ("release_damaged", "release/lesions.csv")
    (study.files.release / "lesions.csv").unlink()
    with pytest.raises(WorkflowError, match="gone") as refused:
        export_study(study, tmp_path / "study.tar")
    assert refused.value.source == "release/lesions.csv"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE series SET region = 'abdomen' WHERE number = 2",
        "UPDATE event SET why = 'because' WHERE seq = 3",
        "DELETE FROM event WHERE seq = 4",
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
        "DELETE FROM box",
        "DELETE FROM head",
        "INSERT INTO subject VALUES ('sub-0009', 9, 'x', NULL, NULL, 0, NULL)",
    ],
)
def test_a_study_whose_audit_does_not_hold_is_not_exported(study, tmp_path, statement):
    study.registry.close()
    with closing(sqlite3.connect(study.files.registry)) as database:
        for name in ("event_no_update", "event_no_delete"):
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        database.commit()
    with pytest.raises(WorkflowError) as refused:
        export_study(study, tmp_path / "study.tar")
    assert refused.value.code == "audit_broken"
    assert not (tmp_path / "study.tar").exists()


def test_nobody_works_on_a_study_while_it_is_exported(study, tmp_path):
    with exclusive(study.files.lock), pytest.raises(WorkflowError) as refused:
        export_study(study, tmp_path / "study.tar")
    assert refused.value.code == "busy"


def test_nothing_that_stands_there_is_replaced(study, archive, tmp_path):
    before = archive.read_bytes()
    with pytest.raises(WorkflowError) as refused:
        export_study(study, archive)
    assert refused.value.code == "archive_taken"
    with pytest.raises(WorkflowError, match="not empty"):
        import_study(archive, study.files.root)
    assert archive.read_bytes() == before
    with pytest.raises(InputError, match="in the study itself"):
        export_study(study, study.files.root / "study.tar")


def test_a_database_holds_a_study_once(archive, tmp_path, postgres_url):
    imported(archive, tmp_path / "one", registry=postgres_url).registry.close()
    with pytest.raises(WorkflowError) as refused:
        import_study(archive, tmp_path / "two", registry=postgres_url)
    assert refused.value.code == "registry_taken"
    assert not (tmp_path / "two").exists()
    assert imported_is_whole(tmp_path / "one", archive, tmp_path / "again.tar")


def test_a_refused_archive_leaves_nothing_on_a_server(archive, tmp_path, postgres_url):
    content = archive.read_bytes()
    broken = tmp_path / "broken.tar"
    broken.write_bytes(content[: len(content) * 9 // 10])
    with pytest.raises(InputError):
        import_study(broken, tmp_path / "copy", registry=postgres_url)
    assert schemas_of(postgres_url) == set()
    assert not (tmp_path / "copy").exists()
    assert not list(tmp_path.glob(f"{PARTIAL}*"))


def test_a_folder_that_cannot_get_its_name_takes_the_schema_with_it(
    archive, tmp_path, postgres_url, monkeypatch
):
    def refuse(self):
        raise WorkflowError("the disk is gone", code="not_writable")

    monkeypatch.setattr("lesionary.io.study_files.PendingFolder.settle", refuse)
    with pytest.raises(WorkflowError, match="disk is gone"):
        import_study(archive, tmp_path / "copy", registry=postgres_url)
    assert schemas_of(postgres_url) == set()


def test_an_unreachable_server_leaves_nothing_and_no_password(archive, tmp_path):
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/none"
    with pytest.raises(LesionaryError) as refused:
        import_study(archive, tmp_path / "copy", registry=url)
    assert refused.value.code == "registry_unreachable"
    assert "secret" not in f"{refused.value} {refused.value.hint} {refused.value.source}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.tar"]


def test_the_environment_names_the_database_of_an_import(
    archive, tmp_path, postgres_url, monkeypatch
):
    monkeypatch.setenv("LESIONARY_REGISTRY_URL", postgres_url)
    receipt = import_study(archive, tmp_path / "copy")
    assert receipt.document()["registry"] == "postgresql"
    assert "postgresql" not in (tmp_path / "copy" / "study.toml").read_text()
    assert imported_is_whole(tmp_path / "copy", archive, tmp_path / "again.tar")


def test_an_imported_study_has_nothing_to_run_and_its_release_is_the_same(tmp_path, command):
    study, copy = tmp_path / "study", tmp_path / "copy"
    command("new", study)
    command("ingest", study, write_scans(tmp_path / "scans", 2))
    command("run", study)
    code, told = command("export", study, tmp_path / "first.tar")
    assert code == 0
    assert told["bytes"] == (tmp_path / "first.tar").stat().st_size
    assert told["sha256"] == file_digest(tmp_path / "first.tar")
    assert told["tables"]["series"] == 2
    code, made = command("import", tmp_path / "first.tar", copy)
    assert code == 0
    assert made == {
        "study": str(copy),
        "id": Study.open(study).section.id,
        "objects": told["objects"],
        "events": told["tables"]["event"],
        "registry": "sqlite",
    }
    assert command("run", copy)[1]["done"] == []
    assert command("verify", copy)[1]["failed"] == []
    assert files_of(copy / "release") == files_of(study / "release")
    assert command("export", copy, tmp_path / "second.tar")[1]["sha256"] == told["sha256"]


def test_a_run_finds_nothing_to_do_on_a_server_either(tmp_path, command, postgres_url):
    study, copy = tmp_path / "study", tmp_path / "copy"
    command("new", study)
    command("ingest", study, write_scans(tmp_path / "scans", 1))
    command("run", study)
    first = command("export", study, tmp_path / "first.tar")[1]
    command("import", tmp_path / "first.tar", copy, "--registry", postgres_url)
    assert not command("status", copy)[1]["protocol_changed"]
    assert command("run", copy)[1]["done"] == []
    assert command("export", copy, tmp_path / "second.tar")[1]["sha256"] == first["sha256"]


def test_what_is_wrong_with_an_archive_is_said_in_the_contracts_words(archive, tmp_path, command):
    content = archive.read_bytes()
    archive.write_bytes(content[:3000])
    code, document = command("import", archive, tmp_path / "copy")
    assert code == 2
    assert document["error"]["code"] == "truncated"
