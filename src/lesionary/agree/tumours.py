"""Tumours one by one: what several readers drew at one place under one label (M6).

A tumour is a 26-connected component of the readers' union within one label. Who drew nothing of it
missed it; it still counts, with Dice 0 against each who drew it. Where one reader drew a single
piece across two of another's, the union is one tumour as well: it is scored as one and marked as
fused, for its Dice tells of a quarrel about the number of tumours, not only about an outline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import Component, Components
from lesionary.core.readers.pattern_components import PatternComponent, pattern_components
from lesionary.core.readers.patterns import ReaderPatterns
from lesionary.core.volume import AnyArray


@dataclass(frozen=True, slots=True)
class Bridge:
    """One piece of a reader that overlaps or touches several of another's.

    Parameters
    ----------
    reader, other : int
        Who drew one piece, and who drew several, from 0.
    n_pieces : int
        How many of the other's pieces it joins: 2 or more. The most, where there are several such
        bridges within the tumour.
    """

    reader: int
    other: int
    n_pieces: int


@dataclass(frozen=True, slots=True, eq=False)
class Tumour:
    """One tumour as all readers drew it.

    Parameters
    ----------
    number : int
        Counts from 1 within the label: largest union first, ties by the first voxel.
    found : PatternComponent
        The union, and who drew what of it.
    n_pieces : tuple of int
        In how many 26-connected pieces each reader drew it; 0 where the reader missed it.
    bridges : tuple of Bridge
        Who joined what another kept apart.
    """

    number: int
    found: PatternComponent
    n_pieces: tuple[int, ...]
    bridges: tuple[Bridge, ...]

    @property
    def value(self) -> int:
        """Its label."""
        return self.found.union.value

    @property
    def first(self) -> tuple[int, int, int]:
        """The union's first voxel in ``(k, j, i)`` order."""
        return self.found.union.first

    @property
    def patterns(self) -> ReaderPatterns:
        """Its voxels by reader pattern; pattern 0 is the rest of the whole image."""
        return self.found.patterns

    @property
    def present(self) -> tuple[bool, ...]:
        """Tell of each reader whether any of it was drawn."""
        return tuple(n > 0 for n in self.n_pieces)

    @property
    def n_missed(self) -> int:
        """How many readers drew nothing of it."""
        return self.present.count(False)

    @property
    def is_fused(self) -> bool:
        """Whether one reader's piece bridges two or more of another's."""
        return bool(self.bridges)

    def component(self, reader: int) -> Component | None:
        """Return what a reader drew of it as one object; None where that is nothing."""
        return self.found.drawn_by(reader)


def tumours_of(arrays: Sequence[AnyArray], *, is_one_tumour: bool = False) -> tuple[Tumour, ...]:
    """Find the tumours of all labels.

    Parameters
    ----------
    arrays : sequence of bool, uint8 or uint16 arrays, each of shape (slices, rows, columns)
        One a reader, 1 to 64 of them; 0 is background.
    is_one_tumour : bool
        All that bears one label is one tumour, in however many pieces it was drawn.

    Returns
    -------
    tuple of Tumour
        By label, then by volume of the union descending, then by first voxel. None where nobody
        drew anything.

    Raises
    ------
    InputError
        If there is no array, more than 64, or one of another type.
    GeometryMismatchError
        If the shapes differ.
    """
    objects = pattern_components(arrays, is_one_object=is_one_tumour)
    unions = objects.unions
    order = np.lexsort((-unions.voxels, unions.values))  # stable: ties stay by first voxel
    counted: dict[int, int] = {}
    tumours = []
    for place in order.tolist():
        found = objects[place]
        number = counted[found.union.value] = counted.get(found.union.value, 0) + 1
        n_pieces = tuple(_n_pieces(found, reader) for reader in range(objects.n_readers))
        tumours.append(Tumour(number, found, n_pieces, _bridges(found, n_pieces)))
    return tuple(tumours)


def _n_pieces(found: PatternComponent, reader: int) -> int:
    n_runs = len(found.reader_runs[reader])
    return n_runs if n_runs < 2 else len(found.parts_of(reader))


def _bridges(found: PatternComponent, n_pieces: Sequence[int]) -> tuple[Bridge, ...]:
    """Return who bridged whose pieces of one tumour."""
    if max(n_pieces) < 2:
        return ()
    from lesionary.agree._kernels import find_meetings

    parts = [found.parts_of(reader) for reader in range(len(n_pieces))]
    runs = [_numbered_runs(pieces) for pieces in parts]
    n_j = parts[0].shape[1]
    bridges = []
    for reader, other in permutations(range(len(parts)), 2):
        if n_pieces[other] < 2 or n_pieces[reader] == 0:
            continue
        met = np.unique(find_meetings(runs[reader], runs[other], n_j), axis=0)
        most = int(np.bincount(met[:, 0]).max(initial=0))
        if most > 1:
            bridges.append(Bridge(reader, other, most))
    return tuple(bridges)


def _numbered_runs(pieces: Components) -> NDArray[np.int32]:
    """Return runs in voxel order with the number of the piece, shape (n, 4)."""
    number = np.repeat(np.arange(len(pieces)), np.diff(pieces.begins))
    table = np.column_stack([pieces.runs, number]).astype(np.int32)
    in_order: NDArray[np.int32] = table[np.lexsort((table[:, 1], table[:, 0]))]
    return in_order
