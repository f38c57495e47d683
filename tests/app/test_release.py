"""Nobody publishes what somebody else wrote into the database."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from lesionary.app import release as publishing
from lesionary.app.study import Study
from lesionary.app.verify import VerifyOptions, verify_target
from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.facts import AUDITED
from small_scans import write_scans
from tampering import Intruder, copy_study, make_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("made")).files.root


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Study:
    return Study.open(copy_study(made, tmp_path / "study"))


def release_bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(study: Study, out: Path | None = None) -> WorkflowError:
    """Publish, and return why not; nothing may be left of the attempt."""
    with pytest.raises(WorkflowError) as caught, closing(study.registry):
        study.publish(out)
    assert caught.value.code == "audit_broken"
    assert "lesionary verify" in caught.value.hint
    assert [path for path in study.files.root.iterdir() if "partial" in path.name] == []
    return caught.value


def a_unit(intruder: Intruder, stage: str) -> dict[str, object]:
    return next(row for row in intruder.rows("unit") if row["stage"] == stage and row["output"])


def test_a_number_that_somebody_changed_in_the_database_is_not_published(study, tmp_path):
    before = release_bytes(study.files.release)
    with Intruder(study.files.root) as intruder:
        unit = next(
            row
            for row in intruder.rows("unit")
            if row["stage"] == "measure" and json.loads(str(row["output"]))["lesions"]
        )
        output = json.loads(str(unit["output"]))
        output["lesions"][0]["volume_ml"] *= 10
        text = json.dumps(output, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        intruder.replace("unit", unit, unit | {"output": text})
    name = f"unit/measure/{unit['name']}"
    assert name in refused(study).message
    assert name in refused(study, tmp_path / "elsewhere").message
    assert release_bytes(study.files.release) == before
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("audited", AUDITED, ids=lambda one: one.kind)
def test_whatever_row_was_changed_or_added_or_removed_is_named(study, audited):
    table = audited.table
    column = next(
        one.name
        for one in reversed(table.columns)
        if one.name not in {*audited.names, "version"}
        and one.type.python_type is str
        and not one.foreign_keys
    )
    with Intruder(study.files.root) as intruder:
        row = intruder.rows(table.name)[0]
        changed = row | {column: "somebody's"}
        intruder.execute("PRAGMA foreign_keys = OFF")
        intruder.replace(table.name, row, changed)
        assert audited.object_of(row) in refused(study).message
        intruder.replace(table.name, changed, row)
        intruder.remove(table.name, row)
        assert audited.object_of(row) in refused(study).message
        intruder.add(table.name, row)
    assert study.publish().n_images


def test_a_row_changed_together_with_its_event_is_named_by_the_chain(study):
    from lesionary.io.registry.facts import fact_of

    with Intruder(study.files.root) as intruder:
        unit = a_unit(intruder, "evaluate" if study.registry.units("evaluate") else "measure")
        changed = unit | {"seed": 7}
        intruder.replace("unit", unit, changed)
        name = f"unit/{unit['stage']}/{unit['name']}"
        (event, *_) = [row for row in intruder.rows("event") if row["object"] == name]
        intruder.replace("event", event, event | {"fact": fact_of(changed)})
    assert f"event/{event['seq']}" in refused(study).message


def test_text_that_is_no_output_at_all_is_named_and_no_bug(study):
    with Intruder(study.files.root) as intruder:
        unit = a_unit(intruder, "measure")
        intruder.replace("unit", unit, unit | {"output": "nonsense"})
    assert f"unit/measure/{unit['name']}" in refused(study).message


def test_what_is_changed_while_images_are_written_is_not_published(study, monkeypatch):
    write_tables = publishing.write_tables

    def change_first(*arguments: object) -> None:
        with Intruder(study.files.root) as intruder:
            intruder.execute("UPDATE unit SET seed = 7 WHERE stage = 'agree'")
            intruder.execute("UPDATE series SET region = 'other'")
        write_tables(*arguments)

    monkeypatch.setattr(publishing, "write_tables", change_first)
    before = release_bytes(study.files.release)
    refused(study)
    assert release_bytes(study.files.release) == before


def test_a_run_that_would_publish_is_refused_as_well(study):
    text = study.files.read_protocol()
    study.files.protocol.write_text(text.replace("gallery = ", "gallery = 1"))
    with Intruder(study.files.root) as intruder:
        mask = intruder.rows("annotation")[0]
        intruder.replace("annotation", mask, mask | {"author": "somebody"})
    with pytest.raises(WorkflowError) as caught:
        Study.open(study.files.root).run()
    assert caught.value.code == "audit_broken"
    assert f"annotation/{mask['id']}" in caught.value.message


def test_what_was_put_back_by_repair_is_published(study):
    study.objects.path_of(study.registry.units("measure")["ser-0001"].output["mask"]).unlink()
    study.registry.close()
    assert verify_target(study.files.root, VerifyOptions(repair=True)).failed == []
    again = Study.open(study.files.root)
    assert again.run().document()["failed"] == []
    assert again.publish().n_images == 4


def test_a_server_is_not_believed_either(tmp_path, postgres_url):
    study = Study.create(tmp_path / "study", registry=postgres_url)
    study.ingest([write_scans(tmp_path / "scans", 1, with_masks=True)])
    study.run()
    assert study.publish().n_images == 1
    unit = study.registry.units("measure")["ser-0001"]
    output = unit.output | {"lesions": [one | {"volume_ml": 1e3} for one in unit.output["lesions"]]}
    with study.registry.engine.begin() as connection:
        query = tables.unit.update().where(tables.unit.c.stage == "measure")
        connection.execute(query.values(output=output))
    assert "unit/measure/ser-0001" in refused(study).message
    with study.registry.engine.begin() as connection:
        query = tables.unit.update().where(tables.unit.c.stage == "measure")
        connection.execute(query.values(output=unit.output))
    assert study.publish().n_images == 1
    with study.registry.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE unit DROP COLUMN output")
    with pytest.raises(WorkflowError) as caught:
        study.publish()
    assert caught.value.code == "registry_damaged"
    report = verify_target(study.files.root, VerifyOptions(repair=True))
    told = {(row["unit"], row["code"]) for row in report.failed}
    assert ("registry", "not_checked") in told
    assert ("registry/definitions", "definition_changed") in told
    study.registry.close()
