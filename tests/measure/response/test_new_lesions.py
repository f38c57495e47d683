import pytest

from response_rows import judge, new, node, overall, seen


def stable(n, **words):
    return [seen(place, "A", "30", **words) for place in range(n)]


def flags(*rows):
    return [row.new_lesion for row in judge(*rows).values()][1:]


def new_node(timepoint, diameter, **words):
    return node(timepoint, "Z", diameter, role="new", **words)


@pytest.mark.parametrize(
    "row",
    [
        new(1, diameter="12"),
        new(1, diameter="3"),
        new(1),
        new(1, status="too_small"),
        new(1, status="unequivocal_progression"),
    ],
    ids=["measured", "small", "unmeasured", "too small", "unequivocal"],
)
def test_a_new_tumour_counts_when_present_measured_or_not(row):
    assert flags(stable(2), row) == [True]
    assert overall(stable(2), row) == ["PD"]


@pytest.mark.parametrize("status", ["absent", "not_evaluable"])
def test_a_new_lesion_that_is_not_seen_does_not_count(status):
    assert overall(stable(2), new(1, status=status)) == ["SD"]


def test_new_lesion_is_of_this_time_point_alone_and_the_past_is_in_progressed():
    found = judge(stable(4), new(1), new(2, status="absent"))
    assert [row.new_lesion for row in found.values()] == [False, True, False, False]
    assert [row.progressed for row in found.values()] == [False, True, True, True]
    assert [row.overall_response.value for row in list(found.values())[1:]] == ["PD", "SD", "SD"]


def test_a_new_node_of_15_mm_counts_at_once():
    assert flags(stable(2), new_node(1, "15")) == [True]


def test_a_new_node_of_10_to_15_mm_counts_from_the_second_time_it_is_seen():
    rows = [*stable(4), new_node(1, "10"), new_node(2, "14.9"), new_node(3, "10")]
    assert flags(rows) == [False, True, True]
    found = judge(rows)
    assert (found["1"].progressed, found["1"].progression_timepoint) == (False, None)
    assert found["2"].progression_timepoint == "1"
    assert found["3"].progression_timepoint == "1"


def test_a_second_look_need_not_be_the_next_time_point():
    rows = [*stable(4), new_node(1, "12"), new_node(2, "8"), new_node(3, "12")]
    assert flags(rows) == [False, False, True]
    assert judge(rows)["3"].progression_timepoint == "1"


def test_a_new_node_that_grows_to_15_mm_counts_with_the_date_it_was_first_enlarged():
    rows = [*stable(4), new_node(1, "8"), new_node(2, "12"), new_node(3, "15")]
    assert flags(rows) == [False, False, True]
    assert judge(rows)["3"].progression_timepoint == "2"


def test_a_new_node_below_10_mm_never_counts():
    assert flags(stable(3), new_node(1, "9.9"), new_node(2, "9.9")) == [False, False]
    assert flags(stable(2), new_node(1, None, status="too_small")) == [False]


def test_a_new_node_without_a_diameter_does_not_count_and_says_so():
    found = judge(stable(2), new_node(1, None))["1"]
    assert found.new_lesion is False
    assert any("not measured" in text for text in found.warnings)


def test_two_different_enlarged_nodes_are_not_a_second_look():
    rows = [*stable(3), new_node(1, "12"), node(2, "Y", "12", role="new")]
    assert flags(rows) == [False, False]


def test_the_earliest_of_all_that_decides_is_the_time_of_progression():
    rows = [*stable(2), seen(2, "A", "40"), new_node(1, "12"), new_node(2, "12")]
    assert judge(rows)["2"].progression_timepoint == "1"


def pet(timepoint, lesion="Z", status="present", **words):
    return new(timepoint, lesion, status=status, modality=words.pop("modality", "PET"), **words)


def test_a_lesion_on_pet_alone_counts_at_once_where_the_baseline_pet_was_clean():
    rows = [*stable(2), pet(0, status="absent"), pet(1)]
    assert flags(rows) == [True]
    assert judge(rows)["1"].progression_timepoint == "1"


def test_the_clean_baseline_may_stand_under_another_lesion_and_under_dicoms_word():
    rows = [*stable(2), pet(0, "none", status="absent", modality="PT"), pet(1, modality="PT")]
    assert flags(rows) == [True]


def test_a_baseline_ct_without_it_is_no_clean_pet():
    assert flags(stable(2), new(0, status="absent", modality="CT"), pet(1)) == [False]


def test_without_a_baseline_pet_a_lesion_on_pet_alone_does_not_count():
    assert flags(stable(3), pet(1), pet(2)) == [False, False]


def test_a_ct_at_the_same_visit_confirms_a_lesion_on_pet():
    assert flags(stable(2), pet(1), new(1, modality="CT")) == [True]


def test_a_later_ct_confirms_it_from_the_time_it_was_first_seen():
    rows = [*stable(4), pet(1), pet(2), new(2, modality="CT"), pet(3)]
    assert flags(rows) == [False, True, True]
    assert judge(rows)["2"].progression_timepoint == "1"


def test_a_ct_without_it_confirms_nothing():
    assert flags(stable(2), pet(1), new(1, modality="CT", status="absent")) == [False]


def test_another_lesions_ct_does_not_confirm_it():
    rows = [*stable(3), pet(1, "Y"), new(2, "Z", modality="CT"), pet(2, "Y")]
    assert judge(rows)["2"].progression_timepoint == "2"


def test_an_enlarged_node_on_ct_needs_its_second_look_whatever_pet_shows():
    rows = [*stable(3), pet(1, kind="node"), new_node(1, "12", modality="CT"),
            new_node(2, "12", modality="CT")]  # fmt: skip
    assert flags(rows) == [False, True]


def test_a_hot_spot_at_known_disease_is_not_new():
    rows = [*stable(2), pet(0, "none", status="absent")]
    found = judge(rows, pet(1, "A"))["1"]
    assert found.new_lesion is False
    assert any("not new" in text for text in found.warnings)
    assert flags(rows, pet(1, "Z", merged_into="A")) == [False]


def test_a_row_without_modality_is_taken_for_ct():
    assert flags(stable(2), pet(1), new(1)) == [True]


def test_what_does_not_count_yet_is_a_warning():
    found = judge(stable(3), new_node(1, "12"), new_node(2, "12"), pet(1, "Y"))
    assert any("looked at again" in text for text in found["1"].warnings)
    assert any("waits for CT" in text for text in found["1"].warnings)
    assert found["2"].warnings == ()


@pytest.mark.parametrize("modality", ["PET/CT", "pet-ct", "PT/CT", "PETCT", "FDG-PET/CT"])
def test_pet_ct_is_ct_where_there_is_a_diameter_else_pet(modality):
    rows = [seen(0, "A", "30"), seen(1, "A", "30")]
    assert not judge(rows, new(1, modality=modality))["1"].new_lesion
    assert judge(rows, new(1, diameter="8", modality=modality))["1"].new_lesion
    clean = new(0, status="absent", modality=modality)
    found = judge(rows, clean, new(1, modality=modality))
    assert found["1"].new_lesion
    assert any("PET and CT at once" in text for text in found["1"].warnings)
