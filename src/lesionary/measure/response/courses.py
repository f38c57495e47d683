"""One subject's visits as one reader saw them: what the rules are applied to."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.response.sightings import Visit, is_pet, modality_of

KNOWN_ROLES = frozenset({Role.TARGET, Role.NON_TARGET})


@dataclass(frozen=True)
class Course:
    """All time points of one subject by one reader, in order; the first is the baseline.

    Parameters
    ----------
    subject, reader : str
    visits : tuple of Visit
        One for each time point of the subject that this reader read.
    targets, non_targets : tuple of str
        By name.
    dates : mapping of str to datetime.date
        By time point, the earliest of its scans: :func:`~.timepoints.dates_of_reader`.
    warnings : mapping of str to tuple of str
        By time point.
    """

    subject: str
    reader: str
    visits: tuple[Visit, ...]
    targets: tuple[str, ...]
    non_targets: tuple[str, ...]
    dates: Mapping[str, datetime.date]
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def timepoints(self) -> list[str]:
        """Their names, in order."""
        return [visit.timepoint for visit in self.visits]

    @property
    def baseline_date(self) -> datetime.date | None:
        """When the baseline was scanned."""
        return self.dates.get(self.visits[0].timepoint)

    def raised_markers(self, until: Visit) -> tuple[str, ...]:
        """Name the markers that were above normal at any time point up to a visit."""
        return self._raised[until.timepoint]

    @cached_property
    def _raised(self) -> dict[str, tuple[str, ...]]:
        raised: set[str] = set()
        found = {}
        for visit in self.visits:
            raised |= {
                seen.lesion
                for seen in visit.with_role(Role.MARKER)
                if not (seen.has(Status.ABSENT) or seen.has(Status.NOT_EVALUABLE))
            }
            found[visit.timepoint] = tuple(sorted(raised))
        return found


def course_of(
    rows: Sequence[Observation],
    timepoints: Sequence[str],
    dates: Mapping[str, datetime.date],
    warnings: Mapping[str, tuple[str, ...]],
) -> Course:
    """Put one subject's rows by one reader in order.

    Parameters
    ----------
    rows : sequence of Observation
        At least one; checked.
    timepoints : sequence of str
        The subject's, in order; those that this reader did not read are left out.
    dates, warnings : mapping
        As :class:`Course` has them.
    """
    known = {row.lesion for row in rows if row.role in KNOWN_ROLES}
    together: dict[str, list[Observation]] = {}
    for row in rows:
        kept = together.setdefault(row.timepoint, [])
        if not is_known_hot_spot(row, known):
            kept.append(row)
    read = [name for name in timepoints if name in together]
    baseline = Visit.of(read[0], together[read[0]], {})
    modalities = {name: modality_of(seen.rows[0]) for name, seen in baseline.sightings.items()}
    return Course(
        subject=rows[0].subject,
        reader=rows[0].reader,
        visits=tuple(Visit.of(name, together[name], modalities) for name in read),
        targets=_names(rows, Role.TARGET),
        non_targets=_names(rows, Role.NON_TARGET),
        dates=dates,
        warnings=warnings,
    )


def is_known_hot_spot(row: Observation, known: set[str]) -> bool:
    """Tell whether a new row is uptake of a lesion that was there already: then it is not new."""
    return row.role is Role.NEW and is_pet(row) and bool({row.lesion, row.merged_into} & known)


def _names(rows: Sequence[Observation], role: Role) -> tuple[str, ...]:
    return tuple(sorted({row.lesion for row in rows if row.role is role}))
