"""The last step of annotate: the protocol's clean-up rules, on lesions of a study (M4, A4)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lesionary.core.annotation import UNREVIEWED
from lesionary.core.terms import STRUCTURE

if TYPE_CHECKING:
    from lesionary.annotate.clean_up import CleanUp, Rule
    from lesionary.core.volume import Geometry, LabelMap, Volume
    from lesionary.io.objects import ObjectStore


def rules_of(tables: Sequence[Mapping[str, Any]]) -> "tuple[Rule, ...]":
    """Return the rules of a protocol's tables."""
    if not tables:
        return ()  # `status` plans too, and need not wait for numpy
    from lesionary.annotate.clean_up import rule_of_table

    return tuple(rule_of_table(table) for table in tables)


def tables_of(rules: "Sequence[Rule]") -> list[dict[str, Any]]:
    """Return the rules as JSON, defaults spelled out, as part of a unit's key."""
    if not rules:
        return []
    from lesionary.annotate.clean_up import table_of

    return [table_of(rule) for rule in rules]


def clean_lesions(
    layers: "tuple[LabelMap, ...]",
    rules: "Sequence[Rule]",
    volume: "Volume",
    lesions: Mapping[int, Mapping[str, Any]],
    store: "ObjectStore",
    given: Sequence[str],
) -> "CleanUp":
    """Apply rules to the lesions of one image.

    Parameters
    ----------
    layers : tuple of LabelMap
        Given masks and drafts, each lesion under a value of its own.
    rules : sequence of Rule
        What a reader drew is left to those that say ``readers``.
    volume : Volume
        The prepared image.
    lesions : mapping of int to mapping
        Who made each lesion, by value.
    store : ObjectStore
        Where given masks lie.
    given : sequence of str
        Label maps that came along: their structures are the anatomy of ``within``.
    """
    from lesionary.annotate.clean_up import Context, Within, apply_to_layers
    from lesionary.measure.diameter import caliper

    has_within = any(isinstance(rule, Within) and rule.needs_structures for rule in rules)
    context = Context(
        image=volume,
        anatomy=_structures(given, volume.geometry, store) if has_within else None,
        diameter_mm=lambda component, geometry: caliper(component, geometry).long_axis_mm,
        of_readers=frozenset(value for value, made in lesions.items() if is_of_a_reader(made)),
    )
    return apply_to_layers(layers, rules, context)


def is_of_a_reader(made: Mapping[str, Any]) -> bool:
    """Tell whether a reader drew a lesion or affirmed it; a mask of unknown making is a draft."""
    is_reviewed = made["state"] != UNREVIEWED
    return is_reviewed or made["reader"] is not None or made["method"] == "MANUAL"


def _structures(given: Sequence[str], geometry: "Geometry", store: "ObjectStore") -> "LabelMap":
    """Return where any mask that came along shows a structure, of whatever name."""
    import numpy as np

    from lesionary.core.volume import LabelMap

    array = np.zeros(geometry.shape, dtype=np.uint16)
    for object_id in given:
        label_map = store.get_label_map(object_id)
        values = [value for value, text in label_map.labels.items() if text == STRUCTURE]
        array[np.isin(label_map.array, values)] = 1
    return LabelMap(array, geometry, {1: STRUCTURE})


def clean_up_document(cleaned: "CleanUp", store: "ObjectStore") -> dict[str, Any]:
    """Store what the rules were given and what they took; return both with the rules' counts."""
    texts = {value: text for layer in cleaned.layers for value, text in layer.labels.items()}
    before = cleaned.undo(len(cleaned.steps))
    return {
        "before": [store.put_label_map(layer) for layer in before.layers],
        "removed": [store.put_label_map(layer) for layer in cleaned.removed_maps],
        "steps": [step.to_json(texts) for step in cleaned.steps],
    }
