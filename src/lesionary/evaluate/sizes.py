"""Detection by the size of the lesion: small ones are missed first, and a mean hides it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from lesionary.evaluate.lesions import PredictedLesion, ReferenceLesion, Row

NO_REFERENCE = "no reference lesion has this size"
NO_PREDICTION = "no predicted lesion has this size"


@dataclass(frozen=True, slots=True)
class SizeBin:
    """Lesions whose equivalent diameter lies in ``from_mm`` ≤ d < ``to_mm``.

    Parameters
    ----------
    from_mm : float
        Lower edge.
    to_mm : float or None
        Upper edge; None: no upper one.
    n, n_hit : int
        Reference lesions of this size, and those that were hit.
    sum_dice : float
        Of the reference lesions' Dice, those that were missed counting 0.
    n_predicted, n_predicted_hits : int
        Predicted lesions of this size, and those that hit a lesion of any size.
    """

    from_mm: float
    to_mm: float | None
    n: int
    n_hit: int
    sum_dice: float
    n_predicted: int
    n_predicted_hits: int

    def plus(self, other: "SizeBin") -> Self:
        """Return both together; the edges must be the same."""
        return type(self)(
            self.from_mm,
            self.to_mm,
            self.n + other.n,
            self.n_hit + other.n_hit,
            self.sum_dice + other.sum_dice,
            self.n_predicted + other.n_predicted,
            self.n_predicted_hits + other.n_predicted_hits,
        )

    def to_json(self) -> Row:
        """Return counts and shares, with the reason for each share that is null."""
        row: Row = {
            "from_mm": self.from_mm,
            "to_mm": self.to_mm,
            "n": self.n,
            "n_hit": self.n_hit,
            "sensitivity": self.n_hit / self.n if self.n else None,
            "mean_dice": self.sum_dice / self.n if self.n else None,
            "n_predicted": self.n_predicted,
            "n_predicted_hits": self.n_predicted_hits,
            "precision": self.n_predicted_hits / self.n_predicted if self.n_predicted else None,
        }
        reason = {} if self.to_mm is not None else {"to_mm": "the largest size has no upper edge"}
        if not self.n:
            reason |= dict.fromkeys(("sensitivity", "mean_dice"), NO_REFERENCE)
        if not self.n_predicted:
            reason["precision"] = NO_PREDICTION
        return row | {"reason": reason} if reason else row


def by_size(
    reference: Iterable[ReferenceLesion],
    predicted: Iterable[PredictedLesion],
    edges_mm: tuple[float, ...],
) -> tuple[SizeBin, ...]:
    """Sort lesions into bins of equivalent diameter.

    Parameters
    ----------
    reference, predicted : iterable of lesions
        Of one label or of many.
    edges_mm : tuple of float
        Ascending; a lesion on an edge belongs to the larger bin.

    Returns
    -------
    tuple of SizeBin
        One more than there are edges, those without a lesion included.
    """
    reference, predicted = list(reference), list(predicted)
    lows, highs = (0.0, *edges_mm), (*edges_mm, float("inf"))
    bins = []
    for low, high in zip(lows, highs, strict=True):
        held = [lesion for lesion in reference if low <= lesion.diameter_mm < high]
        made = [lesion for lesion in predicted if low <= lesion.diameter_mm < high]
        hits = [lesion for lesion in held if lesion.is_hit]
        bins.append(
            SizeBin(
                from_mm=low,
                to_mm=high if high != float("inf") else None,
                n=len(held),
                n_hit=len(hits),
                sum_dice=sum(lesion.dice for lesion in hits),
                n_predicted=len(made),
                n_predicted_hits=sum(lesion.is_hit for lesion in made),
            )
        )
    return tuple(bins)
