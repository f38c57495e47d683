"""The rules over many courses at once say what ``respond`` says of each (X4)."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.measure.response.checks import checked_courses
from lesionary.measure.response.judging import respond
from lesionary.measure.uncertainty.readings import (
    Readings,
    is_measured,
    readings_of,
    visit_rules,
    with_targets,
)
from lesionary.measure.uncertainty.rules import (
    CATEGORIES,
    NOTHING,
    UNIT,
    code_of,
    judge_courses,
    picometres,
)
from uncertainty_courses import courses

MANY = settings(max_examples=100, deadline=None)


def drawn(readings: Readings, random, n_draws=6):
    """Scale readings at random; some land on a threshold exactly."""
    factors = [[random.choice([0.5, 0.7, 0.95, 1, 1.05, 1.2, 1.5, 3]) for _ in range(len(readings))]
               for _ in range(n_draws)]  # fmt: skip
    found = np.rint(readings.sizes * np.array(factors).reshape(n_draws, -1)).astype(np.int64)
    found[0] = readings.sizes
    found[1] = found[1] // (5 * UNIT) * 5 * UNIT + UNIT
    return found


def with_sizes(rows, readings: Readings, timepoints, sizes):
    """Put drawn sizes in the place of what was read."""
    places = {key: size for (key, _), size in zip(readings.places.items(), sizes, strict=True)}
    found = []
    for row in rows:
        key = (timepoints.index(row.timepoint), row)
        size = places.get(key)
        changed = row if size is None else replace(row, diameter_mm=Decimal(int(size)) / UNIT)
        found.append(changed)
    return found


def said(rows):
    return [code_of(row.overall_response) for row in respond(rows)]


@MANY
@given(courses(), st.randoms(use_true_random=False))
def test_every_drawn_course_is_judged_as_respond_judges_it(rows, random):
    rows = [replace(row, row=place) for place, row in enumerate(rows, start=1)]
    (course,) = checked_courses(rows)
    readings = readings_of(course, course.targets)
    rules = visit_rules(course, readings)
    sizes = drawn(readings, random)
    codes = judge_courses(rules, sizes, has_targets=bool(course.targets))
    for own, one in zip(codes, sizes, strict=True):
        assert own.tolist() == said(with_sizes(rows, readings, course.timepoints, one))


@MANY
@given(courses(), st.randoms(use_true_random=False))
def test_another_choice_of_targets_is_judged_as_if_the_table_had_made_it(rows, random):
    rows = [replace(row, row=place) for place, row in enumerate(rows, start=1)]
    if any(row.merged_into for row in rows):
        return
    (course,) = checked_courses(rows)
    known = [*course.targets, *course.non_targets]
    chosen = [lesion for lesion in known if random.random() < 0.6]
    plain = [
        row
        for row in rows
        if row.lesion in known and (row.part or row.status == "unequivocal_progression")
    ]
    if plain or not chosen:
        return
    other = with_targets(course, chosen)
    readings = readings_of(course, known)
    codes = judge_courses(visit_rules(other, readings), readings.sizes[None], has_targets=True)
    roles = {lesion: "target" if lesion in chosen else "non-target" for lesion in known}
    swapped = [replace(row, role=type(row.role)(roles.get(row.lesion, row.role))) for row in rows]
    assert codes[0].tolist() == said(swapped)


def test_codes_name_all_categories_and_nothing():
    assert [code_of(one) for one in CATEGORIES] == list(range(NOTHING))
    assert code_of(None) == NOTHING
    assert picometres(Decimal("0.1")) * 10 == UNIT


def test_nothing_that_is_merged_or_unmeasured_has_an_error():
    from response_rows import gone, seen

    rows = [
        seen(1, "A", "12"), seen(1, "B"), gone(1, "C"), seen(1, "D", "0"),
        seen(1, "E", status="too_small"), seen(1, "F", status="merged", merged_into="A"),
        seen(1, "G", "3", status="too_small"),
    ]  # fmt: skip
    assert [row.lesion for row in rows if is_measured(row)] == ["A", "G"]
