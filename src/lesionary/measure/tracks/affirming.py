"""What a reader makes of proposals: identity is affirmed, never assumed (X5).

TrackingID and TrackingUID are for affirmed identity only. They derive from the study's key, the
subject and the track's name, so replaying the same decisions gives the same identities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lesionary.core.errors import InputError, WorkflowError
from lesionary.core.identity import derived_uuid
from lesionary.measure.tracks.records import LinkState, Place, Proposal, Relation, TrackStatus
from lesionary.measure.tracks.weaving import Tracks, weave

BY_THE_READER = "by the reader's word"


class Verdict(StrEnum):
    """What a reader says of a proposal."""

    AFFIRM = "affirm"
    RELINK = "relink"
    SPLIT = "split"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """One reader's word on one proposal.

    Parameters
    ----------
    verdict : Verdict
        ``affirm`` it as it is; ``relink`` what stands at its earlier end to ``to`` instead;
        ``split`` it into the proposal's lesion and those in ``to``; ``reject`` it: the earlier
        lesion is gone, the later one new.
    from_place, to_place : Place
        The proposal's two ends.
    reader : str
        Who decides; never empty.
    to : tuple of Place
        Of ``relink`` exactly one, of ``split`` at least one; of the other verdicts none.

    Raises
    ------
    InputError
        If there is no reader, or ``to`` does not go with the verdict.
    """

    verdict: Verdict
    from_place: Place
    to_place: Place
    reader: str
    to: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if not self.reader:
            raise InputError("a decision bears its reader's name")
        wanted = {Verdict.RELINK: len(self.to) == 1, Verdict.SPLIT: len(self.to) >= 1}
        if not wanted.get(self.verdict, not self.to):
            raise InputError(f"{len(self.to)} further places do not go with {self.verdict.value}")
        if any(place.lesion is None for place in self.to):
            raise InputError("a link leads to a lesion; say reject where it is gone")


@dataclass(frozen=True, slots=True)
class Tracking:
    """The identity of an affirmed track.

    Parameters
    ----------
    tracking_id : str
        DICOM's TrackingID: the subject and the track, as text.
    tracking_uid : str
        DICOM's TrackingUID, ``2.25.…``.
    """

    tracking_id: str
    tracking_uid: str


def affirm(tracks: Tracks, decisions: Sequence[Decision]) -> Tracks:
    """Apply readers' decisions, in order, and work out the tracks anew.

    A track keeps its name as long as it begins at the same lesion; what a decision sets free gets
    the next free name.

    Parameters
    ----------
    tracks : Tracks
        Proposals, or what earlier decisions made of them.
    decisions : sequence of Decision
        The last one on a link counts: each sees what those before it left.

    Returns
    -------
    Tracks
        With state ``affirmed`` and the reader on every link that a decision made or kept.

    Raises
    ------
    WorkflowError
        If a decision is about a link that does not exist (code ``no_such_link``).
    InputError
        If a place is no lesion of this subject, or a link would not lead forwards in time.
    """
    book = _Book(tracks)
    for decision in decisions:
        book.apply(decision)
    return _woven_anew(tracks, book)


def affirm_what_holds(
    tracks: Tracks, decisions: Sequence[Decision]
) -> tuple[Tracks, Mapping[int, str]]:
    """Apply decisions in order, as :func:`affirm` does, and leave aside those that cannot be.

    Parameters
    ----------
    tracks : Tracks
    decisions : sequence of Decision
        Made on other proposals, perhaps: scans may have come since, or masks have changed.

    Returns
    -------
    tuple of Tracks and mapping of int to str
        The tracks, and of each decision that was left aside its place in the sequence and why.
    """
    book = _Book(tracks)
    refused: dict[int, str] = {}
    for place, decision in enumerate(decisions):
        before = dict(book.links)
        try:
            book.apply(decision)
        except (InputError, WorkflowError) as error:
            book.links = before
            refused[place] = error.message
    return _woven_anew(tracks, book), refused


def _woven_anew(tracks: Tracks, book: "_Book") -> Tracks:
    """Work the tracks out anew; one that begins at the same lesion keeps its name."""
    first = dict.fromkeys(visit.track for visit in tracks.visits)
    founders: dict[Place, str] = {}
    for place in tracks.places:
        name = tracks.members[place].track
        if name in first and name not in founders.values():
            founders[place] = name
    return weave(
        tracks.subject,
        tracks.timepoints,
        tracks.places,
        list(book.links.values()),
        twins=tracks.twins,
        founders=founders,
    )


def tracking(tracks: Tracks, study_key: str) -> Mapping[Place, Tracking]:
    """Return the identity of every lesion at either end of an affirmed link; of no other.

    Parameters
    ----------
    tracks : Tracks
    study_key : str
        What sets this study apart from every other; the UIDs derive from it.
    """
    found: dict[Place, Tracking] = {}
    for link in tracks.links:
        if link.state is LinkState.AFFIRMED:
            for place in (link.from_place, link.to_place):
                if place.lesion is not None:
                    found[place] = _tracking(tracks, place, study_key)
    for twin, original in tracks.twins.items():
        if original in found:
            found[twin] = found[original]
    return found


def _tracking(tracks: Tracks, place: Place, study_key: str) -> Tracking:
    track = tracks.members[place].track
    uid = derived_uuid("track", study_key, tracks.subject, track)
    return Tracking(f"{tracks.subject} {track}", f"2.25.{uid.int}")


class _Book:
    """The links of one subject while decisions are applied."""

    def __init__(self, tracks: Tracks) -> None:
        self.timepoints = tracks.timepoints
        self.places = frozenset(tracks.places)
        self.links = {link.key: link for link in tracks.links}

    def apply(self, decision: Decision) -> None:
        link = self.links.get((decision.from_place, decision.to_place))
        if link is None:
            raise WorkflowError(
                "the decision is about a link that does not exist",
                code="no_such_link",
                hint="list the links again: an earlier decision may have changed them",
            )
        for place in decision.to:
            if place not in self.places:
                raise InputError("a decision names a lesion that this subject does not have")
        steps = {
            Verdict.AFFIRM: self._affirm,
            Verdict.REJECT: self._reject,
            Verdict.RELINK: self._relink,
            Verdict.SPLIT: self._split,
        }
        steps[decision.verdict](link, decision)

    def _affirm(self, link: Proposal, decision: Decision) -> None:
        self._put(link, decision)

    def _reject(self, link: Proposal, decision: Decision) -> None:
        if link.relation is Relation.NEW:
            raise InputError(
                "a new lesion cannot be rejected: it came from somewhere",
                hint="relink it to the earlier lesion that it is",
            )
        if link.relation is Relation.GONE:
            doubted = replace(link, status=TrackStatus.NOT_EVALUABLE)
            self._put(doubted, decision)
            return
        del self.links[link.key]
        self._close(link, decision)

    def _relink(self, link: Proposal, decision: Decision) -> None:
        (other,) = decision.to
        start, end = (other, link.to_place) if _is_new(link) else (link.from_place, other)
        is_later = self._time(end) > self._time(link.to_place)
        if link.relation is Relation.GONE and is_later:
            self._put(link, decision)
        else:
            del self.links[link.key]
        self._join(start, end, link, decision)
        if link.is_joining:
            self._close(link, decision)

    def _split(self, link: Proposal, decision: Decision) -> None:
        if not link.is_joining:
            raise InputError("only a lesion that is there can have split", hint="relink it first")
        self._put(link, decision)
        for place in decision.to:
            self._join(link.from_place, place, link, decision)

    def _put(self, link: Proposal, decision: Decision) -> None:
        self.links[link.key] = replace(link, state=LinkState.AFFIRMED, reader=decision.reader)

    def _join(self, start: Place, end: Place, link: Proposal, decision: Decision) -> None:
        """Link two lesions, and drop what said that one is gone there or the other new."""
        if self._time(start) >= self._time(end):
            raise InputError("a link leads from an earlier time point to a later one")
        for key, other in list(self.links.items()):
            is_gone = other.relation is Relation.GONE and key[0] == start
            is_denied = is_gone and self._time(key[1]) >= self._time(end)
            if is_denied or (_is_new(other) and key[1] == end):
                del self.links[key]
        joined = replace(
            link,
            from_place=start,
            to_place=end,
            relation=Relation.SAME,
            score=1.0,
            status=TrackStatus.PRESENT,
            note="",
        )
        self._put(joined, decision)

    def _close(self, link: Proposal, decision: Decision) -> None:
        """Where a link was cut, say that the one lesion is gone and the other new, if they are."""
        joined = [other for other in self.links.values() if other.is_joining]
        cut = self._time(link.to_place)
        ahead = [self._time(o.to_place) for o in joined if o.from_place == link.from_place]
        until = min(ahead, default=len(self.timepoints))
        if until > cut:
            self._put(self._gone(link, cut), decision)
        for t in range(cut + 1, until):
            later = self._gone(link, t)
            self.links.setdefault(later.key, later)
        if not any(other.to_place == link.to_place for other in joined):
            nowhere = Place(link.from_place.timepoint, link.from_place.series)
            new = replace(
                link, from_place=nowhere, relation=Relation.NEW, score=1.0, note=BY_THE_READER
            )
            self._put(replace(new, status=TrackStatus.PRESENT), decision)

    def _gone(self, link: Proposal, t: int) -> Proposal:
        """Say that the lesion a link came from is absent at a time point."""
        timepoint = self.timepoints[t]
        ends = [other.to_place for other in self.links.values()]
        series = [end.series for end in ends if end.timepoint == timepoint]
        return replace(
            link,
            to_place=Place(timepoint, (series or [link.to_place.series])[0]),
            relation=Relation.GONE,
            score=1.0,
            state=LinkState.PROPOSED,
            reader=None,
            status=TrackStatus.ABSENT,
            note=BY_THE_READER,
        )

    def _time(self, place: Place) -> int:
        return self.timepoints.index(place.timepoint)


def _is_new(link: Proposal) -> bool:
    return link.relation is Relation.NEW
