"""Plots of response: who is drawn where, and that the same rows give the same bytes."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.publish.response import marks
from lesionary.publish.response.courses import Course, Visit, courses_of, days_since_first
from lesionary.publish.response.diameters import diameter_differences, figure_diameters
from lesionary.publish.response.endings import spread
from lesionary.publish.response.growth_curves import figure_growth
from lesionary.publish.response.pictures import reader_endings, response_pictures
from lesionary.publish.response.sheets import sheets
from lesionary.publish.response.spider import figure_spider
from lesionary.publish.response.swimmer import figure_swimmers
from lesionary.publish.response.waterfall import NO_FOLLOW_UP, NO_SUM, bars_of, figure_waterfalls


def course(subject, *follow_ups, best="SD", is_dated=True):
    """Make a course: each follow-up is (change, response, has new lesion)."""
    visits = [Visit("0", 0, 0 if is_dated else None, 0.0, None, None, False)]
    for place, (change, response, has_new) in enumerate(follow_ups, 1):
        day = 50 * place if is_dated else None
        visits.append(Visit(str(place), place, day, change, change, response, has_new))
    return Course(subject, "", False, tuple(visits), best)


def texts(svg):
    return re.findall(r">([^<>]+)</text>", svg)


GROWTH = {
    "subject": "sub-0001",
    "reader": None,
    "days": {"0": 0.0, "1": 7.0, "10": 70.0, "2": 14.0},
    "tumours": [
        {"track": "A", "volumes_ml": [0.1, 0.2, 0.4, 1.6]},
        {"track": "B", "volumes_ml": [0.0, None, 0.1, 0.2]},
    ],
    "burden": [
        {"day": 0.0, "total_ul": 100.0},
        {"day": 14.0, "total_ul": 500.0},
        {"day": 70.0, "total_ul": 1800.0},
    ],
}


def test_the_best_change_is_the_smallest_up_to_the_first_progression():
    one = course("s", (-10, "SD", False), (-35, "PR", False), (40, "PD", True), (-90, "PR", False))
    (bar,), without = bars_of([one])
    assert bar.percent == -35
    assert bar.has_new_lesion
    assert without == []


def test_bars_fall_from_left_to_right():
    courses = [course(f"s{n}", (change, "SD", False)) for n, change in enumerate((5, -40, 80, -3))]
    bars, _ = bars_of(courses)
    assert [bar.percent for bar in bars] == [80, 5, -3, -40]


def test_subjects_without_a_change_are_named_with_the_reason():
    courses = [
        course("alone"),
        course("unseen", (None, "NE", False)),
        course("s", (3, "SD", False)),
    ]
    bars, without = bars_of(courses)
    assert [bar.subject for bar in bars] == ["s"]
    assert without == [("alone", NO_FOLLOW_UP), ("unseen", NO_SUM)]
    (picture,) = figure_waterfalls("waterfall", courses)
    assert f"alone: {NO_FOLLOW_UP}" in picture.svg
    assert f"unseen: {NO_SUM}" in picture.svg


def test_a_tall_bar_is_cut_and_says_how_tall_it_is():
    (picture,) = figure_waterfalls("waterfall", [course("s", (412, "PD", False), best="PD")])
    assert "412" in texts(picture.svg)


def test_nothing_to_show_is_no_picture():
    alone = [course("alone")]
    assert figure_waterfalls("waterfall", alone) == ()
    assert figure_spider("spider", alone) is None
    assert figure_swimmers("swimmer", alone) == ()
    assert figure_growth("growth", []) == ()
    assert figure_diameters("reported", []) is None
    assert response_pictures([]) == ()


def test_time_is_in_days_only_where_every_visit_has_one():
    dated, undated = (
        [course("a", (-3, "SD", False)), course("b", (3, "SD", False), is_dated=is_dated)]
        for is_dated in (True, False)
    )
    assert "days since baseline" in figure_spider("spider", dated).svg
    assert "time point" in texts(figure_spider("spider", undated).svg)
    assert "time point" in texts(figure_swimmers("swimmer", undated)[0].svg)


def test_lanes_say_who_has_not_progressed():
    going, gone = course("a", (-3, "SD", False)), course("b", (30, "PD", False))
    said = "not progressed so far"
    assert said in texts(figure_swimmers("swimmer", [going])[0].svg)
    assert said not in texts(figure_swimmers("swimmer", [gone])[0].svg)


@pytest.mark.parametrize("response", marks.ORDER)
def test_every_response_has_a_look_and_a_place(response):
    assert marks.in_order([None, response]) == [response, marks.UNKNOWN]
    assert marks.mark_of(response).marker


def test_no_two_kinds_of_response_share_a_shape():
    plain = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "iUPD", "NE")
    shapes = [marks.mark_of(name).marker for name in plain]
    assert len(set(shapes)) == len(shapes)


def test_courses_are_read_from_what_respond_puts_out(made):
    judged = made("s", {"A": ("40", "20", "60")}, days=(0, 40, 90))
    (one,) = courses_of([judged])
    assert [visit.day for visit in one.visits] == [0, 40, 90]
    assert [visit.response for visit in one.visits] == [None, "PR", "PD"]
    assert one.best == "PR"
    assert one.has_progressed
    assert one.is_proposed


def test_each_reader_has_pictures_of_its_own(made, together):
    parts = [made("s", {"A": ("40", "20")}, reader=name) for name in ("Anna", "bert")]
    names = [picture.name for picture in response_pictures([together(*parts)])]
    assert names == [
        "waterfall-anna",
        "spider-anna",
        "swimmer-anna",
        "waterfall-bert",
        "spider-bert",
        "swimmer-bert",
    ]


def test_readers_whose_plain_names_agree_are_numbered():
    assert reader_endings(["b b", "B-B"]) == {"b b": "-reader1", "B-B": "-reader2"}
    assert reader_endings(["李", "b"]) == {"李": "-reader1", "b": "-b"}


@given(st.integers(0, 30), st.integers(1, 7))
def test_sheets_hold_every_row_once_in_order(n_rows, most):
    dealt = sheets("name", range(n_rows), most)
    assert [row for _, rows in dealt for row in rows] == list(range(n_rows))
    assert all(0 < len(rows) <= most for _, rows in dealt)
    assert len({name for name, _ in dealt}) == len(dealt)


def test_the_same_rows_give_the_same_bytes(made):
    judged = [
        made(f"s{n}", {"A": ("40", "20", "60"), "new-B": (None, None, "present")}, days=(0, 40, 90))
        for n in range(2)
    ]
    first, second = (
        [data for picture in response_pictures(judged) for _, data in picture.files()]
        for _ in range(2)
    )
    assert first == second
    assert len(first) == 6


def test_growth_is_drawn_in_order_of_days_with_the_humane_endpoint():
    (picture,) = figure_growth("growth", [GROWTH], is_animal=True)
    said = texts(picture.svg)
    assert {"A", "B", "all", "1\u202f500 µL endpoint", "2\u202f000 µL limit"} <= set(said)
    (human,) = figure_growth("growth", [GROWTH])
    assert not any("endpoint" in text for text in texts(human.svg))


def test_growth_may_be_logarithmic_though_a_tumour_is_not_seen_yet():
    (picture,) = figure_growth("growth", [GROWTH], is_animal=True, is_log=True)
    assert "B" in texts(picture.svg)


def test_reported_minus_computed_is_compared_reader_by_reader():
    rows = [
        {"subject": "s", "reader": reader, "reported_mm": 10 + n, "computed_mm": 9.0 + n + n % 2}
        for reader in ("anna", "bert")
        for n in range(6)
    ]
    rows.append({"subject": "s", "reader": "anna", "reported_mm": None, "computed_mm": 3.0})
    anna, bert = diameter_differences(rows)
    assert anna.differences.tolist() == [1, 0, 1, 0, 1, 0]
    assert anna.found.bias == pytest.approx(0.5)
    assert {"anna   n = 6", "bert   n = 6"} <= set(texts(figure_diameters("d", [anna, bert]).svg))


def test_reported_diameters_of_all_subjects_make_one_picture(made):
    judged = [made(name, {"A": ("40",)}) for name in ("s1", "s2")]
    for one in judged:
        one["reported"] = [{"reader": None, "reported_mm": 41.0, "computed_mm": 40.2}]
    (picture,) = response_pictures(judged)
    assert picture.name == "reported-diameters"
    assert "reported − computed   n = 2" in texts(picture.svg)


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.01, 0.3))
def test_names_are_pushed_apart_and_keep_their_order(places, step):
    found = spread(places, step)
    assert all(new >= old for new, old in zip(found, places, strict=True))
    ordered = sorted(found)
    assert all(b - a >= step * 0.999 for a, b in pairwise(ordered))


def test_days_are_unknown_without_the_first_date():
    assert days_since_first([None, "2020-01-01"]) == [None, None]
    assert days_since_first([]) == []
