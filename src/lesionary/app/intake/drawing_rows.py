"""Rows of drawings that came in: masks and boxes, each once however often it comes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.app.intake.drawings import PlacedBox, PlacedMask
from lesionary.app.intake.journal import Journal
from lesionary.core.annotation import GIVEN, UNREVIEWED
from lesionary.core.identity import derived_uuid
from lesionary.io.registry import tables
from lesionary.io.registry.ingest import IngestTransaction
from lesionary.io.registry.status import SEVERAL_READERS


@dataclass(frozen=True, slots=True)
class AddedMasks:
    """What masks brought.

    Parameters
    ----------
    drawn_on : set of str
        Series with a new one.
    held : tuple of int
        Sources of which the study held all before.
    """

    drawn_on: set[str]
    held: tuple[int, ...]


def add_masks(
    ingest: IngestTransaction,
    ids: Mapping[str, str],
    masks: Sequence[PlacedMask],
    models: Collection[str],
) -> AddedMasks:
    """Write masks that are new; return the series they were drawn on, and who brought none."""
    drawn_on = set()
    brought: dict[int, bool] = {}
    rows = ingest.rows(tables.annotation)
    known = {row["id"] for row in rows}
    before = _of_several_readers(rows)
    for mask in masks:
        series_id = ids[mask.series_key]
        name = str(derived_uuid("annotation", mask.series_key, mask.object_id, mask.author))
        is_new = name not in known
        brought[mask.number] = brought.get(mask.number, False) or is_new
        if not is_new:
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
    held = [number for number, is_new in brought.items() if not is_new]
    return AddedMasks(drawn_on, tuple(held))


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


def add_boxes(
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
