"""iRECIST: a progression waits for its confirmation, and may turn out to be none.

Each category (target, non-target, new lesions, return after CR) that progresses gets a bar: what
was seen then. Going further above a bar, or progression in another category, four to eight weeks
after the first unconfirmed progression, confirms it. A category that no longer progresses loses its
bar; so do all once the patient is iSD, iPR or iCR.
"""

import datetime
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lesionary.measure.response.bars import (
    Bar,
    new_is_further,
    non_target_is_further,
    return_is_further,
    target_is_further,
)
from lesionary.measure.response.courses import Course
from lesionary.measure.response.new_targets import NewTargets
from lesionary.measure.response.records import ImmuneResponse, Response
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


@dataclass(slots=True)
class ImmuneCourse:
    """iRECIST over one course, one verdict of RECIST 1.1 after the other."""

    course: Course
    new_targets: NewTargets = field(default_factory=NewTargets)
    bars: dict[Category, Bar] = field(default_factory=dict)
    since: str | None = None
    first: Bar | None = None
    is_confirmed: bool = False
    n_seen: int = 0
    places: dict[str, int] = field(default_factory=dict)
    first_confirmed: str | None = None
    best: ImmuneResponse | None = None
    is_closed: bool = False

    def judge(self, verdict: Verdict) -> dict[str, Any]:
        """Return the fields that iRECIST adds to a time point, with reasons and warnings."""
        self.new_targets.take(verdict.visit)
        place = self.n_seen = self.n_seen + 1
        self.places[verdict.visit.timepoint] = place
        now = Bar.of(self.course, verdict, self.new_targets, self.places)
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

    def _further(self, progressing: set[Category], now: Bar) -> set[Category]:
        """Return the categories that went beyond their bar, or progress beside another's."""
        if not self.bars:
            return set()
        # A non-target lesion that grows further need not be of unequivocal progression again.
        held = {one for one in self.bars if one in progressing or one is Category.NON_TARGET}
        beyond = {category for category in held if self._is_beyond(category, now)}
        fresh = progressing - set(self.bars)
        if Category.NEW in fresh and self.first is not None and not new_is_further(self.first, now):
            fresh -= {Category.NEW}  # all of them were there when progression began
        return fresh | beyond

    def _is_beyond(self, category: Category, now: Bar) -> bool:
        bar = self.bars[category]
        if category is Category.TARGET:
            return target_is_further(bar, now)
        if category is Category.NON_TARGET:
            return non_target_is_further(bar, now)
        if category is Category.NEW:
            return new_is_further(bar, now)
        return return_is_further(bar, now)

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
        self.bars = {category: bar.filled(now) for category, bar in self.bars.items()}
        self.first = None if self.first is None else self.first.filled(now)
        is_going_on = bool(self.bars)
        if not (is_going_on and is_early):  # else it still is news when it may confirm
            for category in progressing - set(self.bars):
                was_there = category is Category.NEW and is_going_on and not is_confirming
                self.bars[category] = self.first if was_there and self.first else now
        if not self.bars or not (is_going_on or is_confirming):
            self.since = verdict.visit.timepoint if self.bars else None
            self.first = now if self.bars else None
            self.is_confirmed = False

    def _overall(self, verdict: Verdict, *, is_progressing: bool) -> ImmuneResponse | None:
        if is_progressing:
            return ImmuneResponse.ICPD if self.is_confirmed else ImmuneResponse.IUPD
        return None if verdict.overall is None else IMMUNE[verdict.overall]

    def _best(self, overall: ImmuneResponse | None) -> ImmuneResponse | None:
        if overall is not None and not self.is_closed:
            known = [one for one in (self.best, overall) if one is not None]
            self.best = min(known, key=RANKING.index)
            self.is_closed = overall is ImmuneResponse.ICPD
        return self.best


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
