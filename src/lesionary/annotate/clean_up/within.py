"""The rule that keeps lesions within their anatomy (A4)."""

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lesionary.annotate.clean_up.drawn import (
    ROUNDING_MM,
    Drawn,
    Labels,
    Removed,
    RuleError,
    Skipped,
    has_voxels_in,
    mask_of,
    missing,
)
from lesionary.core.volume import BoolArray, Geometry

FARTHEST = 65534
"""Columns: no row that an image has is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """Remove what lies outside an anatomy, grown by ``dilate_mm`` (A4: lung and pleura, breast).

    The anatomy is the labels ``anatomy`` of the map itself, the labels ``structures`` of the
    context's anatomy, or both together; where neither names one, all of the context's anatomy.
    Grown is true Euclidean distance between voxel centres, on voxels of any shape. With
    ``components`` whole 26-connected pieces of one label go where no voxel of theirs lies in the
    grown anatomy, and all others stay whole.

    Where no voxel of the anatomy is there, the rule is skipped: an organ that was not segmented is
    no reason to remove every lesion.
    """

    name: ClassVar[str] = "within"
    anatomy: Labels = ()
    structures: Labels = ()
    dilate_mm: float = 0.0
    components: bool = False
    labels: Labels = ()
    readers: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.dilate_mm) and self.dilate_mm >= 0):
            raise RuleError("dilate_mm", f"should be at least 0 mm, not {self.dilate_mm}")

    @property
    def needs_structures(self) -> bool:
        """Whether it looks at the context's anatomy."""
        return bool(self.structures) or not self.anatomy

    def removed(self, drawn: Drawn) -> Removed | Skipped:
        """Return the voxels, or components, that lie outside."""
        anatomy = self._anatomy(drawn)
        if not anatomy.any():
            return Skipped("no voxel of the anatomy is there")
        if self.components:
            return self._whole_components(drawn, anatomy)
        gone = drawn.union[drawn.box] & ~anatomy[drawn.box]
        corner = [side.start for side in drawn.box]
        places = np.argwhere(gone)
        near = self._is_near(places + corner, anatomy, drawn.geometry)
        gone[tuple(places[near].T)] = False
        return drawn.cut(gone, drawn.box)

    def _anatomy(self, drawn: Drawn) -> BoolArray:
        anatomy = np.zeros(drawn.geometry.shape, dtype=np.bool_)
        if self.needs_structures:
            if drawn.context.anatomy is None:
                hint = "name a mask with --anatomy, or labels of the map itself"
                raise missing(self.name, "an anatomy", hint)
            anatomy |= mask_of(drawn.context.anatomy, self.structures)
        if self.anatomy:
            for layer in drawn.layers:
                anatomy |= mask_of(layer, self.anatomy)
        return anatomy

    def _whole_components(self, drawn: Drawn, anatomy: BoolArray) -> Removed:
        touching = tuple(has_voxels_in(found, anatomy) for found in drawn.found)
        kept = []
        for found, touches, apart in zip(
            drawn.found, touching, drawn.without(touching), strict=True
        ):
            places = np.argwhere(apart)
            near = np.zeros(apart.shape, dtype=np.bool_)
            near[tuple(places[self._is_near(places, anatomy, drawn.geometry)].T)] = True
            kept.append(touches | has_voxels_in(found, near))
        return drawn.without(tuple(kept))

    def _is_near(
        self, places: NDArray[np.int64], anatomy: BoolArray, geometry: Geometry
    ) -> BoolArray:
        """Tell of each voxel, shape (n, 3), outside the anatomy if the grown one holds it."""
        from lesionary.annotate.clean_up._kernels import columns_to_nearest, is_near

        reach_mm = self.dilate_mm + ROUNDING_MM
        reach = np.floor(reach_mm / np.array(geometry.spacing_mm)).astype(np.int64)
        if not len(places) or not reach.any():
            return np.zeros(len(places), dtype=np.bool_)
        starts = np.maximum(places.min(axis=0) - reach, 0)
        stops = places.max(axis=0) + 1 + reach
        around = tuple(slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True))
        columns = columns_to_nearest(np.ascontiguousarray(anatomy[around]))
        near: BoolArray = is_near(columns, places - starts, _steps(reach, reach_mm, geometry))
        return near


def _steps(reach: NDArray[np.int64], reach_mm: float, geometry: Geometry) -> NDArray[np.int64]:
    """List slices and rows to look away, nearest first, with the columns then in reach."""
    k_mm, j_mm, i_mm = geometry.spacing_mm
    k, j = np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1].reshape(2, -1)
    rest_mm2 = reach_mm**2 - (k * k_mm) ** 2 - (j * j_mm) ** 2
    order = np.argsort(-rest_mm2, kind="stable")
    order = order[rest_mm2[order] >= 0]
    columns = np.minimum(np.sqrt(rest_mm2[order]) / i_mm, FARTHEST).astype(np.int64)
    return np.stack([k[order], j[order], columns], axis=1)
