"""Rescale against plain arithmetic in int64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.prepare.assemble import is_integral, rescale_exactly, rescale_rounded

INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32]
stored_arrays = st.sampled_from(INTEGERS).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1))
)


@given(stored_arrays, st.integers(-5, 5), st.integers(-70_000, 70_000))
def test_int16_is_exact_or_refused(stored, slope, intercept):
    expected = stored.astype(np.int64) * slope + intercept
    out = np.full(stored.shape, 77, dtype=np.int16)
    try:
        rescale_exactly(stored, slope, intercept, out)
    except OverflowError:
        assert expected.min() < -32768 or expected.max() > 32767
        assert (out == 77).all()
    else:
        assert np.array_equal(out, expected)


def test_unsigned_16_bits_below_the_intercept_fit():
    stored = np.array([[0, 33791]], dtype=np.uint16)
    out = np.empty((1, 2), dtype=np.int16)
    rescale_exactly(stored, 1, -1024, out)
    assert out.tolist() == [[-1024, 32767]]


@given(stored_arrays, st.floats(1e-6, 1e3), st.floats(-1e4, 1e4))
def test_float32_is_the_rounded_float64(stored, slope, intercept):
    out = np.empty(stored.shape, dtype=np.float32)
    rescale_rounded(stored, slope, intercept, out)
    assert np.array_equal(out, (stored * np.float64(slope) + intercept).astype(np.float32))


@pytest.mark.parametrize(
    ("rescales", "expected"),
    [
        ([(1.0, -1024.0)], True),
        ([(1.0, 0.0), (0.5, 0.0)], False),
        ([(1.0, 0.5)], False),
        ([], True),
    ],
)
def test_only_integers_may_be_int16(rescales, expected):
    assert is_integral(rescales) is expected
