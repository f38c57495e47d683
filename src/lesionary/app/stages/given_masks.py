"""Masks that came along: whose they are, and which lesion of a later one corrects an earlier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.core.components import components
from lesionary.core.terms import LESION, STRUCTURE
from lesionary.core.volume import BoolArray, Box, LabelMap
from lesionary.io.objects import ObjectStore
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.app.stage import Row
    from lesionary.app.study import Study

SAME_LESION = 0.4
"""A box and a mask whose boxes share this much (intersection over union) are of one lesion."""


@dataclass(frozen=True, slots=True)
class GivenMask:
    """A label map that came along, with what is known of its making.

    A lesion of a later ``ingest`` replaces one of an earlier ingest that lies at its place: it is
    its correction. The earlier mask stays in the study.
    """

    object_id: str
    author: str
    method: str | None
    state: str
    ingest: int

    @property
    def inputs(self) -> list[Any]:
        """Return what a unit's key is made of."""
        return [self.object_id, self.author, self.method, self.state, self.ingest]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnLesion:
    """One label of a given mask: its voxels inside its box, and the ingest that brought it."""

    crop: BoolArray
    box: Box
    label: str
    ingest: int


def given_masks(
    study: "Study", rows: "Sequence[Row] | None" = None
) -> dict[str, tuple[GivenMask, ...]]:
    """Return the given masks of every series that has one, in the order of their ids.

    ``rows`` are the series that are asked for; without them, all of the study.
    """
    among = None if rows is None else {"series_id": [row["id"] for row in rows]}
    by_series: dict[str, list[GivenMask]] = {}
    for row in study.registry.rows(tables.annotation, among=among, order_by=("id",)):
        mask = GivenMask(
            row["object_id"], row["author"], row["method"], row["review_state"], row["ingest"]
        )
        by_series.setdefault(row["series_id"], []).append(mask)
    return {name: tuple(masks) for name, masks in by_series.items()}


def drawn_lesions(label_map: LabelMap, mask: GivenMask) -> Iterator[DrawnLesion]:
    """Yield every lesion of a given mask; structures are none."""
    from scipy.ndimage import find_objects

    for value, box in enumerate(find_objects(label_map.array), start=1):
        text = label_map.labels.get(value, LESION)
        if box is not None and text != STRUCTURE:
            yield DrawnLesion(label_map.array[box] == value, box, text, mask.ingest)


def current_lesions(store: ObjectStore, masks: Sequence[GivenMask]) -> list[DrawnLesion]:
    """Return the lesions of one author's masks, without those that a later ingest corrects."""
    kept: list[DrawnLesion] = []
    for mask in sorted(masks, key=lambda mask: -mask.ingest):
        newer = [lesion.box for lesion in kept if lesion.ingest > mask.ingest]
        drawn = drawn_lesions(store.get_label_map(mask.object_id), mask)
        kept += [lesion for lesion in drawn if not is_answered_by(lesion.box, newer)]
    return kept


def is_answered_by(box: Box, others: Sequence[Box]) -> bool:
    """Tell whether a lesion in a box is shown already by a mask in one of the others."""
    return any(_is_same_lesion(box, other) for other in others)


def piece_boxes(label_map: LabelMap) -> Iterator[tuple[str, Box]]:
    """Yield label and box of every 26-connected piece of every lesion."""
    for piece in components(label_map.array):
        label = label_map.labels.get(piece.value, LESION)
        if label != STRUCTURE:
            yield label, piece.box


def _is_same_lesion(box: Box, by: Box) -> bool:
    shared = volume = other = 1
    for mine, theirs in zip(box, by, strict=True):
        shared *= max(0, min(mine.stop, theirs.stop) - max(mine.start, theirs.start))
        volume *= mine.stop - mine.start
        other *= theirs.stop - theirs.start
    return shared >= SAME_LESION * (volume + other - shared)
