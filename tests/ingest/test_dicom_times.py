"""DICOM's dates and times, whole, short and wrong."""

import datetime as dt

import pytest

from lesionary.ingest.header import combine, parse_date, parse_moment, parse_time

MOMENT = dt.datetime.fromisoformat


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20060128", "2006-01-28"), ("2006.01.28", "2006-01-28"), ("20060231", None), ("2006", None)],
)
def test_dates(text, expected):
    assert parse_date(text) == (expected and dt.date.fromisoformat(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("145759", "14:57:59"),
        ("145759.25", "14:57:59.250000"),
        ("145759.1234567", "14:57:59.123456"),
        ("14:57:59", "14:57:59"),
        ("1457", "14:57:00"),
        ("250000", None),
        ("", None),
    ],
)
def test_times(text, expected):
    assert parse_time(text) == (expected and dt.time.fromisoformat(expected))


@pytest.mark.parametrize("text", ["20060129135100.00", "20060129135100+0100", "20060129135100"])
def test_moments(text):
    assert parse_moment(text) == MOMENT("2006-01-29T13:51:00")


def test_a_moment_without_a_time_of_day_is_none():
    assert parse_moment("20060129") is None


def test_a_date_alone_is_its_midnight():
    assert combine(dt.date.fromisoformat("2006-01-29"), None) == MOMENT("2006-01-29T00:00")
    assert combine(None, dt.time(12)) is None
