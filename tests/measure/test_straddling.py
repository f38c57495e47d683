"""Lesions whose side of a threshold hangs on the definition (R8, X3)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.straddling import LesionSizes, Size, sphere_mm, straddling


def seen(timepoint="0", kind=LesionKind.TUMOUR, thickness_mm=None, **sizes_mm):
    sizes = {Size[name.upper()]: mm for name, mm in sizes_mm.items()}
    return LesionSizes(timepoint, "A", kind, sizes, thickness_mm)


def told(course):
    return [(one.timepoint, one.threshold, one.definition) for one in straddling(course)]


def test_a_tumour_that_the_rectangle_leaves_below_ten_is_listed_with_both_values():
    [found] = straddling([seen(caliper=10.3, rectangle=9.4, sphere=10.1)])
    assert (found.threshold, found.limit, found.definition) == ("measurable", 10.0, Size.RECTANGLE)
    assert (found.reported, found.other) == (10.3, 9.4)


@pytest.mark.parametrize(
    ("thickness_mm", "limit_mm"), [(None, 10), (2.5, 10), (5.0, 10), (5.1, 10.2), (7.5, 15)]
)
def test_thick_slices_ask_for_twice_their_thickness(thickness_mm, limit_mm):
    course = [seen(thickness_mm=thickness_mm, caliper=limit_mm, sphere=limit_mm - 0.01)]
    assert told(course) == [("0", "measurable", Size.SPHERE)]


def test_a_node_is_held_against_ten_and_fifteen_also_by_its_long_axis():
    course = [seen(kind=LesionKind.NODE, caliper=9.5, long_axis=16.0)]
    assert told(course) == [
        ("0", "node_normal", Size.LONG_AXIS),
        ("0", "node_target", Size.LONG_AXIS),
    ]


def test_a_change_is_held_against_its_own_past_in_the_same_definition():
    course = [
        seen("0", caliper=30, sphere=24),
        seen("1", caliper=21, sphere=17),
        seen("2", caliper=26, sphere=20),
    ]
    assert told(course) == [("1", "shrunk", Size.SPHERE), ("2", "grown", Size.SPHERE)]
    shrunk, grown = straddling(course)
    assert (shrunk.limit, grown.limit) == (pytest.approx(-30), pytest.approx(20))
    assert shrunk.reported == pytest.approx(-30)
    assert shrunk.other == pytest.approx(100 * (17 / 24 - 1))


def test_growth_of_a_fifth_below_five_millimetres_is_none():
    course = [seen("0", caliper=11, sphere=30), seen("1", caliper=15, sphere=36)]
    assert told(course) == [("1", "grown", Size.SPHERE)]


def test_what_was_gone_or_was_not_measured_has_no_change():
    gone = [seen("0", caliper=12, sphere=12), seen("1", caliper=0, sphere=0)]
    assert told([*gone, seen("2", caliper=30, sphere=30)])[2:] == []
    assert told([seen("0", caliper=30), seen("1", caliper=20, sphere=24)]) == []


@given(st.lists(st.floats(1, 90), min_size=1, max_size=5), st.sampled_from(LesionKind))
def test_definitions_that_agree_straddle_nothing(sizes_mm, kind):
    course = [
        seen(str(n), kind, caliper=mm, long_axis=mm, rectangle=mm, sphere=mm)
        for n, mm in enumerate(sizes_mm)
    ]
    assert straddling(course) == ()


@given(st.floats(0.1, 200))
def test_a_sphere_has_its_own_diameter(mm):
    assert sphere_mm(math.pi / 6000 * mm**3) == pytest.approx(mm)


def test_a_course_is_one_lesion_s_and_has_the_report_s_diameter():
    with pytest.raises(InputError):
        straddling([seen(sphere=10)])
    with pytest.raises(InputError):
        straddling([seen(caliper=10), LesionSizes("1", "B", LesionKind.TUMOUR, {Size.CALIPER: 10})])
