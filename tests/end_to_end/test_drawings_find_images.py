"""Drawings and their images at ingest: found by clues, drawn twice, on images that are out."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest

from dicom_factory import ct_series, pet_series, write_series
from lesionary.cli.main import run_command
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.nifti import write_nifti
from small_scans import AFFINE, SHAPE, scan
from structure_objects import FRAME_UID, SERIES_UID, contour, rtstruct, save_rtstruct

SQUARE = [(-18, -28, 40), (-15, -28, 40), (-15, -25, 40), (-18, -25, 40)]
ABSENT = "1.2.3.77"
PLANTED = "DOE JANE"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.chdir(tmp_path)

    def command(*arguments) -> tuple[int, dict]:
        capsys.readouterr()
        code = run_command([*(str(argument) for argument in arguments), "--json"])
        out = capsys.readouterr().out
        assert PLANTED not in out
        return code, json.loads(out)

    return command


@pytest.fixture
def study(run):
    assert run("new", "study")[0] == 0
    return "study"


def add_rule(text: str) -> None:
    with open("study/study.toml", "r+", encoding="utf-8") as file:  # noqa: PTH123
        protocol = file.read()
        file.seek(0)
        file.write(protocol.replace("\n[labels]", f"\n[[curate.rule]]\n{text}\n\n[labels]"))


def pet_ct(folder, *, named=None):
    """Write a CT and a PET of one frame of reference, planes 0.02 mm apart."""
    for kind, slices in (
        ("ct", ct_series(series=1)),
        ("pet", pet_series(series=2, origin_mm=(-20.0, -30.0, 40.02))),
    ):
        for ds in slices:
            ds.FrameOfReferenceUID = FRAME_UID
            if kind == named:
                ds.SeriesInstanceUID = SERIES_UID
        write_series(slices, folder / kind)


def structures(path, name="GTV", *, series=ABSENT, points=SQUARE, **elements):
    built = rtstruct({1: [contour(points)]}, names={1: name}, types={1: "GTV"})
    frame = built.ReferencedFrameOfReferenceSequence[0]
    named = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    named.SeriesInstanceUID = series
    built.SeriesInstanceUID = f"1.2.3.8.{sum(str(path).encode())}"
    for keyword, value in elements.items():
        setattr(built, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_rtstruct(path, built)


def modalities_drawn(report) -> Counter:
    of = {row["id"]: row["modality"] for row in report["series"]}
    return Counter(of[row["series"]] for row in report["masks"])


@pytest.mark.real_data
@pytest.mark.parametrize("way", ["deidentified", "in one folder"])
def test_structures_of_pet_ct_and_mr_find_their_image_when_folders_are_gone(
    run, study, shared_data, tmp_path, way
):
    source = shared_data / "sts_dicom"
    if way == "deidentified":
        _, released = run("file", "deidentify", source, "scans")
        assert {row["code"] for row in released["files"]} <= {"", None, "not_a_file", "not_dicom"}
    else:
        (tmp_path / "scans").mkdir()
        for number, path in enumerate(sorted(source.rglob("*.dcm"))):
            shutil.copy(path, f"scans/{number}.dcm")
    code, report = run("ingest", study, "scans")
    assert (code, report["left_out"]) == (0, [])
    assert modalities_drawn(report) == {"CT": 2, "PT": 2, "MR": 2}
    assert len({row["series"] for row in report["masks"]}) == 6
    told = [note["code"] for row in report["series"] for note in row["notes"]]
    assert told.count("reference_by_clues") == 6
    again = run("ingest", study, "scans")[1]
    assert again["new"] == {"series": 0, "masks": 0, "boxes": 0}
    notes = [note for row in again["series"] for note in row["notes"]]
    assert Counter(note["code"] for note in notes)["reference_by_clues"] in {0, 6}
    status = run("status", study)[1]["series"]
    assert all(len(row["notes"]) == len({n["code"] for n in row["notes"]}) for row in status)


@pytest.mark.parametrize(
    ("name", "elements", "drawn"),
    [
        ("GTV_PET", {}, "PT"),
        ("GTV", {"SeriesDescription": "contours on CT"}, "CT"),
        ("GTV", {"StructureSetLabel": "RTstruct_PET"}, "PT"),
        ("GTV_PET", {"SeriesDescription": "CT"}, None),
    ],
)
def test_a_word_of_the_object_tells_ct_from_pet_only_where_no_other_gainsays_it(
    run, study, tmp_path, name, elements, drawn
):
    pet_ct(tmp_path / "scans")
    built = {"name": name, **elements}
    # a tenth of a millimetre off: no plane is exactly one of either image
    shifted = [(x, y, z + 0.1) for x, y, z in SQUARE]
    structures(tmp_path / "scans" / "rs" / "1.dcm", points=shifted, **built)
    _, report = run("ingest", study, "scans")
    if drawn is None:
        assert [row["code"] for row in report["left_out"]] == ["ambiguous_reference"]
    else:
        assert modalities_drawn(report) == {drawn: 1}


def test_two_drawings_of_the_same_voxels_count_once_and_are_told(run, study, tmp_path):
    pet_ct(tmp_path / "scans", named="ct")
    for name in ("a", "b"):
        structures(tmp_path / "scans" / f"{name}.dcm", series=SERIES_UID)
    code, report = run("ingest", study, "scans")
    assert (code, len(report["masks"])) == (0, 1)
    notes = [note for row in report["series"] for note in row["notes"]]
    told = [note["reason"] for note in notes if note["code"] == "duplicate_identical"]
    assert len(told) == 1
    assert "one is kept" in told[0]
    assert report["masks"][0]["source"] in told[0]
    code, again = run("ingest", study, "scans")
    assert (code, again["masks"], again["again"]["drawings"]) == (0, [], 2)
    assert Counter(row["code"] for row in again["ignored"]) == {"duplicate_identical": 4}
    code, alone = run("ingest", study, tmp_path / "scans" / "b.dcm")
    assert (code, [row["code"] for row in alone["ignored"]]) == (0, ["duplicate_identical"])
    notes = [note for row in run("status", study)[1]["series"] for note in row["notes"]]
    assert [note["code"] for note in notes].count("duplicate_identical") == 1


def test_other_readers_who_draw_the_same_are_readers_all_the_same(run, study, tmp_path):
    folder = tmp_path / "scans" / "7"
    folder.mkdir(parents=True)
    write_nifti(folder / "ct_image.nii.gz", scan(0)[0])
    for reader in ("anna", "ben"):
        write_nifti(folder / f"{reader}_mask.nii.gz", scan(0)[1])
    _, report = run("ingest", study, "scans", "--reader-from", "{subject}/{reader}_*.nii.gz")
    assert len(report["masks"]) == 2
    notes = {note["code"] for row in report["series"] for note in row["notes"]}
    assert "duplicate_identical" not in notes


def drawn_on_ct(folder, way):
    """Draw on the CT of a folder in one of the four ways."""
    if way == "series named":
        structures(folder / "rs" / "1.dcm", series=SERIES_UID)
    elif way == "planes and words":
        structures(folder / "rs" / "1.dcm", "GTV_CT")
    elif way == "box":
        (folder / "boxes.csv").write_text(
            "image,lesion,i0,i1,j0,j1,k0,k1,label\nct,1,1,4,1,4,1,3,\n"
        )
    else:
        write_nifti(folder / "p_ct.nii.gz", scan(0)[0])
        write_nifti(folder / "p_ct_mask.nii.gz", scan(0)[1])


@pytest.mark.parametrize("way", ["series named", "planes and words", "box", "mask file"])
def test_what_was_drawn_on_an_image_that_a_rule_left_out_is_told_one_way(run, study, tmp_path, way):
    add_rule('rule = "modality"\nany_of = ["PT"]')
    pet_ct(tmp_path / "scans", named="ct")
    drawn_on_ct(tmp_path / "scans", way)
    code, report = run("ingest", study, "scans")
    (told,) = [row for row in report["left_out"] if not row["code"].startswith("rule_")]
    assert code == 0
    assert (told["code"], told["by_rule"], report["masks"]) == ("orphan_reference", True, [])
    assert "a rule of the protocol left out the image" in told["reason"]
    assert "[curate]" in told["hint"]


def test_a_drawing_that_comes_after_its_image_was_ruled_out_is_told_so_too(run, study, tmp_path):
    add_rule('rule = "modality"\nany_of = ["PT"]')
    pet_ct(tmp_path / "scans", named="ct")
    run("ingest", study, "scans")
    structures(tmp_path / "later" / "1.dcm", series=SERIES_UID)
    code, report = run("ingest", study, "later")
    (told,) = report["left_out"]
    assert (code, told["code"], told["by_rule"]) == (0, "orphan_reference", True)


def test_a_drawing_on_an_unsound_image_lies_on_no_other_and_names_the_cause(run, study, tmp_path):
    pet_ct(tmp_path / "scans", named="ct")
    sorted((tmp_path / "scans" / "ct").iterdir())[3].unlink()
    structures(tmp_path / "scans" / "rs" / "1.dcm", series=SERIES_UID)
    code, report = run("ingest", study, "scans")
    told = {row["code"]: row for row in report["left_out"]}
    assert (code, set(told)) == (1, {"missing_slice", "orphan_reference"})
    assert told["orphan_reference"]["reason"] == "the image of this was left out"
    assert "ingest both again" in told["orphan_reference"]["hint"]
    assert report["masks"] == []


@pytest.mark.parametrize(
    ("name", "kind", "kept_as"),
    [
        (f"{PLANTED} left lobe", "GTV", "lesion"),
        (f"{PLANTED} left lobe", "ORGAN", "structure"),
        ("m,liver", "GTV", None),
        ("lesion", "GTV", None),
    ],
)
def test_a_name_beyond_the_vocabulary_is_told_and_never_quoted(
    run, study, tmp_path, name, kind, kept_as
):
    pet_ct(tmp_path / "scans", named="ct")
    built = rtstruct({1: [contour(SQUARE)]}, names={1: name}, types={1: kind})
    save_rtstruct(tmp_path / "scans" / "1.dcm", built)
    _, report = run("ingest", study, "scans")
    notes = [note for row in report["series"] for note in row["notes"]]
    told = [note["reason"] for note in notes if note["code"] == "label_unknown"]
    if kept_as is None:
        assert told == []
    else:
        assert len(told) == 1
        assert told[0].startswith(f"1 label beyond the vocabulary: kept as `{kept_as}`")


def test_a_name_that_the_protocol_takes_for_a_lesion_is_known(run, study, tmp_path):
    text = (tmp_path / "study" / "study.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("lesion_names"))
    changed = text.replace(line, 'lesion_names = ["left lobe*"]')
    (tmp_path / "study" / "study.toml").write_text(changed)
    pet_ct(tmp_path / "scans", named="ct")
    built = rtstruct({1: [contour(SQUARE)]}, names={1: "Left lobe 2"})
    save_rtstruct(tmp_path / "scans" / "1.dcm", built)
    _, report = run("ingest", study, "scans")
    assert len(report["masks"]) == 1
    notes = {note["code"] for row in report["series"] for note in row["notes"]}
    assert "label_unknown" not in notes


def test_two_masks_with_other_voxels_are_two(run, study, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    write_nifti(folder / "p_ct.nii.gz", scan(0)[0])
    for number, name in enumerate(("mask", "seg")):
        array = np.zeros(SHAPE, dtype=np.uint16)
        array[8:12, 10:18, 10 + number : 18] = 1
        write_nifti(folder / f"p_ct_{name}.nii.gz", LabelMap(array, Geometry(SHAPE, AFFINE)))
    _, report = run("ingest", study, "scans")
    assert len(report["masks"]) == 2
