"""iRECIST: a progression waits for its confirmation, and may turn out to be none.

Each category (target, non-target, new lesions, return after CR) that progresses gets a bar: what
was seen then. Going further above a bar, or progression in another category, four to eight weeks
after the first unconfirmed progression, confirms it. A category that no longer progresses loses its
bar; so do all once the patient is iSD, iPR or iCR.
"""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lesionary.measure.response.courses import Course
from lesionary.measure.response.new_targets import NewTargets, size_of
from lesionary.measure.response.records import ImmuneResponse, Response, Role, Status
from lesionary.measure.response.targets import LEAST_RISE_MM
from lesionary.measure.response.verdicts import Verdict

EARLIEST_DAYS, LATEST_DAYS = 28, 56
"""Four to eight weeks: when an unconfirmed progression is looked at again."""

IMMUNE = {
    Response.CR: ImmuneResponse.ICR,
    Response.PR: ImmuneResponse.IPR,
    Response.SD: ImmuneResponse.ISD,
    Response.PD: ImmuneResponse.IUPD,
    Response.NE: ImmuneResponse.NE,
    Response.NON_CR_NON_PD: ImmuneResponse.NON_ICR_NON_IUPD,
}
RANKING = (
    ImmuneResponse.ICR, ImmuneResponse.IPR, ImmuneResponse.ISD, ImmuneResponse.NON_ICR_NON_IUPD,
    ImmuneResponse.ICPD, ImmuneResponse.IUPD, ImmuneResponse.NE,
)  # fmt: skip
"""From the best, as far as the course goes until it is confirmed to have progressed."""

NO_DATES = "without dates the next time point counts as four to eight weeks later"
TOO_EARLY = "less than 4 weeks after the unconfirmed progression: too early to confirm it"
LATE = "more than 8 weeks after the unconfirmed progression"


class Category(StrEnum):
    """What can progress by itself."""

    TARGET = "target"
    NON_TARGET = "non-target"
    NEW = "new"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Bar:
    """What was seen when a category progressed: further than this is further.

    Parameters
    ----------
    target_mm : Decimal or None
        Sum of the targets; None where one was not evaluable.
    least_target_mm : Decimal or None
        Sum of those that were.
    new_target_mm : Decimal or None
        Sum of the new lesions that are followed.
    followed : frozenset of str
        Their names.
    counting : frozenset of str
        New lesions that counted.
    sizes : dict of str to Decimal or None
        Of non-target and new lesions that had a row.
    unequivocal : frozenset of str
        Non-target lesions of unequivocal progression.
    """

    target_mm: Decimal | None
    least_target_mm: Decimal | None
    new_target_mm: Decimal | None
    followed: frozenset[str]
    counting: frozenset[str]
    sizes: dict[str, Decimal | None]
    unequivocal: frozenset[str]


@dataclass(slots=True)
class ImmuneCourse:
    """iRECIST over one course, one verdict of RECIST 1.1 after the other."""

    course: Course
    new_targets: NewTargets = field(default_factory=NewTargets)
    bars: dict[Category, Bar] = field(default_factory=dict)
    since: str | None = None
    is_confirmed: bool = False
    first_confirmed: str | None = None
    overall: list[ImmuneResponse] = field(default_factory=list)

    def judge(self, verdict: Verdict) -> dict[str, Any]:
        """Return the fields that iRECIST adds to a time point, with reasons and warnings."""
        self.new_targets.take(verdict.visit)
        now = self._seen(verdict)
        progressing = _progressing(verdict)
        further = self._further(progressing, now)
        warnings: list[str] = []
        may_confirm = bool(further) and self._may_confirm(verdict, warnings)
        confirming = further if may_confirm else set()
        was_confirmed = self.is_confirmed
        self._move_bars(
            verdict,
            progressing | confirming,
            now,
            is_confirming=bool(confirming),
            is_early=further != confirming,
        )
        if confirming:
            self.is_confirmed = True
            self.first_confirmed = self.first_confirmed or self.since
        certain = set(Category) if was_confirmed and self.is_confirmed else confirming
        overall = self._overall(verdict, is_progressing=bool(progressing | confirming))
        best = self._best(overall)
        new_sum = self.new_targets.sum_mm(verdict.visit)
        why = "a new lesion that is followed is not evaluable" if self.new_targets.organs else ""
        return {
            "i_target_response": _immune(verdict.target, Category.TARGET, progressing, certain),
            "i_non_target_response": _immune(
                verdict.non_target, Category.NON_TARGET, progressing | confirming, certain
            ),
            "i_overall_response": overall,
            "i_best_overall_response": best,
            "new_target_sum_mm": new_sum,
            "i_progressed": self.first_confirmed is not None,
            "i_progression_timepoint": self.first_confirmed,
            "more_warnings": warnings,
            "reason": {"new_target_sum_mm": why},
        }

    def _seen(self, verdict: Verdict) -> Bar:
        """Return what would be the bar if a category progressed here."""
        visit, targets = verdict.visit, verdict.targets
        non_targets, new = visit.with_role(Role.NON_TARGET), visit.with_role(Role.NEW)
        return Bar(
            target_mm=targets.sum_mm if targets else None,
            least_target_mm=targets.measured_mm if targets else None,
            new_target_mm=self.new_targets.sum_mm(visit),
            followed=frozenset(self.new_targets.organs),
            counting=frozenset(verdict.counting),
            sizes={seen.lesion: size_of(seen) for seen in (*non_targets, *new)},
            unequivocal=frozenset(
                seen.lesion for seen in non_targets if seen.has(Status.UNEQUIVOCAL_PROGRESSION)
            ),
        )

    def _further(self, progressing: set[Category], now: Bar) -> set[Category]:
        """Return the categories that went beyond their bar, or progress beside another's."""
        if not self.bars:
            return set()
        checks = {
            Category.TARGET: lambda bar: _target_is_further(bar, now),
            Category.NON_TARGET: lambda bar: self._non_target_is_further(bar, now),
            Category.NEW: lambda bar: _new_is_further(bar, now),
            Category.RETURN: lambda bar: (
                _target_is_further(bar, now) or self._non_target_is_further(bar, now)
            ),
        }
        # A non-target lesion that grows further need not be of unequivocal progression again.
        held = {one for one in self.bars if one in progressing or one is Category.NON_TARGET}
        beyond = {category for category in held if checks[category](self.bars[category])}
        return (progressing - set(self.bars)) | beyond

    def _non_target_is_further(self, bar: Bar, now: Bar) -> bool:
        if now.unequivocal - bar.unequivocal:
            return True
        for lesion in self.course.non_targets:
            before, after = bar.sizes.get(lesion), now.sizes.get(lesion)
            if before is None or after is None:
                if lesion in now.unequivocal:
                    return True
            elif after > before:
                return True
        return False

    def _may_confirm(self, verdict: Verdict, warnings: list[str]) -> bool:
        """Tell whether a confirmation is due, and say what is odd about its day."""
        if self.is_confirmed:
            return True
        days = self._days_since(verdict)
        if days is None:
            warnings.append(NO_DATES)
        elif days < EARLIEST_DAYS:
            warnings.append(TOO_EARLY)
            return False
        elif days > LATEST_DAYS:
            warnings.append(LATE)
        return True

    def _days_since(self, verdict: Verdict) -> int | None:
        first = None if self.since is None else self.course.dates.get(self.since)
        here: datetime.date | None = self.course.dates.get(verdict.visit.timepoint)
        return None if first is None or here is None else (here - first).days

    def _move_bars(
        self,
        verdict: Verdict,
        progressing: set[Category],
        now: Bar,
        *,
        is_confirming: bool,
        is_early: bool,
    ) -> None:
        """Set bars where progression begins, take them away where it is over."""
        for category in set(self.bars) - progressing:
            if _is_over(category, verdict, is_progressing=bool(progressing)):
                del self.bars[category]
        is_going_on = bool(self.bars)
        if not (is_going_on and is_early):  # else it still is news when it may confirm
            for category in progressing - set(self.bars):
                self.bars[category] = now
        if not self.bars or not (is_going_on or is_confirming):
            self.since = verdict.visit.timepoint if self.bars else None
            self.is_confirmed = False

    def _overall(self, verdict: Verdict, *, is_progressing: bool) -> ImmuneResponse | None:
        if is_progressing:
            return ImmuneResponse.ICPD if self.is_confirmed else ImmuneResponse.IUPD
        return None if verdict.overall is None else IMMUNE[verdict.overall]

    def _best(self, overall: ImmuneResponse | None) -> ImmuneResponse | None:
        if overall is not None and ImmuneResponse.ICPD not in self.overall:
            self.overall.append(overall)
        return next((one for one in RANKING if one in self.overall), None)


def _immune(
    response: Response | None,
    category: Category,
    progressing: set[Category],
    certain: set[Category],
) -> ImmuneResponse | None:
    """Return a category's own response: iCPD where it progresses and that is certain."""
    if category in progressing & certain:
        return ImmuneResponse.ICPD
    return None if response is None else IMMUNE[response]


def _progressing(verdict: Verdict) -> set[Category]:
    said = {
        Category.TARGET: verdict.target is Response.PD,
        Category.NON_TARGET: verdict.non_target is Response.PD,
        Category.NEW: bool(verdict.counting),
        Category.RETURN: verdict.has_returned,
    }
    return {category for category, is_so in said.items() if is_so}


def _is_over(category: Category, verdict: Verdict, *, is_progressing: bool) -> bool:
    """Tell whether a category that does not progress here has lost its bar.

    Any patient who is iSD, iPR or iCR loses all; while another category progresses, what is not
    evaluable keeps its own.
    """
    if not is_progressing:
        return verdict.overall is not Response.NE
    responses = {Category.TARGET: verdict.target, Category.NON_TARGET: verdict.non_target}
    return responses.get(category) is not Response.NE


def _target_is_further(bar: Bar, now: Bar) -> bool:
    return _rise(bar.target_mm, now.least_target_mm) >= LEAST_RISE_MM


def _new_is_further(bar: Bar, now: Bar) -> bool:
    """Tell whether new lesions are more, or larger: followed ones by 5 mm, others at all."""
    if now.counting - bar.counting:
        return True
    if _rise(bar.new_target_mm, now.new_target_mm) >= LEAST_RISE_MM:
        return True
    others = now.counting - bar.followed
    return any(_rise(bar.sizes.get(name), now.sizes.get(name)) > 0 for name in others)


def _rise(before: Decimal | None, after: Decimal | None) -> Decimal:
    return Decimal(0) if before is None or after is None else after - before
