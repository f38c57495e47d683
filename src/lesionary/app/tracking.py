"""One subject's scans laid over each other, and its lesions followed through them.

Series of one frame of reference share a space. Where a time point has several frames, each further
one is laid over the first. Between time points one pair of scans is laid over each other: of the
same modality and region, and of those that show most of the body.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from lesionary.core.components import components
from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind, parse_label
from lesionary.core.volume import Geometry, Mask
from lesionary.engines.registration import CoarseRegistration
from lesionary.io.objects import ObjectStore
from lesionary.measure.tracks.following import follow
from lesionary.measure.tracks.records import Place, TimepointLesions, TrackedLesion, View
from lesionary.measure.tracks.registration import Registration, Transform, identity
from lesionary.measure.tracks.stored import tracks_to_json
from lesionary.measure.tracks.visits import SeriesLesions, timepoint_lesions

if TYPE_CHECKING:
    from lesionary.app.stages.track import ScanToTrack, TrackRequest

_MODALITIES = ("CT", "MR", "PT")


def follow_subject(
    request: "TrackRequest", registration: Registration | None = None
) -> dict[str, Any]:
    """Return links, places and how scans were laid over each other, ready for JSON.

    A subject with one time point has tracks and no links.
    """
    laid = _Laid(ObjectStore(request.objects), registration or CoarseRegistration())
    timepoints, spaces = [], []
    for name, scans in request.timepoints:
        space = laid.space(scans)
        spaces.append((name, scans, space))
        timepoints.append(laid.lesions(request.subject, name, scans, space))
    transforms = {
        (before[0], after[0]): laid.between(before[1:], after[1:])
        for before, after in pairwise(spaces)
    }
    found = tracks_to_json(follow(timepoints, transforms))
    return found | {
        "transforms": [
            {
                "from_timepoint": pair[0],
                "to_timepoint": pair[1],
                "kind": transform.kind.value,
                "quality": transform.quality,
                "note": transform.reason,
                "matrix": transform.matrix.ravel().tolist(),
            }
            for pair, transform in transforms.items()
        ]
    }


Space = Mapping[str, Transform]
"""Where each series of a time point lies in the space of the first, by series."""


@dataclass(frozen=True, slots=True)
class _Laid:
    """Reads scans and lays them over each other."""

    store: ObjectStore
    registration: Registration

    def space(self, scans: "Sequence[ScanToTrack]") -> Space:
        """Bring all series of a time point into the space of the one that leads."""
        lead, *others = sorted(scans, key=self._rank)
        found = {lead.series: identity()}
        frames = {lead.frame_uid: identity()} if lead.frame_uid else {}
        for scan in others:
            if scan.frame_uid not in frames:
                transform = self._register(scan, lead)
                if scan.frame_uid:
                    frames[scan.frame_uid] = transform
                found[scan.series] = transform
            else:
                found[scan.series] = frames[scan.frame_uid]
        return found

    def between(
        self,
        before: "tuple[Sequence[ScanToTrack], Space]",
        after: "tuple[Sequence[ScanToTrack], Space]",
    ) -> Transform:
        """Find the way from one time point's space to the next one's, by the best pair of scans."""
        pairs = product(before[0], after[0])
        old, new = max(pairs, key=lambda pair: (*self._suit(*pair), pair[0].series, pair[1].series))
        there = before[1][old.series].inverse()
        return there.then(self._register(old, new)).then(after[1][new.series])

    def lesions(
        self, subject: str, timepoint: str, scans: "Sequence[ScanToTrack]", space: Space
    ) -> TimepointLesions:
        """Gather the lesions of a time point, each reader's apart: what they share are twins."""
        gathered = [
            one for scan in scans for one in self._by_reader(timepoint, scan, space[scan.series])
        ]
        found = timepoint_lesions(subject, timepoint, gathered)
        views = tuple(replace(view, series=_series_of(view.series)) for view in found.views)
        return replace(found, views=views)

    def _by_reader(
        self, timepoint: str, scan: "ScanToTrack", to_lead: Transform
    ) -> Iterable[SeriesLesions]:
        geometry = to_lead.moved(scan.geometry)
        readers = list(dict.fromkeys(row["reader"] for row in scan.lesions)) or [None]
        drawn = dict(self._cut_out(timepoint, scan, to_lead))
        for place, reader in enumerate(readers):
            view = View(_view_name(scan.series, place), geometry, scan.modality, scan.is_annotated)
            own = (drawn[row["lesion"]] for row in scan.lesions if row["reader"] == reader)
            yield SeriesLesions(view, tuple(own))

    def _cut_out(
        self, timepoint: str, scan: "ScanToTrack", to_lead: Transform
    ) -> Iterable[tuple[int, TrackedLesion]]:
        """Yield every lesion by its number, cut out of the layer that it was measured in."""
        for layer in dict.fromkeys(row["layer"] for row in scan.lesions):
            labels = self.store.get_label_map(layer)
            pieces = {(piece.value, piece.first): piece for piece in components(labels.array)}
            for row in scan.lesions:
                if row["layer"] != layer:
                    continue
                piece = pieces.get((row["value"], tuple(row["first_voxel"])))
                if piece is None:
                    raise InputError(
                        f"lesion {row['lesion']} of {scan.series} is not in its mask",
                        hint="measure the study again: `lesionary measure`",
                    )
                geometry = to_lead.moved(labels.geometry.cropped(piece.box))
                place = Place(timepoint, scan.series, row["lesion"])
                yield row["lesion"], _tracked(row, place, Mask(piece.crop(), geometry))

    def _register(self, before: "ScanToTrack", after: "ScanToTrack") -> Transform:
        earlier, later = (self.store.get_volume(scan.object_id) for scan in (before, after))
        return self.registration.register(earlier, later)

    @staticmethod
    def _rank(scan: "ScanToTrack") -> tuple[bool, int, float, str]:
        voxel_mm3 = round(scan.geometry.voxel_volume_mm3, 6)
        return not scan.is_annotated, _modality_rank(scan.modality), voxel_mm3, scan.series

    @staticmethod
    def _suit(before: "ScanToTrack", after: "ScanToTrack") -> tuple[bool, bool, float, int]:
        """Tell how well two scans go together: modality, region, and how much both can show."""
        least_mm3 = min(
            scan.geometry.voxel_volume_mm3 * _n_voxels(scan.geometry) for scan in (before, after)
        )
        return (
            before.modality == after.modality,
            before.region == after.region,
            round(least_mm3, 3),
            -_modality_rank(before.modality) - _modality_rank(after.modality),
        )


def _n_voxels(geometry: Geometry) -> int:
    k, j, i = geometry.shape
    return k * j * i


def _modality_rank(modality: str) -> int:
    return _MODALITIES.index(modality) if modality in _MODALITIES else len(_MODALITIES)


_OF_READER = "\x1f"


def _view_name(series: str, reader: int) -> str:
    """Name what one reader drew on a series; the first reader's view goes by the series' name."""
    return f"{series}{_OF_READER}{reader}" if reader else series


def _series_of(view: str) -> str:
    return view.partition(_OF_READER)[0]


def _tracked(row: Mapping[str, Any], place: Place, mask: Mask) -> TrackedLesion:
    label = parse_label(str(row["label"]))
    return TrackedLesion(
        place=place,
        label=str(row["label"]),
        kind=LesionKind(row["kind"]),
        organ="" if label is None else label.organ,
        volume_ml=row["volume_ml"],
        diameter_mm=row["diameter_mm"],
        mask=mask,
    )
