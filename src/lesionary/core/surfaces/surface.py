"""How far two surfaces lie apart, surfel by surfel: surface Dice, Hausdorff and mean distance.

The definition is that of the published surface-distance [1]_: surfels sit at the corners where
eight voxels meet (``surfaces/surfels.py``), each is as far from the other surface as the nearest
corner that carries a surfel of it, and weighs as much as its area. The image's border closes an
object: what lies beyond it is outside. Border voxels, the other usual definition, give other
numbers.

References
----------
.. [1] Nikolov et al., Clinically applicable segmentation of head and neck anatomy for
   radiotherapy: deep learning algorithm development and validation study,
   J Med Internet Res 23, e26151 (2021).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import MAX_LABEL
from lesionary.core.errors import InputError
from lesionary.core.overlap import overlap, require_two_label_arrays
from lesionary.core.surfaces.nearest_surfels import marked_surfels, nearest_surfels, packed_inside
from lesionary.core.volume import AnyArray, Box, FloatArray


@dataclass(frozen=True, slots=True)
class Directed:
    """A distance from the first surface to the second, back, and of both; None if undefined."""

    first_to_second: float | None
    second_to_first: float | None
    symmetric: float | None


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """How much of each surface lies how far from the other.

    Where one object is empty, the other's surface is infinitely far from it: surface Dice is 0,
    distances are undefined. Where both are, everything is undefined.

    Parameters
    ----------
    first_mm, second_mm : float64 arrays, shapes (n,) and (m,)
        How far each surfel is from the other surface, ascending.
    first_areas_mm2, second_areas_mm2 : float64 arrays, shapes (n,) and (m,)
        Its area; smaller ones first where distances are equal.
    """

    first_mm: FloatArray
    first_areas_mm2: FloatArray
    second_mm: FloatArray
    second_areas_mm2: FloatArray

    @property
    def is_defined(self) -> bool:
        """Whether both surfaces exist, so that there are distances between them."""
        return len(self.first_mm) > 0 and len(self.second_mm) > 0

    def nsd(self, tolerance_mm: float) -> float | None:
        """Return the normalised surface Dice: the share of area not beyond ``tolerance_mm``.

        The areas of both surfaces count together. 0 where one is empty, None where both are.

        Raises
        ------
        InputError
            If the tolerance is negative or no number.
        """
        if not 0 <= tolerance_mm < np.inf:
            raise InputError(f"a tolerance is 0 mm or more, not {tolerance_mm}")
        whole = float(self.first_areas_mm2.sum() + self.second_areas_mm2.sum())
        if whole == 0:
            return None
        near = self.first_areas_mm2[self.first_mm <= tolerance_mm].sum()
        near += self.second_areas_mm2[self.second_mm <= tolerance_mm].sum()
        return float(near) / whole

    def hausdorff_mm(self, percent: float = 95.0) -> Directed:
        """Return the least distances within which ``percent`` of each surface's area lies.

        ``symmetric`` is the larger of the two; 100 gives the Hausdorff distance itself.

        Raises
        ------
        InputError
            If ``percent`` is not within 0 … 100.
        """
        if not 0 <= percent <= 100:
            raise InputError(f"a percentile lies within 0 and 100, not at {percent}")
        if not self.is_defined:
            return Directed(None, None, None)
        there = _percentile_mm(self.first_mm, self.first_areas_mm2, percent)
        back = _percentile_mm(self.second_mm, self.second_areas_mm2, percent)
        return Directed(there, back, max(there, back))

    @property
    def mean_directed_mm(self) -> Directed:
        """Mean distances, weighted by area; ``symmetric`` is that of both surfaces' area."""
        if not self.is_defined:
            return Directed(None, None, None)
        first, second = float(self.first_areas_mm2.sum()), float(self.second_areas_mm2.sum())
        there = float(self.first_mm @ self.first_areas_mm2)
        back = float(self.second_mm @ self.second_areas_mm2)
        return Directed(there / first, back / second, (there + back) / (first + second))

    @property
    def mean_mm(self) -> float | None:
        """Average symmetric surface distance: the mean over the area of both; None if undefined."""
        return self.mean_directed_mm.symmetric


def surface_distances(
    first: AnyArray,
    second: AnyArray,
    spacing_mm: Sequence[float],
    *,
    values: Collection[int] | None = None,
    box: Box | None = None,
) -> SurfaceDistances:
    """Measure the distances between the surfaces of an object as drawn twice.

    Memory: four bits a voxel of the box; an array that is not in C order has its box copied.

    Parameters
    ----------
    first, second : bool, uint8 or uint16 arrays, shape (slices, rows, columns)
        Masks or label maps; they may differ in type, not in shape.
    spacing_mm : three floats
        Distance between neighbouring voxels along ``(k, j, i)``.
    values : collection of int, optional
        Values that are inside, together one object; all others are outside. Left out: all but 0.
    box : Box, optional
        Where to look, as :meth:`Overlap.union_box` tells; what lies beyond counts as outside. Left
        out, it is found in a pass over both arrays.

    Returns
    -------
    SurfaceDistances
        Of an empty object where ``values`` do not occur; that is no error.

    Raises
    ------
    InputError
        If the shapes differ, an array is no label map, or a spacing is not above 0.

    Examples
    --------
    A voxel, and the same voxel one slice further on:

    >>> first, second = np.zeros((2, 4, 1, 1), dtype=bool)
    >>> first[0] = second[1] = True
    >>> apart = surface_distances(first, second, (3.0, 1.0, 1.0))
    >>> apart.hausdorff_mm(100).symmetric, apart.mean_mm, apart.nsd(2.0)
    (3.0, 1.5, 0.5)
    """
    require_two_label_arrays(first, second)
    spacing = _spacing(spacing_mm)
    if box is None:
        found = overlap(first, second)
        values = found.values if values is None else values
        box = found.union_box(values)
    if box is None:
        nothing = np.zeros(0)
        return SurfaceDistances(nothing, nothing, nothing, nothing)
    is_inside = _table_of_inside(values)
    inside = [packed_inside(array, is_inside, box) for array in (first, second)]
    surfels = [marked_surfels(grid) for grid in inside]
    there = nearest_surfels(inside[0], surfels[0], surfels[1], spacing)
    back = nearest_surfels(inside[1], surfels[1], surfels[0], spacing)
    return SurfaceDistances(*there, *back)


@dataclass(frozen=True, slots=True)
class SurfaceMetrics:
    """The usual numbers of one label.

    Parameters
    ----------
    dice, nsd : float or None
        Of the volumes, and of the surfaces at the tolerance asked for.
    hausdorff_mm : Directed
        At the percentile asked for.
    mean_mm : float or None
        Average symmetric surface distance.
    """

    dice: float | None
    nsd: float | None
    hausdorff_mm: Directed
    mean_mm: float | None


def surface_metrics(
    first: AnyArray,
    second: AnyArray,
    spacing_mm: Sequence[float],
    *,
    tolerance_mm: float = 2.0,
    percent: float = 95.0,
) -> dict[int, SurfaceMetrics]:
    """Compare every label of two label maps by volume and by surface.

    Parameters
    ----------
    first, second, spacing_mm
        As for :func:`surface_distances`.
    tolerance_mm : float
        Of the surface Dice.
    percent : float
        Of the Hausdorff distance.

    Returns
    -------
    dict
        By value, ascending, for all values of either map; none where both are empty.

    Raises
    ------
    InputError
        As :func:`surface_distances` and :class:`SurfaceDistances`.
    """
    found = overlap(first, second)
    out: dict[int, SurfaceMetrics] = {}
    for value in found.values:
        box = found.union_box([value])
        apart = surface_distances(first, second, spacing_mm, values=[value], box=box)
        out[value] = SurfaceMetrics(
            dice=found.dice([value]),
            nsd=apart.nsd(tolerance_mm),
            hausdorff_mm=apart.hausdorff_mm(percent),
            mean_mm=apart.mean_mm,
        )
    return out


def _percentile_mm(distances_mm: FloatArray, areas_mm2: FloatArray, percent: float) -> float:
    shares = np.cumsum(areas_mm2) / areas_mm2.sum()
    place = np.searchsorted(shares, percent / 100)
    return float(distances_mm[min(int(place), len(distances_mm) - 1)])


def _spacing(spacing_mm: Sequence[float]) -> tuple[float, float, float]:
    k, j, i = (float(side) for side in spacing_mm)
    if not all(0 < side < np.inf for side in (k, j, i)):
        raise InputError(f"voxels are {k} × {j} × {i} mm apart, which is not above 0")
    return k, j, i


def _table_of_inside(values: Collection[int] | None) -> NDArray[np.uint8]:
    """Return a 1 for every value that is inside."""
    table = np.zeros(MAX_LABEL + 1, dtype=np.uint8)
    if values is None:
        table[1:] = 1
    else:
        table[[value for value in values if 0 < value <= MAX_LABEL]] = 1
    return table
