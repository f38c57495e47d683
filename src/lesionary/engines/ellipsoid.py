"""Box to mask without looking: the ellipsoid inscribed in the box, the floor for every engine."""

import numpy as np

from lesionary.annotate.prompts import BoxPrompt
from lesionary.annotate.segmenter import SegmenterInfo
from lesionary.core.volume import BoolArray, Box, Geometry, Mask, Volume


class EllipsoidSegmenter:
    """The largest ellipsoid in the box, whatever the scan shows."""

    info = SegmenterInfo(
        name="ellipsoid",
        version="1",
        modalities=("CT", "MR", "PT", "OT"),
        licence="Apache-2.0",
    )

    def segment(self, volume: Volume, prompt: BoxPrompt) -> Mask:
        """Return the inscribed ellipsoid; a box of one voxel gives that voxel."""
        prompt.require_inside(volume.geometry)
        shape = tuple(r.stop - r.start for r in prompt.box)
        return placed(inscribed_ellipsoid(shape), volume.geometry, prompt.box)


def inscribed_ellipsoid(shape: tuple[int, ...]) -> BoolArray:
    """Return the voxels of a box whose centres lie in the ellipsoid that touches its faces.

    It is never empty: the centre of an axis of even length lies half a voxel from the nearest
    voxels, at most half a radius, and 3 · ½² < 1.

    Parameters
    ----------
    shape : tuple of int
        Voxels along ``(k, j, i)``, each at least 1.
    """
    k, j, i = (((np.arange(n) + 0.5) * 2 / n - 1) ** 2 for n in shape)
    inside: BoolArray = (j[:, None] + i) <= (1.0 - k)[:, None, None]
    return inside


def placed(inside: BoolArray, geometry: Geometry, box: Box) -> Mask:
    """Return the mask on the whole grid that holds ``inside`` in ``box`` and nothing elsewhere."""
    array = np.zeros(geometry.shape, dtype=np.bool_)
    array[box] = inside
    return Mask(array, geometry)
