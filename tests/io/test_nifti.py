"""NIfTI files as others write them, and as nobody should."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings

from lesionary.core.errors import InputError
from lesionary.core.volume import Geometry, Volume
from lesionary.io.limits import Limits
from lesionary.io.nifti import lps_from_ras, read_nifti, write_nifti
from lesionary.io.nifti_header import NIFTI1, build_header, parse_header
from strategies import geometries

SHAPE = (3, 4, 5)
ARRAY = np.arange(60, dtype=np.int16).reshape(SHAPE) - 20
RAS = np.array([[-0.5, 0, 0, 10], [0, -0.75, 0, 20], [0, 0, 3, -30], [0, 0, 0, 1.0]])


def header_bytes(**changes: object) -> bytes:
    """Return the header of ``ARRAY`` with some fields changed."""
    header = bytearray(build_header(SHAPE, RAS, np.dtype(np.int16)))
    for name, value in changes.items():
        at, code = NIFTI1[name]
        struct.pack_into("<" + code, header, at, *(value if isinstance(value, tuple) else (value,)))
    return bytes(header)


def nifti_file(path: Path, voxels: bytes = ARRAY.tobytes(), **changes: object) -> Path:
    content = header_bytes(**changes) + voxels
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def refusal_of(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as refusal:
        read_nifti(path, **options)
    assert path.stem not in refusal.value.message
    return refusal.value.code


@pytest.fixture(params=["image.nii", "image.nii.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_every_number_type_and_byte_order_reads_as_nibabel_reads_it(
    kind: type, order: str, dtype: str, path: Path
) -> None:
    header = kind.header_class(endianness=order)
    data = np.arange(60).reshape(5, 4, 3).astype(dtype)
    header.set_data_dtype(data.dtype.newbyteorder(order))
    kind(data, RAS, header).to_filename(path)
    image = read_nifti(path)
    assert image.array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image.array, data.transpose())
    np.testing.assert_array_equal(image.geometry.affine, lps_from_ras(RAS))


@pytest.mark.parametrize(
    ("stored", "slope", "inter", "expected"),
    [
        (np.int16, 1.0, 0.0, np.int16),
        (np.int16, 0.0, 5.0, np.int16),
        (np.int16, np.nan, np.nan, np.int16),
        (np.int16, 1.0, -1024.0, np.int16),
        (np.uint16, 1.0, -1024.0, np.int16),
        (np.uint8, -2.0, 300.0, np.int16),
        (np.uint8, 600.0, 0.0, np.uint16),
        (np.int16, 70000.0, 0.0, np.int32),
        (np.int16, 0.5, 0.0, np.float32),
        (np.int32, 0.5, 0.0, np.float64),
        (np.float32, 2.0, 1.0, np.float32),
        (np.float64, 2.0, 1.0, np.float64),
    ],
)
def test_scaling_keeps_integers_where_it_can(
    stored: type, slope: float, inter: float, expected: type, path: Path
) -> None:
    numbers = np.arange(60).reshape(SHAPE).astype(stored)
    datatype = parse_header(build_header(SHAPE, RAS, np.dtype(stored))).claim.stored
    code = struct.unpack_from("<h", build_header(SHAPE, RAS, datatype), 70)[0]
    nifti_file(path, numbers.tobytes(), datatype=code, scl_slope=slope, scl_inter=inter)
    image = read_nifti(path)
    is_scaled = slope != 0 and np.isfinite(slope)
    values = numbers * np.float64(slope) + inter if is_scaled else numbers
    assert image.array.dtype == expected
    np.testing.assert_allclose(image.array, values, rtol=1e-6)


@pytest.mark.parametrize(("units", "mm"), [(0, 1.0), (1, 1000.0), (2, 1.0), (3, 0.001), (10, 1.0)])
def test_lengths_become_millimetres(units: int, mm: float, path: Path) -> None:
    image = read_nifti(nifti_file(path, xyzt_units=units))
    np.testing.assert_allclose(image.geometry.spacing_mm, [3 * mm, 0.75 * mm, 0.5 * mm], rtol=1e-6)
    qform_only = read_nifti(nifti_file(path, xyzt_units=units, sform_code=0))
    np.testing.assert_allclose(qform_only.geometry.affine, image.geometry.affine, rtol=1e-6)


def test_extensions_ahead_of_the_voxels_are_skipped(path: Path) -> None:
    image = nibabel.Nifti1Image(ARRAY.transpose(), RAS)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"x" * 5000))
    image.to_filename(path)
    np.testing.assert_array_equal(read_nifti(path).array, ARRAY)


def test_several_gzip_members_and_padding_read_as_one(tmp_path: Path) -> None:
    content = header_bytes() + ARRAY.tobytes()
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]) + bytes(700))
    np.testing.assert_array_equal(read_nifti(path).array, ARRAY)


def test_a_trailing_axis_of_one_is_dropped(path: Path) -> None:
    image = read_nifti(nifti_file(path, dim=(5, 5, 4, 3, 1, 1, 1, 1)))
    np.testing.assert_array_equal(image.array, ARRAY)


@settings(max_examples=60, deadline=None)
@given(geometries(is_float32=True))
def test_the_qform_says_what_the_sform_says_or_nothing(geometry: Geometry) -> None:
    header = parse_header(
        build_header(geometry.shape, lps_from_ras(geometry.affine), np.dtype(np.int16))
    )
    np.testing.assert_array_equal(lps_from_ras(header.sform), geometry.affine)
    if header.has_qform:
        other = Geometry(geometry.shape, lps_from_ras(header.qform))
        apart_mm = geometry.largest_corner_distance_mm(other)
        assert apart_mm < 0.05 * min(geometry.spacing_mm)


def test_upright_grids_have_both_forms(path: Path) -> None:
    grid = Geometry(SHAPE, lps_from_ras(RAS))
    write_nifti(path, Volume(ARRAY, grid))
    header = nibabel.load(path).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
    np.testing.assert_allclose(header.get_qform(), RAS, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dim": (4, 5, 4, 3, 2, 1, 1, 1)}, "not_3d"),
        ({"dim": (2, 5, 12, 1, 1, 1, 1, 1)}, "not_3d"),
        ({"dim": (0, 5, 4, 3, 1, 1, 1, 1)}, "not_dicom"),
        ({"dim": (3, 5, -4, 3, 1, 1, 1, 1)}, "not_dicom"),
        ({"datatype": 128}, "not_scalar"),
        ({"datatype": 32}, "not_scalar"),
        ({"datatype": 1}, "not_scalar"),
        ({"datatype": 3}, "not_dicom"),
        ({"magic": b"ni1\0"}, "detached_header"),
        ({"vox_offset": 100.0}, "not_dicom"),
        ({"vox_offset": 352.5}, "not_dicom"),
        ({"vox_offset": float("nan")}, "not_dicom"),
        ({"qform_code": 0, "sform_code": 0}, "no_orientation"),
        ({"qform_code": 0, "srow": (0.0,) * 12}, "no_orientation"),
        ({"qform_code": 0, "srow": (float("nan"),) * 12}, "no_orientation"),
        ({"qform_code": 0, "srow": (1, 0.01, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)}, "sheared"),
        ({"dim": (3, 30000, 30000, 30000, 1, 1, 1, 1)}, "size_claim"),
        ({"dim": (3, 600, 600, 600, 1, 1, 1, 1)}, "size_claim"),
        ({"dim": (3, 5, 4, 4, 1, 1, 1, 1)}, "truncated"),
        ({"dim": (3, 5, 4, 2, 1, 1, 1, 1)}, "gzip_oversized"),
    ],
)
def test_bad_headers_are_refused(changes: dict[str, object], code: str, path: Path) -> None:
    assert refusal_of(nifti_file(path, **changes)) == code


def test_a_header_without_magic_is_no_nifti(path: Path) -> None:
    assert refusal_of(nifti_file(path, magic=b"\0\0\0\0")) == "not_dicom"


def test_a_volume_over_the_limit_is_refused(path: Path) -> None:
    assert refusal_of(nifti_file(path), limits=Limits(volume_bytes=119)) == "size_claim"
    read_nifti(nifti_file(path), limits=Limits(volume_bytes=120))


def test_the_limit_counts_memory_not_the_file(path: Path) -> None:
    scaled = nifti_file(path, scl_slope=0.5)  # int16 on disk, float32 in memory
    assert refusal_of(scaled, limits=Limits(volume_bytes=239)) == "size_claim"


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz"])
def test_a_claim_of_gigabytes_allocates_nothing(name: str, tmp_path: Path) -> None:
    path = nifti_file(tmp_path / name, dim=(3, 1000, 1000, 1000, 1, 1, 1, 1))
    tracemalloc.start()
    try:
        assert refusal_of(path) == "size_claim"
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_reading_takes_one_array_of_memory(tmp_path: Path) -> None:
    grid = Geometry((120, 128, 128), np.eye(4))
    voxels = np.random.default_rng(1).integers(-999, 999, grid.shape, np.int16)
    path = tmp_path / "image.nii.gz"
    write_nifti(path, Volume(voxels, grid))
    tracemalloc.start()
    try:
        image = read_nifti(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(image.array, voxels)
    assert peak < voxels.nbytes + (3 << 19)


def test_a_bomb_unpacks_no_further_than_its_header_claims(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "image.nii.gz", ARRAY.tobytes() + bytes(64 << 20))
    tracemalloc.start()
    try:
        assert refusal_of(path) == "gzip_oversized"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("at", [-8, -1])
def test_a_wrong_checksum_or_length_is_found(at: int, tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "image.nii.gz")
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert refusal_of(path) == "gzip_corrupt"


def test_a_stream_cut_before_its_checksum_is_truncated(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "image.nii.gz")
    path.write_bytes(path.read_bytes()[:-4])
    assert refusal_of(path) == "truncated"


def test_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    assert refusal_of(tmp_path) == "not_a_file"
    assert refusal_of(tmp_path / "absent.nii") == "not_a_file"


CONFLICT = {"quatern": (0.0, 0.0, 0.0, 10.0, 20.0, -30.0)}


def test_a_conflict_is_left_to_the_user(path: Path) -> None:
    nifti_file(path, **CONFLICT)
    assert refusal_of(path) == "affine_conflict"
    by_sform = read_nifti(path, affine="sform").geometry
    by_qform = read_nifti(path, affine="qform").geometry
    np.testing.assert_allclose(by_sform.affine, lps_from_ras(RAS), atol=1e-6)
    assert by_qform.affine[2, 0] == 3
    assert not by_qform.is_same_grid(by_sform)


@pytest.mark.parametrize(("voxels", "is_refused"), [(0.09, False), (0.11, True)])
def test_the_forms_may_differ_by_a_tenth_of_a_voxel(
    voxels: float, is_refused: bool, path: Path
) -> None:
    nifti_file(path, srow=(-0.5, 0, 0, 10 + 0.5 * voxels, 0, -0.75, 0, 20, 0, 0, 3, -30))
    if is_refused:
        assert refusal_of(path) == "affine_conflict"
    else:
        assert read_nifti(path).geometry.affine[0, 3] == pytest.approx(-10 - 0.5 * voxels)


def test_a_choice_between_the_forms_uses_the_only_one_there_is(path: Path) -> None:
    nifti_file(path, qform_code=0, **CONFLICT)
    np.testing.assert_allclose(read_nifti(path, affine="qform").geometry.affine, lps_from_ras(RAS))


def test_a_choice_also_counts_where_neither_form_is_declared(path: Path) -> None:
    nifti_file(path, qform_code=0, sform_code=0)
    for choice in ("sform", "qform"):
        affine = read_nifti(path, affine=choice).geometry.affine
        np.testing.assert_allclose(affine, lps_from_ras(RAS), atol=1e-6)
    nifti_file(path, qform_code=0, sform_code=0, srow=(0.0,) * 12)
    assert refusal_of(path, affine="sform") == "no_orientation"


def test_a_sheared_sform_gives_way_to_a_chosen_qform(path: Path) -> None:
    nifti_file(path, srow=(-0.5, 0.1, 0, 10, 0, -0.75, 0, 20, 0, 0, 3, -30))
    assert refusal_of(path) == "sheared"
    assert refusal_of(path, affine="sform") == "sheared"
    affine = read_nifti(path, affine="qform").geometry.affine
    np.testing.assert_allclose(affine, lps_from_ras(RAS), atol=1e-6)


@pytest.mark.real_data
def test_real_scans_read_as_nibabel_reads_them(shared_data: Path) -> None:
    paths = [
        shared_data / "sts_roi" / "001_CT_image.nii.gz",
        shared_data / "sts_dicom" / "STS_002" / "MR_T1" / "nifti" / "image" / "image.nii.gz",
        shared_data / "totalseg" / "example_ct_sm.nii.gz",
        shared_data / "pyradiomics_lung" / "lung1_label_crop.nii.gz",
    ]
    for path in paths:
        theirs, ours = nibabel.load(path), read_nifti(path)
        np.testing.assert_allclose(ours.array, theirs.get_fdata().transpose(), rtol=1e-6)
        np.testing.assert_allclose(ours.geometry.affine, lps_from_ras(theirs.affine), atol=1e-5)
