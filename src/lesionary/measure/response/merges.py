"""Whether what merged lesions name is there to carry their axis."""

from collections.abc import Iterator, Sequence

from lesionary.measure.response.courses import is_known_hot_spot
from lesionary.measure.response.faults import RowFault
from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.response.sightings import is_merged


def merge_faults(rows: Sequence[Observation], known: set[str]) -> Iterator[RowFault]:
    """Find merged rows of one subject, reader and time point without a lesion to carry them.

    Parameters
    ----------
    rows : sequence of Observation
    known : set of str
        Target and non-target lesions: uptake at one of them needs no row of it.
    """
    carriers: dict[str, list[Observation]] = {}
    for row in rows:
        carriers.setdefault(row.lesion, []).append(row)
    for row in rows:
        if row.merged_into and row.merged_into != row.lesion:
            there = carriers.get(row.merged_into, [])
            is_at_known = not there and is_known_hot_spot(row, known)
            if not is_at_known and (why := _why_not(row, there)):
                yield RowFault(row.row, why)


def _why_not(row: Observation, carriers: list[Observation]) -> str:
    if not carriers:
        return "merged_into names a lesion without a row at this time point"
    if any(is_merged(carrier) for carrier in carriers):
        return "merged_into names a lesion that is merged itself: name the one with the axis"
    if all(carrier.status is Status.ABSENT for carrier in carriers):
        return "merged_into names a lesion that is absent"
    if row.role is Role.TARGET and any(carrier.role is not Role.TARGET for carrier in carriers):
        return "a target's axis must be carried by a target"
    return ""
