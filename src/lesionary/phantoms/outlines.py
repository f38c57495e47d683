"""Outlines of masks along the edges of their pixels."""

import numpy as np

from lesionary.core.volume import BoolArray, FloatArray

_RIGHT, _DOWN, _LEFT, _UP = range(4)
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))


def pixel_outlines(mask: BoolArray) -> list[FloatArray]:
    """Trace a slice's outlines along pixel edges, half a pixel from any pixel's centre.

    So the even–odd rule on pixel centres gives the mask back exactly. Outer outlines and holes are
    separate; pieces that touch at a corner only are too.

    Parameters
    ----------
    mask : bool array, shape (rows, columns)
        May be empty: no outlines then.

    Returns
    -------
    list of array, shape (n, 2)
        Corners in ``(j, i)``, pixel centres at whole numbers; the last joins the first.
    """
    edges = _edges(mask)
    outlines = []
    while edges:
        start, directions = next(iter(edges.items()))
        heading = next(iter(directions))
        corners = _follow(edges, start, heading)
        outlines.append(np.array(corners, dtype=np.float64) - 0.5)
    return outlines


def _edges(mask: BoolArray) -> dict[tuple[int, int], set[int]]:
    """Edges that have the mask on their right: at each corner, the headings that leave it."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (_RIGHT, padded[:-2, 1:-1], (0, 0)),
        (_DOWN, padded[1:-1, 2:], (0, 1)),
        (_LEFT, padded[2:, 1:-1], (1, 1)),
        (_UP, padded[1:-1, :-2], (1, 0)),
    )
    edges: dict[tuple[int, int], set[int]] = {}
    for heading, neighbour, (down, right) in sides:
        for j, i in np.argwhere(inside & ~neighbour):
            edges.setdefault((int(j) + down, int(i) + right), set()).add(heading)
    return edges


def _follow(
    edges: dict[tuple[int, int], set[int]], start: tuple[int, int], heading: int
) -> list[tuple[int, int]]:
    """Follow one outline back to its start, taking its edges away; list where it turns."""
    corners = []
    at, first, before = start, heading, -1
    while True:
        if heading != before:
            corners.append(at)
        leaving = edges[at]
        leaving.remove(heading)
        if not leaving:
            del edges[at]
        at = (at[0] + _STEPS[heading][0], at[1] + _STEPS[heading][1])
        before = heading
        ahead = edges.get(at, set()) | ({first} if at == start else set())
        # Where two pieces touch at a corner, a turn to the right stays with the same piece.
        heading = next(h for t in (1, 0, 3) if (h := (before + t) % 4) in ahead)
        if at == start and heading == first:
            return corners[1:] if heading == before else corners
