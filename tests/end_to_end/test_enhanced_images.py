"""An enhanced multi-frame image and its slices, file by file, lead to the same study."""

import csv
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from dicom_factory import CORONAL, ct_series, encode, stored_values, uid
from dicom_factory import write_series as write_files
from enhanced_factory import enhanced
from lesionary import Study
from lesionary.app.intake.rows import known_images
from lesionary.cli.main import run_command
from lesionary.core.volume import Geometry
from lesionary.io.image_file import read_image_file
from lesionary.io.registry import tables
from small_scans import BOX_COLUMNS, blobs
from structure_objects import contour, dataset, rtstruct, save_rtstruct, save_seg, seg

SPACING_MM = (3.0, 1.5, 1.5)
ORIGIN_MM = (-30.0, -25.0, 10.0)
MEASURES = ("volume_ml", "mean_intensity", "long_axis_mm", "short_axis_mm", "diameter_mm", "label")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command with ``--json``; return its exit code and its document."""
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))

    def command(*arguments) -> tuple[int, dict]:
        capsys.readouterr()
        code = run_command([*(str(argument) for argument in arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


def slices():
    """Return a CT of two lesions, slice by slice, highest slice first."""
    truth = blobs()
    noise = np.random.default_rng(1).normal(0, 12, truth.shape)
    stored = np.round(np.where(truth > 0, 60, -20) + noise + 1024).astype(np.int16)
    return ct_series(stored, spacing_mm=SPACING_MM, origin_mm=ORIGIN_MM)[::-1]


def write_boxes(folder: Path, image: str) -> None:
    rows = []
    for value in (1, 2):
        inside = np.argwhere(blobs() == value)
        bounds = np.array([inside.min(axis=0) - 1, inside.max(axis=0) + 2])
        named = dict(zip(("k0", "j0", "i0", "k1", "j1", "i1"), bounds.ravel(), strict=True))
        rows.append({"image": image, "lesion": value, "label": "m,liver", **named})
    with (folder / "boxes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, BOX_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_the_lesions_are_those_of_the_single_frames(run, tmp_path):
    measured = {}
    for name, files in (("single", slices()), ("multi", [enhanced(slices())])):
        folder = tmp_path / name
        write_files(files, folder / "ct")
        write_boxes(folder, "ct")
        study = tmp_path / f"{name}-study"
        assert run("new", study)[0] == 0
        code, ingested = run("ingest", study, folder)
        assert (code, len(ingested["series"]), ingested["boxes"]) == (0, 1, 2)
        assert [ingested["left_out"], ingested["series"][0]["notes"]] == [[], []]
        code, ran = run("run", study)
        assert (code, ran["failed"]) == (0, [])
        measured[name] = [[row[key] for key in MEASURES] for row in ran["lesions"]]
        assert run("verify", study)[0] == 0
    assert len(measured["single"]) == 2
    assert measured["multi"] == measured["single"]


def test_ingested_again_the_file_is_held_already(run, tmp_path):
    encode(enhanced(slices()), tmp_path / "ct.dcm")
    study = tmp_path / "study"
    run("new", study)
    run("ingest", study, tmp_path / "ct.dcm")
    code, again = run("ingest", study, tmp_path / "ct.dcm")
    assert (code, len(again["series"]), again["left_out"]) == (0, 1, [])
    assert [row["code"] for row in again["ignored"]] == ["duplicate_identical"]


def two_orientations():
    coronal = ct_series(
        stored_values((6, 40, 44)), spacing_mm=SPACING_MM, orientation=CORONAL, origin_mm=ORIGIN_MM
    )
    return enhanced([*slices(), *coronal], are_shared=False)


def test_one_file_may_hold_two_series(run, tmp_path):
    encode(two_orientations(), tmp_path / "ct.dcm")
    study = tmp_path / "study"
    run("new", study)
    for _ in range(2):
        code, ingested = run("ingest", study, tmp_path / "ct.dcm")
        assert (code, len(ingested["series"]), ingested["left_out"]) == (0, 2, [])
    shapes = [row["shape"][0] for row in run("status", study)[1]["series"]]
    assert sorted(shapes) == [6, 24]
    assert run("verify", study)[0] == 0


def seg_on(
    image, geometry: Geometry, truth, *, is_uid_known=True, first_frame=1, is_place_known=True
):
    """Return a segmentation that names the frames of an enhanced image."""
    n_slices = len(truth)
    named = dataset(
        ReferencedSOPInstanceUID=image.SOPInstanceUID if is_uid_known else uid(404),
        ReferencedFrameNumber=list(range(first_frame, first_frame + n_slices)),
    )
    series = dataset(
        SeriesInstanceUID=image.SeriesInstanceUID if is_uid_known else uid(405),
        ReferencedInstanceSequence=[named],
    )
    built = seg(
        (truth == 1).astype(np.uint8),
        [1] * n_slices,
        geometry,
        range(n_slices),
        FrameOfReferenceUID=image.FrameOfReferenceUID if is_place_known else uid(406),
        ReferencedSeriesSequence=[series],
    )
    built.PatientID = image.PatientID
    return built


GRID = Geometry(
    (24, 40, 44),
    np.array([[0, 0, 1.5, -30], [0, 1.5, 0, -25], [3, 0, 0, 10], [0, 0, 0, 1.0]]),
)


@pytest.mark.parametrize("is_uid_known", [True, False])
@pytest.mark.parametrize("make", [lambda: enhanced(slices()), two_orientations])
def test_a_segmentation_finds_the_frames_it_was_drawn_on(run, tmp_path, make, is_uid_known):
    image = make()
    folder = tmp_path / "scan"
    folder.mkdir()
    encode(image, folder / "ct.dcm")
    save_seg(folder / "seg.dcm", seg_on(image, GRID, blobs(), is_uid_known=is_uid_known))
    code, rows = run("file", "convert", folder, tmp_path / "out")
    assert code == 0
    (mask,) = (row for row in rows if row["quantity"] == "labels")
    array = read_image_file(Path(mask["output"])).as_label_map()[0].array
    assert np.count_nonzero(array) == np.count_nonzero(blobs() == 1)
    study = tmp_path / "study"
    run("new", study)
    code, ingested = run("ingest", study, folder)
    assert (code, len(ingested["masks"]), ingested["left_out"]) == (0, 1, [])
    (axial,) = (row for row in ingested["series"] if row["shape"][0] == 24)
    assert ingested["masks"][0]["series"] == axial["id"]


def frames_in(study: Study) -> dict[int, list[int | None]]:
    """Return the frames' numbers of each series along k, by its number of slices."""
    rows = study.registry.rows(tables.instance, order_by=("series_id", "k"))
    slices: dict[str, list[int | None]] = {}
    for row in rows:
        slices.setdefault(row["series_id"], []).append(row["frame"])
    return {len(frames): frames for frames in slices.values()}


def test_the_registry_knows_each_slice_by_its_file_and_its_frame(run, tmp_path):
    encode(two_orientations(), tmp_path / "ct.dcm")
    study = tmp_path / "study"
    run("new", study)
    run("ingest", study, tmp_path / "ct.dcm")
    with closing(Study.open(study).registry) as registry:
        uids = {row["sop_uid"] for row in registry.rows(tables.instance)}
    found = frames_in(Study.open(study))
    assert len(uids) == 1
    assert sorted(found[24]) == list(range(1, 25))
    assert found[24] == list(range(24, 0, -1)), "the highest slice came first"
    assert sorted(found[6]) == list(range(25, 31))
    known = known_images(Study.open(study))
    assert {image.identity.frames for image in known.values()} == {*map(tuple, found.values())}


def test_slices_that_are_files_have_no_frames(run, tmp_path):
    write_files(slices(), tmp_path / "ct")
    study = tmp_path / "study"
    run("new", study)
    run("ingest", study, tmp_path / "ct")
    assert frames_in(Study.open(study)) == {24: [None] * 24}
    assert {image.identity.frames for image in known_images(Study.open(study)).values()} == {()}


def test_a_segmentation_that_comes_later_finds_its_frames_by_their_numbers_alone(run, tmp_path):
    image = two_orientations()
    encode(image, tmp_path / "ct.dcm")
    study = tmp_path / "study"
    run("new", study)
    run("ingest", study, tmp_path / "ct.dcm")
    (coronal,) = (one for one in Study.open(study).registry.all_series() if one["shape"][0] == 6)
    grid = Geometry(tuple(coronal["shape"]), np.array(coronal["affine"]).reshape(4, 4))
    truth = np.zeros(grid.shape, np.uint8)
    truth[2:4, 5:9, 5:9] = 1
    drawn = seg_on(image, grid, truth, first_frame=25, is_place_known=False)
    save_seg(tmp_path / "seg.dcm", drawn)
    code, ingested = run("ingest", study, tmp_path / "seg.dcm")
    assert (code, ingested["left_out"]) == (0, [])
    assert [mask["series"] for mask in ingested["masks"]] == [coronal["id"]]
    assert run("verify", study)[0] == 0


def test_a_structure_set_finds_the_frames_it_was_drawn_on(run, tmp_path):
    image = two_orientations()
    square = np.array([[-20.0, -15.0], [-5.0, -15.0], [-5.0, 0.0], [-20.0, 0.0]])
    outlines = []
    for k in range(5, 12):
        points = np.column_stack([square, np.full(4, ORIGIN_MM[2] + k * SPACING_MM[0])])
        named = dataset(
            ReferencedSOPInstanceUID=image.SOPInstanceUID, ReferencedFrameNumber=[24 - k]
        )
        outlines.append(contour(points, ContourImageSequence=[named]))
    built = rtstruct({1: outlines}, names={1: "GTV"}, types={1: "GTV"})
    built.PatientID = image.PatientID
    folder = tmp_path / "scan"
    folder.mkdir()
    encode(image, folder / "ct.dcm")
    save_rtstruct(folder / "rs.dcm", built)
    study = tmp_path / "study"
    run("new", study)
    code, ingested = run("ingest", study, folder)
    assert (code, len(ingested["masks"]), ingested["left_out"]) == (0, 1, [])
    (axial,) = (row for row in ingested["series"] if row["shape"][0] == 24)
    assert ingested["masks"][0]["series"] == axial["id"]


def test_a_file_verb_takes_it_as_an_image(run, tmp_path):
    folder = tmp_path / "single"
    write_files(slices(), folder)
    encode(enhanced(slices()), tmp_path / "ct.dcm")
    assert dcmread(tmp_path / "ct.dcm").NumberOfFrames == 24
    for name, source in (("one", folder), ("many", tmp_path / "ct.dcm")):
        code, _ = run("file", "convert", source, tmp_path / f"{name}.nii.gz")
        assert code == 0
        code, _ = run(
            "file",
            "segment",
            source,
            "--box",
            "8,24,8,24,3,14",
            "-o",
            tmp_path / f"{name}_m.nii.gz",
        )
        assert code == 0
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "many.nii.gz").read_bytes()
    masks = [(tmp_path / f"{name}_m.nii.gz").read_bytes() for name in ("one", "many")]
    assert masks[0] == masks[1]
    reports = [
        run("file", "measure", source, tmp_path / "one_m.nii.gz")[1]["lesions"]
        for source in (folder, tmp_path / "ct.dcm")
    ]
    assert reports[0]
    assert reports[0] == reports[1]
