"""Where tumours can sit in an anatomy, and how much room there is."""

from dataclasses import dataclass

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray
from lesionary.phantoms.anatomy import Anatomy
from lesionary.phantoms.canvas import Field
from lesionary.phantoms.shapes import depth_mm
from lesionary.phantoms.torso import liver, lungs

_STATIONS = {
    "n,mediastinum": ((-23, 8, 124), (3, 12, 86), (34, 2, 127), (8, -50, 130)),
    "n,retroperitoneal": ((27, 30, -72), (33, 40, -142), (-8, 38, -152), (30, 14, -138)),
}
_ORGANS: dict[str, tuple[Field, tuple[tuple[float, float], ...]]] = {
    "lung": (lungs(), ((-140.0, 140.0), (-95.0, 95.0), (-70.0, 205.0))),
    "liver": (liver(), ((-145.0, 60.0), (-95.0, 95.0), (-130.0, 45.0))),
}
_GAP_MM = 7.0
"""Least distance between two tumours: they must stay apart on thick slices too."""


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Places for tumours of one label.

    Parameters
    ----------
    points_mm : array, shape (n, 3)
        In patient mm.
    room_mm : array, shape (n,)
        Radius of the largest tumour that fits there.
    """

    points_mm: FloatArray
    room_mm: FloatArray

    def pick(
        self, reach_mm: float, taken: list[tuple[FloatArray, float]], rng: np.random.Generator
    ) -> FloatArray | None:
        """Pick a place for a tumour of that radius away from those ``taken``; None if none fits."""
        fits = self.room_mm >= reach_mm
        for centre, reach in taken:
            gaps = np.linalg.norm(self.points_mm - centre, axis=1)
            fits &= gaps > reach + reach_mm + _GAP_MM
        places = np.flatnonzero(fits)
        return self.points_mm[rng.choice(places)] if len(places) else None


def find_sites(
    anatomy: Anatomy, label: str, height_mm: tuple[float, float], rng: np.random.Generator
) -> Sites:
    """Find places for a label such as ``m,lung`` or ``n,mediastinum``.

    Tumours of an organ stay inside it and off its large vessels; nodes lie at the nodal stations,
    as large as the vessels there allow. ``height_mm`` is the lowest and highest z that all scans
    show, in patient mm.

    Raises
    ------
    InputError
        For a label that this anatomy has no place for.
    """
    place = label.partition(",")[2]
    if label in _STATIONS:
        stations = np.array(_STATIONS[label], dtype=np.float64)
        points = (stations[:, None, :] + rng.normal(0, 4.0, (1, 80, 3))).reshape(-1, 3)
        points = anatomy.warp.to_patient(points)
        room = anatomy.large_vessels(least_radius_mm=2.0).distance_mm(points) + 2.5
    elif place in _ORGANS:
        organ, box = _ORGANS[place]
        low, high = np.array(box).T
        points = rng.uniform(low, high, (6000, 3))
        room = depth_mm(organ, points)
        points, room = anatomy.warp.to_patient(points[room > 3]), room[room > 3]
        vessels = anatomy.large_vessels(least_radius_mm=3.5)
        room = np.minimum(room, vessels.distance_mm(points) + 4)
    else:
        raise InputError(f"phantoms have no place for '{label}'")
    ends = np.minimum(points[:, 2] - height_mm[0], height_mm[1] - points[:, 2])
    return Sites(points, np.minimum(room, ends))
