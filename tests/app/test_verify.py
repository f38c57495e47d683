"""What ``verify`` says, and what it puts right."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lesionary.app.audit import accept_clock, anchor, remark
from lesionary.app.study import Study
from lesionary.app.verify import VerifyOptions, VerifyReport, verify_target
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.registry import registry as registry_module
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.facts import AUDITED
from lesionary.io.registry.registry import Registry
from lesionary.io.registry.status import PROTOCOL_DIGEST
from small_scans import write_scans
from tampering import Intruder, content, copy_study, make_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("made")).files.root


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Study:
    return Study.open(copy_study(made, tmp_path / "study"))


def failed(study: Study, **options: object) -> list[dict[str, str]]:
    study.registry.close()
    return verify_target(study.files.root, VerifyOptions(**options)).failed


def told(rows: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(row["unit"], row["code"]) for row in rows}


def drafted(study: Study) -> str:
    """Return a series without given masks: what stages make of it came in from nowhere."""
    drawn = {row["series_id"] for row in study.registry.rows(tables.annotation)}
    return next(row["id"] for row in study.registry.all_series() if row["id"] not in drawn)


def object_of(study: Study, stage: str, field: str) -> Path:
    record = study.registry.units(stage)[drafted(study)]
    name = record.output[field]
    return study.objects.path_of(name if isinstance(name, str) else name[0])


def release_bytes(study: Study) -> dict[str, bytes]:
    folder = study.files.release
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def at_another_time(monkeypatch: pytest.MonkeyPatch, **offset: float) -> None:
    """Let the machine's clock be off."""

    def utc_now() -> str:
        return (datetime.now(UTC) + timedelta(**offset)).isoformat(timespec="milliseconds")

    monkeypatch.setattr(registry_module, "utc_now", utc_now)


def test_a_sound_study_passes_and_says_what_was_looked_at(study):
    study.registry.close()
    document = verify_target(study.files.root).document()
    assert document["failed"] == []
    assert document["checked"] == len(document["done"])
    rows = sum(len(study.registry.rows(audited.table)) for audited in AUDITED)
    assert document["counts"]["rows"] == rows
    assert document["counts"]["events"] == study.registry.head().seq
    assert document["counts"]["objects"] == len(list(study.objects.list_ids()))
    assert {f"rows/{audited.table.name}" for audited in AUDITED} <= set(document["done"])


def test_every_hash_that_a_stage_puts_out_is_an_object(study):
    """So is needed: ``verify`` takes any hash in a unit's output for an object's name."""
    from lesionary.io.registry.checks import snapshot
    from lesionary.io.registry.object_names import needed_objects, possible_names

    with snapshot(study.registry) as connection:
        needed = {name for name, _ in needed_objects(connection)}
        possible = {name for name, _ in possible_names(connection)}
    assert needed == set(study.objects.list_ids())
    assert needed <= possible


def test_it_reads_one_state_while_somebody_writes(study, monkeypatch):
    from lesionary.app.verify import target

    looked = target.verify_release

    def write_then_look(*arguments: object) -> None:
        study.registry.say(Draft("remarked", "study", "written meanwhile"))
        looked(*arguments)

    monkeypatch.setattr(target, "verify_release", write_then_look)
    assert failed(study) == []


def test_a_broken_registry_is_one_sentence(study):
    study.registry.close()
    study.files.registry.write_bytes(os.urandom(50_000))
    with pytest.raises(WorkflowError, match="damaged") as error:
        verify_target(study.files.root)
    assert error.value.code == "registry_damaged"


def test_a_registry_whose_inner_pages_are_noise_is_told_with_all_else_that_is_wrong(study):
    study.registry.close()
    size = study.files.registry.stat().st_size
    with study.files.registry.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 8192)
    (study.files.release / "lesions.csv").write_text("")
    try:
        found = told(verify_target(study.files.root).failed)
    except WorkflowError as error:
        found = {("lesions.csv", "file_changed"), ("registry", error.code)}
    assert "registry_damaged" in {code for _, code in found}
    assert ("lesions.csv", "file_changed") in found


def test_triggers_that_are_gone_are_named_and_put_back(study):
    study.registry.close()
    with Intruder(study.files.root):
        pass
    assert {code for _, code in told(failed(study))} == {"guard_missing"}
    assert failed(study, repair=True) == []
    with (
        closing(sqlite3.connect(study.files.registry)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="never changed"),
    ):
        connection.execute("UPDATE event SET why = ''")


def test_a_wrong_count_is_counted_anew(study):
    study.registry.close()
    before = study.status()["counts"]
    with Intruder(study.files.root) as intruder:
        intruder.execute("UPDATE tally SET n = n + 3")
        intruder.execute("INSERT INTO tally VALUES ('unicorn', 4)")
    assert "count_wrong" in {code for _, code in told(failed(study))}
    assert failed(study, repair=True) == []
    assert study.status()["counts"] == before


@pytest.mark.parametrize(("stage", "field"), [("annotate", "layers"), ("measure", "mask")], ids=str)
@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_what_a_stage_made_is_made_again(study, stage, field, how):
    before, series = release_bytes(study), drafted(study)
    path = object_of(study, stage, field)
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9] + b"\x00" * 9)
    (fault,) = failed(study)
    assert fault["code"] == ("object_missing" if how == "gone" else "object_changed")
    assert f"unit/{stage}/{series}" in fault["reason"]
    repaired = verify_target(study.files.root, VerifyOptions(repair=True))
    assert any("made due again" in row["done"] for row in repaired.repaired)
    assert repaired.failed == []
    events = list(study.registry.events(of=f"unit/{stage}/{series}"))
    assert (events[-1].action, events[-1].why) == (
        "forgotten",
        "object missing: repaired by verify",
    )
    document = study.run().document()
    assert f"{stage}/{series}" in document["done"]
    assert document["failed"] == []
    assert path.is_file()
    assert failed(study) == []
    assert release_bytes(study) == before


@pytest.mark.parametrize("how", ["gone", "damaged"])
@pytest.mark.parametrize("what", ["series", "annotation"])
def test_what_came_in_comes_back_when_it_is_ingested_again(study, made, what, how):
    before = release_bytes(study)
    table = tables.series if what == "series" else tables.annotation
    row = study.registry.rows(table, order_by=("id",))[0]
    path = study.objects.path_of(row["object_id"])
    whole = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        half = len(whole) // 2
        path.write_bytes(whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :])
    report = verify_target(study.files.root, VerifyOptions(repair=True))
    (fault,) = report.failed
    assert fault["code"] == "object_missing"
    assert "ingest the source again" in fault["hint"]
    (repaired,) = report.repaired
    assert "ingest the source again" in repaired["done"]
    moved = study.files.root / "damaged" / row["object_id"]
    assert moved.is_file() == (how == "damaged")
    study.ingest([made.parent / "scans"])
    study.ingest([made.parent / "drawn"])
    assert path.read_bytes() == whole
    assert failed(study) == []
    assert study.run().document()["failed"] == []
    after = release_bytes(study)
    same = [name for name in before if name.startswith("images/") or name.endswith(".csv")]
    same.remove("summary.csv")  # counts what came in twice
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_repair_of_a_sound_study_changes_nothing(study):
    study.registry.close()
    before = content(study.files.registry)
    files = sorted(path for path in study.files.root.rglob("*") if path.is_file())
    report = verify_target(study.files.root, VerifyOptions(repair=True))
    assert (report.repaired, report.failed) == ([], [])
    assert content(study.files.registry) == before
    assert sorted(path for path in study.files.root.rglob("*") if path.is_file()) == files


def test_a_damaged_file_that_no_row_names_is_taken_away(study):
    noise = study.files.objects / "ff" / ("f" * 62)
    noise.parent.mkdir(exist_ok=True)
    noise.write_bytes(b"noise")
    assert told(failed(study)) == {("f" * 12, "object_changed")}
    assert failed(study, repair=True) == []
    assert (study.files.root / "damaged" / ("f" * 64)).read_bytes() == b"noise"


def test_a_repair_waits_for_nobody(study):
    with study.working(), pytest.raises(WorkflowError) as error:
        verify_target(study.files.root, VerifyOptions(repair=True))
    assert error.value.code == "busy"


def test_a_clock_that_is_behind_is_told_and_accepted_only_with_an_event(study, monkeypatch):
    at_another_time(monkeypatch, days=2)
    study.registry.say(Draft("remarked", "study", "written in the future"))
    monkeypatch.undo()
    assert told(failed(study)) == {("audit/clock", "clock_set_back")}
    with pytest.raises(WorkflowError) as error:
        study.registry.say(Draft("remarked", "study", ""))
    assert error.value.code == "clock_set_back"
    accept_clock(study, "the laptop's battery was empty")
    assert failed(study) == []
    study.registry.say(Draft("remarked", "study", "time goes on"))
    assert failed(study) == []


def test_time_that_steps_back_without_such_an_event_is_told(study, monkeypatch):
    at_another_time(monkeypatch, days=2)
    study.registry.say(Draft("remarked", "study", "written in the future"))
    monkeypatch.undo()
    with study.registry.writing(accepts_clock=True) as transaction:
        transaction.say(Draft("remarked", "study", "time steps back, and nobody says why"))
    last = study.registry.head().seq
    assert told(failed(study)) == {(f"event/{last}", "clock_set_back")}


def test_an_anchor_that_holds_passes(study, tmp_path):
    file = tmp_path / "anchors.jsonl"
    anchor(study, file)
    study.registry.say(Draft("remarked", "study", "more"))
    anchor(study, file)
    assert failed(study, anchor=file) == []


@pytest.mark.parametrize("text", ["", "no json\n", "[]\n", '{"study": "other"}\n', "7\n", "\xff"])
def test_what_is_no_anchor_is_refused(study, tmp_path, text):
    file = tmp_path / "anchors.jsonl"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError) as error:
        failed(study, anchor=file)
    assert error.value.code == "anchor"


def test_an_anchor_of_another_study_is_no_anchor_of_this(study, tmp_path):
    file = tmp_path / "anchors.jsonl"
    line = {"study": "another", "seq": 1, "hash": "0" * 64, "at": ""}
    file.write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match="no line is of this study"):
        failed(study, anchor=file)


def test_a_release_alone_is_checked_and_cannot_be_repaired(study):
    assert verify_target(study.files.release).failed == []
    with pytest.raises(InputError) as error:
        verify_target(study.files.release, VerifyOptions(repair=True))
    assert error.value.code == "usage"


def test_a_damaged_release_is_written_anew_by_publish(study):
    before = release_bytes(study)
    (study.files.release / "lesions.csv").write_text("")
    assert ("lesions.csv", "file_changed") in told(failed(study))
    study.publish()
    assert failed(study) == []
    assert release_bytes(study) == before


def test_a_protocol_that_was_edited_since_the_last_run_is_a_note_and_no_fault(study, capsys):
    def notes() -> list[tuple[str, str]]:
        study.registry.close()
        report = verify_target(study.files.root)
        assert (report.failed, "protocol" in report.done) == ([], True)
        return [(row["unit"], row["code"]) for row in report.document()["notes"]]

    text = study.files.read_protocol()
    assert notes() == []
    study.files.protocol.write_text(text.replace("min_voxels = ", "min_voxels = 1"))
    assert notes() == [("protocol", "protocol_changed")]
    assert run_command(["verify", str(study.files.root)]) == 0
    assert "note: study.toml was edited" in capsys.readouterr().out
    remark(study, "this was me", of="protocol")
    assert notes() == [("protocol", "protocol_changed")]
    noted = study.registry.meta(PROTOCOL_DIGEST)
    study.registry.set_meta(PROTOCOL_DIGEST, study.files.protocol_digest)
    assert notes() == [("protocol", "protocol_changed")], "no event tells of the new one"
    study.registry.set_meta(PROTOCOL_DIGEST, noted)
    study.files.protocol.write_text(text)
    assert notes() == []
    study.files.protocol.write_text(text.replace("min_voxels = ", "min_voxels = 1"))
    Study.open(study.files.root).run()
    assert notes() == []


def test_where_nothing_ran_no_protocol_is_another(tmp_path):
    study = Study.create(tmp_path / "study")
    study.files.protocol.write_text(study.files.read_protocol() + "# mine\n")
    study.registry.close()
    assert verify_target(study.files.root).document()["notes"] == []


def test_train_and_test_folders_that_share_a_patient_are_a_leak(study):
    study.registry.close()
    with Intruder(study.files.root) as intruder:
        intruder.execute("UPDATE series SET subset = 'test' WHERE id = 'ser-0099'")
    leaks = [row for row in failed(study) if row["unit"] == "leakage/folders"]
    assert leaks
    assert any("a patient" in row["reason"] and "ser-0099" in row["reason"] for row in leaks)


def test_a_section_that_ends_with_an_error_is_one_more_fault():
    report = VerifyReport()
    with report.section("one"):
        raise WorkflowError("it broke", code="registry_damaged", hint="mend it")
    with report.section("two"):
        pass
    assert report.document() == {
        "checked": 2,
        "done": ["two"],
        "failed": [
            {"unit": "one", "code": "registry_damaged", "reason": "it broke", "hint": "mend it"}
        ],
        "notes": [],
        "counts": {},
    }


def test_a_study_on_a_server_is_verified_and_repaired_alike(tmp_path, postgres_url):
    study = Study.create(tmp_path / "study", registry=postgres_url)
    study.ingest([write_scans(tmp_path / "scans", 1)])
    study.run()
    assert failed(study) == []
    with study.registry.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER event_no_update ON event")
        connection.exec_driver_sql("UPDATE event SET actor = 'x' WHERE seq = 3")
        connection.exec_driver_sql("UPDATE series SET region = 'abdomen'")
        connection.exec_driver_sql("DELETE FROM box WHERE id = 1")
        connection.exec_driver_sql("UPDATE tally SET n = 9 WHERE name = 'series'")
    object_of(study, "measure", "mask").unlink()
    found = told(failed(study))
    expected = {
        ("registry/guards", "guard_missing"),
        ("event/3", "event_changed"),
        ("series/ser-0001", "row_changed"),
        ("box/1", "row_removed"),
        ("rows/counts", "count_wrong"),
    }
    assert expected <= found
    assert "object_missing" in {code for _, code in found}
    left = {code for _, code in told(failed(study, repair=True))}
    assert left == {"event_changed", "row_changed", "row_removed"}
    with (
        study.registry.engine.connect() as connection,
        pytest.raises(Exception, match="never changed"),
    ):
        connection.exec_driver_sql("UPDATE event SET actor = 'y'")
    study.registry.close()
    assert postgres_url.rpartition("@")[0].rpartition(":")[2] not in str(found)


def test_memory_does_not_hold_the_rows(study, monkeypatch):
    """Rows come in pages, whatever their number."""
    from lesionary.io.registry import checks

    sizes = []
    whole = checks.last_facts

    def noted(connection: object, objects: list[str]) -> dict[str, str | None]:
        sizes.append(len(objects))
        return whole(connection, objects)

    monkeypatch.setattr(checks, "last_facts", noted)
    monkeypatch.setattr(checks, "_PAGE_SIZE", 2)
    assert failed(study) == []
    assert max(sizes) == 2


def test_python_has_the_same(study):
    assert isinstance(study.registry, Registry)
    assert study.verify(repair=True).document()["repaired"] == []
