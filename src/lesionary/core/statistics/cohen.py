"""Two raters' scores on one scale: exact agreement and Cohen's kappa."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lesionary.core.errors import InputError
from lesionary.core.statistics.result import Result


@dataclass(frozen=True, slots=True)
class RaterAgreement(Result):
    """How two raters agree on an ordered scale.

    Parameters
    ----------
    exact : float or None
        Share of cases with the same score, 0 … 1.
    kappa : float or None
        Cohen's kappa: agreement beyond chance, every disagreement alike.
    weighted_kappa : float or None
        With quadratic weights: a disagreement by two steps is four times that by one.
    table : tuple of tuples of int
        Cases by the first rater's score (rows) and the second's (columns).
    n : int
        Cases.
    """

    exact: float | None
    kappa: float | None
    weighted_kappa: float | None
    table: tuple[tuple[int, ...], ...]
    n: int
    reason: str = ""


def cohen_kappa(first: ArrayLike, second: ArrayLike, *, scale: Sequence[int]) -> RaterAgreement:
    """Compare two raters' scores, chance taken into account.

    Parameters
    ----------
    first, second : integer array, shape (n,)
        Scores of the same cases.
    scale : sequence of int
        All scores there are, in ascending order, given or not: weights are steps along it.

    Returns
    -------
    RaterAgreement
        Without cases undefined. Where both raters give one and the same score throughout, exact
        agreement is 1 and kappa undefined: chance alone would agree as well. A rater who never
        varies beside one who does has kappa 0.

    Raises
    ------
    InputError
        If a score is not on the scale, or the sides differ in length.

    References
    ----------
    .. [1] Cohen, Weighted kappa, Psychol Bull 70, 213-220 (1968).

    Examples
    --------
    >>> cohen_kappa([1, 2, 3, 3], [1, 2, 3, 2], scale=[1, 2, 3]).weighted_kappa
    0.8
    """
    a, b = (np.asarray(side).reshape(-1) for side in (first, second))
    if a.size != b.size:
        raise InputError(f"pairs need sides of the same length, not {a.size} and {b.size}")
    steps = np.asarray(scale)
    if not (np.isin(a, steps).all() and np.isin(b, steps).all()):
        raise InputError(f"a score is not on the scale {', '.join(str(step) for step in scale)}")
    table = np.zeros((steps.size, steps.size), dtype=np.int64)
    np.add.at(table, (np.searchsorted(steps, a), np.searchsorted(steps, b)), 1)
    rows = tuple(tuple(int(count) for count in row) for row in table)
    n = int(a.size)
    if n == 0:
        return RaterAgreement(None, None, None, rows, 0, "there are no cases")
    exact = int(np.trace(table)) / n
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0))
    place = np.arange(steps.size)
    apart = (place[:, None] - place) ** 2
    if not np.any(by_chance * apart):
        why = "both raters give one and the same score throughout"
        return RaterAgreement(exact, None, None, rows, n, why)
    kappa, weighted = (
        1.0 - n * int(np.sum(table * weight)) / int(np.sum(by_chance * weight))
        for weight in (np.minimum(apart, 1), apart)
    )
    return RaterAgreement(exact, kappa, weighted, rows, n)
