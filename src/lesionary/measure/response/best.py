"""Over all time points so far: best overall response, its confirmation, and durations."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.measure.response.records import Response

RANKING = (
    Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE,
)  # fmt: skip
"""From the best."""

_CONTROLLED = frozenset({Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD})
_RESPONDED = frozenset({Response.CR, Response.PR})

NO_DATES = "without dates nothing tells how long after the first a response was seen again"
ENDS_BEFORE = "by date its end lies before its beginning"
BACKWARDS = "dates run against the order of time points"


@dataclass(frozen=True, slots=True)
class Assessment:
    """Overall response of one time point after the baseline.

    Parameters
    ----------
    timepoint : str
    date : datetime.date or None
    overall : Response or None
    """

    timepoint: str
    date: datetime.date | None
    overall: Response | None


def until_progression(course: Sequence[Assessment]) -> list[Assessment]:
    """Return the assessments up to the first PD, which is the last one that counts."""
    kept = []
    for one in course:
        kept.append(one)
        if one.overall is Response.PD:
            break
    return kept


def best_overall_response(course: Sequence[Assessment]) -> Response | None:
    """Return the best response up to the first PD, confirmed or not.

    Returns
    -------
    Response or None
        CR before PR, SD, NON-CR/NON-PD, PD, NE; None where no time point has a response.
    """
    found = {one.overall for one in until_progression(course)}
    return next((response for response in RANKING if response in found), None)


def confirmed_response(
    course: Sequence[Assessment],
    baseline_date: datetime.date | None,
    *,
    confirm_days: int,
    sd_min_days: int,
    has_targets: bool = True,
) -> tuple[Response | None, str]:
    """Return the best response by the guideline's Table 3: CR and PR must be seen again.

    A CR that was seen once, or again too soon, is worth a PR that was; both are worth stable
    disease where they, or any SD, were seen ``sd_min_days`` or more after the baseline; else PD
    where the disease progressed, else NE. Time points between that are not evaluable do not undo a
    confirmation (PR, NE, PR).

    Parameters
    ----------
    course : sequence of Assessment
        After the baseline, in order.
    baseline_date : datetime.date or None
    confirm_days, sd_min_days : int
        0 or more.
    has_targets : bool
        Without, what is no more than stable is NON-CR/NON-PD, as Table 2 has it.

    Returns
    -------
    Response or None, str
        None with the reason where a date is missing, dates run backwards, or nothing was judged.
    """
    closed = until_progression(course)
    if best_overall_response(closed) is None:
        return None, "no time point has a response"
    days, why = _days(closed, baseline_date)
    if days is None:
        return None, why
    responses = [one.overall for one in closed]
    for wanted, seconds in ((Response.CR, {Response.CR}), (Response.PR, _RESPONDED)):
        if _is_seen_again(responses, days, seconds, confirm_days):
            return wanted, ""
    if any(
        one in _CONTROLLED and day >= sd_min_days for one, day in zip(responses, days, strict=True)
    ):
        return (Response.SD if has_targets else Response.NON_CR_NON_PD), ""
    return (Response.PD if _has_progressed(responses) else Response.NE), ""


def _has_progressed(responses: Sequence[Response | None]) -> bool:
    """Tell whether there was a PD, or what Table 3 takes for one: SD after CR."""
    if Response.PD in responses:
        return True
    after = responses[responses.index(Response.CR) :] if Response.CR in responses else []
    return Response.SD in after


def _is_seen_again(
    responses: Sequence[Response | None],
    days: Sequence[int],
    wanted: frozenset[Response] | set[Response],
    confirm_days: int,
) -> bool:
    seen = [day for one, day in zip(responses, days, strict=True) if one in wanted]
    return len(seen) > 1 and seen[-1] - seen[0] >= confirm_days


def _days(
    course: Sequence[Assessment], baseline_date: datetime.date | None
) -> tuple[list[int] | None, str]:
    """Return days since the baseline, or None and why."""
    dates = [one.date for one in course]
    if baseline_date is None or None in dates:
        return None, NO_DATES
    days = [(date - baseline_date).days for date in dates if date is not None]
    return (days, "") if days == sorted(days) and days[0] >= 0 else (None, BACKWARDS)


@dataclass(frozen=True, slots=True)
class Durations:
    """How long a response lasted, and how long nothing progressed.

    Parameters
    ----------
    response_days : int or None
        From the first CR or PR to progression, or to the last time point.
    progression_days : int or None
        From the baseline to progression, or to the last time point.
    is_censored : bool
        Whether nothing has progressed yet.
    response_reason, progression_reason : str
        Why one is None.
    """

    response_days: int | None
    progression_days: int | None
    is_censored: bool
    response_reason: str = ""
    progression_reason: str = ""


def durations(
    course: Sequence[Assessment],
    baseline_date: datetime.date | None,
    progression_date: datetime.date | None,
) -> Durations:
    """Return duration of response and time to progression, so far.

    Parameters
    ----------
    course : sequence of Assessment
        After the baseline, in order; at least one.
    baseline_date : datetime.date or None
        Time to progression counts from here: when treatment began is not in the table.
    progression_date : datetime.date or None
        Of the time point at which what progressed was first seen.
    """
    closed = until_progression(course)
    is_censored = closed[-1].overall is not Response.PD
    end = closed[-1].date if is_censored else progression_date
    start = next((one.date for one in closed if one.overall in _RESPONDED), None)
    has_responded = any(one.overall in _RESPONDED for one in closed)
    response_days, response_reason = _between(start, end)
    if not has_responded:
        response_reason = "neither CR nor PR up to this time point"
    progression_days, progression_reason = _between(baseline_date, end)
    return Durations(
        response_days, progression_days, is_censored, response_reason, progression_reason
    )


def _between(start: datetime.date | None, end: datetime.date | None) -> tuple[int | None, str]:
    if start is None or end is None:
        return None, "the dates that it lies between are not known"
    days = (end - start).days
    return (days, "") if days >= 0 else (None, ENDS_BEFORE)
