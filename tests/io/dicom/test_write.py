import datetime as dt

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import AxisOrder, Geometry, Mask, Quantity, Volume
from lesionary.io.dicom.write_header import Injection, SeriesHeader, hashed_uid
from lesionary.io.dicom.write_rtstruct import Roi, write_rtstruct
from lesionary.io.dicom.write_series import write_series

ACQUIRED = dt.datetime(2022, 5, 6, 10, 30, 15, tzinfo=dt.UTC)


def _header(**changes) -> SeriesHeader:
    fields = {
        "patient_id": "HOSP-000123",
        "patient_name": "Testperson^Ännchen",
        "acquired": ACQUIRED,
        "study_uid": hashed_uid("study"),
        "series_uid": hashed_uid("series"),
        "frame_of_reference_uid": hashed_uid("frame"),
    }
    return SeriesHeader(**(fields | changes))


def _axial(shape=(5, 6, 7), spacing=(2.5, 0.8, 0.7)) -> Geometry:
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing, 1.0
    affine[:3, 3] = (-120.123456789, 33.3, -1 / 3)
    return Geometry(shape, affine)


def _oblique(seed: int) -> Geometry:
    rng = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turned * rng.uniform(0.4, 5.0, 3)
    affine[:3, 3] = rng.uniform(-500, 500, 3)
    return Geometry((4, 5, 6), affine)


def _ct(geometry: Geometry, seed: int = 0) -> Volume:
    values = np.random.default_rng(seed).integers(-1024, 3071, geometry.shape)
    return Volume(values.astype(np.int16), geometry, "CT", Quantity.HU)


def _read_back(written) -> tuple[np.ndarray, np.ndarray]:
    """Read pixels and affine from the elements, slice by slice along k."""
    sets = [pydicom.dcmread(path) for path in written.paths]
    planes = [
        d.pixel_array * float(d.get("RescaleSlope", 1)) + float(d.get("RescaleIntercept", 0))
        for d in sets
    ]
    first, last = sets[0], sets[-1]
    affine = np.eye(4)
    start, end = (np.array(d.ImagePositionPatient, dtype=float) for d in (first, last))
    affine[:3, 0] = (end - start) / (len(sets) - 1)
    cosines = np.array(first.ImageOrientationPatient, dtype=float)
    affine[:3, 1] = cosines[3:] * float(first.PixelSpacing[0])
    affine[:3, 2] = cosines[:3] * float(first.PixelSpacing[1])
    affine[:3, 3] = start
    return np.array(planes), affine


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000))
def test_any_orthogonal_geometry_comes_back(tmp_path_factory, seed):
    volume = _ct(_oblique(seed), seed)
    written = write_series(tmp_path_factory.mktemp("series"), volume, _header())
    values, affine = _read_back(written)
    assert np.array_equal(values, volume.array)
    np.testing.assert_allclose(affine, volume.geometry.affine, atol=1e-9)


def test_simpleitk_reads_the_same_image(tmp_path):
    volume = _ct(_axial())
    write_series(tmp_path, volume, _header())
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.array)
    np.testing.assert_allclose(image.GetOrigin(), volume.geometry.affine[:3, 3], atol=1e-9)
    np.testing.assert_allclose(image.GetSpacing(), volume.geometry.spacing_mm[::-1], atol=1e-9)


def test_highdicom_reads_the_same_image(tmp_path):
    import highdicom as hd

    volume = _ct(_axial())
    written = write_series(tmp_path, volume, _header())
    sets = [pydicom.dcmread(path) for path in written.paths]
    theirs = hd.get_volume_from_series(sets)
    ours = Geometry(theirs.spatial_shape, theirs.affine)
    order = volume.geometry.order_of(ours)
    assert order is not None
    assert np.array_equal(order.apply(theirs.array), volume.array)


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.2",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.5",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.90",
    ],
)
def test_every_transfer_syntax_holds_the_same_voxels(tmp_path, syntax):
    volume = _ct(_axial((3, 40, 32)))
    written = write_series(tmp_path, volume, _header(), transfer_syntax_uid=syntax)
    sets = [pydicom.dcmread(path) for path in written.paths]
    assert {d.file_meta.TransferSyntaxUID for d in sets} == {syntax}
    assert [d.SOPInstanceUID for d in sets] == list(written.sop_instance_uids)
    assert np.array_equal(_read_back(written)[0], volume.array)


@pytest.mark.parametrize("order", AxisOrder.all()[::7])
def test_all_axis_orders_are_written_where_they_lie(tmp_path, order):
    geometry = _axial().reordered(order)
    volume = _ct(geometry)
    values, affine = _read_back(write_series(tmp_path, volume, _header()))
    assert np.array_equal(values, volume.array)
    assert Geometry(volume.array.shape, affine).is_same_grid(geometry)


def test_pet_slices_have_slopes_of_their_own_and_keep_their_activity(tmp_path):
    rng = np.random.default_rng(1)
    array = (rng.gamma(1.0, 4000, (4, 8, 8)) * np.array([1, 3, 0, 9])[:, None, None]).astype(
        np.float32
    )
    volume = Volume(array, _axial((4, 8, 8)), "PT", Quantity.BQML)
    injection = Injection(350e6, 6586.2, ACQUIRED - dt.timedelta(minutes=62), 74.0)
    written = write_series(tmp_path, volume, _header(injection=injection))
    sets = [pydicom.dcmread(path) for path in written.paths]
    slopes = [float(d.RescaleSlope) for d in sets]
    assert len(set(slopes)) == 4
    for plane, read, slope in zip(array, _read_back(written)[0], slopes, strict=True):
        np.testing.assert_allclose(read, plane, atol=0.5001 * slope)
    (tracer,) = sets[0].RadiopharmaceuticalInformationSequence
    started = pydicom.valuerep.DT(tracer.RadiopharmaceuticalStartDateTime)
    delay_s = (ACQUIRED.replace(tzinfo=None) - started).total_seconds()
    left_bq = tracer.RadionuclideTotalDose * 2 ** (-delay_s / tracer.RadionuclideHalfLife)
    assert float(sets[0].PatientWeight) * 1000 / left_bq == pytest.approx(
        74_000 / (350e6 * 2 ** (-62 * 60 / 6586.2))
    )
    assert (sets[0].Units, sets[0].DecayCorrection) == ("BQML", "START")


def test_mr_is_written_as_it_is(tmp_path):
    array = np.random.default_rng(0).integers(0, 60_000, (3, 6, 7)).astype(np.uint16)
    written = write_series(tmp_path, Volume(array, _axial((3, 6, 7)), "MR"), _header())
    sets = [pydicom.dcmread(path) for path in written.paths]
    assert "RescaleSlope" not in sets[0]
    assert np.array_equal([d.pixel_array for d in sets], array)


def test_header_and_extras_are_in_every_file(tmp_path):
    header = _header(extra={"InstitutionName": "Spital", "PatientAge": "061Y"})
    written = write_series(tmp_path, _ct(_axial()), header)
    for number, path in enumerate(written.paths, start=1):
        data = pydicom.dcmread(path)
        assert (data.PatientID, str(data.PatientName)) == ("HOSP-000123", "Testperson^Ännchen")
        assert (data.InstitutionName, data.PatientAge) == ("Spital", "061Y")
        assert (data.StudyDate, data.StudyTime) == ("20220506", "103015")
        assert data.InstanceNumber == number
        assert data.SOPClassUID == data.file_meta.MediaStorageSOPClassUID


def test_writing_twice_gives_the_same_bytes(tmp_path):
    volume = _ct(_axial())
    one, two = (write_series(tmp_path / name, volume, _header()) for name in "ab")
    for first, second in zip(one.paths, two.paths, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_uids_come_from_the_maker(tmp_path):
    made = write_series(
        tmp_path, _ct(_axial()), _header(), make_uid=lambda t: f"1.2.{len(t)}.{t[-1]}"
    )
    assert made.sop_instance_uids[3].endswith(".3")
    assert pydicom.dcmread(made.paths[3]).SOPInstanceUID == made.sop_instance_uids[3]


@given(st.text())
def test_hashed_uids_are_valid_and_tell_texts_apart(text):
    uid = pydicom.uid.UID(hashed_uid(text))
    assert uid.is_valid
    assert uid != hashed_uid(text + "x")


def test_a_sheared_grid_is_refused(tmp_path):
    affine = _axial().affine.copy()
    affine[1, 0] = 0.5
    with pytest.raises(InputError) as caught:
        write_series(tmp_path, _ct(Geometry((5, 6, 7), affine)), _header())
    assert caught.value.code == "sheared"


def test_values_beyond_16_bits_are_refused(tmp_path):
    volume = Volume(np.full((2, 3, 4), 40_000.0), _axial((2, 3, 4)), "CT")
    with pytest.raises(InputError, match="16 bits"):
        write_series(tmp_path, volume, _header())


def test_an_unknown_modality_is_refused(tmp_path):
    with pytest.raises(InputError, match="CT, MR and PT"):
        write_series(tmp_path, Volume(np.zeros((2, 3, 4)), _axial((2, 3, 4))), _header())


def _masks(geometry):
    rng = np.random.default_rng(5)
    ragged = rng.random(geometry.shape) < 0.4
    ragged[0] = False
    ring = np.zeros(geometry.shape, dtype=bool)
    ring[1:3, 1:5, 1:6] = True
    ring[1:3, 2:4, 2:5] = False
    return [Mask(ragged, geometry), Mask(ring, geometry), Mask(np.zeros_like(ring), geometry)]


@pytest.mark.parametrize("geometry", [_axial(), _oblique(3)], ids=["axial", "oblique"])
def test_contours_give_the_masks_back(tmp_path, geometry):
    image = write_series(tmp_path / "ct", _ct(geometry), _header())
    masks = _masks(geometry)
    rois = [Roi(f"GTV {n}", mask) for n, mask in enumerate(masks)]
    path = tmp_path / "rt" / "rs.dcm"
    write_rtstruct(path, rois, image, _header(series_uid=hashed_uid("rt")))
    data = pydicom.dcmread(path)
    assert [roi.ROIName for roi in data.StructureSetROISequence] == [roi.name for roi in rois]
    for contours, mask in zip(data.ROIContourSequence, masks, strict=True):
        assert np.array_equal(_filled(contours, image), mask.array)


def _filled(contours, image):
    """Fill contours by the even–odd rule on pixel centres: crossings of a ray, pixel by pixel."""
    inside = np.zeros(image.geometry.shape, dtype=bool)
    for contour in contours.get("ContourSequence", []):
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        corners = image.geometry.to_index(points)
        k = round(corners[0, 0])
        np.testing.assert_allclose(corners[:, 0], k, atol=1e-6)
        (reference,) = contour.ContourImageSequence
        assert reference.ReferencedSOPInstanceUID == image.sop_instance_uids[k]
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            low, high = sorted((a[1], b[1]))
            rows = [j for j in range(inside.shape[1]) if low <= j < high]
            left = np.arange(inside.shape[2]) < a[2]
            inside[k, rows] ^= left
    return inside


def test_a_mask_on_another_grid_is_refused(tmp_path):
    image = write_series(tmp_path / "ct", _ct(_axial()), _header())
    other = Mask(np.ones((5, 6, 7), dtype=bool), _axial(spacing=(3.0, 0.8, 0.7)))
    with pytest.raises(GeometryMismatchError):
        write_rtstruct(tmp_path / "rs.dcm", [Roi("GTV", other)], image, _header())
