"""The probability of each response, from what one reader recorded (X4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lesionary.measure.response.checks import checked_courses
from lesionary.measure.response.records import Observation, Response
from lesionary.measure.uncertainty.cases import Case, learned_prior
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.prior import ChangePrior
from lesionary.measure.uncertainty.readings import visit_rules, with_targets
from lesionary.measure.uncertainty.records import (
    AT_BASELINE,
    INCOMPLETE,
    NO_DISEASE,
    NO_OTHER_CHOICE,
    NO_TARGETS,
    NOTHING_MOVES,
    MovedMostBy,
    Probability,
    UncertainTimepoint,
    UncertaintyOptions,
)
from lesionary.measure.uncertainty.rules import (
    CATEGORIES,
    NOTHING,
    UNIT,
    Codes,
    Picometres,
    VisitRules,
    judge_courses,
    sums_of,
)
from lesionary.measure.uncertainty.target_sets import choices, n_choices

INTERVAL_PERCENT = (2.5, 97.5)
EXACT_SHARE = 4
"""One draw in so many is judged anew with one lesion exact."""

SOURCES = ("reader", "sampling")
_OF_RESPONSE = (
    "probability", "probability_by_source", "probability_any_targets", "moved_most_by",
)  # fmt: skip


def uncertain_response(
    observations: Sequence[Observation],
    model: ErrorModel | None = None,
    options: UncertaintyOptions | None = None,
) -> tuple[UncertainTimepoint, ...]:
    """Tell how likely each true category is at every time point, each reader apart.

    What is meant is the category that the same targets would have without any error of
    measurement. What a reader says without a diameter is taken as read: absent, too small, not
    evaluable, non-target and new lesions.

    Parameters
    ----------
    observations : sequence of Observation
        As :func:`lesionary.measure.response.judging.respond` takes them; their order never matters.
    model : ErrorModel, optional
    options : UncertaintyOptions, optional

    Returns
    -------
    tuple of UncertainTimepoint
        One for each of ``respond``'s, in its order. Nothing in, nothing out.

    Raises
    ------
    InputError
        Code ``bad_rows``, with every faulty row.
    """
    model, options = model or ErrorModel(), options or UncertaintyOptions()
    cases = [Case.of(course, model, options.seed) for course in checked_courses(observations)]
    prior = learned_prior(cases) if options.is_learning else ChangePrior()
    return tuple(row for case in cases for row in _timepoints(case, prior, options))


@dataclass(frozen=True, slots=True)
class _Judged:
    """All that was drawn of one course, and what it comes to; codes have shape (draws, visits)."""

    rules: tuple[VisitRules, ...]
    sizes: Picometres
    codes: Codes
    by_source: Mapping[str, Codes]
    target_choice: Codes | None
    together: Codes
    by_lesion: Mapping[str, Codes]


def _timepoints(
    case: Case, prior: ChangePrior, options: UncertaintyOptions
) -> list[UncertainTimepoint]:
    """Judge all draws of one course, and count."""
    rules = visit_rules(case.course, case.readings)
    sizes = case.draw(prior, options.n_draws)
    codes = _codes(case, rules, sizes)
    target_choice, together = _any_targets(case, sizes)
    judged = _Judged(
        rules=rules,
        sizes=sizes,
        codes=codes,
        by_source={
            source: _codes(case, rules, case.draw_source(prior, options.n_draws, source))
            for source in (SOURCES if options.has_sources else ())
        },
        target_choice=target_choice,
        together=codes if together is None else together,
        by_lesion=_without_error(case, rules, sizes[::EXACT_SHARE]),
    )
    return [_timepoint(case, judged, place) for place in range(len(rules))]


def _codes(case: Case, rules: tuple[VisitRules, ...], sizes: Picometres) -> Codes:
    return judge_courses(rules, sizes, has_targets=bool(case.course.targets))


def _any_targets(case: Case, sizes: Picometres) -> tuple[Codes | None, Codes | None]:
    """Judge other choices of targets, by the readings as they are and by draws."""
    if not case.organs:
        return None, None
    as_read, drawn = [], np.empty((len(sizes), len(case.course.visits)), dtype=np.int8)
    found = choices(case.organs, case.rng)
    for place, chosen in enumerate(found):
        rules = visit_rules(with_targets(case.course, chosen), case.readings)
        own = slice(place, None, len(found))
        as_read.append(judge_courses(rules, case.readings.sizes[None], has_targets=True))
        drawn[own] = judge_courses(rules, sizes[own], has_targets=True)
    return np.concatenate(as_read), drawn


def _without_error(
    case: Case, rules: tuple[VisitRules, ...], sizes: Picometres
) -> dict[str, Codes]:
    """Judge the draws anew with one target after the other as it was read."""
    found = {}
    for place, lesion in enumerate(case.readings.names):
        if lesion in case.course.targets:
            is_own = case.readings.lesions == place
            found[lesion] = _codes(case, rules, np.where(is_own, case.readings.sizes, sizes))
    return found


def _timepoint(case: Case, judged: _Judged, place: int) -> UncertainTimepoint:
    course, codes = case.course, judged.codes[:, place]
    interval, why_not = _interval(case, judged, place)
    found = UncertainTimepoint(
        course.subject,
        course.reader,
        course.visits[place].timepoint,
        sum_interval_mm=interval,
        n_target_choices=n_choices(case.organs) if case.organs else 1,
        reason={"sum_interval_mm": why_not} if why_not else {},
    )
    if (codes == NOTHING).all():
        why = NO_DISEASE if place else AT_BASELINE
        return replace(found, reason={**found.reason, **dict.fromkeys(_OF_RESPONSE, why)})
    sources: dict[str, Probability | None] = {
        source: probability_of(one[:, place]) for source, one in judged.by_source.items()
    }
    reason = dict(found.reason)
    choice = judged.target_choice
    sources["target_choice"] = None if choice is None else probability_of(choice[:, place])
    if choice is None:
        reason["probability_by_source.target_choice"] = NO_OTHER_CHOICE
    moved = _moved_most_by(judged, place)
    if moved is None:
        reason["moved_most_by"] = NOTHING_MOVES if course.targets else NO_TARGETS
    return replace(
        found,
        probability=probability_of(codes),
        probability_by_source=sources,
        probability_any_targets=probability_of(judged.together[:, place]),
        moved_most_by=moved,
        reason=reason,
    )


def _interval(case: Case, judged: _Judged, place: int) -> tuple[tuple[float, float] | None, str]:
    if not case.course.targets:
        return None, NO_TARGETS
    rules = judged.rules[place]
    if not rules.is_complete:
        return None, INCOMPLETE
    low, high = np.percentile(sums_of(rules, judged.sizes) / UNIT, INTERVAL_PERCENT)
    return (round(float(low), 2), round(float(high), 2)), ""


def _moved_most_by(judged: _Judged, place: int) -> MovedMostBy | None:
    before = _shares(judged.codes[::EXACT_SHARE, place])
    found = [
        MovedMostBy(lesion, float(np.abs(_shares(codes[:, place]) - before).sum() / 2))
        for lesion, codes in sorted(judged.by_lesion.items())
    ]
    most = max(found, key=lambda one: one.total_variation, default=None)
    return None if most is None or not most.total_variation else most


def probability_of(codes: Codes) -> dict[str, float]:
    """Return each category's share of the draws; NON-CR/NON-PD only where it occurs."""
    shares = _shares(codes)
    return {
        one.value: float(share)
        for one, share in zip(CATEGORIES, shares, strict=True)
        if share or one is not Response.NON_CR_NON_PD
    }


def _shares(codes: Codes) -> np.ndarray:
    return np.bincount(codes, minlength=NOTHING)[:NOTHING] / len(codes)
