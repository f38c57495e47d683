"""What is compared, within which tolerance, and when a lesion counts as found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from lesionary.core.components import MAX_LABEL
from lesionary.core.errors import InputError

DEFAULT_TOLERANCE_MM = 2.0
SIZE_EDGES_MM = (10.0, 20.0, 30.0)
"""Equivalent diameters between the bins of ``by_size``."""

RULES = "overlap, iou:T with 0 < T ≤ 1, or one-to-one"


class Rule(StrEnum):
    """How lesions of two masks are matched."""

    OVERLAP = "overlap"
    IOU = "iou"
    ONE_TO_ONE = "one-to-one"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """When a reference lesion counts as found.

    - ``overlap``: it shares a voxel with a predicted lesion of its label. One large prediction may
      hit many. This is the aimi paper's rule.
    - ``iou:T``: the intersection over union with one predicted lesion is at least ``T``.
    - ``one-to-one``: it is paired by the assignment that makes the sum of intersections over union
      largest, each lesion in at most one pair, and the two share a voxel.

    Parameters
    ----------
    rule : Rule
        Its name.
    threshold : float, optional
        ``T`` of ``iou``; no other rule has one.

    Raises
    ------
    InputError
        If the threshold is missing, out of range, or not wanted.
    """

    rule: Rule = Rule.OVERLAP
    threshold: float | None = None

    def __post_init__(self) -> None:
        if (self.rule is Rule.IOU) != (self.threshold is not None):
            raise InputError(f"a matching rule is {RULES}")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise InputError(f"T of iou:T is above 0 and at most 1, not {self.threshold}")

    @classmethod
    def parse(cls, text: str) -> "MatchRule":
        """Read ``overlap``, ``iou:0.5`` or ``one-to-one``.

        Raises
        ------
        InputError
            If the text is none of them.

        Examples
        --------
        >>> MatchRule.parse("iou:0.5").threshold
        0.5
        """
        name, colon, number = text.strip().partition(":")
        try:
            return cls(Rule(name), float(number) if colon else None)
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"{text!r} is no matching rule", hint=f"say {RULES}") from error

    def __str__(self) -> str:
        return self.rule.value if self.threshold is None else f"{self.rule}:{self.threshold:g}"


def parse_composite(text: str) -> tuple[str, tuple[int, ...]]:
    """Read ``NAME=1+2``: several labels scored as one object.

    Raises
    ------
    InputError
        If there is no name, or a value is not a whole number in 1 … 65535.

    Examples
    --------
    >>> parse_composite("tumour+cyst=2+3")
    ('tumour+cyst', (2, 3))
    """
    name, _, values = text.rpartition("=")
    try:
        return name.strip(), tuple(int(value) for value in values.split("+"))
    except ValueError as error:
        raise InputError(
            f"{text!r} is no composite", hint="say NAME=1+2, with the values of its labels"
        ) from error


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """How a prediction is scored.

    Parameters
    ----------
    tolerance_mm : float
        Of the normalized surface Dice, where a label has none of its own.
    tolerances_mm : mapping, optional
        Tolerance of single labels, by value or text, and of composites, by name.
    composites : mapping of str to tuple of int, optional
        Label values that are scored together as one object, beside each alone.
    match : MatchRule
        When a lesion counts as found.
    min_voxels : int
        Smaller 26-connected components are no lesions, on either side; they stay in the masks that
        are compared.
    size_edges_mm : tuple of float
        Ascending equivalent diameters between the bins of ``by_size``.

    Raises
    ------
    InputError
        If a tolerance is negative or not finite, a composite has no name or no legal values, or
        the edges do not ascend.
    """

    tolerance_mm: float = DEFAULT_TOLERANCE_MM
    tolerances_mm: Mapping[int | str, float] = field(default_factory=dict)
    composites: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    match: MatchRule = field(default_factory=MatchRule)
    min_voxels: int = 1
    size_edges_mm: tuple[float, ...] = SIZE_EDGES_MM

    def __post_init__(self) -> None:
        for tolerance in (self.tolerance_mm, *self.tolerances_mm.values()):
            if not (np.isfinite(tolerance) and tolerance >= 0):
                raise InputError(f"a tolerance is 0 mm or more, not {tolerance}")
        for name, values in self.composites.items():
            _check_composite(name, values)
        edges = self.size_edges_mm
        is_ascending = all(low < high for low, high in zip((0.0, *edges), edges, strict=False))
        if not is_ascending or not np.isfinite(edges).all():
            raise InputError(f"edges of sizes ascend from above 0 mm, not {edges}")
        if self.min_voxels < 0:
            raise InputError(f"min_voxels is 0 or more, not {self.min_voxels}")
        composites = {name: tuple(sorted(set(held))) for name, held in self.composites.items()}
        object.__setattr__(self, "composites", MappingProxyType(composites))
        object.__setattr__(self, "tolerances_mm", MappingProxyType(dict(self.tolerances_mm)))

    def tolerance_of(self, *names: int | str) -> float:
        """Return the tolerance in mm of the first of ``names`` that has one, else the common one.

        A value may have been given as text: ``"1"`` is found for 1.
        """
        for name in names:
            for key in (name, str(name)):
                if key in self.tolerances_mm:
                    return float(self.tolerances_mm[key])
        return float(self.tolerance_mm)


def _check_composite(name: str, values: tuple[int, ...]) -> None:
    if not name:
        raise InputError("a composite needs a name", hint="say NAME=1+2")
    if not values or not all(1 <= value <= MAX_LABEL for value in values):
        raise InputError(f"values of a composite lie in 1 to {MAX_LABEL}, not {values}")
