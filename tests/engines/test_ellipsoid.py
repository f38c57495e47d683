"""The inscribed ellipsoid."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.engines.ellipsoid import inscribed_ellipsoid

SHAPES = st.tuples(*[st.integers(1, 9)] * 3)


@given(SHAPES)
def test_it_holds_the_voxels_whose_centres_lie_inside(shape):
    inside = inscribed_ellipsoid(shape)
    for place in itertools.product(*map(range, shape)):
        radius = sum(((x + 0.5 - n / 2) / (n / 2)) ** 2 for x, n in zip(place, shape, strict=True))
        if abs(radius - 1) > 1e-9:
            assert inside[place] == (radius < 1)


@given(SHAPES)
def test_it_is_never_empty_and_symmetric(shape):
    inside = inscribed_ellipsoid(shape)
    assert inside.any()
    for axis in range(3):
        assert np.array_equal(inside, np.flip(inside, axis))


def test_its_volume_is_that_of_an_ellipsoid():
    assert inscribed_ellipsoid((60, 80, 50)).mean() == pytest.approx(np.pi / 6, rel=2e-3)
