"""Public scans against what stands beside them, and against SimpleITK."""

import random
import tarfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Quantity
from lesionary.ingest.references import image_of
from lesionary.ingest.series import ImageSeries
from lesionary.io.dicom.seg import read_seg
from lesionary.io.dicom.series import DicomScan, group_images, load_series, scan_dicom
from lesionary.io.sources import open_sources

pytestmark = pytest.mark.real_data

SHUFFLED = random.Random(4)  # noqa: S311 - an order, not a secret


def scanned(folder: Path) -> DicomScan:
    with open_sources([folder]) as tree:
        return scan_dicom(tree.files)


def only_series(folder: Path, **options) -> ImageSeries:
    (candidate,) = group_images(scanned(folder).images)
    series = load_series(candidate, **options)
    assert isinstance(series, ImageSeries), series
    return series


@pytest.mark.parametrize("patient", ["STS_002", "STS_003"])
@pytest.mark.parametrize(
    ("modality", "quantity", "atol"),
    [
        ("CT", Quantity.HU, 0.0),
        ("MR_T1", Quantity.ARBITRARY, 0.0),
        ("PET", Quantity.SUVBW, 1e-5),
    ],
)
def test_sarcoma_series_equal_their_nifti(shared_data, patient, modality, quantity, atol):
    folder = shared_data / "sts_dicom" / patient / modality
    series = only_series(folder / "dicom" / "image")
    nifti = nibabel.load(folder / "nifti" / "image" / "image.nii.gz")
    expected = np.asarray(nifti.dataobj).T
    volume = series.volume
    assert volume.quantity is quantity
    assert volume.array.shape == expected.shape
    assert np.abs(volume.array - expected).max() <= atol
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ nifti.affine
    theirs = lps[:, [2, 1, 0, 3]]
    corners = volume.geometry.corners_mm()
    indices = np.c_[volume.geometry.to_index(corners), np.ones(8)]
    assert (indices @ theirs.T)[:, :3] == pytest.approx(corners, abs=1e-3)


@pytest.mark.parametrize("patient", ["STS_002", "STS_003"])
def test_every_slice_of_the_sarcoma_pets_has_its_own_slope(shared_data, patient):
    scan = scanned(shared_data / "sts_dicom" / patient / "PET" / "dicom" / "image")
    assert len({header.rescale for header in scan.images}) == len(scan.images)
    assert only_series(shared_data / "sts_dicom" / patient / "PET").suv_factor == 1.0


def test_the_sarcoma_folder_sorts_itself_out(shared_data):
    scan = scanned(shared_data / "sts_dicom")
    images = list(scan.images)
    SHUFFLED.shuffle(images)
    series = [load_series(candidate) for candidate in group_images(images)]
    assert sorted(s.volume.modality for s in series) == ["CT", "CT", "MR", "MR", "PT", "PT"]
    assert all(s.findings == () for s in series)
    assert {header.kind.value for header in scan.references} == {"rtstruct"}
    assert len(scan.references) == 6


def assert_same_as_simple_itk(series: ImageSeries, folder: Path) -> None:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    array, geometry = SimpleITK.GetArrayFromImage(image), series.volume.geometry
    corners = geometry.corners_mm()
    indices = [image.TransformPhysicalPointToContinuousIndex(point) for point in corners]
    ours = geometry.to_index(corners)
    theirs = np.array(indices)[:, ::-1]
    if not np.allclose(theirs[0], ours[0], atol=0.01):  # slices listed the other way round
        array, theirs[:, 0] = array[::-1], array.shape[0] - 1 - theirs[:, 0]
    assert theirs == pytest.approx(ours, abs=2e-3)
    assert np.abs(series.volume.array - array).max() <= 1e-4


@pytest.mark.parametrize(
    "folder",
    [
        "prostatex_0000_t2",
        "totalseg/example_ct_dicom",
        "small_dicom/oriented",
        "dcmqi/segmentations/ct-3slice",
    ],
)
def test_series_equal_simple_itk(shared_data, folder):
    series = only_series(shared_data / folder, subject="one")
    assert_same_as_simple_itk(series, shared_data / folder)


def test_the_oblique_slices_lie_where_their_header_says(shared_data):
    geometry = only_series(shared_data / "small_dicom" / "oriented", subject="one").volume.geometry
    assert geometry.shape == (3, 50, 100)
    assert geometry.spacing_mm == pytest.approx((4.5, 3.5, 2.5), abs=1e-6)
    assert geometry.to_world(np.zeros(3)) == pytest.approx([123, -432, 30])


def test_jpeg_2000_without_patient_needs_a_subject(shared_data):
    (candidate,) = group_images(scanned(shared_data / "totalseg" / "example_ct_dicom").images)
    findings = load_series(candidate)
    assert [f.code for f in findings] == ["subject_missing"]
    volume = load_series(candidate, subject="one").volume
    assert (volume.geometry.shape, volume.array.dtype) == ((20, 512, 512), np.int16)
    assert volume.array.min() >= -1024


def test_the_padding_of_ge_is_marked(shared_data):
    series = only_series(shared_data / "dcmqi" / "segmentations" / "ct-3slice")
    assert [f.code for f in series.findings] == ["padding"]
    assert (series.volume.array[series.volume.invalid] == -3024).all()
    assert not (series.volume.array == -3024)[~series.volume.invalid].any()


def test_the_abdomen_from_its_archive(shared_data, tmp_path):
    archive = shared_data / "crlm_ct_1004" / "CRLM-CT-1004_dicom.tar.xz"
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    series = only_series(tmp_path)
    assert series.volume.geometry.shape == (41, 512, 512)
    assert series.volume.geometry.spacing_mm == pytest.approx((5.0, 0.796875, 0.796875))
    assert_same_as_simple_itk(series, tmp_path / "CRLM-CT-1004" / "image")


def test_planted_identities_go_nowhere(shared_data):
    scan = scanned(shared_data / "deid")
    codes = sorted(found.finding.code for found in scan.findings)
    assert codes == [*["secondary_capture"] * 3, "ultrasound"]
    results = [load_series(candidate) for candidate in group_images(scan.images)]
    (mr,) = (r for r in results if isinstance(r, ImageSeries))
    assert {f.code: f.outcome for f in mr.findings} == {
        "single_slice": Outcome.WARNED,
        "overlay_bits": Outcome.FIXED,
    }
    said = repr(results) + repr(mr.technical)
    for header in scan.images:
        assert header.subject_key not in said
        assert header.series_instance_uid not in said


def test_what_other_tools_write_is_told_apart(shared_data):
    scan = scanned(shared_data / "dcmqi")
    assert {h.kind.value for h in scan.references} == {"seg"}
    found: list[Finding] = [found.finding for found in scan.findings]
    assert sorted(f.code for f in found) == ["not_an_image"] * 2


@pytest.mark.parametrize("matrix", ["24x38x3", "23x38x3"])
def test_a_converted_image_equals_its_single_frames(shared_data, matrix):
    folder = shared_data / "dcmqi" / "segmentations" / matrix
    multi, single = (
        only_series(folder / name, subject="phantom") for name in ("multiframe", "image")
    )
    assert np.array_equal(multi.volume.array, single.volume.array)
    assert multi.volume.geometry.affine == pytest.approx(single.volume.geometry.affine, abs=1e-6)


def test_the_ibsi_phantom_and_its_mask_equal_their_nifti(shared_data):
    folder = shared_data / "ibsi_digital"
    scan = scanned(folder / "dicom")
    (candidate,) = group_images(scan.images)
    series = load_series(candidate)
    assert isinstance(series, ImageSeries), series
    nifti = nibabel.load(folder / "nifti" / "image" / "phantom.nii.gz")
    # The two formats place the phantom along different axes.
    assert np.array_equal(series.volume.array.transpose(2, 0, 1), np.asarray(nifti.dataobj))
    (header,) = scan.references
    drawn = read_seg(header.path)
    assert image_of(drawn, [series.summary], folder="") == 0
    mask = drawn.mask_on(series.volume.geometry, drawn.segments[0].number)
    expected = nibabel.load(folder / "nifti" / "mask" / "mask.nii.gz")
    assert np.array_equal(mask.array.transpose(2, 0, 1), np.asarray(expected.dataobj) > 0)
