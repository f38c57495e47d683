import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import Geometry, Mask
from lesionary.prepare.contours import draw
from strategies import geometries, masks

untimed = settings(deadline=None, max_examples=40)  # the first call compiles

GRID = Geometry((3, 12, 10), np.eye(4))
SQUARE = np.array([(2.5, 1.5), (2.5, 6.5), (7.5, 6.5), (7.5, 1.5)])

polygons = hnp.arrays(
    np.float64, st.tuples(st.integers(3, 12), st.just(2)), elements=st.floats(-3, 14, width=32)
)
lattice_polygons = hnp.arrays(
    np.int64, st.tuples(st.integers(3, 9), st.just(2)), elements=st.integers(1, 8)
)


def on_slice(polygon, k=1.0, grid=GRID):
    """Lift a polygon of (row, column) onto slice ``k`` and into patient space."""
    indices = np.column_stack([np.full(len(polygon), k), polygon])
    return grid.to_world(indices)


def drawn(*polygons, k=1.0):
    return draw([on_slice(polygon, k) for polygon in polygons], GRID).mask.array


def is_inside_by_rays(polygon, row, column):
    """Count the sides left of the point, one by one."""
    is_inside = False
    for (row_a, column_a), (row_b, column_b) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        if (row_a <= row) != (row_b <= row):
            crossing = column_a + (row - row_a) / (row_b - row_a) * (column_b - column_a)
            is_inside ^= crossing <= column
    return is_inside


@untimed
@given(polygons.filter(lambda p: np.abs(p - np.round(p)).min() > 1e-3))
def test_a_polygon_holds_the_centres_that_a_ray_test_finds(polygon):
    polygon = np.round(polygon, 6)
    expected = [[is_inside_by_rays(polygon, j, i) for i in range(10)] for j in range(12)]
    assert np.array_equal(drawn(polygon)[1], expected)


@untimed
@given(st.integers(3, 30), st.integers(0, 10_000))
def test_a_star_is_what_matplotlib_says(n_points, seed):
    from matplotlib.path import Path

    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, n_points))
    radii = rng.uniform(0.5, 5, n_points)
    star = np.column_stack([5.3 + radii * np.sin(angles), 4.7 + radii * np.cos(angles)])
    centres = np.stack(np.mgrid[:12, :10], axis=-1).reshape(-1, 2)
    expected = Path(star).contains_points(centres).reshape(12, 10)
    assert np.array_equal(drawn(star)[1], expected)


@untimed
@given(masks(geometries()))
def test_the_outlines_of_all_voxels_give_the_mask_back_on_any_grid(mask):
    corners = np.array([(0, -0.5, -0.5), (0, -0.5, 0.5), (0, 0.5, 0.5), (0, 0.5, -0.5)])
    squares = [mask.geometry.to_world(voxel + corners) for voxel in np.argwhere(mask.array)]
    assert np.array_equal(draw(squares, mask.geometry).mask.array, mask.array)


@untimed
@given(masks(geometries(is_oblique=True)), st.integers(1, 2))
def test_planes_may_be_perpendicular_to_any_axis(mask, axis):
    corners = np.insert([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)], axis, 0, axis=1)
    squares = [mask.geometry.to_world(voxel + corners) for voxel in np.argwhere(mask.array)]
    assert np.array_equal(draw(squares, mask.geometry).mask.array, mask.array)


@untimed
@given(lattice_polygons, st.integers(-1, 3), st.integers(-1, 1))
def test_a_shift_by_whole_voxels_shifts_the_mask(polygon, down, right):
    moved = drawn(polygon + np.array([down, right]))[1]
    expected = np.roll(drawn(polygon)[1], (down, right), axis=(0, 1))
    assert np.array_equal(moved, expected)


@untimed
@given(polygons)
def test_a_contour_drawn_twice_encloses_nothing(polygon):
    assert not drawn(polygon, polygon[::-1]).any()


@untimed
@given(polygons, st.integers(0, 11), st.booleans())
def test_start_and_direction_of_a_contour_do_not_matter(polygon, start, is_reversed):
    other = np.roll(polygon, start, axis=0)[:: -1 if is_reversed else 1]
    assert np.array_equal(drawn(other), drawn(polygon))


@untimed
@given(polygons, polygons)
def test_contours_of_one_slice_are_combined_by_exclusive_or(one, other):
    assert np.array_equal(drawn(one, other), drawn(one) ^ drawn(other))


@untimed
@given(lattice_polygons)
def test_two_halves_share_no_voxel_and_leave_none_out(polygon):
    """Cut a fan at one vertex: the pieces' common sides run through voxel centres."""
    fan = [polygon[[0, n, n + 1]] for n in range(1, len(polygon) - 1)]
    assert np.array_equal(drawn(*fan), drawn(polygon))


def test_a_centre_on_the_outline_is_inside_where_the_interior_follows():
    inside = drawn(np.array([(2, 1), (2, 4), (5, 4), (5, 1)]))[1]
    expected = np.zeros((12, 10), dtype=bool)
    expected[2:5, 1:4] = True
    assert np.array_equal(inside, expected)


@untimed
@given(st.floats(-1e-8, 1e-8))
def test_noise_of_floats_does_not_move_a_centre_off_the_outline(noise):
    exact = np.array([(2.0, 1.0), (2.0, 4.0), (5.0, 4.0), (5.0, 1.0)])
    assert np.array_equal(drawn(exact + noise), drawn(exact))


def test_a_hole_may_be_an_inner_contour_or_a_keyhole():
    inner = np.array([(3.5, 3.5), (3.5, 5.5), (5.5, 5.5), (5.5, 3.5)])
    keyhole = np.concatenate([SQUARE, SQUARE[:1], inner, inner[:1]])
    with_hole = drawn(SQUARE, inner)
    assert with_hole[1].sum() == 25 - 4
    assert np.array_equal(drawn(keyhole), with_hole)


def test_a_closing_point_that_repeats_the_first_changes_nothing():
    assert np.array_equal(drawn(np.concatenate([SQUARE, SQUARE[:1]])), drawn(SQUARE))


def test_no_contours_give_an_empty_mask():
    result = draw([], GRID)
    assert result.mask.n_voxels == 0
    assert (result.n_contours, result.findings) == (0, ())


def test_contours_on_the_slices_need_no_finding():
    assert draw([on_slice(SQUARE, 0.02), on_slice(SQUARE, 2)], GRID).findings == ()


def test_contours_beyond_the_image_are_counted_and_not_drawn():
    result = draw([on_slice(SQUARE, k) for k in (-1, 1, 3, 4)], GRID)
    assert result.mask.n_voxels == 25
    assert result.n_beyond == 3
    assert [f.code for f in result.findings] == ["grid_mismatch"]
    assert "3 of 4 contours lie beyond" in result.findings[0].reason


def test_contours_between_slices_go_to_the_nearest_and_are_told():
    result = draw([on_slice(SQUARE, 1.3)], GRID)
    assert result.mask.array[1].sum() == 25
    assert "up to 0.30 mm" in result.findings[0].reason


def test_contours_cut_at_the_edge_are_told():
    result = draw([on_slice(SQUARE + np.array([0, 5]))], GRID)
    assert result.mask.n_voxels == 15
    assert "1 of 1 contours are cut" in result.findings[0].reason


def test_contours_that_all_lie_beyond_the_image_are_refused():
    with pytest.raises(GeometryMismatchError, match="none of the 2 contours"):
        draw([on_slice(SQUARE, 3), on_slice(SQUARE, -2)], GRID)


def test_planes_across_the_slices_are_refused():
    tilted = on_slice(SQUARE) + np.outer(np.arange(4), [0.3, 0.3, 0.3])
    with pytest.raises(GeometryMismatchError, match="not parallel"):
        draw([tilted], GRID)


def test_contours_of_a_finer_stack_are_refused_rather_than_subtracted():
    with pytest.raises(GeometryMismatchError, match=r"0\.50 mm apart fall on one slice"):
        draw([on_slice(SQUARE, 0.75), on_slice(SQUARE, 1.25)], GRID)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e7])
def test_a_coordinate_that_is_no_place_is_refused(bad):
    outline = on_slice(SQUARE)
    outline[2, 1] = bad
    with pytest.raises(InputError, match="no place in a patient"):
        draw([outline], GRID)


@pytest.mark.parametrize("shape", [(0, 3), (4, 2), (6,)])
def test_an_array_that_is_no_list_of_points_is_refused(shape):
    with pytest.raises(InputError, match="not \\(points, 3\\)"):
        draw([np.zeros(shape)], GRID)


def test_a_contour_of_millions_of_points_is_drawn_as_a_coarse_one():
    def circle(n_points):
        angles = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
        return np.column_stack([5.3 + 4 * np.sin(angles), 4.6 + 4 * np.cos(angles)])

    assert np.array_equal(drawn(circle(2_000_000)), drawn(circle(2_000)))


def test_the_mask_lies_on_the_images_grid():
    mask = draw([on_slice(SQUARE)], GRID).mask
    assert isinstance(mask, Mask)
    assert mask.geometry is GRID
    assert mask.array.flags.c_contiguous
