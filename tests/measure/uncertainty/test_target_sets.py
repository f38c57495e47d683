"""Which other choices of targets there are, and that each is as likely as any other (X4)."""

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.measure.response.checks import checked_courses
from lesionary.measure.uncertainty import target_sets
from lesionary.measure.uncertainty.target_sets import choices, choosable, n_choices
from response_rows import course, node, other, seen

ORGANS = st.lists(st.sampled_from(["liver", "lung", "bone", "kidney"]), min_size=1, max_size=7)


def slow_choices(organs):
    """Every set that keeps the limits and to which no lesion can be added."""
    valid = [
        set(some)
        for n in range(len(organs) + 1)
        for some in combinations(sorted(organs), n)
        if n <= 5 and max(Counter(organs[one] for one in some).values(), default=0) <= 2
    ]
    return {
        tuple(sorted(one)) for one in valid if not any(one < another for another in valid)
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ORGANS)
def test_choices_are_those_that_a_slow_search_finds(names):
    organs = {f"L{place}": organ for place, organ in enumerate(names)}
    slow = slow_choices(organs)
    assert n_choices(organs) == len(slow)
    found = choices(organs, np.random.default_rng(0))
    assert set(found) <= slow
    assert len(found) == min(len(slow), target_sets.MOST_SETS)


def test_of_many_choices_some_are_drawn_and_each_is_as_likely():
    organs = {f"L{place}": ["liver", "lung", "bone", "kidney"][place % 4] for place in range(10)}
    assert n_choices(organs) > target_sets.MOST_SETS
    rng = np.random.default_rng(1)
    counts = Counter(target_sets._drawn(organs, rng) for _ in range(4_000))
    expected = 4_000 / n_choices(organs)
    assert len(counts) <= n_choices(organs)
    chi_square = sum((n - expected) ** 2 for n in counts.values()) / expected
    degrees = n_choices(organs) - 1
    assert chi_square < degrees + 5 * (2 * degrees) ** 0.5


def organs_of(rows):
    (found,) = checked_courses(rows)
    return choosable(found)


def test_a_non_target_that_was_measurable_and_measured_throughout_might_have_been_one():
    rows = [*course("30", "24"), other(0, "X", diameter="14"), other(1, "X", diameter="13")]
    assert organs_of(rows) == {"A": "liver", "X": "liver"}


def test_too_small_unmeasured_or_progressed_non_targets_might_not():
    rows = [
        *course("30", "24"),
        other(0, "X", diameter="8"), other(1, "X", diameter="12"),
        other(0, "Y", diameter="20"), other(1, "Y"),
        other(0, "Z", diameter="20"), other(1, "Z", "unequivocal_progression", diameter="40"),
        other(0, "W", diameter="20"),
    ]  # fmt: skip
    assert organs_of(rows) == {"A": "liver"}


def test_where_lesions_merged_there_is_no_other_choice():
    rows = [
        *course("30", "40"), seen(0, "B", "20"), seen(1, "B", status="merged", merged_into="A"),
        other(0, "X", diameter="14"), other(1, "X", diameter="13"),
    ]  # fmt: skip
    assert organs_of(rows) == {"A": "liver", "B": "liver"}


def test_all_nodes_are_one_organ():
    rows = [node(0, "N", "20"), node(1, "N", "18"), node(0, "M", "22"), node(1, "M", "18")]
    assert set(organs_of(rows).values()) == {"lymph nodes"}
