"""Over all time points so far: best overall response, its confirmation, and durations."""

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class CourseSoFar:
    """What assessments have come to, one after the other; the first PD is the last that counts.

    Parameters
    ----------
    baseline_date : datetime.date or None
        Time to progression counts from here: when treatment began is not in the table.
    """

    baseline_date: datetime.date | None
    _found: set[Response] = field(default_factory=set)
    _last: Assessment | None = None
    _is_undated: bool = False
    _is_backwards: bool = False
    _has_fallen: bool = False
    _start: Assessment | None = None
    _latest_control: datetime.date | None = None
    _spans: dict[Response, tuple[datetime.date, datetime.date]] = field(default_factory=dict)
    _counts: Counter[Response] = field(default_factory=Counter)

    @classmethod
    def of(
        cls, course: Iterable[Assessment], baseline_date: datetime.date | None = None
    ) -> "CourseSoFar":
        """Take in assessments after the baseline, in order."""
        so_far = cls(baseline_date)
        for one in course:
            so_far.add(one)
        return so_far

    @property
    def has_progressed(self) -> bool:
        """Whether there was a PD."""
        return Response.PD in self._found

    def add(self, one: Assessment) -> None:
        """Take in the next assessment; after a PD nothing counts."""
        if self.has_progressed:
            return
        self._look_at_dates(one)
        self._last = one
        if one.overall is None:
            return
        self._has_fallen |= one.overall is Response.SD and Response.CR in self._found
        self._found.add(one.overall)
        if one.overall in _RESPONDED and self._start is None:
            self._start = one
        if one.date is None:
            return
        if one.overall in _CONTROLLED:
            self._latest_control = one.date
        first, _ = self._spans.get(one.overall, (one.date, one.date))
        self._spans[one.overall] = (first, one.date)
        self._counts[one.overall] += 1

    def _look_at_dates(self, one: Assessment) -> None:
        before = self.baseline_date if self._last is None else self._last.date
        if one.date is None or before is None:
            self._is_undated = True
        elif one.date < before:
            self._is_backwards = True

    def best(self) -> Response | None:
        """Return the best response so far, confirmed or not."""
        return next((response for response in RANKING if response in self._found), None)

    def confirmed(
        self, *, confirm_days: int, sd_min_days: int, has_targets: bool = True
    ) -> tuple[Response | None, str]:
        """Return the best response by Table 3: see :func:`confirmed_response`."""
        if not self._found:
            return None, "no time point has a response"
        if self._is_undated or self.baseline_date is None:
            return None, NO_DATES
        if self._is_backwards:
            return None, BACKWARDS
        for wanted, seconds in ((Response.CR, {Response.CR}), (Response.PR, _RESPONDED)):
            if self._is_seen_again(seconds, confirm_days):
                return wanted, ""
        if self._latest_control is not None:
            days = (self._latest_control - self.baseline_date).days
            if days >= sd_min_days:
                return (Response.SD if has_targets else Response.NON_CR_NON_PD), ""
        # Table 3 takes SD after CR for a progression.
        return (Response.PD if self.has_progressed or self._has_fallen else Response.NE), ""

    def _is_seen_again(self, wanted: Collection[Response], confirm_days: int) -> bool:
        spans = [self._spans[one] for one in wanted if one in self._spans]
        if not spans:
            return False
        first, last = min(one[0] for one in spans), max(one[1] for one in spans)
        n_seen = sum(self._counts[one] for one in wanted)
        return n_seen > 1 and (last - first).days >= confirm_days

    def durations(self, progression_date: datetime.date | None) -> "Durations":
        """Return how long a response lasted, and nothing progressed: see :func:`durations`."""
        is_censored = not self.has_progressed
        end = progression_date
        if is_censored:
            end = None if self._last is None else self._last.date
        response_days, response_reason = _between(
            None if self._start is None else self._start.date, end
        )
        if self._start is None:
            response_reason = "neither CR nor PR up to this time point"
        progression_days, progression_reason = _between(self.baseline_date, end)
        return Durations(
            response_days, progression_days, is_censored, response_reason, progression_reason
        )


def best_overall_response(course: Sequence[Assessment]) -> Response | None:
    """Return the best response up to the first PD, confirmed or not.

    Returns
    -------
    Response or None
        CR before PR, SD, NON-CR/NON-PD, PD, NE; None where no time point has a response.
    """
    return CourseSoFar.of(course).best()


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
    so_far = CourseSoFar.of(course, baseline_date)
    return so_far.confirmed(
        confirm_days=confirm_days, sd_min_days=sd_min_days, has_targets=has_targets
    )


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
    return CourseSoFar.of(course, baseline_date).durations(progression_date)


def _between(start: datetime.date | None, end: datetime.date | None) -> tuple[int | None, str]:
    if start is None or end is None:
        return None, "the dates that it lies between are not known"
    days = (end - start).days
    return (days, "") if days >= 0 else (None, ENDS_BEFORE)
