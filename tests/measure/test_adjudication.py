"""Two readers' responses, and the lesion that parts them (X7)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.adjudication import adjudicate
from lesionary.measure.response.records import Observation, Response, Role, Status

READERS = ("one", "two")


def observed(reader, lesion, *diameters_mm, role=Role.TARGET, subject="s"):
    """Return one lesion's observations at time points 0, 1, …; None leaves one out."""
    return [
        Observation(
            subject,
            str(timepoint),
            lesion,
            role,
            LesionKind.TUMOUR,
            "liver",
            Decimal(str(mm)),
            Status.PRESENT if mm else Status.ABSENT,
            reader=reader,
        )
        for timepoint, mm in enumerate(diameters_mm)
        if mm is not None
    ]


def test_the_lesion_that_alone_makes_the_difference_is_named():
    rows = [
        *observed("one", "A", 20, 20),
        *observed("one", "B", 20, 20),
        *observed("two", "A", 20, 20),
        *observed("two", "B", 20, 29),
    ]
    [found] = adjudicate(rows, READERS)
    assert (found.timepoint, found.responses) == ("1", (Response.SD, Response.PD))
    assert (found.causes, found.is_joint) == (("B",), False)
    assert found.seen == {"B": ("target 20 mm", "target 29 mm")}


def test_readings_that_differ_without_consequence_are_not_listed():
    rows = [
        *observed("one", "A", 20, 20, 21),
        *observed("two", "A", 22, 21, 23),
    ]
    assert adjudicate(rows, READERS) == ()


def test_a_new_lesion_that_one_reader_saw_is_the_cause():
    rows = [
        *observed("one", "A", 20, 14),
        *observed("two", "A", 21, 14),
        *observed("two", "N", None, 12, role=Role.NEW),
    ]
    [found] = adjudicate(rows, READERS)
    assert found.responses == (Response.PR, Response.PD)
    assert found.causes == ("N",)
    assert found.seen == {"N": ("not seen", "new 12 mm")}


def test_lesions_that_only_together_make_the_difference_are_named_together():
    rows = [
        *(row for lesion in "ABC" for row in observed("one", lesion, 20, 20)),
        *observed("two", "A", 20, 26),
        *observed("two", "B", 20, 27),
        *observed("two", "C", 20, 27),
    ]
    [found] = adjudicate(rows, READERS)
    assert (found.causes, found.is_joint) == (("B", "C"), True)


def test_settling_a_lesion_either_way_is_enough_to_name_it():
    rows = [
        *observed("one", "A", 20, 20),
        *observed("one", "B", 20, 20),
        *observed("two", "A", 20, 24.5),
        *observed("two", "B", 20, 24),
    ]
    [found] = adjudicate(rows, READERS)
    assert (found.causes, found.is_joint) == (("A", "B"), False)


def test_of_several_that_suffice_the_one_that_moves_the_sum_most_comes_first():
    rows = [
        *observed("one", "A", 20, 20),
        *observed("one", "B", 20, 20),
        *observed("two", "A", 20, 28),
        *observed("two", "B", 20, 33),
    ]
    [found] = adjudicate(rows, READERS)
    assert (found.causes, found.is_joint) == (("B", "A"), False)


def test_a_time_point_that_one_reader_lacks_is_listed():
    rows = [*observed("one", "A", 20, 20, 20), *observed("two", "A", 20, 20)]
    [found] = adjudicate(rows, READERS)
    assert (found.timepoint, found.responses) == ("2", (Response.SD, None))


diameters = st.lists(st.integers(10, 60), min_size=3, max_size=3)


@given(diameters, diameters, diameters, diameters)
def test_exchanging_the_readers_exchanges_nothing_but_their_places(a1, b1, a2, b2):
    rows = [
        *observed("one", "A", *a1),
        *observed("one", "B", *b1),
        *observed("two", "A", *a2),
        *observed("two", "B", *b2),
    ]
    there = adjudicate(rows, READERS)
    back = adjudicate(rows, READERS[::-1])
    assert [one.responses for one in there] == [one.responses[::-1] for one in back]
    assert [one.causes for one in there] == [one.causes for one in back]
    assert all(one.causes for one in there)


@given(diameters, diameters)
def test_a_reader_never_disagrees_with_who_saw_the_same(a, b):
    rows = [*observed("one", "A", *a), *observed("one", "B", *b)]
    assert adjudicate([*rows, *(replace(one, reader="two") for one in rows)], READERS) == ()


@pytest.mark.parametrize("readers", [("one", "one"), ("one", "three")])
def test_readers_are_two_and_have_read(readers):
    with pytest.raises(InputError):
        adjudicate(observed("one", "A", 20, 20), readers)
