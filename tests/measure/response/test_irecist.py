"""iRECIST (Seymour et al. 2017): sequences of time points, and new lesions measured apart."""

import pytest

from response_rows import course, gone, judge, new, node, other, said, seen

PROGRESSION = "unequivocal_progression"


def immune(*rows, field="i_overall_response"):
    return said(field, *rows, criteria="irecist")


def dated(*sizes, days=None, lesion="A"):
    days = days or [40 * place for place in range(len(sizes))]
    return [
        seen(place, lesion, size, day=day)
        for place, (size, day) in enumerate(zip(sizes, days, strict=True))
    ]


def stable(n):
    return dated(*["30"] * n)


def test_without_progression_it_says_what_recist_says():
    assert immune(dated("30", "24", "21"), other(0), other(1), other(2)) == ["iSD", "iPR"]
    assert immune(seen(0, "A", "30", day=0), gone(1, day=30)) == ["iCR"]
    assert immune(other(0), other(1)) == ["NON-iCR/NON-iUPD"]
    assert immune(seen(0, "A", "30"), seen(1, "A")) == ["NE"]


def test_a_first_progression_is_unconfirmed():
    assert immune(dated("30", "40")) == ["iUPD"]
    assert immune(dated("30", "40"), field="i_target_response") == ["iUPD"]


def test_a_target_sum_5_mm_further_confirms_it():
    rows = dated("30", "40", "45")
    assert immune(rows) == ["iUPD", "iCPD"]
    assert immune(rows, field="i_target_response") == ["iUPD", "iCPD"]
    found = judge(rows, criteria="irecist")["2"]
    assert (found.i_progressed, found.i_progression_timepoint) == (True, "1")


def test_a_target_sum_less_than_5_mm_further_stays_unconfirmed():
    assert immune(dated("30", "40", "44.9")) == ["iUPD", "iUPD"]


def test_increments_add_up_from_the_first_unconfirmed_progression():
    assert immune(dated("30", "40", "43", "45")) == ["iUPD", "iUPD", "iCPD"]


def test_unconfirmed_twice_then_confirmed():
    assert immune(dated("30", "40", "40", "46")) == ["iUPD", "iUPD", "iCPD"]


@pytest.mark.parametrize(("size", "word"), [("30", "iSD"), ("20", "iPR")])
def test_stable_disease_or_a_response_resets_the_bar(size, word):
    # The last sum is far above the first bar, and yet unconfirmed: the bar is a new one.
    assert immune(dated("30", "40", size, "48", "52", "53")) == [
        "iUPD", word, "iUPD", "iUPD", "iCPD"]  # fmt: skip


def test_a_complete_response_resets_the_bar():
    rows = [*dated("30", "40"), gone(2, day=80), seen(3, "A", "20", day=120),
            seen(4, "A", "25", day=160)]  # fmt: skip
    assert immune(rows) == ["iUPD", "iCR", "iUPD", "iCPD"]


def test_pseudoprogression_is_unconfirmed_then_a_response():
    assert immune(dated("30", "40", "21", "15"), field="i_best_overall_response") == [
        "iUPD", "iPR", "iPR"]  # fmt: skip


def test_what_is_not_evaluable_between_leaves_the_bar():
    rows = [*dated("30", "40"), seen(2, "A", day=80), seen(3, "A", "45", day=120)]
    assert immune(rows) == ["iUPD", "NE", "iCPD"]


def test_a_second_new_lesion_confirms_the_first():
    rows = [stable(3), new(1, "Y", day=40), new(2, "Y", day=80), new(2, "Z", day=80)]
    assert immune(rows) == ["iUPD", "iCPD"]


def test_a_new_lesion_without_change_stays_unconfirmed():
    rows = [stable(3), new(1, "Y", "12", day=40), new(2, "Y", "12", day=80)]
    assert immune(rows) == ["iUPD", "iUPD"]


def test_a_new_lesion_that_went_away_is_stable_disease_and_resets():
    rows = [stable(4), new(1, "Y", "12"), new(2, "Y", status="absent"), new(3, "Z", "12")]
    assert immune(rows) == ["iUPD", "iSD", "iUPD"]


def test_new_targets_5_mm_further_confirm():
    rows = [stable(3), new(1, "Y", "12", day=40), new(2, "Y", "16.9", day=80)]
    assert immune(rows) == ["iUPD", "iUPD"]
    assert immune(rows[:-1], new(2, "Y", "17", day=80)) == ["iUPD", "iCPD"]


def test_any_growth_of_a_new_lesion_too_small_to_follow_confirms():
    rows = [stable(3), new(1, "Y", "7", day=40), new(2, "Y", "7.5", day=80)]
    assert immune(rows) == ["iUPD", "iCPD"]


def test_any_further_growth_of_non_targets_confirms():
    rows = [stable(3), other(0, diameter="20"), other(1, diameter="30", status=PROGRESSION)]
    same = other(2, diameter="30", status=PROGRESSION)
    larger = other(2, diameter="30.1", status="present")
    assert immune(rows, same) == ["iUPD", "iUPD"]
    assert immune(rows, larger) == ["iUPD", "iCPD"]
    assert immune(rows, larger, field="i_non_target_response") == ["iUPD", "iCPD"]


def test_unmeasured_non_targets_that_progress_again_confirm():
    rows = [stable(3), other(0), other(1, status=PROGRESSION)]
    assert immune(rows, other(2, status=PROGRESSION)) == ["iUPD", "iCPD"]
    assert immune(rows, other(2)) == ["iUPD", "iSD"]


def test_another_non_target_that_progresses_confirms():
    rows = [stable(3), *(other(0, name, diameter="20") for name in "XY"),
            other(1, "X", diameter="30", status=PROGRESSION), other(1, "Y", diameter="20"),
            other(2, "X", diameter="30", status=PROGRESSION),
            other(2, "Y", diameter="20", status=PROGRESSION)]  # fmt: skip
    assert immune(rows) == ["iUPD", "iCPD"]


def test_progression_of_a_category_that_had_not_progressed_confirms():
    others = [other(0), other(1), other(2, status=PROGRESSION)]
    assert immune(dated("30", "40", "40"), others) == ["iUPD", "iCPD"]
    assert immune(dated("30", "40", "40"), new(2, day=80)) == ["iUPD", "iCPD"]
    assert immune(dated("30", "30", "40"), new(1, "Y", "12"), new(2, "Y", "12")) == ["iUPD", "iCPD"]


def test_the_category_that_confirms_says_so_and_the_other_stays_unconfirmed():
    rows = [dated("30", "40", "40"), other(0), other(1), other(2, status=PROGRESSION)]
    assert immune(rows, field="i_target_response") == ["iUPD", "iUPD"]
    assert immune(rows, field="i_non_target_response") == ["NON-iCR/NON-iUPD", "iCPD"]


def test_a_target_that_shrank_again_needs_a_new_bar_while_a_new_lesion_goes_on():
    # Down to 20 and up to 31: no further than the old bar, and yet a progression of its own.
    rows = [dated("30", "40", "20", "31"), *(new(place, "Y", "12") for place in (1, 2, 3))]
    assert immune(rows) == ["iUPD", "iUPD", "iCPD"]


@pytest.mark.parametrize(("days", "expected"), [(27, "iUPD"), (28, "iCPD"), (56, "iCPD")])
def test_a_confirmation_needs_four_weeks(days, expected):
    rows = dated("30", "40", "46", days=[0, 50, 50 + days])
    assert immune(rows)[-1] == expected
    warned = judge(rows, criteria="irecist")["2"].warnings
    assert any("too early" in text for text in warned) == (days < 28)


def test_what_came_too_early_confirms_when_it_is_still_there():
    assert immune(dated("30", "40", "46", "46", days=[0, 50, 60, 90])) == ["iUPD", "iUPD", "iCPD"]
    late = [dated("30", "40", "40", "40", days=[0, 50, 60, 90]), new(2, "Y"), new(3, "Y")]
    assert immune(late) == ["iUPD", "iUPD", "iCPD"]


def test_a_confirmation_after_eight_weeks_counts_with_a_warning():
    rows = dated("30", "40", "46", days=[0, 50, 107])
    found = judge(rows, criteria="irecist")["2"]
    assert found.i_overall_response.value == "iCPD"
    assert any("8 weeks" in text for text in found.warnings)


def test_without_dates_the_next_time_point_confirms_with_a_warning():
    found = judge(course("30", "40", "45"), criteria="irecist")["2"]
    assert found.i_overall_response.value == "iCPD"
    assert any("without dates" in text for text in found.warnings)


def test_a_confirmed_progression_stays_confirmed_until_it_is_over():
    rows = dated("30", "40", "46", "46", "25", "40")
    assert immune(rows) == ["iUPD", "iCPD", "iCPD", "iSD", "iUPD"]
    assert immune(rows, field="i_best_overall_response")[-1] == "iCPD"


def test_disease_that_returns_after_a_complete_response_waits_for_confirmation_too():
    rows = [seen(0, "A", "30", day=0), gone(1, day=40), seen(2, "A", "3", day=80),
            seen(3, "A", "8", day=120)]  # fmt: skip
    assert immune(rows) == ["iCR", "iUPD", "iCPD"]


def test_an_incomplete_sum_is_no_bar_to_be_further_than():
    rows = [dated("30", "50"), seen(0, "B", "10", day=0), seen(2, "A", "50", day=80),
            seen(2, "B", "10", day=80)]  # fmt: skip
    assert immune(rows) == ["iUPD", "iUPD"]


def sums(*rows):
    return [row.new_target_sum_mm for row in judge(*rows, criteria="irecist").values()]


def test_new_lesions_are_measured_apart_and_never_enter_the_target_sum():
    rows = [stable(2), new(1, "Y", "12")]
    assert sums(rows) == [None, 12]
    assert judge(rows, criteria="irecist")["1"].sum_mm == 30


def test_new_targets_are_tumours_from_10_and_nodes_from_15_mm():
    small = [new(1, "Y", "9.9"), node(1, "N", "14.9", role="new")]
    assert sums(stable(2), small) == [None, None]
    large = [new(1, "Y", "10"), node(1, "N", "15", role="new")]
    assert sums(stable(2), large) == [None, 25]


def test_at_most_five_new_targets_and_two_an_organ_the_largest():
    lungs = [new(1, name, size, organ="lung") for name, size in zip("PQR", ("11", "13", "12"),
                                                                   strict=True)]  # fmt: skip
    assert sums(stable(2), lungs) == [None, 25]
    others = [new(1, name, "20", organ=organ) for name, organ in zip(
        "STUV", ("liver", "bone", "brain", "skin"), strict=True)]  # fmt: skip
    assert sums(stable(2), lungs, others) == [None, 93]


def test_a_new_target_stays_one_when_it_shrinks():
    assert sums(stable(3), new(1, "Y", "12"), new(2, "Y", "6")) == [None, 12, 6]
    assert sums(stable(3), new(1, "Y", "12"), new(2, "Y", status="absent")) == [None, 12, 0]


def test_a_new_target_that_is_not_evaluable_leaves_the_sum_null_with_a_reason():
    rows = [stable(3), new(1, "Y", "12")]
    assert sums(rows) == [None, 12, None]
    found = judge(rows, criteria="irecist")["2"]
    assert "not evaluable" in found.reason["new_target_sum_mm"]


def test_recist_11_says_nothing_of_irecist():
    row = judge(dated("30", "40"))["1"].to_json()
    assert not [name for name in row if name.startswith(("i_", "new_target"))]


def test_irecist_keeps_the_fields_of_recist_11():
    row = judge(dated("30", "40"), criteria="irecist")["1"]
    assert (row.overall_response.value, row.progressed) == ("PD", True)


def test_a_response_resets_also_what_could_not_be_looked_at():
    rows = [dated("30", "30", "20", "20"), other(0), other(1, status=PROGRESSION),
            other(2, status="not_evaluable"), other(3, status=PROGRESSION)]  # fmt: skip
    assert immune(rows) == ["iUPD", "iPR", "iUPD"]


def test_while_another_category_progresses_what_is_not_evaluable_keeps_its_bar():
    rows = [dated("30", "40", "40", "40"), other(0), other(2, status="not_evaluable")]
    rows += [other(place, status=PROGRESSION, diameter="9") for place in (1, 3)]
    assert immune(rows) == ["iUPD", "iUPD", "iUPD"]


def test_a_new_lesion_too_small_to_follow_that_did_not_grow_confirms_nothing():
    rows = [stable(3), new(1, "Y", "7", day=40), new(2, "Y", "7", day=80)]
    assert immune(rows) == ["iUPD", "iUPD"]


def test_a_progression_dated_by_its_first_sighting_is_unconfirmed_when_it_counts():
    rows = [stable(3), *(node(place, "Y", "12", role="new") for place in (1, 2))]
    assert immune(rows) == ["iSD", "iUPD"]


def test_a_non_target_that_returned_and_grows_confirms():
    rows = [stable(1), [gone(place, day=40 * place) for place in (1, 2, 3)],
            other(0), other(1, status="absent"), other(2, diameter="5")]  # fmt: skip
    assert immune(rows, other(3, diameter="6")) == ["iCR", "iUPD", "iCPD"]
    assert immune(rows, other(3, diameter="5")) == ["iCR", "iUPD", "iUPD"]


def test_a_target_that_returned_and_grows_by_5_mm_below_progression_of_the_sum_confirms():
    # A normal node keeps the nadir at 9 mm: 6 mm more are no 20 % and 5 mm above it before 15 mm.
    nodes = [node(place, "N", size, day=40 * place)
             for place, size in enumerate(("60", "9", "9", "9"))]  # fmt: skip
    rows = [seen(0, "A", "30", day=0), gone(1, day=40), seen(2, "A", "2", day=80)]
    assert immune(nodes, rows, seen(3, "A", "4", day=120)) == ["iCR", "iUPD", "iUPD"]
    assert immune(nodes, rows, seen(3, "A", "7", day=120)) == ["iCR", "iUPD", "iCPD"]


def two(place, first, second, day=None):
    """Return a visit of two targets; None leaves the row out."""
    day = 40 * place if day is None else day
    sizes = zip("AB", (first, second), strict=True)
    return [seen(place, name, size, day=day) for name, size in sizes if size]


def test_an_incomplete_sum_gets_its_bar_from_the_first_complete_one():
    rows = [two(0, "30", "10"), two(1, "50", None), two(2, "50", "10")]
    assert immune(rows, two(3, "54.9", "10")) == ["iUPD", "iUPD", "iUPD"]
    assert immune(rows, two(3, "55", "10")) == ["iUPD", "iUPD", "iCPD"]


def test_a_bar_is_never_below_what_was_certain_of_an_incomplete_sum():
    rows = [two(0, "20", "10"), two(1, "60", None), two(2, "40", "5")]
    assert immune(rows, two(3, "50", "10")) == ["iUPD", "iUPD", "iUPD"]
    assert immune(rows, two(3, "55", "10")) == ["iUPD", "iUPD", "iCPD"]


def test_new_lesions_get_their_bar_from_the_first_complete_sum():
    rows = [stable(4), new(1, "X", "12"), new(1, "Y"), new(2, "X", "12"), new(2, "Y", "12")]
    assert immune(rows, new(3, "X", "13"), new(3, "Y", "15"))[-1] == "iUPD"
    assert immune(rows, new(3, "X", "13"), new(3, "Y", "16"))[-1] == "iCPD"
    unsized = [stable(4), new(1, "X"), new(2, "X", "12")]
    assert immune(unsized, new(3, "X", "16.9")) == ["iUPD", "iUPD", "iUPD"]
    assert immune(unsized, new(3, "X", "17")) == ["iUPD", "iUPD", "iCPD"]


@pytest.mark.parametrize("other_one", [[new(2, "Y", status="not_evaluable")], [], [new(2, "Y")]])
def test_new_lesions_that_surely_grew_confirm_though_another_is_not_evaluable(other_one):
    rows = [stable(3), new(1, "X", "12"), new(1, "Y", "12")]
    assert immune(rows, other_one, new(2, "X", "29")) == ["iUPD", "iCPD"]
    assert immune(rows, other_one, new(2, "X", "28.9")) == ["iUPD", "iUPD"]


def test_a_node_that_was_there_already_is_no_other_new_lesion_when_it_counts():
    nodes = [node(place, "N", "12", role="new") for place in (1, 2)]
    assert immune(dated("30", "40", "40"), nodes) == ["iUPD", "iUPD"]
    beside = [stable(3), new(1, "Y", "12"), new(2, "Y", "12")]
    assert immune(beside, nodes) == ["iUPD", "iUPD"]
    later = [node(place, "N", "12", role="new") for place in (2, 3)]
    assert immune(dated("30", "40", "40", "40"), later) == ["iUPD", "iUPD", "iCPD"]


def test_a_node_that_was_there_already_confirms_once_it_grew():
    nodes = [node(1, "N", "12", role="new"), node(2, "N", "12", role="new")]
    rows = [dated("30", "40", "40", "40"), nodes]
    assert immune(rows, node(3, "N", "12", role="new")) == ["iUPD", "iUPD", "iUPD"]
    assert immune(rows, node(3, "N", "13", role="new")) == ["iUPD", "iUPD", "iCPD"]
    assert immune(dated("30", "40", "40"), nodes[:1], node(2, "N", "13", role="new")) == [
        "iUPD", "iCPD"]  # fmt: skip


def test_a_lesion_that_pet_showed_at_the_first_progression_is_no_other_new_lesion():
    rows = [dated("30", "40", "40"), new(1, "Y", modality="PET")]
    assert immune(rows, new(2, "Y", modality="CT")) == ["iUPD", "iUPD"]
    longer = [dated("30", "40", "40", "40"), new(1, "Y", modality="PET"), new(2, "Y", "12")]
    assert immune(longer, new(3, "Y", "16.9")) == ["iUPD", "iUPD", "iUPD"]
    assert immune(longer, new(3, "Y", "17")) == ["iUPD", "iUPD", "iCPD"]


def test_a_lesion_that_had_gone_before_the_first_progression_is_another_when_it_is_back():
    rows = [stable(5), new(1, "Y", "12"), new(2, "Y", status="absent"),
            new(3, "Y", status="absent"), *(new(place, "Z", "12") for place in (3, 4))]  # fmt: skip
    assert immune(rows, new(4, "Y", status="absent")) == ["iUPD", "iSD", "iUPD", "iUPD"]
    assert immune(rows, new(4, "Y", "12")) == ["iUPD", "iSD", "iUPD", "iCPD"]
    assert immune(rows, new(4, "Y")) == ["iUPD", "iSD", "iUPD", "iCPD"]


def test_a_non_target_that_had_gone_and_is_back_without_a_diameter_confirms():
    rows = [stable(3), other(0), other(0, "Y"), other(1, status=PROGRESSION, diameter="20"),
            other(1, "Y", "absent"), other(2, status=PROGRESSION, diameter="20")]  # fmt: skip
    assert immune(rows, other(2, "Y", "absent")) == ["iUPD", "iUPD"]
    assert immune(rows, other(2, "Y")) == ["iUPD", "iCPD"]
    assert immune(rows, other(2, "Y"), field="i_non_target_response") == ["iUPD", "iCPD"]


def test_another_lesion_that_returns_after_a_complete_response_confirms_without_a_diameter():
    rows = [seen(0, "A", "30", day=0), *(gone(place, day=40 * place) for place in (1, 2)),
            other(0), other(1, status="absent"), other(2)]  # fmt: skip
    assert immune(rows, gone(3, day=120), other(3)) == ["iCR", "iUPD", "iUPD"]
    assert immune(rows, seen(3, "A", day=120), other(3)) == ["iCR", "iUPD", "iCPD"]
    assert immune(rows, gone(3, day=120), other(3, status=PROGRESSION)) == ["iCR", "iUPD", "iCPD"]


def test_a_target_that_returned_without_a_diameter_has_its_bar_from_the_first_one():
    rows = [seen(0, "A", "30", day=0), gone(1, day=40), seen(2, "A", day=80),
            seen(3, "A", "4", day=120)]  # fmt: skip
    assert immune(rows) == ["iCR", "iUPD", "iUPD"]
    assert immune(rows, seen(4, "A", "9", day=160)) == ["iCR", "iUPD", "iUPD", "iCPD"]


def test_a_new_lesion_of_unequivocal_progression_confirms():
    rows = [stable(3), new(1, "Y")]
    assert immune(rows, new(2, "Y")) == ["iUPD", "iUPD"]
    assert immune(rows, new(2, "Y", status=PROGRESSION)) == ["iUPD", "iCPD"]
    measured = [stable(3), new(1, "Y", "12", status=PROGRESSION)]
    assert immune(measured, new(2, "Y", "12", status=PROGRESSION)) == ["iUPD", "iUPD"]
