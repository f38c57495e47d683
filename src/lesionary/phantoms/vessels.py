"""Great vessels and airways, and the trees that branch from them in lung and liver."""

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.phantoms.canvas import Field, Warp
from lesionary.phantoms.shapes import depth_mm
from lesionary.phantoms.torso import Part, liver, lungs
from lesionary.phantoms.trees import along, grow_tree
from lesionary.phantoms.tubes import Tubes

_BLOOD_HU = 158.0
_BLOOD_SUV = 1.8

Line = tuple[tuple[float, float, float, float], ...]
"""Points of a centre line: x, y, z and radius."""

_VEINS: tuple[Line, ...] = (
    (
        (-20, 24, -420, 10),
        (-22, 24, -200, 10),
        (-24, 20, -120, 10),
        (-26, 12, -50, 11),
        (-22, 2, 2, 12),
        (-20, -8, 26, 13),
    ),
    (
        (-22, -12, 60, 11),
        (-24, -10, 110, 10),
        (-22, -16, 150, 9),
        (-30, -14, 190, 8),
        (-40, -6, 240, 7),
    ),
    ((-22, -18, 148, 8), (6, -34, 158, 7), (34, -22, 180, 7), (46, -8, 240, 6)),
    ((-24, 22, -118, 6), (-48, 34, -134, 5)),
    ((-22, 18, -112, 6), (4, 12, -110, 6), (36, 32, -118, 5)),
    ((-8, -4, -104, 7), (-18, -6, -84, 8), (-34, -4, -62, 8)),
    ((-10, -4, -102, 6), (18, 8, -88, 4.5), (56, 26, -72, 4.5), (82, 34, -58, 4)),
    ((-10, -6, -104, 6), (-8, -14, -150, 6), (-4, -18, -210, 5)),
)
_ARTERIES: tuple[Line, ...] = (
    (
        (4, -24, 72, 15),
        (-10, -30, 100, 15.5),
        (-8, -24, 128, 15),
        (4, -8, 143, 14),
        (16, 14, 144, 13),
        (22, 32, 128, 12.5),
        (23, 38, 100, 12),
        (20, 38, 30, 12),
        (12, 34, -40, 11),
        (6, 28, -120, 9.5),
        (4, 28, -220, 8.5),
        (4, 28, -420, 8),
    ),
    ((-4, -18, 144, 7), (-14, -10, 172, 6.5), (-28, 0, 240, 5)),
    ((8, -2, 150, 4.5), (16, 0, 180, 4.5), (24, 4, 240, 4)),
    ((16, 12, 152, 5), (28, 14, 186, 5), (54, 8, 212, 5), (110, 0, 226, 4)),
    ((8, 20, -66, 4.5), (8, 6, -68, 4), (-14, -2, -70, 3), (-30, -6, -66, 2.5)),
    ((7, 20, -82, 4.5), (8, 6, -96, 4), (6, -6, -140, 3.8), (4, -10, -200, 3)),
    ((7, 26, -112, 3.5), (36, 36, -120, 3)),
    ((3, 26, -118, 3.5), (-38, 40, -136, 3)),
)
_PULMONARY: tuple[Line, ...] = (
    ((12, -42, 66, 14), (18, -32, 92, 14.5), (16, -14, 104, 12)),
    ((16, -16, 100, 12), (-14, -4, 98, 11), (-40, 0, 94, 9)),
    ((18, -14, 104, 12), (36, 4, 108, 10), (46, 10, 98, 8.5)),
    ((-46, 14, 72, 6), (-24, 12, 66, 8), (0, 8, 62, 9)),
    ((48, 16, 74, 6), (30, 16, 68, 8), (8, 8, 62, 9)),
)
_AIRWAYS: tuple[Line, ...] = (
    ((0, 8, 250, 8.5), (0, 12, 180, 8.8), (2, 16, 116, 9)),
    ((2, 16, 114, 8), (-22, 12, 92, 7), (-40, 10, 82, 5.5), (-52, 12, 62, 4.5), (-62, 20, 36, 3.2)),
    ((2, 16, 114, 7.5), (26, 18, 90, 6), (46, 20, 80, 5), (58, 24, 58, 4), (70, 30, 32, 3)),
    ((-34, 10, 90, 4.5), (-56, 8, 104, 3.2), (-72, 4, 128, 2.3)),
    ((42, 18, 86, 4.5), (58, 8, 100, 3.2), (68, 0, 126, 2.3)),
)
_OESOPHAGUS: Line = (
    (6, 26, 250, 6),
    (6, 30, 150, 6.5),
    (8, 30, 90, 7),
    (14, 22, 20, 7.5),
    (24, 12, -14, 8),
    (36, 4, -30, 9),
)
_HILA = {-1.0: (-44.0, 4.0, 90.0), 1.0: (48.0, 12.0, 94.0)}


def vessel_parts(rng: np.random.Generator, warp: Warp) -> list[Part]:
    """All vessels and airways, thin ones first."""
    parts = [*_liver_trees(rng, warp), *_lung_trees(rng, warp)]
    parts.append(Part("oesophagus", _tube(warp, _OESOPHAGUS), 52.0, 1.6))
    parts += [Part("vein", _tube(warp, line), _BLOOD_HU - 8, _BLOOD_SUV) for line in _VEINS]
    parts += [Part("lung vessel", _tube(warp, line), _BLOOD_HU, _BLOOD_SUV) for line in _PULMONARY]
    parts += [Part("artery", _tube(warp, line), _BLOOD_HU, _BLOOD_SUV) for line in _ARTERIES]
    walls = [_tube(warp, line) for line in _AIRWAYS]
    parts += [Part("airway wall", tube.shrunk(-1.1), 20.0, 0.8) for tube in walls]
    parts += [Part("airway", tube, -985.0, 0.2) for tube in walls]
    return parts


def _tube(warp: Warp, line: Line) -> Tubes:
    """Round off a centre line by quadratic interpolation through its middles."""
    points = np.array(line)
    middles = (points[1:] + points[:-1]) / 2
    share = np.linspace(0, 1, 5)[:-1, None]
    pieces = [points[:1]]
    for before, corner, after in zip(middles[:-1], points[1:-1], middles[1:], strict=True):
        bend = (1 - share) ** 2 * before + 2 * share * (1 - share) * corner + share**2 * after
        pieces.append(bend)
    pieces += [middles[-1:], points[-1:]]
    smooth = np.concatenate(pieces)
    return along(warp.to_patient(smooth[:, :3]), smooth[:, 3])


def inside(
    shape: Field,
    rng: np.random.Generator,
    n: int,
    bounds: tuple[tuple[float, float], ...],
    *,
    depth: float,
) -> FloatArray:
    """Draw ``n`` points of the anatomy at least ``depth`` mm deep inside a shape, shape (n, 3)."""
    low, high = np.array(bounds).T
    found: list[FloatArray] = []
    n_found = 0
    while n_found < n:
        points = rng.uniform(low, high, (4 * n, 3))
        points = points[depth_mm(shape, points) > depth]
        found.append(points)
        n_found += len(points)
    return np.concatenate(found)[:n]


def _lung_trees(rng: np.random.Generator, warp: Warp) -> list[Part]:
    parts = []
    for side, hilum in _HILA.items():
        x = (min(side * 5, side * 140), max(side * 5, side * 140))
        box = (x, (-95.0, 95.0), (-75.0, 205.0))
        for n, drop in ((420, 0.0), (300, -16.0)):
            targets = inside(lungs(), rng, n, box, depth=4.0)
            root = np.array((hilum[0], hilum[1], hilum[2] + drop))
            tree = grow_tree(root, targets, rng, root_radius_mm=8.0, smallest_radius_mm=0.55)
            parts.append(_in_patient("lung vessel", tree, warp, 60.0))
    return parts


def _liver_trees(rng: np.random.Generator, warp: Warp) -> list[Part]:
    box = ((-140.0, 70.0), (-95.0, 90.0), (-130.0, 50.0))
    portal = inside(liver(), rng, 90, box, depth=7.0)
    veins = inside(liver(), rng, 55, box, depth=7.0)
    gate, top = np.array([-34.0, -4.0, -62.0]), np.array([-24.0, 6.0, -8.0])
    return [
        _in_patient(
            "portal vein",
            grow_tree(gate, portal, rng, root_radius_mm=7.5, smallest_radius_mm=0.8),
            warp,
            _BLOOD_HU,
        ),
        _in_patient(
            "hepatic vein",
            grow_tree(top, veins, rng, root_radius_mm=7.5, smallest_radius_mm=0.8),
            warp,
            _BLOOD_HU - 6,
        ),
    ]


def _in_patient(name: str, tree: Tubes, warp: Warp, hu: float) -> Part:
    moved = Tubes(
        warp.to_patient(tree.starts),
        warp.to_patient(tree.ends),
        tree.start_radii_mm,
        tree.end_radii_mm,
    )
    return Part(name, moved, hu, _BLOOD_SUV)
