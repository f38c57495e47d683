"""Objects of several readers against scipy's components of the union, counted voxel by voxel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from lesionary.core.components import components
from lesionary.core.errors import InputError
from lesionary.core.readers.pattern_components import pattern_components
from lesionary.core.readers.patterns import foreground_patterns, reader_patterns

FULL = np.ones((3, 3, 3))
LABELS = st.sampled_from([0, 0, 0, 0, 1, 7])


@st.composite
def drawings(draw, max_readers=4):
    """Draw label arrays of one shape, one a reader."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=7))
    n_readers = draw(st.integers(1, max_readers))
    return [draw(arrays(np.uint16, shape, elements=LABELS)) for _ in range(n_readers)]


def check(readers):
    """Compare every object's every part with scipy's."""
    found = pattern_components(readers)
    number = 0
    for value in sorted({int(v) for array in readers for v in np.unique(array)} - {0}):
        masks = [array == value for array in readers]
        union, n = ndimage.label(np.any(masks, axis=0), FULL)
        for n_object in range(1, n + 1):
            there, one = union == n_object, found[number]
            number += 1
            mine = [mask & there for mask in masks]
            expected = foreground_patterns(mine)
            assert one.union.value == value
            assert one.union.n_voxels == int(there.sum())
            assert one.union.first == tuple(np.argwhere(there)[0])
            assert np.array_equal(one.union.crop(), there[one.union.box])
            assert np.array_equal(one.patterns.patterns, expected.patterns)
            assert np.array_equal(one.patterns.counts, expected.counts)
            assert one.is_present.tolist() == [bool(mask.any()) for mask in mine]
            for reader, mask in enumerate(mine):
                check_reader(one, reader, mask)
    assert len(found) == number


def check_reader(one, reader, mask):
    drawn = one.drawn_by(reader)
    if not mask.any():
        assert drawn is None
        assert len(one.parts_of(reader)) == 0
        return
    places = np.argwhere(mask)
    assert drawn.n_voxels == len(places)
    assert drawn.first == tuple(places[0])
    assert [(side.start, side.stop - 1) for side in drawn.box] == [
        (low, high) for low, high in zip(places.min(0), places.max(0), strict=True)
    ]
    assert np.array_equal(drawn.crop(), mask[drawn.box])
    parts = one.parts_of(reader)
    painted = parts.painted(np.arange(1, len(parts) + 1))
    assert np.array_equal(painted, ndimage.label(mask, FULL)[0])


@settings(deadline=None, max_examples=60)  # the first call compiles
@given(drawings())
def test_objects_are_scipys_components_of_the_union(readers):
    check(readers)


@pytest.mark.parametrize("n_readers", [7, 33, 64])
def test_many_readers_are_told_apart(n_readers):
    rng = np.random.default_rng(n_readers)
    check([(rng.random((3, 5, 40)) < 2 / n_readers).astype(np.uint8) for _ in range(n_readers)])


@settings(deadline=None)
@given(drawings())
def test_objects_add_up_to_the_whole_image(readers):
    totals = {}
    for found in pattern_components(readers):
        is_pattern = found.patterns.patterns > 0
        total = totals.setdefault(found.union.value, {})
        drawn = found.patterns.patterns[is_pattern].tolist()
        for pattern, count in zip(drawn, found.patterns.counts[is_pattern].tolist(), strict=True):
            total[pattern] = total.get(pattern, 0) + count
        assert found.patterns.n_voxels == readers[0].size
    whole = reader_patterns(readers)
    assert set(totals) == set(whole)
    for value, patterns in whole.items():
        expected = dict(zip(patterns.patterns.tolist(), patterns.counts.tolist(), strict=True))
        expected.pop(0, None)
        assert totals[value] == expected


def test_many_objects_outgrow_the_first_table():
    rng = np.random.default_rng(0)
    check([(rng.random((9, 24, 60)) < 0.03).astype(np.uint8) for _ in range(3)])


def test_one_reader_has_the_components_of_the_array():
    array = (np.random.default_rng(2).random((6, 7, 8)) < 0.1).astype(np.uint8)
    mine = pattern_components([array])
    assert [one.union.first for one in mine] == [one.first for one in components(array)]


def test_drawings_that_only_touch_are_one_object():
    first, second = np.zeros((2, 2, 3, 3), dtype=bool)
    first[0, 0, 0] = second[1, 1, 1] = True
    [found] = pattern_components([first, second])
    assert found.patterns.dice(0, 1) == 0.0
    assert found.is_present.all()
    assert not found.is_fused


def test_a_tumour_that_one_reader_missed_is_there():
    first, second = np.zeros((2, 1, 1, 9), dtype=bool)
    first[..., :2] = second[..., :2] = first[..., 5:] = True
    both, missed = pattern_components([first, second])
    assert both.is_present.tolist() == [True, True]
    assert missed.is_present.tolist() == [True, False]
    assert missed.drawn_by(1) is None
    assert missed.patterns.dice(0, 1) == 0.0


def test_a_bridge_between_two_of_anothers_is_fused():
    first, second = np.zeros((2, 1, 1, 9), dtype=bool)
    first[..., 1:8] = second[..., 1:3] = second[..., 5:8] = True
    [found] = pattern_components([first, second])
    assert found.is_fused
    assert len(found.parts_of(1)) == 2
    assert found.drawn_by(1).n_voxels == 5


def test_two_parts_of_which_one_is_met_are_not_fused():
    first, second = np.zeros((2, 1, 1, 9), dtype=bool)
    first[..., 1:4] = second[..., 1:3] = second[..., 4:6] = True
    [found] = pattern_components([first, second])
    assert len(found.parts_of(1)) == 2
    assert not found.is_fused


def test_only_the_labels_asked_for_are_found():
    array = np.array([[[1, 0, 2, 0, 1, 3]]], dtype=np.uint8)
    assert [one.union.value for one in pattern_components([array], {2, 1, 9})] == [1, 1, 2]


def test_nothing_drawn_is_no_object():
    empty = np.zeros((2, 3, 4), dtype=bool)
    assert len(pattern_components([empty, empty])) == 0
    assert list(pattern_components([empty])) == []


def test_an_image_needs_three_axes():
    with pytest.raises(InputError, match="three axes"):
        pattern_components([np.ones((3, 3), dtype=bool)])
