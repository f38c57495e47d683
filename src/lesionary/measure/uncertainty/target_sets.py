"""Other choices of targets that the guideline would have allowed just as well."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from lesionary.measure.response.baselines import MOST_AN_ORGAN, MOST_TARGETS
from lesionary.measure.response.courses import Course
from lesionary.measure.response.measurability import counted_organ, is_measurable
from lesionary.measure.response.records import Status
from lesionary.measure.response.sightings import Sighting, is_merged

MOST_SETS = 32
"""More choices than this are drawn at random."""


def choosable(course: Course) -> dict[str, str]:
    """Name the lesions that might be targets, each with the organ that it counts under.

    The recorded targets, and non-targets that were measurable at baseline and have a size at every
    time point. Where lesions merged there is no other choice: what carries an axis was chosen.
    """
    baseline = course.visits[0]
    everything = [row for visit in course.visits for one in visit.sightings.values()
                  for row in one.rows]  # fmt: skip
    others = [] if any(is_merged(row) for row in everything) else course.non_targets
    found = {}
    for lesion in (*course.targets, *(one for one in others if _has_sizes(course, one))):
        row = baseline.sightings[lesion].rows[0]
        found[lesion] = counted_organ(row.kind, row.organ) or f"organ of {lesion}"
    return found


def _has_sizes(course: Course, lesion: str) -> bool:
    seen = [visit.sightings.get(lesion) for visit in course.visits]
    first = seen[0]
    if first is None or not all(one is not None and _has_size(one) for one in seen):
        return False
    slices = [row.slice_thickness_mm for row in first.rows if row.slice_thickness_mm]
    return is_measurable(first.kind, first.measured_mm, max(slices, default=None))


def _has_size(seen: Sighting) -> bool:
    return seen.is_evaluable and not seen.has(Status.UNEQUIVOCAL_PROGRESSION)


def n_choices(organs: Mapping[str, str]) -> int:
    """Count the choices to which no lesion can be added: 5 targets, 2 an organ.

    Examples
    --------
    >>> n_choices({"A": "liver", "B": "liver", "C": "liver", "D": "lung"})
    3
    """
    return _ways(tuple(_sizes(organs)), _n_targets(organs))


def choices(organs: Mapping[str, str], rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return all choices, or :data:`MOST_SETS` of them, each as likely as any other."""
    if n_choices(organs) <= MOST_SETS:
        return [tuple(one) for one in combinations(sorted(organs), _n_targets(organs))
                if _is_valid(one, organs)]  # fmt: skip
    found: set[tuple[str, ...]] = set()
    while len(found) < MOST_SETS:
        found.add(_drawn(organs, rng))
    return sorted(found)


def _is_valid(chosen: Sequence[str], organs: Mapping[str, str]) -> bool:
    counted = [organs[lesion] for lesion in chosen]
    return all(counted.count(organ) <= MOST_AN_ORGAN for organ in counted)


def _drawn(organs: Mapping[str, str], rng: np.random.Generator) -> tuple[str, ...]:
    """Draw one choice, all equally likely: how many of each organ first, then which."""
    names = sorted(set(organs.values()))
    left, chosen = _n_targets(organs), []
    for place, organ in enumerate(names):
        inside = sorted(lesion for lesion, one in organs.items() if one == organ)
        rest = tuple(_sizes(organs)[place + 1 :])
        most = min(MOST_AN_ORGAN, len(inside), left)
        ways = np.array([comb(len(inside), n) * _ways(rest, left - n) for n in range(most + 1)])
        n = int(rng.choice(most + 1, p=ways / ways.sum()))
        chosen += rng.choice(inside, size=n, replace=False).tolist()
        left -= n
    return tuple(sorted(chosen))


def _sizes(organs: Mapping[str, str]) -> list[int]:
    """Return how many lesions each organ has, by the organs' names."""
    counted = list(organs.values())
    return [counted.count(organ) for organ in sorted(set(counted))]


def _n_targets(organs: Mapping[str, str]) -> int:
    return min(MOST_TARGETS, sum(min(n, MOST_AN_ORGAN) for n in _sizes(organs)))


@lru_cache(maxsize=4096)
def _ways(sizes: tuple[int, ...], n_targets: int) -> int:
    """Count the ways to choose ``n_targets`` lesions, 2 an organ at most."""
    if not sizes:
        return int(n_targets == 0)
    most = min(MOST_AN_ORGAN, sizes[0], n_targets)
    return sum(comb(sizes[0], n) * _ways(sizes[1:], n_targets - n) for n in range(most + 1))
