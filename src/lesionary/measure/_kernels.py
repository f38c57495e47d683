"""Compiled loops of measurement. Import at first use: numba is heavy.

Runs are those of :mod:`lesionary.core.components`: row ``k * n_j + j``, first column, column after
the last. A *section* is a lesion's cut by one slice across the patient, with in-plane axes
``a < b`` of the array. Outline points are whole numbers of half voxels, so that hulls are exact.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel
from lesionary.core.volume import AnyArray, FloatArray

IntArray = NDArray[np.int32]
Points = NDArray[np.int64]

SAME_LENGTH = 1e-9
"""Two squared lengths that differ relatively by less are a tie: rounding must not decide."""


@kernel
def sum_runs(runs: IntArray, begins: NDArray[np.int64], array: AnyArray, zero: Any) -> AnyArray:
    """Sum ``array`` over each component; ``zero`` sets the type in which it adds up."""
    sums = np.full(begins.size - 1, zero)
    n_j = array.shape[1]
    for component in range(begins.size - 1):
        total = zero
        for run in range(begins[component], begins[component + 1]):
            row = array[runs[run, 0] // n_j, runs[run, 0] % n_j]
            for i in range(runs[run, 1], runs[run, 2]):
                total += row[i]
        sums[component] = total
    return sums


@kernel
def extents(runs: IntArray, n_j: int, axis: int, box: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and last voxel along ``b`` of each line of each section.

    Only these can lie on a section's convex hull. Both tables have shape (sections, lines along
    ``a``), both relative to ``box``; a line without a voxel has a last one of -1.
    """
    a_axis = 1 if axis == 0 else 0
    shape = (box[axis, 1] - box[axis, 0], box[a_axis, 1] - box[a_axis, 0])
    low = np.full(shape, np.iinfo(np.int32).max, np.int32)
    high = np.full(shape, -1, np.int32)
    for run in range(runs.shape[0]):
        k, j = runs[run, 0] // n_j - box[0, 0], runs[run, 0] % n_j - box[1, 0]
        start, last = runs[run, 1] - box[2, 0], runs[run, 2] - 1 - box[2, 0]
        if axis == 2:
            for i in range(start, last + 1):
                low[i, k] = min(low[i, k], j)
                high[i, k] = max(high[i, k], j)
        else:
            section, a = (k, j) if axis == 0 else (j, k)
            low[section, a] = min(low[section, a], start)
            high[section, a] = max(high[section, a], last)
    return low, high


@kernel
def _turn(hull: Points, n: int, a: int, b: int) -> int:
    """Cross product of the last edge of ``hull[:n]`` with the step to ``(a, b)``."""
    a0, b0 = hull[n - 2, 0], hull[n - 2, 1]
    return int((hull[n - 1, 0] - a0) * (b - b0) - (hull[n - 1, 1] - b0) * (a - a0))


@kernel
def _bounds(low: IntArray, high: IntArray, a: int) -> tuple[int, int]:
    """Return the outline's first and last point on the line ``a``, all in half voxels.

    Even lines hold the midpoints beside the voxels of a line, odd ones those between two lines.
    Midpoints between two lines that both hold voxels there are no outline but never extreme
    either: they lie between two points inside.
    """
    if a % 2 == 0:
        line = a // 2
        return (2 * low[line] - 1, 2 * high[line] + 1) if high[line] >= 0 else (0, -1)
    first, last = np.int64(2**62), np.int64(-1)
    for line in ((a - 1) // 2, (a + 1) // 2):
        if 0 <= line < low.size and high[line] >= 0:
            first, last = min(first, 2 * low[line]), max(last, 2 * high[line])
    return int(first), int(last)


@kernel
def outline_hull(low: IntArray, high: IntArray, hull: Points) -> int:
    """Fill ``hull`` with the convex hull of a section's edge midpoints; return how many points.

    ``hull`` has shape (4 * lines + 6, 2). Points are ``(a, b)`` in half voxels, in order around the
    section, beginning with the least; no three lie on a line. An empty section has none.
    """
    n = 0
    first_line, last_line = -1, 2 * low.size - 1
    for a in range(first_line, last_line + 1):
        first, last = _bounds(low, high, a)
        if last < 0:
            continue
        while n > 1 and _turn(hull, n, a, first) <= 0:
            n -= 1
        hull[n, 0], hull[n, 1] = a, first
        n += 1
    base = n
    for a in range(last_line, first_line - 1, -1):
        first, last = _bounds(low, high, a)
        if last < 0 or (n == base and first == last):
            continue
        while n > base and _turn(hull, n, a, last) <= 0:
            n -= 1
        hull[n, 0], hull[n, 1] = a, last
        n += 1
    if n > 1 and hull[n - 1, 0] == hull[0, 0] and hull[n - 1, 1] == hull[0, 1]:
        n -= 1
    return n


@kernel
def _longest_squared(hull: Points, a_mm2: float, b_mm2: float) -> float:
    longest = -1.0
    for p in range(hull.shape[0]):
        for q in range(p + 1, hull.shape[0]):
            da, db = hull[q, 0] - hull[p, 0], hull[q, 1] - hull[p, 1]
            longest = max(longest, da * da * a_mm2 + db * db * b_mm2)
    return longest


@kernel
def longest_between_centres(low: IntArray, high: IntArray, a_mm: float, b_mm: float) -> FloatArray:
    """Return each section's longest distance between voxel centres in mm; 0 for one or none."""
    hull = np.empty((2 * low.shape[1] + 4, 2), np.int64)
    longest = np.empty(low.shape[0])
    for section in range(low.shape[0]):
        n = _centre_hull(low[section], high[section], hull)
        longest[section] = np.sqrt(max(_longest_squared(hull[:n], a_mm**2, b_mm**2), 0.0))
    return longest


@kernel
def _centre_hull(low: IntArray, high: IntArray, hull: Points) -> int:
    """Fill ``hull`` with the convex hull of a section's voxel centres; return how many points."""
    n = 0
    for side in range(2):
        base = n
        for step in range(low.size):
            a = step if side == 0 else low.size - 1 - step
            if high[a] < 0:
                continue
            b = low[a] if side == 0 else high[a]
            while n > base + 1 and _turn(hull, n, a, b) <= 0:
                n -= 1
            hull[n, 0], hull[n, 1] = a, b
            n += 1
    return n


@kernel
def longest_squared(low: IntArray, high: IntArray, a_mm: float, b_mm: float) -> FloatArray:
    """Return each section's longest distance between outline points, squared, in mm²."""
    hull = np.empty((4 * low.shape[1] + 6, 2), np.int64)
    longest = np.empty(low.shape[0])
    a_mm2, b_mm2 = (a_mm / 2) ** 2, (b_mm / 2) ** 2
    for section in range(low.shape[0]):
        n = outline_hull(low[section], high[section], hull)
        longest[section] = _longest_squared(hull[:n], a_mm2, b_mm2)
    return longest


@kernel
def _chord(along: FloatArray, across: FloatArray, at: float) -> tuple[float, float]:
    """Return where the line ``along = at`` enters and leaves a convex polygon, along ``across``."""
    enter, leave = np.inf, -np.inf
    n = along.size
    for p in range(n):
        q = p + 1 if p + 1 < n else 0
        if (along[p] < at and along[q] < at) or (along[p] > at and along[q] > at):
            continue
        step = along[q] - along[p]
        share = (at - along[p]) / step if step != 0.0 else 0.0
        met = across[p] + share * (across[q] - across[p])
        enter, leave = min(enter, met), max(leave, met)
    return enter, leave


@kernel
def _longest_chord(hull_mm: FloatArray, p: int, q: int) -> FloatArray:
    """Return the two ends of the longest chord perpendicular to the line from ``p`` to ``q``.

    A chord's length is concave in its place, so the longest goes through a corner. Where it stays
    the same over a stretch, the chord nearest the middle of the long axis is taken.
    """
    along_a, along_b = hull_mm[q, 0] - hull_mm[p, 0], hull_mm[q, 1] - hull_mm[p, 1]
    length = np.hypot(along_a, along_b)
    along_a, along_b = along_a / length, along_b / length
    along = (hull_mm[:, 0] - hull_mm[p, 0]) * along_a + (hull_mm[:, 1] - hull_mm[p, 1]) * along_b
    across = (hull_mm[:, 1] - hull_mm[p, 1]) * along_a - (hull_mm[:, 0] - hull_mm[p, 0]) * along_b
    chords = np.empty(along.size)
    for corner in range(along.size):
        enter, leave = _chord(along, across, along[corner])
        chords[corner] = leave - enter
    is_longest = chords >= chords.max() * (1 - SAME_LENGTH)
    at = min(max(length / 2, along[is_longest].min()), along[is_longest].max())
    enter, leave = _chord(along, across, at)
    ends = np.empty((2, 2))
    if along_b > 0:  # the end that comes first in the order of the voxels is listed first
        enter, leave = leave, enter
    for end, off in enumerate((enter, leave)):
        ends[end, 0] = hull_mm[p, 0] + at * along_a - off * along_b
        ends[end, 1] = hull_mm[p, 1] + at * along_b + off * along_a
    return ends


@kernel
def axes(hull: Points, a_mm: float, b_mm: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends, shape (2, 2) in mm, of the long axis and of the short one.

    Of several long axes the one with the longest short axis is taken, then the one whose ends come
    first in the order of the voxels: turning the image changes no length.
    """
    spacing_mm = np.array([a_mm / 2, b_mm / 2])
    hull_mm = hull * spacing_mm
    a_mm2, b_mm2 = (a_mm / 2) ** 2, (b_mm / 2) ** 2
    enough = _longest_squared(hull, a_mm2, b_mm2) * (1 - SAME_LENGTH)
    widest = -1.0
    best = np.zeros(4, np.int64)
    long_ends, short_ends = np.empty((2, 2)), np.empty((2, 2))
    for p in range(hull.shape[0]):
        for q in range(hull.shape[0]):
            da, db = hull[q, 0] - hull[p, 0], hull[q, 1] - hull[p, 1]
            is_ordered = da > 0 or (da == 0 and db > 0)
            if not is_ordered or da * da * a_mm2 + db * db * b_mm2 < enough:
                continue
            chord = _longest_chord(hull_mm, p, q)
            width = np.hypot(chord[1, 0] - chord[0, 0], chord[1, 1] - chord[0, 1])
            place = np.array([hull[p, 0], hull[p, 1], hull[q, 0], hull[q, 1]])
            is_tie = abs(width - widest) <= widest * SAME_LENGTH
            if (not is_tie and width > widest) or (is_tie and _is_before(place, best)):
                widest, best, short_ends = width, place, chord
                long_ends[0], long_ends[1] = hull_mm[p], hull_mm[q]
    return long_ends, short_ends


@kernel
def _is_before(one: Points, other: Points) -> bool:
    for n in range(one.size):
        if one[n] != other[n]:
            return bool(one[n] < other[n])
    return False
