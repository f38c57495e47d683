"""The trunk of an adult: body wall, lungs, heart and the organs of the upper abdomen.

Anatomy is described once in canonical millimetres: x to the left, y to the back, z up, 0 at the
height of the diaphragm. ``Warp`` makes a person of it.
"""

from dataclasses import dataclass

import numpy as np

from lesionary.phantoms.canvas import Bounds, Field, Points
from lesionary.phantoms.noise import Float32Array
from lesionary.phantoms.shapes import (
    beyond,
    both,
    either,
    ellipsoid,
    outside,
    profiled,
    remembered,
    shrunk,
    turn,
)
from lesionary.phantoms.tubes import Tubes


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One thing to paint, and what a CT and an FDG PET see in it.

    Parameters
    ----------
    name : str
        Anatomical name.
    shape : Field or Tubes
        Where it is.
    hu : float or Field
        Hounsfield units in the portal venous phase.
    suv : float
        FDG uptake in SUVbw.
    bounds : Bounds, optional
        What holds it; None is the whole grid.
    step_mm : float
        Lattice its shape is sampled on.
    opacity : float
        1 covers what lies below.
    """

    name: str
    shape: Field | Tubes
    hu: float | Field
    suv: float
    bounds: Bounds | None = None
    step_mm: float = 4.0
    opacity: float = 1.0


# z, half width, half depth, centre y
_BODY = (
    (-260, 168, 116, 2),
    (-170, 160, 114, 2),
    (-90, 158, 116, 1),
    (0, 166, 120, 0),
    (80, 172, 120, 1),
    (140, 174, 112, 5),
    (180, 164, 94, 12),
    (215, 128, 76, 18),
    (250, 66, 62, 20),
)
_MUSCLE = (
    (-260, 140, 90, 3),
    (-170, 138, 92, 2),
    (-90, 142, 99, 1),
    (0, 152, 105, 0),
    (80, 160, 108, 2),
    (140, 162, 102, 6),
    (180, 152, 86, 13),
    (215, 116, 68, 19),
    (250, 58, 55, 20),
)
_CAVITY = (
    (-260, 118, 70, -10),
    (-170, 124, 75, -8),
    (-90, 129, 83, -6),
    (-20, 134, 88, -4),
    (50, 133, 88, -2),
    (100, 124, 82, 0),
    (140, 110, 70, 5),
    (170, 88, 55, 12),
    (190, 62, 40, 18),
    (204, 24, 16, 22),
    (212, 4, 4, 24),
    (260, 2, 2, 24),
)
CAVITY_POWER = 2.5


def body() -> Field:
    """Everything inside the skin."""
    return remembered("body", profiled(_BODY, power=2.4))


def cavity() -> Field:
    """Inside of chest and belly wall."""
    return remembered("cavity", profiled(_CAVITY, power=CAVITY_POWER))


def cavity_at(z: float) -> tuple[float, float, float]:
    """Half width, half depth and centre y of the cavity at one height."""
    rows = np.array(_CAVITY, dtype=np.float64)
    width, depth, centre = (float(np.interp(z, rows[:, 0], rows[:, c])) for c in (1, 2, 3))
    return width, depth, centre


def muscle() -> Field:
    """Everything inside the fat below the skin."""
    back = [
        both(ellipsoid((s * 36, 84, 0), (36, 26, 600)), beyond((0, 0, -1), (0, 0, 225)))
        for s in (-1, 1)
    ]
    flesh = both(either(profiled(_MUSCLE, power=2.3), *back), shrunk(body(), 6))
    return remembered("muscle", flesh)


def diaphragm_mm(p: Points) -> Float32Array:
    """Height above the diaphragm: a dome over the liver, a lower one over the stomach."""
    right = 66 * np.exp(-(((p.x + 68) / 78) ** 2 + ((p.y + 2) / 84) ** 2).astype(np.float32))
    left = 56 * np.exp(-(((p.x - 72) / 74) ** 2 + ((p.y + 2) / 80) ** 2).astype(np.float32))
    slope = np.float32(0.32) * p.y
    out: Float32Array = p.z - np.float32(-62) - np.maximum(right, left) * np.float32(1.12) + slope
    return out


def spine_block() -> Field:
    """Describe what the lungs leave free for the spine and the vessels before it."""
    return remembered("spine block", ellipsoid((0, 74, 0), (27, 46, 900), power=2.4))


HEART_TURN = turn(z=-38, y=-28)
HEART = ((27.0, -30.0, 40.0), (66.0, 46.0, 47.0))


def heart(grown_mm: float) -> Field:
    """Heart, larger all around by ``grown_mm``."""
    centre, radii = HEART
    grown = (radii[0] + grown_mm, radii[1] + grown_mm, radii[2] + grown_mm)
    return ellipsoid(centre, grown, turned=HEART_TURN)


def _mediastinum() -> Field:
    """Fat and vessels between the lungs, narrow in front."""
    rows = (
        (-120, 30, 92, 0),
        (20, 30, 92, 0),
        (60, 31, 88, 0),
        (90, 37, 84, 0),
        (115, 35, 80, 2),
        (140, 34, 74, 6),
        (180, 33, 62, 14),
        (215, 36, 60, 20),
    )
    return profiled(rows, power=1.7)


def lungs() -> Field:
    """Both lungs."""
    return both(
        shrunk(cavity(), 2.5),
        diaphragm_mm,
        outside(_mediastinum()),
        outside(heart(5)),
        outside(spine_block()),
    )


def below_diaphragm() -> Field:
    """Describe the part of the cavity that belongs to the abdomen."""
    under = both(shrunk(cavity(), 3.0), lambda p: -diaphragm_mm(p) - np.float32(4))
    return remembered("below diaphragm", under)


GALLBLADDER = ((-40.0, -48.0, -82.0), (15.0, 22.0, 24.0))


def gallbladder() -> Field:
    """Lies in a bed below the liver, in front."""
    centre, radii = GALLBLADDER
    return ellipsoid(centre, radii, turned=turn(x=24))


def liver() -> Field:
    """Right and left lobe, under the right dome, cut off by the visceral surface."""
    return both(
        below_diaphragm(),
        either(
            ellipsoid((-66, -6, -36), (76, 92, 104), power=2.3),
            ellipsoid((-6, -44, -8), (76, 46, 46), turned=turn(y=-14)),
        ),
        beyond((-0.30, -0.50, 0.80), (-42, 14, -72)),
        beyond((-0.72, -0.62, 0.12), (26, 24, -40)),
        outside(spine_block(), by_mm=2),
        outside(ellipsoid((-58, 52, -128), (36, 36, 66))),
        outside(gallbladder(), by_mm=1),
    )


def spleen() -> Field:
    """Between stomach, left kidney and the back."""
    return both(
        below_diaphragm(),
        ellipsoid((106, 36, -40), (36, 54, 52), power=2.2, turned=turn(z=-22)),
        outside(ellipsoid((58, 10, -44), (40, 46, 80))),
    )


def _kidney(side: float, z: float) -> Field:
    bean = ellipsoid((side * 60, 46, z), (29, 27, 56), turned=turn(y=side * 10, z=side * -28))
    hilum = ellipsoid((side * 33, 30, z), (17, 13, 22))
    return both(bean, outside(hilum))


def kidneys() -> Field:
    """Both kidneys, the right one lower."""
    return either(_kidney(-1, -136), _kidney(1, -120))


def sided(side: float, near: float, far: float) -> tuple[float, float]:
    """Range of x between two distances from the midline, on one side."""
    return (near, far) if side > 0 else (-far, -near)
