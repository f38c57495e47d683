"""Annotate: masks that came along, and drafts from boxes, as the lesions of each image."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.intake.drawings import GIVEN
from lesionary.app.stage import Stage, Work, finished
from lesionary.app.stages.prepare import PREPARE
from lesionary.core.identity import digest
from lesionary.core.volume import Box, LabelMap, Volume
from lesionary.io import registry_schema as tables
from lesionary.io.objects import ObjectStore

if TYPE_CHECKING:
    from lesionary.annotate.layers import Layers
    from lesionary.annotate.registry import SegmenterRegistry
    from lesionary.annotate.segmenter import Segmenter
    from lesionary.app.study import Study

STRUCTURE = "structure"
"""A label of what is no lesion: kept, counted, out of measures and sums."""

UNREVIEWED = "unreviewed"
"""State of what no reader has affirmed."""

SAME_LESION = 0.4
"""A box and a mask whose boxes share this much (intersection over union) are of one lesion."""


@dataclass(frozen=True, slots=True)
class GivenMask:
    """A label map that came along, with what is known of its making."""

    object_id: str
    author: str
    method: str | None
    state: str


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


def plan(study: "Study") -> list[Work]:
    """Plan one unit for each prepared series."""
    from lesionary.annotate.registry import SegmenterRegistry

    registry = SegmenterRegistry.discover()
    section = study.protocol.annotate
    masks = _by_series(study.registry.rows(tables.annotation, order_by=("id",)))
    boxes = _by_series(study.registry.rows(tables.box, order_by=("id",)))
    modalities = {row["id"]: row["modality"] for row in study.registry.all_series()}
    works = []
    for name, prepared in finished(study, PREPARE).items():
        segmenter = section.segmenter
        if segmenter == "auto":
            segmenter = registry.default_for(modalities[name])
        request = AnnotateRequest(
            objects=study.files.objects,
            object_id=prepared["object"],
            masks=tuple(_given_mask(row) for row in masks.get(name, ())),
            boxes=tuple(_given_box(row) for row in boxes.get(name, ())),
            segmenter=segmenter,
            redraw=section.given_masks == "redraw",
            window=prepared["window"],
        )
        works.append(Work(name, _inputs(request, registry), request))
    return works


def _inputs(request: AnnotateRequest, registry: "SegmenterRegistry") -> dict[str, Any]:
    uses_segmenter = bool(request.boxes) or (request.redraw and bool(request.masks))
    return {
        "object": request.object_id,
        "masks": [[m.object_id, m.author, m.method, m.state] for m in request.masks],
        "boxes": [[b.label, *b.bounds] for b in request.boxes],
        "redraw": request.redraw,
        "segmenter": _identity_of(request.segmenter, registry) if uses_segmenter else None,
        "window": request.window,
    }


def _identity_of(name: str, registry: "SegmenterRegistry") -> list[str]:
    info = registry.create(name).info
    return [info.name, info.version]


def _by_series(rows: list[Any]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row["series_id"], []).append(row)
    return grouped


def _given_mask(row: Any) -> GivenMask:
    return GivenMask(row["object_id"], row["author"], row["method"], row["review_state"])


def _given_box(row: Any) -> GivenBox:
    k0, k1, j0, j1, i0, i1 = row["bounds"]
    return GivenBox(row["label"], (k0, k1, j0, j1, i0, i1))


def annotate_series(request: AnnotateRequest) -> dict[str, Any]:
    """Collect given masks and drafts of one image; store them as layers of label maps."""
    from lesionary.annotate.layers import Layers
    from lesionary.annotate.registry import SegmenterRegistry

    store = ObjectStore(request.objects)
    volume = store.get_volume(request.object_id)
    layers = Layers(volume.geometry)
    lesions: dict[int, dict[str, Any]] = {}
    boxes = list(request.boxes)
    kept: list[Box] = []
    seen: set[str] = set()
    n_structures = 0
    reader, masks = _of_one_reader(request.masks)
    for mask in masks:
        label_map = store.get_label_map(mask.object_id)
        n_structures += sum(text == STRUCTURE for text in label_map.labels.values())
        if request.redraw:
            boxes += _boxes_of(label_map)
        else:
            kept += _keep(layers, label_map, mask, lesions, seen)
    due = [box for box in boxes if not any(_is_answered(box.box, by) for by in kept)]
    if due:
        segmenter = SegmenterRegistry.discover().create(request.segmenter)
        for box in due:
            _draft(layers, volume, box, segmenter, lesions)
    return {
        "object": request.object_id,
        "layers": [store.put_label_map(layer) for layer in layers.label_maps()],
        "lesions": {str(value): entry for value, entry in lesions.items()},
        "n_structures": n_structures,
        "n_boxes_answered_by_masks": len(boxes) - len(due),
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


def _is_answered(box: Box, by: Box) -> bool:
    """Tell whether a box was drawn around a lesion that a given mask shows already."""
    shared = volume = other = 1
    for mine, theirs in zip(box, by, strict=True):
        shared *= max(0, min(mine.stop, theirs.stop) - max(mine.start, theirs.start))
        volume *= mine.stop - mine.start
        other *= theirs.stop - theirs.start
    return shared >= SAME_LESION * (volume + other - shared)


def _keep(
    layers: "Layers",
    label_map: LabelMap,
    mask: GivenMask,
    lesions: dict[int, dict[str, Any]],
    seen: set[str],
) -> list[Box]:
    """Add every lesion of a given mask to the layers; return their boxes.

    A tumour exported twice, as RTSTRUCT and as SEG, is one tumour: a mask that was ``seen`` voxel
    for voxel is not added again.
    """
    from scipy.ndimage import find_objects

    boxes: list[Box] = []
    for value, box in enumerate(find_objects(label_map.array), start=1):
        text = label_map.labels.get(value, "lesion")
        if box is None or text == STRUCTURE:
            continue
        crop = label_map.array[box] == value
        name = digest([repr(box).encode(), crop.tobytes()])
        if name in seen:
            continue
        seen.add(name)
        added = layers.add(crop, box, text)
        lesions[added] = {
            "label": text,
            "segmenter": None,
            "segmenter_version": None,
            "reader": None if mask.author == GIVEN else mask.author,
            "method": mask.method,
            "state": mask.state,
        }
        boxes.append(box)
    return boxes


def _boxes_of(label_map: LabelMap) -> list[GivenBox]:
    """Return the box of every 26-connected piece of every lesion."""
    from lesionary.core.components import components

    boxes = []
    for piece in components(label_map.array):
        label = label_map.labels.get(piece.value, "lesion")
        if label != STRUCTURE:
            k, j, i = piece.box
            bounds = (k.start, k.stop, j.start, j.stop, i.start, i.stop)
            boxes.append(GivenBox(label, bounds))
    return boxes


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


ANNOTATE = Stage("annotate", 1, plan, annotate_series)
