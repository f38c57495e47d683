"""How ``file evaluate`` scores, as its options say it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lesionary.core.errors import InputError
from lesionary.core.volume import LabelMap

if TYPE_CHECKING:
    from lesionary.evaluate.options import EvaluateOptions

Document = dict[str, Any]
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Scoring:
    """How predictions are scored, as the command line says it.

    Parameters
    ----------
    tolerance_mm : float
        Of the normalized surface Dice.
    tolerances : sequence of str
        ``LABEL=MM``: other tolerances for single labels or composites.
    composites : sequence of str
        ``NAME=1+2``: labels scored together.
    match : str
        ``overlap``, ``iou:T`` or ``one-to-one``.
    min_voxels : int
        Smaller components are no lesions.
    sizes_mm : sequence of float, optional
        Edges between bins of equivalent diameter.
    """

    tolerance_mm: float = 2.0
    tolerances: Sequence[str] = ()
    composites: Sequence[str] = ()
    match: str = "overlap"
    min_voxels: int = 1
    sizes_mm: Sequence[float] = ()

    def options(self) -> "EvaluateOptions":
        """Return the stage's options.

        Raises
        ------
        InputError
            Code ``usage``, if a text says nothing that is understood.
        """
        from lesionary.evaluate.options import (
            SIZE_EDGES_MM,
            EvaluateOptions,
            MatchRule,
            parse_composite,
        )

        try:
            return EvaluateOptions(
                tolerance_mm=self.tolerance_mm,
                tolerances_mm=_once(map(_tolerance, self.tolerances)),
                composites=_once(map(parse_composite, self.composites)),
                match=MatchRule.parse(self.match),
                min_voxels=self.min_voxels,
                size_edges_mm=tuple(self.sizes_mm) or SIZE_EDGES_MM,
            )
        except InputError as error:
            error.code = "usage"
            raise


def _once(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{name} is said twice", hint="say it once")
        found[name] = value
    return found


def _tolerance(text: str) -> tuple[int | str, float]:
    name, equals, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not equals or not name.strip() or value < 0:
        raise InputError(f"{text!r} is no tolerance", hint="say LABEL=MM, such as 1=4 or liver=7")
    name = name.strip()
    return (int(name) if name.isdecimal() else name), value


def score(
    maps: Sequence[LabelMap],
    names: Sequence[str],
    options: "EvaluateOptions",
    *,
    method: str = "staple",
) -> Document:
    """Score the first map against the others: one reference, or several and their consensus."""
    from lesionary.evaluate.evaluation import evaluate as evaluate_one
    from lesionary.evaluate.evaluation import evaluate_against

    prediction, *references = maps
    if len(references) == 1:
        return evaluate_one(references[0], prediction, options).to_json()
    named = list(zip(names, references, strict=True))
    return evaluate_against(named, prediction, options, method=method).to_json()
