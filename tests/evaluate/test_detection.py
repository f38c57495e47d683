"""Detection against a slow oracle of dense masks, and the rules on cases drawn by hand."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from lesionary.core.components import components
from lesionary.evaluate.contacts import Side, contacts
from lesionary.evaluate.detection import Detection, Sides, find_lesions
from lesionary.evaluate.lesions import equivalent_diameter_mm
from lesionary.evaluate.options import MatchRule
from lesionary.evaluate.targets import Target

FULL = np.ones((3, 3, 3))
MM3 = 0.5

two_label_maps = array_shapes(min_dims=3, max_dims=3, max_side=8).flatmap(
    lambda shape: st.tuples(
        *[arrays(np.uint16, shape, elements=st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3]))] * 2
    )
)
rules = st.sampled_from(["overlap", "iou:0.2", "iou:0.5", "one-to-one"])
every_target = st.sampled_from([(1,), (2,), (1, 2), (1, 3), (9,)])


def target_of(values):
    name = "+".join(map(str, values))
    is_composite = len(values) > 1
    return Target(name if is_composite else values[0], values, is_composite, 2.0)


def found(reference, prediction, values=(1,), rule="overlap", min_voxels=1):
    sides = Sides.of(Side.of(reference), Side.of(prediction))
    return find_lesions(sides, target_of(values), MatchRule.parse(rule), min_voxels, MM3)


def row(text):
    """Draw one row of voxels: a digit a voxel, a dot for background."""
    values = [int(letter) if letter != "." else 0 for letter in text]
    return np.array([[values]], dtype=np.uint16)


def dense_lesions(array, values, min_voxels):
    """Return one dense mask a lesion, largest first, ties by first voxel."""
    parts, n = ndimage.label(np.isin(array, values), FULL)
    masks = [parts == number for number in range(1, n + 1)]
    return sorted((one for one in masks if one.sum() >= min_voxels), key=lambda one: -one.sum())


def slow(reference, prediction, values, rule, min_voxels):
    """Match dense masks pair by pair; one-to-one by trying every assignment."""
    drawn = dense_lesions(reference, values, min_voxels)
    made = dense_lesions(prediction, values, min_voxels)
    iou = np.array([[(a & b).sum() / (a | b).sum() for b in made] for a in drawn])
    iou = iou.reshape(len(drawn), len(made))
    if rule == "one-to-one":
        return drawn, made, iou, None
    threshold = float(rule.partition(":")[2] or 0)
    return drawn, made, iou, (iou > 0) & (iou >= threshold)


def best_sum(iou):
    """Return the largest sum of an assignment, by brute force."""
    iou = iou if iou.shape[0] <= iou.shape[1] else iou.T
    n, m = iou.shape
    return max(
        (iou[np.arange(n), list(columns)].sum() for columns in permutations(range(m), n)), default=0
    )


@settings(max_examples=150)
@given(two_label_maps, rules, every_target, st.integers(0, 4))
def test_counts_and_rows_are_those_of_dense_masks(pair, rule, values, min_voxels):
    reference, prediction = pair
    drawn, made, iou, matches = slow(reference, prediction, values, rule, min_voxels)
    result = found(reference, prediction, values, rule, min_voxels)
    counts = result.detection
    assert (counts.reference_lesions, counts.predicted_lesions) == (len(drawn), len(made))
    assert [lesion.voxels for lesion in result.reference] == [mask.sum() for mask in drawn]
    assert [lesion.voxels for lesion in result.predicted] == [mask.sum() for mask in made]
    touched = [np.logical_or.reduce([b for b in made if (a & b).any()] or [a & ~a]) for a in drawn]
    assert [lesion.dice for lesion in result.reference] == pytest.approx(
        [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in zip(drawn, touched, strict=True)]
    )
    assert [lesion.iou for lesion in result.reference] == pytest.approx(iou.max(1, initial=0))
    if matches is None:
        return
    assert [lesion.is_hit for lesion in result.reference] == matches.any(1).tolist()
    assert [lesion.is_hit for lesion in result.predicted] == matches.any(0).tolist()
    assert counts.true_positive == matches.any(1).sum()
    assert counts.predicted_hits == matches.any(0).sum()
    for lesion, of_lesion in zip(result.reference, matches, strict=True):
        assert lesion.matched == tuple((np.flatnonzero(of_lesion) + 1).tolist())


@settings(max_examples=100)
@given(two_label_maps)
def test_one_to_one_pairs_each_lesion_once_and_no_assignment_is_better(pair):
    reference, prediction = pair
    _, made, iou, _ = slow(reference, prediction, (1, 2), "one-to-one", 1)
    result = found(reference, prediction, (1, 2), "one-to-one")
    pairs = [(a, b - 1) for a, one in enumerate(result.reference) for b in one.matched]
    assert all(len(lesion.matched) <= 1 for lesion in (*result.reference, *result.predicted))
    assert all(iou[one] > 0 for one in pairs)
    assert result.detection.true_positive == result.detection.predicted_hits == len(pairs)
    if min(iou.shape) <= 4 and len(made) <= 6:
        assert sum(iou[one] for one in pairs) == pytest.approx(best_sum(iou))


@given(two_label_maps, every_target)
def test_a_merged_side_has_the_components_of_the_union(pair, values):
    array = pair[0]
    expected = components(np.isin(array, values))
    merged = Side.of(array).merged(values)
    assert np.array_equal(merged.voxels, expected.voxels)
    assert set(merged.values.tolist()) <= {1}


@given(two_label_maps)
def test_contacts_turn_round_with_their_sides(pair):
    one, other = (Side.of(array) for array in pair)
    there, back = contacts(one, other), contacts(other, one)
    assert sorted(zip(there.first, there.second, there.voxels, strict=True)) == sorted(
        zip(back.second, back.first, back.voxels, strict=True)
    )


def test_one_prediction_over_two_lesions_hits_both_but_pairs_with_the_better():
    reference, prediction = row("111.11"), row("111111")
    counts = found(reference, prediction).detection
    assert (counts.true_positive, counts.predicted_hits, counts.false_positive) == (2, 1, 0)
    assert (counts.sensitivity, counts.precision, counts.f1) == (1.0, 1.0, 1.0)
    paired = found(reference, prediction, rule="one-to-one")
    assert [lesion.is_hit for lesion in paired.reference] == [True, False]
    assert paired.detection.sensitivity == 0.5


def test_two_crumbs_in_one_lesion_are_two_predicted_hits_and_one_lesion_found():
    result = found(row("11111..1"), row("11.11..."))
    assert result.detection.to_json() == {
        "rule": "overlap",
        "reference_lesions": 2,
        "predicted_lesions": 2,
        "true_positive": 1,
        "false_negative": 1,
        "false_positive": 0,
        "predicted_hits": 2,
        "sensitivity": 0.5,
        "false_negative_rate": 0.5,
        "precision": 1.0,
        "f1": pytest.approx(2 / 3),
    }
    assert result.reference[0].dice == pytest.approx(2 * 4 / 9)
    assert result.reference[0].matched == (1, 2)


def test_an_assignment_may_give_up_the_best_pair_for_a_better_sum():
    reference, prediction = row("1111.1111"), row(".1111111.")
    result = found(row("11.1111"), row(".111.11"), rule="one-to-one")
    assert [lesion.matched for lesion in result.reference] == [(2,), (1,)]
    assert found(reference, prediction, rule="one-to-one").detection.true_positive == 1


def test_touching_labels_are_lesions_of_their_own_and_one_lesion_together():
    swapped = found(row("1122"), row("2211"))
    assert (swapped.detection.true_positive, swapped.detection.false_positive) == (0, 1)
    together = found(row("1122"), row("2211"), values=(1, 2))
    assert (together.detection.reference_lesions, together.detection.true_positive) == (1, 1)
    assert together.reference[0].dice == 1.0


def test_small_components_are_no_lesions_on_either_side_but_are_counted_as_dropped():
    result = found(row("111.1.11"), row("111.1..."), min_voxels=2)
    assert result.dropped == (1, 1)
    assert (result.detection.reference_lesions, result.detection.predicted_lesions) == (2, 1)
    assert (result.published.reference_lesions, result.published.predicted_lesions) == (3, 2)


def test_a_crumb_that_is_no_lesion_hits_nothing():
    result = found(row("1111"), row("1..."), min_voxels=2)
    assert (result.detection.true_positive, result.detection.predicted_lesions) == (0, 0)
    assert result.reference[0].dice == 0.0


def test_an_intersection_over_union_at_the_threshold_counts():
    assert found(row("11."), row("1.."), rule="iou:0.5").detection.true_positive == 1
    assert found(row("11."), row("1.."), rule="iou:0.51").detection.true_positive == 0


def test_without_lesions_rates_are_null_with_their_reason():
    document = found(row("..."), row("...")).detection.to_json()
    undefined = ["sensitivity", "false_negative_rate", "precision", "f1"]
    assert [document[name] for name in undefined] == [None] * 4
    assert sorted(document["reason"]) == sorted(undefined)


def test_missing_all_and_making_up_others_is_a_defined_f1_of_nought():
    counts = found(row("11.."), row("...1")).detection
    assert (counts.sensitivity, counts.precision, counts.f1) == (0.0, 0.0, 0.0)
    assert Detection("overlap", 0, 2, 0, 0).f1 is None


def test_lesions_have_the_volume_of_their_voxels_and_the_diameter_of_that_sphere():
    lesion = found(row("11111111"), row("11111111")).reference[0]
    assert lesion.volume_ml == 8 * MM3 / 1000
    assert lesion.diameter_mm == equivalent_diameter_mm(8 * MM3)
    assert equivalent_diameter_mm(4 / 3 * np.pi * 7**3) == pytest.approx(14)


def test_a_chain_of_many_lesions_is_assigned_without_a_table_of_all_pairs():
    n = 20_000
    reference = np.zeros((1, 1, 4 * n), dtype=np.uint16)
    reference[..., ::4] = reference[..., 1::4] = 1
    counts = found(reference, reference.copy(), rule="one-to-one").detection
    assert (counts.true_positive, counts.false_positive) == (n, 0)
