"""Number what came in, and write it in one transaction.

Subjects are numbered within an ingest in the order of their keyed hashes, series in the order of
subject, date and keyed UID, so numbers depend neither on file names nor on the order of arguments.
Numbers given once never change; time points do, when an earlier scan arrives later.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.app.intake.drawings import DrawingTable, PlacedBox, PlacedMask
from lesionary.app.intake.images import Admitted, HeldImages
from lesionary.app.intake.journal import Entry, Journal
from lesionary.app.study import Study
from lesionary.core.annotation import GIVEN, UNREVIEWED
from lesionary.core.findings import Outcome
from lesionary.core.identity import derived_uuid
from lesionary.core.volume import Geometry
from lesionary.ingest.series import SeriesIdentity, SeriesSummary
from lesionary.io.registry import tables
from lesionary.io.registry.ingest import IngestTransaction
from lesionary.io.registry.status import (
    SEVERAL_READERS,
    ignored_row,
    left_out_row,
    notes_of,
    series_row,
)


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of this ingest as ``ingest --json`` shows them."""

    series: tuple[dict[str, Any], ...]
    left_out: tuple[dict[str, Any], ...]
    ignored: tuple[dict[str, Any], ...]
    masks: tuple[dict[str, Any], ...]


def held_images(study: Study) -> HeldImages:
    """Return what an image that comes in may be at odds with."""
    hashes = {row["id"]: row["identity_hash"] for row in study.registry.rows(tables.subject)}
    return HeldImages(
        {
            row["series_uid"]: (row["object_id"], hashes[row["subject_id"]])
            for row in study.registry.all_series()
        },
        study.registry.sop_uids(),
    )


def known_images(study: Study) -> dict[str, SeriesSummary]:
    """Return the images of earlier ingests by keyed UID, so that later drawings find them."""
    sop_uids: dict[str, list[str]] = {}
    for row in study.registry.rows(tables.instance, order_by=("series_id", "k")):
        sop_uids.setdefault(row["series_id"], []).append(row["sop_uid"])
    summaries = {}
    for row in study.registry.all_series():
        k, j, i = row["shape"]
        geometry = Geometry((k, j, i), np.array(row["affine"]).reshape(4, 4), row["frame_uid"])
        identity = SeriesIdentity(
            study_instance_uid=row["study_uid"],
            series_instance_uid=row["series_uid"],
            frame_of_reference_uid=row["frame_uid"],
            sop_instance_uids=tuple(sop_uids.get(row["id"], ())),
        )
        summaries[row["series_uid"]] = SeriesSummary(identity, geometry, row["modality"])
    return summaries


def write_rows(
    study: Study, journal: Journal, images: Sequence[Admitted], table: DrawingTable
) -> Written:
    """Write everything that this ingest brought, and return it as rows to show."""
    with study.registry.ingest() as ingest:
        fresh = _not_known(ingest, images)
        subjects = _add_subjects(ingest, fresh)
        points = _add_timepoints(ingest, fresh, subjects)
        ids = _add_series(ingest, journal, fresh, subjects, points)
        drawn_on = _add_masks(ingest, ids, table.masks, study.protocol.evaluate.predictions)
        drawn_on |= _add_boxes(ingest, journal, ids, table.boxes)
        if fresh or drawn_on:
            ingest.forget_units("publish", ["release"], why="something came in")
        for stage in ("annotate", "measure"):
            ingest.forget_units(stage, drawn_on, why="something was drawn on it")
        findings = _add_findings(ingest, journal, ids)
        masks = ingest.rows(tables.annotation)
    rows = study.registry.some_series(_ids_of(ids, images))
    notes = notes_of(findings)
    own_sources = {journal.token(mask.number) for mask in table.masks}
    return Written(
        tuple(series_row(row, notes.get(row["id"], ())) for row in rows),
        tuple(left_out_row(row) for row in findings if row["outcome"] == Outcome.LEFT_OUT),
        tuple(ignored_row(row) for row in findings if row["outcome"] == Outcome.IGNORED),
        tuple(_mask_row(row) for row in masks if row["source"] in own_sources),
    )


def _ids_of(ids: Mapping[str, str], images: Sequence[Admitted]) -> set[str]:
    return {ids[image.key] for image in images if image.key in ids}


def _not_known(ingest: IngestTransaction, images: Sequence[Admitted]) -> list[Admitted]:
    """Return the images that the study does not hold yet, each once."""
    known = {row["series_uid"] for row in ingest.rows(tables.series)}
    first = {image.key: image for image in reversed(images)}
    return [image for key, image in first.items() if key not in known]


def _add_subjects(ingest: IngestTransaction, images: Sequence[Admitted]) -> dict[str, str]:
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


def _add_timepoints(
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


def _add_series(
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
        ingest.insert_series(row, image.summary.identity.sop_instance_uids)
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


def _add_masks(
    ingest: IngestTransaction,
    ids: Mapping[str, str],
    masks: Sequence[PlacedMask],
    models: Collection[str],
) -> set[str]:
    """Write masks that are new; return the series they were drawn on."""
    drawn_on = set()
    rows = ingest.rows(tables.annotation)
    known = {row["id"] for row in rows}
    before = _of_several_readers(rows)
    for mask in masks:
        series_id = ids[mask.series_key]
        name = str(derived_uuid("annotation", mask.series_key, mask.object_id, mask.author))
        if name in known:
            continue
        known.add(name)
        drawn_on.add(series_id)
        row = {
            "id": name,
            "series_id": series_id,
            "object_id": mask.object_id,
            "author": mask.author,
            "role": _role_of(mask.author, models),
            "version": None,
            "generation": None,
            "method": mask.method,
            "parent_id": None,
            "review_state": UNREVIEWED,
            "ingest": ingest.number,
            "source": f"{ingest.number}#{mask.number}",
        }
        ingest.insert(tables.annotation, [row], action="given")
        rows.append(row)
    ingest.count(SEVERAL_READERS, len(_of_several_readers(rows) - before))
    return drawn_on


def _role_of(author: str, models: Collection[str]) -> str:
    if author == GIVEN:
        return "unknown"
    return "model" if author in models else "reader"


def _of_several_readers(masks: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the series that two named authors or more drew on."""
    authors: dict[str, set[str]] = {}
    for mask in masks:
        if mask["author"] != GIVEN:
            authors.setdefault(mask["series_id"], set()).add(mask["author"])
    return {series for series, named in authors.items() if len(named) > 1}


def _add_boxes(
    ingest: IngestTransaction,
    journal: Journal,
    ids: Mapping[str, str],
    boxes: Sequence[PlacedBox],
) -> set[str]:
    """Write boxes that are new or changed; return the series they were drawn on."""
    known = {
        (row["series_id"], row["name"], row["label"], tuple(row["bounds"]))
        for row in ingest.rows(tables.box)
    }
    rows: list[dict[str, Any]] = []
    first = ingest.next_number(tables.box.c.id)
    for box in boxes:
        place = (ids[box.series_key], box.name, box.label, box.bounds)
        if place in known:
            continue
        known.add(place)
        rows.append(
            {
                "id": first + len(rows),
                "ingest": ingest.number,
                "series_id": place[0],
                "name": box.name,
                "label": box.label,
                "bounds": list(box.bounds),
                "source": journal.token(box.number),
            }
        )
    ingest.insert(tables.box, rows)
    return {str(row["series_id"]) for row in rows}


def _add_findings(
    ingest: IngestTransaction, journal: Journal, ids: Mapping[str, str]
) -> list[dict[str, Any]]:
    entries: list[tuple[Entry, str | None]] = [(entry, None) for entry in journal.entries]
    for key, notes in journal.series_notes.items():
        entries += [(note, ids.get(key)) for note in notes]
    entries.sort(key=lambda pair: (pair[0].number, pair[0].finding.code, pair[0].finding.reason))
    first = ingest.next_number(tables.finding.c.id)
    rows = [
        {"id": number} | journal.row(entry, series_id)
        for number, (entry, series_id) in enumerate(entries, start=first)
    ]
    ingest.insert(tables.finding, rows)
    return rows


def _mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("author", "method", "review_state", "source")
    return {"series": row["series_id"]} | {name: row[name] for name in names}
