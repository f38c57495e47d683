"""Vessels, airways and long bones: straight pieces of tube, painted one by one at full detail."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import AnyArray, Box, FloatArray
from lesionary.phantoms.noise import Float32Array

EDGE_VOXELS = 1.25
"""Width of an edge in voxels: a reconstruction kernel is a little wider than the voxel."""


@dataclass(frozen=True, slots=True, eq=False)
class Tubes:
    """Straight pieces in mm, tapering from end to end, with rounded ends.

    Parameters
    ----------
    starts, ends : array, shape (n, 3)
        Ends of the centre lines.
    start_radii_mm, end_radii_mm : array, shape (n,)
        Radii at the ends.
    height : float
        How much taller than wide a section is: ribs are about 1.5.
    """

    starts: FloatArray
    ends: FloatArray
    start_radii_mm: FloatArray
    end_radii_mm: FloatArray
    height: float = 1.0

    def distance_mm(self, points: AnyArray) -> FloatArray:
        """Distance of points, shape (n, 3), to the nearest wall, negative inside; (n,)."""
        best = np.full(len(points), np.inf)
        ends = zip(self.starts, self.ends, self.start_radii_mm, self.end_radii_mm, strict=True)
        for start, end, first, last in ends:
            along = end - start
            share = np.clip((points - start) @ along / max(float(along @ along), 1e-9), 0, 1)
            away = np.linalg.norm(points - start - share[:, None] * along, axis=1)
            np.minimum(best, away - (first + share * (last - first)), out=best)
        return best

    def shrunk(self, by_mm: float) -> "Tubes":
        """Return the same centre lines with radii smaller by ``by_mm``; none below 0.1 mm."""
        return Tubes(
            self.starts,
            self.ends,
            np.maximum(self.start_radii_mm - by_mm, 0.1),
            np.maximum(self.end_radii_mm - by_mm, 0.1),
            self.height,
        )


def tube_shares(
    tubes: Tubes, spacing_mm: tuple[float, float, float], shape: tuple[int, int, int]
) -> Iterator[tuple[Box, Float32Array]]:
    """Tell what share of each voxel the pieces fill, piece by piece, where they meet the grid.

    Parameters
    ----------
    tubes : Tubes
        In the grid's own millimetres: index ``(k, j, i)`` times spacing.
    spacing_mm, shape : tuple
        Of the grid.

    Yields
    ------
    tuple of Box and float32 array
        Where a piece lies, and the shares there.
    """
    squash = np.array([1 / tubes.height, 1.0, 1.0])
    spacing = np.array(spacing_mm) * squash
    starts, ends = tubes.starts * squash, tubes.ends * squash
    alongs = ends - starts
    lengths2 = np.maximum((alongs**2).sum(axis=1), 1e-6)
    edges = _edges_mm(alongs / np.sqrt(lengths2)[:, None], spacing)
    reach = (np.maximum(tubes.start_radii_mm, tubes.end_radii_mm) + edges)[:, None]
    lows = np.floor((np.minimum(starts, ends) - reach) / spacing).astype(int)
    highs = np.ceil((np.maximum(starts, ends) + reach) / spacing).astype(int) + 1
    lows, highs = np.maximum(lows, 0), np.minimum(highs, shape)
    axes = [(np.arange(n) * s).astype(np.float32) for n, s in zip(shape, spacing, strict=True)]
    radii = np.stack((tubes.start_radii_mm, tubes.end_radii_mm), axis=1).astype(np.float32)
    starts, alongs = starts.astype(np.float32), alongs.astype(np.float32)
    for n in np.flatnonzero((highs > lows).all(axis=1)):
        k, j, i = (slice(int(a), int(b)) for a, b in zip(lows[n], highs[n], strict=True))
        offsets = (
            (axes[0][k] - starts[n, 0])[:, None, None],
            (axes[1][j] - starts[n, 1])[:, None],
            axes[2][i] - starts[n, 2],
        )
        share = _share(offsets, alongs[n], float(lengths2[n]), radii[n], float(edges[n]))
        yield (k, j, i), share


def _share(
    offsets: tuple[Float32Array, Float32Array, Float32Array],
    along: Float32Array,
    length2: float,
    radii: Float32Array,
    edge_mm: float,
) -> Float32Array:
    """Share of voxels at ``offsets`` from one end that the piece fills."""
    k, j, i = offsets
    dot = along[0] * k + (along[1] * j + along[2] * i)
    distance = k * k + (j * j + i * i)
    share = np.clip(dot * np.float32(1 / length2), 0, 1)
    distance += share * (share * np.float32(length2) - 2 * dot)
    np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
    radius = radii[0] + share * (radii[1] - radii[0])
    # A piece thinner than a voxel never fills one: it shows as faint as it is thin.
    most = np.minimum(1.0, np.float32(2.2 / edge_mm) * radius)
    radius -= distance
    radius *= np.float32(1 / edge_mm)
    radius += np.float32(0.5)
    filled: Float32Array = np.clip(radius, 0, most, out=radius)
    return filled


def _edges_mm(directions: FloatArray, spacing_mm: FloatArray) -> FloatArray:
    """Mean extent of a voxel across pieces that run along ``directions``, shape (n,)."""
    across = np.sqrt(np.maximum(1 - directions**2, 0) / 2)
    edges: FloatArray = EDGE_VOXELS * (across @ spacing_mm) / across.sum(axis=1)
    return edges
