"""Fill in the slices between those that were drawn (M3).

Readers draw every fifth slice or so; the slices between are computed. Two methods:

- ``linear``, as the mouse paper has it: a voxel's indicator runs in a straight line from
  one drawn slice to the next, and 1/2 or more is in. That is a copy of the nearer slice, and of
  both halfway.
- ``shape``: each drawn section becomes a field of signed distances to its edge, and the fields
  are interpolated along a cubic through up to four drawn slices, so that a section between two
  may be rounder or narrower than both. Sections that lie side by side rather than above each
  other are moved along the line between their centres.

Nothing is learned and nothing is looked up in an image: the drawing alone decides.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import LabelMap

Method = Literal["shape", "linear"]
"""How slices are filled."""


STEEPEST = 3.0
"""Pieces that lie above none are joined up to this distance, in heights of the gap."""


@dataclass(frozen=True, slots=True)
class WideGap:
    """Two drawn slices of a label that lie too far apart to be joined.

    Parameters
    ----------
    value : int
        The label.
    first, second : int
        The drawn slices, along :attr:`Geometry.superior_axis` in the file's order.
    """

    value: int
    first: int
    second: int


@dataclass(frozen=True, slots=True, eq=False)
class Interpolated:
    """A drawing with the slices between filled in.

    Parameters
    ----------
    label_map : LabelMap
        What was drawn, voxel for voxel, and what was filled in.
    n_key_slices : int
        Slices on which anything was drawn.
    n_filled_slices : int
        Slices on which at least one voxel was filled in.
    wide_gaps : tuple of WideGap
        Left as they are, by label, then from the first slice on.
    """

    label_map: LabelMap
    n_key_slices: int
    n_filled_slices: int
    wide_gaps: tuple[WideGap, ...]


def interpolate(label_map: LabelMap, step: int, method: Method = "shape") -> Interpolated:
    """Fill the slices between drawn ones, label by label.

    Slices are those along :attr:`Geometry.superior_axis`, whatever the file's axis order. Every
    slice that a label is drawn on is a key of that label; no drawn voxel changes. Between two keys
    at most ``step`` slices apart all is filled; neighbours leave nothing to fill, wider gaps are
    listed, and nothing lies beyond the outer keys. A tumour that is missing on a key of its label
    is taken to be absent there: tumours drawn on different slices need values of their own.

    Where two labels claim a voxel that nobody drew, it goes to the one that reaches deeper: the
    greater signed distance (``shape``), the greater share (``linear``); ties to the lower value.

    Parameters
    ----------
    label_map : LabelMap
        Drawn on some slices. May be empty: then nothing is filled.
    step : int
        At least 1: the distance at which slices were drawn.
    method : {"shape", "linear"}
        See the module.

    Returns
    -------
    Interpolated

    Raises
    ------
    InputError
        If the step or the method is none.

    References
    ----------
    .. [1] Raya and Udupa, Shape-based interpolation of multidimensional objects, IEEE Trans Med
       Imaging 9, 32-42 (1990).
    .. [2] Catmull and Rom, A class of local interpolating splines, in Computer Aided Geometric
       Design, 317-326 (1974).

    Examples
    --------
    >>> from lesionary.core.volume import Geometry
    >>> array = np.zeros((5, 8, 8), dtype=np.uint16)
    >>> array[0, 1:5, 1:5] = array[4, 3:7, 3:7] = 1
    >>> grid = Geometry(array.shape, np.eye(4)[[2, 1, 0, 3]])
    >>> found = interpolate(LabelMap(array, grid), 5)
    >>> found.n_key_slices, found.n_filled_slices
    (2, 3)
    >>> found.label_map.array[2, 1:7, 1:7].tolist()[1]
    [0, 1, 1, 1, 1, 0]
    """
    if step < 1:
        raise InputError(f"the step is at least 1 slice, not {step}", code="usage")
    if method not in get_args(Method):
        raise InputError(f"the method is shape or linear, not {method!r}", code="usage")
    from lesionary.core.slices.between import Filler
    from lesionary.core.slices.sections import find_sections

    axis = label_map.geometry.superior_axis
    sections = find_sections(label_map.array, axis)
    lengths = list(label_map.geometry.spacing_mm)
    spacing_mm = (lengths.pop(axis), lengths[0], lengths[1])
    linked = sections.linked(step, spacing_mm, STEEPEST)
    filler = Filler(sections, linked, spacing_mm[1:])
    filler.fill_all(method)
    out = np.moveaxis(filler.out, 0, axis)
    return Interpolated(
        label_map=label_map.with_array(np.ascontiguousarray(out)),
        n_key_slices=len(np.unique(sections.slices)),
        n_filled_slices=int(np.count_nonzero(filler.filled)),
        wide_gaps=tuple(WideGap(*gap) for gap in linked.wide),
    )


def thinned(label_map: LabelMap, step: int, *, first: int = 2) -> LabelMap:
    """Keep every ``step``-th slice of each label and clear the rest, as if it had been drawn so.

    For trying how much of a complete drawing :func:`interpolate` restores.

    Parameters
    ----------
    label_map : LabelMap
        Completely drawn.
    step : int
        At least 1.
    first : int
        The first slice kept, counted from each label's lowest one. A label with fewer slices
        vanishes.

    Raises
    ------
    InputError
        If the step is none.
    """
    if step < 1:
        raise InputError(f"the step is at least 1 slice, not {step}", code="usage")
    turned = np.moveaxis(label_map.array, label_map.geometry.superior_axis, 0)
    out = np.zeros_like(label_map.array)
    kept = np.moveaxis(out, label_map.geometry.superior_axis, 0)
    for value in np.unique(turned[turned > 0]).tolist():
        (drawn,) = np.nonzero((turned == np.uint16(value)).any(axis=(1, 2)))
        for k in range(int(drawn[0]) + first, int(drawn[-1]) + 1, step):
            kept[k][turned[k] == np.uint16(value)] = value
    return label_map.with_array(out)
