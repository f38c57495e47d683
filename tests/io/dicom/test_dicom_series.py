"""CT, MR and PET series from files to volumes, sound and damaged."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_factory import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    copied,
    ct_series,
    encapsulated_document,
    mr_series,
    pet_series,
    secondary_capture,
    set_pixels,
    source,
    stored_values,
    uid,
    write_series,
)
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Quantity
from lesionary.ingest.series import ImageSeries
from lesionary.io.dicom.series import DicomScan, group_images, load_series, scan_dicom
from lesionary.io.limits import Limits
from strategies import rotations

SHUFFLED = random.Random(11)  # noqa: S311
OBLIQUE = (0.9541666, -0.2080757, 0.2151061, 0.2785886, 0.880128, -0.3843997)


def loaded(slices, folder: Path, **options) -> ImageSeries | tuple[Finding, ...]:
    """Write data sets, and read back the one series they make."""
    (candidate,) = group_images(scan_dicom(write_series(slices, folder / "scan")).images)
    return load_series(candidate, **options)


def series_of(slices, folder: Path, **options) -> ImageSeries:
    series = loaded(slices, folder, **options)
    assert isinstance(series, ImageSeries), series
    return series


def refusals(slices, folder: Path, **options) -> set[str]:
    findings = loaded(slices, folder, **options)
    assert isinstance(findings, tuple)
    return {f.code for f in findings if f.outcome is Outcome.LEFT_OUT}


def notes(series: ImageSeries) -> dict[str, Outcome]:
    return {finding.code: finding.outcome for finding in series.findings}


def test_a_ct_comes_out_in_hounsfield_units_as_int16(tmp_path):
    stored = stored_values((8, 12, 10))
    series = series_of(ct_series(stored), tmp_path)
    assert series.volume.array.dtype == np.int16
    assert np.array_equal(series.volume.array, stored - 1024)
    assert (series.volume.modality, series.volume.quantity) == ("CT", Quantity.HU)
    assert series.volume.invalid is None
    assert (series.findings, series.suv_factor) == ((), None)
    assert series.technical["KVP"] == 120


def test_who_and_when_stay_beside_the_volume(tmp_path):
    identity = series_of(ct_series(), tmp_path).identity
    assert identity.subject_key == "P-007"
    assert identity.study_instance_uid == uid(1000)
    assert identity.series_instance_uid == uid(1)
    assert identity.frame_of_reference_uid == uid(2000)
    assert identity.sop_instance_uids == tuple(uid(1, k) for k in range(8))
    assert identity.acquired.isoformat() == "2020-01-02T09:00:00"
    assert identity.folder == "scan"
    assert identity.names == (uid(1), "scan")


@pytest.mark.parametrize("make", [ct_series, mr_series, pet_series])
def test_file_order_and_names_mean_nothing(tmp_path, make):
    straight = series_of(make(), tmp_path)
    slices = make()
    SHUFFLED.shuffle(slices)
    for ds in slices:
        ds.InstanceNumber = "1"
    files = write_series(slices, tmp_path / "other", name=lambda n: f"IM{n * 7919 % 101}")
    SHUFFLED.shuffle(files)
    (candidate,) = group_images(scan_dicom(files).images)
    again = load_series(candidate)
    assert np.array_equal(again.volume.array, straight.volume.array)
    assert np.array_equal(again.volume.geometry.affine, straight.volume.geometry.affine)
    assert again.identity.sop_instance_uids == straight.identity.sop_instance_uids


def simple_itk(folder: Path):
    """Return SimpleITK's array and affine, ``(k, j, i)`` to LPS mm."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, :3] = directions[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image), affine


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, OBLIQUE])
def test_simple_itk_puts_every_voxel_at_the_same_place(tmp_path, orientation):
    series = series_of(ct_series(orientation=orientation), tmp_path)
    array, affine = simple_itk(tmp_path / "scan")
    geometry = series.volume.geometry
    corners = np.array([[0, 0, 0], [7, 0, 0], [0, 11, 0], [0, 0, 9], [7, 11, 9]])
    theirs = corners @ affine[:3, :3].T + affine[:3, 3]
    ours = np.round(geometry.to_index(theirs)).astype(int)
    assert geometry.to_world(ours) == pytest.approx(theirs, abs=1e-3)
    for mine, its in zip(ours, corners, strict=True):
        assert series.volume.array[tuple(mine)] == array[tuple(its)]


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, OBLIQUE])
def test_highdicom_puts_every_voxel_at_the_same_place(tmp_path, orientation):
    import highdicom

    slices = ct_series(orientation=orientation)
    theirs = highdicom.get_volume_from_series(slices)
    series = series_of(slices, tmp_path)
    geometry = series.volume.geometry
    inside = np.array([[0, 0, 0], [7, 0, 0], [3, 5, 2], [7, 11, 9]])
    world = inside @ theirs.affine[:3, :3].T + theirs.affine[:3, 3]
    ours = np.round(geometry.to_index(world)).astype(int)
    assert geometry.to_world(ours) == pytest.approx(world, abs=1e-3)
    for mine, its in zip(ours, inside, strict=True):
        assert series.volume.array[tuple(mine)] == theirs.array[tuple(its)]


@settings(max_examples=20)
@given(rotations(), st.floats(0.2, 6.0))
def test_any_pose_keeps_every_voxel_where_it_was(tmp_path_factory, rotation, spacing_mm):
    orientation = [*rotation[:, 0], *rotation[:, 1]]
    slices = ct_series(spacing_mm=(spacing_mm, 0.8, 0.7), orientation=orientation)
    series = series_of(slices, tmp_path_factory.mktemp("pose"))
    for k, ds in enumerate(slices):
        at = series.volume.geometry.to_world(np.array([k, 0, 0]))
        assert at == pytest.approx(np.array(ds.ImagePositionPatient, dtype=float), abs=1e-6)


def test_every_pet_slice_has_its_own_slope(tmp_path):
    stored = stored_values((8, 12, 10))
    series = series_of(pet_series(stored), tmp_path)
    slopes = 0.5 + np.arange(8) / 16
    assert series.volume.array.dtype == np.float32
    assert np.array_equal(series.volume.array, (stored * slopes[:, None, None]).astype("f4"))
    assert (series.volume.modality, series.volume.quantity) == ("PT", Quantity.BQML)
    decayed = 3.7e8 * 2 ** (-3600 / 6586.2)
    assert series.suv_factor == pytest.approx(70_000 / decayed, rel=1e-12)


def test_a_pet_without_weight_has_no_factor_but_a_reason(tmp_path):
    slices = pet_series()
    for ds in slices:
        del ds.PatientWeight
    series = series_of(slices, tmp_path)
    assert series.suv_factor is None
    assert "PatientWeight" in series.suv_reason


@pytest.mark.parametrize(
    ("units", "quantity"),
    [("GML", Quantity.SUVBW), ("CNTS", Quantity.COUNTS), ("PROPCPS", Quantity.ARBITRARY)],
)
def test_units_of_a_pet(tmp_path, units, quantity):
    slices = pet_series()
    for ds in slices:
        ds.Units = units
    assert series_of(slices, tmp_path).volume.quantity is quantity


def test_an_mr_is_arbitrary_and_needs_no_rescale(tmp_path):
    stored = stored_values((4, 6, 5))
    series = series_of(mr_series(stored), tmp_path)
    assert np.array_equal(series.volume.array, stored)
    assert series.volume.quantity is Quantity.ARBITRARY


def test_values_beyond_int16_become_float32(tmp_path):
    stored = np.full((3, 4, 5), 60_000, dtype=np.uint16)
    series = series_of(mr_series(stored), tmp_path)
    assert series.volume.array.dtype == np.float32
    assert (series.volume.array == 60_000).all()


def test_slices_of_different_pixel_types_make_one_volume(tmp_path):
    stored = stored_values((3, 4, 5))
    slices = ct_series(stored)
    set_pixels(slices[1], stored[1].astype(np.uint16))
    set_pixels(slices[2], stored[2].astype(np.int32))
    assert np.array_equal(series_of(slices, tmp_path).volume.array, stored - 1024)


def test_a_ct_in_other_units_is_arbitrary_with_a_warning(tmp_path):
    slices = ct_series()
    for ds in slices:
        ds.RescaleType = "US"
    series = series_of(slices, tmp_path)
    assert series.volume.quantity is Quantity.ARBITRARY
    assert notes(series) == {"not_hu": Outcome.WARNED}


def test_padding_is_kept_marked_and_counted(tmp_path):
    stored = stored_values((4, 6, 5))
    stored[:, 0, :2] = -2000
    slices = ct_series(stored)
    for ds in slices:
        ds.add_new("PixelPaddingValue", "SS", -2000)
    series = series_of(slices, tmp_path)
    assert notes(series) == {"padding": Outcome.WARNED}
    assert "8 of 120 voxels" in series.findings[0].reason
    assert np.array_equal(series.volume.invalid, stored == -2000)
    assert (series.volume.array[series.volume.invalid] == -3024).all()


def test_overlay_bits_are_fixed_and_told(tmp_path):
    stored = stored_values((4, 6, 5)).astype(np.uint16)
    marked = stored.copy()
    marked[1, 2, 3] |= 0x8000
    slices = ct_series(marked)
    for ds in slices:
        ds.BitsStored, ds.HighBit = 12, 11
    series = series_of(slices, tmp_path)
    assert np.array_equal(series.volume.array, stored.astype(np.int16) - 1024)
    assert notes(series) == {"overlay_bits": Outcome.FIXED}
    assert "1 of 4 slices" in series.findings[0].reason


def without(slices, k):
    return slices[:k] + slices[k + 1 :]


def test_a_missing_slice_leaves_the_series_out(tmp_path):
    assert refusals(without(ct_series(), 3), tmp_path) == {"missing_slice"}


def test_a_moved_slice_leaves_the_series_out(tmp_path):
    slices = ct_series()
    slices[3].ImagePositionPatient[2] += 0.5
    assert refusals(slices, tmp_path) == {"uneven_spacing"}


def test_a_tilted_stack_leaves_the_series_out(tmp_path):
    slices = ct_series()
    for k, ds in enumerate(slices):
        ds.ImagePositionPatient[1] += 0.2 * k
    assert refusals(slices, tmp_path) == {"gantry_tilt"}


def test_a_slice_without_pixels_leaves_the_series_out(tmp_path):
    slices = ct_series()
    del slices[7].PixelData
    assert refusals(slices, tmp_path) == {"no_pixels"}


@pytest.mark.parametrize("left", [1, 100, 300, 400])
def test_a_truncated_last_slice_leaves_the_series_out_and_does_not_shorten_it(tmp_path, left):
    files = write_series(ct_series(), tmp_path)
    last = files[-1].path
    last.write_bytes(last.read_bytes()[:-left])
    (candidate,) = group_images(scan_dicom(files).images)
    findings = load_series(candidate)
    assert {f.code for f in findings if f.outcome is Outcome.LEFT_OUT} >= {"truncated"}


def test_a_cut_compressed_slice_leaves_the_series_out(tmp_path):
    slices = ct_series(stored_values((3, 32, 32)))
    for ds in slices:
        ds.compress("1.2.840.10008.1.2.4.90", generate_instance_uid=False)
    files = write_series(slices, tmp_path)
    files[1].path.write_bytes(files[1].path.read_bytes()[:-300])
    (candidate,) = group_images(scan_dicom(files).images)
    assert [f.code for f in load_series(candidate)] == ["truncated"]


def test_the_same_files_twice_are_one_series(tmp_path):
    slices = ct_series()
    series = series_of([*slices, *slices[2:4]], tmp_path)
    assert notes(series) == {"duplicate_identical": Outcome.FIXED}
    assert series.volume.geometry.shape == (8, 12, 10)


def test_other_pixels_at_one_place_leave_the_series_out(tmp_path):
    slices = ct_series()
    (twin,) = copied(slices[3:4])
    twin.SOPInstanceUID = twin.file_meta.MediaStorageSOPInstanceUID = uid(1, 99)
    set_pixels(twin, stored_values((1, 12, 10), seed=8)[0])
    assert refusals([*slices, twin], tmp_path) == {"duplicate_slice"}


def test_one_uid_with_two_contents_leaves_the_series_out(tmp_path):
    slices = ct_series()
    (twin,) = copied(slices[3:4])
    set_pixels(twin, stored_values((1, 12, 10), seed=8)[0])
    assert refusals([*slices, twin], tmp_path) == {"sop_conflict"}


def test_a_scout_under_the_series_uid_is_dropped(tmp_path):
    slices = ct_series()
    (scout,) = ct_series(stored_values((1, 30, 20)), orientation=CORONAL, series=1)
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = uid(1, 99)
    series = series_of([scout, *slices], tmp_path)
    assert notes(series) == {"localizer": Outcome.FIXED}
    assert series.volume.geometry.shape == (8, 12, 10)


def test_two_grids_under_one_uid_are_two_series_each_judged_by_itself(tmp_path):
    first = ct_series()
    second = ct_series(stored_values((6, 9, 9)), orientation=SAGITTAL)
    for k, ds in enumerate(second):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(1, 50 + k)
    files = write_series([*first, *without(second, 2)], tmp_path)
    results = [load_series(c) for c in group_images(scan_dicom(files).images)]
    (good,) = (r for r in results if isinstance(r, ImageSeries))
    (bad,) = (r for r in results if not isinstance(r, ImageSeries))
    assert good.volume.geometry.shape == (8, 12, 10)
    assert notes(good) == {"split_geometry": Outcome.WARNED}
    assert {f.code for f in bad} == {"split_geometry", "missing_slice"}


def test_rescale_on_some_slices_only_leaves_the_series_out(tmp_path):
    slices = ct_series()
    del slices[0].RescaleSlope
    assert refusals(slices, tmp_path) == {"rescale_mixed"}


def test_a_series_without_patient_takes_the_named_subject(tmp_path):
    slices = ct_series(patient="")
    assert refusals(slices, tmp_path / "a") == {"subject_missing"}
    series = series_of(slices, tmp_path / "b", subject="mouse 7")
    assert series.identity.subject_key == "mouse 7"


def test_a_named_subject_does_not_replace_the_patient(tmp_path):
    assert series_of(ct_series(), tmp_path, subject="other").identity.subject_key == "P-007"


def test_a_claim_beyond_the_limit_is_refused_before_allocating(tmp_path):
    assert refusals(ct_series(), tmp_path, limits=Limits(volume_bytes=100)) == {"size_claim"}


def test_an_absurd_claim_is_refused_before_allocating(tmp_path):
    slices = ct_series()
    for ds in slices:
        ds.Rows = ds.Columns = 65_535
    assert "size_claim" in refusals(slices, tmp_path)


def test_a_scan_tells_images_references_and_the_rest_apart(tmp_path):
    structure = ct_series(series=5)[0]
    structure.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    empty = tmp_path / "empty.dcm"
    empty.touch()
    files = write_series(
        [*ct_series(), structure, encapsulated_document(), secondary_capture()], tmp_path / "scan"
    )
    scan: DicomScan = scan_dicom([*files, source(empty, 50)])
    assert (len(scan.images), len(scan.references)) == (8, 1)
    assert [(f.number, f.finding.code) for f in scan.findings] == [
        (9, "encapsulated_document"),
        (10, "secondary_capture"),
        (50, "empty_file"),
    ]


@settings(max_examples=60)
@given(st.sampled_from([ct_series, mr_series, pet_series]), st.integers(0, 3), st.data())
def test_a_damaged_file_is_refused_or_harmless_but_never_an_error(
    tmp_path_factory, make, damaged, data
):
    files = write_series(make(stored_values((4, 6, 5))), tmp_path_factory.mktemp("damaged"))
    content = bytearray(files[damaged].path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(128, len(content) - 1))] = data.draw(st.integers(0, 255))
    files[damaged].path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    scan = scan_dicom(files)
    for candidate in group_images(scan.images):
        result = load_series(candidate)
        if not isinstance(result, ImageSeries):
            assert {f.outcome for f in result} & {Outcome.LEFT_OUT, Outcome.IGNORED}


def test_no_reason_holds_a_path_a_uid_or_the_patient(tmp_path):
    slices = without(ct_series(patient="SECRET"), 3)
    files = write_series(slices, tmp_path / "SECRET")
    files[0].path.write_bytes(files[0].path.read_bytes()[:-100])
    (candidate,) = group_images(scan_dicom(files).images)
    said = repr(load_series(candidate))
    assert "SECRET" not in said
    assert uid(1) not in said
