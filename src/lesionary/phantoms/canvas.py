"""Painting smooth shapes onto a voxel grid, with partial volume at every edge.

A shape is a function that is positive inside. It is sampled on a coarse lattice, divided by how
much it changes across one voxel, and interpolated: the result, clipped to 0 … 1, is the share of
each voxel that the shape fills. So a shape needs no true distance, thick slices blur slanted
surfaces as a scanner does, and a 512 × 512 × 350 grid is painted in seconds.
"""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from lesionary.core.volume import AnyArray, FloatArray, Geometry
from lesionary.phantoms.noise import Float32Array, SmoothNoise
from lesionary.phantoms.tubes import EDGE_VOXELS, Tubes, tube_shares

Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Lowest and highest x, y, z of a shape in the anatomy's millimetres."""

_TILE = (16, 64, 64)
_REACH_MM = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Where a shape is asked: coordinates in the anatomy's mm, and the lattice they come from.

    ``known`` keeps what several parts ask of the same points (:func:`.shapes.remembered`).
    """

    x: Float32Array
    y: Float32Array
    z: Float32Array
    affine: FloatArray | None = None
    known: dict[str, Float32Array] = field(default_factory=dict)

    @staticmethod
    def of(points_mm: AnyArray) -> "Points":
        """Take single points, shape (n, 3)."""
        x, y, z = np.asarray(points_mm, dtype=np.float32).T
        return Points(x, y, z)

    def noise(self, texture: SmoothNoise) -> Float32Array:
        """Evaluate the first component of ``texture`` here."""
        if self.affine is not None:
            a, b, c = self.x.shape
            out: Float32Array = texture.on_lattice(self.affine, (a, b, c))[0]
            return out
        points = np.stack((self.x, self.y, self.z), axis=-1)
        return texture.at(points)[..., 0].astype(np.float32)


Field = Callable[[Points], Float32Array]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A rigid motion: how the patient lies in the scanner."""

    rotation: FloatArray = field(default_factory=lambda: np.eye(3))
    shift_mm: FloatArray = field(default_factory=lambda: np.zeros(3))

    def to_scanner(self, points_mm: AnyArray) -> FloatArray:
        """Map patient points, shape (..., 3), to scanner LPS."""
        points: FloatArray = np.asarray(points_mm, dtype=np.float64) @ self.rotation.T
        return points + self.shift_mm

    def to_patient(self, points_mm: AnyArray) -> FloatArray:
        """Map scanner LPS points, shape (..., 3), to the patient."""
        points: FloatArray = (np.asarray(points_mm) - self.shift_mm) @ self.rotation
        return points

    def affine_to_patient(self, affine: FloatArray) -> FloatArray:
        """Turn an index-to-scanner affine into index-to-patient."""
        out = np.eye(4)
        out[:3, :3] = self.rotation.T @ affine[:3, :3]
        out[:3, 3] = self.rotation.T @ (affine[:3, 3] - self.shift_mm)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """Patient space to the space anatomy is described in: ``(x + bend(x)) / scale``."""

    bend: SmoothNoise
    scale: FloatArray

    def to_anatomy(self, points_mm: AnyArray) -> FloatArray:
        """Map patient points, shape (..., 3), to the anatomy."""
        points: FloatArray = (points_mm + self.bend.at(points_mm)) / self.scale
        return points

    def to_patient(self, points_mm: AnyArray) -> FloatArray:
        """Map anatomy points, shape (..., 3), to the patient: the inverse, by iteration."""
        target = np.asarray(points_mm, dtype=np.float64) * self.scale
        points: FloatArray = target.copy()
        for _ in range(8):  # the bend's slope is below ½, so the error shrinks fast
            points = target - self.bend.at(points)
        return points

    def on_lattice(self, affine: FloatArray, shape: tuple[int, int, int]) -> Points:
        """Map a whole lattice, whose ``affine`` leads to patient mm."""
        bends = self.bend.on_lattice(affine, shape)
        for axis in range(3):
            k, j, i = (
                (np.arange(n) * affine[axis, a]).astype(np.float32) for a, n in enumerate(shape)
            )
            bends[axis] += k[:, None, None] + j[:, None] + (i + np.float32(affine[axis, 3]))
            bends[axis] /= np.float32(self.scale[axis])
        return Points(bends[0], bends[1], bends[2], affine)


@dataclass(frozen=True, slots=True, eq=False)
class _Lattice:
    points: Points
    steps: tuple[int, int, int]
    first: tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """A stretch of one axis: its voxels, the nodes around them, and how the nodes weigh."""

    voxels: slice
    nodes: slice
    weights: Float32Array


class Canvas:
    """A float32 image that shapes are painted on, the last one on top.

    Parameters
    ----------
    geometry : Geometry
        Grid in scanner space; its axes must be orthogonal.
    pose : Pose
        How the patient lies.
    warp : Warp
        How this patient's anatomy differs from the canonical one.
    background : float
        Value of what nothing covers.
    """

    def __init__(self, geometry: Geometry, pose: Pose, warp: Warp, background: float) -> None:
        self.geometry = geometry
        self.pose = pose
        self.warp = warp
        self.values: Float32Array = np.full(geometry.shape, background, dtype=np.float32)
        self._to_patient = pose.affine_to_patient(geometry.affine)
        self._lattices: dict[tuple[Bounds | None, float], _Lattice | None] = {}

    def seen_by(self, pose: Pose, warp: Warp) -> "Canvas":
        """Return a canvas on the same image, for another body that lies elsewhere in it."""
        other = copy(self)
        other.pose, other.warp = pose, warp
        other._to_patient = pose.affine_to_patient(self.geometry.affine)
        other._lattices = {}
        return other

    def paint(
        self,
        shape: Field,
        value: float | Field,
        *,
        bounds: Bounds | None = None,
        step_mm: float = 4.0,
        opacity: float = 1.0,
    ) -> None:
        """Cover what lies inside ``shape`` with ``value``; outside the grid nothing happens."""
        if (bounds, step_mm) not in self._lattices:
            self._lattices[bounds, step_mm] = self._lattice(bounds, step_mm)
        lattice = self._lattices[bounds, step_mm]
        if lattice is None:
            return
        share = _share_of_voxel(shape(lattice.points), lattice.steps)
        levels = value(lattice.points) if callable(value) else None
        flat = np.float32(0.0 if callable(value) else value)
        axes = [
            list(_tiles(first, nodes, step, size, length))
            for first, nodes, step, size, length in zip(
                lattice.first, share.shape, lattice.steps, self.geometry.shape, _TILE, strict=True
            )
        ]
        for tiles in product(*axes):
            nodes = tuple(tile.nodes for tile in tiles)
            if share[nodes].max() <= 0:
                continue
            view = self.values[tuple(tile.voxels for tile in tiles)]
            filled = _interpolate(share[nodes], tiles)
            np.clip(filled, 0, 1, out=filled)
            if opacity != 1:
                filled *= np.float32(opacity)
            goal = flat if levels is None else _interpolate(levels[nodes], tiles)
            view += filled * (goal - view)

    def paint_tubes(self, tubes: Tubes, value: float, *, opacity: float = 1.0) -> None:
        """Cover the tubes with ``value``; those thinner than a voxel show as faint as they are."""
        spacing = self.geometry.spacing_mm
        starts, ends = (
            self.geometry.to_index(self.pose.to_scanner(points)) * spacing
            for points in (tubes.starts, tubes.ends)
        )
        placed = replace(tubes, starts=starts, ends=ends)
        for box, share in tube_shares(placed, spacing, self.geometry.shape):
            view = self.values[box]
            view += np.float32(opacity) * share * (np.float32(value) - view)

    def _lattice(self, bounds: Bounds | None, step_mm: float) -> _Lattice | None:
        sizes = np.array(self.geometry.shape)
        steps = np.maximum(1, np.round(step_mm / np.array(self.geometry.spacing_mm))).astype(int)
        first = np.zeros(3, dtype=int)
        last = np.maximum(-(-(sizes - 1) // steps), 1)
        if bounds is not None:
            corners = np.array(np.meshgrid(*bounds)).reshape(3, -1).T * self.warp.scale
            indices = self.geometry.to_index(self.pose.to_scanner(corners))
            margin = _REACH_MM / np.array(self.geometry.spacing_mm)
            low = np.floor((indices.min(axis=0) - margin) / steps).astype(int)
            high = np.ceil((indices.max(axis=0) + margin) / steps).astype(int)
            first, last = np.maximum(low, first), np.minimum(high, last)
        if (last <= first).any():
            return None
        affine = self._to_patient.copy()
        affine[:3, 3] += affine[:3, :3] @ (first * steps)
        affine[:3, :3] *= steps
        counts = last - first + 1
        points = self.warp.on_lattice(affine, (int(counts[0]), int(counts[1]), int(counts[2])))
        return _Lattice(
            points,
            (int(steps[0]), int(steps[1]), int(steps[2])),
            (int(first[0]), int(first[1]), int(first[2])),
        )


def edge_in_voxels(inside: AnyArray) -> AnyArray:
    """Turn a shape function on the image's own grid into edge widths from its surface."""
    return _share_of_voxel(np.asarray(inside), (1, 1, 1)) - 0.5


def _share_of_voxel(inside: AnyArray, steps: tuple[int, int, int]) -> Float32Array:
    """Turn a shape function into the share of a voxel it fills, not yet clipped to 0 … 1."""
    change = np.zeros(inside.shape, dtype=np.float32)
    for axis, step in enumerate(steps):
        slope = np.gradient(inside, axis=axis)
        change += np.abs(slope, out=slope) / np.float32(step)
    change *= np.float32(EDGE_VOXELS)
    change += np.float32(1e-6)
    most = 3.0 * max(steps) / EDGE_VOXELS + 1.0
    share: Float32Array = np.clip(inside / change, -most, most).astype(np.float32, copy=False)
    share += np.float32(0.5)
    return share


def _tiles(first: int, n_nodes: int, step: int, size: int, length: int) -> Iterator[_Tile]:
    """Cut one axis into tiles of about ``length`` voxels that begin and end on nodes."""
    per_tile = max(length // step, 1)
    for node in range(0, n_nodes - 1, per_tile):
        last = min(node + per_tile, n_nodes - 1)
        start = (first + node) * step
        is_end = last == n_nodes - 1
        stop = min((first + last) * step + is_end, size)
        if stop > start:
            positions = np.arange(stop - start) / step
            hats = 1 - np.abs(positions[:, None] - np.arange(last - node + 1))
            weights = np.maximum(hats, 0).astype(np.float32)
            yield _Tile(slice(start, stop), slice(node, last + 1), weights)


def _interpolate(coarse: Float32Array, tiles: tuple[_Tile, ...]) -> Float32Array:
    along_k, along_j, along_i = (tile.weights for tile in tiles)
    slices: Float32Array = np.tensordot(along_k, coarse, axes=1)
    out: Float32Array = along_j @ (slices @ along_i.T)
    return out
