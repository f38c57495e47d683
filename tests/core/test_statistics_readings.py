import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.inter_rater import cohens_kappa

from lesionary.core.errors import InputError
from lesionary.core.statistics import (
    bland_altman,
    cohen_kappa,
    icc,
    rmse_from_mean,
    spread_of,
)

# Shrout and Fleiss (1979), table 2: six targets, four judges.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)
# Bland and Altman (1986), table: first readings of peak expiratory flow, l/min, 17 subjects.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI_WRIGHT = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

tables = st.integers(2, 12).flatmap(
    lambda n: st.integers(2, 5).flatmap(
        lambda k: st.integers(0, 10_000).map(
            lambda seed: (
                np.random.default_rng(seed).normal(size=(n, k))
                + np.random.default_rng(seed + 1).normal(size=(n, 1))
            )
        )
    )
)


def test_icc_of_shrout_and_fleiss_is_as_published():
    found = icc(JUDGES)
    assert found.agreement == pytest.approx(0.29, abs=0.005)
    assert found.consistency == pytest.approx(0.71, abs=0.005)
    assert (found.n, found.n_readers, found.n_left_out) == (6, 4, 0)


def test_intervals_of_shrout_and_fleiss_are_those_of_rs_psych():
    # psych::ICC on the same table, 95 %: ICC2 0.019 to 0.76, ICC3 0.342 to 0.95.
    found = icc(JUDGES)
    assert found.agreement_low == pytest.approx(0.019, abs=0.0005)
    assert found.agreement_high == pytest.approx(0.76, abs=0.005)
    assert found.consistency_low == pytest.approx(0.342, abs=0.0005)
    assert found.consistency_high == pytest.approx(0.95, abs=0.005)


def test_icc_is_that_of_an_analysis_of_variance():
    import pandas as pd

    n, k = JUDGES.shape
    long = pd.DataFrame(
        {
            "score": JUDGES.reshape(-1).astype(float),
            "target": np.repeat(np.arange(n), k),
            "judge": np.tile(np.arange(k), n),
        }
    )
    squares = anova_lm(ols("score ~ C(target) + C(judge)", long).fit())["mean_sq"]
    rows, columns, error = squares["C(target)"], squares["C(judge)"], squares["Residual"]
    found = icc(JUDGES)
    assert found.consistency == pytest.approx((rows - error) / (rows + (k - 1) * error), rel=1e-9)
    whole = rows + (k - 1) * error + k * (columns - error) / n
    assert found.agreement == pytest.approx((rows - error) / whole, rel=1e-9)


@given(tables, st.floats(0.5, 2.0), st.floats(-5, 5))
def test_icc_does_not_mind_units_or_the_order_of_readers(table, scale, shift):
    there, back = icc(table), icc(table[::-1, ::-1] * scale + shift)
    assert back.agreement == pytest.approx(there.agreement, abs=1e-6)
    assert back.consistency == pytest.approx(there.consistency, abs=1e-6)
    if there.agreement >= 0:
        assert back.agreement_low == pytest.approx(there.agreement_low, abs=1e-5)
        assert there.agreement_low <= there.agreement <= there.agreement_high
    assert there.consistency_low <= there.consistency <= there.consistency_high


@given(tables, st.floats(5, 50))
def test_a_constant_offset_costs_agreement_but_no_consistency(table, offset):
    moved = table + np.arange(table.shape[1]) * offset
    assert icc(moved).consistency == pytest.approx(icc(table).consistency, abs=1e-6)
    assert abs(icc(moved).agreement) < 1.0


def test_perfect_readers_have_an_icc_of_one():
    found = icc(np.repeat([[0.1], [0.2], [0.7]], 3, axis=1))
    assert (found.agreement, found.agreement_low, found.agreement_high) == (1.0, 1.0, 1.0)
    assert (found.consistency, found.consistency_low, found.consistency_high) == (1.0, 1.0, 1.0)


def test_a_reader_who_adds_a_constant_is_consistent_not_in_agreement():
    found = icc([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert found.consistency == 1.0
    assert found.agreement == pytest.approx(8 / 9)
    assert 0 < found.agreement_low < found.agreement <= found.agreement_high <= 1


def test_incomplete_subjects_are_left_out_and_counted():
    table = np.vstack([JUDGES, [1.0, np.nan, 2.0, 3.0]])
    with_hole = icc(table)
    assert (with_hole.n, with_hole.n_left_out) == (6, 1)
    assert with_hole.agreement == icc(JUDGES).agreement


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.ones((4, 1)), "needs two readers, there is 1"),
        (np.ones((1, 3)), "needs two subjects with readings by all, there is 1"),
        (np.empty((0, 2)), "needs two subjects with readings by all, there is 0"),
        (np.full((4, 3), 0.1), "the subjects do not vary"),
        (np.array([[1.0, 5.0], [1.0, 5.0]]), "the subjects do not vary"),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), "the variances cancel"),
    ],
)
def test_icc_says_why_it_is_undefined(table, reason):
    undefined = icc(table)
    assert undefined.agreement is None
    assert undefined.consistency_high is None
    assert reason in undefined.reason
    assert len(undefined.to_json()["reason"]) == 6


def test_an_icc_below_zero_may_lack_an_interval_and_says_why():
    found = icc([[0.0, 2.0], [1.0, 1.0]])
    assert (found.agreement, found.agreement_low, found.agreement_high) == (-1.0, None, None)
    assert set(found.to_json()["reason"]) == {"agreement_low", "agreement_high"}


@pytest.mark.parametrize("offset", [0.0, 1.0], ids=["readers alike", "readers apart"])
@pytest.mark.parametrize(("n_subjects", "most"), [(5, 6), (8, 12), (20, 4), (40, 2)])
def test_where_subjects_repeat_the_intervals_cover_in_nearly_nine_of_ten(n_subjects, most, offset):
    """Taken for independent, tumours of one subject gave intervals that covered in 41 to 67 %."""
    rng = np.random.default_rng(n_subjects)
    offsets = np.array([-offset, 0.0, offset])
    truths = 4.49 / (5.49 + offsets.var(ddof=1)), 4.49 / 5.49
    hits = np.zeros(2)
    for _ in range(250):
        owners = np.repeat(np.arange(n_subjects), rng.integers(1, most + 1, n_subjects))
        owners = np.append(owners, [0, 0])
        size = rng.normal(0, 2, n_subjects)[owners] + rng.normal(0, 0.7, owners.size)
        table = size[:, None] + offsets + rng.normal(size=(owners.size, 3))
        found = icc(table, subjects=owners.tolist())
        hits[0] += found.agreement_low <= truths[0] <= found.agreement_high
        hits[1] += found.consistency_low <= truths[1] <= found.consistency_high
    assert (hits / 250 >= 0.87).all(), hits / 250


def test_repeats_change_no_estimate_and_one_object_a_subject_is_the_plain_case():
    assert icc(JUDGES, subjects=list("abcdef")) == icc(JUDGES)
    table = np.vstack([JUDGES, JUDGES + 1])
    plain, by_subject = icc(table), icc(table, subjects=list("abcdef") * 2)
    assert (by_subject.agreement, by_subject.consistency) == (plain.agreement, plain.consistency)
    assert (by_subject.n, by_subject.n_subjects, by_subject.has_repeats) == (12, 6, True)
    assert (plain.interval_method, by_subject.interval_method) == ("F", "jackknife")
    assert by_subject.agreement_low < by_subject.agreement < by_subject.agreement_high < 1


def test_too_few_subjects_with_repeats_have_an_icc_without_interval():
    found = icc(np.vstack([JUDGES, JUDGES + 1]), subjects=[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3])
    assert found.agreement is not None
    assert (found.agreement_low, found.consistency_high) == (None, None)
    assert found.reason == "needs 5 subjects where they have several objects: there are 4"


def test_perfect_readers_have_an_icc_of_one_where_subjects_repeat_too():
    table = np.repeat(np.arange(12.0)[:, None], 3, axis=1)
    found = icc(table, subjects=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    assert (found.agreement_low, found.agreement_high, found.consistency_low) == (1.0, 1.0, 1.0)


def test_readings_without_two_axes_are_refused():
    with pytest.raises(InputError, match="subject and reader"):
        icc([1.0, 2.0])
    with pytest.raises(InputError, match="between 0 and 1"):
        icc(JUDGES, level=95)


def test_peak_flow_of_bland_and_altman_is_as_published():
    # The paper takes 2 SD and the variance 3 s² / n for a limit: its ends are a little wider.
    found = bland_altman(WRIGHT, MINI_WRIGHT)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.lower_limit == pytest.approx(-2.118 - 1.96 * 38.765, abs=0.01)
    assert found.upper_limit == pytest.approx(-2.118 + 1.96 * 38.765, abs=0.01)
    assert found.lower_limit_interval == pytest.approx((-114.3, -45.1), abs=3)
    assert found.upper_limit_interval == pytest.approx((40.9, 110.1), abs=3)
    assert (found.n, found.n_subjects, found.has_repeats) == (17, 17, False)


@given(st.lists(st.tuples(st.floats(-99, 99), st.floats(-99, 99)), min_size=2, max_size=30))
def test_swapping_the_sides_mirrors_the_limits(pairs):
    first, second = np.array(pairs).T
    there, back = bland_altman(first, second), bland_altman(second, first)
    assert there.bias == pytest.approx(-back.bias, abs=1e-9)
    assert there.lower_limit == pytest.approx(-back.upper_limit, abs=1e-9)
    differences = first - second
    assert there.sd == pytest.approx(differences.std(ddof=1), abs=1e-9)
    sem = differences.std(ddof=1) / math.sqrt(len(pairs))
    reach = stats.t.ppf(0.975, len(pairs) - 1) * sem
    assert there.bias_interval[1] - there.bias == pytest.approx(reach, abs=1e-7)


def test_repeats_are_taken_apart_into_within_and_between():
    subjects = np.repeat(np.arange(30), 5)
    rng = np.random.default_rng(0)
    differences = rng.normal(0, 3, 30)[subjects] + rng.normal(0, 1, 150)
    found = bland_altman(differences, np.zeros(150), subjects=subjects.tolist())
    # Balanced, the components are those of the table of variance.
    means = differences.reshape(30, 5).mean(axis=1)
    within = differences.reshape(30, 5).var(axis=1, ddof=1).mean()
    between = means.var(ddof=1) - within / 5
    assert found.sd == pytest.approx(math.sqrt(within + between), rel=1e-9)
    reach = stats.t.ppf(0.975, 29) * means.std(ddof=1) / math.sqrt(30)
    assert found.bias_interval == pytest.approx((found.bias - reach, found.bias + reach), rel=1e-9)
    assert (found.n, found.n_subjects, found.has_repeats) == (150, 30, True)
    assert set(found.to_json()["reason"]) == {"lower_limit_interval", "upper_limit_interval"}


def test_one_pair_a_subject_is_the_plain_case():
    named = bland_altman(WRIGHT, MINI_WRIGHT, subjects=list("abcdefghijklmnopq"))
    assert named == bland_altman(WRIGHT, MINI_WRIGHT)


@pytest.mark.parametrize(
    ("first", "second", "subjects", "bias", "reason"),
    [
        ([], [], None, None, "there are no pairs"),
        ([1.0], [3.0], None, -2.0, "needs two pairs, there is 1"),
        ([1.0, np.nan], [3.0, 1.0], None, -2.0, "needs two pairs, there is 1"),
        ([1.0, 2.0], [3.0, 2.0], ["a", "a"], -1.0, "needs two subjects, there is 1"),
    ],
)
def test_limits_say_why_they_are_undefined(first, second, subjects, bias, reason):
    undefined = bland_altman(first, second, subjects=subjects)
    assert (undefined.bias, undefined.sd, undefined.lower_limit) == (bias, None, None)
    assert undefined.reason == reason


scores = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=40)


@given(scores)
def test_kappa_is_that_of_statsmodels(pairs):
    found = cohen_kappa(*zip(*pairs, strict=True), scale=range(1, 6))
    assert sum(map(sum, found.table)) == found.n == len(pairs)
    assert found.exact == pytest.approx(np.mean([a == b for a, b in pairs]))
    if found.kappa is None:
        assert len(set(pairs)) == 1
        assert "one and the same score" in found.reason
        return
    table = np.array(found.table)
    plain = cohens_kappa(table, return_results=False)
    quadratic = cohens_kappa(table, weights=np.arange(5), wt="quadratic", return_results=False)
    assert found.kappa == pytest.approx(plain, abs=1e-9)
    assert found.weighted_kappa == pytest.approx(quadratic, abs=1e-9)


def test_a_rater_who_never_varies_beside_one_who_does_has_kappa_zero():
    found = cohen_kappa([5, 5, 5], [5, 4, 3], scale=range(1, 6))
    assert (found.kappa, found.weighted_kappa, found.exact) == (0.0, 0.0, pytest.approx(1 / 3))


def test_no_cases_have_no_kappa():
    found = cohen_kappa([], [], scale=range(1, 6))
    assert (found.exact, found.kappa, found.n) == (None, None, 0)


def test_scores_off_the_scale_are_refused():
    with pytest.raises(InputError, match="not on the scale 1, 2"):
        cohen_kappa([1, 3], [1, 2], scale=[1, 2])
    with pytest.raises(InputError, match="same length"):
        cohen_kappa([1], [1, 2], scale=[1, 2])


def test_spread_leaves_undefined_values_out():
    spread = spread_of(np.array([1.0, 2.0, 3.0, np.nan]))
    assert spread is not None
    assert (spread.n, spread.median, spread.lower_quartile, spread.sd) == (3, 2.0, 1.5, 1.0)
    assert spread_of(np.array([np.nan])) is None
    alone = spread_of(np.array([4.0]))
    assert alone is not None
    assert alone.sd is None


def test_rmse_is_taken_from_the_readings_own_mean():
    found = rmse_from_mean([1.0, 2.0, 3.0, np.nan])
    assert found.value == pytest.approx(math.sqrt(2 / 3))
    assert found.percent == pytest.approx(50 * math.sqrt(2 / 3))
    assert (found.mean, found.n) == (2.0, 3)


def test_rmse_says_why_it_is_undefined():
    assert rmse_from_mean([1.0]).reason == "needs two readings, there are 1"
    missed = rmse_from_mean([0.0, 0.0])
    assert (missed.value, missed.percent) == (0.0, None)
    assert missed.to_json()["reason"] == {"percent": "a percentage needs a mean above zero"}
