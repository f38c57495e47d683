"""One piece, without holes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from lesionary.annotate.fill import fill_holes, single_solid

ARRAYS = hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7))


@given(ARRAYS)
def test_holes_are_filled_as_scipy_fills_them(array):
    assert np.array_equal(fill_holes(array), ndimage.binary_fill_holes(array))


@given(ARRAYS)
def test_what_is_left_is_one_piece_and_stays_as_it_is(array):
    solid = single_solid(array)
    assert ndimage.label(solid)[1] == int(array.any())
    assert np.array_equal(single_solid(solid), solid)


@given(st.integers(1, 8))
def test_an_empty_box_stays_empty(n):
    assert not single_solid(np.zeros((n, n, n), dtype=bool)).any()


def test_a_small_piece_in_the_middle_wins_over_a_large_one_at_the_border():
    array = np.zeros((9, 9, 9), dtype=bool)
    array[:2] = True
    array[4:6, 4:6, 4:6] = True
    solid = single_solid(array)
    assert solid.sum() == 8
    assert solid[4, 4, 4]


def test_the_largest_piece_wins_where_the_middle_is_empty():
    array = np.zeros((9, 9, 9), dtype=bool)
    array[0, :4] = True
    array[8, :5] = True
    assert np.array_equal(np.argwhere(single_solid(array).any(axis=(1, 2))), [[8]])


def test_a_gap_open_to_the_boxs_face_is_no_hole():
    array = np.ones((5, 5, 5), dtype=bool)
    array[2, 2, 2:] = False
    array[1, 1, 1] = False
    filled = fill_holes(array)
    assert filled[1, 1, 1]
    assert not filled[2, 2, 2:].any()
