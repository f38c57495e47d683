"""Track: which lesion of one time point is which of the next (X5, R9).

A unit is a subject: its scans are laid over each other and its lesions linked. Links are proposals
until a reader affirms them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row, Scope, Stage, Work, finished
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.measure import MEASURE

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.core.volume import Geometry

_KEPT = ("lesion", "label", "kind", "volume_ml", "diameter_mm", "reader")
_DRAWN = ("layer", "value", "first_voxel")


@dataclass(frozen=True, slots=True)
class ScanToTrack:
    """One measured series of a time point."""

    series: str
    object_id: str
    modality: str
    region: str
    frame_uid: str | None
    shape: tuple[int, int, int]
    affine: tuple[float, ...]
    is_annotated: bool
    lesions: tuple[dict[str, Any], ...]

    @property
    def geometry(self) -> "Geometry":
        """Its grid."""
        import numpy as np

        from lesionary.core.volume import Geometry

        return Geometry(self.shape, np.array(self.affine).reshape(4, 4), self.frame_uid)

    @property
    def inputs(self) -> list[Any]:
        """Return what a unit's key is made of."""
        return [
            self.series,
            self.object_id,
            self.modality,
            self.region,
            self.frame_uid,
            self.is_annotated,
            list(self.lesions),
        ]


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """One subject to follow: its scans by time point, in order of time."""

    objects: Path
    subject: str
    timepoints: tuple[tuple[str, tuple[ScanToTrack, ...]], ...]


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit for each subject with a measured series."""
    annotated, measured = finished(study, ANNOTATE, rows), finished(study, MEASURE, rows)
    subjects: dict[str, list[Row]] = {}
    for row in rows:
        if row["id"] in measured:
            subjects.setdefault(row["subject_id"], []).append(row)
    works = []
    for subject, own in subjects.items():
        timepoints = tuple(
            (
                str(number),
                tuple(
                    _scan(row, measured[row["id"]], annotated[row["id"]])
                    for row in own
                    if row["timepoint"] == number
                ),
            )
            for number in sorted({row["timepoint"] for row in own})
        )
        request = TrackRequest(study.files.objects, subject, timepoints)
        inputs = {
            "timepoints": [[name, [scan.inputs for scan in scans]] for name, scans in timepoints]
        }
        works.append(Work(subject, inputs, request))
    return works


def _scan(row: Row, measured: Mapping[str, Any], annotated: Mapping[str, Any]) -> ScanToTrack:
    lesions = tuple(
        {name: lesion[name] for name in (*_KEPT, *_DRAWN)} for lesion in measured["lesions"]
    )
    return ScanToTrack(
        series=row["id"],
        object_id=measured["object"],
        modality=row["modality"],
        region=row["region"],
        frame_uid=row["frame_uid"],
        shape=tuple(row["shape"]),
        affine=tuple(row["affine"]),
        is_annotated=annotated["is_annotated"],
        lesions=lesions,
    )


def track_subject(request: TrackRequest) -> dict[str, Any]:
    """Lay a subject's scans over each other, and propose which lesion became which."""
    from lesionary.app.tracking import follow_subject

    return follow_subject(request)


TRACK = Stage("track", 1, plan, track_subject, ("measure",), scope=Scope.SUBJECT)
