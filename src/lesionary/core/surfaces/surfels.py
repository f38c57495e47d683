"""How large the piece of surface is that runs between eight neighbouring voxels.

A *surfel* sits where eight voxels meet and not all of them lie on the same side. Its area is that
of the marching-cubes surface within the cube that joins the eight centres, and depends on nothing
but which of them are inside: 256 cases, the *codes*. Bit ``4 dk + 2 dj + di`` of a code tells
whether the voxel at ``(dk, dj, di)`` of the cube is inside.

The table follows from three rules: the surface crosses each edge of the cube half-way between a
voxel inside and one outside; a face whose corners alternate is cut so that the corners on the
rarer side stand alone; and an outline of five or six points that do not lie in a plane is filled
by the triangulation of the largest area in a cube with sides of 1. They give, for every code and
spacing, the areas of the published surface-distance [1]_, whose table lists triangles.

References
----------
.. [1] Nikolov et al., Clinically applicable segmentation of head and neck anatomy for
   radiotherapy: deep learning algorithm development and validation study,
   J Med Internet Res 23, e26151 (2021).
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

import numpy as np

from lesionary.core.volume import FloatArray

N_CODES = 256

Point = tuple[float, float, float]
_Triangle = tuple[int, int, int]


def surfel_areas_mm2(spacing_mm: Sequence[float]) -> FloatArray:
    """Return the area of the surfel of every code.

    Parameters
    ----------
    spacing_mm : three floats
        Along ``(k, j, i)``.

    Returns
    -------
    float64 array, shape (256,)
        In mm². 0 where all eight voxels lie on the same side; a code and its complement have the
        same.

    Examples
    --------
    A wall through the cube, across the slices, and a corner cut off:

    >>> areas = surfel_areas_mm2((5.0, 1.0, 2.0))
    >>> float(areas[0b00001111]), round(float(surfel_areas_mm2((1, 1, 1))[1]), 4)
    (2.0, 0.2165)
    """
    k, j, i = (float(side) for side in spacing_mm)
    normals = _unit_normals() * np.array([j, k, k]) * np.array([i, i, j])
    triangles = [[float(np.linalg.norm(normal)) for normal in code] for code in normals]
    # Added largest first, as the published table mostly is: so nearly all come out as there, to
    # the last bit, and percentiles that hit an area's share exactly fall on the same side.
    areas: FloatArray = np.array([sum(sorted(code, reverse=True)) for code in triangles])
    return areas


@cache
def _unit_normals() -> FloatArray:
    """Return each code's up to four triangles' normals, as long as their area, for sides of 1."""
    found = np.zeros((N_CODES, 4, 3))
    for code in range(N_CODES):
        if code.bit_count() <= 4:
            normals = [normal for outline in _outlines(code) for normal in _filling(outline)]
            found[code, : len(normals)] = np.array(normals).reshape(-1, 3)
            found[N_CODES - 1 - code] = found[code]
    found.setflags(write=False)
    return found


def _outlines(code: int) -> Iterator[list[Point]]:
    """Follow the surface's cuts with the cube's faces round until they close."""
    beside: dict[Point, list[Point]] = {}
    for axis, side in product(range(3), (0, 1)):
        for one, other in _cuts_of_face(code, axis, side):
            beside.setdefault(one, []).append(other)
            beside.setdefault(other, []).append(one)
    while beside:
        point, ways = beside.popitem()
        outline = [point]
        while ways:
            outline.append(ways[0])
            ways = [way for way in beside.pop(ways[0]) if way in beside]
        yield outline


def _cuts_of_face(code: int, axis: int, side: int) -> list[tuple[Point, Point]]:
    """Return the lines in which the surface meets one face of the cube, none to two."""
    round_face = ((0, 0), (0, 1), (1, 1), (1, 0))
    corners = [(*pair[:axis], side, *pair[axis:]) for pair in round_face]
    is_inside = [bool(code >> (4 * k + 2 * j + i) & 1) for k, j, i in corners]
    middles = [_middle(corners[n], corners[(n + 1) % 4]) for n in range(4)]
    if is_inside in ([True, False] * 2, [False, True] * 2):
        return [(middles[n - 1], middles[n]) for n in range(4) if is_inside[n]]
    crossed = [middles[n] for n in range(4) if is_inside[n] != is_inside[(n + 1) % 4]]
    return [(crossed[0], crossed[1])] if crossed else []


def _middle(one: Sequence[int], other: Sequence[int]) -> Point:
    k, j, i = ((a + b) / 2 for a, b in zip(one, other, strict=True))
    return k, j, i


def _filling(outline: list[Point]) -> list[Point]:
    """Return the normals of the outline's triangulation of the largest area."""
    choices = [
        [_normal(*(outline[corner] for corner in triangle)) for triangle in triangles]
        for triangles in _triangulations(tuple(range(len(outline))))
    ]
    return max(choices, key=lambda normals: sum(_length(normal) for normal in normals))


@cache
def _triangulations(corners: tuple[int, ...]) -> list[list[_Triangle]]:
    """List all ways to split a polygon: the side from last to first gets each corner in turn."""
    if len(corners) < 3:
        return [[]]
    return [
        [*left, (corners[0], corners[apex], corners[-1]), *right]
        for apex in range(1, len(corners) - 1)
        for left in _triangulations(corners[: apex + 1])
        for right in _triangulations(corners[apex:])
    ]


def _normal(p: Point, q: Point, r: Point) -> Point:
    """Half the cross product of two sides."""
    a = [end - start for start, end in zip(p, q, strict=True)]
    b = [end - start for start, end in zip(p, r, strict=True)]
    k, j, i = ((a[n - 2] * b[n - 1] - a[n - 1] * b[n - 2]) / 2 for n in range(3))
    return k, j, i


def _length(vector: Point) -> float:
    return float(np.sqrt(sum(part * part for part in vector)))
