"""Every published number leads back, and a chain that was tampered with does not hold."""

import csv
import json
import re
import shutil
import sqlite3
from decimal import Decimal

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.app.explain.explaining import Explainer, explain
from lesionary.app.explain.explanation import ExplainOptions
from lesionary.app.explain.provenance import write_study_prov
from lesionary.app.study import Study
from lesionary.core.errors import InputError, WorkflowError
from small_scans import write_scans

CELL = "ser-0001/1/volume_ml"


def csv_addresses(release):
    """Yield the address of every cell of every CSV that holds a number."""
    for path in sorted(release.rglob("*.csv")):
        file = path.relative_to(release).as_posix()
        with path.open(newline="", encoding="utf-8") as text:
            reader = csv.reader(text)
            header = next(reader)
            line = reader.line_num + 1
            for row in reader:
                yield from (
                    f"{file}:{line}:{column}"
                    for column, cell in zip(header, row, strict=True)
                    if is_number(cell)
                )
                line = reader.line_num + 1


def json_addresses(release):
    """Yield the pointer of every number of every JSON file but the manifest."""
    for path in sorted(release.rglob("*.json")):
        file = path.relative_to(release).as_posix()
        if file != "release.json":
            yield from (f"{file}#{one}" for one in pointers(json.loads(path.read_text("utf-8"))))


def pointers(value, place=""):
    if isinstance(value, dict):
        for key, one in value.items():
            yield from pointers(one, f"{place}/{key}")
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from pointers(one, f"{place}/{n}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", ["drafted", "read"])
def test_every_published_number_leads_back_to_a_scan_and_all_of_it_holds(name, request):
    study = Study.open(request.getfixturevalue(name))
    release = study.files.release
    addresses = [*csv_addresses(release), *json_addresses(release)]
    assert len(addresses) > 100
    explainer = Explainer.of(study)
    for address in addresses:
        found = explainer.explained(address)
        assert found.holds, (address, found.faults_of(found.hits[0]))
        kinds = {found.steps[step].kind for step in found.hits[0].path}
        assert kinds & {"series", "finding"}, address
        assert "unit/publish/release" in found.hits[0].path
    study.registry.close()


def test_what_is_printed_is_found_again_with_its_unit(drafted):
    study = Study.open(drafted)
    explainer = Explainer.of(study)
    exact = explainer.explained("ser-0001/2/volume_ml").hits[0].cell.text
    rounded = f"{float(exact):.1f} ml"
    assert {hit.cell.text for hit in explainer.explained(exact).hits} == {exact}
    found = explainer.explained(rounded)
    assert "lesions.csv" in {hit.cell.file for hit in found.hits}
    for hit in found.hits:
        assert "_ml" in hit.cell.column or hit.cell.row["unit"] == "ml"
        parts = [Decimal(part) for part in hit.cell.text.split(";")]
        assert any(abs(part - Decimal(rounded[:-3])) <= Decimal("0.05") for part in parts)
    study.registry.close()


@settings(max_examples=30)
@given(digits=st.integers(0, 12), data=st.data())
def test_a_number_is_found_however_it_is_rounded(drafted, digits, data):
    study = Study.open(drafted)
    with (study.files.release / "lesions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text = data.draw(st.sampled_from([row["volume_ml"] for row in rows]))
    options = ExplainOptions(reads_objects=False)
    found = Explainer.of(study, options).explained(f"{float(text):.{digits}f} ml")
    assert found.n_hits == len(found.hits) >= 1
    study.registry.close()


def test_a_number_that_stands_nowhere_is_refused(drafted):
    with pytest.raises(InputError, match="no published number"):
        explain(Study.open(drafted), "123456.789")


def test_a_walk_leads_from_a_draft_to_its_box_segmenter_code_and_scan(drafted):
    found = explain(Study.open(drafted), CELL)
    (hit,) = found.hits
    assert hit.path[0] == "release"
    assert [step.split("/")[0] for step in hit.path[2:]] == [
        "unit", "unit", "unit", "box", "series", "subject",
    ]  # fmt: skip
    assert found.steps["unit/annotate/ser-0001"].facts["model"]["name"] == "contour"
    run = found.steps["unit/measure/ser-0001"].facts["run"]
    assert len(run["code_digest"]) == 64
    assert "measure" in run["section"]
    (box,) = (found.steps[step] for step in hit.path if step.startswith("box/"))
    lesion = hit.facts["voxels"]["box_kji"]
    for (first, stop), low, high in zip(
        lesion, box.facts["bounds"][::2], box.facts["bounds"][1::2], strict=True
    ):
        assert low - 3 <= first < stop <= high + 3


def test_a_walk_leads_from_a_readers_lesion_to_that_readers_mask_alone(read):
    study = Study.open(read)
    found = explain(study, "ser-0001/1/mean_intensity")
    (mask,) = (step for step in found.steps.values() if step.kind == "annotation")
    assert mask.facts["author"] == "anna"
    assert found.hits[0].facts["made"]["reader"] == "anna"


def test_a_row_over_all_images_names_every_unit_that_entered(read):
    found = explain(Study.open(read), "agreement/summary.csv:2:mean")
    (hit,) = found.hits
    assert hit.sources == ("unit/agree/ser-0001", "unit/agree/ser-0002")
    assert hit.facts["units"] == 2
    authors = {step.facts["author"] for step in found.steps.values() if step.kind == "annotation"}
    assert authors == {"anna", "ben"}


def test_a_score_leads_to_references_and_prediction(read):
    found = explain(Study.open(read), "evaluation/model/cases.csv:2:dsc")
    authors = {step.facts["author"] for step in found.steps.values() if step.kind == "annotation"}
    assert {"anna", "model"} <= authors


def test_what_was_left_out_leads_to_its_finding(drafted):
    found = explain(Study.open(drafted), "left_out.csv:2:instances")
    assert [step.kind for step in found.steps.values()][-1] == "finding"


def test_a_voxel_is_named_in_nibabels_order(drafted):
    study = Study.open(drafted)
    (path, *_) = sorted(study.files.release.glob("images/*/*/masks/*.nii.gz"))
    data = np.asanyarray(nibabel.load(path).dataobj)
    i, j, k = map(int, np.argwhere(data == 2)[0])
    (hit,) = explain(study, f"masks/{path.name}@{i},{j},{k}").hits
    assert hit.cell.row["lesion"] == 2
    assert hit.cell.row["index_kji"] == [k, j, i]
    image = np.asanyarray(nibabel.load(str(path).replace("/masks/", "/images/")).dataobj)
    assert hit.cell.row["intensity"] == image[i, j, k]
    (outside,) = explain(study, f"masks/{path.name}@0,0,0").hits
    assert "no lesion" in outside.about
    with pytest.raises(InputError, match="no voxel"):
        explain(study, f"masks/{path.name}@999,0,0")


def test_the_lesions_box_is_where_the_mask_has_its_number(drafted):
    study = Study.open(drafted)
    place = explain(study, "ser-0002/1").hits[0].facts["voxels"]
    masks = sorted(study.files.release.glob("images/*/*/masks/*.nii.gz"))
    boxes = []
    for path in masks:
        inside = np.argwhere(np.asanyarray(nibabel.load(path).dataobj).transpose() == 1)
        low, high = inside.min(axis=0), inside.max(axis=0) + 1
        boxes.append((len(inside), [list(pair) for pair in zip(low, high, strict=True)]))
    assert (place["voxels"], place["box_kji"]) in boxes


def test_numbers_made_again_are_equal(drafted, read):
    for path, cell in ((drafted, CELL), (read, "evaluation/model/cases.csv:2:dsc")):
        found = explain(Study.open(path), cell, ExplainOptions(recomputes=True))
        again = [check for check in found.hits[0].checks if "made again" in check.what]
        assert found.holds
        assert again
        assert all(check.reason.startswith("recomputed: equal") for check in again)


def test_a_stage_of_another_protocol_cannot_be_made_again(copied):
    text = (copied / "study.toml").read_text("utf-8")
    text = re.sub(r"min_voxels = \d+", "min_voxels = 7", text)
    (copied / "study.toml").write_text(text, encoding="utf-8")
    found = explain(Study.open(copied), CELL, ExplainOptions(recomputes=True))
    assert [check.what for check in found.faults_of(found.hits[0])] == [
        "measure of ser-0001, made again"
    ]


def test_nothing_of_the_study_changes_while_it_is_explained(copied):
    study = Study.open(copied)
    before = {
        path: path.stat().st_size for path in copied.rglob("*") if "registry" not in str(path)
    }
    head = study.registry.head()
    explain(study, CELL, ExplainOptions(recomputes=True))
    assert study.registry.head() == head
    after = {path: path.stat().st_size for path in copied.rglob("*") if "registry" not in str(path)}
    assert after == before


@pytest.mark.parametrize("kind", ["mask", "layer", "image"])
def test_an_object_with_one_changed_byte_or_none_does_not_hold(copied, kind):
    study = Study.open(copied)
    measured = study.registry.units("measure")["ser-0001"].output
    annotated = study.registry.units("annotate")["ser-0001"].output
    object_id = {
        "mask": measured["mask"], "layer": annotated["layers"][0], "image": measured["object"],
    }[kind]  # fmt: skip
    path = study.objects.path_of(object_id)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    assert object_id[:12] in faults(study, CELL)
    path.unlink()
    assert object_id[:12] in faults(study, CELL)
    quick = explain(study, "ser-0002/1/voxels")
    assert quick.holds  # what does not lie on the way is not looked at


def faults(study, value):
    found = explain(study, value)
    assert not found.holds
    return " ".join(check.what for hit in found.hits for check in found.faults_of(hit))


def test_a_changed_table_does_not_hold(copied):
    path = copied / "release" / "lesions.csv"
    path.write_text(path.read_text("utf-8").replace("unreviewed", "affirmed"), encoding="utf-8")
    assert "lesions.csv is as published" in faults(Study.open(copied), CELL)


def test_a_forged_number_is_not_what_the_registry_gives(copied):
    path = copied / "release" / "lesions.csv"
    study = Study.open(copied)
    exact = explain(study, CELL).hits[0].cell.text
    path.write_text(path.read_text("utf-8").replace(exact, "99.5"), encoding="utf-8")
    assert "the registry gives this value" in faults(study, CELL)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE unit SET output = replace(output, '\"lesion\":1', '\"lesion\":3')",
            "unit/measure",
        ),
        ("UPDATE series SET modality = 'MR'", "series/ser-0001"),
        ("UPDATE run SET code_version = '9'", "run/"),
        ("UPDATE event SET actor = 'nobody' WHERE action = 'done'", "the audit's chain"),
        ("DELETE FROM event WHERE object = 'release'", "the audit tells of this release"),
        ("DELETE FROM event WHERE object = 'series/ser-0001'", "series/ser-0001 in the audit"),
    ],
)
def test_a_row_changed_behind_our_back_does_not_hold(copied, statement, what):
    with sqlite3.connect(copied / "registry.db") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
    database.close()
    assert what in faults(Study.open(copied), "lesions.csv:2:voxels")


def test_a_study_that_was_run_again_says_that_the_release_is_old(copied):
    text = (copied / "study.toml").read_text("utf-8")
    (copied / "study.toml").write_text(text.replace("low_hu = 40", "low_hu = 50"), "utf-8")
    study = Study.open(copied)
    study.measure()
    found = explain(study, CELL)
    reasons = " ".join(check.reason for check in found.faults_of(found.hits[0]))
    assert "publish" in reasons
    study.run()
    assert explain(study, CELL).holds


def test_a_release_elsewhere_is_explained_and_another_studys_is_refused(drafted, read, tmp_path):
    shutil.copytree(drafted / "release", tmp_path / "moved")
    study = Study.open(drafted)
    assert explain(study, CELL, ExplainOptions(release=tmp_path / "moved")).holds
    with pytest.raises(InputError) as caught:
        explain(study, CELL, ExplainOptions(release=read / "release"))
    assert caught.value.code == "other_study"
    with pytest.raises(WorkflowError) as missing:
        explain(study, CELL, ExplainOptions(release=tmp_path))
    assert missing.value.code == "not_published"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("lesions.csv:1", "no_such_line"),
        ("lesions.csv:999:voxels", "no_such_line"),
        ("lesions.csv:2:nothing", "no_such_column"),
        ("nothing.csv:2:voxels", "no_such_file"),
        ("lesions.json#/lesions/99", "no_such_value"),
        ("lesions.json#", "no_such_value"),
        ("release.json#/images", "no_walk"),
        ("ser-0001/99", "no_such_value"),
        ("ser-0001/1/nothing", "no_such_column"),
    ],
)
def test_a_place_that_is_not_there_is_refused_with_a_hint(drafted, value, code):
    with pytest.raises(InputError) as caught:
        explain(Study.open(drafted), value)
    assert (caught.value.code, bool(caught.value.hint)) == (code, True)


def test_one_series_is_explained_without_planning_the_study(drafted, monkeypatch):
    study = Study.open(drafted)
    monkeypatch.setattr(study.registry, "series_pages", pytest.fail)
    monkeypatch.setattr(study.registry, "all_series", pytest.fail)
    assert explain(study, CELL, ExplainOptions(recomputes=True)).holds


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("drafted", CELL),
        ("drafted", "ser-0001/1"),
        ("drafted", "lesions.json#/lesions/0/long_axis_points_mm/1/2"),
        ("drafted", "left_out.csv:2"),
        ("drafted", "metadata/patients.csv:2:patient_id"),
        ("read", "agreement/summary.csv:2:mean"),
        ("read", "evaluation/model/scores.csv:2:mean"),
        ("read", "ser-0002/1/mean_intensity"),
    ],
)
def test_the_document_says_nothing_without_a_reason(name, value, request, command):
    code, document = command("explain", request.getfixturevalue(name), value)
    assert (code, document["holds"]) == (0, True)


def test_a_study_on_a_database_server_is_explained_alike(postgres_url, tmp_path):
    study = Study.create(tmp_path / "study", registry=postgres_url)
    study.ingest([write_scans(tmp_path / "in", 1)])
    study.run()
    assert explain(study, CELL, ExplainOptions(recomputes=True)).holds
    assert write_study_prov(study, tmp_path / "prov.json") > 10
    study.registry.close()
