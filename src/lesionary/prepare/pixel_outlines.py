"""Outlines drawn as chains of pixels, where the outline itself lies just outside what it encloses.

LIDC-IDRI's readers marked the first pixels *outside* a nodule [1]_, so the nodule is what lies
strictly inside the chain. An outline around what is no lesion takes away what lies strictly inside
it.

References
----------
.. [1] Armato et al., Med Phys 38, 915-931 (2011).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import BoolArray, FloatArray, Geometry
from lesionary.prepare.contours import draw


def inside_of(
    included: Sequence[FloatArray], excluded: Sequence[FloatArray], geometry: Geometry
) -> BoolArray:
    """Return the voxels strictly inside the included outlines, less those inside the excluded.

    Parameters
    ----------
    included, excluded : sequence of arrays, shape (points, 3)
        Indices ``(k, j, i)`` of outlines, each on one slice.

    Returns
    -------
    bool array of the grid's shape
        Empty where nothing is included. Outlines of fewer than three pixels enclose nothing.
    """
    inside = _strictly_inside(included, geometry)
    if excluded:
        inside &= ~_strictly_inside(excluded, geometry)
    return inside


def _strictly_inside(outlines: Sequence[FloatArray], geometry: Geometry) -> BoolArray:
    inside = np.zeros(geometry.shape, dtype=np.bool_)
    plane = Geometry((1, *geometry.shape[1:]), np.eye(4))
    for outline in outlines:  # one by one: two pieces may share pixels of their outlines
        k = int(outline[0, 0])
        on_plane = outline - [k, 0, 0]
        section = draw([on_plane], plane).mask.array[0].copy()
        _, j, i = _pixels_along(on_plane).T
        section[j, i] = False
        inside[k] |= section
    return inside


def _pixels_along(outline: FloatArray) -> NDArray[np.int64]:
    """Return every pixel centre that the closed outline passes through, shape (n, 3)."""
    points = outline.astype(np.int64)
    steps = np.roll(points, -1, axis=0) - points
    parts = []
    for point, step in zip(points, steps, strict=True):
        n = max(int(np.gcd.reduce(step)), 1)
        parts.append(point + np.arange(n)[:, None] * (step // n))
    return np.concatenate(parts)
