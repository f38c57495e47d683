"""STAPLE against SimpleITK's, voxel by voxel; majority and label conflicts by hand."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.readers.consensus import Method, consensus, majority, staple
from lesionary.core.readers.patterns import ReaderPatterns, foreground_patterns, painted

DIGITS = 2e-7  # ITK's 1 - p keeps fewer digits than we do
EMPTY = np.zeros((4, 10, 10), dtype=bool)
FULL = ~EMPTY
SMALL = EMPTY.copy()
SMALL[1, 2:5, 2:5] = True
LARGE = EMPTY.copy()
LARGE[1:3, 2:6, 2:6] = True
ELSEWHERE = EMPTY.copy()
ELSEWHERE[3, 6:9, 6:9] = True
VOXEL = EMPTY.copy()
VOXEL[0, 0, 0] = True


def itk(masks):
    """Return SimpleITK's probability map, sensitivities, specificities and last iteration."""
    tool = sitk.STAPLEImageFilter()
    tool.SetForegroundValue(1)
    image = tool.Execute([sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    rates = np.array(tool.GetSensitivity()), np.array(tool.GetSpecificity())
    return sitk.GetArrayFromImage(image), *rates, tool.GetElapsedIterations()


def check(masks):
    """Compare everything with SimpleITK to 6 digits and more."""
    patterns = foreground_patterns(masks)
    found = staple(patterns)
    probability, sensitivity, specificity, last = itk(masks)
    mine = painted(masks, patterns, found.probability)
    assert mine == pytest.approx(probability, abs=DIGITS)
    assert found.sensitivity == pytest.approx(sensitivity, abs=DIGITS)
    assert found.specificity == pytest.approx(specificity, abs=DIGITS)
    assert found.iterations == last + 1  # ITK counts from 0
    assert found.is_converged
    assert not found.reason


def ball(shape, centre, radius, stretch=1.0):
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    square = (stretch * (k - centre[0])) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2
    return square < radius**2


def readers_of_a_ball(n_readers, seed, shape=(20, 48, 50)):
    """Draw what readers draw: one object, each time with another centre, size and ragged edge."""
    rng = np.random.default_rng(seed)
    masks = []
    for _ in range(n_readers):
        centre = np.array([10.0, 22.0, 26.0]) + rng.normal(0, 0.7, 3)
        radius = 9 + rng.normal(0, 0.8)
        ragged = rng.normal(0, 0.5, shape)
        masks.append(ball(shape, centre, radius, stretch=1.6) & (ragged > -1.2))
    return masks


@pytest.mark.parametrize("n_readers", [1, 2, 3, 4, 7, 12])
@pytest.mark.parametrize("seed", range(4))
def test_readers_of_one_object_are_judged_as_by_simpleitk(n_readers, seed):
    check(readers_of_a_ball(n_readers, seed))


@settings(deadline=None, max_examples=60)  # the first call compiles
@given(st.data())
def test_noise_is_judged_as_by_simpleitk(data):
    n_readers = data.draw(st.integers(1, 7))
    seed = data.draw(st.integers(0, 2**32 - 1))
    shares = [data.draw(st.floats(0.7, 0.97)) for _ in range(n_readers)]
    rng = np.random.default_rng(seed)
    truth = rng.random((5, 8, 9)) < data.draw(st.floats(0.1, 0.6))
    masks = [truth ^ (rng.random(truth.shape) > share) for share in shares]
    patterns = foreground_patterns(masks)
    if 0 < patterns.voxels.sum() < n_readers * truth.size and staple(patterns).iterations < 3000:
        check(masks)


def test_readers_who_draw_at_random_converge_as_late_as_in_simpleitk():
    rng = np.random.default_rng(5)
    masks = [rng.random((4, 6, 7)) < share for share in (0.5, 0.3)]
    check(masks)
    assert staple(foreground_patterns(masks)).iterations > 50


@pytest.mark.parametrize(
    "masks",
    [
        [SMALL, SMALL, SMALL],
        [SMALL, LARGE],
        [SMALL, LARGE, EMPTY],
        [SMALL, SMALL, EMPTY],
        [SMALL, ELSEWHERE],
        [SMALL, SMALL, ELSEWHERE, ELSEWHERE, EMPTY],
        [SMALL, EMPTY],
        [FULL, SMALL],
        [FULL, FULL, SMALL],
        [FULL, EMPTY],
        [VOXEL, VOXEL],
        [VOXEL, EMPTY],
        [VOXEL],
        [~VOXEL, FULL, ~VOXEL],
        [LARGE, ~LARGE],
    ],
)
def test_edge_cases_are_judged_as_by_simpleitk(masks):
    check(masks)


def test_nothing_drawn_is_nothing_where_simpleitk_has_nan():
    assert np.isnan(itk([EMPTY, EMPTY])[0]).all()
    found = staple(foreground_patterns([EMPTY, EMPTY]))
    assert found.probability.tolist() == [0.0]
    assert found.sensitivity is None
    assert found.specificity.tolist() == [1.0, 1.0]
    assert list(found.reason) == ["sensitivity"]
    assert (found.iterations, found.is_converged, found.n_voxels, found.prior) == (0, True, 0, 0.0)


def test_all_drawn_is_all_where_simpleitk_has_nan():
    assert np.isnan(itk([FULL, FULL])[0]).all()
    found = staple(foreground_patterns([FULL, FULL]))
    assert found.probability.tolist() == [1.0]
    assert found.sensitivity.tolist() == [1.0, 1.0]
    assert found.specificity is None
    assert list(found.reason) == ["specificity"]
    assert found.n_voxels == FULL.size


def test_readers_who_agree_are_perfect_and_their_drawing_is_the_consensus():
    found = staple(foreground_patterns([SMALL] * 3))
    assert found.sensitivity.tolist() == found.specificity.tolist() == [1.0] * 3
    assert np.array_equal(consensus([SMALL] * 3).array, SMALL)
    assert np.array_equal(consensus([VOXEL]).array, VOXEL)


def test_one_of_two_readers_who_drew_nothing_leaves_a_tie_that_is_in():
    for mask in (SMALL, VOXEL, LARGE):
        found = staple(foreground_patterns([mask, EMPTY]))
        assert found.probability.max() == pytest.approx(0.5, abs=1e-12)
        assert found.sensitivity.tolist() == [1.0, 0.0]
        assert np.array_equal(consensus([mask, EMPTY]).array, mask)
        assert not consensus([mask, EMPTY], "majority").array.any()


def test_a_crop_changes_the_consensus_and_the_domain_restores_it():
    masks = readers_of_a_ball(3, seed=0)
    inside = np.any(masks, axis=0)
    box = tuple(slice(p.min(), p.max() + 1) for p in np.nonzero(inside))
    whole = staple(foreground_patterns(masks))
    cropped = foreground_patterns([mask[box] for mask in masks])
    assert staple(cropped).prior > 3 * whole.prior
    assert staple(cropped).specificity[0] != pytest.approx(whole.specificity[0], abs=1e-3)
    restored = staple(cropped.with_domain(inside.size))
    assert np.array_equal(restored.probability, whole.probability)
    assert np.array_equal(restored.sensitivity, whole.sensitivity)
    assert np.array_equal(restored.specificity, whole.specificity)


def test_64_readers_do_not_lose_their_product():
    """Sixty-four small shares multiplied are below the least float; SimpleITK has NaN there."""
    rng = np.random.default_rng(1)
    truth = np.zeros((2, 90, 100), dtype=bool)
    truth[0, 3:6, 3:6] = True
    masks = [truth ^ (rng.random(truth.shape) < 0.0002) for _ in range(64)]
    found = staple(foreground_patterns(masks))
    assert np.isfinite(found.probability).all()
    assert np.array_equal(consensus(masks).array, truth)


def test_an_estimate_cut_short_says_so():
    patterns = foreground_patterns(readers_of_a_ball(3, seed=1))
    found = staple(patterns, max_iterations=2)
    assert (found.iterations, found.is_converged) == (2, False)
    with pytest.raises(InputError, match="1 iteration"):
        staple(patterns, max_iterations=0)
    with pytest.raises(InputError, match="with voxels"):
        staple(ReaderPatterns(1, np.zeros(0, np.uint64), np.zeros(0, np.int64)))


LABELS = st.sampled_from([0, 0, 0, 1, 2, 9])


@st.composite
def drawings(draw, max_readers=5):
    """Draw label arrays of one shape, one a reader."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    n_readers = draw(st.integers(1, max_readers))
    return [draw(arrays(np.uint16, shape, elements=LABELS)) for _ in range(n_readers)]


def slow_consensus(readers, method):
    """Compute every label's map by itself, then choose voxel by voxel."""
    values = sorted({int(v) for array in readers for v in np.unique(array)} - {0})
    out = np.zeros(readers[0].shape, dtype=np.uint16)
    best = np.zeros(out.shape)
    highest = np.zeros(out.shape)
    for value in values:
        masks = [array == value for array in readers]
        share = np.mean(masks, axis=0)
        is_in = share > 0.5
        if method == "staple":
            patterns = foreground_patterns(masks)
            share = painted(masks, patterns, staple(patterns).probability)
            is_in = share.round(9) >= 0.5
        wins = is_in & (share.round(9) > best)
        out[wins] = value
        best[wins] = share.round(9)[wins]
        highest = np.maximum(highest, share)
    return out, highest


@settings(deadline=None)
@pytest.mark.parametrize("method", list(Method))
@given(drawings())
def test_labels_are_chosen_as_by_hand(method, readers):
    out, highest = slow_consensus(readers, method)
    found = consensus(readers, method)
    assert found.array.dtype == np.uint16
    assert np.array_equal(found.array, out)
    assert found.probability().dtype == np.float32
    assert found.probability() == pytest.approx(highest, abs=1e-6)


@settings(deadline=None)
@given(drawings())
def test_a_labels_probability_is_that_of_its_mask(readers):
    found = consensus(readers)
    for value in found.staples:
        masks = [array == value for array in readers]
        patterns = foreground_patterns(masks)
        expected = painted(masks, patterns, staple(patterns).probability)
        assert found.probability(value) == pytest.approx(expected, abs=1e-6)
    assert not found.probability(77).any()


@settings(deadline=None)
@given(drawings())
def test_the_order_of_readers_plays_no_part_in_a_majority(readers):
    there, back = consensus(readers, "majority"), consensus(readers[::-1], "majority")
    assert np.array_equal(there.array, back.array)


@settings(deadline=None)
@given(drawings(max_readers=1))
def test_a_single_reader_is_the_consensus(readers):
    for method in Method:
        assert np.array_equal(consensus(readers, method).array, readers[0])


def test_a_conflict_of_equals_goes_to_the_lower_value():
    """Two readers draw the same voxels with another label each: both labels have probability ½."""
    first, second = np.zeros((2, 2, 8, 8), dtype=np.uint8)
    first[0, 2:5, 2:5], second[0, 2:5, 2:5] = 5, 3
    found = consensus([first, second])
    assert found.probability(3) == pytest.approx(found.probability(5), abs=1e-9)
    assert set(np.unique(found.array)) == {0, 3}


def test_half_is_no_majority():
    patterns = foreground_patterns([SMALL, LARGE])
    assert majority(patterns).tolist() == [False, False, True]
    assert np.array_equal(consensus([SMALL, LARGE], "majority").array, SMALL)
    assert np.array_equal(consensus([SMALL, LARGE, LARGE], Method.MAJORITY).array, LARGE)
    assert not majority(foreground_patterns([EMPTY] * 3)).any()


def test_what_nobody_drew_can_be_in_where_all_are_said_to_miss_much():
    """STAPLE may hold that readers who leave out voxels at random have missed them together."""
    rng = np.random.default_rng(13)
    readers = [rng.random((3, 20, 20)) < 0.7 for _ in range(3)]
    missed = ~np.any(readers, axis=0)
    found = consensus(readers)
    assert found.staples[1].probability[0] > 0.9
    assert found.array[missed].all()
    assert (found.probability()[missed] > 0.9).all()
    assert np.array_equal(found.array, slow_consensus(readers, "staple")[0])


@pytest.mark.real_data
def test_four_radiologists_on_lung_nodules_are_judged_as_by_simpleitk(shared_data):
    """Ten nodules of LIDC-IDRI, drawn by four radiologists each, in a margin of 12 voxels."""
    from skimage.draw import polygon2mask

    cases = json.loads((shared_data / "lidc_multirater/lidc_40_nodules_4raters.json").read_text())
    for case in cases[:10]:
        contours = [
            (reader, case["slice_z"].index(contour["z"]), np.array(contour["xy"]))
            for reader, drawn in enumerate(case["raters"])
            for contour in drawn["contours"]
            if contour["inclusion"] and contour["z"] in case["slice_z"]
        ]
        points = np.concatenate([xy for _, _, xy in contours])
        slices = [k for _, k, _ in contours]
        low, high = points.min(0) - 12, points.max(0) + 12
        shape = (max(slices) - min(slices) + 5, *(high - low)[::-1])
        masks = np.zeros((4, *shape), dtype=bool)
        for reader, k, xy in contours:
            plane = masks[reader, k - min(slices) + 2]
            plane |= polygon2mask(plane.shape, (xy - low)[:, ::-1])
        check(list(masks))


def test_only_the_labels_asked_for_take_part():
    readers = [np.array([[[1, 2, 2, 0]]], np.uint8)] * 2
    assert consensus(readers, values={2}).array.tolist() == [[[0, 2, 2, 0]]]
    assert not consensus(readers, "majority", values=[]).array.any()


def test_nothing_drawn_is_an_empty_consensus():
    for method in Method:
        found = consensus([EMPTY, EMPTY], method)
        assert not found.array.any()
        assert found.patterns == {}
        assert not found.probability().any()


def test_other_methods_and_other_shapes_are_refused():
    with pytest.raises(InputError, match="staple or majority"):
        consensus([SMALL], "vote")
    with pytest.raises(GeometryMismatchError):
        consensus([SMALL, SMALL[:2]])
