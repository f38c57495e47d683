"""What of a course has an error: the diameters that somebody measured, and what hangs on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesionary.core.terms import LesionKind
from lesionary.core.volume import FloatArray
from lesionary.measure.response.courses import Course
from lesionary.measure.response.new_lesions import NewLesions, has_clean_pet
from lesionary.measure.response.non_targets import non_target_response
from lesionary.measure.response.records import Observation
from lesionary.measure.response.sightings import (
    Sighting,
    Visit,
    counted_mm,
    is_certain_disease,
    is_disease,
    is_merged,
)
from lesionary.measure.uncertainty.rules import Picometres, VisitRules, code_of, picometres

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Readings:
    """All measured diameters of one course, in order of visits.

    Parameters
    ----------
    sizes_mm : array, shape (n,)
        As read; above 0.
    sizes : array of int, shape (n,)
        The same in picometres.
    visits, lesions, chains : array of int, shape (n,)
        Which visit, which lesion, which chain. A chain is one thing that grows and shrinks: a
        lesion, a part of one, or one that took up another.
    slices_mm : array, shape (n,)
        Slice thickness, NaN where the table has none.
    names : tuple of str
        Of the lesions.
    places : mapping
        Place of each reading by visit and row.
    n_visits, n_chains : int
    """

    sizes_mm: FloatArray
    sizes: Picometres
    visits: Places
    lesions: Places
    chains: Places
    slices_mm: FloatArray
    names: tuple[str, ...]
    places: Mapping[tuple[int, Observation], int]
    n_visits: int
    n_chains: int

    def __len__(self) -> int:
        return len(self.sizes_mm)


def readings_of(course: Course, lesions: Sequence[str]) -> Readings:
    """Collect the measured diameters of some lesions of a course.

    Parameters
    ----------
    course : Course
    lesions : sequence of str
        Targets, and whatever else might have been one.
    """
    found: list[tuple[int, str, Observation]] = []
    chains: dict[tuple[str, str, frozenset[str]], int] = {}
    chain_of: list[int] = []
    for place, visit in enumerate(course.visits):
        taken_up = _taken_up(visit)
        for lesion in lesions:
            sighting = visit.sightings.get(lesion)
            for row in () if sighting is None else sighting.rows:
                if is_measured(row):
                    found.append((place, lesion, row))
                    key = (lesion, row.part, taken_up.get(lesion, frozenset()))
                    chain_of.append(chains.setdefault(key, len(chains)))
    names = tuple(dict.fromkeys(lesion for _, lesion, _ in found))
    sizes_mm = [row.diameter_mm for _, _, row in found if row.diameter_mm is not None]
    return Readings(
        sizes_mm=np.array([float(size) for size in sizes_mm]),
        sizes=np.array([picometres(size) for size in sizes_mm], dtype=np.int64),
        visits=np.array([place for place, _, _ in found], dtype=np.int64),
        lesions=np.array([names.index(lesion) for _, lesion, _ in found], dtype=np.int64),
        chains=np.array(chain_of, dtype=np.int64),
        slices_mm=np.array([float(row.slice_thickness_mm or np.nan) for _, _, row in found]),
        names=names,
        places={(place, row): n for n, (place, _, row) in enumerate(found)},
        n_visits=len(course.visits),
        n_chains=len(chains),
    )


def is_measured(row: Observation) -> bool:
    """Tell whether a row adds a diameter of its own to a sum."""
    return bool(row.diameter_mm) and bool(counted_mm(row))


def _taken_up(visit: Visit) -> dict[str, frozenset[str]]:
    """Map each lesion that carries another's axis to those it took up."""
    carried: dict[str, set[str]] = {}
    for sighting in visit.sightings.values():
        if sighting.merged_into:
            carried.setdefault(sighting.merged_into, set()).add(sighting.lesion)
    return {carrier: frozenset(names) for carrier, names in carried.items()}


def with_targets(course: Course, targets: Sequence[str]) -> Course:
    """Return the course as it were with other targets: the rest becomes non-target."""
    known = {*course.targets, *course.non_targets}
    return replace(
        course, targets=tuple(sorted(targets)), non_targets=tuple(sorted(known - set(targets)))
    )


def visit_rules(course: Course, readings: Readings) -> tuple[VisitRules, ...]:
    """Return what each visit makes of the readings' sizes.

    Statuses, non-target and new lesions are taken as they were read.
    """
    new_lesions = NewLesions(has_clean_pet(course.visits[0]))
    return tuple(
        _rules(course, readings, place, is_new=bool(new_lesions.look(visit)))
        for place, visit in enumerate(course.visits)
    )


def _rules(course: Course, readings: Readings, place: int, *, is_new: bool) -> VisitRules:
    visit = course.visits[place]
    targets = [visit.sightings.get(lesion) for lesion in course.targets]
    seen = [one for one in targets if one is not None]
    rows = [row for one in seen for row in one.rows]
    shown = [row for one in seen for row in _rows_that_show(one, visit)]
    nodes = [row for row in shown if _depends_on_size(row)]
    return VisitRules(
        cells=tuple(readings.places[place, row] for row in rows if is_measured(row)),
        fixed=sum(
            picometres(size)
            for row in rows
            if not is_measured(row) and (size := counted_mm(row)) is not None
        ),
        nodes=tuple(sorted({readings.places[place, row] for row in nodes})),
        is_complete=all(one is not None and one.is_evaluable for one in targets),
        has_disease=any(is_disease(row) for row in shown if not _depends_on_size(row)),
        has_certain_disease=any(
            is_certain_disease(row) for row in shown if not _depends_on_size(row)
        ),
        has_other_disease=any(visit.has_disease(lesion) for lesion in course.non_targets),
        non_target=code_of(
            non_target_response(course.non_targets, course.raised_markers(visit), visit)
        ),
        is_new=is_new,
    )


def _rows_that_show(sighting: Sighting, visit: Visit) -> list[Observation]:
    carrier = visit.sightings.get(sighting.merged_into)
    return [*sighting.rows, *(() if carrier is None else carrier.rows)]


def _depends_on_size(row: Observation) -> bool:
    return row.kind is LesionKind.NODE and is_measured(row) and not is_merged(row)
