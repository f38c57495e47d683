"""Rows of scans that came in: their subjects, time points and series, each with its number.

Subjects are numbered within an ingest in the order of their keyed hashes, series in the order of
subject, date and keyed UID, so numbers depend neither on file names nor on the order of arguments.
Numbers given once never change; time points do, when an earlier scan arrives later.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lesionary.app.intake.images import Admitted
from lesionary.app.intake.journal import Journal
from lesionary.core.identity import derived_uuid
from lesionary.io.registry import tables
from lesionary.io.registry.ingest import IngestTransaction


def add_subjects(ingest: IngestTransaction, images: Sequence[Admitted]) -> dict[str, str]:
    """Give every new subject a number; return ids by keyed hash."""
    rows = ingest.rows(tables.subject)
    ids = {row["identity_hash"]: str(row["id"]) for row in rows}
    by_hash: dict[str, list[Admitted]] = {}
    for image in sorted(images, key=lambda image: (image.study_date or dt.date.max, image.key)):
        by_hash.setdefault(image.subject_hash, []).append(image)
    first = max((int(row["number"]) for row in rows), default=0) + 1
    new = sorted(by_hash.keys() - ids.keys())
    added = [
        {
            "id": f"sub-{number:04d}",
            "number": number,
            "identity_hash": subject_hash,
            "sex": _first_known(by_hash[subject_hash], "PatientSex"),
            "age": _years(_first_known(by_hash[subject_hash], "PatientAge")),
            "is_from_file": by_hash[subject_hash][0].named.is_subject_from_file,
            "released_id": by_hash[subject_hash][0].released_id,
        }
        for number, subject_hash in enumerate(new, start=first)
    ]
    ingest.insert(tables.subject, added)
    return ids | {str(row["identity_hash"]): str(row["id"]) for row in added}


def _first_known(images: Sequence[Admitted], keyword: str) -> Any:
    """Return an element of the earliest image that has it."""
    return next((found for one in images if (found := one.technical.get(keyword))), None)


def _years(age: Any) -> int | None:
    """Return an age in whole years, from DICOM's ``064Y`` or a number."""
    if isinstance(age, int | float):
        return int(age)
    text = str(age or "")
    return int(text[:3]) if text[:3].isdigit() and text[3:] in {"", "Y"} else None


def add_timepoints(
    ingest: IngestTransaction, images: Sequence[Admitted], subjects: Mapping[str, str]
) -> dict[str, str]:
    """Add new time points and number all of their subjects' anew; return ids by series key.

    Time points count per subject: by shifted date, then by name, then the undated together.
    """
    of_image = {image.key: _visit(image, subjects[image.subject_hash]) for image in images}
    new = {visit["id"]: visit for visit in of_image.values()}
    subject_ids = {visit["subject_id"] for visit in of_image.values()}
    known = [row for row in ingest.rows(tables.timepoint) if row["subject_id"] in subject_ids]
    by_subject: dict[str, dict[str, Any]] = {}
    for row in (*new.values(), *known):  # where both know a visit, the row that is there counts
        by_subject.setdefault(row["subject_id"], {})[row["id"]] = row
    for visits in by_subject.values():
        ordered = sorted(visits.values(), key=_visit_order)
        for number, row in enumerate(ordered):
            if "version" not in row:
                ingest.insert(tables.timepoint, [row | {"number": number, "version": 1}])
            elif row["number"] != number:
                ingest.change(tables.timepoint, row, why="an earlier scan came in", number=number)
    return {key: visit["id"] for key, visit in of_image.items()}


def _visit(image: Admitted, subject_id: str) -> dict[str, Any]:
    date = None if image.study_date is None else image.study_date.isoformat()
    name = image.named.timepoint
    return {
        "id": str(derived_uuid("timepoint", subject_id, date or "", name or "")),
        "subject_id": subject_id,
        "study_date": date,
        "name": name,
    }


def _visit_order(row: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, int], ...], str]:
    """Order visits by date, then by name with its numbers as numbers: week2 is before week10."""
    name = row["name"] or ""
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return row["study_date"] or "9999", tuple((text, int(n or -1)) for text, n in parts), name


def add_series(
    ingest: IngestTransaction,
    journal: Journal,
    images: Sequence[Admitted],
    subjects: Mapping[str, str],
    points: Mapping[str, str],
) -> dict[str, str]:
    """Write series and instances; return every series' id by its keyed UID."""
    rows = ingest.rows(tables.series)
    ids = {str(row["series_uid"]): str(row["id"]) for row in rows}
    first = max((int(row["number"]) for row in rows), default=0) + 1
    ordered = sorted(images, key=lambda image: _order(image, subjects))
    for number, image in enumerate(ordered, start=first):
        ids[image.key] = f"ser-{number:04d}"
        row = _series(image, number, journal) | {
            "subject_id": subjects[image.subject_hash],
            "timepoint_id": points[image.key],
        }
        identity = image.summary.identity
        ingest.insert_series(row, identity.sop_instance_uids, identity.frames)
    return ids


def _order(image: Admitted, subjects: Mapping[str, str]) -> tuple[str, dt.date, str]:
    return subjects[image.subject_hash], image.study_date or dt.date.max, image.key


def _series(image: Admitted, number: int, journal: Journal) -> dict[str, Any]:
    geometry = image.summary.geometry
    return {
        "id": f"ser-{number:04d}",
        "number": number,
        "ingest": journal.ingest,
        "study_uid": image.study_uid,
        "series_uid": image.key,
        "frame_uid": geometry.frame_of_reference_uid,
        "modality": image.summary.modality,
        "quantity": image.quantity.value,
        "region": image.region,
        "subset": image.named.subset,
        "shape": list(geometry.shape),
        "spacing_mm": list(geometry.spacing_mm),
        "affine": [float(value) for value in geometry.affine.reshape(-1)],
        "technical": dict(image.technical),
        "suv_factor": image.suv_factor,
        "suv_reason": image.suv_reason,
        "object_id": image.object_id,
        "pixel_hash": image.pixel_hash,
        "source": journal.token(image.number),
        "outcome": journal.outcome_of(image.key).value,
    }
