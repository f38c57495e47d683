import io
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import AxisOrder, Geometry, LabelMap, Mask, Volume
from lesionary.core.window import Window
from lesionary.publish.report.gallery import gallery_item, pick_for_gallery
from lesionary.publish.report.panel import outline_loops, panel_svg
from lesionary.publish.report.png import grey_png

WINDOW = Window(level=50, width=100)


@dataclass
class Axes:
    slice_index: int
    long_axis_points_mm: np.ndarray
    short_axis_points_mm: np.ndarray


@dataclass
class Lesion:
    lesion: int
    label: str | int
    value: int
    axes: Axes | None


def axial_scan():
    """A grid as a CT has it, with a lesion and a bright mark at the patient's right, anterior."""
    affine = np.array(
        [[0, 0, 0.8, -30.0], [0, 1.25, 0, -40.0], [3.0, 0, 0, 100.0], [0, 0, 0, 1.0]]
    )  # (k, j, i) to left, posterior, superior
    geometry = Geometry((7, 60, 80), affine)
    image = np.full(geometry.shape, 40, dtype=np.int16)
    labels = np.zeros(geometry.shape, dtype=np.uint16)
    labels[2:5, 24:34, 30:48] = 5
    image[labels == 5] = 60
    image[3, 18:20, 22:24] = 100  # anterior and right of the lesion, in the slice that is shown
    return Volume(image, geometry), LabelMap(labels, geometry)


def measured(geometry, *, slice_index=3):
    ends = np.array([[3, 24, 30], [3, 33, 47.0]])
    across = np.array([[3, 33, 33], [3, 24, 44.0]])
    axes = Axes(slice_index, geometry.to_world(ends), geometry.to_world(across))
    return Lesion(1, "m,liver", 5, axes)


def turned(volume, labels, order):
    geometry = volume.geometry.reordered(order)
    return (
        Volume(order.apply(volume.array), geometry),
        LabelMap(order.apply(labels.array), geometry),
    )


def test_a_picture_shows_right_on_the_left_and_anterior_on_top():
    volume, labels = axial_scan()
    item = gallery_item(volume, labels, measured(volume.geometry), WINDOW, series="ct")
    rows, columns = np.nonzero(item.pixels == 255)
    mask_rows, mask_columns = np.nonzero(item.mask)
    assert rows.size == 4
    assert rows.max() < mask_rows.min()
    assert columns.max() < mask_columns.min()


@pytest.mark.parametrize("order", AxisOrder.all(), ids=str)
def test_all_axis_orders_give_the_same_picture(order):
    volume, labels = axial_scan()
    lesion = measured(volume.geometry)
    expected = gallery_item(volume, labels, lesion, WINDOW, series="ct")
    other_volume, other_labels = turned(volume, labels, order)
    grid = other_volume.geometry
    place = grid.to_index(lesion.axes.long_axis_points_mm)[0]
    index = round(float(place[grid.superior_axis]))
    moved = Lesion(1, "m,liver", 5, Axes(index, *_ends(lesion)))
    item = gallery_item(other_volume, other_labels, moved, WINDOW, series="ct")
    np.testing.assert_array_equal(item.pixels, expected.pixels)
    np.testing.assert_array_equal(item.mask, expected.mask)
    assert item.spacing_mm == pytest.approx(expected.spacing_mm)
    np.testing.assert_allclose(item.long_axis, expected.long_axis, atol=1e-9)
    np.testing.assert_allclose(item.short_axis, expected.short_axis, atol=1e-9)
    assert panel_svg(item, "x") == panel_svg(expected, "x")


def _ends(lesion):
    return lesion.axes.long_axis_points_mm, lesion.axes.short_axis_points_mm


def test_axes_end_at_the_lesion_and_the_field_is_square_in_millimetres():
    volume, labels = axial_scan()
    item = gallery_item(volume, labels, measured(volume.geometry), WINDOW, series="ct")
    for row, column in (*item.long_axis, *item.short_axis):
        assert item.mask[round(row), round(column)]
    height, width = (n * s for n, s in zip(item.pixels.shape, item.spacing_mm, strict=True))
    assert height == pytest.approx(width, abs=max(item.spacing_mm))
    assert item.spacing_mm == pytest.approx((1.25, 0.8))


def test_beyond_the_scan_is_black_and_the_lesion_stays_whole():
    grid = Geometry((1, 6, 6), np.diag([1.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
    volume = Volume(np.full(grid.shape, 100.0), grid)
    mask = np.zeros(grid.shape, dtype=bool)
    mask[0, 0:3, 4:6] = True
    item = gallery_item(volume, Mask(mask, grid), Lesion(1, 7, 1, None), WINDOW, series="s")
    assert item.mask.sum() == 6
    assert np.count_nonzero(item.pixels) == 36
    assert item.label == "7"
    assert item.long_axis is None


def test_without_axes_the_fullest_section_is_shown():
    volume, labels = axial_scan()
    array = labels.array.copy()
    array[4, 20, 20] = 5
    item = gallery_item(
        volume, labels.with_array(array), Lesion(1, "lesion", 5, None), WINDOW, series="s"
    )
    assert item.mask.sum() == 10 * 18 + 1


def test_invalid_voxels_are_black():
    volume, labels = axial_scan()
    invalid = np.zeros(volume.geometry.shape, dtype=bool)
    invalid[3, 18:20, 22:24] = True
    masked = Volume(volume.array, volume.geometry, invalid=invalid)
    item = gallery_item(masked, labels, measured(volume.geometry), WINDOW, series="s")
    assert item.pixels.max() < 255


def test_a_foreign_grid_or_an_empty_section_is_refused():
    volume, labels = axial_scan()
    elsewhere = Geometry(volume.geometry.shape, volume.geometry.affine + np.eye(4, k=3) * 5)
    lesion = measured(volume.geometry)
    with pytest.raises(GeometryMismatchError):
        gallery_item(volume, LabelMap(labels.array, elsewhere), lesion, WINDOW, series="s")
    with pytest.raises(InputError, match="no voxel"):
        gallery_item(volume, labels, measured(volume.geometry, slice_index=6), WINDOW, series="s")
    with pytest.raises(InputError, match="width 0"):
        Window(40, 0)


@given(st.floats(-1000, 1000), st.floats(1, 5000))
def test_a_window_is_linear_on_exactly_its_interval(level, width):
    ends = np.array([level - width, level - width / 2, level, level + width / 2, level + width])
    low, first, middle, last, high = Window(level, width).apply(ends).tolist()
    assert (low, first, last, high) == (0, 0, 255, 255)
    assert middle in (127, 128)


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_a_png_reads_back(pixels):
    from PIL import Image

    with Image.open(io.BytesIO(grey_png(pixels))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_the_drawn_outline_is_the_one_that_calipers_measure():
    mask = np.ones((20, 30), dtype=bool)
    points = np.concatenate(outline_loops(mask))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    assert distances.max() == pytest.approx(35.51, abs=0.005)


def test_an_outline_goes_round_holes_and_joins_corners():
    ring = np.ones((5, 5), dtype=bool)
    ring[2, 2] = False
    assert len(outline_loops(ring)) == 2
    assert len(outline_loops(np.eye(2, dtype=bool))) == 1


def test_every_series_shows_its_largest_lesion_first():
    volumes = [("a", 1, 9.0), ("a", 2, 8.0), ("a", 3, None), ("b", 1, 0.1), ("c", 1, 0.2)]
    assert pick_for_gallery(volumes, limit=3) == (("a", 1), ("b", 1), ("c", 1))
    assert pick_for_gallery(volumes, limit=4) == (("a", 1), ("a", 2), ("b", 1), ("c", 1))
    assert pick_for_gallery(volumes) == tuple((s, n) for s, n, _ in volumes)
    assert pick_for_gallery(volumes, limit=0) == ()
    assert pick_for_gallery([]) == ()


@pytest.mark.real_data
def test_a_real_sarcoma_is_shown_whole(shared_data):
    import nibabel as nib

    image = nib.load(shared_data / "sts_roi" / "002_CT_image.nii.gz")
    drawn = nib.load(shared_data / "sts_roi" / "002_CT_mask.nii.gz")
    affine = image.affine[:, [2, 1, 0, 3]] * np.array([[-1], [-1], [1], [1]])
    grid = Geometry(image.shape[::-1], affine)
    mask = np.asarray(drawn.dataobj).T > 0
    volume = Volume(np.asarray(image.dataobj).T, grid)
    item = gallery_item(
        volume, Mask(mask, grid), Lesion(1, "lesion", 1, None), Window(40, 350), series="ct"
    )
    others = tuple(axis for axis in range(3) if axis != grid.superior_axis)
    assert item.mask.sum() == mask.sum(axis=others).max()
    assert item.pixels[item.mask].mean() > item.pixels[~item.mask].mean()
