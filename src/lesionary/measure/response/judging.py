"""RECIST 1.1 and iRECIST over whole tables: observations in, one verdict a time point out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lesionary.measure.response.amounts import difference, percent_of
from lesionary.measure.response.best import Assessment, CourseSoFar
from lesionary.measure.response.checks import checked_courses
from lesionary.measure.response.courses import Course
from lesionary.measure.response.faults import RowFault
from lesionary.measure.response.irecist import ImmuneCourse
from lesionary.measure.response.new_lesions import NewLesions, has_clean_pet
from lesionary.measure.response.non_targets import non_target_response
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.overall import overall_response
from lesionary.measure.response.reasons import reasons_of
from lesionary.measure.response.records import Criteria, Observation, Response, TimepointResponse
from lesionary.measure.response.sightings import Visit
from lesionary.measure.response.targets import TargetSum, target_response, target_sum
from lesionary.measure.response.verdicts import Verdict


def respond(
    observations: Sequence[Observation],
    options: ResponseOptions | None = None,
    *,
    faults: Sequence[RowFault] = (),
) -> tuple[TimepointResponse, ...]:
    """Judge every time point of every subject, each reader apart.

    Parameters
    ----------
    observations : sequence of Observation
        In any order; their order never matters.
    options : ResponseOptions, optional
        RECIST 1.1 with confirmation after 28 days by default.
    faults : sequence of RowFault
        What was wrong with rows while they were read: refused with whatever else is found.

    Returns
    -------
    tuple of TimepointResponse
        By subject, reader and time, baselines included. Nothing in, nothing out.

    Raises
    ------
    InputError
        Code ``bad_rows``, with every faulty row.

    References
    ----------
    .. [1] Eisenhauer et al., RECIST 1.1, Eur J Cancer 45, 228-247 (2009).
    .. [2] Seymour et al., iRECIST, Lancet Oncol 18, e143-e152 (2017).
    """
    options = options or ResponseOptions()
    courses = checked_courses(observations, faults, is_strict=options.strict)
    return tuple(row for course in courses for row in judge_course(course, options))


def judge_course(course: Course, options: ResponseOptions) -> list[TimepointResponse]:
    """Judge one subject by one reader; the course has been checked."""
    is_immune = options.criteria is Criteria.IRECIST
    past = _Past(
        course,
        NewLesions(has_clean_pet(course.visits[0])),
        ImmuneCourse(course) if is_immune else None,
    )
    baseline = past.baseline(course.visits[0])
    later = [past.judge(visit, options) for visit in course.visits[1:]]
    return [baseline, *later]


@dataclass(slots=True)
class _Past:
    """What the visits so far have come to, of one subject by one reader."""

    course: Course
    new_lesions: NewLesions
    immune: ImmuneCourse | None
    baseline_mm: Decimal = Decimal(0)
    nadir_mm: Decimal = Decimal(0)
    has_responded: bool = False
    was_complete: bool = False
    progression: str | None = None
    so_far: CourseSoFar = field(init=False)

    def __post_init__(self) -> None:
        self.so_far = CourseSoFar(self.course.baseline_date)

    def baseline(self, visit: Visit) -> TimepointResponse:
        """Judge the first visit: a sum to hold others against, and no response."""
        self.new_lesions.look(visit)
        found = self._sum(visit)
        if found is not None:
            self.baseline_mm = self.nadir_mm = found.measured_mm
        numbers = self._numbers(found) | dict.fromkeys(
            ("nadir_mm", "change_from_nadir_mm", "change_from_nadir_percent")
        )
        return self._row(visit, numbers, is_baseline=True)

    def judge(self, visit: Visit, options: ResponseOptions) -> TimepointResponse:
        """Judge a later visit, and keep what it means for those after it."""
        verdict = self._verdict(visit)
        numbers = self._numbers(verdict.targets)
        self._keep(verdict)
        said = {
            "target_response": verdict.target,
            "non_target_response": verdict.non_target,
            "new_lesion": bool(verdict.counting),
            "overall_response": verdict.overall,
            "progressed": self.progression is not None,
            "progression_timepoint": self.progression,
        }
        immune = {} if self.immune is None else self.immune.judge(verdict)
        immune["more_warnings"] = [*self.new_lesions.waiting, *immune.get("more_warnings", ())]
        values = numbers | said | self._summary(options)
        reason = values["reason"] | immune.pop("reason", {})
        return self._row(visit, values | immune | {"reason": reason})

    def _verdict(self, visit: Visit) -> Verdict:
        found = self._sum(visit)
        target = (
            None
            if found is None
            else target_response(
                found,
                baseline_mm=self.baseline_mm,
                nadir_mm=self.nadir_mm,
                has_responded=self.has_responded,
            )
        )
        course = self.course
        non_target = non_target_response(course.non_targets, course.raised_markers(visit), visit)
        counting = self.new_lesions.look(visit)
        known = (*course.targets, *course.non_targets)
        has_returned = self.was_complete and any(visit.has_disease(lesion) for lesion in known)
        overall = overall_response(
            target, non_target, is_new=bool(counting), has_returned=has_returned
        )
        return Verdict(visit, found, target, non_target, overall, counting, has_returned)

    def _keep(self, verdict: Verdict) -> None:
        if verdict.targets is not None and verdict.targets.sum_mm is not None:
            self.nadir_mm = min(self.nadir_mm, verdict.targets.sum_mm)
        if verdict.target in {Response.CR, Response.PR}:
            self.has_responded = True
        elif verdict.target is Response.PD:
            self.has_responded = False
        self.was_complete = self.was_complete or verdict.overall is Response.CR
        if verdict.overall is Response.PD and self.progression is None:
            self.progression = self._since(verdict)
        name = verdict.visit.timepoint
        self.so_far.add(Assessment(name, self.course.dates.get(name), verdict.overall))

    def _since(self, verdict: Verdict) -> str:
        """Return the time point at which what decided the PD was first seen."""
        seen = list(verdict.counting.values())
        if verdict.has_returned or Response.PD in {verdict.target, verdict.non_target}:
            seen.append(verdict.visit.timepoint)
        return min(seen, key=self.course.timepoints.index)

    def _sum(self, visit: Visit) -> TargetSum | None:
        return target_sum(self.course.targets, visit) if self.course.targets else None

    def _numbers(self, found: TargetSum | None) -> dict[str, Any]:
        if found is None:
            return {}
        numbers: dict[str, Any] = {
            "sum_mm": found.sum_mm,
            "measured_sum_mm": found.measured_mm,
            "baseline_mm": self.baseline_mm,
            "nadir_mm": self.nadir_mm,
        }
        if found.sum_mm is not None:
            for name in ("baseline", "nadir"):
                whole = numbers[f"{name}_mm"]
                change = difference(found.sum_mm, whole)
                numbers[f"change_from_{name}_mm"] = change
                numbers[f"change_from_{name}_percent"] = percent_of(change, whole)
        return numbers

    def _summary(self, options: ResponseOptions) -> dict[str, Any]:
        """Return what the whole course so far comes to."""
        course = self.course
        confirmed, why_not = self.so_far.confirmed(
            confirm_days=options.confirm_days,
            sd_min_days=options.sd_min_days,
            has_targets=bool(course.targets),
        )
        lasted = self.so_far.durations(
            None if self.progression is None else course.dates.get(self.progression)
        )
        has_response, has_course = (
            days is not None for days in (lasted.response_days, lasted.progression_days)
        )
        return {
            "best_overall_response": self.so_far.best(),
            "best_overall_response_confirmed": confirmed,
            "duration_of_response_days": lasted.response_days,
            "duration_of_response_censored": lasted.is_censored if has_response else None,
            "time_to_progression_days": lasted.progression_days,
            "time_to_progression_censored": lasted.is_censored if has_course else None,
            "reason": {
                "best_overall_response_confirmed": why_not,
                "duration_of_response_days": lasted.response_reason,
                "duration_of_response_censored": lasted.response_reason,
                "time_to_progression_days": lasted.progression_reason,
                "time_to_progression_censored": lasted.progression_reason,
            },
        }

    def _row(
        self, visit: Visit, values: dict[str, Any], *, is_baseline: bool = False
    ) -> TimepointResponse:
        own_reasons = values.pop("reason", {})
        more_warnings = values.pop("more_warnings", ())
        row = TimepointResponse(
            subject=self.course.subject,
            reader=self.course.reader,
            timepoint=visit.timepoint,
            date=self.course.dates.get(visit.timepoint),
            warnings=(*self.course.warnings.get(visit.timepoint, ()), *more_warnings),
            **values,
        )
        return reasons_of(
            row, own_reasons, is_baseline=is_baseline, is_immune=self.immune is not None
        )
