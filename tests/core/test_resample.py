"""Resampling against SimpleITK in any pose, against exact cases, and at edges."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.resample import PARALLEL_VOXELS, resample, resample_labels
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from strategies import axis_orders, geometries, volumes

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=9)


def grid(shape, spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0)):
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = spacing_mm
    affine[:3, 3], affine[3, 3] = origin_mm, 1
    return Geometry(shape, affine)


def itk_image(array, geometry):
    image = sitk.GetImageFromArray(array)
    spacing_mm = np.array(geometry.spacing_mm)
    image.SetSpacing(spacing_mm[::-1].tolist())
    image.SetOrigin(geometry.affine[:3, 3].tolist())
    image.SetDirection((geometry.affine[:3, :3] / spacing_mm)[:, ::-1].ravel().tolist())
    return image


def by_itk(volume, onto, fill, kind=sitk.sitkLinear):
    array = np.ascontiguousarray(volume.array)
    reference = itk_image(np.zeros(onto.shape, dtype=array.dtype), onto)
    image = itk_image(array, volume.geometry)
    found = sitk.Resample(image, reference, sitk.Transform(), kind, float(fill))
    return sitk.GetArrayFromImage(found)


@st.composite
def poses(draw, *, is_oblique):
    """An image's grid and another that overlaps it, turned as SimpleITK allows."""
    first, second = (
        Geometry(grid.shape, np.where(np.abs(grid.affine) < 1e-12, 0, grid.affine))
        for grid in (draw(geometries(SHAPES, is_oblique=is_oblique)) for _ in range(2))
    )  # ITK's own inverse fails on numbers near zero
    middle = first.to_world((np.array(first.shape) - 1) / 2)
    affine = second.affine.copy()
    affine[:3, 3] += middle - second.to_world((np.array(second.shape) - 1) / 2)
    shift = np.array([draw(st.floats(-3, 3)) for _ in range(3)])
    affine[:3, 3] += shift
    return first, Geometry(second.shape, affine)


def far_from_edges(volume, onto):
    """Voxels of ``onto`` not within rounding of the image's outer faces or of a halfway point."""
    indices = np.stack(np.meshgrid(*map(np.arange, onto.shape), indexing="ij"), axis=-1)
    there = volume.geometry.to_index(onto.to_world(indices))
    return (np.abs(there - np.floor(there) - 0.5) > 1e-5).all(axis=-1)


@pytest.mark.parametrize("is_oblique", [False, True])
@given(st.data())
def test_whole_numbers_equal_simpleitk_s_within_one(is_oblique, data):
    source, onto = data.draw(poses(is_oblique=is_oblique))
    volume = data.draw(volumes(st.just(source), np.int16))
    found = resample(volume, onto, fill=-1000).array
    expected = by_itk(volume, onto, -1000)
    sure = far_from_edges(volume, onto)
    assert found.dtype == np.int16
    assert np.abs(found.astype(int) - expected)[sure].max(initial=0) <= 1


@pytest.mark.parametrize("is_oblique", [False, True])
@given(st.data())
def test_floats_equal_simpleitk_s_to_four_digits(is_oblique, data):
    source, onto = data.draw(poses(is_oblique=is_oblique))
    volume = data.draw(volumes(st.just(source), np.float32, min_value=-100, max_value=100))
    found = resample(volume, onto, fill=-5).array
    expected = by_itk(volume, onto, -5)
    sure = far_from_edges(volume, onto)
    assert found.dtype == np.float32
    # Nearly parallel axes may be treated as parallel: a point moves by up to 1e-5 of a voxel.
    moved = PARALLEL_VOXELS * float(np.ptp(volume.array))
    assert np.abs(found - expected)[sure].max(initial=0) <= 1e-4 + moved


@pytest.mark.parametrize("is_oblique", [False, True])
@given(st.data())
def test_labels_equal_simpleitk_s_nearest(is_oblique, data):
    source, onto = data.draw(poses(is_oblique=is_oblique))
    array = data.draw(hnp.arrays(np.uint16, source.shape, elements=st.integers(0, 4)))
    labels = LabelMap(array, source, {1: "m,liver"})
    found = resample_labels(labels, onto)
    expected = by_itk(Volume(array, source), onto, 0, sitk.sitkNearestNeighbor)
    sure = far_from_edges(labels, onto)
    assert np.array_equal(found.array[sure], expected[sure])
    assert found.labels == {1: "m,liver"}
    assert found.geometry is onto


@given(volumes(), axis_orders(), st.sampled_from(["trilinear", "nearest"]))
def test_the_same_grid_in_another_order_gives_the_same_voxels(volume, how, order):
    onto = volume.geometry.reordered(how)
    found = resample(volume, onto, fill=0, order=order)
    assert np.array_equal(found.array, how.apply(volume.array))
    assert found.invalid is None


@given(geometries(SHAPES), st.data())
def test_a_field_that_rises_evenly_is_met_exactly_inside(source, data):
    """Trilinear values of a linear field are its own, wherever the samples lie."""
    slope = np.array([data.draw(st.floats(-5, 5)) for _ in range(3)])
    indices = np.stack(np.meshgrid(*map(np.arange, source.shape), indexing="ij"), axis=-1)
    volume = Volume(indices @ slope, source)
    shares = np.array([data.draw(st.floats(0, 1)) for _ in range(3)])
    place = shares * (np.array(source.shape) - 1)
    affine = np.eye(4)[[2, 1, 0, 3]]
    affine[:3, 3] = source.to_world(place)
    found = resample(volume, Geometry((1, 1, 1), affine), fill=np.nan).array
    assert found[0, 0, 0] == pytest.approx(place @ slope, abs=2e-5)  # a centre is met within 1e-6


def test_a_coarser_grid_s_first_centre_lies_between_two_voxels():
    row = Volume(np.array([[[0, 10, 20, 40]]], dtype=np.int16), grid((1, 1, 4)))
    onto = grid((1, 1, 2), (1.0, 1.0, 2.0), (0.5, 0.0, 0.0))
    assert resample(row, onto, fill=-1000).array.tolist() == [[[5, 30]]]


def test_a_finer_grid_keeps_the_outermost_values_within_their_voxels():
    row = Volume(np.array([[[0, 8]]], dtype=np.int16), grid((1, 1, 2)))
    onto = grid((1, 1, 6), (1.0, 1.0, 0.5), (-0.75, 0.0, 0.0))
    found = resample(row, onto, fill=-1)
    assert found.array.tolist() == [[[-1, 0, 2, 6, 8, -1]]]
    assert found.invalid is not None
    assert found.invalid.tolist() == [[[True, False, False, False, False, True]]]


def test_halves_are_rounded_to_even():
    row = Volume(np.array([[[0, 1, 2, 3]]], dtype=np.int16), grid((1, 1, 4)))
    onto = grid((1, 1, 3), origin_mm=(0.5, 0.0, 0.0))
    assert resample(row, onto, fill=0).array.tolist() == [[[0, 2, 2]]]


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_what_touches_an_invalid_voxel_with_a_weight_is_invalid(turn):
    source = grid((5, 5, 5))
    invalid = np.zeros(source.shape, dtype=np.bool_)
    invalid[2, 2, 2] = True
    volume = Volume(np.zeros(source.shape, dtype=np.int16), source, invalid=invalid)
    affine = source.affine.copy()
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    affine[:2, 1:3] = rotation @ affine[:2, 1:3]
    affine[:3, 3] = (2.25, 2.0, 2.0)
    onto = Geometry((2, 1, 2), affine)
    found = resample(volume, onto, fill=0).invalid
    assert found is not None
    assert found[0, 0].tolist() == [True, False]
    assert not found[1].any()
    nearest = resample(volume, onto, fill=0, order="nearest").invalid
    assert nearest is not None
    assert nearest[0, 0, 0]


def test_without_invalid_voxels_and_edges_nothing_is_invalid():
    source = grid((4, 4, 4))
    invalid = np.zeros(source.shape, dtype=np.bool_)
    volume = Volume(np.zeros(source.shape, dtype=np.int16), source, invalid=invalid)
    onto = grid((2, 2, 2), (1.5, 1.5, 1.5))
    assert resample(volume, onto, fill=0).invalid is None


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, ">i2"])
def test_the_number_type_and_what_the_numbers_mean_are_kept(dtype):
    array = np.arange(27).reshape(3, 3, 3).astype(dtype)
    volume = Volume(array, grid((3, 3, 3)), "PT", Quantity.SUVBW)
    found = resample(volume, grid((2, 2, 2), (0.5, 1.0, 1.0)), fill=0)
    assert found.array.dtype == np.dtype(dtype).newbyteorder("=")
    assert (found.modality, found.quantity) == ("PT", Quantity.SUVBW)
    assert found.array[0].tolist() == array[0, :2, :2].tolist()


def test_large_whole_numbers_stay_exact_on_voxel_centres():
    array = np.full((2, 2, 2), 2**31 - 1, dtype=np.int32)
    found = resample(Volume(array, grid((2, 2, 2))), grid((3, 2, 2), (0.5, 1.0, 1.0)), fill=0)
    assert (found.array == 2**31 - 1).all()


def test_a_grid_that_meets_nothing_is_all_fill_and_all_invalid():
    volume = Volume(np.ones((2, 2, 2), dtype=np.int16), grid((2, 2, 2)))
    for spacing_mm in ((1.0, 1.0, 1.0), (3.0, 0.5, 2.0)):
        onto = grid((2, 3, 4), spacing_mm, (100.0, 0.0, 0.0))
        found = resample(volume, onto, fill=-1000)
        assert (found.array == -1000).all()
        assert found.invalid is not None
        assert found.invalid.all()


def test_foreign_frames_of_reference_are_refused():
    here = Geometry((1, 1, 1), np.eye(4), "1.2.3")
    there = Geometry((1, 1, 1), np.eye(4), "1.2.4")
    volume = Volume(np.zeros((1, 1, 1)), here)
    with pytest.raises(GeometryMismatchError, match="frames"):
        resample(volume, there, fill=0)
    assert resample(volume, there.without_frame(), fill=0).array.tolist() == [[[0.0]]]


@pytest.mark.parametrize("fill", [np.nan, 0.5, -40000, 40000])
def test_a_fill_that_is_no_number_of_the_type_is_refused(fill):
    volume = Volume(np.zeros((1, 1, 1), dtype=np.int16), grid((1, 1, 1)))
    with pytest.raises(InputError, match="cannot fill"):
        resample(volume, volume.geometry, fill=fill)


def test_other_orders_and_other_numbers_are_refused():
    volume = Volume(np.zeros((1, 1, 1)), grid((1, 1, 1)))
    with pytest.raises(InputError, match="trilinear or nearest"):
        resample(volume, volume.geometry, fill=0, order="cubic")
    with pytest.raises(InputError, match="real numbers"):
        resample(Volume(np.zeros((1, 1, 1), complex), volume.geometry), volume.geometry, fill=0)


def test_what_lies_outside_is_marked_unless_that_is_not_asked_for():
    grid = Geometry((1, 1, 4), np.eye(4)[[2, 1, 0, 3]])
    shifted = Geometry((1, 1, 4), [[0, 0, 1, 2], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    row = Volume(np.array([[[0, 10, 20, 40]]], dtype=np.int16), grid)
    marked = resample(row, shifted, fill=-1000)
    assert marked.array.tolist() == [[[20, 40, -1000, -1000]]]
    assert marked.invalid.tolist() == [[[False, False, True, True]]]
    plain = resample(row, shifted, fill=-1000, mark_outside=False)
    assert plain.invalid is None
    assert np.array_equal(plain.array, marked.array)
