import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.volume import Quantity
from lesionary.publish.report.wording import (
    DASH,
    counted,
    intensity,
    listed,
    millilitres,
    millimetres,
    probability,
    rounded,
    shortened,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(23.25, "23.3"), (0.05, "0.1"), (-0.04, "0.0"), (-7.15, "−7.2"), (12345.0, "12\u202f345.0")],
)
def test_diameters_round_half_up_with_a_real_minus_and_thin_spaces(value, text):
    assert millimetres(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0042, "0.0042"),
        (0.36499, "0.36"),
        (0.996, "1.00"),
        (1.26, "1.3"),
        (12.34, "12.3"),
        (99.96, "100.0"),
        (860.7, "861"),
        (14322.2, "14\u202f322"),
    ],
)
def test_volumes_keep_about_two_digits(value, text):
    assert millilitres(value) == text


@pytest.mark.parametrize("write", [millimetres, millilitres, lambda v: intensity(v, Quantity.HU)])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_undefined_is_a_dash(write, value):
    assert write(value) == DASH


@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_rounding_errs_by_half_a_step_at_most(value, decimals):
    text = rounded(value, decimals).replace("\u202f", "").replace("−", "-")
    assert abs(float(text) - value) <= 0.5 * 10**-decimals * (1 + 1e-9) + abs(value) * 1e-15


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, DASH), (0.0, "< 1e−300"), (2.3e-104, "2.3e−104"), (0.0123, "0.012"), (0.5, "0.50")],
)
def test_small_probabilities_keep_their_exponent(p, text):
    assert probability(p) == text


def test_words_agree_with_their_number():
    assert counted(1, "lesion") == "1 lesion"
    assert counted(0, "lesion") == "0 lesions"
    assert counted(1, "series") == "1 series"
    assert counted(2000, "series") == "2\u202f000 series"
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


@given(st.text(max_size=60), st.integers(3, 30))
def test_a_shortened_text_is_never_too_long_and_keeps_both_ends(text, length):
    short = shortened(text, length)
    assert len(short) <= length
    if len(text) > length:
        assert short[0] == text[0]
        assert short[-1] == text[-1]
    else:
        assert short == text
