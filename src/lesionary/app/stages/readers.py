"""What each reader drew on an image, as label maps with one value a label text.

Two readers' files number their labels as they like. Here the same text has the same value in all,
so that readers can be compared voxel by voxel. Clean-up rules that touch readers' work (M4) are
applied to each reader's map, as they are in ``annotate`` to the one that is measured.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionary.app.stage import Row, finished
from lesionary.app.stages.clean_up import clean_lesions, rules_of, tables_of
from lesionary.app.stages.given_masks import DrawnLesion, GivenMask, current_lesions
from lesionary.app.stages.prepare import PREPARE
from lesionary.core.annotation import UNREVIEWED
from lesionary.core.volume import Geometry, LabelArray, LabelMap
from lesionary.io.objects import ObjectStore

if TYPE_CHECKING:
    from lesionary.annotate.clean_up import Rule
    from lesionary.app.study import Study


@dataclass(frozen=True, slots=True)
class ReaderCleanUp:
    """Rules for what readers drew on one image, and the prepared image that they look at."""

    rules: "tuple[Rule, ...]"
    object_id: str

    @property
    def inputs(self) -> list[Any]:
        """Return what a unit's key is made of."""
        return [tables_of(self.rules), self.object_id]

    def applied(
        self, maps: Mapping[str, LabelMap], store: ObjectStore, masks: Iterable[GivenMask]
    ) -> dict[str, LabelMap]:
        """Clean every reader's map; structures of the image's masks are the rules' anatomy."""
        volume = store.get_volume(self.object_id)
        given = [mask.object_id for mask in masks]
        cleaned = {}
        for reader, label_map in maps.items():
            made = {"state": UNREVIEWED, "reader": reader, "method": "MANUAL"}
            lesions = dict.fromkeys(label_map.labels, made)
            found = clean_lesions((label_map,), self.rules, volume, lesions, store, given)
            (cleaned[reader],) = found.layers
        return cleaned


def reader_clean_ups(study: "Study", rows: Sequence[Row]) -> dict[str, ReaderCleanUp]:
    """Return the rules for readers by series; none where the protocol has none."""
    rules = tuple(rule for rule in rules_of(study.protocol.annotate.clean_up) if rule.readers)
    if not rules:
        return {}
    prepared = finished(study, PREPARE, rows)
    return {name: ReaderCleanUp(rules, one["object"]) for name, one in prepared.items()}


def by_author(masks: Sequence[GivenMask]) -> dict[str, tuple[GivenMask, ...]]:
    """Group an image's masks by who drew them, authors in the order of their names."""
    grouped: dict[str, list[GivenMask]] = {}
    for mask in masks:
        grouped.setdefault(mask.author, []).append(mask)
    return {author: tuple(grouped[author]) for author in sorted(grouped)}


def reader_maps(
    store: ObjectStore, authors: Mapping[str, Sequence[GivenMask]], geometry: Geometry
) -> dict[str, LabelMap]:
    """Return one label map an author, on the image's grid; the same text is the same value."""
    drawn = {author: current_lesions(store, masks) for author, masks in authors.items()}
    return common_maps(drawn, geometry)


def common_maps(
    drawn: Mapping[str, Sequence[DrawnLesion]], geometry: Geometry
) -> dict[str, LabelMap]:
    """Paint each author's lesions; where two labels of one author meet, the smaller lesion is seen.

    Values count from 1 in the alphabetical order of all texts.
    """
    texts = sorted({lesion.label for lesions in drawn.values() for lesion in lesions})
    values = {text: value for value, text in enumerate(texts, start=1)}
    labels = {value: text for text, value in values.items()}
    return {
        author: LabelMap(_painted(lesions, values, geometry), geometry, labels)
        for author, lesions in drawn.items()
    }


def _painted(
    lesions: Sequence[DrawnLesion], values: Mapping[str, int], geometry: Geometry
) -> LabelArray:
    array = np.zeros(geometry.shape, dtype=np.uint16)
    for lesion in sorted(lesions, key=lambda lesion: -int(np.count_nonzero(lesion.crop))):
        array[lesion.box][lesion.crop] = values[lesion.label]
    return array
