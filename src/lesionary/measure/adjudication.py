"""Where two readers' response differs, and the lesion that causes it (X7).

Readers seldom measure alike and need not: only a time point at which their *overall response*
differs is worth an adjudicator's time. The cause is found by exchange: a lesion whose observations,
taken over from the other reader, make the two agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from lesionary.core.errors import InputError
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import (
    Criteria,
    ImmuneResponse,
    Observation,
    Response,
    TimepointResponse,
)

Verdict = Response | ImmuneResponse | None
Views = Mapping[str, tuple[Observation, ...]]
"""One reader's observations of one subject, by lesion."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One time point at which two readers come to different responses.

    Parameters
    ----------
    subject, timepoint : str
    readers : tuple of str
    responses : tuple of Response or ImmuneResponse or None
        Overall, in the readers' order; None where a reader has no such time point.
    causes : tuple of str
        The fewest lesions that suffice: settled as one of the two readers saw them, the two come to
        the same response. Where several suffice alone all are named, the one that moves the sum
        most first; see ``is_joint``.
    is_joint : bool
        Whether it takes all of ``causes`` together. False: each of them alone suffices.
    seen : mapping of str to tuple of str
        What each reader saw of every cause at this time point, such as ``target 12.5 mm``.
    """

    subject: str
    timepoint: str
    readers: tuple[str, str]
    responses: tuple[Verdict, Verdict]
    causes: tuple[str, ...]
    is_joint: bool
    seen: Mapping[str, tuple[str, str]]


def adjudicate(
    observations: Sequence[Observation],
    readers: tuple[str, str],
    options: ResponseOptions | None = None,
) -> tuple[Disagreement, ...]:
    """List only the time points where two readers' overall response differs.

    Parameters
    ----------
    observations : sequence of Observation
        Of any subjects and readers; a lesion bears one name with both readers.
    readers : tuple of str
        The two to hold against each other.
    options : ResponseOptions, optional
        RECIST 1.1 by default; with iRECIST its overall response counts.

    Returns
    -------
    tuple of Disagreement
        By subject, then by the first reader's order of time points. A subject that only one of the
        two has read has nothing to compare.

    Raises
    ------
    InputError
        If a reader has no observations at all, the two are one, or response cannot be judged.
    """
    options = options or ResponseOptions()
    if readers[0] == readers[1]:
        raise InputError("two different readers are held against each other", code="usage")
    for reader in readers:
        if not any(one.reader == reader for one in observations):
            raise InputError(f"reader {reader!r} has no rows", code="usage")
    found: list[Disagreement] = []
    for subject in dict.fromkeys(one.subject for one in observations):
        first, second = (
            _by_lesion([o for o in observations if (o.subject, o.reader) == (subject, reader)])
            for reader in readers
        )
        if first and second:
            found += _Pair(subject, readers, first, second, options).disagreements()
    return tuple(found)


def _by_lesion(observations: Sequence[Observation]) -> Views:
    lesions = dict.fromkeys(one.lesion for one in observations)
    return {name: tuple(o for o in observations if o.lesion == name) for name in lesions}


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two readers of one subject."""

    subject: str
    readers: tuple[str, str]
    first: Views
    second: Views
    options: ResponseOptions

    def disagreements(self) -> list[Disagreement]:
        verdicts = [self._verdicts(views) for views in (self.first, self.second)]
        timepoints = dict.fromkeys((*verdicts[0], *verdicts[1]))
        found = []
        for name in timepoints:
            responses = (verdicts[0].get(name), verdicts[1].get(name))
            if responses[0] is responses[1]:
                continue
            causes, is_joint = self._causes(name, responses)
            seen = {lesion: self._seen(lesion, name) for lesion in causes}
            found.append(
                Disagreement(self.subject, name, self.readers, responses, causes, is_joint, seen)
            )
        return found

    def _verdicts(self, views: Views) -> dict[str, Verdict]:
        responses = respond([one for own in views.values() for one in own], self.options)
        return {one.timepoint: _overall(one, self.options) for one in responses}

    def _causes(
        self, timepoint: str, responses: tuple[Verdict, Verdict]
    ) -> tuple[tuple[str, ...], bool]:
        lesions = sorted(
            (name for name in dict.fromkeys((*self.first, *self.second)) if self._differs(name)),
            key=lambda name: (-self._moves_mm(name, timepoint), name),
        )
        alone = tuple(name for name in lesions if self._settles((name,), timepoint, responses))
        if alone:
            return alone, False
        for size in (2, 3):
            for some in combinations(lesions, size):
                if self._settles(some, timepoint, responses):
                    return some, True
        return tuple(lesions), True

    def _settles(
        self, lesions: tuple[str, ...], timepoint: str, responses: tuple[Verdict, Verdict]
    ) -> bool:
        """Tell whether taking these lesions over, from either side, makes the two agree."""
        return any(
            self._exchanged(own, other, lesions).get(timepoint, missing) is wanted
            for own, other, wanted, missing in (
                (self.first, self.second, responses[1], responses[0]),
                (self.second, self.first, responses[0], responses[1]),
            )
        )

    def _exchanged(self, own: Views, other: Views, lesions: tuple[str, ...]) -> dict[str, Verdict]:
        reader = next(iter(own.values()))[0].reader
        mixed = {name: seen for name, seen in own.items() if name not in lesions}
        for name in lesions:
            mixed[name] = tuple(_as_read_by(reader, one) for one in other.get(name, ()))
        try:
            return self._verdicts({name: seen for name, seen in mixed.items() if seen})
        except InputError:  # a merged pair of which only one half was taken over
            return {}

    def _differs(self, lesion: str) -> bool:
        return _facts(self.first.get(lesion, ())) != _facts(self.second.get(lesion, ()))

    def _moves_mm(self, lesion: str, timepoint: str) -> Decimal:
        """Return by how much the readers differ in the lesion's change since its first visit."""
        changes = [
            _change_mm(views.get(lesion, ()), timepoint) for views in (self.first, self.second)
        ]
        return abs(changes[0] - changes[1])

    def _seen(self, lesion: str, timepoint: str) -> tuple[str, str]:
        first, second = (
            _words([one for one in views.get(lesion, ()) if one.timepoint == timepoint])
            for views in (self.first, self.second)
        )
        return first, second


def _overall(response: TimepointResponse, options: ResponseOptions) -> Verdict:
    if options.criteria is Criteria.IRECIST:
        return response.i_overall_response
    return response.overall_response


def _as_read_by(reader: str, one: Observation) -> Observation:
    return replace(one, reader=reader)


def _facts(observations: Sequence[Observation]) -> frozenset[Observation]:
    """Return what was seen, whoever saw it and in whichever line."""
    return frozenset(replace(one, reader="", row=0) for one in observations)


def _change_mm(observations: Sequence[Observation], timepoint: str) -> Decimal:
    sums: dict[str, Decimal] = {}
    for one in observations:
        sums[one.timepoint] = sums.get(one.timepoint, Decimal(0)) + (one.diameter_mm or Decimal(0))
    return sums.get(timepoint, Decimal(0)) - next(iter(sums.values()), Decimal(0))


def _words(observations: Sequence[Observation]) -> str:
    return (
        "; ".join(
            f"{one.role} {one.diameter_mm} mm"
            if one.diameter_mm is not None
            else f"{one.role} {status}"
            for one in observations
            for status in [one.status.value.replace("_", " ")]
        )
        or "not seen"
    )
