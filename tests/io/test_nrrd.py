"""NRRD files as others write them, and as nobody should."""

import bz2
import gzip
from pathlib import Path

import nrrd
import numpy as np
import pytest
import SimpleITK as sitk

from lesionary.core.errors import InputError
from lesionary.io.nrrd import read_nrrd

ARRAY = np.arange(60, dtype=np.int16).reshape(3, 4, 5) - 20
AXES = "(0.5,0,0) (0,0.75,0) (0,0,3)"
FIELDS = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "5 4 3",
    "space directions": AXES,
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-10,20,-30)",
}


def nrrd_file(path: Path, voxels: bytes = ARRAY.tobytes(), extra: str = "", **changes: str) -> Path:
    """Write ``ARRAY``; a change to an empty text drops the field."""
    fields = FIELDS | {name.replace("_", " "): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    header = "\n".join(["NRRD0005", "# a comment", *lines]) + "\n" + extra
    path.write_bytes(header.encode() + b"\n" + voxels)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image.nrrd"


def refusal_of(path: Path) -> str:
    with pytest.raises(InputError) as refusal:
        read_nrrd(path)
    return refusal.value.code


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("raw", bytes), ("gzip", gzip.compress), ("gz", gzip.compress), ("bzip2", bz2.compress)],
)
@pytest.mark.parametrize("endian", ["little", "big"])
def test_encodings_and_byte_orders(encoding: str, packed: type, endian: str, path: Path) -> None:
    voxels = ARRAY.astype("<i2" if endian == "little" else ">i2").tobytes()
    nrrd_file(path, packed(voxels), encoding=encoding, endian=endian)
    image = read_nrrd(path)
    assert image.array.dtype == np.dtype(np.int16)
    np.testing.assert_array_equal(image.array, ARRAY)
    np.testing.assert_array_equal(image.geometry.spacing_mm, [3, 0.75, 0.5])
    np.testing.assert_array_equal(image.geometry.affine[:3, 3], [-10, 20, -30])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_what_pynrrd_writes_is_read(dtype: str, path: Path) -> None:
    data = np.arange(60).reshape(5, 4, 3).astype(dtype)
    header = {
        "space": "RAS",
        "space directions": np.diag([0.5, 0.75, 3.0]),
        "space origin": [1.0, 2.0, 3.0],
        "encoding": "gzip",
    }
    nrrd.write(str(path), data, header)
    image = read_nrrd(path)
    assert image.array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image.array, data.transpose())
    np.testing.assert_array_equal(image.geometry.affine[:3, 3], [-1, -2, 3])


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
    ],
)
def test_every_space_becomes_lps_as_simpleitk_has_it(
    space: str, signs: tuple[int, int, int], path: Path
) -> None:
    turned = "(0.3,0.4,0) (-0.6,0.45,0) (0,0,3)"
    geometry = read_nrrd(nrrd_file(path, space=space, space_directions=turned)).geometry
    np.testing.assert_allclose(geometry.affine[:3, 2], np.array([0.3, 0.4, 0]) * signs)
    np.testing.assert_allclose(geometry.affine[:3, 3], np.array([-10, 20, -30]) * signs)
    np.testing.assert_allclose(sitk.ReadImage(str(path)).GetOrigin(), geometry.affine[:3, 3])


def test_lengths_become_millimetres(path: Path) -> None:
    image = read_nrrd(nrrd_file(path, space_units='"m" "m" "m"'))
    np.testing.assert_allclose(image.geometry.spacing_mm, [3000, 750, 500])


def test_a_list_axis_of_one_layer_is_dropped(path: Path) -> None:
    nrrd_file(
        path,
        dimension="4",
        sizes="1 5 4 3",
        space_directions=f"none {AXES}",
        kinds="list domain domain domain",
    )
    np.testing.assert_array_equal(read_nrrd(path).array, ARRAY)


def test_segments_of_slicer_name_their_labels(path: Path) -> None:
    extra = (
        "Segment0_ID:=Segment_1\nSegment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Name:=GTV\n"
        "Segment1_LabelValue:=3\nSegment1_Name:=node: left\nSegment2_LabelValue:=4\n"
    )
    voxels = (ARRAY % 5).astype(np.uint8).tobytes()
    labels, _ = read_nrrd(nrrd_file(path, voxels, extra, type="uint8", endian="")).as_label_map()
    assert labels.labels == {1: "GTV", 3: "node: left"}


def test_overlapping_layers_of_slicer_are_refused_with_a_way_out(path: Path) -> None:
    nrrd_file(
        path,
        ARRAY.tobytes() * 2,
        "Segment0_LabelValue:=1\n",
        dimension="4",
        sizes="2 5 4 3",
        space_directions=f"none {AXES}",
    )
    with pytest.raises(InputError, match="2 layers") as refusal:
        read_nrrd(path)
    assert refusal.value.code == "not_3d"
    assert "export" in (refusal.value.hint or "")


@pytest.mark.parametrize("name", ["voxels.raw", "below/voxels.raw", "./voxels.raw"])
def test_a_data_file_beside_its_header_is_read(name: str, tmp_path: Path) -> None:
    header = nrrd_file(tmp_path / "image.nhdr", b"", data_file=name)
    (tmp_path / "below").mkdir()
    (tmp_path / name).write_bytes(ARRAY.tobytes())
    np.testing.assert_array_equal(read_nrrd(header).array, ARRAY)


@pytest.mark.parametrize(("skip", "before"), [("6", b"header"), ("-1", b"some header")])
def test_bytes_ahead_of_the_voxels_are_skipped(skip: str, before: bytes, tmp_path: Path) -> None:
    header = nrrd_file(tmp_path / "image.nhdr", b"", data_file="voxels.raw", byte_skip=skip)
    (tmp_path / "voxels.raw").write_bytes(before + ARRAY.tobytes())
    np.testing.assert_array_equal(read_nrrd(header).array, ARRAY)


@pytest.mark.parametrize("name", ["../voxels.raw", "/etc/hostname", "..\\voxels.raw", "link.raw"])
def test_a_data_file_outside_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "voxels.raw").write_bytes(ARRAY.tobytes())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.raw").symlink_to(tmp_path / "voxels.raw")
    assert refusal_of(nrrd_file(folder / "image.nhdr", b"", data_file=name)) == "path_outside"


def test_a_data_file_that_is_not_there_leaves_no_pixels(tmp_path: Path) -> None:
    assert refusal_of(nrrd_file(tmp_path / "image.nhdr", b"", data_file="a.raw")) == "no_pixels"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dimension": "4", "sizes": "5 4 3 2", "space_directions": ""}, "not_3d"),
        ({"dimension": "4", "sizes": "2 5 4 3", "space_directions": f"none {AXES}"}, "not_3d"),
        ({"dimension": "2", "sizes": "5 12", "space_directions": "(1,0,0) (0,1,0)"}, "not_3d"),
        ({"dimension": "4"}, "not_dicom"),
        ({"sizes": "5 4"}, "not_dicom"),
        ({"sizes": "5 4 -3"}, "not_dicom"),
        ({"sizes": "5 4 x"}, "not_dicom"),
        ({"sizes": ""}, "not_dicom"),
        ({"space": ""}, "no_orientation"),
        ({"space": "scanner-xyz"}, "no_orientation"),
        ({"space_directions": ""}, "no_orientation"),
        ({"space_directions": "(0,0,0) (0,0.75,0) (0,0,3)"}, "no_orientation"),
        ({"space_directions": "(nan,0,0) (0,0.75,0) (0,0,3)"}, "no_orientation"),
        ({"space_directions": "(0.5,0) (0,0.75) (0,3)"}, "not_dicom"),
        ({"space_directions": "(0.5,0.1,0) (0,0.75,0) (0,0,3)"}, "sheared"),
        ({"space_units": '"furlong" "furlong" "furlong"'}, "not_dicom"),
        ({"type": "block"}, "not_scalar"),
        ({"encoding": "ascii"}, "not_dicom"),
        ({"endian": "middle"}, "not_dicom"),
        ({"endian": ""}, "not_dicom"),
        ({"line_skip": "2"}, "not_dicom"),
        ({"byte_skip": "-5"}, "not_dicom"),
        ({"data_file": "LIST"}, "not_dicom"),
        ({"data_file": "slice%03d.raw 1 3 1"}, "not_dicom"),
        ({"sizes": "30000 30000 30000"}, "size_claim"),
        ({"sizes": "500 500 500"}, "size_claim"),
        ({"sizes": "500 500 500", "encoding": "gzip"}, "size_claim"),
        ({"sizes": "5 4 4"}, "truncated"),
        ({"sizes": "5 4 2"}, "gzip_oversized"),
        ({"encoding": "gzip"}, "gzip_corrupt"),
        ({"encoding": "bzip2"}, "gzip_corrupt"),
    ],
)
def test_bad_headers_are_refused(changes: dict[str, str], code: str, path: Path) -> None:
    assert refusal_of(nrrd_file(path, **changes)) == code


def test_a_header_without_end_is_refused(path: Path) -> None:
    path.write_bytes(b"NRRD0004\n" + b"# x\n" * (1 << 19))
    assert refusal_of(path) == "not_dicom"


@pytest.mark.real_data
def test_real_files_read_as_simpleitk_reads_them(shared_data: Path) -> None:
    for name in ("brain1_image", "brain1_label", "breast1_image"):
        path = shared_data / "pyradiomics_brain_breast" / f"{name}.nrrd"
        ours, theirs = read_nrrd(path), sitk.ReadImage(str(path))
        np.testing.assert_array_equal(ours.array, sitk.GetArrayViewFromImage(theirs))
        np.testing.assert_allclose(ours.geometry.spacing_mm[::-1], theirs.GetSpacing())
        np.testing.assert_allclose(ours.geometry.affine[:3, 3], theirs.GetOrigin())
