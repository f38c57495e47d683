"""What can be wrong with one row by itself."""

from collections.abc import Iterator

from lesionary.core.terms import LesionKind
from lesionary.measure.response.amounts import fault_of_mm
from lesionary.measure.response.records import Observation, Role, Status

_OF_MARKERS = frozenset({Status.PRESENT, Status.ABSENT, Status.NOT_EVALUABLE})
_CAN_MERGE = frozenset({Status.PRESENT, Status.MERGED})


def no_names(row: Observation) -> Iterator[str]:
    """Yield which of a row's names are empty."""
    for name in ("subject", "timepoint", "lesion"):
        if not getattr(row, name):
            yield f"no {name}"


def row_reasons(row: Observation) -> Iterator[str]:
    """Yield what is wrong with a row, each as a clause."""
    yield from no_names(row)
    if row.diameter_mm is not None and (why := fault_of_mm(row.diameter_mm)):
        yield f"diameter_mm: {why}"
    elif row.status is Status.ABSENT and row.diameter_mm:
        yield "absent, yet with a diameter above 0"
    if row.slice_thickness_mm is not None:
        if why := fault_of_mm(row.slice_thickness_mm):
            yield f"slice_thickness_mm: {why}"
        elif not row.slice_thickness_mm:
            yield "slice_thickness_mm: 0"
    if row.part and row.kind is LesionKind.NODE:
        yield "a node has no parts: each node is a lesion of its own"
    yield from _status_reasons(row)
    yield from _merge_reasons(row)


def _status_reasons(row: Observation) -> Iterator[str]:
    if row.role is Role.MARKER and row.status not in _OF_MARKERS:
        yield "a marker is present (above normal), absent (normal) or not_evaluable"
    if row.role is Role.TARGET and row.status is Status.UNEQUIVOCAL_PROGRESSION:
        yield "a target progresses by its diameter: unequivocal_progression is for other lesions"


def _merge_reasons(row: Observation) -> Iterator[str]:
    if row.status is Status.MERGED and not row.merged_into:
        yield "merged, but merged_into names no lesion"
    if not row.merged_into:
        return
    if row.status not in _CAN_MERGE:
        yield "merged_into goes with the status merged or present"
    if row.diameter_mm is not None:
        yield "a merged lesion has no diameter of its own: the one it merged into has it"
    if row.merged_into == row.lesion:
        yield "a lesion cannot merge into itself"
