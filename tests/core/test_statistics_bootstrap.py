import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lesionary.core.errors import InputError
from lesionary.core.statistics import bootstrap_interval

SKEWED = np.random.default_rng(5).beta(8, 1.5, 60)


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize(("method", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_it_comes_near_scipys_interval(statistic, method, theirs):
    ours = bootstrap_interval(SKEWED, statistic=statistic, method=method)
    function = {"mean": np.mean, "median": np.median}[statistic]
    interval = stats.bootstrap(
        (SKEWED,), function, method=theirs, n_resamples=10_000, rng=np.random.default_rng(1)
    ).confidence_interval
    width = interval.high - interval.low
    assert ours.estimate == pytest.approx(function(SKEWED), rel=1e-12)
    assert ours.low == pytest.approx(interval.low, abs=0.06 * width)
    assert ours.high == pytest.approx(interval.high, abs=0.06 * width)
    assert (ours.method, ours.statistic) == (method, statistic)


def clustered_by_loops(values, subjects, function, n_resamples, seed):
    rng = np.random.default_rng(seed)
    cases = [values[subjects == subject] for subject in np.unique(subjects)]
    drawn = [
        function(np.concatenate([cases[c] for c in rng.integers(0, len(cases), len(cases))]))
        for _ in range(n_resamples)
    ]
    return np.quantile(drawn, [0.025, 0.975])


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_it_draws_subjects_with_all_their_cases(statistic):
    rng = np.random.default_rng(2)
    subjects = rng.integers(0, 60, 300)
    values = rng.normal(size=60)[subjects] + rng.normal(0, 0.5, 300)
    function = {"mean": np.mean, "median": np.median}[statistic]
    low, high = clustered_by_loops(values, subjects, function, 4000, 7)
    ours = bootstrap_interval(values, subjects=subjects.tolist(), statistic=statistic)
    assert ours.low == pytest.approx(low, abs=0.08 * (high - low))
    assert ours.high == pytest.approx(high, abs=0.08 * (high - low))
    assert (ours.n, ours.n_clusters) == (300, np.unique(subjects).size)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcd")), min_size=2, max_size=12),
    st.integers(0, 99),
)
def test_the_median_of_a_resample_is_numpys(cases, seed):
    from lesionary.core.statistics import bootstrap as module

    values = np.array([value for value, _ in cases], dtype=float)
    names = np.unique([name for _, name in cases], return_inverse=True)[1]
    sample = module._sample(values, names)
    drawn = np.random.default_rng(seed).integers(0, sample.n_clusters, (5, sample.n_clusters))
    medians = module._median_of_drawn(sample)(drawn)
    means = module._mean_of_drawn(sample)(drawn)
    for row, median, mean in zip(drawn, medians, means, strict=True):
        taken = np.concatenate([sample.values[sample.clusters == cluster] for cluster in row])
        assert median == np.median(taken)
        assert mean == pytest.approx(np.mean(taken))


def test_cases_of_few_patients_are_less_sure_than_as_many_patients():
    rng = np.random.default_rng(4)
    subjects = np.repeat(np.arange(8), 100)
    values = rng.normal(size=8)[subjects] + rng.normal(0, 0.1, 800)
    by_patient = bootstrap_interval(values, subjects=subjects.tolist())
    by_case = bootstrap_interval(values)
    assert by_patient.estimate == by_case.estimate
    assert by_patient.high - by_patient.low > 5 * (by_case.high - by_case.low)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.sampled_from(["mean", "median"]))
def test_the_same_seed_gives_the_same_interval_in_any_order(values, statistic):
    def interval(sample):
        return bootstrap_interval(sample, statistic=statistic, n_resamples=200, seed=3)

    assert interval(values) == interval(values[::-1])
    found = interval(values)
    assert min(values) <= found.low + 1e-12
    assert found.low <= found.high <= max(values) + 1e-12


def test_another_seed_gives_another_interval():
    first, second = (bootstrap_interval(SKEWED, seed=seed) for seed in (0, 1))
    assert (first.low, first.high) != (second.low, second.high)
    assert first.low == pytest.approx(second.low, abs=0.01)


def test_a_higher_level_is_wider():
    narrow, wide = (bootstrap_interval(SKEWED, level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_values_that_are_all_the_same_have_an_interval_without_width(method):
    found = bootstrap_interval([0.7] * 9, method=method)
    assert (found.low, found.estimate, found.high, found.method) == (0.7, 0.7, 0.7, "percentile")


@pytest.mark.parametrize(
    ("values", "subjects", "estimate", "reason"),
    [
        ([], None, None, "there are no finite values"),
        ([np.nan, np.inf], None, None, "there are no finite values"),
        ([0.5], None, 0.5, "needs two subjects, there is 1"),
        ([0.25, 0.75], ["a", "a"], 0.5, "needs two subjects, there is 1"),
        ([0.25, 0.75, np.nan], ["a", "a", "b"], 0.5, "needs two subjects, there is 1"),
    ],
)
def test_below_two_subjects_the_ends_are_undefined(values, subjects, estimate, reason):
    undefined = bootstrap_interval(values, subjects=subjects)
    assert (undefined.estimate, undefined.low, undefined.high) == (estimate, None, None)
    assert undefined.reason == reason


def test_values_that_are_not_finite_are_counted():
    found = bootstrap_interval([0.1, np.inf, 0.3, np.nan, 0.2])
    assert (found.n, found.n_clusters, found.n_left_out) == (3, 3, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 95}, "between 0 and 1"),
        ({"statistic": "mode"}, "mean or median"),
        ({"method": "basic"}, "percentile or bca"),
        ({"n_resamples": 0}, "at least one"),
        ({"subjects": ["a"]}, "1 subjects for 2 values"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        bootstrap_interval([0.1, 0.2], **options)
