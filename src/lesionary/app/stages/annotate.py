"""Annotate: masks that came along, and drafts from boxes, as the lesions of each image.

The protocol's clean-up rules are the last step. What they were given stays in the study as objects
of its own, so a rule that is taken out of the protocol is undone by the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row, Stage, Work, finished
from lesionary.app.stages.clean_up import clean_lesions, clean_up_document, rules_of, tables_of
from lesionary.app.stages.given_masks import (
    DrawnLesion,
    GivenMask,
    drawn_lesions,
    given_masks,
    is_answered_by,
    piece_boxes,
)
from lesionary.app.stages.prepare import PREPARE
from lesionary.core.annotation import GIVEN, UNREVIEWED
from lesionary.core.identity import digest
from lesionary.core.terms import STRUCTURE
from lesionary.core.volume import Box, LabelMap, Volume
from lesionary.io.objects import ObjectStore
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.annotate.clean_up import Rule
    from lesionary.annotate.layers import Layers
    from lesionary.annotate.registry import SegmenterRegistry
    from lesionary.annotate.segmenter import Segmenter
    from lesionary.app.study import Study


@dataclass(frozen=True, slots=True)
class GivenBox:
    """A box that came along: ``bounds`` is k0, k1, j0, j1, i0, i1, half-open."""

    label: str
    bounds: tuple[int, int, int, int, int, int]

    @property
    def box(self) -> Box:
        """The same as slices."""
        k0, k1, j0, j1, i0, i1 = self.bounds
        return slice(k0, k1), slice(j0, j1), slice(i0, i1)


@dataclass(frozen=True, slots=True)
class AnnotateRequest:
    """One series to annotate."""

    objects: Path
    object_id: str
    masks: tuple[GivenMask, ...]
    boxes: tuple[GivenBox, ...]
    segmenter: str
    redraw: bool
    window: str
    clean_up: "tuple[Rule, ...]" = ()


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit for each prepared series."""
    from lesionary.annotate.registry import SegmenterRegistry

    registry = SegmenterRegistry.discover()
    section = study.protocol.annotate
    rules = rules_of(section.clean_up)
    masks = given_masks(study, rows)
    ids = [row["id"] for row in rows]
    boxes = _by_series(study.registry.rows(tables.box, among={"series_id": ids}, order_by=("id",)))
    modalities = {row["id"]: row["modality"] for row in rows}
    model_named = cache(lambda name: _model_named(name, registry))
    works = []
    for name, prepared in finished(study, PREPARE, rows).items():
        segmenter = section.segmenter
        if segmenter == "auto":
            segmenter = registry.default_for(modalities[name])
        request = AnnotateRequest(
            objects=study.files.objects,
            object_id=prepared["object"],
            masks=masks.get(name, ()),
            boxes=_current(boxes.get(name, ())),
            segmenter=segmenter,
            redraw=section.given_masks == "redraw",
            window=prepared["window"],
            clean_up=rules,
        )
        model = model_named(segmenter) if _needs_segmenter(request) else None
        works.append(Work(name, _inputs(request, model), request, model))
    return works


def _needs_segmenter(request: AnnotateRequest) -> bool:
    return bool(request.boxes or (request.redraw and request.masks))


def _model_named(name: str, registry: "SegmenterRegistry") -> dict[str, Any]:
    info = registry.create(name).info
    return {"name": info.name, "version": info.version, "generation": None}


def _inputs(request: AnnotateRequest, model: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "object": request.object_id,
        "masks": [mask.inputs for mask in request.masks],
        "boxes": [[b.label, *b.bounds] for b in request.boxes],
        "redraw": request.redraw,
        "segmenter": model and [model["name"], model["version"]],
        "window": request.window,
        "clean_up": tables_of(request.clean_up),
    }


def _by_series(rows: list[Any]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row["series_id"], []).append(row)
    return grouped


def _current(rows: Sequence[Any]) -> tuple[GivenBox, ...]:
    """Return the last box of each lesion: a later one corrects an earlier one of the same name."""
    last = {row["name"]: row for row in rows}
    return tuple(GivenBox(row["label"], _six(row["bounds"])) for row in last.values())


def _six(bounds: Sequence[int]) -> tuple[int, int, int, int, int, int]:
    k0, k1, j0, j1, i0, i1 = bounds
    return k0, k1, j0, j1, i0, i1


def annotate_series(request: AnnotateRequest) -> dict[str, Any]:
    """Collect given masks and drafts of one image; store them as layers of label maps."""
    from lesionary.annotate.layers import Layers
    from lesionary.annotate.registry import SegmenterRegistry

    store = ObjectStore(request.objects)
    volume = store.get_volume(request.object_id)
    layers = Layers(volume.geometry)
    lesions: dict[int, dict[str, Any]] = {}
    boxes = list(request.boxes)
    kept: list[DrawnLesion] = []
    seen: set[str] = set()
    n_structures = 0
    n_replaced = 0
    reader, masks = _of_one_reader(request.masks)
    for mask in sorted(masks, key=lambda mask: -mask.ingest):
        label_map = store.get_label_map(mask.object_id)
        n_structures += sum(text == STRUCTURE for text in label_map.labels.values())
        if request.redraw:
            boxes += _boxes_of(label_map)
        else:
            newer = [lesion.box for lesion in kept if lesion.ingest > mask.ingest]
            drawn = list(drawn_lesions(label_map, mask))
            current = [lesion for lesion in drawn if not is_answered_by(lesion.box, newer)]
            n_replaced += len(drawn) - len(current)
            kept += _keep(layers, current, mask, lesions, seen)
    answers = [lesion.box for lesion in kept]
    due = [box for box in boxes if not is_answered_by(box.box, answers)]
    if due:
        segmenter = SegmenterRegistry.discover().create(request.segmenter)
        for box in due:
            _draft(layers, volume, box, segmenter, lesions)
    label_maps = layers.label_maps()
    clean_up = None
    if request.clean_up:
        given = [mask.object_id for mask in request.masks]
        cleaned = clean_lesions(label_maps, request.clean_up, volume, lesions, store, given)
        label_maps, clean_up = cleaned.layers, clean_up_document(cleaned, store)
    return {
        "object": request.object_id,
        "layers": [store.put_label_map(layer) for layer in label_maps],
        "clean_up": clean_up,
        "lesions": {str(value): entry for value, entry in lesions.items()},
        "n_structures": n_structures,
        "n_boxes_answered_by_masks": len(boxes) - len(due),
        "n_replaced_by_later_masks": n_replaced,
        "reader": reader,
        "is_annotated": bool(request.masks or request.boxes),
    }


def _of_one_reader(masks: tuple[GivenMask, ...]) -> tuple[str | None, list[GivenMask]]:
    """Return the masks that count, where several readers drew the same image.

    Readers' masks are opinions on the same tumours: together they would count each tumour once a
    reader. The first reader by name counts, with what no reader is named for; `agree` compares
    them all.
    """
    readers = sorted({mask.author for mask in masks if mask.author != GIVEN})
    first = readers[0] if readers else None
    return first, [mask for mask in masks if mask.author in {first, GIVEN}]


def _keep(
    layers: "Layers",
    drawn: Sequence[DrawnLesion],
    mask: GivenMask,
    lesions: dict[int, dict[str, Any]],
    seen: set[str],
) -> list[DrawnLesion]:
    """Add lesions of a given mask to the layers; return those that were added.

    A tumour exported twice, as RTSTRUCT and as SEG, is one tumour: a mask that was ``seen`` voxel
    for voxel is not added again.
    """
    kept = []
    for lesion in drawn:
        name = digest([repr(lesion.box).encode(), lesion.crop.tobytes()])
        if name in seen:
            continue
        seen.add(name)
        lesions[layers.add(lesion.crop, lesion.box, lesion.label)] = {
            "label": lesion.label,
            "segmenter": None,
            "segmenter_version": None,
            "reader": None if mask.author == GIVEN else mask.author,
            "method": mask.method,
            "state": mask.state,
        }
        kept.append(lesion)
    return kept


def _boxes_of(label_map: LabelMap) -> list[GivenBox]:
    """Return the box of every 26-connected piece of every lesion."""
    return [
        GivenBox(label, (k.start, k.stop, j.start, j.stop, i.start, i.stop))
        for label, (k, j, i) in piece_boxes(label_map)
    ]


def _draft(
    layers: "Layers",
    volume: Volume,
    given: GivenBox,
    segmenter: "Segmenter",
    lesions: dict[int, dict[str, Any]],
) -> None:
    from scipy.ndimage import find_objects

    from lesionary.annotate.prompts import BoxPrompt

    mask = segmenter.segment(volume, BoxPrompt(given.box, given.label))
    (box,) = find_objects(mask.array.view("uint8"))
    added = layers.add(mask.array[box], box, given.label)
    lesions[added] = {
        "label": given.label,
        "segmenter": segmenter.info.name,
        "segmenter_version": segmenter.info.version,
        "reader": None,
        "method": "SEMIAUTOMATIC",
        "state": UNREVIEWED,
    }


ANNOTATE = Stage("annotate", 3, plan, annotate_series, ("annotate", "prepare"))
