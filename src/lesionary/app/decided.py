"""What readers decided of a subject, laid over what is proposed now.

A decision names lesions by their numbers, and with each the mask that the numbers are of. Where
that mask is another by now, the decision is left aside and told of: it never speaks of a lesion
that its reader did not see.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lesionary.app.reported_places import Reported, reported_of
from lesionary.core.terms import LesionKind
from lesionary.measure.observing import BY_A_READER, observe
from lesionary.measure.response.records import Role
from lesionary.measure.seen import Observed, ScanFacts, SeenLesion, TargetProposal
from lesionary.measure.tracks.affirming import Decision, Verdict, affirm_what_holds
from lesionary.measure.tracks.records import LinkState, Place
from lesionary.measure.tracks.stored import tracks_from_json
from lesionary.measure.tracks.weaving import Tracks

if TYPE_CHECKING:
    from lesionary.app.stages.respond import RespondRequest

PROPOSED, AFFIRMED = LinkState.PROPOSED.value, LinkState.AFFIRMED.value

MASK_CHANGED = "the mask that it was decided on is another now"
SCAN_GONE = "the scan that it was decided on is not measured now"
NOT_PROPOSED = "what it was decided on is not proposed now"

DECIDABLE = frozenset({Role.TARGET, Role.NON_TARGET})
"""Roles that a reader gives; ``new`` follows from the links."""

Json = dict[str, Any]
Scans = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Decided:
    """A subject as its readers have it.

    Parameters
    ----------
    tracks : Tracks
        With every decision that still holds.
    lesions : mapping of Place to SeenLesion
    scans : mapping of str to ScanFacts
    seen : Observed
    reported : tuple of Reported
        Diameters that reports state.
    stale : Counter of str
        Decisions left aside, by why; those that a later one made good do not count.
    """

    tracks: Tracks
    lesions: Mapping[Place, SeenLesion]
    scans: Mapping[str, ScanFacts]
    seen: Observed
    reported: tuple[Reported, ...]
    stale: Counter[str] = field(default_factory=Counter)

    @property
    def links_state(self) -> str:
        """``affirmed`` where every link is."""
        is_open = any(link.state is not LinkState.AFFIRMED for link in self.tracks.links)
        return PROPOSED if is_open else AFFIRMED

    def role_state(self, one: TargetProposal) -> str:
        """Tell whether a reader has said what a track is; what follows from links is as they are.

        A node of normal size is no lesion by its size alone: there is nothing to affirm.
        """
        if one.role in DECIDABLE:
            return AFFIRMED if one.reason == BY_A_READER else PROPOSED
        return self.links_state

    @property
    def state(self) -> str:
        """``affirmed`` where every link and every role is, and there is one at all."""
        roles = [self.role_state(one) for one in self.seen.roles]
        is_whole = self.links_state == AFFIRMED and PROPOSED not in roles
        return AFFIRMED if is_whole and (roles or self.tracks.links) else PROPOSED


def decided(request: "RespondRequest") -> Decided:
    """Apply a subject's decisions to its proposals."""
    proposed = tracks_from_json(request.tracks)
    lesions, scans = lesions_of(request.scans), scans_of(request.scans)
    tracks, left_links = _with_links(proposed, request)
    reported = reported_of(request.reported, request.scans, tracks, lesions)
    roles, left_roles = _roles(request, tracks, lesions)
    uses_reported = request.rules["diameters"] == "reported"
    written = {one.place: one.diameter_mm for one in reported if one.place is not None}
    seen = observe(
        tracks,
        lesions,
        scans,
        precision_mm=Decimal(request.precision_mm),
        roles=roles,
        written_mm=written if uses_reported else {},
    )
    found = Decided(tracks, lesions, scans, seen, reported)
    found.stale.update(_links_that_await(left_links, found, request.scans))
    if any(found.role_state(one) == PROPOSED for one in seen.roles if one.role in DECIDABLE):
        found.stale.update(why for _, why in left_roles)
    return found


def lesions_of(scans: Scans) -> dict[Place, SeenLesion]:
    """Return every measured lesion by its place."""
    return {
        Place(scan["timepoint"], series, row["lesion"]): SeenLesion(
            str(row["label"]), LesionKind(row["kind"]), row["diameter_mm"], row["reader"] or ""
        )
        for series, scan in scans.items()
        for row in scan["lesions"]
    }


def scans_of(scans: Scans) -> dict[str, ScanFacts]:
    """Return what is known of every series; who drew anything has looked at what nobody drew on."""
    everybody = {row["reader"] or "" for scan in scans.values() for row in scan["lesions"]}
    found = {}
    for series, scan in scans.items():
        readers = {row["reader"] or "" for row in scan["lesions"]}
        if scan["is_annotated"] and not readers:
            readers = everybody or {""}
        thickness = scan["slice_thickness_mm"]
        found[series] = ScanFacts(
            timepoint=scan["timepoint"],
            date=date.fromisoformat(scan["date"]) if scan["date"] else None,
            modality=scan["modality"],
            slice_thickness_mm=None if thickness is None else Decimal(thickness),
            readers=frozenset(readers),
        )
    return found


def founder(
    tracks: Tracks, lesions: Mapping[Place, SeenLesion], track: str, reader: str
) -> Place | None:
    """Return the lesion with which a track begins for a reader; None where the reader has none."""
    when = {name: n for n, name in enumerate(tracks.timepoints)}
    own = [
        place
        for place, member in tracks.members.items()
        if member.track == track and lesions[place].reader == reader
    ]
    return min(own, key=lambda place: when[place.timepoint], default=None)


_Left = list[tuple[Mapping[str, Any], str]]


def _with_links(proposed: Tracks, request: "RespondRequest") -> tuple[Tracks, _Left]:
    rows: list[Mapping[str, Any]] = []
    decisions: list[Decision] = []
    left: _Left = []
    for row in request.decisions["links"]:
        why = _why_not(request.scans, [row["from"], row["to"], *row["further"]])
        if why:
            left.append((row, why))
        else:
            rows.append(row)
            decisions.append(_decision(row, request.scans))
    tracks, refused = affirm_what_holds(proposed, decisions)
    return tracks, left + [(rows[n], NOT_PROPOSED) for n in refused]


def _decision(row: Mapping[str, Any], scans: Scans) -> Decision:
    return Decision(
        Verdict(row["verdict"]),
        _place(row["from"], scans),
        _place(row["to"], scans),
        row["reader"],
        tuple(_place(end, scans) for end in row["further"]),
    )


def _place(end: Mapping[str, Any], scans: Scans) -> Place:
    return Place(scans[end["series"]]["timepoint"], end["series"], end["lesion"])


def _why_not(scans: Scans, ends: Sequence[Mapping[str, Any]]) -> str:
    """Return why a decision cannot speak of what is there now; empty where it can."""
    if any(end["series"] not in scans for end in ends):
        return SCAN_GONE
    if any(scans[end["series"]]["mask"] != end["object"] for end in ends):
        return MASK_CHANGED
    return ""


def _roles(
    request: "RespondRequest", tracks: Tracks, lesions: Mapping[Place, SeenLesion]
) -> tuple[dict[tuple[str, str], Role], _Left]:
    roles: dict[tuple[str, str], Role] = {}
    left: _Left = []
    for row in request.decisions["roles"]:
        why = _why_not(request.scans, [row])
        place = None if why else _place(row, request.scans)
        if place is None or place not in lesions:
            left.append((row, why or NOT_PROPOSED))
        else:
            roles[lesions[place].reader, tracks.members[place].track] = Role(row["role"])
    return roles, left


def _links_that_await(left: _Left, found: Decided, scans: Scans) -> list[str]:
    """Return why decisions were left aside whose scans have links that await a reader."""
    awaiting = {
        (link.from_place.series, link.to_place.series)
        for link in found.tracks.links
        if link.state is not LinkState.AFFIRMED
    }
    return [
        why
        for row, why in left
        if (row["from"]["series"], row["to"]["series"]) in awaiting
        or not {row["from"]["series"], row["to"]["series"]} <= scans.keys()
    ]
