"""The contingency table against numpy, on every element type, order, alignment and width."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lesionary.core import overlap as module
from lesionary.core.errors import InputError
from lesionary.core.overlap import overlap
from lesionary.core.volume import AxisOrder

VALUES = (0, 0, 0, 1, 2, 255)


@st.composite
def pairs(draw):
    """Draw two label maps of one shape; types and values may differ."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9))
    sides = []
    for _ in range(2):
        dtype = draw(st.sampled_from([np.bool_, np.uint8, np.uint16]))
        values = VALUES if dtype != np.uint16 else (*VALUES, 256, 257, 65535)
        values = (False, False, True) if dtype == np.bool_ else values
        sides.append(draw(arrays(dtype, shape, elements=st.sampled_from(values))))
    return sides


def slow_counts(first, second):
    """Count every pair by looking for it."""
    rows = [0, *np.unique(first[first != 0]).tolist()]
    columns = [0, *np.unique(second[second != 0]).tolist()]
    return [[int(((first == a) & (second == b)).sum()) for b in columns] for a in rows]


def slow_box(mask):
    """Return the smallest box around a mask, or None."""
    place = np.argwhere(mask)
    if len(place) == 0:
        return None
    ranges = zip(place.min(0), place.max(0) + 1, strict=True)
    return tuple(slice(int(low), int(high)) for low, high in ranges)


def check(first, second):
    """Compare all that the table holds with numpy's answer."""
    found = overlap(first, second)
    assert found.counts.tolist() == slow_counts(first, second)
    assert found.counts.sum() == first.size
    assert found.first_values.tolist() == np.unique(first[first != 0]).tolist()
    assert found.second_values.tolist() == np.unique(second[second != 0]).tolist()
    for value in found.values:
        assert found.union_box([value]) == slow_box((first == value) | (second == value))
        assert found.first_voxels([value]) == (first == value).sum()
        assert found.second_voxels([value]) == (second == value).sum()
        assert found.both([value]) == ((first == value) & (second == value)).sum()
    for values, boxes, side in (
        (found.first_values, found.first_boxes, first),
        (found.second_values, found.second_boxes, second),
    ):
        for value, box in zip(values, boxes.tolist(), strict=True):
            assert tuple(slice(*ends) for ends in box) == slow_box(side == value)


@given(pairs())
def test_every_pair_of_values_is_counted_to_the_voxel(pair):
    check(*pair)


@given(st.integers(0, 2**32 - 1), st.integers(1, 1300), st.floats(0.0, 0.03))
def test_wide_rows_of_long_runs_and_wide_gaps_are_counted(seed, width, share_of_ends):
    """Runs and gaps longer than a word and than a block, beginning and ending anywhere."""
    rng = np.random.default_rng(seed)
    sides = []
    for dtype in rng.choice([np.uint8, np.uint16], 2):
        switches = rng.random(6 * width) < share_of_ends
        starts = np.maximum.accumulate(np.where(switches, np.arange(switches.size), 0))
        values = rng.choice(np.array([0, 0, 1, 2, 255], dtype=dtype), switches.size)
        sides.append(values[starts].reshape(2, 3, width))
    check(*sides)


def test_each_single_voxel_is_seen_wherever_it_lies():
    """A word holds four or eight voxels: none may hide in it, on either side."""
    for dtype in (np.uint8, np.uint16):
        for place in range(2 * 3 * 29):
            lone, empty = np.zeros((2, 2, 3, 29), dtype=dtype)
            lone.flat[place] = 200
            assert overlap(lone, empty).first_voxels([200]) == 1
            assert overlap(empty, lone).second_voxels([200]) == 1


def test_values_that_share_bytes_are_told_apart():
    first = np.array([[[0x0100, 0x0001, 0x0101, 0x0100]]], dtype=np.uint16)
    check(first, first[:, :, ::-1])


@pytest.mark.parametrize("order", AxisOrder.all())
def test_views_in_any_order_are_read_in_their_own_order(order):
    rng = np.random.default_rng(7)
    first, second = (rng.random((2, 5, 6, 7)) < 0.2).astype(np.uint16)
    check(order.apply(first), order.apply(second))
    check(order.apply(first), np.ascontiguousarray(order.apply(second)))


@pytest.mark.parametrize("offset", [0, 2, 6, 7])
def test_bytes_at_any_address_are_read(offset):
    voxels = (np.random.default_rng(3).random(4 * 5 * 9) < 0.3).astype(np.uint16)
    raw = bytes(offset) + voxels.tobytes()
    array = np.frombuffer(raw, np.uint16, offset=offset).reshape(4, 5, 9)
    check(array, voxels.reshape(4, 5, 9))


def test_foreign_byte_order_is_read():
    array = np.array([[[256, 0, 1, 1]]], dtype=">u2")
    assert overlap(array, array).first_values.tolist() == [1, 256]


def test_more_runs_than_are_counted_together_are_all_counted(monkeypatch):
    monkeypatch.setattr(module, "_PORTION", 7)
    first, second = np.random.default_rng(1).integers(0, 40, (2, 5, 6, 21)).astype(np.uint16)
    check(first, second)


def test_too_many_values_are_refused_instead_of_filling_the_memory(monkeypatch):
    monkeypatch.setattr(module, "MOST_PAIRS", 100)
    many = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    with pytest.raises(InputError, match="too many"):
        overlap(many, many)


@given(pairs())
def test_swapping_the_sides_transposes_the_table(pair):
    there, back = overlap(*pair), overlap(*reversed(pair))
    assert np.array_equal(there.counts, back.counts.T)
    assert there.dice([1]) == back.dice([1])


@given(pairs())
def test_a_composite_counts_as_if_its_values_were_one(pair):
    first, second = (np.isin(side, (1, 2)) for side in pair)
    found = overlap(*pair)
    of_one = overlap(first, second)
    assert found.dice([1, 2]) == of_one.dice([1])
    assert found.union_box([1, 2]) == of_one.union_box([1])
    assert found.is_identical([1, 2]) == (first.any() and bool(np.array_equal(first, second)))


@given(pairs())
def test_identical_means_every_voxel_and_not_only_the_sizes(pair):
    first, second = pair
    same = first.any() and bool((first == second).all())
    assert overlap(first, second).is_identical() == same
    assert overlap(first, first.copy()).is_identical() == bool(first.any())


def test_shifted_drawings_of_one_size_are_not_identical():
    first = np.array([[[1, 1, 0, 2]]], dtype=np.uint8)
    second = np.array([[[0, 1, 1, 2]]], dtype=np.uint8)
    found = overlap(first, second)
    assert not found.is_identical([1])
    assert found.is_identical([2])
    assert not found.is_identical()


def test_dice_is_nought_where_one_side_is_empty_and_undefined_where_both_are():
    full, empty = np.ones((2, 3, 4), dtype=bool), np.zeros((2, 3, 4), dtype=bool)
    assert overlap(full, empty).dice([1]) == 0
    assert overlap(full, full).dice([1]) == 1
    assert overlap(empty, empty).dice([1]) is None
    assert overlap(full, empty).dice([7]) is None
    assert overlap(full, empty).dice([]) is None


def test_nothing_gives_a_table_of_the_background_alone():
    found = overlap(np.zeros((3, 4, 5), np.uint16), np.zeros((3, 4, 5), np.uint8))
    assert found.counts.tolist() == [[60]]
    assert found.values == ()
    assert found.union_box([1]) is None
    assert not found.is_identical()
    assert overlap(np.zeros((0, 4, 5), bool), np.zeros((0, 4, 5), bool)).counts.tolist() == [[0]]


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.zeros((2, 2), np.uint16)])
def test_what_is_no_label_map_is_refused(array):
    with pytest.raises(InputError, match="three axes"):
        overlap(array, array)


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(InputError, match="cannot be compared"):
        overlap(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 3), bool))
