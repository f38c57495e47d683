"""What comes in later: drawings on images held already, the same files again, new visits."""

import json
import shutil
import sqlite3

import numpy as np
import pytest

from dicom_factory import ct_series, write_series
from lesionary.cli.main import run_command
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.nifti import write_nifti
from small_scans import AFFINE, SHAPE, scan, write_scans
from structure_objects import FRAME_UID, SERIES_UID, contour, rtstruct, save_rtstruct


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.chdir(tmp_path)

    def command(*arguments) -> tuple[int, dict]:
        capsys.readouterr()
        code = run_command([*(str(argument) for argument in arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    assert command("new", "study")[0] == 0
    return command


def due(run) -> dict[str, int]:
    return {row["stage"]: row["due"] for row in run("status", "study")[1]["stages"]}


def test_a_series_ingested_again_beside_its_structures_is_not_two_images(run, tmp_path):
    slices = ct_series()
    for ds in slices:
        ds.SeriesInstanceUID, ds.FrameOfReferenceUID = SERIES_UID, FRAME_UID
    write_series(slices, tmp_path / "scans" / "ct")
    run("ingest", "study", "scans")
    run("run", "study")
    square = [(-18, -28, 40), (-15, -28, 40), (-15, -25, 40), (-18, -25, 40)]
    built = rtstruct({1: [contour(square)]}, names={1: "GTV"}, types={1: "GTV"})
    save_rtstruct(tmp_path / "scans" / "structures.dcm", built)
    code, again = run("ingest", "study", "scans")
    assert (code, again["left_out"]) == (0, [])
    assert [row["series"] for row in again["masks"]] == ["ser-0001"]
    assert len(run("run", "study")[1]["lesions"]) == 1


def test_a_folder_ingested_again_with_a_mask_more_gives_the_mask_its_image(run, tmp_path):
    scans = write_scans(tmp_path / "scans", 1)
    (scans / "boxes.csv").unlink()
    run("ingest", "study", scans)
    run("run", "study")
    assert set(due(run).values()) == {0}
    write_nifti(scans / "p0_ct_mask.nii.gz", scan(0)[1])
    code, again = run("ingest", "study", scans)
    assert (code, [row["code"] for row in again["ignored"]]) == (0, ["duplicate_identical"])
    assert [row["series"] for row in again["masks"]] == ["ser-0001"]
    assert {stage: n for stage, n in due(run).items() if n} == {
        "annotate": 1,
        "measure": 1,
        "track": 1,
        "respond": 1,
        "publish": 1,
    }
    assert len(run("run", "study")[1]["lesions"]) == 2
    notes = run("status", "study")[1]["series"][0]["notes"]
    assert [note["code"] for note in notes] == ["subject_from_file"]


def test_the_same_files_by_another_path_are_the_same_series(run, tmp_path):
    scans = write_scans(tmp_path / "scans", 2, with_masks=True)
    run("ingest", "study", "scans")
    shutil.copytree(scans, tmp_path / "elsewhere" / "copy")
    for spelling in (scans, "./scans", tmp_path / "elsewhere" / "copy"):
        code, again = run("ingest", "study", spelling)
        assert code == 0
        assert {row["code"] for row in again["ignored"]} == {"duplicate_identical"}
    status = run("status", "study")[1]
    assert (len(status["series"]), len(status["masks"])) == (2, 2)


def test_files_of_one_name_in_two_folders_are_two_subjects(run, tmp_path):
    for number in (1, 2):
        (tmp_path / f"p{number}").mkdir()
        write_nifti(tmp_path / f"p{number}" / "ct_image.nii.gz", scan(number)[0])
    assert run("ingest", "study", "p1", "p2")[0] == 0
    series = run("status", "study")[1]["series"]
    assert {row["subject"] for row in series} == {"sub-0001", "sub-0002"}


@pytest.mark.parametrize(
    "names",
    [("week2", "week10"), ("2", "10"), ("2019-12-31", "2020-03-01"), ("20191231", "20200301")],
)
def test_visits_are_counted_in_their_order_and_dates_are_not_kept(run, tmp_path, names):
    for number, name in enumerate(names):
        place = tmp_path / "visits" / "007" / name
        place.mkdir(parents=True)
        write_nifti(place / "ct_image.nii.gz", scan(number)[0])
        write_nifti(place / "anna_mask.nii.gz", scan(number)[1])
    pattern = "{subject}/{timepoint}/{reader}_*.nii.gz"
    _, ingested = run("ingest", "study", "visits", "--reader-from", pattern)
    sources = {row["timepoint"]: row["source"] for row in ingested["series"]}
    in_order = sorted(names)  # items are numbered in the order of their paths: two files a folder
    assert {t: in_order[int(s.split("#")[1]) // 2] for t, s in sources.items()} == dict(
        enumerate(names)
    )
    with sqlite3.connect("study/registry.db") as registry:
        dump = "\n".join(registry.iterdump())
    assert not any(name in dump for name in names if name.startswith("20"))


def test_what_a_reader_drew_is_measured_however_small(run, tmp_path):
    array = np.zeros(SHAPE, dtype=np.uint16)
    array[8:12, 10:18, 10:18] = 1
    array[20, 30, 30:32] = 1
    drawn = LabelMap(array, Geometry(SHAPE, AFFINE))
    for name, reader in (("read", "anna"), ("given", "image")):
        folder = tmp_path / name
        folder.mkdir()
        write_nifti(folder / "ct_image.nii.gz", scan(0 if reader == "anna" else 1)[0])
        write_nifti(
            folder / (f"{reader}_mask.nii.gz" if name == "read" else "ct_mask.nii.gz"), drawn
        )
    run("ingest", "study", "read", "--subject", "1", "--reader-from", "{reader}_mask.nii.gz")
    run("ingest", "study", "given", "--subject", "2")
    _, ran = run("run", "study")
    assert sorted((row["reader"] or "", row["voxels"]) for row in ran["lesions"]) == [
        ("", 256), ("anna", 2), ("anna", 256),
    ]  # fmt: skip
    assert '"voxels": 2' in (tmp_path / "study/release/lesions.json").read_text()


def test_a_release_without_images_that_show_nothing_is_up_to_date_the_second_time(run, tmp_path):
    scans = write_scans(tmp_path / "scans", 2, with_masks=True)
    (scans / "p1_ct_mask.nii.gz").unlink()
    protocol = tmp_path / "study/study.toml"
    text = protocol.read_text().replace(
        "images_without_lesions = true", "images_without_lesions = false"
    )
    protocol.write_text(text)
    run("ingest", "study", scans)
    assert "publish/release" in run("run", "study")[1]["done"]
    assert run("run", "study")[1]["done"] == []
    assert json.loads((tmp_path / "study/release/release.json").read_text())["images"] == 1


def test_sex_and_age_are_those_of_the_first_visit_in_whatever_order_files_lie(run, tmp_path):
    for folder, (series, date, age) in {
        "a": (8, "20210101", "065Y"), "b": (5, "20200101", "064Y"),
    }.items():  # fmt: skip
        slices = ct_series(series=series)
        for ds in slices:
            ds.StudyDate, ds.PatientAge, ds.PatientSex = date, age, "F"
            ds.StudyInstanceUID += f".{series}"
            ds.SOPInstanceUID += f".{series}"
        write_series(slices, tmp_path / "scans" / folder)
    run("ingest", "study", "scans")
    with sqlite3.connect("study/registry.db") as registry:
        assert registry.execute("SELECT sex, age FROM subject").fetchall() == [("F", 64)]
