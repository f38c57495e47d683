import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.core.planes import ON_SLICE, lie_on_slices, place_outlines
from lesionary.core.volume import Geometry
from strategies import geometries

GRID = Geometry((4, 8, 8), np.diag([3.0, 1.0, 1.0, 1.0]))
TRIANGLE = np.array([(0.0, 1.0, 1.0), (0.0, 6.0, 2.0), (0.0, 3.0, 5.0)])


@given(geometries(), st.integers(0, 5), st.integers(0, 2))
def test_a_plane_of_voxel_centres_is_found_again(grid, index, axis):
    triangle = np.roll(TRIANGLE, axis, axis=1)
    triangle[:, axis] = index
    outlines = place_outlines([grid.to_world(triangle)], grid)
    assert outlines.axis == axis
    assert outlines.slices.tolist() == [index]
    assert outlines.offsets[0] < 1e-6
    assert lie_on_slices([grid.to_world(triangle)], grid) == (index < grid.shape[axis])


@pytest.mark.parametrize(("offset", "expected"), [(0.0, True), (0.09, True), (0.11, False)])
def test_a_plane_lies_on_a_slice_within_a_tenth_of_their_distance(offset, expected):
    assert ON_SLICE == 0.1
    outline = GRID.to_world(TRIANGLE + np.array([2 + offset, 0, 0]))
    assert lie_on_slices([outline], GRID) is expected


def test_every_outline_counts():
    on, off = (GRID.to_world(TRIANGLE + np.array([k, 0, 0])) for k in (1.0, 1.5))
    assert lie_on_slices([on], GRID)
    assert not lie_on_slices([on, off], GRID)


def test_outlines_that_are_flat_along_no_common_axis_have_no_slices():
    across = GRID.to_world(np.roll(TRIANGLE, 1, axis=1))
    along = GRID.to_world(TRIANGLE)
    assert place_outlines([across, along], GRID) is None
    assert not lie_on_slices([across, along], GRID)


def test_nothing_drawn_lies_on_any_grid():
    assert lie_on_slices([], GRID)
    assert len(place_outlines([], GRID).planes) == 0


def test_a_plane_halfway_goes_up():
    outlines = place_outlines([GRID.to_world(TRIANGLE + np.array([0.5, 0, 0]))], GRID)
    assert outlines.slices.tolist() == [1]


def test_points_without_a_place_are_refused():
    with pytest.raises(InputError):
        place_outlines([np.full((3, 3), np.nan)], GRID)
