"""The main job on real scans: DICOM in, a release that verify accepts out."""

import csv
import json
import tarfile

import numpy as np
import pytest

from lesionary.app.ingest import IngestOptions, ingest_paths
from lesionary.app.pipeline import run_until
from lesionary.app.study import Study
from lesionary.app.verify import verify_target
from lesionary.core.volume import Quantity
from lesionary.io.checked_images import read_independently
from lesionary.io.image_file import read_image_file
from lesionary.io.registry import tables

pytestmark = pytest.mark.real_data

SARCOMAS = [
    (subject, scan) for subject in ("STS_002", "STS_003") for scan in ("CT", "PET", "MR_T1")
]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    made = Study.create(tmp_path / "study")
    yield made
    made.registry.close()


@pytest.fixture(scope="module")
def sarcomas(shared_data, tmp_path_factory):
    """Ingest the six DICOM series with their RTSTRUCTs, from the tree that holds all of them."""
    folder = tmp_path_factory.mktemp("sarcomas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONARY_VAULT", str(folder / "vault"))
        made = Study.create(folder / "study")
        report = ingest_paths(made, [shared_data / "sts_dicom"])
        yield made, report
        made.registry.close()


def the_series(made: Study, report, subject: str, scan: str) -> dict:
    """Return the registry row of one DICOM series, by the folder that its source lay in."""
    names = dict(report.sources)
    (row,) = [
        row
        for row in made.registry.all_series()
        if f"{subject}/{scan}/dicom/image" in names[row["source"]]
    ]
    return row


def test_all_six_series_and_their_contours_come_in(sarcomas):
    made, report = sarcomas
    assert report.left_out == ()
    dicom = [row for row in made.registry.all_series() if row["modality"] != "OT"]
    for subject, scan in SARCOMAS:
        row = the_series(made, report, subject, scan)
        assert len(made.registry.rows(tables.annotation, series_id=row["id"])) == 1
    assert {row["modality"] for row in dicom} == {"CT", "PT", "MR"}


@pytest.mark.parametrize(("subject", "scan"), SARCOMAS)
def test_contours_and_intensities_equal_the_nifti_beside_them(sarcomas, shared_data, subject, scan):
    made, report = sarcomas
    row = the_series(made, report, subject, scan)
    nifti = shared_data / "sts_dicom" / subject / scan / "nifti"
    volume = made.objects.get_volume(row["object_id"])
    expected, _ = read_independently(nifti / "image" / "image.nii.gz")
    if scan == "PET":
        assert volume.quantity is Quantity.SUVBW
        np.testing.assert_allclose(volume.array, expected, rtol=1e-5, atol=1e-5)
    else:
        assert np.array_equal(volume.array, expected)
    (annotation,) = made.registry.rows(tables.annotation, series_id=row["id"])
    drawn = made.objects.get_label_map(annotation["object_id"])
    truth, _ = read_independently(nifti / "mask" / "mask.nii.gz")
    assert np.array_equal(drawn.array > 0, truth > 0)
    assert list(drawn.labels.values()) == ["lesion"]


def test_segmenting_from_each_tumours_box_gives_a_release_that_verify_accepts(
    shared_data, tmp_path, study
):
    text = study.files.protocol.read_text().replace(
        'given_masks = "keep"', 'given_masks = "redraw"'
    )
    study.files.protocol.write_text(text)
    redrawn = Study.open(study.files.root)
    report = ingest_paths(redrawn, sorted((shared_data / "sts_dicom").glob("STS_*/*/dicom")))
    ran = run_until(redrawn)
    assert ran.document()["failed"] == []
    assert {row["segmenter"] for row in ran.lesions} == {"contour", "walker"}
    assert len(ran.lesions) == 6
    names = dict(report.sources)
    for row in redrawn.registry.all_series():
        measured = redrawn.registry.units("measure")[row["id"]].output["mask"]
        folder = names[row["source"]].rpartition("/dicom/image")[0]
        truth = read_image_file(shared_data / folder / "nifti" / "mask" / "mask.nii.gz")
        draft = redrawn.objects.get_label_map(measured).array > 0
        shared_voxels = np.count_nonzero(draft & (truth.array > 0))
        dice = 2 * shared_voxels / (np.count_nonzero(draft) + np.count_nonzero(truth.array))
        assert dice > 0.75
    assert verify_target(redrawn.files.root).failed == []
    redrawn.registry.close()


def test_an_abdominal_ct_is_ingested_windowed_and_reported(shared_data, tmp_path, study):
    archive = next((shared_data / "crlm_ct_1004").glob("*.tar.xz"))
    with tarfile.open(archive) as packed:
        n_slices = sum(name.endswith(".dcm") for name in packed.getnames())
    report = ingest_paths(study, [archive])
    (series,) = report.series
    assert series["shape"] == [n_slices, 512, 512]
    assert (series["modality"], series["region"]) == ("CT", "abdomen")
    assert [note["code"] for note in series["notes"]] == ["padding"]
    run_until(study)
    release = study.files.release
    windows = json.loads((release / "metadata" / "windows_mapping.json").read_text())
    assert list(windows.values()) == ["abdomen"]
    assert "abdomen" in (release / "report.html").read_text()
    assert verify_target(study.files.root).failed == []


@pytest.mark.parametrize(
    ("folder", "modality", "n_slices"),
    [("prostatex_0000_t2", "MR", 19), ("totalseg/example_ct_dicom", "CT", 20)],
)
def test_other_scanners_and_compressed_slices(shared_data, study, folder, modality, n_slices):
    options = IngestOptions(subject="someone")  # the JPEG 2000 slices name no patient
    report = ingest_paths(study, [shared_data / folder], options)
    (series,) = report.series
    assert (series["modality"], series["shape"][0]) == (modality, n_slices)
    run_until(study)
    assert verify_target(study.files.root).failed == []
    with (study.files.release / "lesions.csv").open() as file:
        assert list(csv.DictReader(file)) == []


def test_a_segmentation_lies_on_its_image_and_keeps_how_it_was_made(shared_data, study):
    segmentations = shared_data / "dcmqi" / "segmentations"
    report = ingest_paths(study, [segmentations / "ct-3slice", segmentations / "liver.dcm"])
    (series,) = report.series
    (annotation,) = study.registry.rows(tables.annotation, series_id=series["id"])
    drawn = study.objects.get_label_map(annotation["object_id"])
    truth = read_image_file(segmentations / "liver_seg.nrrd")
    assert np.count_nonzero(drawn.array) == np.count_nonzero(truth.array) > 0
    assert annotation["method"] in {"AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"}
