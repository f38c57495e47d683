import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lesionary.publish.report.statistics import average_ranks, density, spearman, spread_of

pairs_with_ties = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=60
).map(lambda pairs: np.array(pairs, dtype=float).T)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40))
def test_ranks_are_those_of_scipy_with_ties(values):
    sample = np.array(values, dtype=float)
    np.testing.assert_array_equal(average_ranks(sample), stats.rankdata(sample))


@given(pairs_with_ties)
def test_spearman_is_that_of_scipy_with_ties(pairs):
    assume(np.ptp(pairs[0]) > 0 and np.ptp(pairs[1]) > 0)
    ours, theirs = spearman(*pairs), stats.spearmanr(*pairs)
    assert ours.rho == pytest.approx(theirs.statistic, abs=1e-12)
    least = 2 / math.factorial(ours.n)
    assert ours.p == pytest.approx(max(theirs.pvalue, least), rel=1e-6, abs=1e-12)


@given(pairs_with_ties)
def test_spearman_does_not_mind_a_monotonic_change_of_scale(pairs):
    assume(np.ptp(pairs[0]) > 0 and np.ptp(pairs[1]) > 0)
    assert spearman(np.exp(pairs[0]), pairs[1]) == spearman(*pairs)


def test_p_of_a_perfect_correlation_is_what_so_many_pairs_can_show():
    perfect = spearman(np.arange(5.0), np.arange(5.0) ** 3)
    assert perfect.rho == 1.0
    assert perfect.p == pytest.approx(2 / 120)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([], [], "there are 0"),
        ([1, 2], [1, 2], "there are 2"),
        ([1, 2, np.nan], [1, 2, 3], "there are 2"),
        ([1, 1, 1], [1, 2, 3], "equal"),
    ],
)
def test_an_undefined_correlation_has_a_reason(first, second, reason):
    undefined = spearman(np.array(first, dtype=float), np.array(second, dtype=float))
    assert undefined.rho is None
    assert undefined.p is None
    assert reason in undefined.reason


def test_spread_leaves_undefined_values_out():
    spread = spread_of(np.array([1.0, 2.0, 3.0, np.nan]))
    assert spread is not None
    assert (spread.n, spread.median, spread.lower_quartile, spread.sd) == (3, 2.0, 1.5, 1.0)
    assert spread_of(np.array([np.nan])) is None
    alone = spread_of(np.array([4.0]))
    assert alone is not None
    assert alone.sd is None


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
