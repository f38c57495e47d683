"""The outline of pixels lies outside what it encloses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.volume import Geometry
from lesionary.prepare.pixel_outlines import inside_of

GRID = Geometry((3, 30, 30), np.eye(4))


def square(k, low, high):
    """Walk around a square pixel by pixel."""
    side = np.arange(low, high)
    around = [
        *((low, i) for i in side),
        *((j, high) for j in side),
        *((high, i) for i in range(high, low, -1)),
        *((j, low) for j in range(high, low, -1)),
    ]
    return np.array([(k, j, i) for j, i in around], dtype=float)


def test_the_outline_itself_is_outside():
    inside = inside_of([square(1, 5, 10)], [], GRID)
    assert inside.sum() == 16
    assert inside[1, 6:10, 6:10].all()


def test_an_excluded_outline_takes_away_what_lies_inside_it():
    inside = inside_of([square(1, 5, 15)], [square(1, 8, 12)], GRID)
    assert inside.sum() == 81 - 9
    assert inside[1, 8, 8]
    assert not inside[1, 9, 9]


def test_corners_alone_say_the_same_as_every_pixel():
    corners = np.array([[1, 5, 5], [1, 5, 15], [1, 15, 15], [1, 15, 5]], dtype=float)
    assert np.array_equal(inside_of([corners], [], GRID), inside_of([square(1, 5, 15)], [], GRID))


def test_pieces_that_share_outline_pixels_are_both_kept():
    inside = inside_of([square(0, 2, 8), square(0, 8, 14)], [], GRID)
    assert inside.sum() == 50


@pytest.mark.parametrize("points", [[[1, 4, 4]], [[1, 4, 4], [1, 4, 9]]])
def test_fewer_than_three_pixels_enclose_nothing(points):
    assert not inside_of([np.array(points, dtype=float)], [], GRID).any()


def test_nothing_included_is_empty():
    assert not inside_of([], [square(1, 5, 10)], GRID).any()


@given(st.integers(0, 2), st.integers(0, 10), st.integers(2, 15))
def test_a_square_of_any_size_keeps_its_inner_pixels(k, low, side):
    assert inside_of([square(k, low, low + side)], [], GRID).sum() == (side - 1) ** 2
