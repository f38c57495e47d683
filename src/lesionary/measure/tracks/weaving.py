"""From links between lesions to named tracks: what follows alike from proposals and from readers.

A link says which lesion became which. Its relation, the track's name, its parts and what each time
point says of it follow from all links together, so they are worked out here, and anew whenever a
reader changes a link.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from string import ascii_uppercase

from lesionary.measure.tracks.records import Place, Proposal, Relation, TrackStatus

SEEN_AGAIN = "missing in between"


@dataclass(frozen=True, slots=True)
class Member:
    """What a lesion is part of: its track, and which part where that has split."""

    track: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of one track at one time point.

    Parameters
    ----------
    track, timepoint : str
    status : TrackStatus
    places : tuple of Place
        Its lesions there: several where it has split.
    merged_into : str
        The track that carries the one lesion of a merger.
    """

    track: str
    timepoint: str
    status: TrackStatus
    places: tuple[Place, ...] = ()
    merged_into: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """All tracks of one subject.

    Parameters
    ----------
    subject : str
    timepoints : tuple of str
        In order of time.
    links : tuple of Proposal
        By later time point, then by track. A lesion of the first time point has no link to itself.
    members : mapping of Place to Member
        The track of every lesion, those of other series of the same time point too.
    visits : tuple of Visit
        By track, from the time point at which it was first seen.
    twins : mapping of Place to Place
        Lesions of other series, and which lesion of the links each is.
    """

    subject: str
    timepoints: tuple[str, ...]
    links: tuple[Proposal, ...]
    members: Mapping[Place, Member]
    visits: tuple[Visit, ...]
    twins: Mapping[Place, Place] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The tracks in order."""
        return tuple(dict.fromkeys(visit.track for visit in self.visits))

    @property
    def places(self) -> tuple[Place, ...]:
        """Every lesion once, by time point, in the order in which tracks are named."""
        return tuple(place for place in self.members if place not in self.twins)


def track_name(number: int) -> str:
    """Name the n-th track, from 0: A … Z, AA, AB ….

    Examples
    --------
    >>> [track_name(n) for n in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(ascii_uppercase))
        name = ascii_uppercase[letter] + name
    return name


def track_number(name: str) -> int:
    """Return the number of a track's name: the inverse of :func:`track_name`."""
    number = 0
    for letter in name:
        number = number * len(ascii_uppercase) + ascii_uppercase.index(letter) + 1
    return number - 1


def weave(
    subject: str,
    timepoints: Sequence[str],
    places: Sequence[Place],
    links: Sequence[Proposal],
    *,
    twins: Mapping[Place, Place] | None = None,
    founders: Mapping[Place, str] | None = None,
) -> Tracks:
    """Name tracks and tell what follows from the links.

    Parameters
    ----------
    subject : str
    timepoints : sequence of str
        In order of time.
    places : sequence of Place
        Every lesion once, by time point; new tracks are named in this order.
    links : sequence of Proposal
        Their tracks, parts, mergers and, between lesions, relations are set here.
    twins : mapping of Place to Place, optional
        Lesions of other series of the same time point.
    founders : mapping of Place to str, optional
        Names that the tracks which begin at these lesions keep.
    """
    loom = _Loom(tuple(timepoints), _related(links), dict(founders or {}))
    for place in places:
        loom.place(place)
    members = {place: loom.members[place] for place in places}
    twins = dict(twins or {})
    return Tracks(
        subject=subject,
        timepoints=tuple(timepoints),
        links=loom.named(places),
        members=members | {twin: members[original] for twin, original in twins.items()},
        visits=loom.visits(),
        twins=twins,
    )


def _related(links: Sequence[Proposal]) -> list[Proposal]:
    """Set the relation of each link between two lesions by how many meet at its ends."""
    joined = [link for link in links if link.is_joining]
    ahead = Counter((link.from_place, link.to_place.timepoint) for link in joined)
    back = Counter(link.to_place for link in joined)
    related = []
    for link in links:
        relation = link.relation
        if link.is_joining:
            relation = Relation.MERGE if back[link.to_place] > 1 else Relation.SAME
            if ahead[link.from_place, link.to_place.timepoint] > 1:
                relation = Relation.SPLIT
        related.append(replace(link, relation=relation))
    return related


@dataclass(eq=False)
class _Loom:
    timepoints: tuple[str, ...]
    links: list[Proposal]
    founders: dict[Place, str]
    members: dict[Place, Member] = field(default_factory=dict)
    merged: dict[str, tuple[str, str]] = field(default_factory=dict)
    n_parts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.into: dict[Place, list[Proposal]] = defaultdict(list)
        for link in self.links:
            if link.is_joining:
                self.into[link.to_place].append(link)
        taken = set(self.founders.values())
        self._free = (name for name in map(track_name, count()) if name not in taken)

    def place(self, place: Place) -> None:
        """Give a lesion its track; those it came from have theirs."""
        links = self.into.get(place)
        if not links:
            name = self.founders.get(place) or next(self._free)
            self.members[place] = Member(name)
            return
        carrier = min(links, key=lambda link: _order(self.members[link.from_place]))
        member = self.members[carrier.from_place]
        if carrier.relation is Relation.SPLIT:
            self.n_parts[member.track] += 1
            member = Member(member.track, str(self.n_parts[member.track]))
        elif self._is_whole_again(member.track, [link.from_place for link in links]):
            member = Member(member.track)
        self.members[place] = member
        for link in links:
            absorbed = self.members[link.from_place].track
            if absorbed != member.track:
                self.merged[absorbed] = (place.timepoint, member.track)

    def _is_whole_again(self, track: str, origins: Sequence[Place]) -> bool:
        """Tell whether all parts that a track had where these lie have come together."""
        times = {origin.timepoint for origin in origins}
        parts = [
            place
            for place, member in self.members.items()
            if member.track == track and place.timepoint in times
        ]
        return len(parts) > 1 and set(parts) <= set(origins)

    def named(self, places: Sequence[Place]) -> tuple[Proposal, ...]:
        """Return all links with their tracks, by later time point, then track, then lesion."""
        when = {name: n for n, name in enumerate(self.timepoints)}
        rank = {place: n for n, place in enumerate(places)}
        end = len(rank)
        links = [self._named(link) for link in self.links]
        links.sort(
            key=lambda link: (
                when[link.to_place.timepoint],
                track_number(link.track),
                rank.get(link.from_place, end),
                rank.get(link.to_place, end),
            )
        )
        return tuple(links)

    def _named(self, link: Proposal) -> Proposal:
        if link.relation is Relation.NEW:
            return replace(link, track=self.members[link.to_place].track)
        member = self.members[link.from_place]
        if link.relation is Relation.GONE:
            return replace(link, track=member.track, from_part=member.part)
        later = self.members[link.to_place]
        is_absorbed = later.track != member.track
        before = self.timepoints.index(link.to_place.timepoint) - 1
        is_gap = link.from_place.timepoint != self.timepoints[before]
        return replace(
            link,
            track=member.track,
            from_part=member.part,
            to_part="" if is_absorbed else later.part,
            merged_into=later.track if is_absorbed else "",
            status=TrackStatus.MERGED if is_absorbed else TrackStatus.PRESENT,
            note=link.note or (SEEN_AGAIN if is_gap else ""),
        )

    def visits(self) -> tuple[Visit, ...]:
        """Return the status of every track from its first time point on."""
        seen: dict[tuple[str, str], list[Place]] = defaultdict(list)
        for place, member in self.members.items():
            seen[member.track, place.timepoint].append(place)
        gone = {
            (self.members[link.from_place].track, link.to_place.timepoint): link.status
            for link in self.links
            if link.relation is Relation.GONE
        }
        first: dict[str, int] = {}
        for track, timepoint in seen:
            t = self.timepoints.index(timepoint)
            first[track] = min(t, first.get(track, t))
        visits = []
        for track in sorted(first, key=track_number):
            for t in range(first[track], len(self.timepoints)):
                name = self.timepoints[t]
                places = tuple(seen.get((track, name), ()))
                visits.append(self._visit(track, t, places, gone.get((track, name))))
        return tuple(visits)

    def _visit(
        self, track: str, t: int, places: tuple[Place, ...], gone: TrackStatus | None
    ) -> Visit:
        name = self.timepoints[t]
        if places:
            return Visit(track, name, TrackStatus.PRESENT, places)
        into = self._carrier(track, t)
        if into:
            return Visit(track, name, TrackStatus.MERGED, (), into)
        return Visit(track, name, gone or TrackStatus.NOT_EVALUABLE)

    def _carrier(self, track: str, t: int) -> str:
        """Return who carries a track at a time point; empty where it has not merged by then."""
        into = ""
        while track in self.merged:
            timepoint, track = self.merged[track]
            if self.timepoints.index(timepoint) > t:
                break
            into = track
        return into


def _order(member: Member) -> tuple[int, int]:
    return track_number(member.track), int(member.part or 0)
