"""Tumours in an image: how they look, and the mask that is true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lesionary.core.volume import Box, FloatArray, Geometry, LabelMap
from lesionary.phantoms.canvas import Canvas, Pose, edge_in_voxels
from lesionary.phantoms.lesions import LesionShape
from lesionary.phantoms.noise import random_directions
from lesionary.phantoms.scenario import Piece
from lesionary.phantoms.tubes import Tubes


@dataclass(frozen=True, slots=True, eq=False)
class PhantomLesion:
    """What is true of one tumour in one scan.

    Parameters
    ----------
    track : str
        The tumour through time: A, B, C ….
    merged : tuple of str
        Further tracks that have merged into it.
    part : int
        Counts from 1 where the track has fallen into several.
    value : int
        In the label map.
    label : str
        Kind and place, such as ``m,liver``.
    centre_mm : array, shape (3,)
        In the scanner's LPS.
    volume_ml : float
        Of the shape, not of its voxels.
    longest_diameter_mm, short_axis_mm : float
        Caliper axes in the axial plane where the longest one lies.
    shape : LesionShape
        In the scanner's LPS.
    """

    track: str
    merged: tuple[str, ...]
    part: int
    value: int
    label: str
    centre_mm: FloatArray
    volume_ml: float
    longest_diameter_mm: float
    short_axis_mm: float
    shape: LesionShape


# Depth (0 the centre, 1 the surface) and HU there, in the portal venous phase.
_LOOKS = {
    "t,lung": ((0, 18), (0.35, 26), (0.6, 62), (1, 74)),
    "m,lung": ((0, 48), (1, 62)),
    "m,liver": ((0, 50), (0.5, 54), (0.85, 60), (1, 68)),
    "necrotic m,liver": ((0, 22), (0.45, 28), (0.65, 50), (0.9, 58), (0.96, 128), (1, 126)),
    "n,mediastinum": ((0, 78), (1, 92)),
    "n,retroperitoneal": ((0, 84), (1, 96)),
    "necrotic n": ((0, 34), (0.45, 42), (0.7, 86), (1, 98)),
}
_NECROTIC_MM = 9.0
"""Mean radius from which liver metastases and nodes are dead inside."""


def paint_tumours(canvas: Canvas, pieces: Sequence[Piece]) -> None:
    """Paint tumours in HU, with spicules around the rougher ones of the lung."""
    for piece in pieces:
        if piece.label.endswith("lung"):
            canvas.paint_tubes(_spicules(piece), -200.0, opacity=0.85)
    for piece in pieces:
        _paint(canvas, piece, np.array(_LOOKS[_look(piece)], dtype=np.float64))


def paint_uptake(canvas: Canvas, pieces: Sequence[Piece], suv: Sequence[float]) -> None:
    """Paint tumours in SUV: a necrotic centre takes up little."""
    for piece, peak in zip(pieces, suv, strict=True):
        hollow = 0.45 if "necrotic" in _look(piece) or piece.label == "t,lung" else 1.0
        look = np.array([(0, hollow * peak), (0.4, hollow * peak), (0.6, peak), (1, peak)])
        _paint(canvas, piece, look)


def paint_tissue(canvas: Canvas, pieces: Sequence[Piece], *, skin_mm: float) -> None:
    """Paint tumours under the skin, dead inside where they are thick."""
    for piece in pieces:
        for lobe in piece.shape.lobes:
            grown = lobe.scaled(1 + skin_mm / float(lobe.radii_mm.mean()))
            skin = replace(piece, shape=LesionShape((grown,)))
            _paint(canvas, skin, np.array([(0, 15.0), (1, 15.0)]))
        _paint(canvas, piece, np.array([(0, 12.0), (0.35, 22.0), (0.6, 52.0), (1, 58.0)]))


def truth_of(
    geometry: Geometry, pose: Pose, pieces: Sequence[Piece]
) -> tuple[LabelMap, list[tuple[PhantomLesion, Piece]]]:
    """Draw the true label map, and tell of each tumour with at least one voxel in it."""
    array = np.zeros(geometry.shape, dtype=np.uint16)
    found: list[tuple[PhantomLesion, Piece]] = []
    for piece in pieces:
        shape = piece.shape.posed(pose)
        box, points = _grid_around(geometry, shape)
        inside = shape.holds(points)
        if not inside.any():
            continue
        value = len(found) + 1
        array[box][inside] = value
        longest, short = shape.axial_axes_mm()
        lesion = PhantomLesion(
            track=piece.tracks[0],
            merged=piece.tracks[1:],
            part=piece.part,
            value=value,
            label=piece.label,
            centre_mm=shape.centre_mm,
            volume_ml=shape.volume_mm3() / 1000,
            longest_diameter_mm=longest,
            short_axis_mm=short,
            shape=shape,
        )
        found.append((lesion, piece))
    labels = {lesion.value: lesion.label for lesion, _ in found}
    return LabelMap(array, geometry, labels), found


def _grid_around(geometry: Geometry, shape: LesionShape) -> tuple[Box, FloatArray]:
    """Voxels that may hold the shape, and their centres in mm, shape (..., 3)."""
    low, high = shape.bounds_mm()
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    indices = geometry.to_index(corners)
    first = np.clip(np.floor(indices.min(axis=0)).astype(int) - 2, 0, geometry.shape)
    last = np.clip(np.ceil(indices.max(axis=0)).astype(int) + 3, 0, geometry.shape)
    k, j, i = (slice(int(a), int(max(a, b))) for a, b in zip(first, last, strict=True))
    grid = np.stack(
        np.meshgrid(*(np.arange(r.start, r.stop) for r in (k, j, i)), indexing="ij"), -1
    )
    return (k, j, i), geometry.to_world(grid)


def _paint(canvas: Canvas, piece: Piece, look: FloatArray) -> None:
    shape = piece.shape.posed(canvas.pose)
    box, points = _grid_around(canvas.geometry, shape)
    if min(points.shape[:3]) < 2:
        return
    depth = shape.depth(points)
    share = np.clip(edge_in_voxels(1 - depth) + 0.5, 0, 1)
    values = np.interp(depth, look[:, 0], look[:, 1])
    view = canvas.values[box]
    view += (share * (values - view)).astype(np.float32)


def _look(piece: Piece) -> str:
    radius = float(np.mean([lobe.radii_mm.mean() for lobe in piece.shape.lobes]))
    if radius >= _NECROTIC_MM and piece.label == "m,liver":
        return "necrotic m,liver"
    if radius >= _NECROTIC_MM and piece.label.startswith("n"):
        return "necrotic n"
    return piece.label


def _spicules(piece: Piece) -> Tubes:
    """Thin strands that radiate from the rougher lobes."""
    starts, ends, radii = [], [], []
    for lobe in piece.shape.lobes:
        roughness = float(np.abs(lobe.heights).sum())
        rng = np.random.default_rng(int(lobe.phases[0] * 1e6))
        n = int(90 * max(roughness - 0.34, 0))
        directions = random_directions(rng, n)
        roots = lobe.surface(directions)
        away = roots - lobe.centre_mm
        lengths = rng.uniform(0.25, 0.7, (n, 1))
        starts.append(lobe.centre_mm + 0.9 * away)
        ends.append(roots + away * lengths)
        radii.append(np.full(n, 0.8))
    wide = np.concatenate(radii)
    return Tubes(np.concatenate(starts), np.concatenate(ends), wide, wide * 0.4)
