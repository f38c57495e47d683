import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from lesionary.core.errors import InputError
from lesionary.core.statistics import wilcoxon_signed_rank

few_with_ties = st.lists(st.integers(-4, 4), min_size=1, max_size=10)


def p_over_all_signs(differences):
    others = np.array([d for d in differences if d])
    ranks = stats.rankdata(np.abs(others))
    sums = np.array(
        [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))]
    )
    plus = ranks[others > 0].sum()
    return min(1.0, 2 * min(np.mean(sums <= plus), np.mean(sums >= plus)))


@given(few_with_ties)
def test_the_exact_p_counts_all_signs(differences):
    assume(any(differences))
    found = wilcoxon_signed_rank(differences)
    assert found.method == "exact"
    assert found.p == pytest.approx(p_over_all_signs(differences), abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(5, 120))
def test_without_ties_it_is_scipys(seed, n):
    first, second = np.random.default_rng(seed).normal(size=(2, n))
    ours, theirs = wilcoxon_signed_rank(first, second), stats.wilcoxon(first, second)
    assert ours.statistic == theirs.statistic
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.method == ("exact" if n <= 50 else "normal")


@settings(max_examples=40)
@given(st.lists(st.integers(-4, 4), min_size=4, max_size=80))
def test_with_ties_and_zeros_it_is_scipys(differences):
    assume(any(differences))
    ours, theirs = wilcoxon_signed_rank(differences), stats.wilcoxon(differences)
    assert ours.statistic == theirs.statistic
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.n_zero == differences.count(0)


def test_darwins_maize_has_the_published_rank_sum():
    # Darwin 1876, as in Fisher, The design of experiments: crossed minus self-fertilised, 1/8 inch.
    inches = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = wilcoxon_signed_rank(inches)
    assert found.statistic == 24.0
    assert found.p == pytest.approx(0.0413, abs=5e-4)
    assert found.effect == pytest.approx((96 - 24) / 120)


def test_swapping_the_sides_turns_the_effect_only():
    first, second = [3.0, 1.0, 4.0, 1.5, 9.0], [2.0, 2.5, 1.0, 0.5, 4.0]
    there, back = wilcoxon_signed_rank(first, second), wilcoxon_signed_rank(second, first)
    assert (there.p, there.statistic) == (back.p, back.statistic)
    assert there.effect == -back.effect
    assert there.median_difference == -back.median_difference == 1.0


def test_differences_that_are_all_zero_are_undefined():
    undefined = wilcoxon_signed_rank([1.0, 2.0], [1.0, 2.0])
    assert (undefined.p, undefined.statistic, undefined.n, undefined.n_zero) == (None, None, 2, 2)
    assert undefined.reason == "all 2 differences are zero"
    assert undefined.median_difference == 0.0
    assert set(undefined.to_json()["reason"]) == {"p", "statistic", "effect"}


def test_no_pairs_are_undefined():
    undefined = wilcoxon_signed_rank([np.nan], [1.0])
    assert (undefined.p, undefined.n, undefined.reason) == (None, 0, "there are no pairs")


def test_a_subject_counts_once_however_many_cases_it_has():
    differences = [1.0, 3.0, 2.0, -1.0, 4.0, 6.0]
    subjects = ["a", "a", "b", "c", "d", "d"]
    by_subject = wilcoxon_signed_rank(differences, subjects=subjects)
    of_means = wilcoxon_signed_rank([2.0, 2.0, -1.0, 5.0])
    assert (by_subject.p, by_subject.n, by_subject.n_pairs) == (of_means.p, 4, 6)


def test_thousands_of_cases_of_eight_patients_prove_no_more_than_eight_can():
    rng = np.random.default_rng(1)
    subjects = np.repeat(np.arange(8), 656)
    differences = rng.normal(0.01, 0.02, 8)[subjects] + rng.normal(0, 0.01, subjects.size)
    assert wilcoxon_signed_rank(differences).p < 1e-12
    assert wilcoxon_signed_rank(differences, subjects=subjects.tolist()).p >= 2 / 2**8


def test_a_subject_without_finite_pairs_does_not_count():
    found = wilcoxon_signed_rank([np.nan, 1.0, 2.0], subjects=["a", "b", "c"])
    assert (found.n, found.n_pairs) == (2, 2)


def test_exact_and_normal_come_near_each_other():
    differences = np.random.default_rng(3).normal(0.2, 1.0, 45)
    exact = wilcoxon_signed_rank(differences, method="exact")
    normal = wilcoxon_signed_rank(differences, method="normal")
    assert exact.p == pytest.approx(normal.p, abs=0.01)
    assert (exact.method, normal.method) == ("exact", "normal")


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="same length"):
        wilcoxon_signed_rank([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="1 subjects for 2 values"):
        wilcoxon_signed_rank([1.0, 2.0], subjects=["a"])
    with pytest.raises(InputError, match="asymptotic"):
        wilcoxon_signed_rank([1.0, 2.0], method="asymptotic")
