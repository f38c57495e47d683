"""Growth curves and the humane endpoint (M10)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.measure.growth import Endpoint, burdens_of, growth_of

rates_per_day = st.floats(0.01, 0.5) | st.floats(-0.5, -0.01)
visits = st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True)


@given(rates_per_day, visits, st.floats(0.01, 2))
def test_an_exponential_is_found_again_whatever_the_visits_and_their_order(rate, days, first_ml):
    found = growth_of(days, [first_ml * math.exp(rate * day) for day in days])
    assert found.rate_per_day == pytest.approx(rate, rel=1e-6)
    period = found.doubling_days if rate > 0 else found.halving_days
    assert period == pytest.approx(math.log(2) / abs(rate), rel=1e-6)


@given(visits, st.floats(0.01, 2))
def test_a_tumour_that_keeps_its_volume_neither_doubles_nor_halves(days, volume_ml):
    found = growth_of(days, [volume_ml] * len(days))
    assert found.doubling_days is None
    assert found.halving_days is None
    assert set(found.reason) == {"doubling_days", "halving_days"}


@pytest.mark.parametrize(
    ("days", "volumes_ml"), [([], []), ([3], [0.2]), ([3, 3], [0.2, 0.3]), ([0, 7], [0.2, 0.0])]
)
def test_one_visit_has_no_rate_and_says_so(days, volumes_ml):
    found = growth_of(days, volumes_ml)
    assert (found.rate_per_day, found.doubling_days, found.halving_days) == (None, None, None)
    assert set(found.reason) == {"rate_per_day", "doubling_days", "halving_days"}


def test_visits_that_show_nothing_are_counted_and_leave_the_fit_alone():
    found = growth_of([0, 4, 8, 12], [0.0, 0.1, 0.2, 0.4])
    assert (found.n_visits, found.n_without) == (3, 1)
    assert found.doubling_days == pytest.approx(4)


@pytest.mark.parametrize(
    ("total_ul", "warning"),
    [
        (0, Endpoint.BELOW),
        (1499.9, Endpoint.BELOW),
        (1500, Endpoint.TYPICAL),
        (2000, Endpoint.TYPICAL),
        (2000.1, Endpoint.LIMIT),
    ],
)
def test_the_animal_s_whole_burden_is_held_against_the_endpoint(total_ul, warning):
    half_ml = total_ul / 2000
    [burden] = burdens_of([10], {"A": [half_ml], "B": [half_ml]})
    assert burden.total_ul == pytest.approx(total_ul)
    assert burden.warning is warning


def test_an_animal_without_tumours_bears_none():
    assert [burden.total_ul for burden in burdens_of([0, 7], {})] == [0, 0]


@pytest.mark.parametrize("wrong", [[-0.1, 0.2], [math.nan, 0.2], [math.inf, 0.2], [0.1]])
def test_what_is_no_volume_is_refused(wrong):
    with pytest.raises(InputError):
        growth_of([0, 7], wrong)
    with pytest.raises(InputError):
        burdens_of([0, 7], {"A": wrong})
