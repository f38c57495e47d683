"""New lesions: which count as progression, and since when they were there."""

from dataclasses import dataclass, field
from decimal import Decimal

from lesionary.core.terms import LesionKind
from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.response.sightings import (
    NORMAL_NODE_MM,
    Sighting,
    Visit,
    counted_mm,
    is_pet,
    is_seen,
)

CERTAIN_NODE_MM = Decimal(15)
"""A new node of this short axis counts at once; a smaller enlarged one is looked at again."""

SECOND_LOOK = "a node of 10 to < 15 mm is looked at again"
CONFIRMATION = "what FDG-PET alone shows waits for CT"


def has_clean_pet(baseline: Visit) -> bool:
    """Tell whether an FDG-PET at baseline found no other lesion: a new row from PET, absent."""
    rows = (row for seen in baseline.with_role(Role.NEW) for row in seen.rows)
    return any(is_pet(row) and row.status is Status.ABSENT for row in rows)


@dataclass(slots=True)
class NewLesions:
    """What is known of new lesions, one visit after the other.

    Parameters
    ----------
    has_clean_pet : bool
        Whether the baseline has a PET without them: then one that PET alone shows counts.
    waiting : list of str
        A sentence for each lesion of the last visit that is there and does not count yet.
    """

    has_clean_pet: bool
    waiting: list[str] = field(default_factory=list)
    _first_seen: dict[str, str] = field(default_factory=dict)
    _n_enlarged: dict[str, int] = field(default_factory=dict)
    _counted: set[str] = field(default_factory=set)

    def look(self, visit: Visit) -> dict[str, str]:
        """Take in the next visit.

        Returns
        -------
        dict of str to str
            The new lesions that are there and count, each with the time point at which it was
            first seen: a node, of 10 mm or more.
        """
        counting = {}
        self.waiting = []
        for seen in visit.with_role(Role.NEW):
            shown = [row for row in seen.rows if is_seen(row)]
            anatomical = [row for row in shown if not is_pet(row)]
            has_counted = self._counts(seen, anatomical)
            is_hot = len(shown) > len(anatomical)
            if not (is_hot or self._is_abnormal(seen, anatomical)):
                continue
            self._first_seen.setdefault(seen.lesion, visit.timepoint)
            if has_counted or (is_hot and (self.has_clean_pet or seen.lesion in self._counted)):
                self._counted.add(seen.lesion)
                counting[seen.lesion] = self._first_seen[seen.lesion]
            else:
                why = SECOND_LOOK if anatomical else CONFIRMATION
                self.waiting.append(f"new lesion {seen.lesion} does not count yet: {why}")
        return counting

    def _counts(self, seen: Sighting, anatomical: list[Observation]) -> bool:
        """Tell whether CT or MR alone makes it count; nodes below 15 mm need a second look."""
        if not self._is_abnormal(seen, anatomical):
            return False
        if seen.kind is LesionKind.TUMOUR or _is_unequivocal(anatomical):
            return True
        n_seen = self._n_enlarged[seen.lesion] = self._n_enlarged.get(seen.lesion, 0) + 1
        return n_seen > 1 or (_largest(anatomical) or NORMAL_NODE_MM) >= CERTAIN_NODE_MM

    @staticmethod
    def _is_abnormal(seen: Sighting, anatomical: list[Observation]) -> bool:
        if not anatomical:
            return False
        if seen.kind is LesionKind.TUMOUR or _is_unequivocal(anatomical):
            return True
        size = _largest(anatomical)
        return size is not None and size >= NORMAL_NODE_MM


def _is_unequivocal(rows: list[Observation]) -> bool:
    return any(row.status is Status.UNEQUIVOCAL_PROGRESSION for row in rows)


def _largest(rows: list[Observation]) -> Decimal | None:
    return max((size for row in rows if (size := counted_mm(row)) is not None), default=None)
