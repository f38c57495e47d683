"""Where a measured lesion lies, and from which drawing it came."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.stages.given_masks import GivenMask, drawn_lesions, piece_boxes
from lesionary.core.terms import LESION

if TYPE_CHECKING:
    from lesionary.app.explain.lineage import Lineage
    from lesionary.core.volume import AnyArray, Box, Geometry, LabelMap
    from lesionary.io.objects import ObjectStore

MADE = ("label", "segmenter", "segmenter_version", "reader", "method", "state")
"""Fields that a lesion shares with the drawing that it was measured in."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One value of one layer: a lesion as it was drawn, before it fell into pieces."""

    layer: str
    place: int
    value: int


def extent_of(label_map: "LabelMap", value: int) -> dict[str, Any] | None:
    """Return how many voxels hold a value and where they lie; None where none does.

    ``box_kji`` is half-open, in the order slice, row, column; ``box_mm`` goes from the first to the
    last voxel centre along x, y, z (LPS).
    """
    import numpy as np

    found = _box_of(label_map.array, value)
    if found is None:
        return None
    k, j, i = found
    corners = [(a, b, c) for a in _ends(k) for b in _ends(j) for c in _ends(i)]
    points = label_map.geometry.to_world(np.array(corners))
    axis = label_map.geometry.superior_axis
    return {
        "voxels": int(np.count_nonzero(label_map.array[found] == value)),
        "voxel_volume_mm3": label_map.geometry.voxel_volume_mm3,
        "box_kji": [[side.start, side.stop] for side in found],
        "box_mm": [
            [round(float(low), 3), round(float(high), 3)]
            for low, high in zip(points.min(axis=0), points.max(axis=0), strict=True)
        ],
        "slices": [found[axis].start, found[axis].stop],
    }


def value_at(label_map: "LabelMap", index: Sequence[int]) -> int:
    """Return the value of one voxel, by slice, row and column."""
    k, j, i = index
    return int(label_map.array[k, j, i])


def point_mm(geometry: "Geometry", index: Sequence[int]) -> list[float]:
    """Return a voxel's centre in LPS millimetres."""
    import numpy as np

    return [round(float(one), 3) for one in geometry.to_world(np.array(index))]


def drawing_of(
    store: "ObjectStore", mask: "LabelMap", row: Mapping[str, Any], annotated: Mapping[str, Any]
) -> Drawing | None:
    """Return the drawing that a lesion was measured in; None where another hides all of it.

    It is the one that holds all of the lesion's voxels, was made by the same reader or segmenter,
    and has a piece of as many voxels as were measured there.
    """
    import numpy as np

    box = _box_of(mask.array, int(row["lesion"]))
    if box is None:
        return None
    is_lesion = mask.array[box] == row["lesion"]
    for place, layer_id in enumerate(annotated["layers"]):
        layer = store.get_label_map(layer_id)
        values = np.unique(layer.array[box][is_lesion])
        if len(values) != 1 or values[0] == 0:
            continue
        made = annotated["lesions"][str(values[0])]
        if any(made[field] != row[field] for field in MADE):
            continue
        first = np.argwhere(is_lesion)[0] + [side.start for side in box]
        if _piece_size(layer.array, int(values[0]), first) == row["voxels"]:
            return Drawing(layer_id, place, int(values[0]))
    return None


def drawn_from(
    store: "ObjectStore", series: str, drawing: Drawing, lineage: "Lineage"
) -> list[str]:
    """Return the masks or the box, as steps, that a drawing was made of.

    A given mask made it that holds the very same voxels, before clean-up; of a draft it is the box,
    or the mask whose box was drawn again, that lies over it best.
    """
    annotated = lineage.output("annotate", series)
    before = (annotated["clean_up"] or {}).get("before") or annotated["layers"]
    layer = store.get_label_map(before[drawing.place])
    box = _box_of(layer.array, drawing.value)
    if box is None:
        return []
    if annotated["lesions"][str(drawing.value)]["segmenter"] is None:
        crop = layer.array[box] == drawing.value
        return list(_same_drawings(store, series, box, crop, lineage))
    text = layer.labels.get(drawing.value, LESION)
    prompts = list(_prompts(store, series, text, lineage))
    best = max(prompts, key=lambda one: _overlap(one[1], box), default=None)
    return [best[0]] if best is not None and _overlap(best[1], box) > 0 else []


def _same_drawings(
    store: "ObjectStore", series: str, box: "Box", crop: "AnyArray", lineage: "Lineage"
) -> Iterator[str]:
    import numpy as np

    for row in lineage.annotations.get(series, ()):
        given = GivenMask(
            row["object_id"], row["author"], row["method"], row["review_state"], row["ingest"]
        )
        for lesion in drawn_lesions(store.get_label_map(given.object_id), given):
            if lesion.box == box and np.array_equal(lesion.crop, crop):
                yield f"annotation/{row['id']}"
                break


def _prompts(
    store: "ObjectStore", series: str, text: str, lineage: "Lineage"
) -> "Iterator[tuple[str, Box]]":
    for row in lineage.boxes.get(series, ()):
        if row["label"] == text:
            k0, k1, j0, j1, i0, i1 = row["bounds"]
            yield f"box/{row['id']}", (slice(k0, k1), slice(j0, j1), slice(i0, i1))
    inputs = lineage.units["annotate", series].inputs or {}
    if inputs.get("redraw"):
        for row in lineage.annotations.get(series, ()):
            for label, box in piece_boxes(store.get_label_map(row["object_id"])):
                if label == text:
                    yield f"annotation/{row['id']}", box


def _overlap(one: "Box", other: "Box") -> float:
    shared = volume = union = 1
    for mine, theirs in zip(one, other, strict=True):
        shared *= max(0, min(mine.stop, theirs.stop) - max(mine.start, theirs.start))
        volume *= mine.stop - mine.start
        union *= theirs.stop - theirs.start
    return shared / (volume + union - shared)


def _box_of(array: "AnyArray", value: int) -> "Box | None":
    from scipy.ndimage import find_objects

    (box,) = find_objects((array == value).view("uint8")) or (None,)
    return box


def _piece_size(array: "AnyArray", value: int, voxel: "AnyArray") -> int:
    """Return the voxels of the 26-connected piece of a value that holds a voxel."""
    import numpy as np
    from scipy.ndimage import label

    box = _box_of(array, value)
    assert box is not None  # noqa: S101 - the voxel holds the value
    pieces, _ = label(array[box] == value, structure=np.ones((3, 3, 3)))
    own = pieces[tuple(voxel - [side.start for side in box])]
    return int(np.count_nonzero(pieces == own))


def _ends(side: slice) -> tuple[int, int]:
    return side.start, side.stop - 1
