"""Lesion instances (R7): what counts as one lesion, and what is a crumb.

First all voxels of one label get one value, then every 26-connected piece of a value is an
instance, then small pieces are dropped. Each step is a function of its own.
"""

import numpy as np

from lesionary.core.components import MAX_LABEL, Components, components
from lesionary.core.errors import InputError
from lesionary.core.volume import BoolArray, LabelMap


def merge_same_labels(labels: LabelMap) -> LabelMap:
    """Give all values of one text the least of them: R7's first step.

    Texts are one where they differ in case and spaces only. Values without text stay apart. To be
    used on masks as readers draw them, not on published instances, which it would join.
    """
    least: dict[str, int] = {}
    table = np.arange(MAX_LABEL + 1, dtype=np.uint16)
    for value, text in sorted(labels.labels.items()):
        table[value] = least.setdefault("".join(text.lower().split()), value)
    kept = {value: labels.labels[value] for value in least.values()}
    return LabelMap(table[labels.array], labels.geometry, kept)


def is_kept(
    found: Components,
    across: int,
    *,
    min_voxels: int = 50,
    min_slices: int = 1,
    keep_largest: bool = False,
) -> BoolArray:
    """Tell of each component whether it is a lesion or a crumb.

    Parameters
    ----------
    found : Components
        Of one label map.
    across : int
        The array's axis across the slices, :attr:`Geometry.superior_axis`.
    min_voxels, min_slices : int
        Less is a crumb.
    keep_largest : bool
        Keep a label's only or largest component whatever its size: a shrunken target is not gone.
    """
    slices = found.boxes[:, across, 1] - found.boxes[:, across, 0]
    kept: BoolArray = (found.voxels >= min_voxels) & (slices >= min_slices)
    return kept | found.is_largest_of_label if keep_largest else kept


def instances(
    labels: LabelMap,
    *,
    min_voxels: int = 50,
    min_slices: int = 1,
    keep_largest: bool = False,
) -> LabelMap:
    """Return a label map with one value an instance, for publishing.

    Instances are numbered from 1 by volume descending, ties by first voxel: the numbers that
    :func:`lesionary.measure.lesions.measure_lesions` gives them. Each keeps its label's text;
    crumbs become background.

    Raises
    ------
    InputError
        If there are more than 65535 instances.
    """
    found = components(labels.array)
    kept = is_kept(
        found,
        labels.geometry.superior_axis,
        min_voxels=min_voxels,
        min_slices=min_slices,
        keep_largest=keep_largest,
    )
    order = found.by_volume[kept[found.by_volume]]
    if len(order) > MAX_LABEL:
        raise InputError(
            f"{len(order)} lesion instances, and a label map holds {MAX_LABEL}",
            hint="raise min_voxels: most of these are crumbs",
        )
    numbers = np.zeros(len(found), dtype=np.int64)
    numbers[order] = np.arange(1, len(order) + 1)
    texts = {
        number: labels.labels[value]
        for number, value in enumerate(found.values[order].tolist(), start=1)
        if value in labels.labels
    }
    return LabelMap(found.painted(numbers), labels.geometry, texts)
