"""Best overall response: Table 3 of the guideline row by row, and durations."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.measure.response.best import (
    Assessment,
    best_overall_response,
    confirmed_response,
    durations,
)
from lesionary.measure.response.records import Response
from response_rows import gone, judge, new, node, other, said, seen

START = datetime.date(2024, 1, 1)


def assessed(*words, days=None):
    """Return assessments every 30 days, or on the days given."""
    days = days or [30 * place for place in range(1, len(words) + 1)]
    return [
        Assessment(str(place), START + datetime.timedelta(days=day), word and Response(word))
        for place, (word, day) in enumerate(zip(words, days, strict=True), start=1)
    ]


def confirmed(*words, days=None, confirm_days=28, sd_min_days=0, has_targets=True):
    response, why = confirmed_response(
        assessed(*words, days=days),
        START,
        confirm_days=confirm_days,
        sd_min_days=sd_min_days,
        has_targets=has_targets,
    )
    assert (response is None) == bool(why)
    return response and response.value


@pytest.mark.parametrize(
    ("first", "second", "expected", "too_early"),
    [
        ("CR", "CR", "CR", "CR"),
        ("CR", "SD", "SD", "PD"),
        ("CR", "PD", "SD", "PD"),
        ("CR", "NE", "SD", "NE"),
        ("PR", "CR", "PR", "PR"),
        ("PR", "PR", "PR", "PR"),
        ("PR", "SD", "SD", "NE"),
        ("PR", "PD", "SD", "PD"),
        ("PR", "NE", "SD", "NE"),
        ("NE", "NE", "NE", "NE"),
    ],
)
def test_table_3_best_response_when_confirmation_is_required(first, second, expected, too_early):
    assert confirmed(first, second) == expected
    assert confirmed(first, second, sd_min_days=365) == too_early


def test_table_3_a_partial_response_after_a_complete_one_confirms_the_partial_one():
    # Disease that is seen after CR is PD here; what is left is CR, then what is not evaluable.
    assert confirmed("CR", "PR") == "PR"
    assert confirmed("CR", "PR", days=[30, 40]) == "SD"


def test_what_is_not_evaluable_between_does_not_undo_a_confirmation():
    assert confirmed("PR", "NE", "PR") == "PR"
    assert confirmed("CR", "NE", "CR") == "CR"


@pytest.mark.parametrize(("days", "expected"), [([30, 58], "PR"), ([30, 57], "SD")])
def test_a_response_is_confirmed_from_confirm_days_on(days, expected):
    assert confirmed("PR", "PR", days=days) == expected


def test_a_confirmation_may_come_later_than_the_next_time_point():
    assert confirmed("PR", "PR", "PR", days=[30, 44, 58]) == "PR"


def test_a_complete_response_that_is_seen_once_after_a_partial_one_is_partial():
    assert confirmed("PR", "CR") == "PR"
    assert confirmed("PR", "CR", "PD") == "PR"


def test_stable_disease_needs_its_least_days_from_the_baseline():
    assert confirmed("SD", days=[41], sd_min_days=42) == "NE"
    assert confirmed("SD", days=[42], sd_min_days=42) == "SD"
    assert confirmed("SD", "PD", days=[41, 60], sd_min_days=42) == "PD"


def test_what_follows_the_first_progression_counts_for_nothing():
    assert confirmed("PD", "CR", "CR") == "PD"
    assert best_overall_response(assessed("SD", "PD", "CR")) is Response.SD


def test_non_target_disease_alone_is_never_stable_but_non_cr_non_pd():
    assert confirmed("NON-CR/NON-PD", "PD", has_targets=False) == "NON-CR/NON-PD"
    assert confirmed("CR", "NE", has_targets=False) == "NON-CR/NON-PD"
    assert confirmed("CR", "CR", has_targets=False) == "CR"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("SD", "PR", "CR"), "CR"),
        (("PR", "SD"), "PR"),
        (("NE", "SD"), "SD"),
        (("NE", "PD"), "PD"),
        (("NE", "NON-CR/NON-PD", "PD"), "NON-CR/NON-PD"),
        (("NE",), "NE"),
        (("PD", "CR"), "PD"),
        ((None,), None),
        ((), None),
    ],
)
def test_the_best_unconfirmed_response_up_to_the_first_pd(words, expected):
    found = best_overall_response(assessed(*words))
    assert (found and found.value) == expected


@given(st.lists(st.sampled_from(["CR", "PR", "SD", "PD", "NE"]), min_size=1, max_size=6))
def test_a_confirmed_response_is_never_better_than_the_best(words):
    order = ["CR", "PR", "SD", "PD", "NE"]
    best = best_overall_response(assessed(*words)).value
    assert order.index(confirmed(*words)) >= order.index(best)


def test_without_dates_the_confirmed_response_is_null_with_the_reason():
    found = judge(seen(0, "A", "30"), seen(1, "A", "20"), seen(2, "A", "20"))["2"]
    assert found.best_overall_response.value == "PR"
    assert found.best_overall_response_confirmed is None
    assert "dates" in found.reason["best_overall_response_confirmed"]


def test_dates_that_run_backwards_confirm_nothing_and_are_a_warning():
    rows = [seen(0, "A", "30", day=60), seen(1, "A", "20", day=30), seen(2, "A", "20", day=0)]
    found = judge(rows)["2"]
    assert found.best_overall_response_confirmed is None
    assert "against the order" in found.reason["best_overall_response_confirmed"]
    assert any("against the order" in text for text in found.warnings)
    assert found.time_to_progression_days is None


def test_best_responses_are_those_so_far():
    rows = [seen(place, "A", size, day=30 * place)
            for place, size in enumerate(("30", "30", "20", "20", "40"))]  # fmt: skip
    assert said("best_overall_response", rows) == ["SD", "PR", "PR", "PR"]
    assert said("best_overall_response_confirmed", rows) == ["SD", "SD", "PR", "PR"]


def test_options_reach_the_confirmation():
    rows = [seen(place, "A", size, day=30 * place) for place, size in enumerate(("30", "20", "20"))]
    assert said("best_overall_response_confirmed", rows, confirm_days=31) == ["SD", "SD"]
    assert said("best_overall_response_confirmed", rows, confirm_days=31, sd_min_days=50) == [
        "NE",
        "SD",
    ]


def test_duration_of_response_runs_from_the_first_response_to_progression():
    rows = [seen(place, "A", size, day=day) for place, (size, day) in enumerate(
        (("30", 0), ("20", 40), ("20", 80), ("40", 130), ("20", 200)))]  # fmt: skip
    found = list(judge(rows).values())
    assert [row.duration_of_response_days for row in found] == [None, 0, 40, 90, 90]
    assert [row.duration_of_response_censored for row in found] == [None, True, True, False, False]
    assert [row.time_to_progression_days for row in found] == [None, 40, 80, 130, 130]
    assert [row.time_to_progression_censored for row in found] == [None, True, True, False, False]


def test_progression_is_dated_by_when_what_decided_was_first_seen():
    words = {"kind": "node", "organ": "neck"}
    rows = [seen(place, "A", "30", day=30 * place) for place in range(3)]
    rows += [new(place, diameter="12", day=30 * place, **words) for place in (1, 2)]
    found = judge(rows)["2"]
    assert (found.progression_timepoint, found.time_to_progression_days) == ("1", 30)


def test_without_a_response_its_duration_is_null_with_a_reason():
    found = judge(seen(0, "A", "30", day=0), seen(1, "A", "30", day=9))["1"]
    assert found.duration_of_response_days is None
    assert "neither CR nor PR" in found.reason["duration_of_response_days"]
    assert "neither CR nor PR" in found.reason["duration_of_response_censored"]


def test_a_duration_without_dates_is_null_with_a_reason():
    lasted = durations([Assessment("1", None, Response.PR)], START, None)
    assert lasted.response_days is None
    assert lasted.progression_days is None
    assert lasted.response_reason


def test_of_non_target_disease_the_whole_table_gives_non_cr_non_pd():
    rows = [other(0, day=0), other(1, day=30), other(2, day=60, status="absent")]
    assert said("best_overall_response", rows) == ["NON-CR/NON-PD", "CR"]
    assert said("best_overall_response_confirmed", rows) == ["NON-CR/NON-PD", "NON-CR/NON-PD"]


def test_a_complete_response_seen_twice_is_confirmed_from_the_table():
    rows = [seen(0, "A", "30", day=0), gone(1, day=30), gone(2, day=58)]
    assert said("best_overall_response_confirmed", rows) == ["SD", "CR"]


def test_a_response_after_the_first_sight_of_what_progressed_has_no_duration():
    words = {"kind": "node", "organ": "neck"}
    rows = [seen(place, "A", size, day=30 * place) for place, size in
            enumerate(("30", "30", "20", "20"))]  # fmt: skip
    rows += [new(place, diameter="12", day=30 * place, **words) for place in (1, 3)]
    found = judge(rows)["3"]
    assert (found.time_to_progression_days, found.duration_of_response_days) == (30, None)
    assert "before" in found.reason["duration_of_response_days"]


def test_a_response_before_the_visit_that_decides_stays_the_best_when_progression_is_dated_back():
    # The node was there at 1, counts at 2: dated back to 1, yet 1 was judged, and it was PR.
    rows = [seen(0, "A", "30", day=0), seen(1, "A", "20", day=40), seen(2, "A", "20", day=80)]
    rows += [node(place, "Y", "12", role="new", day=40 * place) for place in (1, 2)]
    last = judge(rows)["2"]
    assert (last.overall_response, last.progression_timepoint) == ("PD", "1")
    assert last.best_overall_response == "PR"
