"""From tracks and measured lesions to what response is judged by: one observation a lesion (R9).

Roles are proposed by the guideline at each reader's own baseline, unless a reader has said what a
lesion is. A lesion that first shows later is new, also where no earlier scan reached it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from lesionary.core.terms import LesionKind
from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.response.selection import Candidate, propose_targets
from lesionary.measure.response.sightings import NORMAL_NODE_MM
from lesionary.measure.seen import Observed, ScanFacts, SeenLesion, TargetProposal, recorded_mm
from lesionary.measure.tracks.matching import BEYOND_EARLIER_SCAN
from lesionary.measure.tracks.records import Place, TrackStatus
from lesionary.measure.tracks.weaving import Tracks, Visit

LATER = "first seen after the baseline"
NORMAL_BEFORE = "a normal node at the baseline, enlarged later"
BY_A_READER = "by a reader's word"

_SEEN_AS = {
    TrackStatus.ABSENT: Status.ABSENT,
    TrackStatus.NOT_EVALUABLE: Status.NOT_EVALUABLE,
}


def observe(
    tracks: Tracks,
    lesions: Mapping[Place, SeenLesion],
    scans: Mapping[str, ScanFacts],
    *,
    precision_mm: Decimal = Decimal("0.1"),
    roles: Mapping[tuple[str, str], Role] | None = None,
    written_mm: Mapping[Place, Decimal] | None = None,
) -> Observed:
    """Write down what every reader saw of every track at every time point.

    Parameters
    ----------
    tracks : Tracks
        Of one subject.
    lesions : mapping of Place to SeenLesion
        Every lesion of the tracks.
    scans : mapping of str to ScanFacts
        By series.
    precision_mm : Decimal
        Diameters are rounded half up to multiples of it.
    roles : mapping of (str, str) to Role, optional
        By who drew it and track. What has been said of a track goes before what is proposed, where
        it can be: what was not there at the baseline is new whatever anybody says.
    written_mm : mapping of Place to Decimal, optional
        Diameters that somebody wrote down, as they stand; they go before what was measured.

    Returns
    -------
    Observed
        A reader's baseline is the first time point that the reader looked at. Of a lesion seen by
        several series of a time point the leading one counts. What is new is absent before, or not
        evaluable where no scan reached there. A node that is normal at the baseline is no lesion;
        it is new once its short axis reaches 10 mm.
    """
    readers = {reader for scan in scans.values() for reader in scan.readers}
    readers |= {lesion.reader for lesion in lesions.values()}
    observations: list[Observation] = []
    said: list[TargetProposal] = []
    for reader in sorted(readers):
        book = _Book(tracks, lesions, scans, precision_mm, reader, written_mm or {})
        proposals = book.roles(roles or {})
        said += proposals
        observations += book.observations(proposals)
    return Observed(tuple(observations), tuple(said))


@dataclass
class _Book:
    """What one reader saw."""

    tracks: Tracks
    lesions: Mapping[Place, SeenLesion]
    scans: Mapping[str, ScanFacts]
    precision_mm: Decimal
    reader: str
    written_mm: Mapping[Place, Decimal] = field(default_factory=dict)
    _places: dict[tuple[str, str], list[Place]] = field(init=False)

    def __post_init__(self) -> None:
        self._places = {}
        for place, member in self.tracks.members.items():
            if self.lesions[place].reader == self.reader:
                self._places.setdefault((member.track, place.timepoint), []).append(place)

    @cached_property
    def timepoints(self) -> list[str]:
        """Those that the reader looked at, in order of time."""
        looked = {s.timepoint for s in self.scans.values() if self.reader in s.readers}
        looked |= {timepoint for _, timepoint in self._places}
        return [name for name in self.tracks.timepoints if name in looked]

    def roles(self, given: Mapping[tuple[str, str], Role]) -> list[TargetProposal]:
        """Propose what each track is, in order of the tracks."""
        if not self.timepoints:
            return []
        baseline = self.timepoints[0]
        seen = {track for track, _ in self._places}
        tracks = [name for name in self.tracks.names if name in seen]
        at_baseline = [name for name in tracks if (name, baseline) in self._places]
        proposed = {
            one.lesion: one
            for one in propose_targets([self._candidate(name, baseline) for name in at_baseline])
        }
        found = []
        for name in tracks:
            if name not in proposed:
                found.append(TargetProposal(self.reader, name, Role.NEW, LATER))
            elif proposed[name].role is None and self._grows_to_disease(name):
                found.append(TargetProposal(self.reader, name, Role.NEW, NORMAL_BEFORE))
            elif (said := given.get((self.reader, name))) in {Role.TARGET, Role.NON_TARGET}:
                found.append(TargetProposal(self.reader, name, said, BY_A_READER))
            else:
                one = proposed[name]
                found.append(TargetProposal(self.reader, name, one.role, one.reason))
        return found

    def observations(self, proposals: Sequence[TargetProposal]) -> Iterator[Observation]:
        """Yield what the reader saw of each track that is a lesion, at every time point."""
        roles = {one.track: one.role for one in proposals if one.role is not None}
        visits = {(visit.track, visit.timepoint): visit for visit in self.tracks.visits}
        for track, role in roles.items():
            start = self._begins(track) if role is Role.NEW else 0
            for timepoint in self.timepoints[:start]:
                yield self._row(track, role, timepoint, self._unseen_before(track))
            for timepoint in self.timepoints[start:]:
                yield from self._seen(track, role, visits[track, timepoint], roles)

    def _begins(self, track: str) -> int:
        """Return the number of the time point at which a new lesion first is one."""
        kind = self._known(track).kind
        sizes = [
            [self._recorded_mm(place) for place in self._shown(track, name)]
            for name in self.timepoints
        ]
        is_lesion = [
            any(kind is LesionKind.TUMOUR or mm is None or mm >= NORMAL_NODE_MM for mm in at)
            for at in sizes[1:]
        ]
        is_seen = [bool(at) for at in sizes[1:]]
        return 1 + (is_lesion if any(is_lesion) else is_seen).index(True)

    def _unseen_before(self, track: str) -> Status:
        """Return whether earlier scans could have shown a new lesion."""
        is_beyond = any(
            link.track == track and link.note == BEYOND_EARLIER_SCAN for link in self.tracks.links
        )
        return Status.NOT_EVALUABLE if is_beyond else Status.ABSENT

    def _seen(
        self, track: str, role: Role, visit: Visit, roles: Mapping[str, Role]
    ) -> Iterator[Observation]:
        timepoint = visit.timepoint
        group = self._merged_with(track, timepoint)
        carrier = min(group, key=lambda name: (roles.get(name) is not Role.TARGET, name))
        places = [place for name in group for place in self._shown(name, timepoint)]
        if len(group) > 1 and places and carrier != track:
            yield self._row(track, role, timepoint, Status.MERGED, merged_into=carrier)
        elif len(group) > 1 and places:
            yield from self._measured(track, role, timepoint, places)
        elif own := self._shown(track, timepoint):
            yield from self._measured(track, role, timepoint, own)
        else:
            yield self._row(track, role, timepoint, self._status(visit, group))

    def _status(self, visit: Visit, group: Sequence[str]) -> Status:
        """Return why the reader shows no lesion here: what others drew is absent to this one."""
        if len(group) == 1 or visit.status is not TrackStatus.MERGED:
            return _SEEN_AS.get(visit.status, Status.ABSENT)
        carried = [
            v for v in self.tracks.visits if v.track in group and v.timepoint == visit.timepoint
        ]
        found = {_SEEN_AS.get(one.status) for one in carried} - {None}
        return Status.NOT_EVALUABLE if found == {Status.NOT_EVALUABLE} else Status.ABSENT

    def _merged_with(self, track: str, timepoint: str) -> list[str]:
        """Return the tracks that share one lesion at a time point, the named one among them."""
        into = {
            visit.track: visit.merged_into
            for visit in self.tracks.visits
            if visit.timepoint == timepoint and visit.merged_into
        }
        root = into.get(track, track)
        return [root, *(name for name, carrier in into.items() if carrier == root)]

    def _measured(
        self, track: str, role: Role, timepoint: str, places: Sequence[Place]
    ) -> Iterator[Observation]:
        largest = max(places, key=lambda place: self._recorded_mm(place) or Decimal(0))
        if len(places) == 1 or self.lesions[largest].kind is LesionKind.NODE:
            yield self._row(track, role, timepoint, Status.PRESENT, place=largest)
            return
        for number, place in enumerate(places, start=1):
            yield self._row(track, role, timepoint, Status.PRESENT, place=place, part=str(number))

    def _row(
        self,
        track: str,
        role: Role,
        timepoint: str,
        status: Status,
        *,
        place: Place | None = None,
        part: str = "",
        merged_into: str = "",
    ) -> Observation:
        known = self._known(track)
        scan = self._scan_of(place, timepoint)
        return Observation(
            subject=self.tracks.subject,
            timepoint=timepoint,
            lesion=track,
            role=role,
            kind=known.kind,
            organ=known.organ,
            diameter_mm=self._recorded_mm(place),
            status=status,
            date=scan.date,
            modality=scan.modality,
            slice_thickness_mm=scan.slice_thickness_mm,
            merged_into=merged_into,
            part=part,
            reader=self.reader,
        )

    def _recorded_mm(self, place: Place | None) -> Decimal | None:
        if place is None:
            return None
        size = self.lesions[place].diameter_mm
        measured = None if size is None else recorded_mm(size, self.precision_mm)
        return self.written_mm.get(place, measured)

    def _scan_of(self, place: Place | None, timepoint: str) -> ScanFacts:
        """Return the scan that shows a lesion, or the leading one of those that show none."""
        if place is not None:
            return self.scans[place.series]
        looked = [scan for scan in self.scans.values() if scan.timepoint == timepoint]
        return next((scan for scan in looked if self.reader in scan.readers), looked[0])

    def _shown(self, track: str, timepoint: str) -> list[Place]:
        """Return a track's lesions in the leading series that shows it to the reader."""
        places = self._places.get((track, timepoint), [])
        return [place for place in places if place.series == places[0].series]

    def _known(self, track: str) -> SeenLesion:
        """Return the lesion by which a track was first seen: its kind and organ stay."""
        first = next(name for name in self.timepoints if (track, name) in self._places)
        return self.lesions[self._places[track, first][0]]

    def _candidate(self, track: str, baseline: str) -> Candidate:
        places = self._shown(track, baseline)
        sizes = [mm for place in places if (mm := self._recorded_mm(place)) is not None]
        known = self._known(track)
        thickness = self.scans[places[0].series].slice_thickness_mm
        largest = max(sizes, default=None)
        return Candidate(track, known.kind, known.organ, largest, thickness)

    def _grows_to_disease(self, track: str) -> bool:
        sizes = (
            self._recorded_mm(place)
            for timepoint in self.timepoints[1:]
            for place in self._shown(track, timepoint)
        )
        return any(mm is not None and mm >= NORMAL_NODE_MM for mm in sizes)
