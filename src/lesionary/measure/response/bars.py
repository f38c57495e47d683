"""What iRECIST holds later visits against: what was seen when a category progressed."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from decimal import Decimal

from lesionary.measure.response.amounts import total
from lesionary.measure.response.courses import Course
from lesionary.measure.response.new_targets import NewTargets, size_of
from lesionary.measure.response.records import Role, Status
from lesionary.measure.response.sightings import Visit
from lesionary.measure.response.targets import LEAST_RISE_MM
from lesionary.measure.response.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Bar:
    """What was seen at one visit: further than this is further.

    Parameters
    ----------
    place : int
        Of the visit, from 1 after the baseline.
    target_mm : Decimal or None
        Sum of the targets; None while one has not been evaluable since.
    least_target_mm : Decimal or None
        Sum of those that were evaluable; None without targets.
    new_target_mm : Decimal or None
        Sum of the new lesions that are followed.
    followed : frozenset of str
        Their names, and those that were measured only later.
    counting : mapping of str to int
        New lesions that counted, each with the place at which it was first seen.
    sizes : mapping of str to Decimal or None
        Of non-target and new lesions that had a row and an axis of their own; gone is 0.
    unequivocal : frozenset of str
        Non-target and new lesions of unequivocal progression.
    gone : frozenset of str
        Target and non-target lesions that were looked at and showed no disease.
    shown : frozenset of str
        Target and non-target lesions that showed disease; of targets, whatever their size.
    """

    place: int
    target_mm: Decimal | None
    least_target_mm: Decimal | None
    new_target_mm: Decimal | None
    followed: frozenset[str]
    counting: Mapping[str, int]
    sizes: Mapping[str, Decimal | None]
    unequivocal: frozenset[str]
    gone: frozenset[str]
    shown: frozenset[str]

    @classmethod
    def of(
        cls, course: Course, verdict: Verdict, new_targets: NewTargets, places: Mapping[str, int]
    ) -> "Bar":
        """Return what would be the bar if a category progressed at this visit.

        Parameters
        ----------
        course : Course
        verdict : Verdict
        new_targets : NewTargets
            With those of this visit.
        places : mapping of str to int
            Of the time points up to this one.
        """
        visit, targets = verdict.visit, verdict.targets
        others = (*visit.with_role(Role.NON_TARGET), *visit.with_role(Role.NEW))
        known = (*course.targets, *course.non_targets)
        shown = [name for name in course.targets if visit.has_certain_disease(name)]
        shown += [name for name in course.non_targets if visit.has_disease(name)]
        return cls(
            place=places[visit.timepoint],
            target_mm=targets.sum_mm if targets else None,
            least_target_mm=targets.measured_mm if targets else None,
            new_target_mm=new_targets.sum_mm(visit),
            followed=frozenset(new_targets.organs),
            counting={name: places[first] for name, first in verdict.counting.items()},
            sizes={seen.lesion: None if seen.merged_into else size_of(seen) for seen in others},
            unequivocal=frozenset(
                seen.lesion for seen in others if seen.has(Status.UNEQUIVOCAL_PROGRESSION)
            ),
            gone=frozenset(name for name in known if _is_gone(name, visit)),
            shown=frozenset(shown),
        )

    def filled(self, now: "Bar") -> "Bar":
        """Take from a later visit the sums and sizes of new lesions that this one lacked.

        No sum is taken for less than what was certain of it.
        """
        unsized = {
            name
            for name in now.counting
            if self.sizes.get(name) is None and now.sizes.get(name) is not None
        }
        joined = (now.followed & unsized) - self.followed
        followed = self.followed | joined
        if self.new_target_mm is None:
            new_mm = _at_least(None, _sum_of(followed, now), _least_of(self.followed, self))
        else:
            new_mm = total([self.new_target_mm, _least_of(joined, now)])
        return replace(
            self,
            target_mm=_at_least(self.target_mm, now.target_mm, self.least_target_mm),
            new_target_mm=new_mm,
            followed=followed,
            sizes={**self.sizes, **{name: now.sizes[name] for name in unsized}},
        )


def target_is_further(bar: Bar, now: Bar) -> bool:
    """Tell whether the targets surely lie 5 mm above the bar."""
    return _rise(bar.target_mm, now.least_target_mm) >= LEAST_RISE_MM


def non_target_is_further(bar: Bar, now: Bar) -> bool:
    """Tell whether a non-target lesion grew, came back, or progresses again without diameters."""
    lesions = now.shown & set(now.sizes)
    return any(_has_grown(lesion, bar, now) for lesion in lesions) or any(
        lesion in bar.gone for lesion in lesions
    )


def return_is_further(bar: Bar, now: Bar) -> bool:
    """Tell the same of disease after a complete response, where another lesion may come back."""
    has_another = bool(now.shown & bar.gone)
    return has_another or target_is_further(bar, now) or non_target_is_further(bar, now)


def new_is_further(bar: Bar, now: Bar) -> bool:
    """Tell whether new lesions are more, or larger: followed ones by 5 mm, others at all.

    One that was there already at the bar's visit is no other one when it counts only later.
    """
    if any(first > bar.place or bar.sizes.get(name) == 0 for name, first in now.counting.items()):
        return True
    if _rise(bar.new_target_mm, _least_of(bar.followed, now)) >= LEAST_RISE_MM:
        return True
    return any(
        _is_again_unequivocal(name, bar, now)
        or (name not in bar.followed and _rise(bar.sizes.get(name), now.sizes.get(name)) > 0)
        for name in now.counting
    )


def _has_grown(lesion: str, bar: Bar, now: Bar) -> bool:
    rise = _rise(bar.sizes.get(lesion), now.sizes.get(lesion))
    return rise > 0 or _is_again_unequivocal(lesion, bar, now)


def _is_again_unequivocal(lesion: str, bar: Bar, now: Bar) -> bool:
    """Tell whether a reader says progression where that is news, or no diameters say otherwise."""
    if lesion not in now.unequivocal:
        return False
    is_unsized = bar.sizes.get(lesion) is None or now.sizes.get(lesion) is None
    return is_unsized or lesion not in bar.unequivocal


def _is_gone(lesion: str, visit: Visit) -> bool:
    return (
        lesion in visit.sightings and visit.is_looked_at(lesion) and not visit.has_disease(lesion)
    )


def _sum_of(followed: Set[str], bar: Bar) -> Decimal | None:
    """Add up the new lesions of these names; None where there are none, or one has no size."""
    has_all = all(bar.sizes.get(name) is not None for name in followed)
    return _least_of(followed, bar) if followed and has_all else None


def _least_of(followed: Set[str], bar: Bar) -> Decimal:
    sizes = (bar.sizes.get(name) for name in followed)
    return total([size for size in sizes if size is not None])


def _at_least(
    known: Decimal | None, later: Decimal | None, least: Decimal | None
) -> Decimal | None:
    if known is not None or later is None:
        return known
    return later if least is None else max(later, least)


def _rise(before: Decimal | None, after: Decimal | None) -> Decimal:
    return Decimal(0) if before is None or after is None else after - before
