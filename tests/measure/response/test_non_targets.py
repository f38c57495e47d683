import pytest

from response_rows import gone, judge, marker, new, node, other, overall, said, seen


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("absent", "absent"), "CR"),
        (("present", "absent"), "NON-CR/NON-PD"),
        (("too_small", "absent"), "NON-CR/NON-PD"),
        (("unequivocal_progression", "absent"), "PD"),
        (("unequivocal_progression", "not_evaluable"), "PD"),
        (("not_evaluable", "absent"), "NE"),
        (("present", "not_evaluable"), "NE"),
    ],
)
def test_non_target_response_by_what_is_seen(statuses, expected):
    rows = [other(0, "X"), other(0, "Y")]
    rows += [other(1, name, status) for name, status in zip("XY", statuses, strict=True)]
    assert said("non_target_response", rows) == [expected]


def test_a_non_target_without_a_row_is_not_evaluable_and_not_gone():
    assert said("non_target_response", other(0, "X"), other(0, "Y"), other(1, "X", "absent")) == [
        "NE"
    ]


@pytest.mark.parametrize(
    ("diameter", "expected"), [("9.9", "CR"), ("10", "NON-CR/NON-PD"), (None, "NON-CR/NON-PD")]
)
def test_a_non_target_node_is_gone_below_10_mm(diameter, expected):
    rows = node(0, "N", "12", role="non-target"), node(1, "N", diameter, role="non-target")
    assert said("non_target_response", *rows) == [expected]


def test_a_non_target_node_too_small_to_measure_is_normal():
    rows = (
        node(0, "N", "12", role="non-target"),
        node(1, "N", role="non-target", status="too_small"),
    )
    assert said("non_target_response", *rows) == ["CR"]


def test_the_size_of_a_non_target_tumour_decides_nothing():
    rows = other(0, "X", diameter="8"), other(1, "X", diameter="80")
    assert said("non_target_response", *rows) == ["NON-CR/NON-PD"]


def test_a_marker_above_normal_blocks_a_complete_response_of_non_targets():
    rows = [other(0), other(1, status="absent"), marker(0)]
    assert said("non_target_response", rows, marker(1)) == ["NON-CR/NON-PD"]
    assert said("non_target_response", rows, marker(1, "absent")) == ["CR"]


def test_a_marker_above_normal_leaves_the_patient_at_partial_response():
    rows = [seen(0, "A", "20"), gone(1), other(0), other(1, status="absent"), marker(0), marker(1)]
    assert overall(rows) == ["PR"]
    assert overall(rows[:2], marker(0), marker(1)) == ["PR"]
    assert overall(rows[:2], marker(0), marker(1, "absent")) == ["CR"]


def test_a_marker_that_was_raised_and_is_unknown_leaves_a_complete_response_undecided():
    rows = [other(0), other(1, status="absent"), marker(0)]
    assert said("non_target_response", rows) == ["NE"]
    assert said("non_target_response", rows, marker(1, "not_evaluable")) == ["NE"]


def test_a_marker_that_was_never_raised_says_nothing():
    rows = [seen(0, "A", "20"), gone(1), marker(0, "absent")]
    assert said("non_target_response", rows) == [None]
    assert overall(rows) == ["CR"]


def test_a_raised_marker_is_no_progression():
    rows = [other(0), other(1), marker(0, "absent"), marker(1)]
    assert overall(rows) == ["NON-CR/NON-PD"]


def test_without_non_targets_the_field_is_null_with_a_reason():
    found = judge(seen(0, "A", "20"), seen(1, "A", "20"))["1"]
    assert found.non_target_response is None
    assert "non-target" in found.reason["non_target_response"]


def test_a_non_target_that_merged_into_a_target_goes_on_with_it():
    rows = [seen(0, "A", "20"), other(0), seen(1, "A", "30"),
            other(1, status="merged", merged_into="A")]  # fmt: skip
    assert said("non_target_response", rows) == ["NON-CR/NON-PD"]
    rows[2] = seen(1, "A", status="not_evaluable")
    assert said("non_target_response", rows) == ["NE"]


def test_progression_in_one_of_two_modalities_is_progression():
    rows = [other(0, modality="CT"), other(1, modality="CT"),
            other(1, status="unequivocal_progression", modality="MR")]  # fmt: skip
    assert said("non_target_response", rows) == ["PD"]


def test_without_disease_at_baseline_only_a_new_lesion_is_a_response():
    rows = [new(0, status="absent"), new(1, status="absent"), new(2)]
    found = judge(rows)
    assert found["1"].overall_response is None
    assert "no disease" in found["1"].reason["overall_response"]
    assert found["2"].overall_response.value == "PD"
