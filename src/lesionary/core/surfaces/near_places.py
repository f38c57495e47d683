"""Where to look for the nearest surfel, ring by ring, and how surfels are kept: as bits."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lesionary.core.surfaces.surfels import surfel_areas_mm2
from lesionary.core.volume import FloatArray

BitGrid = NDArray[np.uint64]
"""Shape (slices, rows, words): bit ``b`` of word ``w`` stands for column ``64 w + b``."""

_N_NEAR_ROWS = 512
"""Rows around a surfel that are searched one by one."""

_MOST_COLUMNS = 63
"""Columns to either side that one look at a row's bits covers."""


class NearPlaces(NamedTuple):
    """Where to look around a surfel, and what surfels weigh: all that depends on spacing alone.

    Rows equally many slices and rows away, be it up or down, form a ring.

    Parameters
    ----------
    reach_mm2 : float
        Square of the distance within which a search by rows finds the nearest.
    offsets : int32 array, shape (n, 3)
        Slices, rows, and the number of the ring, nearest first.
    offsets_mm2 : float64 array, shape (n,)
        How far away each is, squared.
    columns_mm2 : float64 array, shape (n_columns,)
        How far away each column is along a row, squared.
    distances_mm2 : float64 array, shape (n_rings, n_columns)
        The sums of both.
    areas_mm2 : float64 array, shape (n_kinds,)
        All areas that a surfel can have.
    kinds : uint8 array, shape (256,)
        Which of them each code has.
    """

    reach_mm2: float
    offsets: NDArray[np.int32]
    offsets_mm2: FloatArray
    columns_mm2: FloatArray
    distances_mm2: FloatArray
    areas_mm2: FloatArray
    kinds: NDArray[np.uint8]


@lru_cache(maxsize=8)
def near_places(spacing_mm: tuple[float, float, float]) -> NearPlaces:
    """List the places around a surfel for one spacing, in the order of their distance."""
    k_mm, j_mm, i_mm = spacing_mm
    reach_mm = float(min(np.sqrt(_N_NEAR_ROWS * k_mm * j_mm / np.pi), _MOST_COLUMNS * i_mm))
    n_k, n_j, n_i = (int(reach_mm / side) for side in spacing_mm)
    k, j = np.mgrid[: n_k + 1, : n_j + 1].reshape(2, -1)
    quadrant_mm2: FloatArray = (k * k_mm) ** 2 + (j * j_mm) ** 2
    order = np.argsort(quadrant_mm2, kind="stable")
    order = order[quadrant_mm2[order] <= reach_mm**2]
    offsets = [
        (side_k * k[place], side_j * j[place], ring)
        for ring, place in enumerate(order)
        for side_k in ((1, -1) if k[place] else (1,))
        for side_j in ((1, -1) if j[place] else (1,))
    ]
    rings_mm2 = quadrant_mm2[order]
    columns_mm2 = (np.arange(n_i + 1, dtype=np.float64) * i_mm) ** 2
    areas_mm2, kinds = np.unique(surfel_areas_mm2(spacing_mm), return_inverse=True)
    return NearPlaces(
        reach_mm2=reach_mm**2,
        offsets=np.array(offsets, dtype=np.int32),
        offsets_mm2=rings_mm2[[ring for _, _, ring in offsets]],
        columns_mm2=columns_mm2,
        distances_mm2=rings_mm2[:, None] + columns_mm2,
        areas_mm2=areas_mm2,
        kinds=kinds.astype(np.uint8),
    )
