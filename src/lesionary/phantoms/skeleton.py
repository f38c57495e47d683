"""Spine, ribs, breastbone and shoulder girdle."""

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.phantoms.canvas import Field, Points, Warp
from lesionary.phantoms.noise import Float32Array, SmoothNoise
from lesionary.phantoms.shapes import both, either, ellipsoid, shrunk, turn
from lesionary.phantoms.torso import CAVITY_POWER, Part, body, cavity_at, sided
from lesionary.phantoms.trees import along
from lesionary.phantoms.tubes import Tubes

_VERTEBRA_MM = 26.0
_SPINE_Y = 58.0


def skeleton_parts(rng: np.random.Generator, warp: Warp) -> list[Part]:
    """Bones from back to front."""
    return [*_spine(rng), *_ribs(warp), *_girdle(warp)]


def _phase(p: Points) -> Float32Array:
    """Distance in mm from the middle of the nearest vertebra, along the spine."""
    turns = p.z / np.float32(_VERTEBRA_MM)
    out: Float32Array = (turns - np.floor(turns) - np.float32(0.5)) * np.float32(_VERTEBRA_MM)
    return out


def _spine(rng: np.random.Generator) -> list[Part]:
    marrow = SmoothNoise.draw(rng, 8, 32.0)
    reach = (-420.0, 260.0)
    column = ellipsoid((0, _SPINE_Y - 4, 0), (20, 15, 3000), power=2.3)

    def vertebra(p: Points) -> Float32Array:
        waist = np.float32(1.8) * np.square(_phase(p) / np.float32(10)) - 2
        out: Float32Array = np.minimum(column(p) + waist, 10.5 - np.abs(_phase(p)))
        return out

    def processes(p: Points) -> Float32Array:
        level = _phase(p) + np.float32(0.45) * (p.y - np.float32(_SPINE_Y + 22))
        spinous = np.minimum(3.4 - np.abs(p.x), 12 - np.abs(p.y - np.float32(_SPINE_Y + 35)))
        spinous = np.minimum(spinous, 8 - np.abs(level))
        lean = np.abs(p.x) * np.float32(0.30)
        across = np.minimum(33 - np.abs(p.x), 5 - np.abs(p.y - lean - np.float32(_SPINE_Y + 17)))
        across = np.minimum(across, 5.5 - np.abs(_phase(p) - 4))
        arch = np.minimum(4.5 - np.abs(_ring(p)), 11 - np.abs(_phase(p)))
        out: Float32Array = np.maximum(np.maximum(spinous, across), arch)
        return out

    def marrow_hu(p: Points) -> Float32Array:
        return np.float32(185) + p.noise(marrow)

    def disc(p: Points) -> Float32Array:
        return shrunk(column, -1)(p)

    box = ((-24.0, 24.0), (30.0, 80.0), reach)
    wide = ((-36.0, 36.0), (40.0, 120.0), reach)
    canal: Field = ellipsoid((0, _SPINE_Y + 20, 0), (10.5, 8.5, 3000))
    cord = ellipsoid((0, _SPINE_Y + 20, 0), (5.5, 4.2, 3000))
    return [
        Part("intervertebral disc", disc, 88.0, 0.8, box, 2.0),
        Part("vertebral arch", processes, 520.0, 1.2, wide, 1.6),
        Part("vertebral cortex", vertebra, 520.0, 1.5, box, 1.6),
        Part("vertebral marrow", shrunk(vertebra, 1.9), marrow_hu, 1.7, box, 1.6),
        Part("spinal canal", canal, 14.0, 0.8, wide, 2.0),
        Part("spinal cord", cord, 42.0, 1.6, wide, 2.0),
    ]


def _ring(p: Points) -> Float32Array:
    """Distance from the bony ring around the spinal canal."""
    across = np.square(p.x / np.float32(14.5))
    deep = np.square((p.y - np.float32(_SPINE_Y + 20)) / np.float32(13))
    out: Float32Array = (np.sqrt(across + deep) - 1) * np.float32(13.5)
    return out


def _rib_points(number: int, side: float) -> tuple[FloatArray, FloatArray]:
    """Centre line of a rib's bone and of its cartilage, from the spine to the front."""
    z_top = 212.0 - 25.5 * number
    reach = np.interp(number, (1, 3, 7, 10, 11, 12), (118, 132, 136, 128, 96, 70))
    angles = np.linspace(24, reach, 32)
    drop = np.interp(number, (1, 4, 10, 12), (40, 72, 92, 46))
    heights = z_top + 6 - drop * ((angles - 24) / 112) ** 1.25
    bone = np.array([_on_wall(a, z, side) for a, z in zip(angles, heights, strict=True)])
    tip = bone[-1]
    if number > 10:
        return bone, bone[-1:]
    z_end = max(tip[2] - 4 if number < 4 else tip[2] + 5 * (number - 3), 8.0)
    width, depth, centre = cavity_at(z_end)
    share = np.linspace(0, 1, 8)[:, None]
    end = np.array([side * 13.0, centre - depth - 7, min(z_end, 170.0)])
    mid = np.array([side * 0.42 * width, centre - depth * 0.97 - 4, (tip[2] + end[2]) / 2 - 5])
    cartilage = (1 - share) ** 2 * tip + 2 * share * (1 - share) * mid + share**2 * end
    return bone, cartilage


def _on_wall(degrees: float, z: float, side: float) -> FloatArray:
    """Point just outside the cavity, ``degrees`` round from the back."""
    width, depth, centre = cavity_at(z)
    angle = np.deg2rad(degrees)
    sine, cosine = np.sin(angle), np.cos(angle)
    x = (width + 5.5) * sine ** (2 / CAVITY_POWER)
    y = (depth + 5.5) * np.sign(cosine) * abs(cosine) ** (2 / CAVITY_POWER)
    return np.array([side * x, centre + y, z])


def _ribs(warp: Warp) -> list[Part]:
    parts = []
    for number in range(1, 13):
        for side in (-1.0, 1.0):
            bone, cartilage = _rib_points(number, side)
            tube = along(warp.to_patient(bone), np.full(len(bone), 4.3), height=1.5)
            if len(cartilage) > 1:
                soft = along(warp.to_patient(cartilage), np.full(len(cartilage), 4.6), height=1.4)
                parts.append(Part("costal cartilage", soft, 105.0, 0.6))
            parts.append(Part("rib", tube, 640.0, 0.9))
            parts.append(Part("rib marrow", tube.shrunk(1.7), 190.0, 1.2))
    return parts


def _girdle(warp: Warp) -> list[Part]:
    parts: list[Part] = []
    sternum = either(
        ellipsoid((0, -90, 92), (15, 6, 62), power=3, turned=turn(x=-5)),
        ellipsoid((0, -73, 160), (26, 7, 22), power=3, turned=turn(x=-16)),
    )
    box = ((-32.0, 32.0), (-110.0, -45.0), (15.0, 190.0))
    parts += [
        Part("sternum", sternum, 420.0, 1.2, box, 2.0),
        Part("sternal marrow", shrunk(sternum, 1.8), 130.0, 1.5, box, 2.0),
    ]
    for side in (-1.0, 1.0):
        blade = ellipsoid((side * 92, 80, 118), (44, 4.5, 62), power=2.6, turned=turn(z=side * -34))
        ridge = ellipsoid(
            (side * 98, 88, 166), (44, 10, 6), turned=turn(z=side * -30, y=side * -14)
        )
        shape = both(either(blade, ridge), shrunk(body(), 11))
        bounds = (sided(side, 40, 150), (40.0, 115.0), (50.0, 190.0))
        parts.append(Part("scapula", shape, 430.0, 1.0, bounds, 2.0))
        collar = np.array(
            [(14, -62, 178), (45, -66, 184), (85, -48, 196), (120, -16, 206), (138, 0, 212)]
        ) * (side, 1, 1)
        tube: Tubes = along(warp.to_patient(collar), np.array([7.0, 5.5, 5.0, 5.5, 6.0]))
        parts.append(Part("clavicle", tube, 640.0, 0.9))
        parts.append(Part("clavicle marrow", tube.shrunk(2.0), 230.0, 1.1))
    return parts
