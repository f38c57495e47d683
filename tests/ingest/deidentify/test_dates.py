"""Dates move, times stay, and nothing else comes through."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.dates import shift_da, shift_dt, tm
from lesionary.ingest.pseudonym import STAND_INS, Pseudonymiser

days = st.integers(1, 3650)
real_dates = st.dates().filter(lambda date: date not in STAND_INS)


@pytest.mark.parametrize("date", sorted(STAND_INS))
def test_a_date_that_stands_for_none_tells_no_shift(date):
    assert shift_da(_da(date), 1000) == _da(date)
    assert shift_dt(_da(date) + b"120000", 1000) == _da(date) + b"120000"


@given(real_dates, real_dates, days)
def test_intervals_are_exact_to_the_day(first, second, back):
    earliest = dt.date.min + dt.timedelta(days=3650)
    if min(first, second) > earliest:
        moved = [_date(shift_da(_da(one), back)) for one in (first, second)]
        assert moved[1] - moved[0] == second - first


@given(st.dates())
def test_dates_move_as_pseudonyms_move_them(date):
    pseudonyms = Pseudonymiser(b"key")
    probe = dt.date(2020, 1, 1)
    back = (probe - pseudonyms.shifted(probe, "someone")).days
    assert _date(shift_da(_da(date), back)) == pseudonyms.shifted(date, "someone")


@given(
    st.dates(min_value=dt.date(20, 1, 1)),
    days,
    st.sampled_from([b"", b"1530", b"153000.25", b"12-0500", b"+0100"]),
)
def test_a_moment_moves_with_its_day_and_keeps_its_time(date, back, clock):
    assert shift_dt(_da(date) + clock, back) == shift_da(_da(date), back) + clock


@given(st.binary(max_size=40), days)
def test_only_digits_and_signs_come_out(value, back):
    for cleaned in (shift_da(value, back), shift_dt(value, back), tm(value)):
        assert set(cleaned) <= set(b"0123456789.+-\\")


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        (b"20200301 ", b"20200229"),
        (b"1997.03.04", b"19970303"),
        (b"20200101\\20200301", b"20191231\\20200229"),
        (b"20200102-20200301", b"20200101-20200229"),
        (b"20200102-", b"20200101-"),
        (b"-20200102", b"-20200101"),
        (b"20201301", b""),
        (b"2020-01-02", b""),
        (b"John Doe", b""),
        (b"", b""),
        (b"20200230", b""),
        (b"20200102\\Doe", b"20200101\\"),
        (b"00010101", b"00010101"),
        (b"202001", b""),
        (b"20200102123", b""),
    ],
)
def test_dates_in_every_form(value, moved):
    assert shift_da(value, 1) == moved


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        (b"20200301101112.123456+0100", b"20200229101112.123456+0100"),
        (b"2020", b"2020"),
        (b"202003", b"202003"),
        (b"2020030110", b"2020022910"),
        (b"20200301-20200302", b"20200229-20200301"),
        (b"20200301-0500", b"20200229-0500"),
        (b"202003012511", b""),
        (b"Doe", b""),
        (b"20200301101112 Smith", b""),
        (b"20200301+9900", b""),
    ],
)
def test_moments_in_every_form(value, moved):
    assert shift_dt(value, 1) == moved


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"10", b"10"),
        (b"1011", b"1011"),
        (b"101112.5 ", b"101112.5"),
        (b"235960", b"235960"),
        (b"10:11:12", b"101112"),
        (b"1000-1100", b"1000-1100"),
        (b"2511", b""),
        (b"10Doe", b""),
        (b"101112.1234567", b""),
        (b"1011\\x", b"1011\\"),
        (b"5551234", b""),
        (b"", b""),
    ],
)
def test_times_in_every_form(value, kept):
    assert tm(value) == kept


def _da(date):
    return b"%04d%02d%02d" % (date.year, date.month, date.day)


def _date(value):
    return dt.date(int(value[:4]), int(value[4:6]), int(value[6:]))
