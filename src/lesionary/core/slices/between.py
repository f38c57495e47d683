"""What lies between the sections of two keys: ``slices/interpolate.py`` tells how."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from lesionary.core.slices import _kernels as kernels
from lesionary.core.slices.sections import Group, Linked, Sections
from lesionary.core.volume import BoolArray, FloatArray

LEAST_SHARE = 0.1
"""A field's sign is the drawing's, by at least this share of a voxel's shorter side."""

_MARGIN = 3
"""Voxels around a tumour's box, and an eighth of its size: as far as a cubic swings."""

Fetched = tuple[tuple[int, ...], int]
"""Pieces and their key."""


class Filler:
    """Fills the gaps of one image, tumour by tumour.

    Parameters
    ----------
    sections, linked
        What was drawn, and which pieces continue which.
    spacing_mm : tuple of float
        Of rows and columns.

    Attributes
    ----------
    out : uint16 array, slices first
        The drawing, then with what was filled in.
    filled : int64 array, shape (slices,)
        Voxels filled in on each slice.
    """

    def __init__(self, sections: Sections, linked: Linked, spacing_mm: tuple[float, float]) -> None:
        self.sections = sections
        self.linked = linked
        self.spacing_mm = spacing_mm
        self.out = sections.drawn()
        self.filled = np.zeros(sections.shape[0], dtype=np.int64)
        is_shared = len(np.unique(sections.values)) > 1
        scores_shape = sections.shape if is_shared else (0, 0, 0)
        self._scores = np.zeros(scores_shape, dtype=np.float32)  # pages stay untouched until used
        self._fields: dict[tuple[int, ...], kernels.Field] = {}
        self._below: dict[int, set[int]] = {}
        self._above: dict[int, set[int]] = {}
        for group in linked.groups:
            for low in group.pieces[0]:
                self._above.setdefault(low, set()).update(group.pieces[1])
            for high in group.pieces[1]:
                self._below.setdefault(high, set()).update(group.pieces[0])

    def fill_all(self, method: str) -> None:
        """Fill every gap by ``shape`` or ``linear``."""
        fill: Callable[[Group, tuple[int, int, int, int]], None]
        fill = self._fill_shape if method == "shape" else self._fill_linear
        for chain in self._chains():
            pieces = [piece for group in chain for side in group.pieces for piece in side]
            box = self._box_around(pieces)
            self._fields.clear()
            for group in chain:
                if group.high - group.low > 1:
                    fill(group, box)

    def _chains(self) -> list[list[Group]]:
        """Return groups that hang together from key to key: mostly one tumour each."""
        numbers: dict[int, int] = {}
        chains: list[list[Group]] = []
        for group in self.linked.groups:
            pieces = [*group.pieces[0], *group.pieces[1]]
            met = sorted({numbers[piece] for piece in pieces if piece in numbers})
            if not met:
                met = [len(chains)]
                chains.append([])
            for other in met[1:]:
                chains[met[0]] += chains[other]
                numbers.update({p: met[0] for g in chains[other] for s in g.pieces for p in s})
                chains[other] = []
            chains[met[0]].append(group)
            numbers.update(dict.fromkeys(pieces, met[0]))
        return [sorted(chain, key=lambda group: group.low) for chain in chains if chain]

    def _box_around(self, pieces: Sequence[int]) -> tuple[int, int, int, int]:
        """First row, first column, rows and columns of a box with room; it may leave the image."""
        boxes = self.sections.boxes[list(pieces)]
        low, high = boxes[:, 1:, 0].min(axis=0), boxes[:, 1:, 1].max(axis=0)
        margin = _MARGIN + (high - low) // 8
        first, size = low - margin, high - low + 2 * margin
        return int(first[0]), int(first[1]), int(size[0]), int(size[1])

    def _section(self, pieces: tuple[int, ...], box: tuple[int, int, int, int]) -> BoolArray:
        section = np.zeros(box[2:], dtype=np.bool_)
        numbers = np.array(pieces, dtype=np.int64)
        grouped, begins, n_j = self.sections.grouped, self.sections.begins, self.sections.shape[1]
        kernels.paint_section(grouped, begins, numbers, n_j, box[:2], section)
        return section

    def _fill_linear(self, group: Group, box: tuple[int, int, int, int]) -> None:
        low, high = (self._section(pieces, box) for pieces in group.pieces)
        place = (group.low + 1, *box[:2])
        n_steps = group.high - group.low
        kernels.fill_linear(
            low, high, n_steps, place, group.value, self.out, self._scores, self.filled
        )

    def _field(self, pieces: tuple[int, ...], box: tuple[int, int, int, int]) -> kernels.Field:
        field = self._fields.get(pieces)
        if field is None:
            least_mm = LEAST_SHARE * min(self.spacing_mm)
            section = self._section(pieces, box)
            field = kernels.smooth_field(section, *self.spacing_mm, least_mm)
            self._fields[pieces] = field
        return field

    def _fill_shape(self, group: Group, box: tuple[int, int, int, int]) -> None:
        if not group.pieces[0] or not group.pieces[1]:
            self._fill_taper(group, box)
            return
        below = self._beyond(group.pieces[0], group.low, group.high - group.low, self._below)
        above = self._beyond(group.pieces[1], group.high, group.high - group.low, self._above)
        low, high = (group.pieces[0], group.low), (group.pieces[1], group.high)
        used = (below or low, low, high, above or high)
        fields = [self._field(pieces, box) for pieces, _ in used]
        weights = cubic_weights(
            group.low - below[1] if below else 0,
            group.high - group.low,
            above[1] - group.high if above else 0,
        )
        shifts, smaller = self._shifts(group, [pieces for pieces, _ in used], len(weights))
        place = (group.low + 1, *box[:2])
        kernels.fill_shape(
            (fields[0], fields[1], fields[2], fields[3]), weights, shifts, np.zeros(len(weights)),
            smaller, place, group.value, self.out, self._scores, self.filled,
        )  # fmt: skip

    def _fill_taper(self, group: Group, box: tuple[int, int, int, int]) -> None:
        """Let a piece end before the other key, its area falling in a straight line to nothing."""
        field = self._field(group.pieces[0] or group.pieces[1], box)
        n_steps = group.high - group.low
        left = np.arange(n_steps - 1, 0, -1) / n_steps
        left = left if group.pieces[0] else left[::-1]
        weights = np.tile([0.0, 1.0, 0.0, 0.0], (n_steps - 1, 1))
        offsets_mm = -float(field.max()) * (1 - np.sqrt(left))
        place = (group.low + 1, *box[:2])
        kernels.fill_shape(
            (field,) * 4, weights, np.zeros((n_steps - 1, 4, 2)), offsets_mm, 0, place,
            group.value, self.out, self._scores, self.filled,
        )  # fmt: skip

    def _beyond(
        self, pieces: tuple[int, ...], key: int, height: int, onward: dict[int, set[int]]
    ) -> Fetched | None:
        """Follow pieces away from a gap to the first key at least as far off as it is high.

        Where what was drawn ends earlier, to the last key, if at least half as far: a slope taken
        over less says too little about the gap.
        """
        found: Fetched = (pieces, key)
        while abs(found[1] - key) < height:
            further = sorted({other for piece in found[0] for other in onward.get(piece, ())})
            if not further:
                break
            found = (tuple(further), int(self.sections.slices[further[0]]))
        return found if 2 * abs(found[1] - key) >= height else None

    def _shifts(
        self, group: Group, used: Sequence[tuple[int, ...]], n_slices: int
    ) -> tuple[FloatArray, int]:
        """How far each field moves on each slice, and the voxels of the smaller of the two.

        Sections that share nothing move all the way to the line between their centres, sections
        of which one covers the other stay, and others move in proportion.
        """
        voxels = self.sections.voxels
        smaller = min(int(voxels[list(side)].sum()) for side in group.pieces)
        share = 1 - group.n_shared / smaller
        centres = np.array([self.sections.centre(pieces) for pieces in used])
        along = np.arange(1, n_slices + 1)[:, None] / (n_slices + 1)
        line = centres[1] + along * (centres[2] - centres[1])
        return share * (line[:, None, :] - centres[None, :, :]), smaller


@lru_cache(maxsize=256)
def cubic_weights(below: int, height: int, above: int) -> FloatArray:
    """Weights of four keys on the slices of a gap, shape (height - 1, 4).

    A cubic with the slopes of the parabolas through three neighbouring keys each (Catmull and
    Rom's, for keys at any distance); beyond an outer key there is none, and the parabola of the
    other side goes on. Two keys alone leave a straight line.

    Parameters
    ----------
    below, height, above : int
        Slices from the key below to the gap, across it, and on to the key above; 0: there is none.
    """
    middle = np.array([0.0, -1.0, 1.0, 0.0]) / height
    first = second = middle
    if below:
        before = np.array([-1.0, 1.0, 0.0, 0.0]) / below
        first = (height * before + below * middle) / (below + height)
    if above:
        after = np.array([0.0, 0.0, -1.0, 1.0]) / above
        second = (height * after + above * middle) / (above + height)
    if not below:
        first = 2 * middle - second
    if not above:
        second = 2 * middle - first
    t = (np.arange(1, height) / height)[:, None]
    rise = 3 * t**2 - 2 * t**3
    ends = (1 - rise) * np.array([0.0, 1.0, 0.0, 0.0]) + rise * np.array([0.0, 0.0, 1.0, 0.0])
    slopes = (t**3 - 2 * t**2 + t) * first + (t**3 - t**2) * second
    weights: FloatArray = ends + height * slopes
    return weights
