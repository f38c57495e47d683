"""Boxes around tumours, as an annotator draws them to prompt a segmenter."""

from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import Box, LabelMap


@dataclass(frozen=True, slots=True)
class LesionBox:
    """A box around one value of a label map: half-open ranges along ``(k, j, i)``."""

    value: int
    label: str
    box: Box


def tight_boxes(truth: LabelMap) -> tuple[LesionBox, ...]:
    """Return the smallest box around each value, in order of values; none for an empty map."""
    from scipy.ndimage import find_objects

    return tuple(
        LesionBox(value, truth.labels.get(value, ""), box)
        for value, box in enumerate(find_objects(truth.array.astype(np.int32)), start=1)
        if box is not None
    )


def drawn_boxes(
    truth: LabelMap, seed: int, *, jitter_pixels: int = 5, jitter_slices: int = 1
) -> tuple[LesionBox, ...]:
    """Return boxes drawn by hand: each side lies outside the tight one by a random few voxels.

    Parameters
    ----------
    truth : LabelMap
        What the boxes hold.
    seed : int
        Where the jitter comes from; other lesions leave a lesion's box as it is.
    jitter_pixels, jitter_slices : int
        Most that a side may lie off in the plane and across it; boxes end at the grid's edge.
    """
    drawn = []
    for tight in tight_boxes(truth):
        rng = np.random.default_rng(np.random.SeedSequence([seed, tight.value]))
        ranges = []
        for axis, (side, size) in enumerate(zip(tight.box, truth.geometry.shape, strict=True)):
            most = jitter_slices if axis == truth.geometry.superior_axis else jitter_pixels
            before, after = (int(n) for n in rng.integers(0, most + 1, 2))
            ranges.append(slice(max(side.start - before, 0), min(side.stop + after, size)))
        drawn.append(LesionBox(tight.value, tight.label, (ranges[0], ranges[1], ranges[2])))
    return tuple(drawn)
