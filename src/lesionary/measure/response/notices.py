"""What looks odd at a time point and is judged all the same."""

from collections.abc import Iterator, Sequence

from lesionary.core.terms import LesionKind
from lesionary.measure.response.courses import is_known_hot_spot
from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.response.sightings import is_pet_ct, modality_of

PET_CT = "a modality of PET and CT at once: CT where there is a diameter, else FDG-PET"
_SEEN = frozenset({Status.PRESENT, Status.TOO_SMALL, Status.UNEQUIVOCAL_PROGRESSION})


def visit_warnings(rows: Sequence[Observation], known: set[str]) -> list[str]:
    """Say what looks odd in one reader's rows of one time point.

    Parameters
    ----------
    rows : sequence of Observation
    known : set of str
        Target and non-target lesions.
    """
    found = set(_of_rows(rows, known))
    if len({row.date for row in rows if row.date and row.role is not Role.MARKER}) > 1:
        found.add("scans of several dates: the earliest is the time point's")
    return sorted(found)


def _of_rows(rows: Sequence[Observation], known: set[str]) -> Iterator[str]:
    modalities: dict[str, set[str]] = {}
    for row in rows:
        modalities.setdefault(row.lesion, set()).add(modality_of(row))
        if is_pet_ct(row):
            yield PET_CT
        if row.status in _SEEN and row.diameter_mm == 0:
            yield f"lesion {row.lesion} has a diameter of 0 mm: it counts as gone"
        if row.status is Status.NOT_EVALUABLE and row.diameter_mm is not None:
            yield f"lesion {row.lesion} is not evaluable: its diameter does not count"
        if is_known_hot_spot(row, known):
            yield f"uptake at lesion {row.merged_into or row.lesion}: known disease is not new"
        elif _is_unmeasured_node(row):
            yield f"new node {row.lesion} was not measured: it does not count"
    for row in rows:
        if row.role is not Role.NEW and len(modalities[row.lesion]) > 1:
            yield f"lesion {row.lesion} has rows of several modalities: one of them is judged"


def _is_unmeasured_node(row: Observation) -> bool:
    return (
        row.role is Role.NEW
        and row.kind is LesionKind.NODE
        and row.status is Status.PRESENT
        and row.diameter_mm is None
    )
