"""Tumours against a slow search with scipy; who missed, who fused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from lesionary.agree.tumours import Bridge, tumours_of
from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import AxisOrder

FULL = np.ones((3, 3, 3))


@st.composite
def readings(draw, most_readers=7):
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=7))
    values = st.sampled_from([0, 0, 0, 0, 1, 2, 65535])
    n = draw(st.integers(1, most_readers))
    return [draw(arrays(np.uint16, shape, elements=values)) for _ in range(n)]


def patterns_in(readers, value, region):
    """Count each voxel's pattern one reader after the other."""
    words = np.zeros(region.shape, dtype=np.uint64)
    for reader, array in enumerate(readers):
        words |= ((array == value) & region).astype(np.uint64) << np.uint64(reader)
    patterns, counts = np.unique(words, return_counts=True)
    return patterns.tolist(), counts.tolist()


def slow_bridges(readers, value, region):
    """Find pieces that overlap or touch several of another reader's, by growing each."""
    found = {}
    parts = [ndimage.label((array == value) & region, FULL) for array in readers]
    for a, (mine, n_mine) in enumerate(parts):
        for b, (theirs, _) in enumerate(parts):
            for piece in range(1, n_mine + 1):
                grown = ndimage.binary_dilation(mine == piece, FULL)
                met = len(np.unique(theirs[grown & (theirs > 0)]))
                if a != b and met > 1:
                    found[a, b] = max(met, found.get((a, b), 0))
    return tuple(Bridge(a, b, met) for (a, b), met in sorted(found.items()))


def slow(readers):
    """Return (value, number, first voxel, patterns, pieces, bridges) of every tumour."""
    out = []
    for value in sorted({int(v) for array in readers for v in np.unique(array)} - {0}):
        union = np.any([array == value for array in readers], axis=0)
        labelled, n = ndimage.label(union, FULL)
        regions = [labelled == place for place in range(1, n + 1)]
        regions.sort(key=lambda r: (-int(r.sum()), int(np.flatnonzero(r)[0])))
        for number, region in enumerate(regions, start=1):
            pieces = tuple(ndimage.label((a == value) & region, FULL)[1] for a in readers)
            first = tuple(np.argwhere(region)[0].tolist())
            patterns = patterns_in(readers, value, region)
            bridges = slow_bridges(readers, value, region)
            out.append((value, number, first, patterns, pieces, bridges))
    return out


def described(tumour):
    patterns = tumour.patterns.patterns.tolist(), tumour.patterns.counts.tolist()
    return tumour.value, tumour.number, tumour.first, patterns, tumour.n_pieces, tumour.bridges


@given(readings())
def test_tumours_are_the_components_of_the_union_of_each_label(readers):
    assert [described(t) for t in tumours_of(readers)] == slow(readers)


@given(readings())
def test_what_a_reader_drew_of_a_tumour_comes_as_one_component(readers):
    for tumour in tumours_of(readers):
        for reader, array in enumerate(readers):
            part = tumour.component(reader)
            assert (part is not None) == tumour.present[reader]
            if part is None:
                continue
            assert part.n_voxels == tumour.patterns.voxels[reader] == part.crop().sum()
            assert (array[part.box][part.crop()] == tumour.value).all()
            assert array[part.first] == tumour.value
            assert [side.any() for side in _sides(part.crop())] == [True] * 6


def _sides(crop):
    return [face for axis in range(3) for face in (crop.take(0, axis), crop.take(-1, axis))]


def masks(*rows):
    """Readers from rows of text: ``#`` is drawn."""
    return [np.array([[[c == "#" for c in row]]]).astype(np.uint16) for row in rows]


def test_a_tumour_that_one_missed_is_there_with_who_missed_it():
    (left, right) = tumours_of(masks("##..###", "##.....", ".#....."))
    assert (left.present, left.n_missed) == ((True, False, False), 2)
    assert (right.present, right.n_missed) == ((True, True, True), 0)
    assert left.patterns.n_drawn == 3  # the larger union comes first
    assert [left.patterns.dice(*pair) for pair in ((0, 1), (0, 2), (1, 2))] == [0, 0, None]


def test_one_piece_across_two_is_fused():
    (tumour,) = tumours_of(masks("##..##", "######", "#....."))
    assert tumour.is_fused
    assert tumour.bridges == (Bridge(reader=1, other=0, n_pieces=2),)
    assert tumour.n_pieces == (2, 1, 1)


def test_touching_without_overlap_joins_and_so_fuses():
    (tumour,) = tumours_of(masks("##..##", "..##.."))
    assert tumour.bridges == (Bridge(1, 0, 2),)
    assert tumour.patterns.dice(0, 1) == 0


def test_a_chain_of_three_readers_shows_its_pieces_though_nobody_bridged_two():
    (tumour,) = tumours_of(masks("##....##", ".###....", "...####."))
    assert not tumour.is_fused
    assert tumour.n_pieces == (2, 1, 1)


def test_two_pieces_each_across_the_gap_of_the_other_are_fused_both_ways():
    (tumour,) = tumours_of(masks("#..####", "####..#"))
    assert tumour.bridges == (Bridge(0, 1, 2), Bridge(1, 0, 2))


def test_two_labels_that_touch_or_overlap_stay_two_tumours():
    first = np.array([[[1, 1, 2, 2, 0]]], dtype=np.uint16)
    second = np.array([[[1, 1, 1, 2, 2]]], dtype=np.uint16)
    one, two = tumours_of([first, second])
    assert (one.value, one.number, one.patterns.n_drawn) == (1, 1, 3)
    assert (two.value, two.number, two.patterns.n_drawn) == (2, 1, 3)
    assert [t.patterns.dice(0, 1) for t in (one, two)] == [0.8, 0.5]


def test_numbers_start_anew_with_each_label_and_ties_go_by_the_first_voxel():
    array = np.array([[[1, 0, 2, 0, 1, 0, 2, 2]]], dtype=np.uint16)
    found = tumours_of([array, array])
    assert [(t.value, t.number, t.first[2]) for t in found] == [
        (1, 1, 0),
        (1, 2, 4),
        (2, 1, 6),
        (2, 2, 2),
    ]


def test_a_single_voxel_and_a_tumour_at_every_border():
    corner = np.zeros((3, 3, 3), dtype=np.uint16)
    corner[0, 0, 0] = 1
    (voxel,) = tumours_of([corner, corner])
    assert (voxel.patterns.n_drawn, voxel.patterns.n_voxels, voxel.first) == (1, 27, (0, 0, 0))
    full = np.ones((3, 3, 3), dtype=np.uint16)
    (whole,) = tumours_of([full, corner])
    assert whole.patterns.n_background == 0
    assert whole.patterns.dice(0, 1) == 2 / 28


def test_rows_at_opposite_edges_do_not_touch():
    first, second = (np.zeros((2, 3, 4), dtype=np.uint16) for _ in range(2))
    first[0, 2, 3] = second[1, 0, 0] = 1
    assert len(tumours_of([first, second])) == 2


def test_nobody_drew_anything():
    assert tumours_of([np.zeros((2, 2, 2), dtype=np.uint16)] * 3) == ()


@pytest.mark.parametrize("order", AxisOrder.all()[::5])
def test_views_in_any_order_have_the_same_tumours(order):
    rng = np.random.default_rng(3)
    readers = [(rng.random((5, 6, 7)) < 0.12).astype(np.uint16) for _ in range(3)]
    turned = [order.apply(array) for array in readers]
    assert sorted(t.patterns.counts.tolist() for t in tumours_of(turned)) == sorted(
        t.patterns.counts.tolist() for t in tumours_of(readers)
    )


def test_the_64th_reader_counts_and_a_65th_is_refused():
    drawn = np.ones((1, 1, 2), dtype=np.uint16)
    (tumour,) = tumours_of([drawn] * 64)
    assert tumour.patterns.patterns.tolist() == [2**64 - 1]
    with pytest.raises(InputError, match="not 65"):
        tumours_of([drawn] * 65)


def test_other_shapes_are_refused():
    with pytest.raises(GeometryMismatchError):
        tumours_of([np.zeros((1, 1, 2), np.uint16), np.zeros((1, 2, 1), np.uint16)])


def test_what_is_one_tumour_by_declaration_is_one_in_however_many_pieces():
    first = np.zeros((1, 3, 9), dtype=np.uint8)
    second = first.copy()
    first[0, 1, [1, 2, 6]] = 1
    second[0, 1, [1, 2]] = 1
    assert len(tumours_of([first, second])) == 2
    (tumour,) = tumours_of([first, second], is_one_tumour=True)
    assert tumour.present == (True, True)
    assert tumour.n_pieces == (2, 1)
    assert tumour.patterns.dice(0, 1) == pytest.approx(4 / 5)
