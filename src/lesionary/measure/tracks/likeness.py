"""How alike two lesions are once their scans lie over each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import BoolArray, FloatArray, Geometry
from lesionary.measure.tracks.records import TrackedLesion
from lesionary.measure.tracks.registration import RegistrationKind, Transform

MAX_POINTS = 400
"""Voxels that stand for a lesion; larger ones are thinned evenly in voxel order."""

_TOLERANCE_MM = {
    RegistrationKind.RIGID: 8.0,
    RegistrationKind.AFFINE: 8.0,
    RegistrationKind.BODY_CENTRE: 18.0,
}

_OWN_REACH = 0.4
"""Share of a lesion's radius by which its centre may wander as it grows unevenly."""

_SIZE_SPREAD = 1.8
"""Standard deviation of the logarithm of volume between two visits: a factor of six."""

_LEAST_SIZE = 0.3

_LEAST_SHOWN = 0.03
"""Share of a lesion that another scan must show for its rest to be left out of account."""

_SAME_TEXT, _SAME_ORGAN, _UNKNOWN, _OTHER_KIND, _OTHER_ORGAN = 1.0, 0.95, 0.85, 0.6, 0.15


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """When two lesions may be one.

    Parameters
    ----------
    least_score : float
        Less alike are not linked.
    least_share : float
        Share of a fragment that must lie inside the whole for a split or a merger.

    Raises
    ------
    InputError
        If a number lies outside (0, 1].
    """

    least_score: float = 0.25
    least_share: float = 0.5

    def __post_init__(self) -> None:
        for name in ("least_score", "least_share"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(f"{name} lies in (0, 1], not {getattr(self, name)}")


@dataclass(eq=False)
class Form:
    """A lesion's voxels as points, ready to be compared.

    ``points_mm`` stand for all of them, shape (n, 3), in the space they were moved to.
    """

    lesion: TrackedLesion
    geometry: Geometry
    points_mm: FloatArray
    volume_ml: float

    @classmethod
    def of(cls, lesion: TrackedLesion, transform: Transform | None = None) -> "Form":
        """Take a lesion as it lies, or as ``transform`` moves it."""
        geometry = lesion.mask.geometry
        if transform is not None:
            geometry = transform.moved(geometry)
        indices = np.argwhere(lesion.mask.array)
        step = -(-len(indices) // MAX_POINTS)
        return cls(lesion, geometry, geometry.to_world(indices[::step]), lesion.volume_ml)

    def within(self, grids: Sequence[Geometry]) -> "Form":
        """Return what any of the grids shows of it; all of it where that is next to nothing.

        A lesion that the edge of a scan cuts off is compared by what both scans show.
        """
        inside = np.zeros(len(self.points_mm), dtype=np.bool_)
        for grid in grids:
            inside |= is_inside(grid, self.points_mm)
        share = float(inside.mean())
        if share == 1.0 or share < _LEAST_SHOWN:
            return self
        return Form(self.lesion, self.geometry, self.points_mm[inside], self.volume_ml * share)

    def shifted(self, offset_mm: FloatArray) -> "Form":
        """Return the lesion moved along."""
        affine = self.geometry.affine.copy()
        affine[:3, 3] += offset_mm
        geometry = Geometry(self.geometry.shape, affine)
        return Form(self.lesion, geometry, self.points_mm + offset_mm, self.volume_ml)

    @cached_property
    def centre_mm(self) -> FloatArray:
        """Mean of its voxels."""
        centre: FloatArray = self.points_mm.mean(axis=0)
        return centre

    @cached_property
    def radius_mm(self) -> float:
        """Of the ball of its volume."""
        return float((750 * self.volume_ml / np.pi) ** (1 / 3))

    @cached_property
    def reach_mm(self) -> float:
        """From its centre to the furthest voxel."""
        return float(np.linalg.norm(self.points_mm - self.centre_mm, axis=1).max())

    @cached_property
    def half_voxel_mm(self) -> float:
        """Half the mean edge of a voxel."""
        return float(0.5 * self.geometry.voxel_volume_mm3 ** (1 / 3))

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.geometry.to_world(np.argwhere(self.lesion.mask.array)))

    def holds(self, points_mm: FloatArray) -> BoolArray:
        """Tell of each point, shape (n, 3), whether it lies in one of the lesion's voxels."""
        index = np.rint(self.geometry.to_index(points_mm)).astype(np.int64)
        inside = ((index >= 0) & (index < self.geometry.shape)).all(axis=1)
        found = np.zeros(len(points_mm), dtype=np.bool_)
        k, j, i = index[inside].T
        found[inside] = self.lesion.mask.array[k, j, i]
        return found

    def distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """Distance of points, shape (n, 3), from the nearest voxel's edge; 0 inside."""
        distance: FloatArray = self._tree.query(points_mm)[0]
        outside = np.maximum(distance - self.half_voxel_mm, 0.0)
        outside[self.holds(points_mm)] = 0.0
        return outside


def is_inside(grid: Geometry, points_mm: FloatArray) -> BoolArray:
    """Tell of each point, shape (n, 3), whether it lies in one of the grid's voxels."""
    index = grid.to_index(points_mm)
    within: BoolArray = (index >= -0.5) & (index <= np.array(grid.shape) - 0.5)
    inside: BoolArray = np.all(within, axis=1)
    return inside


def label_likeness(one: TrackedLesion, two: TrackedLesion) -> float:
    """Tell how well two labels go together: 1 the same text, 0.15 different organs."""
    if one.label == two.label:
        return _SAME_TEXT
    if not one.organ or not two.organ:
        return _UNKNOWN if one.kind is two.kind else _OTHER_KIND
    if one.organ != two.organ:
        return _OTHER_KIND * _OTHER_ORGAN if one.kind is not two.kind else _OTHER_ORGAN
    return _SAME_ORGAN


def size_likeness(one_ml: float, two_ml: float) -> float:
    """Tell how plausible a change of volume is between two visits; never below 0.3."""
    spread = np.log(two_ml / one_ml) / _SIZE_SPREAD
    return float(_LEAST_SIZE + (1 - _LEAST_SIZE) * np.exp(-0.5 * spread**2))


def place_likeness(one: Form, two: Form, kind: RegistrationKind, slack: float = 1.0) -> float:
    """Tell how well two places agree: by overlap, or by the distance of the centres.

    ``slack`` times the usual tolerance is allowed.
    """
    tolerance = slack * _TOLERANCE_MM[kind] + _OWN_REACH * (one.radius_mm + two.radius_mm) / 2
    tolerance += max(one.half_voxel_mm, two.half_voxel_mm)
    distance = float(np.linalg.norm(one.centre_mm - two.centre_mm))
    if distance > one.reach_mm + two.reach_mm + 3 * tolerance:
        return 0.0
    near = float(np.exp(-0.5 * (distance / tolerance) ** 2))
    covered = max(two.holds(one.points_mm).mean(), one.holds(two.points_mm).mean())
    return float(1 - (1 - near) * (1 - covered))


def likeness(one: Form, two: Form, kind: RegistrationKind, slack: float = 1.0) -> float:
    """Return the score of two lesions being one, 0 … 1: place × label × √size."""
    label = label_likeness(one.lesion, two.lesion)
    place = place_likeness(one, two, kind, slack)
    if place == 0.0:
        return 0.0
    size = size_likeness(one.volume_ml, two.volume_ml)
    return float(place * label * size**0.5)


def likenesses(
    before: Sequence[Form],
    after: Sequence[Form],
    kind: RegistrationKind,
    slack: float = 1.0,
) -> FloatArray:
    """Return the scores of all pairs, shape (before, after)."""
    scores = np.zeros((len(before), len(after)))
    for n, one in enumerate(before):
        for m, two in enumerate(after):
            scores[n, m] = likeness(one, two, kind, slack)
    return scores


def share_inside(fragment: Form, whole: Form, kind: RegistrationKind) -> float:
    """Return the share of a fragment within the whole, grown by half of what may be off."""
    grown = _TOLERANCE_MM[kind] / 2 + max(fragment.half_voxel_mm, whole.half_voxel_mm)
    distance = float(np.linalg.norm(fragment.centre_mm - whole.centre_mm))
    if distance > fragment.reach_mm + whole.reach_mm + 2 * grown:
        return 0.0
    if label_likeness(fragment.lesion, whole.lesion) < _OTHER_KIND:
        return 0.0
    return float((whole.distance_mm(fragment.points_mm) <= grown).mean())
