"""Rows of an ingest: what the study held before it, and all that it brought, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.app.intake.curated_rows import write_curation
from lesionary.app.intake.curating import Curated
from lesionary.app.intake.drawing_rows import add_boxes, add_masks
from lesionary.app.intake.drawings import DrawingTable
from lesionary.app.intake.images import Admitted, HeldImages
from lesionary.app.intake.journal import Entry, Journal
from lesionary.app.intake.known_rejects import KnownRejects
from lesionary.app.intake.scan_rows import add_series, add_subjects, add_timepoints
from lesionary.app.study import Study
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.series import SeriesIdentity, SeriesSummary
from lesionary.io.received import ReceivedFiles
from lesionary.io.registry import tables
from lesionary.io.registry.facts import Row
from lesionary.io.registry.ingest import IngestTransaction
from lesionary.io.registry.status import (
    RECEIVED_INGESTED,
    ignored_row,
    left_out_row,
    notes_of,
    series_row,
)

_HELD_DRAWING = Finding(
    "duplicate_identical", Outcome.IGNORED, "the study holds this drawing already"
)


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of this ingest as ``ingest --json`` shows them."""

    series: tuple[dict[str, Any], ...]
    left_out: tuple[dict[str, Any], ...]
    ignored: tuple[dict[str, Any], ...]
    masks: tuple[dict[str, Any], ...]
    new: dict[str, int]
    again: dict[str, int]


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


def numbered_patients(study: Study) -> dict[int, str]:
    """Return the hashes of patients that the study knows by the vault's number.

    Those of its rows go before those that ``listen`` noted.
    """
    return ReceivedFiles(study.files.root).patients() | {
        row["released_id"]: row["identity_hash"]
        for row in study.registry.rows(tables.subject)
        if row["released_id"] is not None
    }


def known_images(study: Study) -> dict[str, SeriesSummary]:
    """Return the images of earlier ingests by keyed UID, so that later drawings find them."""
    slices: dict[str, list[Row]] = {}
    for row in study.registry.rows(tables.instance, order_by=("series_id", "k")):
        slices.setdefault(row["series_id"], []).append(row)
    summaries = {}
    for row in study.registry.all_series():
        k, j, i = row["shape"]
        geometry = Geometry((k, j, i), np.array(row["affine"]).reshape(4, 4), row["frame_uid"])
        own = slices.get(row["id"], [])
        identity = SeriesIdentity(
            study_instance_uid=row["study_uid"],
            series_instance_uid=row["series_uid"],
            frame_of_reference_uid=row["frame_uid"],
            sop_instance_uids=tuple(one["sop_uid"] for one in own),
            frames=tuple(one["frame"] for one in own if one["frame"] is not None),
        )
        summaries[row["series_uid"]] = SeriesSummary(identity, geometry, row["modality"])
    return summaries


def write_rows(
    study: Study,
    journal: Journal,
    images: Sequence[Admitted],
    table: DrawingTable,
    curated: Sequence[Curated],
    received: KnownRejects | None = None,
) -> Written:
    """Write everything that this ingest brought, and return it as rows to show.

    With ``received`` only what is said of received objects for the first time is written.
    """
    with study.registry.ingest() as ingest:
        fresh = _not_known(ingest, images)
        subjects = add_subjects(ingest, fresh)
        points = add_timepoints(ingest, fresh, subjects)
        ids = add_series(ingest, journal, fresh, subjects, points)
        added = add_masks(ingest, ids, table.masks, study.protocol.evaluate.predictions)
        drawn_on = added.drawn_on | add_boxes(ingest, journal, ids, table.boxes)
        held = {*added.held, *(own for own, of in table.twins.items() if of in added.held)}
        journal.drop_notes(held)  # they stand since these drawings came first
        if received is None:
            for number in sorted(held):
                journal.refuse(number, [_HELD_DRAWING])
        write_curation(ingest, journal, curated, ids)
        _make_due(ingest, _ids_of(ids, fresh), drawn_on)
        findings = _add_findings(ingest, journal, ids, received)
        masks = ingest.rows(tables.annotation)
        n_boxes = sum(row["ingest"] == ingest.number for row in ingest.rows(tables.box))
        if received is not None:
            ingest.set(RECEIVED_INGESTED, str(len(received.places)))
    rows = study.registry.some_series(_ids_of(ids, images))
    notes = notes_of(findings)
    own_sources = {journal.token(mask.number) for mask in table.masks}
    own_masks = tuple(_mask_row(row) for row in masks if row["source"] in own_sources)
    kept = [] if received is None else received.kept
    return Written(
        tuple(series_row(row, notes.get(row["id"], ())) for row in rows),
        tuple(left_out_row(row) for row in findings if row["outcome"] == Outcome.LEFT_OUT),
        tuple(ignored_row(row) for row in findings if row["outcome"] == Outcome.IGNORED),
        own_masks,
        new={"series": len(fresh), "masks": len(own_masks), "boxes": n_boxes},
        again={
            "series": len(rows) - len(fresh),
            "drawings": len(held),
            "left_out": sum(row["outcome"] == Outcome.LEFT_OUT for row in kept),
        },
    )


def _make_due(ingest: IngestTransaction, fresh: set[str], drawn_on: set[str]) -> None:
    """Make due what rests on series that are new or were drawn on."""
    if not (fresh or drawn_on):
        return
    ingest.forget_units("publish", ["release"], why="something came in")
    for stage in ("annotate", "measure"):
        ingest.forget_units(stage, drawn_on, why="something was drawn on it")
    came = fresh | drawn_on
    subjects = {row["subject_id"] for row in ingest.rows(tables.series) if row["id"] in came}
    for stage in ("track", "respond"):
        ingest.forget_units(stage, sorted(subjects), why="something came in of this subject")


def _ids_of(ids: Mapping[str, str], images: Sequence[Admitted]) -> set[str]:
    return {ids[image.key] for image in images if image.key in ids}


def _not_known(ingest: IngestTransaction, images: Sequence[Admitted]) -> list[Admitted]:
    """Return the images that the study does not hold yet, each once."""
    known = {row["series_uid"] for row in ingest.rows(tables.series)}
    first = {image.key: image for image in reversed(images)}
    return [image for key, image in first.items() if key not in known]


def _add_findings(
    ingest: IngestTransaction,
    journal: Journal,
    ids: Mapping[str, str],
    received: KnownRejects | None,
) -> list[dict[str, Any]]:
    entries: list[tuple[Entry, str | None]] = [(entry, None) for entry in journal.entries]
    for key, notes in journal.series_notes.items():
        entries += [(note, ids.get(key)) for note in notes]
    if received is not None:
        entries = received.sift(ingest, journal, entries)
    entries.sort(key=lambda pair: (pair[0].number, pair[0].finding.code, pair[0].finding.reason))
    first = ingest.next_number(tables.finding.c.id)
    rows = [
        {"id": number} | journal.row(entry, series_id)
        for number, (entry, series_id) in enumerate(entries, start=first)
    ]
    ingest.insert(tables.finding, rows)
    if received is not None:
        received.remember(ingest, rows, [entry for entry, _ in entries])
    return rows


def _mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("author", "method", "review_state", "source")
    return {"series": row["series_id"]} | {name: row[name] for name in names}
