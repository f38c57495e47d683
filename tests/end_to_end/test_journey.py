"""A study from files to release, as a user and as a script see it."""

import csv
import json
import shutil

import numpy as np
import pytest

from lesionary import Study
from lesionary.cli.main import run_command
from lesionary.core.volume import LabelMap
from lesionary.io.image_file import read_image_file
from lesionary.io.nifti import write_nifti
from small_scans import blobs, scan, write_scans


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command with ``--json``; return its exit code and its document."""
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))

    def command(*arguments) -> tuple[int, dict]:
        capsys.readouterr()
        code = run_command([*(str(argument) for argument in arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


@pytest.fixture
def study(run, tmp_path):
    assert run("new", tmp_path / "study")[0] == 0
    return tmp_path / "study"


def test_boxes_become_measured_lesions_and_a_release(run, study, tmp_path):
    code, ingested = run("ingest", study, write_scans(tmp_path / "scans"))
    assert (code, len(ingested["series"]), ingested["boxes"]) == (0, 3, 6)
    assert {row["modality"] for row in ingested["series"]} == {"CT"}
    code, ran = run("run", study)
    assert (code, ran["failed"], len(ran["lesions"])) == (0, [], 6)
    truth_ml = np.bincount(blobs().ravel())[1:] * 1.5 * 1.5 * 3 / 1000
    for row in ran["lesions"]:
        assert row["label"] == "m,liver"
        assert row["method"] == "SEMIAUTOMATIC"
        assert min(abs(row["volume_ml"] / truth_ml - 1)) < 0.15
        assert row["reason"].keys() == {"reader", "part"}
    code, verified = run("verify", study)
    assert (code, verified["failed"]) == (0, [])
    assert verified["checked"] == len(verified["done"]) > 20
    _, status = run("status", study)
    assert {row["stage"]: row["done"] for row in status["stages"]} == {
        "prepare": 3, "annotate": 3, "measure": 3, "track": 3, "respond": 3, "agree": 0,
        "evaluate": 0, "publish": 1,
    }  # fmt: skip


def test_the_published_tables_say_what_was_measured(run, study, tmp_path):
    run("ingest", study, write_scans(tmp_path / "scans", with_masks=True))
    _, ran = run("run", study)
    with (study / "release" / "lesions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["volume_ml"]) for row in rows] == [row["volume_ml"] for row in ran["lesions"]]
    for path in (study / "release" / "images").rglob("masks/*.nii.gz"):
        mask, _ = read_image_file(path).as_label_map()
        labels_path = path.parents[1] / "labels" / path.name.replace(".nii.gz", ".json")
        assert json.loads(labels_path.read_text()) == {"1": "lesion", "2": "lesion"}
        counts = np.bincount(mask.array.ravel())[1:]
        assert sorted(counts, reverse=True) == list(counts)


def test_every_lesion_names_the_layer_and_the_value_that_it_was_measured_on(run, study, tmp_path):
    run("ingest", study, write_scans(tmp_path / "scans", with_masks=True))
    _, ran = run("measure", study)
    assert ran["lesions"]
    objects = Study.open(study).objects
    for row in ran["lesions"]:
        layer = objects.get_label_map(row["layer"])
        assert layer.labels[row["value"]] == row["label"]
        assert np.count_nonzero(layer.array == row["value"]) == row["voxels"]


def test_a_release_is_read_back_by_ingest_with_the_same_measures(run, study, tmp_path):
    run("ingest", study, write_scans(tmp_path / "scans", with_masks=True))
    _, first = run("run", study)
    again = tmp_path / "again"
    run("new", again, "--protocol", "recist-ct")
    edited = (again / "study.toml").read_text().replace('"thorax_abdomen"]', '"other"]')
    (again / "study.toml").write_text(edited)
    code, ingested = run("ingest", again, study / "release")
    assert (code, len(ingested["series"]), len(ingested["masks"])) == (0, 3, 3)
    _, second = run("run", again)
    names = ("label", "voxels", "volume_ml", "mean_intensity", "long_axis_mm", "short_axis_mm")
    measures = [
        sorted(tuple(row[name] for name in names) for row in ran["lesions"])
        for ran in (first, second)
    ]
    assert measures[0] == measures[1]


def test_a_mask_answers_the_box_around_the_same_lesion(run, study, tmp_path):
    scans = write_scans(tmp_path / "scans", 1)
    _, truth = scan(0)
    only_first = np.where(truth.array == 1, 1, 0).astype(np.uint16)
    write_nifti(scans / "p0_ct_mask.nii.gz", LabelMap(only_first, truth.geometry))
    run("ingest", study, scans)
    _, ran = run("run", study)
    assert sorted(str(row["segmenter"]) for row in ran["lesions"]) == ["None", "contour"]


def test_of_several_readers_the_first_counts_each_tumour_once(run, study, tmp_path):
    scans = tmp_path / "scans" / "p0" / "0"
    volume, truth = scan(0)
    scans.mkdir(parents=True)
    write_nifti(scans / "CT_image.nii.gz", volume)
    for reader in ("anna", "bert"):
        write_nifti(scans / f"{reader}_tumour.nii.gz", truth)
    pattern = "{subject}/{timepoint}/{reader}_*.nii.gz"
    code, ingested = run("ingest", study, tmp_path / "scans", "--reader-from", pattern)
    assert (code, len(ingested["masks"])) == (0, 2)
    _, ran = run("run", study)
    assert [row["reader"] for row in ran["lesions"]] == ["anna", "anna"]


def test_the_same_input_twice_changes_nothing(run, study, tmp_path):
    scans = write_scans(tmp_path / "scans", with_masks=True)
    run("ingest", study, scans)
    _, first = run("run", study)
    code, again = run("ingest", study, scans)
    assert code == 0
    assert {row["code"] for row in again["ignored"]} == {"duplicate_identical"}
    _, second = run("run", study)
    assert second["lesions"] == first["lesions"]


def test_a_change_of_the_protocol_redoes_what_it_touches(run, study, tmp_path):
    run("ingest", study, write_scans(tmp_path / "scans", with_masks=True))
    run("run", study)
    protocol = study / "study.toml"
    protocol.write_text(protocol.read_text().replace('"caliper"', '"as_published"'))
    _, ran = run("run", study)
    assert {unit.partition("/")[0] for unit in ran["done"]} == {
        "measure", "track", "respond", "publish",
    }  # fmt: skip


@pytest.mark.parametrize("damage", ["byte", "gone", "added", "mask", "object"])
def test_verify_finds_what_was_changed(run, study, tmp_path, damage):
    run("ingest", study, write_scans(tmp_path / "scans", 1, with_masks=True))
    run("run", study)
    release = study / "release"
    if damage == "byte":
        report = release / "report.html"
        report.write_text(report.read_text().replace("Lesions", "lesions", 1))
    elif damage == "gone":
        (release / "lesions.csv").unlink()
    elif damage == "added":
        (release / "notes.txt").write_text("mine")
    elif damage == "mask":
        shutil.copy(next(release.rglob("images/*.nii.gz")), next(release.rglob("masks/*.nii.gz")))
    else:
        largest = max((study / "objects").rglob("*"), key=lambda path: path.stat().st_size)
        largest.write_bytes(largest.read_bytes()[:-1])
    code, verified = run("verify", study)
    assert code == 1
    assert verified["failed"]


def test_a_study_is_worked_on_by_one_process_at_a_time(run, study):
    with Study.open(study).working():
        code, document = run("run", study)
    assert (code, document["error"]["code"]) == (2, "busy")


def test_one_tumour_given_twice_is_measured_once(run, study, tmp_path):
    scans = write_scans(tmp_path / "scans", 1, with_masks=True)
    shutil.copy(scans / "p0_ct_mask.nii.gz", scans / "p0_ct_seg.nii.gz")
    truth = read_image_file(scans / "p0_ct_mask.nii.gz")
    swapped = np.array([0, 2, 1], dtype=np.uint16)[truth.array]
    write_nifti(scans / "p0_ct_label.nii.gz", LabelMap(swapped, truth.geometry))
    _, ingested = run("ingest", study, scans)
    assert len(ingested["masks"]) >= 2
    code, ran = run("run", study)
    assert (code, len(ran["lesions"])) == (0, 2)


def test_a_lesion_that_another_covers_is_measured_and_published_without_a_picture(
    run, study, tmp_path
):
    scans = write_scans(tmp_path / "scans", 1, with_masks=True)
    truth = read_image_file(scans / "p0_ct_mask.nii.gz")
    inside = truth.array == 1
    smaller = inside.copy()
    smaller[np.unravel_index(np.argmax(inside), inside.shape)] = False
    write_nifti(scans / "p0_ct_seg.nii.gz", LabelMap(smaller.astype(np.uint16), truth.geometry))
    run("ingest", study, scans)
    code, ran = run("run", study)
    assert (code, len(ran["lesions"])) == (0, 3)
    assert run("verify", study)[0] == 0


def test_a_corrected_mask_of_a_later_ingest_replaces_the_lesion_it_corrects(run, study, tmp_path):
    first, later = tmp_path / "first", tmp_path / "later"
    write_scans(first, 1, with_masks=True)
    run("ingest", study, first)
    _, before = run("run", study)
    shutil.copytree(first, later)
    truth = read_image_file(first / "p0_ct_mask.nii.gz")
    corrected = np.where(truth.array == 2, 2, 0).astype(np.uint16)
    corrected[:, :, :29][corrected[:, :, :29] == 2] = 0
    write_nifti(later / "p0_ct_mask.nii.gz", LabelMap(corrected, truth.geometry))
    _, ingested = run("ingest", study, later)
    assert len(ingested["masks"]) == 1
    _, after = run("run", study)
    assert len(after["lesions"]) == 2
    volumes = [{row["voxels"] for row in ran["lesions"]} for ran in (before, after)]
    assert volumes[0] & volumes[1] == {int(np.count_nonzero(truth.array == 1))}
    assert int(np.count_nonzero(corrected)) in volumes[1]


def test_what_failed_stands_in_the_release_with_its_reason(run, study, tmp_path):
    run("ingest", study, write_scans(tmp_path / "scans", 2, with_masks=True))
    opened = Study.open(study)
    broken = opened.registry.all_series()[0]
    opened.objects.path_of(broken["object_id"]).write_bytes(b"overwritten")
    opened.registry.close()
    code, ran = run("run", study)
    assert code == 1
    assert {row["unit"] for row in ran["failed"]} == {f"prepare/{broken['id']}"}
    with (study / "release" / "left_out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["source"], row["code"]) == (broken["source"], "object_changed")
    assert "prepare failed" in (study / "release" / "report.html").read_text()


def test_status_tells_that_the_protocol_was_changed(run, study, tmp_path):
    run("ingest", study, write_scans(tmp_path / "scans", 1, with_masks=True))
    run("run", study)
    assert run("status", study)[1]["protocol_changed"] is False
    protocol = study / "study.toml"
    protocol.write_text(protocol.read_text().replace("gallery = 60", "gallery = 3"))
    assert run("status", study)[1]["protocol_changed"] is True


def test_sex_and_age_of_a_layout_come_back(run, study, tmp_path):
    run(
        "ingest", study, write_scans(tmp_path / "scans", 1, with_masks=True), "--subject", "someone"
    )
    run("run", study)
    layout = tmp_path / "layout"
    shutil.copytree(study / "release", layout)
    patients = layout / "metadata" / "patients.csv"
    header, row = patients.read_text().splitlines()
    assert row == "001,training,,,,,,"
    patients.write_text(f"{header}\n001,training,,F,64,,,\n")
    again = tmp_path / "again"
    run("new", again)
    assert run("ingest", again, layout)[0] == 0
    run("run", again)
    published = (again / "release" / "metadata" / "patients.csv").read_text()
    assert published == f"{header}\n001,training,,F,64,,,\n"


def boxes_csv(folder, *rows: str) -> None:
    (folder / "boxes.csv").write_text("\n".join(["image,lesion,i0,i1,j0,j1,k0,k1,label", *rows]))


def test_boxes_come_later_under_the_studys_own_names_and_correct_earlier_ones(run, study, tmp_path):
    scans = write_scans(tmp_path / "scans", 1)
    rows = (scans / "boxes.csv").read_text().splitlines()[1:]
    (scans / "boxes.csv").unlink()
    run("ingest", study, scans)
    later = tmp_path / "later"
    later.mkdir()
    named = [row.replace("p0_ct_image.nii.gz", "ser-0001").replace('"', "") for row in rows]
    boxes_csv(later, *named)
    code, ingested = run("ingest", study, later)
    assert (code, ingested["boxes"], ingested["left_out"]) == (0, 2, [])
    _, first = run("run", study)
    assert [row["label"] for row in first["lesions"]] == ["m,liver", "m,liver"]
    bounds = named[0].split(",")[2:8]
    smaller = [str(int(b) + (1 if n % 2 == 0 else -1)) for n, b in enumerate(bounds)]
    boxes_csv(later, ",".join(["ser-0001", "L1", *smaller, "m,lung"]))
    run("ingest", study, later)
    _, corrected = run("run", study)
    assert sorted(row["label"] for row in corrected["lesions"]) == ["m,liver", "m,lung"]


def test_a_label_beyond_the_vocabulary_is_warned_of_without_its_text(run, study, tmp_path):
    scans = write_scans(tmp_path / "scans", 1)
    text = (scans / "boxes.csv").read_text().replace("m,liver", "m,Mr Smith")
    (scans / "boxes.csv").write_text(text)
    code, ingested = run("ingest", study, scans)
    (series,) = ingested["series"]
    assert (code, series["outcome"]) == (0, "warned")
    assert {note["code"] for note in series["notes"]} >= {"label_unknown"}
    assert "Smith" not in json.dumps(ingested)


def test_a_second_reader_is_not_passed_over_in_silence(run, study, tmp_path):
    scans = tmp_path / "scans" / "p0" / "0"
    volume, truth = scan(0)
    scans.mkdir(parents=True)
    write_nifti(scans / "CT_image.nii.gz", volume)
    for reader in ("anna", "bert", "cleo"):
        write_nifti(scans / f"{reader}_tumour.nii.gz", truth)
    pattern = "{subject}/{timepoint}/{reader}_*.nii.gz"
    _, ingested = run("ingest", study, tmp_path / "scans", "--reader-from", pattern)
    codes = [note["code"] for note in ingested["series"][0]["notes"]]
    assert codes.count("several_readers") == 1
