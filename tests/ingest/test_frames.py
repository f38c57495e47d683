import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import Geometry
from lesionary.ingest.frames import FramePlanes, own_grid, place
from strategies import axis_orders, geometries

GRID = Geometry((4, 8, 6), np.diag([3.0, 1.0, 0.5, 1.0]))


def planes_of(geometry, slices, *, step_mm=None, frame=None, moved_mm=(0, 0, 0)):
    """Return the planes of some slices along ``k``."""
    indices = np.array([[k, 0, 0] for k in slices], dtype=float)
    affine = geometry.affine
    positions_mm = geometry.to_world(indices) + moved_mm
    return FramePlanes(
        positions_mm, affine[:3, 1], affine[:3, 2], geometry.shape[1:], step_mm, frame
    )


@given(geometries(), axis_orders(), st.randoms(use_true_random=False))
def test_the_view_of_an_array_shows_the_frames_slices(image, order, random):
    stack = image.reordered(order)
    slices = random.sample(range(stack.shape[0]), k=stack.shape[0])
    placement = place(planes_of(stack, slices), image)
    array = np.arange(image.n_voxels).reshape(image.shape)
    expected = order.apply(array)[slices]
    # where two axes are of length 1 several views show the same voxels
    assert np.array_equal(placement.view(array)[placement.slices], expected)


@given(geometries(), st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_its_own_grid_holds_every_plane(image, slices):
    planes = planes_of(image, slices, step_mm=image.spacing_mm[0])
    grid = own_grid(planes, max_voxels=1 << 20)
    assert grid.shape == (max(slices) - min(slices) + 1, *image.shape[1:])
    assert len(place(planes, grid).slices) == len(slices)


def test_a_stated_distance_that_does_not_divide_the_gaps_is_not_believed():
    grid = own_grid(planes_of(GRID, [0, 1, 3], step_mm=2.0), max_voxels=1 << 20)
    assert grid.shape[0] == 4
    assert grid.spacing_mm[0] == pytest.approx(3.0)


def test_uneven_planes_make_no_grid():
    with pytest.raises(GeometryMismatchError):
        own_grid(planes_of(GRID, [0, 1, 2.4]), max_voxels=1 << 20)


def test_planes_that_drift_sideways_make_no_grid():
    moved_mm = np.array([[0.0, 0, 0], [0.1, 0, 0], [0.0, 0, 0]])
    with pytest.raises(GeometryMismatchError):
        own_grid(planes_of(GRID, [0, 1, 2], moved_mm=moved_mm), max_voxels=1 << 20)


def test_a_single_plane_needs_a_distance():
    with pytest.raises(InputError) as caught:
        own_grid(planes_of(GRID, [2]), max_voxels=1 << 20)
    assert caught.value.code == "no_orientation"


def test_the_grid_stays_within_the_limit():
    with pytest.raises(InputError) as caught:
        own_grid(planes_of(GRID, [0, 1, 10**6]), max_voxels=1 << 20)
    assert caught.value.code == "size_claim"


@pytest.mark.parametrize(("theirs", "fits"), [(None, True), ("1", True), ("2", False)])
def test_known_frames_of_reference_must_be_the_same(theirs, fits):
    image = Geometry(GRID.shape, GRID.affine, theirs)
    planes = planes_of(GRID, [0], frame="1")
    if fits:
        assert place(planes, image).slices.tolist() == [0]
    else:
        with pytest.raises(GeometryMismatchError, match="another frame of reference"):
            place(planes, image)


@given(st.floats(-0.009, 0.009), st.floats(-0.029, 0.029))
def test_rounded_positions_are_forgiven(aside_mm, across_mm):
    planes = planes_of(GRID, [1], moved_mm=(across_mm, 0, aside_mm))
    assert place(planes, GRID).slices.tolist() == [1]


@pytest.mark.parametrize("moved_mm", [(0.031, 0, 0), (0, 0.011, 0), (0, 0, -0.011)])
def test_positions_beyond_rounding_are_not(moved_mm):
    with pytest.raises(GeometryMismatchError):
        place(planes_of(GRID, [1], moved_mm=moved_mm), GRID)
