"""The interval of a mean: it covers with few subjects as with many, however unequal they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lesionary.core.errors import InputError
from lesionary.core.statistics import Resampling, bootstrap_interval, mean_interval

QUICK = Resampling(n_resamples=400)

SIZES = {
    "equal": lambda _, n: np.full(n, 3),
    "unequal": lambda rng, n: rng.integers(1, 8, n),
    "one rules": lambda _, n: np.array([12] + [1] * (n - 1)),
}


def sample(rng, n_subjects, sizes):
    owners = np.repeat(np.arange(n_subjects), sizes(rng, n_subjects))
    return rng.normal(size=n_subjects)[owners] + rng.normal(size=owners.size), owners.tolist()


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("n_subjects", [2, 3, 5, 10, 20, 40, 60])
def test_the_interval_covers_the_mean_in_nine_of_ten_samples_at_least(n_subjects, kind):
    rng = np.random.default_rng(n_subjects)
    n_samples, n_hits = 400, 0
    for _ in range(n_samples):
        values, owners = sample(rng, n_subjects, SIZES[kind])
        found = mean_interval(values, subjects=owners, resampling=QUICK)
        n_hits += found.low <= 0.0 <= found.high
    assert n_hits / n_samples >= 0.90


@given(st.lists(st.floats(-99, 99), min_size=2, max_size=39))
def test_few_values_of_one_subject_each_have_the_t_interval(values):
    found = mean_interval(values)
    reach = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    assert found.estimate == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx(
        (np.mean(values) - reach, np.mean(values) + reach), abs=1e-9
    )
    assert (found.method, found.n_effective) == ("t", pytest.approx(len(values)))


def test_subjects_of_equal_size_have_the_t_interval_of_their_means():
    rng = np.random.default_rng(1)
    values, owners = sample(rng, 7, SIZES["equal"])
    found = mean_interval(values, subjects=owners)
    of_means = mean_interval(values.reshape(7, 3).mean(axis=1))
    assert (found.low, found.high) == pytest.approx((of_means.low, of_means.high))
    assert (found.n, found.n_subjects) == (21, 7)


def test_the_standard_error_is_that_of_leaving_each_subject_out():
    values, owners = np.array([1.0, 2.0, 4.0, 8.0, 3.0]), ["a", "a", "b", "c", "c"]
    found = mean_interval(values, subjects=owners)
    without = [values[[o != name for o in owners]].mean() for name in "abc"]
    se = math.sqrt(2 / 3 * sum((mean - values.mean()) ** 2 for mean in without))
    reach = stats.t.ppf(0.975, 25 / 9 - 1) * se
    assert found.high - found.estimate == pytest.approx(reach)


def test_many_subjects_have_the_bootstrap_interval():
    values, owners = sample(np.random.default_rng(2), 40, SIZES["equal"])
    found = mean_interval(values, subjects=owners, resampling=QUICK)
    drawn = bootstrap_interval(values, subjects=owners, n_resamples=400)
    assert (found.method, found.low, found.high) == ("bootstrap", drawn.low, drawn.high)


def test_forty_subjects_of_whom_one_rules_are_not_worth_forty():
    values, owners = sample(np.random.default_rng(3), 40, SIZES["one rules"])
    found = mean_interval(values, subjects=owners)
    assert (found.n_subjects, found.method) == (40, "t")
    assert found.n_effective == pytest.approx(51**2 / (144 + 39))


def test_the_interval_ends_where_the_quantity_does():
    found = mean_interval([0.2, 0.9], bounds=(0.0, 1.0))
    assert (found.low, found.high) == (0.0, 1.0)


values_of_subjects = st.lists(
    st.tuples(st.floats(-9, 9), st.integers(0, 5)), min_size=2, max_size=30
)


@given(values_of_subjects, st.randoms())
def test_neither_order_nor_names_of_subjects_matter(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    one, other = (
        mean_interval([v for v, _ in listed], subjects=[name(s) for _, s in listed])
        for listed, name in ((pairs, int), (shuffled, str))
    )
    assert one.n_subjects == other.n_subjects
    assert (one.low is None) == (other.low is None)
    if one.low is not None:
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


def test_values_that_do_not_vary_have_an_interval_without_width():
    found = mean_interval([0.1] * 3, subjects=["a", "a", "b"])
    assert (found.estimate, found.low, found.high) == (0.1, 0.1, 0.1)


def test_what_is_not_finite_is_left_out_with_its_subject():
    found = mean_interval([1.0, 2.0, np.nan], subjects=["a", "b", "c"])
    assert (found.n, found.n_subjects, found.n_left_out) == (2, 2, 1)


@pytest.mark.parametrize(
    ("values", "subjects", "reason"),
    [([], None, "no finite values"), ([1.0], None, "is 1"), ([1.0, 2.0], ["a", "a"], "is 1")],
)
def test_below_two_subjects_there_is_no_interval_and_it_says_so(values, subjects, reason):
    found = mean_interval(values, subjects=subjects)
    assert (found.low, found.high, found.method) == (None, None, "")
    assert reason in found.to_json()["reason"]["low"]


def test_a_level_out_of_range_is_refused():
    with pytest.raises(InputError, match="between 0 and 1"):
        mean_interval([1.0, 2.0], resampling=Resampling(level=95))
    with pytest.raises(InputError, match="1 subjects for 2"):
        mean_interval([1.0, 2.0], subjects=["a"])
