"""What must hold, and what should, at the baseline."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lesionary.core.terms import LesionKind
from lesionary.measure.response.faults import RowFault
from lesionary.measure.response.measurability import counted_organ, is_measurable
from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.response.sightings import NORMAL_NODE_MM, Sighting

_UNSEEN = frozenset({Status.ABSENT, Status.NOT_EVALUABLE})
MOST_TARGETS = 5
MOST_AN_ORGAN = 2

NOT_MEASURED = "a target must be measured at baseline"
NOT_THERE = "a non-target must be there at baseline: what appears later is new"
TOO_EARLY = "nothing can have progressed at the baseline"
NEW_AT_BASELINE = "a new lesion cannot be there at the baseline"


def baseline_faults(rows: Sequence[Observation]) -> Iterator[RowFault]:
    """Find what makes one lesion's rows at the baseline unusable.

    Parameters
    ----------
    rows : sequence of Observation
        Of one lesion, by one reader, at the baseline; at least one.
    """
    why = ""
    if rows[0].role is Role.TARGET:
        seen = Sighting.of(rows)
        why = "" if seen.is_evaluable and seen.measured_mm else NOT_MEASURED
    elif rows[0].role is Role.NON_TARGET:
        if any(row.status is Status.UNEQUIVOCAL_PROGRESSION for row in rows):
            why = TOO_EARLY
        elif all(row.status is Status.ABSENT for row in rows):
            why = NOT_THERE
    if why:
        yield from (RowFault(row.row, why) for row in rows)
    for row in rows:
        if row.role is Role.NEW and row.status not in _UNSEEN:
            yield RowFault(row.row, NEW_AT_BASELINE)


@dataclass(frozen=True, slots=True)
class BeyondGuideline:
    """Targets at baseline that the guideline would not have.

    Parameters
    ----------
    warning : str
        With the names of what it is about.
    refusal : str
        The same for an error, which names nothing.
    rows : tuple of Observation
        What ``--strict`` refuses.
    """

    warning: str
    refusal: str
    rows: tuple[Observation, ...]


def beyond_guideline(rows: Sequence[Observation]) -> Iterator[BeyondGuideline]:
    """Say where targets are too many, too many in one organ, or too small to be measurable.

    Parameters
    ----------
    rows : sequence of Observation
        By one reader of one subject at the baseline.
    """
    targets = _targets(rows)
    if len(targets) > MOST_TARGETS:
        why = f"{len(targets)} target lesions, more than {MOST_TARGETS}"
        everything = tuple(row for group in targets.values() for row in group)
        yield BeyondGuideline(why, why, everything)
    organs: dict[str, list[str]] = {}
    for name, group in targets.items():
        organs.setdefault(counted_organ(group[0].kind, group[0].organ), []).append(name)
    for organ, names in sorted(organs.items()):
        if organ and len(names) > MOST_AN_ORGAN:
            why = f"{len(names)} target lesions in one organ, more than {MOST_AN_ORGAN}"
            there = tuple(row for name in names for row in targets[name])
            yield BeyondGuideline(f"{why}: {organ}", why, there)
    for name, group in targets.items():
        seen = Sighting.of(group)
        slices = [row.slice_thickness_mm for row in seen.rows if row.slice_thickness_mm]
        if not is_measurable(seen.kind, seen.measured_mm, max(slices, default=None)):
            why = "too small at baseline to be measurable"
            yield BeyondGuideline(f"target {name} is {why}", f"a target {why}", tuple(group))


def other_warnings(rows: Sequence[Observation]) -> list[str]:
    """Say what else looks odd at the baseline."""
    return _unknown_organs(rows) + [
        f"non-target node {row.lesion} is below {NORMAL_NODE_MM} mm: a normal node is no lesion"
        for row in sorted(rows, key=lambda row: row.lesion)
        if row.role is Role.NON_TARGET
        and row.kind is LesionKind.NODE
        and row.diameter_mm is not None
        and row.diameter_mm < NORMAL_NODE_MM
    ]


def _unknown_organs(rows: Sequence[Observation]) -> list[str]:
    """Say which targets name no organ where that leaves open if one organ has too many."""
    targets = _targets(rows)
    organs = {name: counted_organ(group[0].kind, group[0].organ) for name, group in targets.items()}
    unnamed = [name for name, organ in organs.items() if not organ]
    most = max(Counter(organ for organ in organs.values() if organ).values(), default=0)
    if not unnamed or len(unnamed) + most <= MOST_AN_ORGAN:
        return []
    few = f"whether an organ has more than {MOST_AN_ORGAN} targets"
    return [f"target {name} names no organ: {few} cannot be judged" for name in unnamed]


def _targets(rows: Sequence[Observation]) -> dict[str, list[Observation]]:
    targets: dict[str, list[Observation]] = {}
    for row in sorted(rows, key=lambda row: (row.lesion, row.part)):
        if row.role is Role.TARGET:
            targets.setdefault(row.lesion, []).append(row)
    return targets
