import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lesionary.publish.report.statistics import density


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_a_density_holds_one_whole(values):
    sample = np.array(values)
    assume(np.ptp(sample) > 1)
    lower, upper = np.quantile(sample, [0.25, 0.75])
    assume(upper - lower > 1)
    at = np.linspace(sample.min() - 400, sample.max() + 400, 20_001)
    curve = density(sample, at)
    assert curve is not None
    assert np.trapezoid(curve, at) == pytest.approx(1.0, abs=1e-3)


def test_a_sample_that_does_not_vary_has_no_density():
    assert density(np.array([2.0, 2.0, 2.0]), np.linspace(0, 4, 5)) is None
