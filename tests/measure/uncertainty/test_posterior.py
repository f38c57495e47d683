"""Draws of what diameters may have been, held against closed forms and slow algebra (X4)."""

from dataclasses import replace

import numpy as np
import pytest

from lesionary.measure.response.checks import checked_courses
from lesionary.measure.uncertainty import posterior as posterior_module
from lesionary.measure.uncertainty.cases import generator_of
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.posterior import Noise, Posterior
from lesionary.measure.uncertainty.prior import (
    N_CLASSES,
    PSEUDO_PATIENTS,
    ChangePrior,
    default_chances,
    step_variances,
)
from lesionary.measure.uncertainty.readings import readings_of
from response_rows import course, flat, gone, seen

NORMAL = ErrorModel(tail_df=float("inf"))
ROWS = [*course("40", "30", "33", "36"), *course("25", "20", None, "28", lesion="B")]


def posterior_of(rows, model=NORMAL, n_chains=20, seed=0):
    (found,) = checked_courses(rows)
    readings = readings_of(found, found.targets)
    return Posterior(readings, Noise.of(readings, model), np.random.default_rng(seed), n_chains)


def covariances(one, chain):
    """Return the covariance of diameters, and of readings, in one chain's state."""
    readings = one.readings
    shared, own = step_variances(one.classes, one.factors)
    until = np.minimum(readings.visits[:, None], readings.visits)
    same = readings.chains[:, None] == readings.chains
    truth = shared[chain][until] + (own[chain][until] + one.first) * same
    return truth, truth + one.fixed - one.first * same + np.diag(one._variances()[chain])


def test_densities_are_those_of_a_normal_distribution():
    one = posterior_of(ROWS, ErrorModel(tail_df=4))
    found = one._densities(one.classes, one.factors)
    for chain in range(len(found)):
        _, whole = covariances(one, chain)
        slow = -np.linalg.slogdet(whole)[1] / 2
        slow -= one.values @ np.linalg.solve(whole, one.values) / 2
        assert found[chain] == pytest.approx(slow)


def test_draws_have_the_mean_and_covariance_that_algebra_gives():
    one = posterior_of(ROWS, n_chains=3)
    draws = one._given(40_000)[0]
    for chain in range(3):
        truth, whole = covariances(one, chain)
        mean = truth @ np.linalg.solve(whole, one.values)
        left = truth - truth @ np.linalg.solve(whole, truth)
        sd = np.sqrt(np.diag(left))
        assert draws[chain].mean(axis=0) == pytest.approx(mean, abs=5 * sd.max() / 200)
        assert np.cov(draws[chain].T) == pytest.approx(left, abs=0.05 * sd.max() ** 2)


def test_without_any_error_what_was_read_is_what_is_drawn():
    exact = ErrorModel(0, 0, 0, 0, 0, 5, 0, 0)
    one = posterior_of(ROWS, exact)
    drawn = one.draw(ChangePrior(), 3)
    assert drawn == pytest.approx(np.tile(np.log(one.readings.sizes_mm), (60, 1)), abs=1e-4)


def test_an_outlier_is_believed_less_where_tails_are_heavy():
    rows = [*course("30", "30", "45", "30", "30", "30"), *course(*["25"] * 6, lesion="B")]
    about = ErrorModel(0, 0, 0, 8, 0, float("inf"), 0, 0)
    drawn = []
    for tail_df in (2.5, float("inf")):
        one = posterior_of(rows, replace(about, tail_df=tail_df), n_chains=100)
        for _ in range(40):
            one.sweep(ChangePrior())
        place = int(np.argmax(one.readings.sizes_mm))
        drawn.append(np.exp(one.draw(ChangePrior(), 20)[:, place]).mean())
    assert drawn[0] < drawn[1]


def test_a_stable_course_is_taken_for_stable_and_a_changing_one_for_changing():
    for read, is_stable in ((["30"] * 6, True), (["60", "30", "60", "25", "70", "20"], False)):
        one = posterior_of(course(*read), n_chains=200)
        for _ in range(40):
            one.sweep(ChangePrior())
        small = (one.classes < N_CLASSES // 2).mean()
        assert (small > 0.6) == is_stable


def test_a_cohort_teaches_how_common_change_is():
    likelihoods = np.full((200, N_CLASSES), 0.01)
    likelihoods[:, 3] = 1
    learned = ChangePrior.learned(likelihoods).chances
    assert learned[3] > 0.9
    assert learned.sum() == pytest.approx(1)
    one = ChangePrior.learned(likelihoods[:1]).chances
    assert one[3] < 1 / (1 + PSEUDO_PATIENTS) + default_chances()[3]
    assert (learned > 0).all()


def test_parts_and_mergers_are_chains_of_their_own():
    rows = flat([
        *course("40", None, "30"), seen(1, "A", "20", part="a"), seen(1, "A", "15", part="b"),
        seen(0, "B", "20"), gone(1, "B"), seen(2, "B", status="merged", merged_into="A"),
    ])  # fmt: skip
    (found,) = checked_courses(rows)
    readings = readings_of(found, found.targets)
    assert len(readings) == 5
    assert readings.n_chains == 5
    assert readings.names == ("A", "B")


def test_a_generator_depends_on_seed_and_names_alone():
    one, two, other = (
        generator_of(*words).integers(2**60)
        for words in (("s", "r", 1), ("s", "r", 1), ("s", "r", 2))
    )
    assert one == two != other
    assert generator_of("sr", "", 1).integers(2**60) != one


def test_noise_has_the_standard_deviation_that_was_stated_whatever_the_tails():
    one = posterior_of(ROWS, ErrorModel(sd_percent=6, sd_mm=0, tail_df=3)).noise
    assert one.own_sd == pytest.approx(0.06)
    assert one.own_scale * np.sqrt(3) == pytest.approx(one.own_sd)
    assert posterior_module.TYPICAL_MM > 0
