"""Compiled loops of slice interpolation. Import at first use: numba is heavy.

Runs are those of :mod:`lesionary.core._kernels`: row ``k * n_j + j``, first column, column after
the last. A *piece* is an 8-connected component of one label in one slice. A *field* is a signed
distance over a box of one slice, in mm, positive inside.
"""

import numpy as np
from numpy.typing import NDArray

from lesionary.core._kernels import Runs, ValuedRuns, root_of
from lesionary.core.jit import kernel
from lesionary.core.volume import BoolArray, FloatArray, LabelArray

Field = NDArray[np.float32]
"""Shape (rows, columns): signed distance in mm, positive inside."""

Scores = NDArray[np.float32]
"""Shape of the image, or empty: claims of what was filled in, plus 1; 0 elsewhere."""

_FAR = 1e30  # squared mm: no such voxel


@kernel
def join_in_slices(runs: ValuedRuns, n_j: int) -> NDArray[np.int32]:
    """Give every run the index of the first run of its piece."""
    n = runs.shape[0]
    parents = np.arange(n).astype(np.int32)
    other = begin = 0
    while begin < n:
        row = runs[begin, 0]
        end = begin + 1
        while end < n and runs[end, 0] == row:
            end += 1
        if row % n_j > 0:
            while runs[other, 0] < row - 1:
                other += 1
            for run in range(begin, end):
                start, stop, value = runs[run, 1], runs[run, 2], runs[run, 3]
                while runs[other, 0] == row - 1 and runs[other, 2] < start:
                    other += 1
                met = other
                while runs[met, 0] == row - 1 and runs[met, 1] <= stop:
                    if runs[met, 3] == value:
                        mine, theirs = root_of(parents, run), root_of(parents, met)
                        parents[max(mine, theirs)] = min(mine, theirs)
                    met += 1
        begin = end
    for run in range(n):
        parents[run] = parents[parents[run]]  # a parent comes first, so it is flat already
    return parents


@kernel
def piece_centres(runs: Runs, begins: NDArray[np.int64], n_j: int) -> FloatArray:
    """Mean row and column within the slice, shape (pieces, 2); ``runs`` are grouped by piece."""
    centres = np.zeros((begins.size - 1, 2))
    for piece in range(begins.size - 1):
        n = 0
        for run in range(begins[piece], begins[piece + 1]):
            start, stop = runs[run, 1], runs[run, 2]
            n += stop - start
            centres[piece, 0] += (stop - start) * (runs[run, 0] % n_j)
            centres[piece, 1] += (stop - start) * (start + stop - 1) / 2
        centres[piece] /= n
    return centres


@kernel
def shared_voxels(
    runs: ValuedRuns,
    pieces: NDArray[np.int32],
    slice_begins: NDArray[np.int64],
    gaps: NDArray[np.int64],
    n_j: int,
) -> NDArray[np.int64]:
    """List what lies above what: rows of (piece below, piece above, columns both have).

    ``gaps`` has rows of (value, lower slice, upper slice); runs lie in voxel order, the runs of
    slice ``k`` begin at ``slice_begins[k]``, and ``pieces`` tells whose each is. A pair of pieces
    has one row for each pair of runs.
    """
    found = np.empty((1024, 3), np.int64)
    n = 0
    for gap in range(gaps.shape[0]):
        value, low, high = gaps[gap]
        shift = (high - low) * n_j
        upper, upper_end = slice_begins[high], slice_begins[high + 1]
        for lower in range(slice_begins[low], slice_begins[low + 1]):
            if runs[lower, 3] != value:
                continue
            row, start, stop = runs[lower, 0] + shift, runs[lower, 1], runs[lower, 2]
            while upper < upper_end and (
                runs[upper, 0] < row or (runs[upper, 0] == row and runs[upper, 2] <= start)
            ):
                upper += 1
            met = upper
            while met < upper_end and runs[met, 0] == row and runs[met, 1] < stop:
                if runs[met, 3] == value:
                    if n == found.shape[0]:
                        grown = np.empty((2 * n, 3), np.int64)
                        grown[:n] = found
                        found = grown
                    found[n, 0], found[n, 1] = pieces[lower], pieces[met]
                    found[n, 2] = min(stop, runs[met, 2]) - max(start, runs[met, 1])
                    n += 1
                met += 1
    return found[:n].copy()


@kernel
def paint_section(
    runs: Runs,
    begins: NDArray[np.int64],
    pieces: NDArray[np.int64],
    n_j: int,
    origin: tuple[int, int],
    out: BoolArray,
) -> None:
    """Draw pieces of one slice into ``out``, whose first voxel is row and column ``origin``."""
    for piece in pieces:
        for run in range(begins[piece], begins[piece + 1]):
            row = runs[run, 0] % n_j - origin[0]
            out[row, runs[run, 1] - origin[1] : runs[run, 2] - origin[1]] = True


@kernel
def _squared_along_columns(section: BoolArray, target: bool, step_mm: float) -> FloatArray:
    """Squared distance within the column to the next voxel that equals ``target``."""
    n_j, n_i = section.shape
    squared = np.empty((n_j, n_i))
    steps = np.full(n_i, 1 << 30)
    for j in range(n_j):
        for i in range(n_i):
            steps[i] = 0 if section[j, i] == target else steps[i] + 1
            squared[j, i] = steps[i]
    steps[:] = 1 << 30
    for j in range(n_j - 1, -1, -1):
        for i in range(n_i):
            steps[i] = 0 if section[j, i] == target else steps[i] + 1
            nearest = min(squared[j, i], steps[i])
            squared[j, i] = _FAR if nearest >= 1 << 30 else (nearest * step_mm) ** 2
    return squared


@kernel
def _nearest_in_row(
    squared: FloatArray,
    asking: BoolArray,
    is_asking: bool,
    step_mm: float,
    vertices: NDArray[np.int64],
    bounds: FloatArray,
    out: FloatArray,
) -> None:
    """Write the squared distances of a row's asking voxels: the lower envelope of parabolas."""
    last = -1
    square_mm2 = step_mm * step_mm
    for i in range(squared.size):
        if squared[i] >= _FAR:
            continue
        crossing = -_FAR
        while last >= 0:
            other = vertices[last]
            rise = (squared[i] - squared[other]) / square_mm2
            crossing = (rise + (i * i - other * other)) / (2 * (i - other))
            if crossing > bounds[last]:
                break
            last -= 1
        if last < 0:
            crossing = -_FAR
        last += 1
        vertices[last], bounds[last] = i, crossing
    vertex = 0
    for i in range(squared.size):
        while vertex < last and bounds[vertex + 1] < i:
            vertex += 1
        if asking[i] == is_asking:
            other = vertices[vertex]
            out[i] = (i - other) * (i - other) * square_mm2 + squared[other]


@kernel
def signed_distance(section: BoolArray, step_j_mm: float, step_i_mm: float) -> Field:
    """Exact Euclidean distance to the next voxel centre of the other kind, less half a voxel.

    ``section`` must hold both kinds. Felzenszwalb and Huttenlocher, Distance Transforms of
    Sampled Functions, Theory of Computing 8, 415-428 (2012).
    """
    n_j, n_i = section.shape
    to_outside = _squared_along_columns(section, False, step_j_mm)
    to_inside = _squared_along_columns(section, True, step_j_mm)
    vertices = np.empty(n_i, np.int64)
    bounds = np.empty(n_i)
    row = np.empty(n_i)
    half_mm = min(step_j_mm, step_i_mm) / 2
    field = np.empty((n_j, n_i), np.float32)
    for j in range(n_j):
        _nearest_in_row(to_outside[j], section[j], True, step_i_mm, vertices, bounds, row)
        _nearest_in_row(to_inside[j], section[j], False, step_i_mm, vertices, bounds, row)
        for i in range(n_i):
            distance = np.sqrt(row[i]) - half_mm
            field[j, i] = distance if section[j, i] else -distance
    return field


@kernel
def _averaged(field: Field) -> Field:
    """Weigh neighbours 1 4 6 4 1 along rows and columns; the edge goes on beyond the box."""
    n_j, n_i = field.shape
    along = np.empty((n_j, n_i), np.float32)
    out = np.empty((n_j, n_i), np.float32)
    for j in range(n_j):
        a, b, c, d = max(j - 2, 0), max(j - 1, 0), min(j + 1, n_j - 1), min(j + 2, n_j - 1)
        for i in range(n_i):
            inner = np.float32(4) * (field[b, i] + field[c, i])
            along[j, i] = np.float32(6) * field[j, i] + inner + field[a, i] + field[d, i]
    for j in range(n_j):
        for i in range(n_i):
            a, b, c, d = max(i - 2, 0), max(i - 1, 0), min(i + 1, n_i - 1), min(i + 2, n_i - 1)
            inner = np.float32(4) * (along[j, b] + along[j, c])
            total = np.float32(6) * along[j, i] + inner + along[j, a] + along[j, d]
            out[j, i] = total / np.float32(256)
    return out


@kernel
def smooth_field(section: BoolArray, step_j_mm: float, step_i_mm: float, least_mm: float) -> Field:
    """Signed distance with the staircase of the voxels averaged out.

    Levelled so that as many voxels are positive as the section has, then every sign is set to
    what was drawn, at ``least_mm`` or more: at its own slice a field is the drawing itself.
    """
    field = _averaged(signed_distance(section, step_j_mm, step_i_mm))
    n = np.count_nonzero(section)
    flat = np.partition(field.ravel(), field.size - n)
    level = (flat[flat.size - n] + flat[: flat.size - n].max()) / np.float32(2)
    least = np.float32(least_mm)
    for j in range(field.shape[0]):
        for i in range(field.shape[1]):
            value = field[j, i] - level
            field[j, i] = max(value, least) if section[j, i] else min(value, -least)
    return field


@kernel
def _add_shifted(field: Field, weight: float, shift_j: float, shift_i: float, out: Field) -> None:
    """Add ``weight`` times the field moved by a fraction of voxels, linearly interpolated."""
    n_j, n_i = out.shape
    scale = np.float32(weight)
    if shift_j == 0.0 and shift_i == 0.0:
        for j in range(n_j):
            for i in range(n_i):
                out[j, i] += scale * field[j, i]
        return
    whole_j, whole_i = int(np.floor(-shift_j)), int(np.floor(-shift_i))
    part_j, part_i = np.float32(-shift_j - whole_j), np.float32(-shift_i - whole_i)
    low_part, high_part = scale * (np.float32(1) - part_i), scale * part_i
    inner = min(max(-whole_i, 0), n_i)  # from here on both columns lie inside
    inner_end = max(min(n_i - 1 - whole_i, n_i), inner)
    row = np.empty(n_i, np.float32)
    for j in range(n_j):
        below = field[min(max(j + whole_j, 0), n_j - 1)]
        above = field[min(max(j + whole_j + 1, 0), n_j - 1)]
        for i in range(n_i):
            row[i] = below[i] + part_j * (above[i] - below[i])
        for i in range(inner):
            out[j, i] += scale * row[0]
        for i in range(inner, inner_end):
            out[j, i] += low_part * row[i + whole_i] + high_part * row[i + whole_i + 1]
        for i in range(inner_end, n_i):
            out[j, i] += scale * row[n_i - 1]


@kernel
def _claim(
    claims: Field, place: tuple[int, int, int], value: int, out: LabelArray, scores: Scores
) -> int:
    """Write ``value`` where a claim is not negative and nothing was drawn; count new voxels.

    Where another label was filled in before, the higher claim has the voxel.
    """
    n = 0
    k, origin_j, origin_i = place
    last_j = min(claims.shape[0], out.shape[1] - origin_j)
    last_i = min(claims.shape[1], out.shape[2] - origin_i)
    for j in range(max(0, -origin_j), last_j):
        row = out[k, j + origin_j]
        for i in range(max(0, -origin_i), last_i):
            claim = claims[j, i]
            if claim < 0:
                continue
            column = i + origin_i
            score = claim + np.float32(1)  # 0 means drawn, or empty
            if row[column] == 0:
                n += 1
            elif scores.size == 0:
                continue
            else:
                held = scores[k, j + origin_j, column]
                if held == 0 or score <= held:
                    continue
            row[column] = value
            if scores.size > 0:
                scores[k, j + origin_j, column] = score
    return n


@kernel
def fill_shape(
    fields: tuple[Field, Field, Field, Field],
    weights: FloatArray,
    shifts: FloatArray,
    offsets_mm: FloatArray,
    fewest: int,
    place: tuple[int, int, int],
    value: int,
    out: LabelArray,
    scores: Scores,
    filled: NDArray[np.int64],
) -> None:
    """Fill the slices from ``place`` on with weighted sums of four fields.

    ``weights`` has shape (slices, 4), ``shifts`` (slices, 4, 2) in voxels, ``offsets_mm``
    (slices,). A slice that would hold less than ``fewest`` voxels takes the highest instead.
    """
    claims = np.empty(fields[0].shape, np.float32)
    for n in range(weights.shape[0]):
        claims[:] = np.float32(offsets_mm[n])
        for used in range(4):
            if weights[n, used] != 0.0:
                shift_j, shift_i = shifts[n, used]
                _add_shifted(fields[used], weights[n, used], shift_j, shift_i, claims)
        if fewest > 0:
            held = 0
            for claim in claims.flat:
                held += int(claim >= 0)
            if held < fewest:
                rank = claims.size - fewest
                claims -= np.partition(claims.ravel(), rank)[rank]
        at = (place[0] + n, place[1], place[2])
        filled[at[0]] += _claim(claims, at, value, out, scores)


@kernel
def fill_linear(
    low: BoolArray,
    high: BoolArray,
    n_steps: int,
    place: tuple[int, int, int],
    value: int,
    out: LabelArray,
    scores: Scores,
    filled: NDArray[np.int64],
) -> None:
    """Fill the slices between two sections where the interpolated indicator is at least 1/2."""
    claims = np.empty(low.shape, np.float32)
    for n in range(1, n_steps):
        for j in range(low.shape[0]):
            for i in range(low.shape[1]):
                share = (n_steps - n) * int(low[j, i]) + n * int(high[j, i])  # of n_steps
                claims[j, i] = (2 * share - n_steps) / n_steps
        at = (place[0] + n - 1, place[1], place[2])
        filled[at[0]] += _claim(claims, at, value, out, scores)
