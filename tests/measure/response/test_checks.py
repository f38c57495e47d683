"""What a table is refused for, and what is only a warning (CONTRACT §4)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lesionary.core.errors import InputError
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from response_rows import FIRST_DAY, course, flat, gone, judge, marker, new, node, other, seen


def refused(*rows, **options):
    """Return the places, from 1, of the rows that an error lists."""
    with pytest.raises(InputError) as caught:
        respond(flat(rows), ResponseOptions(**options))
    assert caught.value.code == "bad_rows"
    return sorted({row["line"] for row in caught.value.details["rows"]})


def timepoints(*rows):
    return list(judge(*rows))


def test_nothing_in_nothing_out():
    assert respond([]) == ()


def test_time_points_sort_as_numbers_where_all_are_numbers():
    assert timepoints([seen(place, "A", "30") for place in (10, 2, "1.5", -1)]) == [
        "-1",
        "1.5",
        "2",
        "10",
    ]


def test_numbers_go_before_dates():
    rows = [seen(2, "A", "30", day=0), seen(1, "A", "30", day=90)]
    assert timepoints(rows) == ["1", "2"]


def test_time_points_that_are_not_all_numbers_sort_by_date():
    rows = [seen("week 12", "A", "30", day=84), seen("baseline", "A", "30", day=0)]
    rows.append(seen("3", "A", "30", day=30))
    assert timepoints(rows) == ["baseline", "3", "week 12"]


def test_one_dated_row_dates_its_time_point():
    rows = [seen("pre", "A", "30", day=0), seen("pre", "B", "30"), seen("post", "A", "30", day=9)]
    assert timepoints(rows) == ["pre", "post"]


def test_names_without_dates_are_refused():
    assert refused(seen("pre", "A", "30", day=0), seen("post", "A", "30")) == [2]
    assert refused(seen("pre", "A", "30"), seen("1", "A", "30")) == [1, 2]


def test_names_with_one_date_are_refused():
    assert refused(seen("pre", "A", "30", day=0), seen("post", "A", "30", day=0)) == [1, 2]


def test_one_number_in_two_spellings_is_refused():
    assert refused(seen("1", "A", "30"), seen("01", "A", "30")) == [1, 2]


def test_a_single_time_point_needs_no_order():
    assert timepoints(seen("pre", "A", "30")) == ["pre"]


def test_order_is_a_matter_of_each_subject():
    rows = [seen("pre", "A", "30", day=0), seen("post", "A", "30", day=9)]
    rows += [seen(place, "A", "30", subject="t") for place in (2, 10)]
    assert [(row.subject, row.timepoint) for row in respond(rows)] == [
        ("s", "pre"),
        ("s", "post"),
        ("t", "2"),
        ("t", "10"),
    ]


@pytest.mark.parametrize("role", ["target", "non-target"])
def test_a_target_or_non_target_without_a_baseline_row_is_refused(role):
    rows = [seen(0, "A", "30"), seen(1, "B", "30", role=role), seen(2, "B", "30", role=role)]
    assert refused(rows) == [2, 3]


def test_markers_and_new_lesions_need_no_baseline_row():
    assert timepoints(seen(0, "A", "30"), marker(1), new(1)) == ["0", "1"]


@pytest.mark.parametrize("row", [
    seen(0, "B"), gone(0, "B"), seen(0, "B", status="too_small"),
    seen(0, "B", "20", status="not_evaluable"), seen(0, "B", "0"),
    seen(0, "B", status="merged", merged_into="A"),
])  # fmt: skip
def test_a_target_that_is_not_measured_at_baseline_is_refused(row):
    if row.status == "too_small":  # counts 5 mm: measured, and too small to be measurable
        assert any("too small" in text for text in judge(seen(0, "A", "30"), row)["0"].warnings)
    else:
        assert refused(seen(0, "A", "30"), row) == [2]


@pytest.mark.parametrize("status", ["present", "too_small", "unequivocal_progression"])
def test_a_new_lesion_that_is_present_at_baseline_is_refused(status):
    assert refused(seen(0, "A", "30"), new(0, status=status)) == [2]


@pytest.mark.parametrize("status", ["absent", "not_evaluable"])
def test_a_new_lesion_that_is_not_seen_at_baseline_is_fine(status):
    assert timepoints(seen(0, "A", "30"), new(0, status=status)) == ["0"]


@pytest.mark.parametrize("role", ["target", "non-target", "new"])
def test_absent_with_a_diameter_above_0_is_refused(role):
    row = seen(1, "A", "0.1", role=role, status="absent")
    at_baseline = [] if role == "new" else [seen(0, "A", "30", role=role)]
    assert refused(seen(0, "B", "20"), at_baseline, row) == [2 + len(at_baseline)]


def test_a_non_target_that_is_not_there_at_baseline_is_refused():
    assert refused(other(0, status="absent"), other(1)) == [1]


def test_nothing_can_have_progressed_at_baseline():
    assert refused(other(0, status="unequivocal_progression")) == [1]


def test_a_repeated_row_is_refused_both_times():
    assert refused(seen(0, "A", "30"), seen(1, "A", "30"), seen(1, "A", "30")) == [2, 3]


def test_repeated_parts_and_parts_beside_the_whole_are_refused():
    rows = [seen(0, "A", "30"), seen(1, "A", "8", part="a")]
    assert refused(rows, seen(1, "A", "7", part="a")) == [2, 3]
    assert refused(rows, seen(1, "A", "7")) == [2, 3]


def test_a_repeated_row_of_another_modality_is_fine():
    rows = [new(1, modality="CT"), new(1, modality="PT")]
    assert timepoints(seen(0, "A", "30"), rows) == ["0", "1"]
    assert refused(seen(0, "A", "30"), rows, new(1, modality="PET")) == [3, 4]


def test_repeated_rows_of_two_readers_or_subjects_are_fine():
    rows = [seen(0, "A", "30", reader=name) for name in "ab"]
    rows.append(seen(0, "A", "30", subject="t"))
    assert len(respond(rows)) == 3


def test_a_node_has_no_parts():
    assert refused(node(0, "N", "20"), node(1, "N", "8", part="a")) == [2]


def test_a_lesion_keeps_its_role_and_kind():
    assert refused(seen(0, "A", "30"), seen(1, "A", "30", role="non-target")) == [1, 2]
    assert refused(seen(0, "A", "30"), seen(1, "A", "30", kind="node")) == [1, 2]
    assert refused(seen(0, "A", "30"), seen(1, "A", "30", role="new")) == [1, 2]


@pytest.mark.parametrize(
    "row",
    [
        seen(1, "A", status="merged"),
        seen(1, "A", merged_into="C"),
        seen(1, "A", merged_into="A"),
        seen(1, "A", "12", merged_into="B"),
        seen(1, "A", "12", status="merged", merged_into="B"),
        seen(1, "A", status="absent", merged_into="B"),
        seen(1, "A", status="not_evaluable", merged_into="B"),
        seen(1, "A", status="merged", merged_into="X"),
    ],
    ids=["into nothing", "into what has no row", "into itself", "with a diameter", "merged with a "
         "diameter", "absent", "not evaluable", "a target into a non-target"],
)  # fmt: skip
def test_a_merge_that_makes_no_sense_is_refused(row):
    rows = [seen(0, "A", "30"), seen(0, "B", "30"), other(0), seen(1, "B", "40"), other(1)]
    assert refused(rows, row) == [6]


def test_what_carries_an_axis_is_neither_merged_nor_gone():
    rows = [seen(0, name, "30") for name in "ABC"]
    chain = [seen(1, "A", merged_into="B"), seen(1, "B", merged_into="C"), seen(1, "C", "50")]
    assert refused(rows, chain) == [4]
    circle = [seen(1, "A", merged_into="B"), seen(1, "B", merged_into="A"), seen(1, "C", "50")]
    assert refused(rows, circle) == [4, 5]
    assert refused(rows, seen(1, "A", merged_into="B"), gone(1, "B"), gone(1, "C")) == [4]


def test_what_carries_an_axis_must_be_there_at_that_time_point():
    rows = [seen(0, "A", "30"), seen(0, "B", "30"), seen(1, "A", merged_into="B")]
    assert refused(rows, seen(2, "B", "40")) == [3]


@pytest.mark.parametrize("status", ["too_small", "unequivocal_progression"])
def test_a_marker_is_above_normal_normal_or_unknown(status):
    assert refused(seen(0, "A", "30"), marker(0, status)) == [2]


def test_a_target_progresses_by_its_diameter_alone():
    assert refused(seen(0, "A", "30"), seen(1, "A", "60", status="unequivocal_progression")) == [2]


@pytest.mark.parametrize("value", ["-1", "NaN", "Infinity", "10001", "1e-30"])
def test_a_diameter_that_is_none_is_refused_of_records_too(value):
    rows = [seen(0, "A", "30"), replace(seen(1, "A"), diameter_mm=Decimal(value))]
    assert refused(rows) == [2]


def test_a_reader_who_did_not_read_the_baseline_is_refused():
    rows = [seen(0, "A", "30", reader="a"), seen(1, "A", "30", reader="b"), new(1, reader="b")]
    assert refused(rows) == [2, 3]


def test_readers_are_judged_apart():
    one = course("30", "21", reader="a")
    two = course("30", "40", reader="b")
    found = respond([*one, *two])
    assert found == (*respond(one), *respond(two))
    assert [row.overall_response and row.overall_response.value for row in found] == [
        None, "PR", None, "PD"]  # fmt: skip


def test_a_reader_has_the_time_points_that_this_reader_read():
    rows = [*course("30", "21", "20", reader="a"), *course("30", reader="b"),
            seen(2, "A", "40", reader="b")]  # fmt: skip
    assert [(row.reader, row.timepoint) for row in respond(rows)] == [
        ("a", "0"), ("a", "1"), ("a", "2"), ("b", "0"), ("b", "2")]  # fmt: skip


def warned(*rows):
    return judge(*rows)["0"].warnings


def many(n, organs=("liver", "lung", "brain", "bone", "skin", "spleen")):
    return [seen(0, name, "30", organ=organ) for name, organ in zip("ABCDEF"[:n], organs,
                                                                    strict=False)]  # fmt: skip


def test_more_than_five_targets_are_a_warning_and_strictly_refused():
    assert warned(many(5)) == ()
    assert warned(many(6)) == ("6 target lesions, more than 5",)
    assert refused(many(6), strict=True) == [1, 2, 3, 4, 5, 6]


def test_more_than_two_targets_an_organ_are_a_warning_and_strictly_refused():
    rows = [seen(0, name, "30", organ=organ)
            for name, organ in zip("ABCD", ("Left lung", "lungs", "right lung", "liver"),
                                   strict=True)]  # fmt: skip
    assert warned(rows) == ("3 target lesions in one organ, more than 2: lung",)
    assert refused(rows, strict=True) == [1, 2, 3]


def test_all_lymph_nodes_are_one_organ():
    rows = [node(0, name, "20") for name in "NO"] + [seen(0, "P", "20", kind="node", organ="iliac")]
    assert warned(rows) == ("3 target lesions in one organ, more than 2: lymph nodes",)


@pytest.mark.parametrize(
    ("row", "is_small"),
    [
        (seen(0, "A", "10"), False),
        (seen(0, "A", "9.9"), True),
        (node(0, "A", "15"), False),
        (node(0, "A", "14.9"), True),
        (seen(0, "A", "10", slice_thickness_mm="5"), False),
        (seen(0, "A", "14.9", slice_thickness_mm="7.5"), True),
        (seen(0, "A", "15", slice_thickness_mm="7.5"), False),
    ],
)
def test_a_target_too_small_at_baseline_is_a_warning_and_strictly_refused(row, is_small):
    assert any("too small" in text for text in warned(row)) is is_small
    if is_small:
        assert refused(row, strict=True) == [1]
    else:
        assert len(respond([row], ResponseOptions(strict=True))) == 1


def test_a_normal_non_target_node_is_a_warning():
    assert any("normal" in text for text in warned(node(0, "N", "9.9", role="non-target")))
    assert warned(node(0, "N", "10", role="non-target")) == ()


def test_scans_of_two_days_are_one_time_point_with_a_warning():
    rows = [seen(0, "A", "30", day=3), seen(0, "B", "30", day=1, organ="lung")]
    found = judge(rows)["0"]
    assert (found.date - FIRST_DAY).days == 1
    assert any("several dates" in text for text in found.warnings)


@pytest.mark.parametrize("options", [{"confirm_days": -1}, {"sd_min_days": -1}])
def test_days_below_0_are_refused(options):
    with pytest.raises(InputError):
        ResponseOptions(**options)


def test_two_targets_an_organ_are_fine():
    assert warned([seen(0, name, "30") for name in "AB"]) == ()


def by_reader(*rows, field="best_overall_response_confirmed", **options):
    """Return a field of each reader's last time point."""
    found = {row.reader: row for row in respond(flat(rows), ResponseOptions(**options))}
    return {reader: getattr(row, field) for reader, row in found.items()}


def read_on(days, reader, sizes=("30", "20", "20"), names=None):
    return [
        seen((names or range(9))[place], "A", size, day=day, reader=reader)
        for place, (day, size) in enumerate(zip(days, sizes, strict=True))
        if size
    ]


def test_another_readers_dates_never_change_a_readers_result():
    one, two = read_on([0, 31, 60], "a"), read_on([0, 31, 50], "b")
    assert by_reader(one, two) == {"a": "PR", "b": "SD"}
    alone = {**by_reader(one), **by_reader(two)}
    assert by_reader(one, two) == alone
    found = {(row.reader, row.timepoint): row for row in respond([*one, *two])}
    assert (found["a", "2"].date - FIRST_DAY).days == 60
    for reader in "ab":
        assert any("differently" in text for text in found[reader, "2"].warnings)
        assert not any("differently" in text for text in found[reader, "1"].warnings)


def test_a_reader_without_a_date_has_the_earliest_of_the_others():
    undated = [replace(row, date=None) for row in read_on([0, 0, 0], "c")]
    rows = [read_on([0, 31, 60], "a"), read_on([0, 31, 58], "b"), undated]
    dates = by_reader(rows, field="date")
    assert (dates["c"] - FIRST_DAY).days == 58
    assert by_reader(read_on([0, 31, 60], "a"), undated)["c"] == "PR"


def test_readers_whose_dates_give_another_order_are_refused():
    names = ("pre", "mid", "post")
    one = read_on([0, 31, 60], "a", names=names)
    two = read_on([0, 31, 20], "b", names=names)
    assert refused(one, read_on([0, 31, 62], "b", names=names)[1:2], two[:1], two[2:]) == [
        2,
        3,
        4,
        6,
    ]
    assert len(respond([*one, *read_on([1, 33, 59], "b", names=names)])) == 6


def test_numbers_give_the_order_whatever_the_dates_say():
    rows = [*read_on([0, 31, 60], "a"), *read_on([0, 31, 20], "b")]
    found = {(row.reader, row.timepoint): row for row in respond(rows)}
    assert any("against the order" in text for text in found["b", "2"].warnings)
    assert found["a", "2"].warnings == (
        "readers date this time point differently: this reader's own date, else the earliest",
    )


def test_blood_drawn_on_another_day_dates_no_scan():
    days = ((0, "30", 20), (1, "20", 50), (2, "20", 79))
    rows = [seen(place, "A", size, day=day) for place, size, day in days]
    rows += [marker(place, "absent", day=day) for place, day in ((0, 0), (2, 70), (3, 99))]
    found = judge(rows)
    assert [(row.date - FIRST_DAY).days for row in found.values()] == [20, 50, 79, 99]
    assert found["2"].best_overall_response_confirmed == "PR"
    assert not any("several dates" in text for row in found.values() for text in row.warnings)


def test_a_marker_without_a_reader_is_every_readers():
    rows = [seen(0, "A", "30", reader=name) for name in "ab"]
    rows += [gone(1, reader=name) for name in "ab"]
    values = [marker(0), marker(1)]
    assert by_reader(rows, values, field="overall_response") == {"a": "PR", "b": "PR"}
    assert by_reader(rows, marker(0), marker(1, "absent"), field="overall_response") == {
        "a": "CR", "b": "CR"}  # fmt: skip


def test_a_readers_own_rows_of_a_marker_go_before_those_of_nobody():
    rows = [seen(0, "A", "30", reader=name) for name in "ab"]
    rows += [gone(1, reader=name) for name in "ab"]
    own = [marker(place, "absent", reader="b") for place in (0, 1)]
    assert by_reader(rows, own, marker(0), marker(1), field="overall_response") == {
        "a": "PR", "b": "CR"}  # fmt: skip


def test_a_marker_of_nobody_does_not_stand_for_a_readers_baseline():
    rows = [seen(0, "A", "30", reader="a"), marker(0), seen(1, "A", "30", reader="b")]
    assert refused(rows) == [3]


def test_other_rows_without_a_reader_are_one_reader_of_no_name_with_a_warning():
    named, nameless = course("30", "21", reader="a"), course("30", "40")
    found = respond([*named, *nameless, marker(1)])
    assert [(row.reader, row.timepoint) for row in found] == [
        ("", "0"), ("", "1"), ("a", "0"), ("a", "1")]  # fmt: skip
    assert [row.overall_response for row in found] == [None, "PD", None, "PR"]
    assert ["no name" in " ".join(row.warnings) for row in found] == [True, False, False, False]
    assert {row.non_target_response for row in found if row.timepoint == "1"} == {"NON-CR/NON-PD"}
    assert not any("no name" in text for row in respond(nameless) for text in row.warnings)


def test_a_target_without_an_organ_is_a_warning_where_it_matters():
    assert warned([seen(0, name, "30", organ="") for name in "AB"]) == ()
    three = [seen(0, "A", "30", organ=""), *(seen(0, name, "30") for name in "BC")]
    assert warned(three) == (
        "target A names no organ: whether an organ has more than 2 targets cannot be judged",
    )
    assert warned([node(0, "A", "30"), *(seen(0, name, "30") for name in "BC")]) == ()
    assert len(respond(three, ResponseOptions(strict=True))) == 1


def test_uptake_at_known_disease_needs_no_row_of_it():
    rows = [seen(0, "A", "30"), new(0, "Z", status="absent", modality="PET")]
    uptake = new(1, "Y", modality="PET", merged_into="A")
    found = judge(rows, uptake)["1"]
    assert (found.new_lesion, found.overall_response) == (False, "NE")
    assert any("known disease" in text for text in found.warnings)
    assert refused(rows, replace(uptake, merged_into="B")) == [3]
    assert refused(rows, replace(uptake, modality="CT")) == [3]


@pytest.mark.parametrize(
    "options",
    [
        {"confirm_days": "28"}, {"confirm_days": 1.5}, {"confirm_days": None}, {"strict": "no"},
        {"sd_min_days": True}, {"strict": 1}, {"criteria": "recist11"}, {"criteria": None},
        {"criteria": ["x"]},
    ],
)  # fmt: skip
def test_options_of_another_type_are_refused(options):
    with pytest.raises(InputError):
        ResponseOptions(**options)


def test_a_message_of_many_faults_stays_short_and_the_rows_stay_whole():
    rows = [seen(0, str(place), "-1") for place in range(2000)]
    with pytest.raises(InputError) as caught:
        respond(rows)
    assert len(caught.value.details["rows"]) == 2000
    assert len(caught.value.message) < 5000
    assert caught.value.message.startswith("2000 faulty rows: line 1: ")
    assert caught.value.message.endswith("; and more in lines 51–2000")
    with pytest.raises(InputError) as caught:
        respond([seen(0, str(place), "-1" if place % 2 else "1") for place in range(2000)])
    assert len(caught.value.message) < 5000
