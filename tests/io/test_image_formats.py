"""Every format against every other, and against readers that are not ours."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.core.volume import AxisOrder, Geometry, LabelMap, Volume
from lesionary.io.image_file import read_image_file, write_image_file
from strategies import geometries, label_maps, volumes

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
REVERSED = np.eye(4)[[2, 1, 0, 3]]
IN_A_FOLDER = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def oblique_grid(shape: tuple[int, int, int] = (3, 4, 5)) -> Geometry:
    """Return a grid turned by 20° and 35°, with three spacings."""
    a, b = np.deg2rad([20.0, 35.0])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.eye(3)[:, ::-1] * [2.5, 0.7, 0.9]
    affine[:3, 3] = [-101.5, 33.25, 750.125]
    return Geometry(shape, affine.astype(np.float32).astype(np.float64))


def numbered(grid: Geometry) -> Volume:
    """Return a volume in which every voxel has a number of its own."""
    return Volume(np.arange(grid.n_voxels, dtype=np.int16).reshape(grid.shape) - 7, grid)


def read_with_nibabel(path: Path) -> tuple[np.ndarray, Geometry]:
    file = nibabel.load(path)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ file.affine @ REVERSED
    array = np.asanyarray(file.dataobj).transpose()
    return array, Geometry(array.shape, affine)


def read_with_simpleitk(path: Path) -> tuple[np.ndarray, Geometry]:
    file = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(file.GetDirection(), (3, 3)) * file.GetSpacing()
    affine[:3, 3] = file.GetOrigin()
    array = sitk.GetArrayFromImage(file)
    return array, Geometry(array.shape, affine @ REVERSED)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("order", AxisOrder.all(), ids=str)
def test_all_axis_orders_of_an_oblique_grid_survive_in_every_reader(
    ending: str, order: AxisOrder, tmp_path: Path
) -> None:
    upright = numbered(oblique_grid())
    grid = upright.geometry.reordered(order)
    image = Volume(np.ascontiguousarray(order.apply(upright.array)), grid)
    path = tmp_path / f"image{ending}"
    write_image_file(path, image)

    ours = read_image_file(path)
    readings = [(ours.array, ours.geometry), read_with_simpleitk(path)]
    if ending.startswith(".nii"):
        readings.append(read_with_nibabel(path))
    for array, geometry in readings:
        np.testing.assert_array_equal(array, image.array)
        geometry.require_same_grid(grid)


@IN_A_FOLDER
@given(
    image=volumes(geometries(is_float32=True)) | label_maps(geometries(is_float32=True)),
    first=st.sampled_from(ENDINGS),
    second=st.sampled_from(ENDINGS),
)
def test_an_image_passes_through_two_formats_unchanged(
    image: Volume | LabelMap, first: str, second: str, tmp_path: Path
) -> None:
    one, two = tmp_path / f"one{first}", tmp_path / f"two{second}"
    write_image_file(one, image)
    between = read_image_file(one).as_volume()
    write_image_file(two, between)
    after = read_image_file(two)
    np.testing.assert_array_equal(after.array, image.array)
    after.geometry.require_same_grid(image.geometry)


@IN_A_FOLDER
@given(geometry=geometries(is_float32=True), ending=st.sampled_from([".nii.gz", ".nii", ".nrrd"]))
def test_an_affine_of_single_precision_comes_back_to_the_last_bit(
    geometry: Geometry, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"image{ending}"
    write_image_file(path, Volume(np.zeros(geometry.shape, np.int16), geometry))
    np.testing.assert_array_equal(read_image_file(path).geometry.affine, geometry.affine)


@IN_A_FOLDER
@given(image=volumes(dtype=np.float32), ending=st.sampled_from(ENDINGS))
def test_floats_with_nan_and_infinity_are_kept_and_marked(
    image: Volume, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"image{ending}"
    write_image_file(path, image)
    read = read_image_file(path)
    np.testing.assert_array_equal(read.array, image.array)
    invalid = ~np.isfinite(image.array)
    volume = read.as_volume("MR")
    assert [finding.code for finding in read.findings] == (["nan"] if invalid.any() else [])
    np.testing.assert_array_equal(
        np.zeros_like(invalid) if volume.invalid is None else volume.invalid, invalid
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_image_gives_the_same_bytes_under_any_name(ending: str, tmp_path: Path) -> None:
    image = numbered(oblique_grid())
    write_image_file(tmp_path / f"one{ending}", image)
    write_image_file(tmp_path / f"another{ending}", image)
    one, another = (tmp_path / f"{name}{ending}" for name in ("one", "another"))
    assert one.read_bytes() == another.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (np.array([-32768, 32767], np.int32), np.int16),
        (np.array([0, 32768], np.uint16), np.float32),
        (np.array([-3.0, 7.0], np.float64), np.int16),
        (np.array([0.5, 7.0], np.float64), np.float32),
        (np.array([np.nan, 7.0], np.float32), np.float32),
    ],
)
def test_volumes_are_int16_where_that_is_exact_else_float32(
    ending: str, values: np.ndarray, stored: type, tmp_path: Path
) -> None:
    path = tmp_path / f"image{ending}"
    write_image_file(path, Volume(values.reshape(1, 1, 2), Geometry((1, 1, 2), np.eye(4))))
    array = read_image_file(path).array
    assert array.dtype == stored
    np.testing.assert_array_equal(array.ravel(), values)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("largest", "stored"), [(0, np.uint8), (255, np.uint8), (256, np.uint16)])
def test_label_maps_are_uint8_and_uint16_above_255(
    ending: str, largest: int, stored: type, tmp_path: Path
) -> None:
    path = tmp_path / f"mask{ending}"
    values = np.array([[[0, largest]]], np.uint16)
    write_image_file(path, LabelMap(values, Geometry((1, 1, 2), np.eye(4))))
    read = read_image_file(path)
    labels, findings = read.as_label_map()
    assert read.array.dtype == stored
    assert findings == ()
    np.testing.assert_array_equal(labels.array, values)


def test_another_ending_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    with pytest.raises(InputError, match="ending"):
        write_image_file(path, numbered(oblique_grid()))
    assert not path.exists()


def test_a_file_is_read_by_its_content_not_its_name(tmp_path: Path) -> None:
    image = numbered(oblique_grid())
    write_image_file(tmp_path / "image.nrrd", image)
    misnamed = (tmp_path / "image.nrrd").rename(tmp_path / "image.nii.gz")
    np.testing.assert_array_equal(read_image_file(misnamed).array, image.array)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"hello, world", "not_dicom"), (bytes(range(256)) * 9, "not_dicom")],
)
@pytest.mark.parametrize("ending", [*ENDINGS, ".mhd", ".nhdr", ""])
def test_noise_is_refused_under_every_name(
    ending: str, content: bytes, code: str, tmp_path: Path
) -> None:
    path = tmp_path / f"image{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read_image_file(path)
    assert refusal.value.code == code
    assert path.name not in refusal.value.message


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_cut_anywhere_is_refused_with_a_code(ending: str, tmp_path: Path) -> None:
    grid = oblique_grid((6, 7, 8))
    rng = np.random.default_rng(5)
    path = tmp_path / f"image{ending}"
    write_image_file(path, Volume(rng.integers(-999, 999, grid.shape, np.int16), grid))
    whole = path.read_bytes()
    codes = set()
    for n_kept in range(0, len(whole), 7):
        path.write_bytes(whole[:n_kept])
        with pytest.raises(InputError) as refusal:
            read_image_file(path)
        codes.add(refusal.value.code)
    assert codes <= {"empty_file", "not_dicom", "truncated", "size_claim", "no_pixels"}
    path.write_bytes(whole[: 9 * len(whole) // 10])
    with pytest.raises(InputError) as refusal:
        read_image_file(path)
    assert refusal.value.code == "truncated"


@pytest.mark.parametrize("ending", ENDINGS)
def test_trailing_bytes_are_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"image{ending}"
    write_image_file(path, numbered(oblique_grid()))
    path.write_bytes(path.read_bytes() + b"and more")
    with pytest.raises(InputError) as refusal:
        read_image_file(path)
    assert refusal.value.code == "gzip_oversized"


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_flipped_bit_anywhere_in_a_compressed_stream_is_found(
    ending: str, tmp_path: Path
) -> None:
    grid = oblique_grid((4, 5, 6))
    path = tmp_path / f"image{ending}"
    rng = np.random.default_rng(3)
    image = Volume(rng.integers(-999, 999, grid.shape, np.int16), grid)
    write_image_file(path, image)
    whole = path.read_bytes()
    for at in range(len(whole) // 2, len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        try:
            read = read_image_file(path)
        except InputError:
            continue
        np.testing.assert_array_equal(read.array, image.array)
