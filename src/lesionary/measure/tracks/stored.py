"""Tracks as JSON and back: what one stage hands to the next."""

from typing import Any

from lesionary.measure.tracks.records import (
    LinkState,
    Place,
    Proposal,
    Relation,
    TrackStatus,
)
from lesionary.measure.tracks.registration import RegistrationKind
from lesionary.measure.tracks.weaving import Tracks, weave


def tracks_to_json(tracks: Tracks) -> dict[str, Any]:
    """Return places, twins and links; all else of :class:`Tracks` follows from them."""
    return {
        "subject": tracks.subject,
        "timepoints": list(tracks.timepoints),
        "places": [place.to_json() for place in tracks.places],
        "twins": [[twin.to_json(), known.to_json()] for twin, known in tracks.twins.items()],
        "links": [link.to_json() for link in tracks.links],
    }


def tracks_from_json(document: dict[str, Any]) -> Tracks:
    """Return the tracks that :func:`tracks_to_json` wrote down; names come out the same."""
    return weave(
        document["subject"],
        document["timepoints"],
        [_place(entry) for entry in document["places"]],
        [_link(entry) for entry in document["links"]],
        twins={_place(twin): _place(known) for twin, known in document["twins"]},
    )


def _place(entry: dict[str, Any]) -> Place:
    return Place(entry["timepoint"], entry["series"], entry["lesion"])


def _link(entry: dict[str, Any]) -> Proposal:
    return Proposal(
        subject=entry["subject"],
        track=entry["track"],
        from_place=_place(entry["from"]),
        to_place=_place(entry["to"]),
        relation=Relation(entry["relation"]),
        score=entry["score"],
        registration=RegistrationKind(entry["registration"]),
        state=LinkState(entry["state"]),
        reader=entry["reader"],
        from_part=entry["from_part"],
        to_part=entry["to_part"],
        status=TrackStatus(entry["status"]),
        merged_into=entry["merged_into"],
        note=entry["note"],
    )
