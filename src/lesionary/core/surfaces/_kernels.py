"""Compiled loops over surfels, on grids of one bit a place. Import at first use: numba is heavy.

A grid has shape (slices, rows, words); bit ``b`` of word ``w`` stands for column ``64 w + b``.
Whatever meets a word is uint64: numba turns uint64 with int64 into float64. Shifts by 64 are
undefined, so a word's neighbour is shifted in two steps.
"""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel
from lesionary.core.surfaces.near_places import BitGrid, NearPlaces
from lesionary.core.volume import AnyArray, FloatArray

FarSurfels = NDArray[np.int32]
"""Shape (n, 4): slice, row and column of a corner between voxels, and its code."""

_WORD = 64
_NO_BITS = np.uint64(0)
_ALL_BITS = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)
_LAST = np.uint64(63)
_FAR_COLUMNS = 1 << 30  # further than any column

# Multiplied by a single bit, the constant shows another six leading bits for every place: its
# windows of six are all different (a de Bruijn sequence). The table turns them into the place.
_DE_BRUIJN = 0x03F79D71B4CB0A89
_PLACES = np.zeros(_WORD, dtype=np.int64)
for _place in range(_WORD):
    _PLACES[((_DE_BRUIJN << _place) & 0xFFFFFFFFFFFFFFFF) >> 58] = _place


@kernel
def _place_of(bit: np.uint64) -> int:
    """Return which bit is set in a word that holds a single one."""
    return int(_PLACES[np.int64((bit * np.uint64(_DE_BRUIJN)) >> np.uint64(58))])


@kernel
def _lowest(word: np.uint64) -> np.uint64:
    return np.uint64(word & (~word + _ONE))


@kernel
def _highest(word: np.uint64) -> np.uint64:
    for step in (1, 2, 4, 8, 16, 32):
        word |= word >> np.uint64(step)
    return np.uint64(word ^ (word >> _ONE))


@kernel
def pack_inside(
    flat: AnyArray,
    n_j: int,
    n_i: int,
    begin: tuple[int, int, int],
    size: tuple[int, int, int],
    is_inside: NDArray[np.uint8],
) -> BitGrid:
    """Pack which voxels of a box are inside, with a margin of one voxel outside.

    ``flat`` holds the voxels of a whole image of (any, n_j, n_i) in C order, ``is_inside`` a 1 for
    every value that counts. Voxel (k, j, i) of the box is bit i + 1 of row (k + 1, j + 1).
    """
    width = size[2]
    grid = np.zeros((size[0] + 2, size[1] + 2, width // _WORD + 2), np.uint64)
    for k in range(size[0]):
        for j in range(size[1]):
            start = ((begin[0] + k) * n_j + begin[1] + j) * n_i + begin[2]
            row = flat[start : start + width]
            bits = grid[k + 1, j + 1]
            for word in range((width + _WORD - 1) // _WORD):
                column = word * _WORD
                value = row[column]
                held = _NO_BITS
                differs = value ^ value
                if column + _WORD <= width:
                    part = row[column : column + _WORD]
                    for place in range(_WORD):  # a fixed number, so that it becomes wide ors
                        differs |= part[place] ^ value
                    if differs == 0:
                        if is_inside[value] == 0:
                            continue
                        held = _ALL_BITS
                    else:
                        for place in range(_WORD):
                            held |= np.uint64(is_inside[part[place]]) << np.uint64(place)
                else:
                    for place in range(width - column):
                        held |= np.uint64(is_inside[row[column + place]]) << np.uint64(place)
                bits[word] |= held << _ONE
                bits[word + 1] |= held >> _LAST
    return grid


@kernel
def find_surfels(inside: BitGrid) -> BitGrid:
    """Mark the corners whose eight voxels are not all on the same side.

    Corner (k, j, i) lies between the voxels i - 1 and i of the box, and so on. Its bit is i + 64:
    a word at either end of each row stays empty.
    """
    n_k, n_j, n_words = inside.shape[0] - 1, inside.shape[1] - 1, inside.shape[2]
    grid = np.zeros((n_k, n_j, n_words + 2), np.uint64)
    for k in range(n_k):
        for j in range(n_j):
            a, b = inside[k, j], inside[k, j + 1]
            c, d = inside[k + 1, j], inside[k + 1, j + 1]
            out = grid[k, j]
            some, every = a[0] | b[0] | c[0] | d[0], a[0] & b[0] & c[0] & d[0]
            for word in range(n_words):
                some_next, every_next = _NO_BITS, _NO_BITS
                if word + 1 < n_words:
                    next_word = word + 1
                    some_next = a[next_word] | b[next_word] | c[next_word] | d[next_word]
                    every_next = a[next_word] & b[next_word] & c[next_word] & d[next_word]
                some_right = (some >> _ONE) | (some_next << _LAST)
                every_right = (every >> _ONE) | (every_next << _LAST)
                out[word + 1] = (some | some_right) & ~(every & every_right)
                some, every = some_next, every_next
    return grid


@kernel
def _two_bits(row: NDArray[np.uint64], column: int) -> int:
    word, place = column >> 6, np.uint64(column & 63)
    right = row[word + 1] if word + 1 < row.size else _NO_BITS
    return int(((row[word] >> place) | ((right << _ONE) << (_LAST - place))) & np.uint64(3))


@kernel
def _code(inside: BitGrid, k: int, j: int, i: int) -> int:
    """Return which of a corner's eight voxels are inside: bit ``4 dk + 2 dj + di``."""
    near = _two_bits(inside[k, j], i) | _two_bits(inside[k, j + 1], i) << 2
    far = _two_bits(inside[k + 1, j], i) | _two_bits(inside[k + 1, j + 1], i) << 2
    return int(near | far << 4)


@kernel
def _columns_away(left: np.uint64, here: np.uint64, right: np.uint64, place: np.uint64) -> int:
    """Return how far the nearest bit is from a place in ``here``, among those up to 63 away."""
    rightwards = (here >> place) | ((right << _ONE) << (_LAST - place))
    leftwards = (here << (_LAST - place)) | ((left >> place) >> _ONE)
    nearest = _FAR_COLUMNS
    if rightwards != _NO_BITS:
        nearest = _place_of(_lowest(rightwards))
    if leftwards != _NO_BITS:
        nearest = min(nearest, 63 - _place_of(_highest(leftwards)))
    return nearest


@kernel
def measure_near(
    inside: BitGrid,
    own: BitGrid,
    other: BitGrid,
    near: NearPlaces,
    spacing_mm: tuple[float, float, float],
    counts: NDArray[np.int32],
) -> tuple[FarSurfels, int]:
    """Find for each surfel of ``own`` the nearest of ``other``, within reach.

    ``inside`` are the voxels that ``own`` bounds. Within a row, the nearest column is read from
    the bits, so a surfel is done when the next row is further than what it has found. It is
    counted in ``counts[ring, columns, kind]``. Returns those beyond reach, which may include a few
    that are not quite: where one is, its neighbours are not searched in vain. Returns also the
    ring after the furthest in use.
    """
    offsets, offsets_mm2, columns_mm2 = near.offsets, near.offsets_mm2, near.columns_mm2
    reach_mm2, kinds = near.reach_mm2, near.kinds
    n_k, n_j, n_words = own.shape
    skipped_mm2 = reach_mm2 / 16
    far = np.empty((256, 4), np.int32)
    n = n_rings = 0
    searched = (0, 0, 0)  # the last one that was searched in vain
    for k in range(n_k):
        for j in range(n_j):
            for word in range(1, n_words - 1):
                left = own[k, j, word]
                while left != _NO_BITS:
                    bit = _lowest(left)
                    left ^= bit
                    in_word = _place_of(bit)
                    i = (word - 1) * _WORD + in_word
                    code = _code(inside, k, j, i)
                    if other[k, j, word] & bit != _NO_BITS:
                        counts[0, 0, kinds[code]] += 1
                        n_rings = max(n_rings, 1)
                        continue
                    best_mm2, ring, columns = np.inf, 0, 0
                    is_far = False
                    if n > 0:
                        away_k = (k - searched[0]) * spacing_mm[0]
                        away_j = (j - searched[1]) * spacing_mm[1]
                        away_i = (i - searched[2]) * spacing_mm[2]
                        away_mm2 = away_k * away_k + away_j * away_j + away_i * away_i
                        is_far = away_mm2 < skipped_mm2
                    if not is_far:
                        place = np.uint64(in_word)
                        for offset in range(offsets.shape[0]):
                            if offsets_mm2[offset] >= best_mm2:
                                break
                            at_k, at_j = k + offsets[offset, 0], j + offsets[offset, 1]
                            if at_k < 0 or at_k >= n_k or at_j < 0 or at_j >= n_j:
                                continue
                            away = _columns_away(
                                other[at_k, at_j, word - 1],
                                other[at_k, at_j, word],
                                other[at_k, at_j, word + 1],
                                place,
                            )
                            if away < columns_mm2.size:
                                mm2 = offsets_mm2[offset] + columns_mm2[away]
                                if mm2 < best_mm2:
                                    best_mm2 = mm2
                                    ring, columns = offsets[offset, 2], away
                        is_far = best_mm2 > reach_mm2
                        if is_far:
                            searched = (k, j, i)
                    if not is_far:
                        counts[ring, columns, kinds[code]] += 1
                        n_rings = max(n_rings, ring + 1)
                        continue
                    if n == far.shape[0]:
                        grown = np.empty((2 * n, 4), np.int32)
                        grown[:n] = far
                        far = grown
                    far[n, 0], far[n, 1], far[n, 2], far[n, 3] = k, j, i, code
                    n += 1
    return far[:n].copy(), n_rings


@kernel
def _nearest_column(row: NDArray[np.uint64], i: int) -> int:
    """Return how many columns the nearest bit of a row is away, however far."""
    word, place = (i >> 6) + 1, np.uint64(i & 63)
    held = (row[word] >> place) << place
    right = word
    while held == _NO_BITS and right + 1 < row.size:
        right += 1
        held = row[right]
    nearest = _FAR_COLUMNS
    if held != _NO_BITS:
        nearest = (right - 1) * _WORD + _place_of(_lowest(held)) - i
    held = (row[word] << (_LAST - place)) >> (_LAST - place)
    left = word
    while held == _NO_BITS and left > 0:
        left -= 1
        held = row[left]
    if held != _NO_BITS:
        nearest = min(nearest, i - (left - 1) * _WORD - _place_of(_highest(held)))
    return nearest


@kernel
def _lower_envelope(
    heights: FloatArray, step: float, hosts: NDArray[np.int32], out: FloatArray
) -> None:
    """Find for each place the lowest of the parabolas that stand at all places.

    The one at place p is ``heights[p] + (step * (place - p)) ** 2``; infinite ones do not count
    (Felzenszwalb & Huttenlocher, Theory of Computing 8, 415-428, 2012). ``hosts`` tells whose it
    is, ``out`` how high; both keep what they held where no parabola is finite.
    """
    n = heights.size
    stack = np.empty(n, np.int64)
    begins = np.empty(n, np.float64)
    top = -1
    for place in range(n):
        if heights[place] == np.inf:
            continue
        begin = -np.inf
        while top >= 0:
            last = stack[top]
            rise = (heights[place] - heights[last]) / (step * step)
            begin = (rise + place * place - last * last) / (2 * (place - last))
            if begin > begins[top]:
                break
            top -= 1
            begin = -np.inf
        top += 1
        stack[top], begins[top] = place, begin
    if top < 0:
        return
    piece = 0
    for place in range(n):
        while piece < top and begins[piece + 1] < place:
            piece += 1
        hosts[place] = stack[piece]
        away = step * (place - stack[piece])
        out[place] = heights[stack[piece]] + away * away


@kernel
def measure_far(
    other: BitGrid, surfels: FarSurfels, spacing_mm: tuple[float, float, float]
) -> FloatArray:
    """Return the squared distance of each surfel to the nearest of ``other``, in mm².

    ``surfels`` are sorted by column. In the plane of one column, each slice's distances are a
    lower envelope, made when a surfel first needs that slice; slices are asked outwards.
    """
    n_k, n_j = other.shape[0], other.shape[1]
    step_k, step_j, step_i = spacing_mm
    is_empty = np.ones(n_k, np.bool_)
    for k in range(n_k):
        for j in range(n_j):
            for word in other[k, j]:
                if word != _NO_BITS:
                    is_empty[k] = False
    made_for = np.full(n_k, -1, np.int64)
    columns = np.empty((n_k, n_j), np.int64)
    hosts = np.empty((n_k, n_j), np.int32)
    heights = np.empty((n_k, n_j), np.float64)
    own_heights = np.empty(n_j, np.float64)
    found = np.empty(surfels.shape[0], np.float64)
    for surfel in range(surfels.shape[0]):
        k, j, i = surfels[surfel, 0], surfels[surfel, 1], surfels[surfel, 2]
        best, best_k = np.inf, 0
        for step in range(n_k):
            away_k = step * step_k
            if away_k * away_k >= best:
                break
            for at_k in (k - step, k + step):
                if at_k < 0 or at_k >= n_k or is_empty[at_k]:
                    continue
                if made_for[at_k] != i:
                    for at_j in range(n_j):
                        columns[at_k, at_j] = _nearest_column(other[at_k, at_j], i)
                        away_i = columns[at_k, at_j] * step_i
                        is_none = columns[at_k, at_j] == _FAR_COLUMNS
                        own_heights[at_j] = np.inf if is_none else away_i * away_i
                    _lower_envelope(own_heights, step_j, hosts[at_k], heights[at_k])
                    made_for[at_k] = i
                mm2 = heights[at_k, j] + away_k * away_k
                if mm2 < best:
                    best, best_k = mm2, at_k
        at_j = hosts[best_k, j]
        away_k, away_j = (best_k - k) * step_k, (at_j - j) * step_j
        away_i = columns[best_k, at_j] * step_i
        found[surfel] = away_k * away_k + away_j * away_j + away_i * away_i
    return found
