"""Respond: what became of a subject's disease, time point by time point (R10, M10, X4, X7).

A unit is a subject. It goes by proposed links and targets until a reader affirms them, and says so
in every row. What readers decided is among its inputs, so it is due again whenever one decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.readers_words import ReadersWords
from lesionary.app.stage import Row, Scope, Stage, Work, finished
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.measure import MEASURE
from lesionary.app.stages.track import TRACK

if TYPE_CHECKING:
    from lesionary.app.protocol import RespondSection
    from lesionary.app.study import Study

_OF_A_LESION = (
    "lesion",
    "label",
    "kind",
    "volume_ml",
    "long_axis_mm",
    "diameter_mm",
    "diameters_mm",
    "reader",
)


@dataclass(frozen=True, slots=True)
class RespondRequest:
    """One subject to judge.

    Parameters
    ----------
    objects : Path
        Unread: every request names where objects lie.
    tracks : dict
        What the track stage put out.
    scans : dict
        Facts of each series, by its name: time point, date, modality, slice thickness, whether
        anybody looked at it, its measured lesions, and the mask that has their numbers.
    precision_mm : str
        To which diameters are recorded, as a decimal.
    rules : dict
        The protocol's ``[respond]``.
    definition : str
        How diameters were measured.
    decisions : dict
        What readers decided, in its order: ``links`` and ``roles``.
    reported : list of dict
        Diameters that reports state.
    study : str
        The study's id, from which identities derive.
    """

    objects: Path
    subject: str
    tracks: dict[str, Any]
    scans: dict[str, dict[str, Any]]
    precision_mm: str
    rules: dict[str, Any]
    definition: str
    decisions: dict[str, list[dict[str, Any]]]
    reported: list[dict[str, Any]]
    study: str


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit for each subject whose lesions are followed."""
    followed, measured = finished(study, TRACK, rows), finished(study, MEASURE, rows)
    annotated = finished(study, ANNOTATE, rows)
    precision_mm = repr(study.protocol.measure.recording_precision_mm)
    rules = _rules(study.protocol.respond)
    words = ReadersWords.of(study, rows)
    works = []
    for subject, tracks in followed.items():
        scans = {
            row["id"]: _facts(row, measured[row["id"]], annotated[row["id"]])
            for row in rows
            if row["subject_id"] == subject and row["id"] in measured
        }
        inputs = {
            "tracks": tracks,
            "scans": scans,
            "precision_mm": precision_mm,
            "rules": rules,
            "definition": study.protocol.measure.diameter,
            "decisions": words.decisions(subject),
            "reported": words.reported(subject),
            "study": study.section.id,
        }
        request = RespondRequest(objects=study.files.objects, subject=subject, **inputs)
        works.append(Work(subject, inputs, request))
    return works


def _rules(section: "RespondSection") -> dict[str, Any]:
    return section.model_dump()


def _facts(row: Row, measured: Mapping[str, Any], annotated: Mapping[str, Any]) -> dict[str, Any]:
    thickness_mm = row["technical"].get("SliceThickness")
    return {
        "timepoint": str(row["timepoint"]),
        "date": row["study_date"],
        "modality": row["modality"],
        "mask": measured["mask"],
        "slice_thickness_mm": None if thickness_mm is None else repr(float(thickness_mm)),
        "is_annotated": annotated["is_annotated"],
        "lesions": [
            {name: lesion[name] for name in _OF_A_LESION} for lesion in measured["lesions"]
        ],
    }


def respond_subject(request: RespondRequest) -> dict[str, Any]:
    """Judge one subject."""
    from lesionary.app.responding import judge_subject

    return judge_subject(request)


RESPOND = Stage("respond", 1, plan, respond_subject, ("respond", "measure"), scope=Scope.SUBJECT)
