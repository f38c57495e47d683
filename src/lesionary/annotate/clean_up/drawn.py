"""What a clean-up rule looks at, and what it answers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lesionary.core.components import Component, Components
from lesionary.core.errors import InputError
from lesionary.core.volume import BoolArray, Box, Geometry, LabelArray, LabelMap, Volume

ROUNDING_MM = 1e-6
"""Lengths that differ by less are equal: a bound is not crossed by an affine's rounding."""

Labels = tuple[int | str, ...]
"""Labels by value or by text."""

Removed = tuple[LabelArray, ...]
"""What is taken from each layer: the label's value in every voxel to remove, 0 elsewhere."""


class RuleError(InputError):
    """A rule is written wrong: the key that is, and what it should be."""

    code = "rule"

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"`{key}` {problem}")
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that cannot say anything about this image took nothing, and why."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What rules know besides the labels they clean.

    Parameters
    ----------
    image : Volume, optional
        On the labels' grid; ``intensity`` needs it.
    anatomy : LabelMap, optional
        Organs on the labels' grid; ``within`` needs it unless it names labels of the map itself.
    diameter_mm : callable, optional
        The largest axial diameter of a component; ``diameter`` needs it.
    of_readers : collection of int
        Values that readers drew: only rules with ``readers`` set touch them.
    """

    image: Volume | None = None
    anatomy: LabelMap | None = None
    diameter_mm: Callable[[Component, Geometry], float] | None = None
    of_readers: Collection[int] = ()

    def require_grid(self, geometry: Geometry) -> None:
        """Raise :class:`GeometryMismatchError` unless image and anatomy lie on ``geometry``."""
        for other in (self.image, self.anatomy):
            if other is not None:
                geometry.require_same_grid(other.geometry)


@dataclass(frozen=True, eq=False)
class Drawn:
    """The labels of one image before a step, in as many layers as overlaps need.

    Parameters
    ----------
    layers : tuple of LabelMap
        Everything that is drawn, on one grid.
    found : tuple of Components
        Of each layer.
    chosen : tuple of bool array, shape (components,)
        Of each layer, which components the rule is about: at least one.
    context : Context
        What else is known.
    """

    layers: tuple[LabelMap, ...]
    found: tuple[Components, ...]
    chosen: tuple[BoolArray, ...]
    context: Context

    @property
    def geometry(self) -> Geometry:
        """The grid that all layers share."""
        return self.layers[0].geometry

    @cached_property
    def arrays(self) -> tuple[LabelArray, ...]:
        """Of each layer, the values that the rule is about, 0 elsewhere."""
        return self.without(tuple(np.zeros_like(chosen) for chosen in self.chosen))

    @cached_property
    def union(self) -> BoolArray:
        """Where any label lies that the rule is about."""
        union: BoolArray = self.arrays[0] != 0
        for array in self.arrays[1:]:
            union |= array != 0
        return union

    @cached_property
    def box(self) -> Box:
        """The smallest box around :attr:`union`."""
        pairs = zip(self.found, self.chosen, strict=True)
        boxes = np.concatenate([found.boxes[chosen] for found, chosen in pairs])
        starts, stops = boxes[:, :, 0].min(axis=0), boxes[:, :, 1].max(axis=0)
        k, j, i = (slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True))
        return k, j, i

    def without(self, kept: tuple[BoolArray, ...]) -> Removed:
        """Remove every chosen component but those ``kept`` (of each layer, shape (components,))."""
        return tuple(
            found.painted(np.where(chosen & ~keeps, found.values, 0))
            for found, chosen, keeps in zip(self.found, self.chosen, kept, strict=True)
        )

    def cut(self, gone: BoolArray, box: Box) -> Removed:
        """Remove the chosen voxels at ``gone``, a mask of the shape of ``box``."""
        removed = tuple(np.zeros_like(array) for array in self.arrays)
        for out, array in zip(removed, self.arrays, strict=True):
            np.copyto(out[box], array[box], where=gone)
        return removed


def values_of(labels: Labels, label_map: LabelMap) -> frozenset[int]:
    """Return the values that labels name: themselves, or all that carry the text."""
    texts = {text for text in labels if isinstance(text, str)}
    named = {value for value, text in label_map.labels.items() if text in texts}
    return frozenset(named | {value for value in labels if isinstance(value, int)})


def mask_of(label_map: LabelMap, labels: Labels) -> BoolArray:
    """Return where the named labels lie; no name means every label."""
    if not labels:
        inside: BoolArray = label_map.array != 0
        return inside
    is_named = np.zeros(np.iinfo(np.uint16).max + 1, dtype=np.bool_)
    is_named[list(values_of(labels, label_map))] = True
    is_named[0] = False
    named: BoolArray = is_named[label_map.array]
    return named


def has_voxels_in(found: Components, mask: BoolArray) -> BoolArray:
    """Tell of each component whether any of its voxels lies in ``mask``, of the same shape."""
    if not len(found):
        return np.zeros(0, dtype=np.bool_)
    rows = found.runs[:, 0].astype(np.int64) * found.shape[2]
    places = np.flatnonzero(mask)
    begins = np.searchsorted(places, rows + found.runs[:, 1])
    ends = np.searchsorted(places, rows + found.runs[:, 2])
    touched: BoolArray = np.logical_or.reduceat(begins != ends, found.begins[:-1])
    return touched


def missing(rule: str, what: str, hint: str) -> InputError:
    """Return the error of a rule that lacks something to judge by."""
    return InputError(f"the rule {rule} needs {what}", code="rule", hint=hint)
