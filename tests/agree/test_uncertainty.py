"""Uncertainty maps against the share of readers, voxel by voxel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import entropy

from lesionary.agree.uncertainty import entropy_bits, reader_entropy


@st.composite
def drawings(draw):
    """Draw label arrays of one shape, one a reader."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    n_readers = draw(st.integers(1, 5))
    labels = st.sampled_from([0, 0, 1, 2])
    return [draw(arrays(np.uint8, shape, elements=labels)) for _ in range(n_readers)]


@given(st.floats(0, 1))
def test_entropy_is_that_of_a_coin(share):
    [bits] = entropy_bits(np.array([share]))
    assert bits == pytest.approx(entropy([share, 1 - share], base=2), abs=1e-9)
    assert 0 <= bits <= 1


@settings(deadline=None)  # the first call compiles
@given(drawings())
def test_maps_are_those_of_the_share_of_readers(readers):
    share = np.mean([array > 0 for array in readers], axis=0)
    bits = reader_entropy(readers)
    assert bits.dtype == np.float32
    assert bits == pytest.approx(entropy([share, 1 - share], base=2), abs=1e-6)


@settings(deadline=None)
@given(drawings())
def test_who_drew_and_who_did_not_may_change_places(readers):
    opposite = [array == 0 for array in readers]
    assert reader_entropy(readers) == pytest.approx(reader_entropy(opposite))


@settings(deadline=None)
@given(drawings())
def test_chosen_labels_count_as_one_object(readers):
    masks = [array == 2 for array in readers]
    assert np.array_equal(reader_entropy(readers, [2]), reader_entropy(masks))


def test_all_agreed_is_no_uncertainty():
    mask = np.zeros((2, 3, 4), dtype=bool)
    mask[0, 1] = True
    for readers in ([mask], [mask] * 3, [~mask & mask] * 2, [mask | ~mask] * 2):
        assert not reader_entropy(readers).any()
