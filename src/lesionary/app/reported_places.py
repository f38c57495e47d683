"""Diameters that reports state, beside those that were measured (R9).

A reported diameter never takes a computed one's place, nor the other way: observations go by the
one that the protocol says, and both stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lesionary.measure.seen import SeenLesion
from lesionary.measure.tracks.records import Place
from lesionary.measure.tracks.weaving import Tracks

NO_LESION = "no measured lesion is known by this name at this time point"
SEVERAL = "several measured lesions bear this name at this time point"
MASK_CHANGED = "the mask in which its lesion was found is another now"
NOT_MEASURED = "the lesion has no diameter"


@dataclass(frozen=True, slots=True)
class Reported:
    """One reported diameter and the lesion that it is of.

    Parameters
    ----------
    timepoint : str
    lesion : str
        As the report names it.
    diameter_mm : Decimal
    place : Place or None
        The measured lesion; None where it is not known, and ``why`` says why.
    track : str or None
    computed_mm : float or None
        As measured.
    drawn_by : str
        Who drew the measured lesion; empty where nobody is named.
    why : str
    """

    timepoint: str
    lesion: str
    diameter_mm: Decimal
    place: Place | None = None
    track: str | None = None
    computed_mm: float | None = None
    drawn_by: str = ""
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what ``respond`` says of it; the difference is reported minus computed."""
        computed = self.computed_mm
        difference = None if computed is None else float(self.diameter_mm) - computed
        row: dict[str, Any] = {
            "timepoint": self.timepoint,
            "lesion": self.lesion,
            "track": self.track,
            "reader": self.drawn_by or None,
            "reported_mm": float(self.diameter_mm),
            "computed_mm": computed,
            "difference_mm": difference,
        }
        texts = {
            "track": self.why,
            "reader": "no reader is named" if self.place is not None else self.why,
            "computed_mm": self.why or NOT_MEASURED,
            "difference_mm": self.why or NOT_MEASURED,
        }
        reason = {name: text for name, text in texts.items() if row[name] is None}
        return row | {"reason": reason} if reason else row


def reported_of(
    rows: Sequence[Mapping[str, Any]],
    scans: Mapping[str, Mapping[str, Any]],
    tracks: Tracks,
    lesions: Mapping[Place, SeenLesion],
) -> tuple[Reported, ...]:
    """Find the measured lesion of every reported diameter.

    Parameters
    ----------
    rows : sequence of mapping
        ``timepoint, lesion, series, number, object, diameter_mm`` of what was entered. The number
        is that of the lesion in the mask; where it was not known at entry, ``lesion`` is the name
        of a track.
    scans : mapping
        By series, with ``timepoint`` and ``mask``.
    tracks : Tracks
    lesions : mapping of Place to SeenLesion

    Returns
    -------
    tuple of Reported
        In the order of the rows; of a track that several readers drew one for each of them.
    """
    found: list[Reported] = []
    for row in rows:
        places, why = _places(row, scans, tracks, lesions)
        known = (row["timepoint"], row["lesion"], Decimal(row["diameter_mm"]))
        if not places:
            found.append(Reported(*known, why=why))
        for place in places:
            one = lesions[place]
            track = tracks.members[place].track
            found.append(Reported(*known, place, track, one.diameter_mm, one.reader))
    return tuple(found)


def _places(
    row: Mapping[str, Any],
    scans: Mapping[str, Mapping[str, Any]],
    tracks: Tracks,
    lesions: Mapping[Place, SeenLesion],
) -> tuple[list[Place], str]:
    if row["number"] is not None:
        scan = scans.get(row["series"])
        if scan is None or scan["mask"] != row["object"]:
            return [], MASK_CHANGED
        return [Place(scan["timepoint"], row["series"], row["number"])], ""
    return places_of_track(tracks, lesions, row["lesion"], row["timepoint"], row["series"])


def places_of_track(
    tracks: Tracks,
    lesions: Mapping[Place, SeenLesion],
    track: str,
    timepoint: str,
    series: str | None = None,
) -> tuple[list[Place], str]:
    """Return a track's one lesion as each reader drew it, or why there is none to name.

    Of several series that show it the leading one counts, unless one is named.
    """
    by_reader: dict[str, list[Place]] = {}
    for place, member in tracks.members.items():
        is_there = place.timepoint == timepoint and series in {None, place.series}
        if member.track == track and is_there:
            by_reader.setdefault(lesions[place].reader, []).append(place)
    shown = [[one for one in own if one.series == own[0].series] for own in by_reader.values()]
    if any(len(own) > 1 for own in shown):
        return [], SEVERAL
    return [own[0] for own in shown], "" if shown else NO_LESION
