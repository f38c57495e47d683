"""What each reader drew on an image, as label maps with one value a label text.

Two readers' files number their labels as they like. Here the same text has the same value in all,
so that readers can be compared voxel by voxel.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lesionary.app.stages.given_masks import DrawnLesion, GivenMask, current_lesions
from lesionary.core.volume import Geometry, LabelArray, LabelMap
from lesionary.io.objects import ObjectStore


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
