"""MetaImage files as others write them, and as nobody should."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from lesionary.core.errors import InputError
from lesionary.io.metaimage import read_metaimage

ARRAY = np.arange(60, dtype=np.int16).reshape(3, 4, 5) - 20
FIELDS = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-10 20 -30",
    "ElementSpacing": "0.5 0.75 3",
    "DimSize": "5 4 3",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}


def meta_file(path: Path, voxels: bytes = ARRAY.tobytes(), **changes: str) -> Path:
    """Write ``ARRAY``; a change to an empty text drops the field."""
    fields = {**FIELDS, **changes}
    fields["ElementDataFile"] = fields.pop("ElementDataFile")
    header = "".join(f"{name} = {value}\n" for name, value in fields.items() if value)
    path.write_bytes(header.encode() + voxels)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image.mha"


def refusal_of(path: Path) -> str:
    with pytest.raises(InputError) as refusal:
        read_metaimage(path)
    return refusal.value.code


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("name", ["image.mha", "image.mhd"])
def test_what_simpleitk_writes_is_read(
    name: str, is_compressed: bool, dtype: str, tmp_path: Path
) -> None:
    array = np.arange(60).reshape(3, 4, 5).astype(dtype)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetOrigin((-10.0, 20.0, -30.0))
    image.SetDirection((0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / name), is_compressed)
    read = read_metaimage(tmp_path / name)
    assert read.array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read.array, array)
    for index in np.ndindex(2, 2, 2):
        theirs = image.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(read.geometry.to_world(np.array(index)), theirs, atol=1e-9)


def test_big_endian_voxels(path: Path) -> None:
    meta_file(path, ARRAY.astype(">i2").tobytes(), BinaryDataByteOrderMSB="True")
    np.testing.assert_array_equal(read_metaimage(path).array, ARRAY)


def test_a_fourth_axis_of_one_is_dropped(path: Path) -> None:
    meta_file(
        path,
        NDims="4",
        DimSize="5 4 3 1",
        TransformMatrix="1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        Offset="-10 20 -30 0",
        ElementSpacing="0.5 0.75 3 1",
    )
    np.testing.assert_array_equal(read_metaimage(path).array, ARRAY)


@pytest.mark.parametrize(("size", "before"), [("6", b"header"), ("-1", b"some header")])
def test_bytes_ahead_of_the_voxels_are_skipped(size: str, before: bytes, tmp_path: Path) -> None:
    header = meta_file(tmp_path / "a.mhd", b"", ElementDataFile="a.raw", HeaderSize=size)
    (tmp_path / "a.raw").write_bytes(before + ARRAY.tobytes())
    np.testing.assert_array_equal(read_metaimage(header).array, ARRAY)


@pytest.mark.parametrize("name", ["../a.raw", "/etc/hostname", "..\\a.raw", "link.raw"])
def test_a_data_file_outside_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(ARRAY.tobytes())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.raw").symlink_to(tmp_path / "a.raw")
    assert refusal_of(meta_file(folder / "a.mhd", b"", ElementDataFile=name)) == "path_outside"


def test_a_data_file_that_is_not_there_leaves_no_pixels(tmp_path: Path) -> None:
    assert refusal_of(meta_file(tmp_path / "a.mhd", b"", ElementDataFile="b.raw")) == "no_pixels"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"NDims": "4", "DimSize": "5 4 3 2"}, "not_3d"),
        ({"NDims": "2", "DimSize": "5 12"}, "not_3d"),
        ({"NDims": "2"}, "not_dicom"),
        ({"DimSize": "5 4 0"}, "not_dicom"),
        ({"DimSize": "5 4 three"}, "not_dicom"),
        ({"ElementType": "MET_STRING"}, "not_scalar"),
        ({"ElementNumberOfChannels": "3"}, "not_scalar"),
        ({"BinaryData": "False"}, "not_dicom"),
        ({"TransformMatrix": ""}, "no_orientation"),
        ({"TransformMatrix": "1 0 0 0 0 0 0 0 1"}, "no_orientation"),
        ({"TransformMatrix": "1 0.1 0 0 1 0 0 0 1"}, "sheared"),
        ({"TransformMatrix": "1 0 0 1"}, "not_dicom"),
        ({"ElementSpacing": "0.5 0.75 0"}, "no_orientation"),
        ({"ElementSpacing": "nan 0.75 3"}, "no_orientation"),
        ({"ElementDataFile": "LIST"}, "not_dicom"),
        ({"ElementDataFile": "slice%03d.raw 1 3 1"}, "not_dicom"),
        ({"HeaderSize": "-7"}, "not_dicom"),
        ({"DimSize": "30000 30000 30000"}, "size_claim"),
        ({"DimSize": "500 500 500"}, "size_claim"),
        ({"DimSize": "5 4 4"}, "truncated"),
        ({"DimSize": "5 4 2"}, "gzip_oversized"),
        ({"CompressedData": "True"}, "gzip_corrupt"),
    ],
)
def test_bad_headers_are_refused(changes: dict[str, str], code: str, path: Path) -> None:
    assert refusal_of(meta_file(path, **changes)) == code


def test_a_wrong_checksum_is_found(path: Path) -> None:
    packed = bytearray(zlib.compress(ARRAY.tobytes()))
    packed[-1] ^= 1
    assert refusal_of(meta_file(path, bytes(packed), CompressedData="True")) == "gzip_corrupt"
