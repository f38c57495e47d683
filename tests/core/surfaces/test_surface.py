"""Surface distances against the published surface-distance, and what must hold without it."""

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage
from scipy.spatial import cKDTree

from lesionary.core.errors import InputError
from lesionary.core.overlap import overlap
from lesionary.core.surfaces.surface import Directed, surface_distances, surface_metrics
from lesionary.core.surfaces.surfels import surfel_areas_mm2
from lesionary.core.volume import AxisOrder, LabelMap
from lesionary.io.nifti import read_nifti
from lesionary.phantoms.readers import ReaderHabits, simulate_reader

TOLERANCES_MM = (0.0, 0.5, 1.0, 2.0, 5.0)
PERCENTILES = (50, 95, 100)
NOWHERE = Directed(None, None, None)


@pytest.fixture(scope="module")
def published():
    """Give the published library, without its complaints about scipy's old names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("surface_distance")


def check_against(published, first, second, spacing_mm):
    """Compare every number with the library's, and every single distance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = published.compute_surface_distances(first, second, spacing_mm)
    ours = surface_distances(first, second, spacing_mm)
    np.testing.assert_allclose(ours.first_mm, theirs["distances_gt_to_pred"], rtol=1e-12)
    np.testing.assert_allclose(ours.second_mm, theirs["distances_pred_to_gt"], rtol=1e-12)
    for tolerance_mm in TOLERANCES_MM:
        expected = published.compute_surface_dice_at_tolerance(theirs, tolerance_mm)
        assert ours.nsd(tolerance_mm) == pytest.approx(expected, abs=1e-9)
    for percent in PERCENTILES:
        expected = published.compute_robust_hausdorff(theirs, percent)
        assert ours.hausdorff_mm(percent).symmetric == pytest.approx(expected, abs=1e-9)
    there, back = published.compute_average_surface_distance(theirs)
    means = ours.mean_directed_mm
    assert (means.first_to_second, means.second_to_first) == pytest.approx((there, back), abs=1e-9)


def drawn(rng, shape):
    """Draw a mask: specks, blobs, one voxel, a corner of the image, or a thin sheet."""
    mask = np.zeros(shape, dtype=bool)
    kind = rng.integers(5)
    if kind == 0:
        mask = rng.random(shape) < rng.choice([0.003, 0.03, 0.4])
    elif kind == 1:
        smooth = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
        mask = smooth >= np.quantile(smooth, rng.choice([0.5, 0.9, 0.99]))
    elif kind == 2:
        mask[tuple(slice(int(rng.integers(side)), None) for side in shape)] = True
    elif kind == 3:
        mask[int(rng.integers(shape[0]))] = True
    if not mask.any():
        mask[tuple(rng.integers(side) for side in shape)] = True
    return mask


@pytest.mark.parametrize("seed", range(200))
def test_random_objects_measure_as_the_published_library_measures(published, seed):
    """Anisotropic voxels; pieces, single voxels, sheets, objects at the border."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 22, 3))
    if seed % 10 == 0:
        shape = (2, 3, int(rng.integers(60, 200)))
    elif seed % 10 == 1:
        shape = (int(rng.integers(50, 80)), 2, int(rng.integers(1, 70)))
    spacing_mm = tuple(float(side) for side in np.round(rng.uniform(0.2, 6, 3), rng.integers(4)))
    spacing_mm = tuple(max(side, 0.2) for side in spacing_mm)
    check_against(published, drawn(rng, shape), drawn(rng, shape), spacing_mm)


@pytest.mark.slow
@pytest.mark.real_data
def test_real_tumours_measure_as_the_published_library_measures(published, shared_data):
    paths = sorted((shared_data / "sts_roi").glob("*_mask.nii.gz"))[::3][:20]
    assert len(paths) == 20
    for seed, path in enumerate(paths):
        file = read_nifti(path)
        labels = (np.asarray(file.array) > 0).astype(np.uint16)
        truth = LabelMap(labels, file.geometry)
        habits = ReaderHabits(bias_mm=0.5, noise_mm=2.0, seed=seed)
        redrawn = simulate_reader(truth, habits).array
        box = overlap(labels, redrawn).union_box([1])
        crops = labels[box] > 0, redrawn[box] > 0
        check_against(published, *crops, file.geometry.spacing_mm)
        whole = surface_distances(labels, redrawn, file.geometry.spacing_mm, values=[1])
        assert (
            whole.hausdorff_mm()
            == surface_distances(*crops, file.geometry.spacing_mm).hausdorff_mm()
        )


masks = arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))


@st.composite
def two_masks(draw):
    """Draw two masks of one shape that are not empty."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))
    one, other = draw(arrays(np.bool_, shape)), draw(arrays(np.bool_, shape))
    one.flat[draw(st.integers(0, one.size - 1))] = True
    other.flat[draw(st.integers(0, other.size - 1))] = True
    return one, other


# Far apart in size, so that the search by rows does not reach and planes are swept, too.
spacings = st.tuples(*[st.sampled_from([0.1, 0.7, 1.0, 3.0, 9.0])] * 3)


def slow_surfels(mask, spacing_mm):
    """Return the places in mm and the areas of all surfels, corner by corner."""
    padded = np.pad(mask, 1).astype(np.int64)
    corners = np.array(padded.shape) - 1
    code = sum(
        padded[tuple(slice(low, low + n) for low, n in zip(voxel, corners, strict=True))] << bit
        for bit, voxel in enumerate(product((0, 1), repeat=3))
    )
    is_surfel = (code > 0) & (code < 255)
    return np.argwhere(is_surfel) * spacing_mm, surfel_areas_mm2(spacing_mm)[code[is_surfel]]


@given(two_masks(), spacings)
def test_every_surfel_meets_its_nearest_as_a_tree_search_finds_it(pair, spacing_mm):
    ours = surface_distances(*pair, spacing_mm)
    sides = [slow_surfels(mask, np.array(spacing_mm)) for mask in pair]
    for (own, areas), (other, _), mm, mm2 in (
        (*sides, ours.first_mm, ours.first_areas_mm2),
        (*reversed(sides), ours.second_mm, ours.second_areas_mm2),
    ):
        expected = cKDTree(other).query(own)[0]
        np.testing.assert_allclose(mm, np.sort(expected), atol=1e-9)
        assert mm2.sum() == pytest.approx(areas.sum())
        assert mm @ mm2 == pytest.approx(expected @ areas)


@pytest.mark.parametrize("gap", [1, 5, 62, 63, 64, 65, 127, 128, 200])
@pytest.mark.parametrize("axis", range(3))
def test_distances_are_exact_however_far(gap, axis):
    """Around the widths of words, within reach of the search by rows and beyond."""
    shape = [2, 2, 2]
    shape[axis] = gap + 2
    first, second = np.zeros((2, *shape), dtype=bool)
    first[0, 0, 0] = True
    place = [0, 0, 0]
    place[axis] = gap
    second[tuple(place)] = True
    found = surface_distances(first, second, (0.8, 1.1, 0.9))
    step_mm = (0.8, 1.1, 0.9)[axis]
    assert sorted(set(found.first_mm.round(9))) == [
        pytest.approx((gap - 1) * step_mm),
        pytest.approx(gap * step_mm),
    ]
    assert found.hausdorff_mm(100).symmetric == pytest.approx(gap * step_mm)


def test_a_missing_piece_far_away_is_measured_to_the_nearest_piece_there_is():
    """Thousands of surfels beyond reach share the sweeps of their planes."""
    first = np.zeros((40, 50, 150), dtype=bool)
    first[5:30, 10:40, 5:25] = first[5:30, 10:40, 120:145] = True
    second = first.copy()
    second[:, :, 100:] = False
    found = surface_distances(first, second, (1.0, 0.7, 0.7))
    places, _ = slow_surfels(first, np.array([1.0, 0.7, 0.7]))
    others, _ = slow_surfels(second, np.array([1.0, 0.7, 0.7]))
    np.testing.assert_allclose(found.first_mm, np.sort(cKDTree(others).query(places)[0]))
    assert found.hausdorff_mm(100).second_to_first == 0


@given(two_masks(), spacings)
def test_swapping_the_sides_swaps_the_directions_alone(pair, spacing_mm):
    there = surface_distances(*pair, spacing_mm)
    back = surface_distances(*reversed(pair), spacing_mm)
    np.testing.assert_array_equal(there.first_mm, back.second_mm)
    np.testing.assert_array_equal(there.second_areas_mm2, back.first_areas_mm2)
    assert there.hausdorff_mm().symmetric == back.hausdorff_mm().symmetric
    assert there.nsd(1.0) == back.nsd(1.0)


@given(two_masks(), spacings, st.sampled_from(AxisOrder.all()))
def test_turning_and_mirroring_the_grid_changes_nothing(pair, spacing_mm, order):
    there = surface_distances(*pair, spacing_mm)
    turned_mm = tuple(spacing_mm[axis] for axis in order.axes)
    back = surface_distances(*(order.apply(side) for side in pair), turned_mm)
    np.testing.assert_allclose(there.first_mm, back.first_mm, rtol=1e-12)
    assert there.mean_mm == pytest.approx(back.mean_mm)


@given(two_masks(), spacings)
def test_more_background_changes_nothing_for_the_border_closes_an_object(pair, spacing_mm):
    padded = (np.pad(side, ((1, 2), (0, 3), (65, 1))) for side in pair)
    there, back = surface_distances(*pair, spacing_mm), surface_distances(*padded, spacing_mm)
    np.testing.assert_array_equal(there.first_mm, back.first_mm)
    np.testing.assert_array_equal(there.second_areas_mm2, back.second_areas_mm2)


@given(two_masks(), st.floats(0, 20), st.floats(0, 20))
def test_a_wider_tolerance_never_gives_less(pair, one_mm, other_mm):
    found = surface_distances(*pair, (2.0, 1.0, 0.5))
    assert found.nsd(min(one_mm, other_mm)) <= found.nsd(max(one_mm, other_mm))
    assert found.nsd(found.hausdorff_mm(100).symmetric) == pytest.approx(1)


@given(two_masks())
def test_doubling_the_voxels_doubles_the_distances(pair):
    single = surface_distances(*pair, (2.0, 1.0, 0.5))
    double = surface_distances(*pair, (4.0, 2.0, 1.0))
    np.testing.assert_array_equal(2 * single.second_mm, double.second_mm)
    np.testing.assert_allclose(4 * single.second_areas_mm2, double.second_areas_mm2)


@given(masks, spacings)
def test_a_mask_against_itself_is_at_no_distance(mask, spacing_mm):
    found = surface_distances(mask, mask.copy(), spacing_mm)
    if mask.any():
        assert (found.nsd(0.0), found.mean_mm) == (1.0, 0.0)
        assert found.hausdorff_mm(100) == Directed(0.0, 0.0, 0.0)
    else:
        assert (found.nsd(0.0), found.mean_mm) == (None, None)


def test_two_empty_masks_leave_everything_undefined():
    empty = np.zeros((3, 4, 5), dtype=bool)
    for found in (
        surface_distances(empty, empty, (1, 1, 1)),
        surface_distances(empty, empty, (1, 1, 1), box=(slice(0, 2), slice(0, 2), slice(0, 2))),
        surface_distances(~empty, ~empty, (1, 1, 1), values=[5]),
    ):
        assert not found.is_defined
        assert found.nsd(2.0) is None
        assert found.mean_mm is None
        assert found.hausdorff_mm() == found.mean_directed_mm == NOWHERE


@pytest.mark.parametrize("is_first_empty", [True, False])
def test_one_empty_mask_shares_no_surface_and_has_no_distance(is_first_empty):
    full, empty = np.ones((12, 13, 14), dtype=bool), np.zeros((12, 13, 14), dtype=bool)
    pair = (empty, full) if is_first_empty else (full, empty)
    found = surface_distances(*pair, (1.0, 0.5, 2.0))
    assert not found.is_defined
    assert found.nsd(1e6) == 0.0
    assert found.mean_mm is None
    assert found.hausdorff_mm() == found.mean_directed_mm == NOWHERE
    held_mm = found.second_mm if is_first_empty else found.first_mm
    areas = found.second_areas_mm2 if is_first_empty else found.first_areas_mm2
    assert np.isinf(held_mm).all()
    assert areas.sum() == pytest.approx(slow_surfels(full, np.array([1.0, 0.5, 2.0]))[1].sum())


def test_a_single_voxel_is_eight_corners():
    voxel = np.ones((1, 1, 1), dtype=bool)
    found = surface_distances(voxel, voxel, (2.0, 1.0, 1.0))
    assert len(found.first_mm) == 8
    np.testing.assert_allclose(found.first_areas_mm2, surfel_areas_mm2((2.0, 1.0, 1.0))[1])


def test_labels_that_touch_do_not_shape_each_other():
    """To label 1, label 2 is outside like any background."""
    first = np.zeros((6, 8, 9), dtype=np.uint16)
    first[1:5, 1:4, 1:8], first[1:5, 4:7, 1:8] = 1, 2
    second = np.roll(first, 1, axis=2)
    box = overlap(first, second).union_box([1])
    apart = surface_distances(first, second, (3.0, 1.0, 1.0), values=frozenset({1}), box=box)
    alone = surface_distances(first == 1, second == 1, (3.0, 1.0, 1.0))
    np.testing.assert_array_equal(apart.first_mm, alone.first_mm)
    np.testing.assert_array_equal(apart.first_areas_mm2, alone.first_areas_mm2)


def test_a_composite_has_no_surface_between_its_values():
    first = np.zeros((6, 8, 9), dtype=np.uint16)
    first[1:5, 1:4, 1:8], first[1:5, 4:7, 1:8] = 1, 300
    second = (first > 0).astype(np.uint16)
    found = surface_distances(first, second, (3.0, 1.0, 1.0), values={1, 300})
    assert found.hausdorff_mm(100).symmetric == 0
    assert surface_distances(first, second, (3.0, 1.0, 1.0), values={1}).mean_mm > 0


@pytest.mark.parametrize("order", AxisOrder.all())
def test_any_memory_order_type_and_address_gives_the_same(order):
    rng = np.random.default_rng(7)
    wide = (5, 6, 70)
    first, second = (rng.random((2, *wide)) < 0.2).astype(np.uint16)
    expected = surface_distances(first > 0, second > 0, (1.0, 2.0, 3.0))
    raw = np.frombuffer(bytes(7) + first.tobytes(), np.uint16, offset=7).reshape(wide)
    undone = np.argsort(order.axes)
    stored = np.ascontiguousarray(order.apply(second))
    view = stored[tuple(slice(None, None, -1 if flip else 1) for flip in order.flips)]
    view = view.transpose(undone).astype(">u2", order="K")
    found = surface_distances(raw, view, (1.0, 2.0, 3.0), values=[1])
    np.testing.assert_array_equal(found.first_mm, expected.first_mm)
    np.testing.assert_array_equal(found.second_areas_mm2, expected.second_areas_mm2)


def test_a_percentile_is_that_of_area_and_not_of_surfels():
    """Each direction's own percentile is taken, then the larger."""
    first = np.zeros((9, 30, 30), dtype=bool)
    first[2:7, 5:25, 5:25] = True
    second = first.copy()
    second[7, 14:16, 14:16] = True  # a bump of little area
    found = surface_distances(first, second, (4.0, 1.0, 1.0))
    assert found.hausdorff_mm(95).second_to_first == 0
    assert (
        found.hausdorff_mm(100) == Directed(4.0, 4.0, 4.0)
        or found.hausdorff_mm(100).second_to_first == 4
    )
    assert found.hausdorff_mm(0).symmetric == 0


def test_all_labels_at_once_give_what_each_gives():
    rng = np.random.default_rng(2)
    first = rng.integers(0, 4, (6, 7, 8)).astype(np.uint8)
    second = rng.integers(0, 3, (6, 7, 8)).astype(np.uint16)
    found = surface_metrics(first, second, (1.0, 2.0, 0.5), tolerance_mm=1.0, percent=90)
    assert list(found) == [1, 2, 3]
    for value, metrics in found.items():
        apart = surface_distances(first == value, second == value, (1.0, 2.0, 0.5))
        assert metrics.nsd == apart.nsd(1.0)
        assert metrics.hausdorff_mm == apart.hausdorff_mm(90)
        assert metrics.mean_mm == apart.mean_mm
    assert (found[3].dice, found[3].nsd, found[3].mean_mm) == (0.0, 0.0, None)
    assert surface_metrics(first * 0, second * 0, (1, 1, 1)) == {}


@pytest.mark.parametrize(
    "spacing_mm", [(0.0, 1, 1), (1, -1, 1), (1, 1, float("nan")), (1, 1, np.inf)]
)
def test_spacings_that_are_none_are_refused(spacing_mm):
    mask = np.ones((2, 2, 2), dtype=bool)
    with pytest.raises(InputError, match="apart"):
        surface_distances(mask, mask, spacing_mm)


@pytest.mark.parametrize("tolerance_mm", [-1.0, float("nan"), float("inf")])
def test_tolerances_that_are_none_are_refused(tolerance_mm):
    mask = np.ones((2, 2, 2), dtype=bool)
    with pytest.raises(InputError, match="tolerance"):
        surface_distances(mask, mask, (1, 1, 1)).nsd(tolerance_mm)


@pytest.mark.parametrize("percent", [-1, 100.5, float("nan")])
def test_percentiles_that_are_none_are_refused(percent):
    mask = np.ones((2, 2, 2), dtype=bool)
    with pytest.raises(InputError, match="percentile"):
        surface_distances(mask, mask, (1, 1, 1)).hausdorff_mm(percent)
