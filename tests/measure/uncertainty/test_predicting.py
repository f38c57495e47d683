"""What is said of a table with errors: adds up, follows respond, and moves as it should (X4)."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from lesionary.core.errors import InputError
from lesionary.measure.response.judging import respond
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.predicting import uncertain_response
from lesionary.measure.uncertainty.records import UncertaintyOptions
from response_rows import course, gone, marker, new, node, other, seen
from uncertainty_courses import courses

FEW = UncertaintyOptions(n_draws=400)
EXACT = ErrorModel(
    bias_sd_percent=0, lesion_sd_percent=0, visit_sd_percent=0, sd_percent=0, sd_mm=0,
    pixel_mm=0, slice_mm=0,
)  # fmt: skip
ONLY_NOISE = replace(EXACT, sd_percent=5.0)


def probabilities(rows, model=None, options=FEW):
    return [one.probability for one in uncertain_response(rows, model, options)]


@settings(max_examples=25, deadline=None)
@given(courses(max_times=4))
def test_probabilities_are_of_respond_s_time_points_and_add_up_to_one(rows):
    found = uncertain_response(rows, None, UncertaintyOptions(n_draws=100))
    judged = respond(rows)
    assert [(one.subject, one.timepoint) for one in found] == [
        (one.subject, one.timepoint) for one in judged
    ]
    for one, plain in zip(found, judged, strict=True):
        shown = one.to_json()
        json.dumps(shown, allow_nan=False)
        for name, value in shown.items():
            assert value is not None or shown["reason"][name]
        assert (one.probability is None) == (plain.overall_response is None)
        if one.probability is None:
            continue
        several = [
            one.probability,
            one.probability_any_targets,
            *one.probability_by_source.values(),
        ]
        for each in (some for some in several if some is not None):
            assert sum(each.values()) == pytest.approx(1)
            assert {"CR", "PR", "SD", "PD", "NE"} <= set(each)


@settings(max_examples=15, deadline=None)
@given(courses(max_times=4))
def test_without_any_error_the_response_is_certain(rows):
    found = uncertain_response(rows, EXACT, UncertaintyOptions(n_draws=100))
    for one, plain in zip(found, respond(rows), strict=True):
        if one.probability is not None and not _is_near_a_threshold(plain):
            assert one.probability[plain.overall_response.value] == 1
            assert one.moved_most_by is None


def _is_near_a_threshold(row):
    """Tell whether a sum lies on a threshold, or a node may: a picometre decides then."""
    return True if row.sum_mm is None else any(
        abs(float(change) - limit) < 1e-3
        for change, limit in (
            (row.change_from_baseline_percent, -30), (row.change_from_nadir_percent or 0, 20),
            (row.change_from_nadir_mm, 5),
        )
        if change is not None
    ) or "CR" in {str(row.overall_response), str(row.target_response)}  # fmt: skip


def test_nothing_in_nothing_out():
    assert uncertain_response([]) == ()


def test_the_order_of_rows_does_not_matter():
    rows = [*course("30", "24", "33"), *course("20", "15", "22", lesion="B")]
    assert uncertain_response(rows, options=FEW) == uncertain_response(rows[::-1], options=FEW)


def test_the_same_seed_says_the_same_and_another_nearly():
    rows = [*course("30", "22", "26"), *course("20", "13", "17", lesion="B")]
    assert probabilities(rows) == probabilities(rows)
    other_seed = probabilities(rows, options=UncertaintyOptions(n_draws=400, seed=1))
    assert other_seed != probabilities(rows)
    for one, two in zip(probabilities(rows)[1:], other_seed[1:], strict=True):
        assert all(abs(one[name] - two[name]) < 0.25 for name in one)


def test_a_sum_on_the_threshold_is_open_and_one_far_away_is_not():
    on, far = probabilities(course("40", "28")), probabilities(course("40", "70"))
    assert 0.2 < on[1]["PR"] < 0.8
    assert far[1]["PD"] > 0.99


def test_smaller_errors_leave_less_open():
    rows = [*course("40", "27.5"), *course("30", "20.5", lesion="B")]
    small, large = (
        probabilities(rows, replace(ONLY_NOISE, sd_percent=sd_percent))[1]["PR"]
        for sd_percent in (0.5, 12)
    )
    assert small > 0.98
    assert large < 0.8


def test_a_bias_of_the_reader_alone_changes_no_ratio():
    rows = [*course("40", "27.5"), *course("30", "20.8", lesion="B")]
    (found,) = probabilities(rows, replace(EXACT, bias_sd_percent=20))[1:]
    assert found["PR"] == 1


def test_an_effect_of_the_visit_does():
    rows = [*course("40", "27.5"), *course("30", "20.8", lesion="B")]
    (found,) = probabilities(rows, replace(EXACT, visit_sd_percent=10))[1:]
    assert 0.02 < found["PR"] < 0.8


def test_stable_patients_do_not_seem_to_progress_because_the_nadir_is_a_smallest_of_many():
    rng = np.random.default_rng(4)
    rows = []
    for patient in range(12):
        read = 30 * np.exp(0.07 * rng.standard_normal(8))
        rows += [replace(row, subject=f"p{patient}") for row in course(*(f"{x:.1f}" for x in read))]
    naive = sum(row.overall_response == "PD" for row in respond(rows))
    said = probabilities(rows, replace(ONLY_NOISE, sd_percent=7))
    assert naive >= 2
    assert sum(one["PD"] for one in said if one) < naive / 4


def test_what_is_not_measured_is_taken_as_read():
    rows = [*course("30", "24"), new(1, "Z", "12")]
    assert probabilities(rows)[1]["PD"] == 1
    rows = [*course("30"), gone(1)]
    assert probabilities(rows)[1]["CR"] == 1
    rows = [*course("30"), seen(1, status="not_evaluable")]
    assert probabilities(rows)[1]["NE"] == 1


def test_a_node_near_ten_millimetres_leaves_complete_response_open():
    (found,) = probabilities([node(0, "N", "20"), node(1, "N", "9.8")])[1:]
    assert 0.2 < found["CR"] < 0.9
    assert found["CR"] + found["PR"] > 0.9


def test_without_targets_the_non_targets_decide():
    _, one = uncertain_response([other(0), other(1)], options=FEW)
    assert one.probability["NON-CR/NON-PD"] == 1
    assert one.sum_interval_mm is None
    assert set(one.reason) == {
        "sum_interval_mm", "moved_most_by", "probability_by_source.target_choice"
    }  # fmt: skip


def test_without_disease_there_is_nothing_to_say():
    _, one = uncertain_response([marker(0, "absent"), marker(1, "absent")], options=FEW)
    assert one.probability is None
    assert "no disease" in one.reason["probability"]


def test_the_lesion_that_was_read_worst_moves_most():
    rows = [*course("60", "44"), *course("12", "7", lesion="B")]
    _, one = uncertain_response(rows, ONLY_NOISE)
    assert one.moved_most_by.lesion == "A"
    assert 0 < one.moved_most_by.total_variation <= 1


def test_another_choice_of_targets_is_shown_apart():
    rows = [
        *course("40", "26"), *course("30", "19", lesion="B"),
        other(0, "X", diameter="28"), other(1, "X", diameter="30"),
    ]  # fmt: skip
    _, one = uncertain_response(rows, ONLY_NOISE, FEW)
    assert one.n_target_choices == 3
    assert one.probability_by_source["target_choice"]["PR"] == pytest.approx(1 / 3)
    assert one.probability["PR"] > 0.8
    assert one.probability_any_targets["PR"] < 0.6


def test_the_interval_holds_the_sum_and_widens_with_the_error():
    rows = [*course("40", "36"), *course("30", "28", lesion="B")]
    narrow, wide = (
        uncertain_response(rows, replace(ONLY_NOISE, sd_percent=sd), FEW)[1].sum_interval_mm
        for sd in (2, 8)
    )
    assert wide[0] < narrow[0] < 64 < narrow[1] < wide[1]


def test_subjects_draw_by_themselves_unless_the_cohort_teaches():
    alone = UncertaintyOptions(n_draws=400, is_learning=False)
    first = course("30", "22", "26")
    second = [replace(row, subject="t") for row in course("50", "20", "60")]
    both = uncertain_response([*first, *second], options=alone)
    assert both[:3] == uncertain_response(first, options=alone)
    assert both[3:] == uncertain_response(second, options=alone)


def test_a_baseline_alone_has_an_interval_of_its_sum():
    (one,) = uncertain_response(course("40"), options=FEW)
    low, high = one.sum_interval_mm
    assert 30 < low < 40 < high < 52
    assert one.probability is None


@pytest.mark.parametrize("sizes", [("0.0001", "2000"), ("2000", "0.1", "1999")])
def test_the_shortest_and_longest_lesions_make_no_trouble(sizes):
    for one in probabilities(course(*sizes), replace(ErrorModel(), sd_mm=50, tail_df=2.1))[1:]:
        assert sum(one.values()) == pytest.approx(1)


def test_many_lesions_and_visits_make_no_trouble():
    rows = [
        one for place in range(12) for one in course(*["20.5"] * 10, lesion=f"L{place}")
    ]  # fmt: skip
    found = probabilities(rows, options=UncertaintyOptions(n_draws=100))
    assert all(one["SD"] > 0.9 for one in found[1:])


def test_faulty_rows_are_refused_as_respond_refuses_them():
    with pytest.raises(InputError, match="measured at baseline"):
        uncertain_response([seen(0), seen(1, diameter="12")])


@pytest.mark.parametrize("words", [{"n_draws": 99}, {"seed": -1}])
def test_options_out_of_range_are_refused(words):
    with pytest.raises(InputError):
        UncertaintyOptions(**words)
