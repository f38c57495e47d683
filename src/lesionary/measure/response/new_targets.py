"""New lesions that iRECIST measures: up to five, up to two an organ, apart from the targets."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from lesionary.measure.response.amounts import total
from lesionary.measure.response.baselines import MOST_AN_ORGAN, MOST_TARGETS
from lesionary.measure.response.measurability import counted_organ, is_measurable
from lesionary.measure.response.records import Role, Status
from lesionary.measure.response.sightings import (
    Sighting,
    Visit,
    counted_mm,
    is_pet,
    is_seen,
    modality_of,
)


def size_of(seen: Sighting) -> Decimal | None:
    """Return the size of a new lesion; None where it was not measured.

    Parts of a split add up; of several modalities the largest counts. Gone is 0. PET sees no size.
    """
    sums: dict[str, list[Decimal | None]] = {}
    for row in seen.rows:
        if not is_pet(row):
            sums.setdefault(modality_of(row), []).append(counted_mm(row))
    sizes = [
        total([part for part in parts if part is not None])
        for parts in sums.values()
        if None not in parts
    ]
    if sizes:
        return max(sizes)
    is_known = not any(is_seen(row) or row.status is Status.NOT_EVALUABLE for row in seen.rows)
    return Decimal(0) if is_known else None


@dataclass(slots=True)
class NewTargets:
    """The new lesions that are followed by size, in the order in which they were taken."""

    organs: dict[str, str] = field(default_factory=dict)

    def take(self, visit: Visit) -> None:
        """Take in new lesions that can be measured, largest first, ties by name, while any fit.

        Who is in stays in; who is too small may come in once it is large enough.
        """
        sized = [
            (size, seen)
            for seen in visit.with_role(Role.NEW)
            if (size := size_of(seen)) is not None and is_measurable(seen.kind, size)
        ]
        for _, seen in sorted(sized, key=lambda pair: (-pair[0], pair[1].lesion)):
            organ = counted_organ(seen.kind, seen.rows[0].organ)
            n_there = Counter(self.organs.values())[organ]
            is_full = len(self.organs) >= MOST_TARGETS or (organ and n_there >= MOST_AN_ORGAN)
            if seen.lesion not in self.organs and not is_full:
                self.organs[seen.lesion] = organ

    def sum_mm(self, visit: Visit) -> Decimal | None:
        """Add up those taken so far; None where there are none, or one is not evaluable."""
        sizes = []
        for lesion in self.organs:
            seen = visit.sightings.get(lesion)
            size = None if seen is None else size_of(seen)
            if size is None:
                return None
            sizes.append(size)
        return total(sizes) if sizes else None
