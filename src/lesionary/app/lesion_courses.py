"""What lesions do besides response: volumes, growth, sizes that hang on a definition."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lesionary.core.terms import LesionKind
from lesionary.measure.growth import burdens_of, growth_of
from lesionary.measure.response.records import Role
from lesionary.measure.seen import Observed, ScanFacts
from lesionary.measure.straddling import LesionSizes, Size, straddling
from lesionary.measure.tracks.records import Place, TrackStatus
from lesionary.measure.tracks.weaving import Tracks, Visit
from lesionary.measure.volumetric import volumetric_response

Json = dict[str, Any]

_NAMES = {"total_ml": "target_volume_ml", "response": "volumetric_response"}
"""What fields of a response by volume are called among others."""


@dataclass(frozen=True)
class Courses:
    """A subject's tracks with the measured rows of their lesions."""

    tracks: Tracks
    rows: Mapping[Place, Mapping[str, Any]]
    scans: Mapping[str, ScanFacts]
    seen: Observed
    are_animals: bool = False

    @cached_property
    def merged(self) -> frozenset[tuple[str, str, str]]:
        """Reader, time point and track of what another track carries."""
        return frozenset(
            (one.reader, one.timepoint, one.lesion)
            for one in self.seen.observations
            if one.merged_into
        )

    @property
    def readers(self) -> list[str]:
        """Who drew anything; empty for what no reader did."""
        return sorted({row["reader"] or "" for row in self.rows.values()})

    def volumetric(self) -> list[Json]:
        """Judge each reader's targets by their total volume."""
        return [
            row
            for reader in dict.fromkeys(one.reader for one in self.seen.observations)
            for row in self._volumetric(reader)
        ]

    def _volumetric(self, reader: str) -> Iterator[Json]:
        own = [one for one in self.seen.observations if one.reader == reader]
        timepoints = [t for t in self.tracks.timepoints if any(one.timepoint == t for one in own)]
        targets = sorted({one.lesion for one in own if one.role is Role.TARGET})
        volumes = [[self._volume_ml(track, t, reader) for track in targets] for t in timepoints]
        for one in volumetric_response(timepoints, volumes):
            yield {
                "subject": self.tracks.subject,
                "reader": reader or None,
                "timepoint": one.timepoint,
                "target_volume_ml": one.total_ml,
                "change_from_baseline_percent": one.change_from_baseline_percent,
                "change_from_nadir_percent": one.change_from_nadir_percent,
                "volumetric_response": one.response and one.response.value,
                "reason": {_NAMES.get(name, name): why for name, why in one.reason.items()},
            }

    def growth(self) -> list[Json]:
        """Fit every tumour's growth over the days, reader by reader; add up the burden (M10).

        Without a date for every time point there is nothing to fit.
        """
        dates = {s.timepoint: s.date for s in self.scans.values() if s.date is not None}
        names = self.tracks.timepoints
        if not names or any(name not in dates for name in names):
            return []
        days = [float((dates[name] - dates[names[0]]).days) for name in names]
        return [self._growth(reader, days) for reader in self.readers]

    def _growth(self, reader: str, days: Sequence[float]) -> Json:
        names = self.tracks.timepoints
        volumes = {
            track: [self._volume_ml(track, name, reader) for name in names]
            for track in self.tracks.names
        }
        known = [n for n in range(len(days)) if all(own[n] is not None for own in volumes.values())]
        burdens = burdens_of(
            [days[n] for n in known],
            {track: [own[n] or 0.0 for n in known] for track, own in volumes.items()},
        )
        return {
            "subject": self.tracks.subject,
            "reader": reader or None,
            "days": dict(zip(names, days, strict=True)),
            "tumours": [
                _tumour(track, days, self._by_itself(track, reader, own))
                for track, own in volumes.items()
            ],
            "burden": [
                {
                    "timepoint": names[n],
                    "day": burden.day,
                    "total_ul": burden.total_ul,
                    "warning": (burden.warning.value or None) if self.are_animals else None,
                }
                for n, burden in zip(known, burdens, strict=True)
            ],
        }

    def _by_itself(
        self, track: str, reader: str, volumes_ml: Sequence[float | None]
    ) -> list[float | None]:
        """Leave out the visits at which another track carries this one: 0 would be no size."""
        return [
            None if (reader, name, track) in self.merged else ml
            for name, ml in zip(self.tracks.timepoints, volumes_ml, strict=True)
        ]

    def straddles(self, reported: Size) -> list[Json]:
        """List the lesions whose side of a threshold hangs on the definition of size."""
        return [
            {
                "subject": self.tracks.subject,
                "reader": reader or None,
                "track": one.lesion,
                "timepoint": one.timepoint,
                "threshold": one.threshold,
                "limit": one.limit,
                "definition": one.definition.value,
                "reported": one.reported,
                "other": one.other,
            }
            for reader in self.readers
            for track in self.tracks.names
            for one in straddling(list(self._sizes(track, reader, reported)))
        ]

    def _sizes(self, track: str, reader: str, reported: Size) -> Iterator[LesionSizes]:
        """Yield one lesion's sizes in every definition, where it is whole and measured."""
        for visit in self.tracks.visits:
            places = self._shown(visit, reader) if visit.track == track else []
            if len(places) != 1:
                continue
            row = self.rows[places[0]]
            sizes = {Size(name): mm for name, mm in row["diameters_mm"].items() if mm is not None}
            if row["kind"] == LesionKind.NODE and row["long_axis_mm"] is not None:
                sizes[Size.LONG_AXIS] = row["long_axis_mm"]
            if reported not in sizes:
                continue
            thickness = self.scans[places[0].series].slice_thickness_mm
            yield LesionSizes(
                timepoint=visit.timepoint,
                lesion=track,
                kind=LesionKind(row["kind"]),
                sizes_mm=sizes,
                slice_thickness_mm=None if thickness is None else float(thickness),
                reported=reported,
            )

    def _volume_ml(self, track: str, timepoint: str, reader: str) -> float | None:
        """Return a track's volume as a reader drew it; None where it could not be seen.

        Of merged tracks the one that carries the axis has the whole volume, the others have 0.
        """
        visit = self._visit(track, timepoint)
        if visit is None or (reader, timepoint, track) in self.merged:
            return 0.0
        shown = self._visit(visit.merged_into, timepoint) if visit.merged_into else visit
        places = self._shown(shown or visit, reader)
        if not places and visit.status is TrackStatus.NOT_EVALUABLE:
            return None
        return float(sum(self.rows[place]["volume_ml"] for place in places))

    def _visit(self, track: str, timepoint: str) -> Visit | None:
        of_track = (visit for visit in self.tracks.visits if visit.track == track)
        return next((visit for visit in of_track if visit.timepoint == timepoint), None)

    def _shown(self, visit: Visit, reader: str) -> list[Place]:
        """Return a track's lesions in the leading series that shows it to a reader."""
        own = [place for place in visit.places if (self.rows[place]["reader"] or "") == reader]
        return [place for place in own if place.series == own[0].series]


def _tumour(track: str, days: Sequence[float], volumes_ml: Sequence[float | None]) -> Json:
    seen = [(day, ml) for day, ml in zip(days, volumes_ml, strict=True) if ml is not None]
    growth = growth_of([day for day, _ in seen], [ml for _, ml in seen])
    return {
        "track": track,
        "volumes_ml": list(volumes_ml),
        "rate_per_day": growth.rate_per_day,
        "doubling_days": growth.doubling_days,
        "halving_days": growth.halving_days,
        "reason": dict(growth.reason),
    }
