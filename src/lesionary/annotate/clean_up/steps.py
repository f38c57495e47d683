"""Rules applied one after the other, with what each changed and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lesionary.annotate.clean_up.drawn import Context, Drawn, Removed, Skipped, values_of
from lesionary.annotate.clean_up.grammar import text_of
from lesionary.annotate.clean_up.rules import Rule
from lesionary.core.components import Components, components
from lesionary.core.errors import InputError
from lesionary.core.volume import LabelMap

NONE_THERE = "none of these labels is there"
READERS_ONLY = "all of these labels are a reader's, and the rule leaves those"


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is of a label."""

    voxels: int = 0
    volume_ml: float = 0.0
    components: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.voxels + other.voxels,
            self.volume_ml + other.volume_ml,
            self.components + other.components,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one rule did.

    Parameters
    ----------
    number : int
        Its place, from 1.
    rule : Rule
        What was applied.
    before, after : mapping of int to Count
        Of each label that the rule is about, by value; components are 26-connected.
    removed : tuple of Components
        Of each layer, the voxels that went, with their values, as runs.
    reason : str, optional
        Why the rule took nothing, where it could not be applied.
    """

    number: int
    rule: Rule
    before: Mapping[int, Count]
    after: Mapping[int, Count]
    removed: tuple[Components, ...]
    reason: str | None = None

    @property
    def text(self) -> str:
        """The rule as :func:`parse_rule` reads it."""
        return text_of(self.rule)

    @property
    def n_removed(self) -> int:
        """Voxels that went, of all layers."""
        return sum(int(part.voxels.sum()) for part in self.removed)

    def rows(self, labels: Mapping[int, str] | None = None) -> list[dict[str, Any]]:
        """Return the counts, one row a label, in the order of the values.

        Values of one text are one row. A value without text goes by its number.
        """
        before, after = (_by_label(counts, labels or {}) for counts in (self.before, self.after))
        return [
            {
                "label": label,
                "voxels_before": before[label].voxels,
                "voxels_after": after[label].voxels,
                "volume_ml_before": before[label].volume_ml,
                "volume_ml_after": after[label].volume_ml,
                "components_before": before[label].components,
                "components_after": after[label].components,
            }
            for label in before
        ]

    def to_json(self, labels: Mapping[int, str] | None = None) -> dict[str, Any]:
        """Return ``{step, rule, removed_voxels, labels}``, and ``reason`` where it was skipped."""
        document = {
            "step": self.number,
            "rule": self.text,
            "removed_voxels": self.n_removed,
            "labels": self.rows(labels),
        }
        return document if self.reason is None else document | {"reason": {"rule": self.reason}}


def _by_label(counts: Mapping[int, Count], labels: Mapping[int, str]) -> dict[int | str, Count]:
    summed: dict[int | str, Count] = {}
    for value, count in sorted(counts.items()):
        label = labels.get(value, value)
        summed[label] = summed.get(label, Count()) + count
    return summed


@dataclass(frozen=True, slots=True, eq=False)
class CleanUp:
    """Labels after clean-up, and the steps that led there.

    Parameters
    ----------
    layers : tuple of LabelMap
        The labels as they are after the last step.
    steps : tuple of Step
        In the order in which they were applied, numbered from 1.
    context : Context
        What the rules knew: to apply them again.
    """

    layers: tuple[LabelMap, ...]
    steps: tuple[Step, ...]
    context: Context

    @property
    def result(self) -> LabelMap:
        """The one label map that was cleaned.

        Raises
        ------
        InputError
            If there is not exactly one layer.
        """
        return _only(self.layers)

    def undo(self, n: int = 1) -> "CleanUp":
        """Return what there was before the last ``n`` steps, voxel for voxel.

        Raises
        ------
        InputError
            If there are not that many steps.
        """
        if not 0 <= n <= len(self.steps):
            raise InputError(f"{n} steps cannot be undone: there are {len(self.steps)}")
        arrays = [layer.array for layer in self.layers]
        for step in self.steps[len(self.steps) - n :]:
            for place, part in enumerate(step.removed):
                if len(part):
                    arrays[place] = arrays[place] + part.painted(part.values)
        layers = tuple(
            layer.with_array(array) for layer, array in zip(self.layers, arrays, strict=True)
        )
        return replace(self, layers=layers, steps=self.steps[: len(self.steps) - n])

    def without(self, number: int) -> "CleanUp":
        """Return what there is if step ``number`` had never been: later ones are applied anew.

        Raises
        ------
        InputError
            If there is no such step.
        """
        if not 1 <= number <= len(self.steps):
            raise InputError(f"there is no step {number} of {len(self.steps)}")
        earlier = self.undo(len(self.steps) - number + 1)
        return earlier.then([step.rule for step in self.steps[number:]])

    def then(self, rules: Sequence[Rule]) -> "CleanUp":
        """Return what there is after further rules."""
        if not rules:
            return self
        layers, steps = self.layers, list(self.steps)
        found = tuple(components(layer.array) for layer in layers)
        for rule in rules:
            step, layers, found = _apply(rule, len(steps) + 1, layers, found, self.context)
            steps.append(step)
        return CleanUp(layers, tuple(steps), self.context)

    @property
    def removed_maps(self) -> tuple[LabelMap, ...]:
        """Of each layer, a map of what went: the number of the step, with the rule as text."""
        texts = {step.number: step.text for step in self.steps}
        maps = []
        for place, layer in enumerate(self.layers):
            array = np.zeros(layer.geometry.shape, dtype=np.uint16)
            for step in self.steps:
                part = step.removed[place]
                array += part.painted(np.full(len(part), step.number))
            maps.append(LabelMap(array, layer.geometry, texts))
        return tuple(maps)

    @property
    def removed_map(self) -> LabelMap:
        """The map of what went from the one label map that was cleaned."""
        return _only(self.removed_maps)


def _only(layers: tuple[LabelMap, ...]) -> LabelMap:
    if len(layers) != 1:
        raise InputError(f"one label map was asked for, there are {len(layers)} layers")
    return layers[0]


def apply_rules(
    label_map: LabelMap, rules: Sequence[Rule], context: Context | None = None
) -> CleanUp:
    """Clean one label map; see :func:`apply_to_layers`.

    Examples
    --------
    >>> from lesionary.annotate.clean_up import parse_rule
    >>> from lesionary.core.volume import Geometry
    >>> row = np.array([[[1, 0, 1, 1, 0, 2]]], dtype=np.uint16)
    >>> drawn = LabelMap(row, Geometry(row.shape, np.eye(4)))
    >>> cleaned = apply_rules(drawn, [parse_rule("largest:1,labels=1")])
    >>> cleaned.result.array.tolist(), cleaned.undo().result.array.tolist()
    ([[[0, 0, 1, 1, 0, 2]]], [[[1, 0, 1, 1, 0, 2]]])
    """
    return apply_to_layers((label_map,), rules, context)


def apply_to_layers(
    layers: tuple[LabelMap, ...], rules: Sequence[Rule], context: Context | None = None
) -> CleanUp:
    """Apply rules one after the other to labels that may overlap.

    Parameters
    ----------
    layers : tuple of LabelMap
        On one grid. What rules take together, such as the largest pieces of a union, they take
        over all layers. May be empty.
    rules : sequence of Rule
        In order; each sees what the one before left.
    context : Context, optional
        The image, anatomy, and what else rules need.

    Returns
    -------
    CleanUp
        With one step for each rule, those included that took nothing.

    Raises
    ------
    GeometryMismatchError
        If layers, image and anatomy do not share one grid.
    InputError
        If a rule needs something that the context lacks.
    """
    known = context or Context()
    for layer in layers[:1]:
        known.require_grid(layer.geometry)
    for layer in layers[1:]:
        layers[0].geometry.require_same_grid(layer.geometry)
    return CleanUp(layers, (), known).then(rules)


_State = tuple[Step, tuple[LabelMap, ...], tuple[Components, ...]]


def _apply(
    rule: Rule,
    number: int,
    layers: tuple[LabelMap, ...],
    found: tuple[Components, ...],
    context: Context,
) -> _State:
    """Apply one rule; return its step, the layers it leaves, and their components."""
    named, about = _about(rule, layers, found, context)
    before = _counts(layers, found, about)
    nothing = tuple(_none_of(one) for one in found)
    if not about:
        reason = READERS_ONLY if named else NONE_THERE
        return Step(number, rule, before, before, nothing, reason), layers, found
    chosen = tuple(np.isin(one.values, list(about)) for one in found)
    answer = rule.removed(Drawn(layers, found, chosen, context))
    if isinstance(answer, Skipped):
        return Step(number, rule, before, before, nothing, answer.reason), layers, found
    removed = tuple(components(part) for part in answer)
    layers, found = _taken(layers, found, answer, removed)
    return Step(number, rule, before, _counts(layers, found, about), removed), layers, found


def _none_of(found: Components) -> Components:
    return replace(
        found,
        values=found.values[:0],
        voxels=found.voxels[:0],
        boxes=found.boxes[:0],
        runs=found.runs[:0],
        begins=found.begins[:1],
    )


def _about(
    rule: Rule, layers: tuple[LabelMap, ...], found: tuple[Components, ...], context: Context
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the values that a rule names and that are there, and those of them it may touch."""
    there: set[int] = set()
    for layer, one in zip(layers, found, strict=True):
        present = set(np.unique(one.values).tolist())
        there |= present & values_of(rule.labels, layer) if rule.labels else present
    return frozenset(there), frozenset(there if rule.readers else there - set(context.of_readers))


def _taken(
    layers: tuple[LabelMap, ...],
    found: tuple[Components, ...],
    answer: Removed,
    removed: tuple[Components, ...],
) -> tuple[tuple[LabelMap, ...], tuple[Components, ...]]:
    """Take voxels away: the values subtracted are those that are there, so adding them undoes."""
    new_layers, new_found = list(layers), list(found)
    for place, part in enumerate(removed):
        if len(part):
            array = layers[place].array - answer[place]
            new_layers[place] = layers[place].with_array(array)
            new_found[place] = components(array)
    return tuple(new_layers), tuple(new_found)


def _counts(
    layers: tuple[LabelMap, ...], found: tuple[Components, ...], values: frozenset[int]
) -> dict[int, Count]:
    counts = dict.fromkeys(sorted(values), Count())
    for layer, one in zip(layers, found, strict=True):
        ml = layer.geometry.voxel_volume_mm3 / 1000
        n_values = int(one.values.max(initial=0)) + 1
        voxels = np.zeros(n_values, dtype=np.int64)
        np.add.at(voxels, one.values, one.voxels)
        pieces = np.bincount(one.values, minlength=n_values)
        for value in values & set(np.unique(one.values).tolist()):
            n = int(voxels[value])
            counts[value] += Count(n, n * ml, int(pieces[value]))
    return counts
