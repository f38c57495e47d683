from decimal import Decimal

import pytest

from lesionary.measure.response.records import Response
from lesionary.measure.response.targets import (
    TargetSum,
    is_partial_response,
    is_progression,
    target_response,
)
from response_rows import course, gone, judge, node, overall, said, seen


def test_the_worked_example_is_stable_then_partial_twice_then_progression():
    rows = course("30", "24", "21", "25.2", "26")
    assert said("target_response", rows) == ["SD", "PR", "PR", "PD"]
    assert overall(rows) == ["SD", "PR", "PR", "PD"]
    fourth = judge(rows)["3"]
    assert fourth.change_from_nadir_percent == 20.0
    assert fourth.change_from_nadir_mm == Decimal("4.2")


@pytest.mark.parametrize(
    ("sum_mm", "nadir_mm", "is_so"),
    [
        ("30", "25", True),  # exactly 20 % and 5 mm
        ("29.999999", "25", False),
        ("24.9", "20", False),  # 24.5 %, 4.9 mm
        ("25", "20", True),
        ("119.9", "100", False),
        ("120", "100", True),
        ("5", "0", True),  # nadir 0 has no percentage
        ("4.9", "0", False),
        ("0.3", "0.1", False),
    ],
)
def test_progression_needs_20_percent_and_5_mm_above_the_nadir(sum_mm, nadir_mm, is_so):
    assert is_progression(Decimal(sum_mm), Decimal(nadir_mm)) is is_so


@pytest.mark.parametrize(
    ("sum_mm", "is_so"),
    [("21", True), ("21.0000000000000001", False), ("20.9", True), ("0.7", True)],
)
def test_a_partial_response_lies_30_percent_below_the_baseline_without_tolerance(sum_mm, is_so):
    assert is_partial_response(Decimal(sum_mm), Decimal(30)) is is_so


def test_decimals_that_floats_miss_decide_exactly():
    # In floats 0.1 + 0.2 is more than 0.3, and 3 × 0.7 less than 2.1.
    three = [course("10.1", "7.07", lesion=name) for name in "ABC"]
    assert said("target_response", *three) == ["PR"]
    above = [course("10.1", "7.07" if name < "C" else "7.08", lesion=name) for name in "ABC"]
    assert said("target_response", *above) == ["SD"]


def test_partial_response_is_held_against_the_baseline_and_progression_against_the_nadir():
    assert said("target_response", course("100", "60", "69", "72")) == ["PR", "PR", "PD"]


def test_all_targets_gone_is_a_complete_response():
    assert said("target_response", seen(0, "A", "30"), gone(1)) == ["CR"]
    assert said("target_response", seen(0, "A", "30"), gone(1, diameter="0")) == ["CR"]


def test_nodes_below_10_mm_and_tumours_gone_are_a_complete_response_whatever_the_sum_did():
    rows = [
        *(node(0, name, "15") for name in "NO"),
        seen(0, "A", "10"),
        *(node(1, name, "9.9") for name in "NO"),
        gone(1),
    ]
    found = judge(rows)["1"]
    assert found.target_response is Response.CR
    assert found.sum_mm == Decimal("19.8")
    assert found.change_from_baseline_percent == pytest.approx(-50.5)


def test_nodes_that_grew_by_20_percent_and_stay_below_10_mm_are_still_complete():
    rows = [node(0, "N", "15"), node(1, "N", "4"), node(2, "N", "9.9")]
    assert said("target_response", rows) == ["CR", "CR"]


def test_a_node_of_10_mm_is_no_complete_response():
    assert said("target_response", node(0, "N", "20"), node(1, "N", "10")) == ["PR"]


def test_a_tumour_too_small_to_measure_counts_5_mm_and_is_no_complete_response():
    found = judge(seen(0, "A", "30"), seen(1, "A", status="too_small"))["1"]
    assert (found.sum_mm, found.target_response) == (Decimal(5), Response.PR)


def test_a_node_too_small_to_measure_counts_5_mm_and_is_normal():
    found = judge(node(0, "N", "30"), node(1, "N", status="too_small"))["1"]
    assert (found.sum_mm, found.target_response) == (Decimal(5), Response.CR)


def test_too_small_counts_the_diameter_where_one_is_given_even_below_5_mm():
    assert judge(seen(0, "A", "30"), seen(1, "A", "3.2", status="too_small"))[
        "1"
    ].sum_mm == Decimal("3.2")


def test_five_millimetres_do_not_depend_on_the_slice_thickness():
    rows = seen(0, "A", "30"), seen(1, "A", status="too_small", slice_thickness_mm="10")
    assert judge(*rows)["1"].sum_mm == 5


def test_a_target_without_a_row_is_not_evaluable_and_not_gone():
    found = judge(course("30", "12"), course("20", None, lesion="B"))["1"]
    assert found.target_response is Response.NE
    assert (found.sum_mm, found.measured_sum_mm) == (None, Decimal(12))
    assert "sum_mm" in found.reason


def test_a_target_present_without_a_diameter_is_not_evaluable():
    assert said("target_response", seen(0, "A", "30"), seen(1, "A")) == ["NE"]


def test_a_target_that_is_not_evaluable_is_not_evaluable_whatever_its_diameter():
    rows = seen(0, "A", "30"), seen(1, "A", "5", status="not_evaluable")
    found = judge(*rows)["1"]
    assert found.target_response is Response.NE
    assert any("does not count" in text for text in found.warnings)


def test_an_incomplete_sum_is_progression_where_the_rest_alone_has_progressed():
    rows = [course("20", "30"), course("10", None, lesion="B")]
    # 30 alone: 0 above a nadir of 30.
    assert said("target_response", rows) == ["NE"]
    rows = [course("20", "36"), course("10", None, lesion="B")]
    found = judge(rows)["1"]
    assert found.target_response is Response.PD
    assert found.sum_mm is None
    rows = [course("20", "35.9"), course("10", None, lesion="B")]
    assert said("target_response", rows) == ["NE"]


def test_an_incomplete_sum_is_never_a_nadir():
    rows = [course("20", "15", "19"), course("10", None, "10", lesion="B")]
    found = judge(rows)["2"]
    assert found.nadir_mm == 30
    assert found.target_response is Response.SD


def test_the_nadir_is_the_smallest_complete_sum_before_baseline_included():
    found = judge(course("30", "40", "20", "25", "10"))
    assert [row.nadir_mm for row in found.values()] == [None, 30, 30, 20, 20]
    assert "nadir_mm" in found["0"].reason


def test_a_nadir_of_0_has_no_percentage_and_5_mm_decide():
    rows = [
        *(seen(0, name, "20") for name in "AB"),
        *(gone(1, name) for name in "AB"),
        other_persists(0),
        other_persists(1),
        other_persists(2),
        other_persists(3),
        seen(2, "A", "4.9"),
        gone(2, "B"),
        seen(3, "A", "5"),
        gone(3, "B"),
    ]
    found = judge(rows)
    assert [row.target_response.value for row in list(found.values())[1:]] == ["CR", "PR", "PD"]
    assert found["2"].change_from_nadir_percent is None
    assert "0 mm" in found["2"].reason["change_from_nadir_percent"]
    assert found["2"].change_from_nadir_mm == Decimal("4.9")


def other_persists(timepoint):
    return seen(timepoint, "X", role="non-target")


def test_a_partial_response_is_never_stable_again_before_progression():
    assert said("target_response", course("100", "70", "83.9", "75", "84")) == [
        "PR",
        "PR",
        "PR",
        "PD",
    ]


def test_a_partial_response_lasts_over_what_is_not_evaluable():
    assert said("target_response", seen(0, "A", "100"), seen(1, "A", "70"), seen(2, "A"),
                seen(3, "A", "80")) == ["PR", "NE", "PR"]  # fmt: skip


def test_a_complete_response_of_targets_is_never_stable_again_before_progression():
    rows = [
        *(node(0, name, "15") for name in "NO"),
        *(node(1, name, "9.9") for name in "NO"),
        *(node(2, name, "11.5") for name in "NO"),
        *(other_persists(place) for place in range(3)),
    ]
    assert said("target_response", rows) == ["CR", "PR"]


def test_after_progression_of_targets_each_time_point_is_judged_by_the_same_rules():
    assert said("target_response", course("100", "70", "90", "83", "70", "83")) == [
        "PR",
        "PD",
        "SD",
        "PR",
        "PR",
    ]


def test_the_parts_of_a_split_lesion_add_up():
    rows = [
        seen(0, "A", "30"),
        seen(1, "A", "8", part="a"),
        seen(1, "A", "7.5", part="b"),
        seen(2, "A", "8", part="a"),
        seen(2, "A", part="b", status="absent"),
    ]
    assert [row.sum_mm for row in judge(rows).values()] == [30, Decimal("15.5"), 8]


def test_one_part_that_is_not_evaluable_leaves_the_sum_open():
    rows = [seen(0, "A", "30"), seen(1, "A", "8", part="a"), seen(1, "A", part="b")]
    found = judge(rows)["1"]
    assert (found.sum_mm, found.measured_sum_mm) == (None, 8)


@pytest.mark.parametrize("status", ["merged", "present"])
def test_of_merged_targets_the_named_one_carries_the_one_axis(status):
    rows = [
        *course("20", "35"),
        seen(0, "B", "20"),
        seen(1, "B", status=status, merged_into="A"),
    ]
    found = judge(rows)["1"]
    assert (found.sum_mm, found.target_response) == (35, Response.SD)


def test_merged_targets_are_not_gone_while_what_carries_them_is_there():
    rows = [
        node(0, "N", "20"),
        seen(0, "B", "20"),
        node(1, "N", "12"),
        seen(1, "B", status="merged", merged_into="N"),
    ]
    assert said("target_response", rows) == ["PR"]


def test_a_merged_target_is_not_evaluable_with_the_one_that_carries_it():
    rows = [
        seen(0, "A", "20"),
        seen(0, "B", "20"),
        seen(1, "A"),
        seen(1, "B", status="merged", merged_into="A"),
    ]
    assert said("target_response", rows) == ["NE"]


def test_without_targets_all_fields_of_targets_are_null_with_a_reason():
    found = judge(other_persists(0), other_persists(1))
    for row in found.values():
        for name in ("sum_mm", "measured_sum_mm", "baseline_mm", "nadir_mm", "target_response"):
            assert getattr(row, name) is None
            assert row.reason[name] == "there is no target lesion"


def test_non_targets_never_enter_the_sum():
    rows = [seen(0, "A", "20"), seen(0, "X", "50", role="non-target"), seen(1, "A", "20"),
            seen(1, "X", "60", role="non-target")]  # fmt: skip
    assert [row.sum_mm for row in judge(rows).values()] == [20, 20]


def test_a_present_target_of_0_mm_counts_as_gone_and_says_so():
    found = judge(course("20", "0"))["1"]
    assert found.target_response is Response.CR
    assert any("0 mm" in text for text in found.warnings)


def test_a_target_seen_by_two_modalities_is_judged_by_that_of_its_baseline():
    rows = [
        seen(0, "A", "20", modality="MR"),
        seen(1, "A", "14", modality="MR"),
        seen(1, "A", "19", modality="CT"),
        seen(1, "A", "25", modality="PT"),
    ]
    found = judge(rows)["1"]
    assert found.sum_mm == 14
    assert any("several modalities" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("sum_mm", "measured", "has_responded", "expected"),
    [
        ("26", "26", False, Response.PD),
        ("22", "22", True, Response.PR),
        ("22", "22", False, Response.SD),
        (None, "26", True, Response.PD),
        (None, "22", True, Response.NE),
    ],
)
def test_the_rule_alone(sum_mm, measured, has_responded, expected):
    found = TargetSum(None if sum_mm is None else Decimal(sum_mm), Decimal(measured), False)
    assert (
        target_response(
            found, baseline_mm=Decimal(30), nadir_mm=Decimal(21), has_responded=has_responded
        )
        is expected
    )


def test_parts_seen_by_different_modalities_still_add_up():
    rows = [seen(0, "A", "30", modality="CT"), seen(1, "A", "8", part="a", modality="CT"),
            seen(1, "A", "7", part="b", modality="MR"), seen(1, "A", "9", part="a", modality="MR"),
            seen(1, "A", "17", modality="PT")]  # fmt: skip
    assert judge(rows)["1"].sum_mm == 15


NODES = [[node(0, name, "15") for name in "NOP"], [node(1, name, "3") for name in "NOP"]]


def test_an_incomplete_sum_is_no_progression_while_all_targets_may_be_normal_nodes():
    rows = [NODES, node(2, "N", "9"), node(2, "O", "9")]  # 18 mm, 9 mm above the nadir
    assert said("target_response", rows) == ["CR", "NE"]
    assert said("target_response", rows, node(2, "P")) == ["CR", "NE"]
    assert said("target_response", rows, node(2, "P", status="not_evaluable")) == ["CR", "NE"]
    assert said("target_response", rows, node(2, "P", "9.9")) == ["CR", "CR"]


def test_an_incomplete_sum_is_progression_where_a_target_surely_shows_disease():
    rows = [NODES, node(2, "N", "10"), node(2, "O", "9")]
    assert said("target_response", rows) == ["CR", "PD"]
    tumour = [seen(0, "A", "10", organ="lung"), gone(1, "A"), node(2, "N", "9"), node(2, "O", "9")]
    assert said("target_response", NODES, tumour, seen(2, "A", "0.5")) == ["CR", "PD"]
    assert said("target_response", NODES, tumour, seen(2, "A")) == ["CR", "PD"]
    assert said("target_response", NODES, tumour, gone(2, "A")) == ["CR", "NE"]


def test_a_modality_is_the_same_in_any_case():
    rows = [seen(0, "A", "30", modality="mr"), seen(1, "A", "30", modality=" MR "),
            seen(1, "A", "20", modality="CT")]  # fmt: skip
    assert judge(rows)["1"].sum_mm == 30
    rows = [seen(0, "A", "30", modality="PT"), seen(1, "A", "30", modality="fdg-pet"),
            seen(1, "A", "20", modality="CT")]  # fmt: skip
    assert judge(rows)["1"].sum_mm == 30
