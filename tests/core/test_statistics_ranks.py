import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lesionary.core.errors import InputError
from lesionary.core.statistics import average_ranks, kendall_tau_b, spearman

pairs_with_ties = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=60
).map(lambda pairs: np.array(pairs, dtype=float).T)


def varies(pairs):
    return np.ptp(pairs[0]) > 0 and np.ptp(pairs[1]) > 0


def tau_b_by_counting(first, second):
    concordant = discordant = tied_first = tied_second = 0
    for i in range(len(first)):
        for j in range(i):
            a, b = np.sign(first[i] - first[j]), np.sign(second[i] - second[j])
            concordant += a * b > 0
            discordant += a * b < 0
            tied_first += a == 0 and b != 0
            tied_second += b == 0 and a != 0
    both = concordant + discordant
    return (concordant - discordant) / math.sqrt((both + tied_first) * (both + tied_second))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40))
def test_ranks_are_those_of_scipy_with_ties(values):
    sample = np.array(values, dtype=float)
    np.testing.assert_array_equal(average_ranks(sample), stats.rankdata(sample))


@given(pairs_with_ties)
def test_spearman_is_that_of_scipy_with_ties(pairs):
    assume(varies(pairs))
    ours, theirs = spearman(*pairs), stats.spearmanr(*pairs)
    assert ours.rho == pytest.approx(theirs.statistic, abs=1e-12)
    least = 2 / math.factorial(ours.n)
    assert ours.p == pytest.approx(max(theirs.pvalue, least), rel=1e-6, abs=1e-12)


@given(pairs_with_ties)
def test_spearman_does_not_mind_a_monotonic_change_of_scale(pairs):
    assume(varies(pairs))
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
        ([1, 1, 1], [1, 2, 3], "first side never varies"),
    ],
)
def test_an_undefined_correlation_has_a_reason(first, second, reason):
    undefined = spearman(np.array(first, dtype=float), np.array(second, dtype=float))
    assert undefined.rho is None
    assert undefined.p is None
    assert reason in undefined.reason
    assert undefined.to_json()["reason"] == {"rho": undefined.reason, "p": undefined.reason}


@given(pairs_with_ties)
def test_tau_is_the_count_of_ordered_pairs_and_scipys(pairs):
    assume(varies(pairs))
    ours, theirs = kendall_tau_b(*pairs), stats.kendalltau(*pairs)
    assert ours.tau == pytest.approx(tau_b_by_counting(*pairs), abs=1e-12)
    assert (ours.tau, ours.p) == (theirs.statistic, theirs.pvalue)
    assert ours.n == pairs.shape[1]


@given(pairs_with_ties)
def test_tau_is_symmetric_and_turns_its_sign_with_one_side(pairs):
    assume(varies(pairs))
    ours = kendall_tau_b(*pairs)
    assert kendall_tau_b(pairs[1], pairs[0]).tau == pytest.approx(ours.tau, abs=1e-12)
    assert kendall_tau_b(-pairs[0], pairs[1]).tau == pytest.approx(-ours.tau, abs=1e-12)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=6))
def test_tau_is_never_nan(pairs):
    found = kendall_tau_b([a for a, _ in pairs], [b for _, b in pairs])
    assert all(value is None or math.isfinite(value) for value in (found.tau, found.p))
    assert (found.reason != "") == (None in {found.tau, found.p})


@pytest.mark.parametrize(
    ("first", "second", "n", "reason"),
    [
        ([], [], 0, "needs 2 pairs, there are 0"),
        ([1], [2], 1, "needs 2 pairs, there are 1"),
        ([5, 5, 5], [3, 4, 5], 3, "the first side never varies: 5 in all 3"),
        ([3, 4, np.nan], [5, 5, 1], 2, "the second side never varies: 5 in all 2"),
        ([5, 5], [5, 5], 2, "neither side varies: 5 and 5 in all 2"),
    ],
)
def test_tau_says_why_it_is_undefined(first, second, n, reason):
    undefined = kendall_tau_b(first, second)
    assert (undefined.tau, undefined.p, undefined.n) == (None, None, n)
    assert undefined.reason == reason


@pytest.mark.parametrize("correlation", [spearman, kendall_tau_b])
def test_sides_of_unequal_length_are_refused(correlation):
    with pytest.raises(InputError, match="3 and 2"):
        correlation([1, 2, 3], [1, 2])


def test_the_p_of_few_pairs_is_the_share_of_all_orders_that_are_as_far_from_chance():
    first, second = np.array([5, 4, 4, 3, 5.0]), np.array([4, 4, 3, 3, 5.0])
    found = kendall_tau_b(first, second)
    taus = [tau_b_by_counting(first, order) for order in itertools.permutations(second)]
    expected = np.mean([abs(tau) >= abs(found.tau) - 1e-12 for tau in taus])
    assert (found.p_permutation, found.permutations) == (pytest.approx(expected), 120)
    assert found.p == stats.kendalltau(first, second).pvalue


@given(st.permutations(range(7)))
def test_without_ties_all_orders_give_the_exact_p_of_scipy(order):
    found = kendall_tau_b(np.arange(7), np.array(order))
    assert found.p_permutation == pytest.approx(found.p)


def test_of_more_pairs_some_orders_are_drawn_and_the_seed_says_which():
    first, second = np.random.default_rng(4).integers(0, 5, (2, 20)).astype(float)
    found = kendall_tau_b(first, second)
    assert found == kendall_tau_b(first, second)
    assert found.permutations == 10_000
    assert found.p_permutation == pytest.approx(found.p, abs=0.05)
    assert kendall_tau_b(first, second, seed=1).p_permutation != found.p_permutation


def test_many_pairs_need_no_permutations():
    found = kendall_tau_b(np.arange(31), np.arange(31))
    assert (found.p_permutation, found.permutations) == (None, 0)
    assert set(found.to_json()["reason"]) == {"p_permutation"}
