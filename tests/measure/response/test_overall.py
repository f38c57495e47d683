"""Tables 1 and 2 of the guideline, row by row, from rows of lesions as well as by the rule."""

from itertools import product

import pytest

from lesionary.measure.response.overall import overall_response
from lesionary.measure.response.records import Response
from response_rows import gone, judge, new, other, overall, said, seen

TABLE_1 = [
    # target, non-target, new lesion, overall
    ("CR", "CR", False, "CR"),
    ("CR", None, False, "CR"),
    ("CR", "NON-CR/NON-PD", False, "PR"),
    ("CR", "NE", False, "PR"),
    ("PR", "CR", False, "PR"),
    ("PR", "NON-CR/NON-PD", False, "PR"),
    ("PR", "NE", False, "PR"),
    ("PR", None, False, "PR"),
    ("SD", "CR", False, "SD"),
    ("SD", "NON-CR/NON-PD", False, "SD"),
    ("SD", "NE", False, "SD"),
    ("SD", None, False, "SD"),
    ("NE", "CR", False, "NE"),
    ("NE", "NON-CR/NON-PD", False, "NE"),
    ("NE", "NE", False, "NE"),
    ("NE", None, False, "NE"),
    *(("PD", other, is_new, "PD") for other in ("CR", "NON-CR/NON-PD", "NE", "PD", None)
      for is_new in (False, True)),
    *((target, "PD", is_new, "PD") for target in ("CR", "PR", "SD", "NE")
      for is_new in (False, True)),
    *((target, other, True, "PD") for target in ("CR", "PR", "SD", "NE")
      for other in ("CR", "NON-CR/NON-PD", "NE", None)),
]  # fmt: skip
TABLE_2 = [
    ("CR", False, "CR"),
    ("NON-CR/NON-PD", False, "NON-CR/NON-PD"),
    ("NE", False, "NE"),
    ("PD", False, "PD"),
    ("PD", True, "PD"),
    ("CR", True, "PD"),
    ("NON-CR/NON-PD", True, "PD"),
    ("NE", True, "PD"),
]

TARGET_ROWS = {
    "CR": lambda: [gone(1)],
    "PR": lambda: [seen(1, "A", "21")],
    "SD": lambda: [seen(1, "A", "30")],
    "PD": lambda: [seen(1, "A", "40")],
    "NE": lambda: [seen(1, "A")],
}
OTHER_STATUS = {
    "CR": "absent",
    "NON-CR/NON-PD": "present",
    "NE": "not_evaluable",
    "PD": "unequivocal_progression",
}


def response(word):
    return None if word is None else Response(word)


@pytest.mark.parametrize(("target", "non_target", "is_new", "expected"), TABLE_1)
def test_table_1_target_and_non_target_disease(target, non_target, is_new, expected):
    rule = overall_response(response(target), response(non_target), is_new=is_new)
    assert rule is Response(expected)
    rows = [seen(0, "A", "30"), *TARGET_ROWS[target]()]
    if non_target is not None:
        rows += [other(0), other(1, status=OTHER_STATUS[non_target])]
    if is_new:
        rows.append(new(1))
    found = judge(rows)["1"]
    assert found.target_response is Response(target)
    assert found.non_target_response is response(non_target)
    assert found.new_lesion is is_new
    assert found.overall_response is Response(expected)


@pytest.mark.parametrize(("non_target", "is_new", "expected"), TABLE_2)
def test_table_2_non_target_disease_only(non_target, is_new, expected):
    assert overall_response(None, response(non_target), is_new=is_new) is Response(expected)
    rows = [other(0), other(1, status=OTHER_STATUS[non_target]), *([new(1)] if is_new else [])]
    assert overall(rows) == [expected]


def test_the_tables_are_complete():
    named = {(target, non_target, is_new) for target, non_target, is_new, _ in TABLE_1}
    targets, others = TARGET_ROWS, (*OTHER_STATUS, None)
    assert named == set(product(targets, others, (False, True)))


def test_non_target_disease_only_with_one_that_persists_and_one_not_evaluable_is_ne():
    rows = [other(0, "X"), other(0, "Y"), other(1, "X"), other(1, "Y", "not_evaluable")]
    assert overall(rows) == ["NE"]


def test_after_an_overall_cr_any_target_that_returns_is_progression():
    rows = [seen(0, "A", "30"), gone(1), seen(2, "A", "2")]
    found = judge(rows)["2"]
    assert found.overall_response is Response.PD
    assert found.target_response is Response.PR
    assert (found.progressed, found.progression_timepoint) == (True, "2")


def test_after_an_overall_cr_a_tumour_too_small_to_measure_is_progression():
    assert overall(seen(0, "A", "30"), gone(1), seen(2, "A", "4", status="too_small")) == [
        "CR",
        "PD",
    ]


def test_after_an_overall_cr_a_tumour_that_is_present_and_unmeasured_is_progression():
    assert overall(seen(0, "A", "30"), gone(1), seen(2, "A")) == ["CR", "PD"]


@pytest.mark.parametrize(("diameter", "expected"), [("9.9", "CR"), ("10", "PD")])
def test_after_an_overall_cr_a_node_returns_at_10_mm(diameter, expected):
    rows = [
        seen(place, "N", size, kind="node", organ="axillary")
        for place, size in enumerate(("20", "8", diameter))
    ]
    assert overall(rows) == ["CR", expected]


def test_after_an_overall_cr_a_non_target_that_returns_is_progression():
    rows = [other(0), other(1, status="absent"), other(2)]
    assert overall(rows) == ["CR", "PD"]
    assert said("non_target_response", rows) == ["CR", "NON-CR/NON-PD"]


def test_the_return_counts_over_what_is_not_evaluable():
    rows = [seen(0, "A", "30"), gone(1), seen(2, "A", status="not_evaluable"), seen(3, "A", "3")]
    assert overall(rows) == ["CR", "NE", "PD"]


def test_as_long_as_overall_was_never_cr_the_sum_decides():
    rows = [seen(0, "A", "30"), gone(1), seen(2, "A", "4"), *(other(place) for place in range(3))]
    assert said("target_response", rows) == ["CR", "PR"]
    assert overall(rows) == ["PR", "PR"]


def test_after_the_first_pd_progressed_stays_and_time_points_are_still_judged():
    rows = [seen(0, "A", "30"), seen(1, "A", "40"), seen(2, "A", "20"), seen(3, "A", "20")]
    found = judge(rows)
    assert overall(rows) == ["PD", "PR", "PR"]
    assert [row.progressed for row in found.values()] == [False, True, True, True]
    assert {row.progression_timepoint for row in list(found.values())[1:]} == {"1"}


def test_on_the_baseline_all_responses_are_null_with_reasons():
    baseline = judge(seen(0, "A", "30"), other(0))["0"]
    for name in (
        "target_response",
        "non_target_response",
        "overall_response",
        "best_overall_response",
        "best_overall_response_confirmed",
    ):
        assert getattr(baseline, name) is None
        assert "baseline" in baseline.reason[name]
    assert (baseline.progressed, baseline.new_lesion) == (False, False)
    assert (baseline.sum_mm, baseline.baseline_mm, baseline.change_from_baseline_mm) == (30, 30, 0)


def test_after_an_overall_cr_one_of_several_lesions_is_enough():
    rows = [*(seen(0, name, "30") for name in "AB"), other(0)]
    rows += [gone(1, "A"), gone(1, "B"), other(1, status="absent")]
    assert overall(rows, gone(2, "A"), seen(2, "B", "3"), other(2, status="absent")) == ["CR", "PD"]
    assert overall(rows, gone(2, "A"), gone(2, "B"), other(2)) == ["CR", "PD"]
