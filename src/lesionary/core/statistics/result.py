"""What every statistic shares: numbers that are there, or a reason."""

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray


@dataclass(frozen=True, slots=True)
class Result:
    """A statistic: a frozen record of numbers, with ``reason`` for those that are None."""

    def to_json(self) -> dict[str, Any]:
        """Return the numbers by name, and ``reason`` as ``{field: text}`` for every None."""
        document = dataclasses.asdict(self)
        reason = document.pop("reason", "")
        undefined = {name: reason for name, value in document.items() if value is None}
        return {**document, "reason": undefined} if undefined else document


def finite_pairs(first: ArrayLike, second: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the pairs that are finite on both sides.

    Raises
    ------
    InputError
        If the sides differ in length.
    """
    a, b = (np.asarray(side, dtype=np.float64).reshape(-1) for side in (first, second))
    if a.size != b.size:
        raise InputError(f"pairs need sides of the same length, not {a.size} and {b.size}")
    is_finite = np.isfinite(a) & np.isfinite(b)
    return a[is_finite], b[is_finite]


def clusters_of(subjects: Sequence[Hashable] | None, n: int) -> NDArray[np.intp]:
    """Say whose each of ``n`` values is, by numbers from 0 in order of appearance.

    Without ``subjects`` each value is a subject's own.

    Raises
    ------
    InputError
        If there is not one subject for each value.
    """
    if subjects is None:
        return np.arange(n)
    if len(subjects) != n:
        raise InputError(f"{len(subjects)} subjects for {n} values")
    numbers: dict[Hashable, int] = {}
    found = (numbers.setdefault(subject, len(numbers)) for subject in subjects)
    return np.fromiter(found, dtype=np.intp, count=n)
