"""Which lesions were found: counts by a named rule, and a row for each lesion (A8).

Reference lesions and predicted lesions are counted apart, for one large prediction may hit many
lesions and one lesion may be hit by many crumbs. Sensitivity is a share of the reference's lesions,
precision a share of the predicted ones, and their sum of true positives need not agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import BoolArray
from lesionary.evaluate.contacts import Contacts, Side, contacts
from lesionary.evaluate.lesions import LesionRows, PredictedLesion, ReferenceLesion, Row
from lesionary.evaluate.options import MatchRule, Rule
from lesionary.evaluate.targets import Target

NO_REFERENCE = "the reference has no lesion"
NO_PREDICTION = "the prediction has no lesion"
NO_HARMONIC_MEAN = "sensitivity or precision is undefined"


@dataclass(frozen=True, slots=True)
class Detection:
    """How many lesions there are, how many were found, and how many were made up.

    Parameters
    ----------
    rule : str
        The matching rule.
    reference_lesions, predicted_lesions : int
        Components of at least ``min_voxels``.
    true_positive : int
        Reference lesions that were hit.
    predicted_hits : int
        Predicted lesions that hit one.
    """

    rule: str
    reference_lesions: int
    predicted_lesions: int
    true_positive: int
    predicted_hits: int

    @property
    def false_negative(self) -> int:
        """Reference lesions that were missed."""
        return self.reference_lesions - self.true_positive

    @property
    def false_positive(self) -> int:
        """Predicted lesions that hit none."""
        return self.predicted_lesions - self.predicted_hits

    @property
    def sensitivity(self) -> float | None:
        """Share of the reference lesions that were hit; None without any."""
        return _share(self.true_positive, self.reference_lesions)

    @property
    def false_negative_rate(self) -> float | None:
        """Share of the reference lesions that were missed; None without any."""
        return _share(self.false_negative, self.reference_lesions)

    @property
    def precision(self) -> float | None:
        """Share of the predicted lesions that hit one; None without any."""
        return _share(self.predicted_hits, self.predicted_lesions)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and precision; 0 where both are 0, None where one is."""
        if not (self.reference_lesions and self.predicted_lesions):
            return None
        # 2 sp / (s + p) with both fractions cleared: whole numbers, divided once
        both = self.true_positive * self.predicted_lesions
        both += self.predicted_hits * self.reference_lesions
        return 2 * self.true_positive * self.predicted_hits / both if both else 0.0

    def to_json(self) -> Row:
        """Return the contract's fields, with the reason for each that is null."""
        row: Row = {
            "rule": self.rule,
            "reference_lesions": self.reference_lesions,
            "predicted_lesions": self.predicted_lesions,
            "true_positive": self.true_positive,
            "false_negative": self.false_negative,
            "false_positive": self.false_positive,
            "predicted_hits": self.predicted_hits,
            "sensitivity": self.sensitivity,
            "false_negative_rate": self.false_negative_rate,
            "precision": self.precision,
            "f1": self.f1,
        }
        reason: dict[str, str] = {}
        if self.sensitivity is None:
            reason |= dict.fromkeys(("sensitivity", "false_negative_rate"), NO_REFERENCE)
        if self.precision is None:
            reason["precision"] = NO_PREDICTION
        if self.f1 is None:
            reason["f1"] = NO_HARMONIC_MEAN
        return row | {"reason": reason} if reason else row


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def summed(rule: MatchRule, parts: Iterable[Detection]) -> Detection:
    """Add up the counts of several labels or cases; of none at all everything is 0."""
    listed = list(parts)
    return Detection(
        rule=str(rule),
        reference_lesions=sum(part.reference_lesions for part in listed),
        predicted_lesions=sum(part.predicted_lesions for part in listed),
        true_positive=sum(part.true_positive for part in listed),
        predicted_hits=sum(part.predicted_hits for part in listed),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """What was found of one target.

    Parameters
    ----------
    detection : Detection
        The counts.
    reference, predicted : tuple of lesions
        One row each, largest first.
    dropped : tuple of int
        Components below ``min_voxels``, of the reference and of the prediction.
    published : Detection
        By any shared voxel over all components, whatever the options say: what the counts of the
        authors' notebooks are made from.
    """

    detection: Detection
    reference: tuple[ReferenceLesion, ...]
    predicted: tuple[PredictedLesion, ...]
    dropped: tuple[int, int]
    published: Detection


@dataclass(frozen=True, eq=False, slots=True)
class Sides:
    """The components of both masks and where they meet: made once, asked for every label."""

    reference: Side
    prediction: Side
    contacts: Contacts

    @classmethod
    def of(cls, reference: Side, prediction: Side) -> "Sides":
        """Let two sides meet."""
        return cls(reference, prediction, contacts(reference, prediction))

    def of_target(self, target: Target) -> "Sides":
        """Return the sides on which a target's lesions are components: a composite's are joined."""
        if not target.is_composite:
            return self
        return Sides.of(self.reference.merged(target.values), self.prediction.merged(target.values))


def find_lesions(
    sides: Sides, target: Target, rule: MatchRule, min_voxels: int, voxel_volume_mm3: float
) -> Found:
    """Match the lesions of one target.

    Parameters
    ----------
    sides : Sides
        Components of the two whole label maps.
    target : Target
        A label, or several that count as one.
    rule : MatchRule
        When a lesion is hit.
    min_voxels : int
        Smaller components are left out on both sides.
    voxel_volume_mm3 : float
        Of one voxel.

    Returns
    -------
    Found
        All counts are 0 where neither side has the target.
    """
    own = sides.of_target(target)
    value = 1 if target.is_composite else target.values[0]
    reference, prediction = own.reference, own.prediction
    is_reference = reference.values == value
    is_predicted = prediction.values == value
    met = _among(own.contacts, is_reference, is_predicted)
    large_reference = is_reference & (reference.voxels >= min_voxels)
    large_predicted = is_predicted & (prediction.voxels >= min_voxels)
    touching = _among(met, large_reference, large_predicted)
    is_match = _matches(touching, touching.iou(reference, prediction), rule)
    matched = Contacts(
        touching.first[is_match], touching.second[is_match], touching.voxels[is_match]
    )
    rows = LesionRows(
        reference,
        prediction,
        touching,
        matched,
        _numbers(reference, large_reference),
        _numbers(prediction, large_predicted),
        voxel_volume_mm3,
    )
    return Found(
        detection=_counted(str(rule), large_reference, large_predicted, matched),
        reference=rows.of_reference(),
        predicted=rows.of_prediction(),
        dropped=(
            int(np.count_nonzero(is_reference & ~large_reference)),
            int(np.count_nonzero(is_predicted & ~large_predicted)),
        ),
        published=_counted(str(MatchRule()), is_reference, is_predicted, met),
    )


def _among(met: Contacts, is_first: BoolArray, is_second: BoolArray) -> Contacts:
    wanted = is_first[met.first] & is_second[met.second]
    return Contacts(met.first[wanted], met.second[wanted], met.voxels[wanted])


def _counted(rule: str, first: BoolArray, second: BoolArray, matched: Contacts) -> Detection:
    return Detection(
        rule=rule,
        reference_lesions=int(np.count_nonzero(first)),
        predicted_lesions=int(np.count_nonzero(second)),
        true_positive=len(np.unique(matched.first)),
        predicted_hits=len(np.unique(matched.second)),
    )


def _numbers(side: Side, is_lesion: BoolArray) -> NDArray[np.int64]:
    """List the components that are lesions, largest first, ties by first voxel."""
    lesions = np.flatnonzero(is_lesion)
    order: NDArray[np.int64] = lesions[np.argsort(-side.voxels[lesions], kind="stable")]
    return order


def _matches(met: Contacts, iou: NDArray[np.float64], rule: MatchRule) -> BoolArray:
    """Tell of each pair whether the rule matches it."""
    if rule.rule is Rule.ONE_TO_ONE:
        return _assigned(met, iou)
    if rule.threshold is not None:
        return iou >= rule.threshold
    return np.ones(len(iou), dtype=np.bool_)


def _assigned(met: Contacts, iou: NDArray[np.float64]) -> BoolArray:
    """Choose the pairs whose intersections over union have the largest sum, each lesion once.

    Lesions that are linked by no chain of contacts cannot compete, so each linked group is solved
    by itself: the work grows with the largest group, not with the number of lesions.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    chosen = np.zeros(len(iou), dtype=np.bool_)
    if len(iou) == 0:
        return chosen
    firsts, rows = np.unique(met.first, return_inverse=True)
    seconds, columns = np.unique(met.second, return_inverse=True)
    n = len(firsts) + len(seconds)
    links = coo_array((np.ones(len(iou)), (rows, columns + len(firsts))), shape=(n, n))
    group_of_pair = connected_components(links, directed=False)[1][rows]
    order = np.argsort(group_of_pair, kind="stable")
    ends = np.flatnonzero(np.diff(group_of_pair[order])) + 1
    for pairs in np.split(order, ends):
        mine, row = np.unique(rows[pairs], return_inverse=True)
        theirs, column = np.unique(columns[pairs], return_inverse=True)
        weights = np.zeros((len(mine), len(theirs)))
        weights[row, column] = iou[pairs]
        best = np.zeros(weights.shape, dtype=np.bool_)
        best[linear_sum_assignment(weights, maximize=True)] = True
        chosen[pairs] = best[row, column]
    return chosen
