"""Number what came in, and write it in one transaction.

Subjects are numbered within an ingest in the order of their keyed hashes, series in the order of
subject, date and keyed UID, so numbers depend neither on file names nor on the order of arguments.
Numbers given once never change; time points do, when an earlier scan arrives later.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.app.intake.drawings import DrawingTable, PlacedBox, PlacedMask
from lesionary.app.intake.images import Admitted, HeldImages
from lesionary.app.intake.journal import Entry, Journal
from lesionary.app.study import Study
from lesionary.core.annotation import UNREVIEWED
from lesionary.core.findings import Outcome
from lesionary.core.identity import derived_uuid
from lesionary.core.volume import Geometry
from lesionary.ingest.series import SeriesIdentity, SeriesSummary
from lesionary.io import registry_schema as tables
from lesionary.io.registry import IngestTransaction
from lesionary.io.registry_status import ignored_row, left_out_row, series_row


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
        ids = _add_series(ingest, journal, fresh, subjects)
        _renumber_timepoints(ingest)
        drawn_on = _add_masks(ingest, ids, table.masks)
        drawn_on |= _add_boxes(ingest, journal, ids, table.boxes)
        if fresh or drawn_on:
            ingest.forget_units("publish", ["release"])
        for stage in ("annotate", "measure"):
            ingest.forget_units(stage, drawn_on)
        findings = _add_findings(ingest, journal, ids)
        rows = [row for row in ingest.rows(tables.series) if row["id"] in _ids_of(ids, images)]
        masks = ingest.rows(tables.annotation)
    own_sources = {journal.token(mask.number) for mask in table.masks}
    return Written(
        tuple(series_row(row, findings) for row in sorted(rows, key=lambda row: row["number"])),
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


def _add_series(
    ingest: IngestTransaction,
    journal: Journal,
    images: Sequence[Admitted],
    subjects: Mapping[str, str],
) -> dict[str, str]:
    """Write series and instances; return every series' id by its keyed UID."""
    rows = ingest.rows(tables.series)
    ids = {str(row["series_uid"]): str(row["id"]) for row in rows}
    first = max((int(row["number"]) for row in rows), default=0) + 1
    ordered = sorted(images, key=lambda image: _order(image, subjects))
    for number, image in enumerate(ordered, start=first):
        ids[image.key] = f"ser-{number:04d}"
        ingest.insert(tables.series, [_series(image, number, journal, subjects)])
        sops = [
            {"series_id": ids[image.key], "k": k, "sop_uid": uid}
            for k, uid in enumerate(image.summary.identity.sop_instance_uids)
        ]
        ingest.insert(tables.instance, sops)
    return ids


def _order(image: Admitted, subjects: Mapping[str, str]) -> tuple[str, dt.date, str]:
    return subjects[image.subject_hash], image.study_date or dt.date.max, image.key


def _series(
    image: Admitted, number: int, journal: Journal, subjects: Mapping[str, str]
) -> dict[str, Any]:
    geometry = image.summary.geometry
    return {
        "id": f"ser-{number:04d}",
        "number": number,
        "subject_id": subjects[image.subject_hash],
        "timepoint": 0,
        "timepoint_name": image.named.timepoint,
        "study_date": None if image.study_date is None else image.study_date.isoformat(),
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
        "source": journal.token(image.number),
        "outcome": journal.outcome_of(image.key).value,
    }


def _renumber_timepoints(ingest: IngestTransaction) -> None:
    """Count time points per subject: by shifted date, then by name, then the undated together."""
    by_subject: dict[str, list[Any]] = {}
    for row in ingest.rows(tables.series):
        by_subject.setdefault(row["subject_id"], []).append(row)
    for rows in by_subject.values():
        visits = {visit: n for n, visit in enumerate(sorted({_visit(row) for row in rows}))}
        for row in rows:
            number = visits[_visit(row)]
            if row["timepoint"] != number:
                ingest.update(tables.series, row["id"], timepoint=number)


def _visit(row: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, int], ...], str]:
    """Order visits by date, then by name with its numbers as numbers: week2 is before week10."""
    name = row["timepoint_name"] or ""
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return row["study_date"] or "9999", tuple((text, int(n or -1)) for text, n in parts), name


def _add_masks(
    ingest: IngestTransaction, ids: Mapping[str, str], masks: Sequence[PlacedMask]
) -> set[str]:
    """Write masks that are new; return the series they were drawn on."""
    drawn_on = set()
    known = {row["id"] for row in ingest.rows(tables.annotation)}
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
            "version": None,
            "method": mask.method,
            "review_state": UNREVIEWED,
            "source": f"{ingest.number}#{mask.number}",
        }
        ingest.insert(tables.annotation, [row])
    return drawn_on


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
    rows = []
    for box in boxes:
        place = (ids[box.series_key], box.name, box.label, box.bounds)
        if place in known:
            continue
        known.add(place)
        rows.append(
            {
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
    rows = [journal.row(entry, series_id) for entry, series_id in entries]
    ingest.insert(tables.finding, rows)
    return rows


def _mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("author", "method", "review_state", "source")
    return {"series": row["series_id"]} | {name: row[name] for name in names}
