"""What is scored: every label of either mask, and every composite that was asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from lesionary.core.volume import LabelMap
from lesionary.evaluate.options import EvaluateOptions


@dataclass(frozen=True, slots=True)
class Target:
    """One object of the comparison.

    Parameters
    ----------
    label : str or int
        A label's text, else its value; a composite's name.
    values : tuple of int
        The label values that count as inside, ascending.
    is_composite : bool
        Whether several labels are scored together.
    tolerance_mm : float
        Of the normalized surface Dice.
    """

    label: str | int
    values: tuple[int, ...]
    is_composite: bool
    tolerance_mm: float

    def naming(self) -> dict[str, object]:
        """Return the fields that tell rows of targets apart."""
        if self.is_composite:
            return {"label": self.label, "composite": self.label, "values": list(self.values)}
        return {"label": self.label, "value": self.values[0]}


def targets(
    found: Iterable[int], reference: LabelMap, prediction: LabelMap, options: EvaluateOptions
) -> tuple[Target, ...]:
    """List the labels by value, then the composites as they were given.

    Parameters
    ----------
    found : iterable of int
        Values in either mask, without 0.
    reference, prediction : LabelMap
        Their texts name the values; the reference's go first.
    options : EvaluateOptions
        Composites and tolerances.
    """
    texts = {**prediction.labels, **reference.labels}
    listed = []
    for value in sorted(set(found)):
        label = texts.get(value) or value
        tolerance_mm = options.tolerance_of(value, label)
        listed.append(Target(label, (value,), is_composite=False, tolerance_mm=tolerance_mm))
    for name, values in options.composites.items():
        tolerance_mm = options.tolerance_of(name)
        listed.append(Target(name, values, is_composite=True, tolerance_mm=tolerance_mm))
    return tuple(listed)


def clashing_texts(reference: LabelMap, prediction: LabelMap) -> tuple[str, ...]:
    """Say of each value that the two label maps call by different names what each calls it."""
    shared = sorted(reference.labels.keys() & prediction.labels.keys())
    return tuple(
        f"value {value} is {reference.labels[value]!r} in the reference"
        f" and {prediction.labels[value]!r} in the prediction"
        for value in shared
        if reference.labels[value] != prediction.labels[value]
    )


def unused_tolerances(listed: Iterable[Target], options: EvaluateOptions) -> tuple[str, ...]:
    """Say of each tolerance that no label or composite has it: its name may be mistyped."""
    names: set[int | str] = set()
    for target in listed:
        names |= {target.label} if target.is_composite else {target.label, target.values[0]}
    return tuple(
        f"no label or composite here is called {name!r}: its tolerance is not used"
        for name in options.tolerances_mm
        if name not in names
    )
