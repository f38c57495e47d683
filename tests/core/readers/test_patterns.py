"""Patterns against counting voxel by voxel in Python's own integers."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.readers.drawings import BATCH
from lesionary.core.readers.patterns import (
    ReaderPatterns,
    foreground_patterns,
    painted,
    reader_patterns,
)
from lesionary.core.volume import AxisOrder

LABELS = st.sampled_from([0, 0, 0, 1, 2, 65535])


@st.composite
def drawings(draw, max_readers=4, max_side=7):
    """Draw label arrays of one shape, one a reader."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=max_side))
    n_readers = draw(st.integers(1, max_readers))
    return [draw(arrays(np.uint16, shape, elements=LABELS)) for _ in range(n_readers)]


def slow(readers):
    """Count {value: {pattern: voxels}} one voxel at a time."""
    counts = {}
    for column in zip(*(array.ravel().tolist() for array in readers), strict=True):
        for value in set(column) - {0}:
            pattern = sum(1 << r for r, drawn in enumerate(column) if drawn == value)
            counts.setdefault(int(value), Counter())[pattern] += 1
    for of_value in counts.values():
        of_value[0] = readers[0].size - of_value.total()
    return {value: dict(+of_value) for value, of_value in counts.items()}


def plain(patterns: ReaderPatterns):
    return dict(zip(patterns.patterns.tolist(), patterns.counts.tolist(), strict=True))


def scattered(n_readers, shape, dtype, seed, n_labels=3, share=0.3):
    """Noise with several labels: every word holds a border."""
    rng = np.random.default_rng(seed)
    return [
        ((rng.random(shape) < share) * rng.integers(1, n_labels + 1, shape)).astype(dtype)
        for _ in range(n_readers)
    ]


@settings(deadline=None)  # the first call compiles
@given(drawings())
def test_every_label_counts_as_by_hand(readers):
    found = reader_patterns(readers)
    assert {value: plain(patterns) for value, patterns in found.items()} == slow(readers)
    assert list(found) == sorted(found)
    for patterns in found.values():
        assert patterns.n_voxels == readers[0].size
        assert (np.diff(patterns.patterns.astype(object)) > 0).all()


@settings(deadline=None)
@given(drawings())
def test_all_labels_together_count_as_a_mask(readers):
    masks = [array > 0 for array in readers]
    together = foreground_patterns(readers)
    assert plain(together) == slow(masks).get(1, {0: readers[0].size})
    assert plain(foreground_patterns(masks)) == plain(together)


@settings(deadline=None)
@given(drawings())
def test_a_composite_counts_as_the_mask_of_its_labels(readers):
    masks = [np.isin(array, [1, 65535]) for array in readers]
    assert plain(foreground_patterns(readers, {1, 65535})) == plain(foreground_patterns(masks))


@pytest.mark.parametrize("n_readers", [1, 2, 3, 7, 33, 40, 64])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_any_number_of_readers_counts_exactly(n_readers, dtype):
    """Readers beyond the 32nd and the 53rd: a pattern that passes through a float loses bits."""
    readers = scattered(n_readers, (3, 17, 61), dtype, seed=n_readers)
    assert {v: plain(p) for v, p in reader_patterns(readers).items()} == slow(readers)


def test_the_last_of_64_readers_is_told_from_the_first():
    readers = [np.zeros((1, 1, 9), dtype=bool) for _ in range(64)]
    for array in readers:
        array[0, 0, 0] = True
    readers[0][0, 0, 1] = readers[63][0, 0, 2] = True
    assert plain(reader_patterns(readers)[1]) == {0: 6, 1: 1, 2**63: 1, 2**64 - 1: 1}


def test_types_may_differ_between_readers():
    mask, small, large = (scattered(1, (4, 5, 6), t, 3, n_labels=1)[0] for t in (bool, "u1", "u2"))
    assert plain(reader_patterns([mask, small, large])[1]) == slow([mask, small, large])[1]


@pytest.mark.parametrize("n_labels", [1, 700, 65535])
def test_many_labels_and_patterns_outgrow_the_first_table(n_labels):
    readers = scattered(3, (5, 40, 50), np.uint16, 9, n_labels=n_labels, share=0.9)
    assert {v: plain(p) for v, p in reader_patterns(readers).items()} == slow(readers)


@pytest.mark.parametrize("size", [1, 127, 128, 129, 1024, 1025, 4096 + 77])
def test_images_of_any_size_count_to_their_last_voxel(size):
    readers = [np.zeros((1, 1, size), dtype=t) for t in (np.uint8, np.uint16)]
    readers[0][0, 0, -1] = readers[1][0, 0, -1] = readers[1][0, 0, 0] = 5
    assert {v: plain(p) for v, p in reader_patterns(readers).items()} == slow(readers)


def test_more_than_one_batch_is_counted_as_one_image():
    shape = (BATCH // 16 + 3, 16, 128)
    mask = np.ones(shape, dtype=bool)
    other = mask.copy()
    other[-1, -1, -5:] = False
    assert plain(reader_patterns([mask, other])[1]) == {1: 5, 3: mask.size - 5}
    patterns = foreground_patterns([mask, other])
    numbers = np.array([7, 8], dtype=np.uint8)
    assert np.array_equal(painted([mask, other], patterns, numbers), np.where(other, 8, 7))


@pytest.mark.parametrize("order", AxisOrder.all()[::5])
def test_views_in_any_order_count_the_same(order):
    readers = scattered(3, (5, 6, 7), np.uint16, 1)
    turned = [order.apply(array) for array in readers]
    assert {v: plain(p) for v, p in reader_patterns(turned).items()} == slow(readers)


@settings(deadline=None)
@given(drawings(), st.randoms())
def test_who_comes_first_only_renames_the_bits(readers, random):
    order = list(range(len(readers)))
    random.shuffle(order)
    shuffled = reader_patterns([readers[r] for r in order])
    for value, patterns in reader_patterns(readers).items():
        assert plain(patterns.restricted(order)) == plain(shuffled[value])


@settings(deadline=None)
@given(drawings())
def test_some_readers_count_as_if_the_others_were_not_there(readers):
    some = [0, len(readers) - 1] if len(readers) > 1 else [0]
    patterns = foreground_patterns(readers).restricted(some)
    assert plain(patterns) == plain(foreground_patterns([readers[r] for r in some]))


@settings(deadline=None)
@given(drawings())
def test_volumes_and_dice_are_those_of_the_masks(readers):
    patterns = foreground_patterns(readers)
    masks = [array > 0 for array in readers]
    assert patterns.voxels.tolist() == [int(mask.sum()) for mask in masks]
    assert patterns.n_drawn == int(np.any(masks, axis=0).sum())
    assert patterns.n_background == readers[0].size - patterns.n_drawn
    for a, first in enumerate(masks):
        for b, second in enumerate(masks):
            both, total = int((first & second).sum()), int(first.sum() + second.sum())
            assert patterns.both(a, b) == both
            assert patterns.dice(a, b) == (2 * both / total if total else None)


@settings(deadline=None)
@given(drawings(), st.integers(0, 5), st.integers(0, 9))
def test_a_crop_and_the_domain_give_the_whole_image_exactly(readers, before, after):
    wide = [np.pad(array, ((before, after),) * 3) for array in readers]
    whole = reader_patterns(wide)
    for value, patterns in reader_patterns(readers).items():
        restored = patterns.with_domain(wide[0].size)
        assert plain(restored) == plain(whole[value])
        assert kappa(restored) == kappa(whole[value])


def kappa(patterns):
    """Fleiss' kappa from its definition, in floats; None where it is 0/0."""
    n, k, w = patterns.n_readers, patterns.n_drawing, patterns.counts
    if n == 1:
        return None
    agreed = float((w * (k * (k - 1) + (n - k) * (n - k - 1))).sum()) / (n * (n - 1) * w.sum())
    drawn = float((k * w).sum()) / (n * w.sum())
    by_chance = drawn**2 + (1 - drawn) ** 2
    return None if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)


def test_kappa_rises_with_the_background_and_dice_does_not():
    patterns = ReaderPatterns(2, np.array([0, 1, 2, 3], np.uint64), np.array([10, 10, 10, 40]))
    wide = patterns.with_domain(7000)
    assert kappa(patterns) == pytest.approx(0.3)
    assert kappa(wide) > 0.79
    assert patterns.dice(0, 1) == wide.dice(0, 1) == 0.8


def test_a_domain_smaller_than_the_drawing_is_refused():
    patterns = ReaderPatterns(1, np.array([0, 1], np.uint64), np.array([5, 3]))
    assert plain(patterns.with_domain(3)) == {1: 3}
    with pytest.raises(InputError, match="do not fit"):
        patterns.with_domain(2)


@settings(deadline=None)
@given(drawings())
def test_what_was_counted_can_be_painted_back(readers):
    patterns = foreground_patterns(readers)
    numbers = np.arange(1, patterns.patterns.size + 1, dtype=np.uint16)
    code = sum((array > 0).astype(object) << r for r, array in enumerate(readers))
    table = {int(p): n for n, p in enumerate(patterns.patterns.tolist(), start=1)}
    expected = np.vectorize(table.get)(code)
    assert np.array_equal(painted(readers, patterns, numbers), expected)


def test_patterns_of_other_arrays_cannot_be_painted():
    mask = np.ones((1, 2, 2), dtype=bool)
    patterns = foreground_patterns([~mask])
    with pytest.raises(InputError, match="not those of these"):
        painted([mask], patterns, np.zeros(1))
    with pytest.raises(InputError, match="numbers for"):
        painted([mask], patterns, np.zeros(2))


def test_labels_asked_for_are_listed_whether_drawn_or_not():
    readers = [np.array([[[1, 2, 3]]], np.uint8)] * 2
    found = reader_patterns(readers, {3, 9})
    assert {v: plain(p) for v, p in found.items()} == {3: {0: 2, 3: 1}, 9: {0: 3}}


def test_empty_masks_have_background_only():
    empty = np.zeros((2, 3, 4), dtype=bool)
    assert reader_patterns([empty, empty]) == {}
    patterns = foreground_patterns([empty, empty])
    assert plain(patterns) == {0: 24}
    assert patterns.voxels.tolist() == [0, 0]
    assert patterns.dice(0, 1) is None


def test_full_masks_have_no_background():
    full = np.ones((2, 3, 4), dtype=bool)
    assert plain(foreground_patterns([full, full])) == {3: 24}
    assert plain(foreground_patterns([full, ~full])) == {1: 24}


def test_inputs_are_not_changed_and_histograms_cannot_be():
    readers = scattered(2, (3, 4, 5), np.uint8, 0)
    copies = [array.copy() for array in readers]
    patterns = foreground_patterns(readers)
    assert all(np.array_equal(a, b) for a, b in zip(readers, copies, strict=True))
    with pytest.raises(ValueError, match="read-only"):
        patterns.counts[0] = 1


MASK = np.zeros((1, 2, 3), dtype=bool)


@pytest.mark.parametrize(
    ("readers", "error", "text"),
    [
        ([], InputError, "1 to 64 readers"),
        ([MASK] * 65, InputError, "1 to 64 readers"),
        ([MASK, MASK[:, :1]], GeometryMismatchError, "drew on"),
        ([MASK.astype(np.int16)], InputError, "int16"),
        ([MASK.astype(np.uint32)], InputError, "uint32"),
        ([MASK.astype(float)], InputError, "float64"),
    ],
)
def test_what_is_no_set_of_label_arrays_is_refused(readers, error, text):
    with pytest.raises(error, match=text):
        reader_patterns(readers)


@pytest.mark.parametrize("values", [[0], [65536], [-1, 3]])
def test_values_that_no_label_map_holds_are_refused(values):
    with pytest.raises(InputError, match="labels are 1 to 65535"):
        foreground_patterns([MASK], values)


@pytest.mark.parametrize(
    ("n_readers", "patterns", "counts"),
    [
        (0, [0], [1]),
        (65, [0], [1]),
        (2, [0, 4], [1, 1]),
        (2, [1, 0], [1, 1]),
        (2, [1, 1], [1, 1]),
        (2, [0, 1], [1, -1]),
        (2, [0, 1], [1]),
    ],
)
def test_histograms_that_no_readers_could_draw_are_refused(n_readers, patterns, counts):
    with pytest.raises(InputError):
        ReaderPatterns(n_readers, np.array(patterns, np.uint64), np.array(counts))


@pytest.mark.parametrize("readers", [[0, 0], [2], [-1]])
def test_readers_who_are_not_there_cannot_be_chosen(readers):
    patterns = ReaderPatterns(2, np.array([0], np.uint64), np.array([4]))
    with pytest.raises(InputError, match="counted from 0"):
        patterns.restricted(readers)
