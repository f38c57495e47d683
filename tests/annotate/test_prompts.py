"""Boxes as users write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.annotate.prompts import BoxPrompt, parse_box
from lesionary.core.errors import InputError
from lesionary.core.volume import Geometry

STARTS = st.integers(0, 10_000)
SIZES = st.integers(1, 10_000)


@given(STARTS, SIZES, STARTS, SIZES, STARTS, SIZES)
def test_a_text_is_read_from_columns_to_slices(i0, n_i, j0, n_j, k0, n_k):
    text = f"{i0},{i0 + n_i}, {j0},{j0 + n_j},{k0},{k0 + n_k}"
    assert parse_box(text) == (slice(k0, k0 + n_k), slice(j0, j0 + n_j), slice(i0, i0 + n_i))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3,4,5",
        "1,2,3,4,5,6,7",
        "1,2,3,4,5,x",
        "1.5,2,3,4,5,6",
        "2,2,3,4,5,6",
        "3,2,3,4,5,6",
        "-1,2,3,4,5,6",
    ],
)
def test_a_text_that_is_no_box_is_refused(text):
    with pytest.raises(InputError) as refused:
        parse_box(text)
    assert refused.value.code == "box"
    assert "i0,i1,j0,j1,k0,k1" in refused.value.hint


@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 1), slice(0, 1)),
        (slice(0, 4, 2), slice(0, 1), slice(0, 1)),
        (slice(None, 4), slice(0, 1), slice(0, 1)),
        (slice(0, None), slice(0, 1), slice(0, 1)),
    ],
)
def test_a_box_needs_three_whole_ranges(box):
    with pytest.raises(InputError) as refused:
        BoxPrompt(box)
    assert refused.value.code == "box"


def test_a_box_must_lie_on_the_scan():
    grid = Geometry((4, 5, 6), np.eye(4))
    BoxPrompt((slice(0, 4), slice(0, 5), slice(0, 6))).require_inside(grid)
    with pytest.raises(InputError, match="ends at 6 along j, the scan at 5") as refused:
        BoxPrompt((slice(0, 4), slice(0, 6), slice(0, 6))).require_inside(grid)
    assert refused.value.code == "box"
