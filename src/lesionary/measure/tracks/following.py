"""Lesions followed over all time points of a subject (R9, X5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from lesionary.core.errors import InputError
from lesionary.measure.tracks.likeness import MatchOptions
from lesionary.measure.tracks.matching import match
from lesionary.measure.tracks.records import (
    Place,
    Proposal,
    Relation,
    TimepointLesions,
    TrackedLesion,
)
from lesionary.measure.tracks.registration import Transform, identity
from lesionary.measure.tracks.weaving import Tracks, weave

Transforms = Mapping[tuple[str, str], Transform]
"""By names of time points, from the earlier to the later."""


def follow(
    timepoints: Sequence[TimepointLesions],
    transforms: Transforms,
    options: MatchOptions | None = None,
) -> Tracks:
    """Follow all lesions of one subject.

    A lesion that is missing at a time point is sought again at every later one, from where it was
    last seen, among those that nothing nearer in time explains; a ``gone`` link says at each time
    point that it is still missing. Where tracks merge, the one named first carries on.

    Parameters
    ----------
    timepoints : sequence of TimepointLesions
        In order of time, at least one.
    transforms : mapping of (str, str) to Transform
        Between successive time points at least; what is missing between others is composed.
    options : MatchOptions, optional

    Returns
    -------
    Tracks
        Named A, B, C … by the time point at which they begin, then in order of the lesions.

    Raises
    ------
    InputError
        If there is no time point, the subjects differ, a name occurs twice, or a transform
        between successive time points is missing.
    """
    _require(timepoints, transforms)
    walk = _Walk(timepoints, transforms, options or MatchOptions())
    for t in range(1, len(timepoints)):
        walk.step(t)
    twins: dict[Place, Place] = {}
    for timepoint in timepoints:
        twins |= timepoint.twins
    return weave(
        timepoints[0].subject,
        [timepoint.timepoint for timepoint in timepoints],
        [lesion.place for timepoint in timepoints for lesion in timepoint.lesions],
        walk.links,
        twins=twins,
    )


def _require(timepoints: Sequence[TimepointLesions], transforms: Transforms) -> None:
    if not timepoints:
        raise InputError("there is no time point to follow lesions over")
    if len({timepoint.subject for timepoint in timepoints}) > 1:
        raise InputError("lesions are followed in one subject at a time")
    names = [timepoint.timepoint for timepoint in timepoints]
    if len(set(names)) < len(names):
        raise InputError("two time points bear the same name")
    for pair in pairwise(names):
        if pair not in transforms:
            raise InputError(f"there is no transform from {pair[0]!r} to {pair[1]!r}")


@dataclass(eq=False)
class _Walk:
    """Time point by time point: the links so far, and the lesions that lead nowhere yet."""

    timepoints: Sequence[TimepointLesions]
    transforms: Transforms
    options: MatchOptions
    links: list[Proposal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open: dict[int, list[TrackedLesion]] = {0: list(self.timepoints[0].lesions)}

    def step(self, t: int) -> None:
        """Link the lesions of time point ``t`` to the latest that can be the same."""
        left = list(self.timepoints[t].lesions)
        born: dict[Place, Proposal] = {}
        for seen in range(t - 1, -1, -1):
            known = self.open.get(seen, [])
            if not known and seen < t - 1:
                continue
            proposals = self._match(seen, t, known, left)
            if seen == t - 1:
                born = {p.to_place: p for p in proposals if p.relation is Relation.NEW}
            kept = [p for p in proposals if p.relation is not Relation.NEW]
            self.links += kept
            linked = {p.to_place for p in kept}
            left = [lesion for lesion in left if lesion.place not in linked]
            ended = {p.from_place for p in kept if p.relation is Relation.GONE}
            self.open[seen] = [lesion for lesion in known if lesion.place in ended]
        self.links += [born[lesion.place] for lesion in left]
        self.open[t] = list(self.timepoints[t].lesions)

    def _match(
        self, seen: int, t: int, known: Sequence[TrackedLesion], left: Sequence[TrackedLesion]
    ) -> tuple[Proposal, ...]:
        before = replace(self.timepoints[seen], lesions=tuple(known), twins={})
        after = replace(self.timepoints[t], lesions=tuple(left), twins={})
        return match(before, after, self._transform(seen, t), self.options)

    def _transform(self, seen: int, t: int) -> Transform:
        names = [timepoint.timepoint for timepoint in self.timepoints]
        direct = self.transforms.get((names[seen], names[t]))
        if direct is not None:
            return direct
        path = identity()
        for pair in pairwise(names[seen : t + 1]):
            path = path.then(self.transforms[pair])
        return path
