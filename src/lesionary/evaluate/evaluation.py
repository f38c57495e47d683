"""A prediction against a reference: labels, composites, lesions, honest and as published.

One pass counts the overlap of all labels, one pass a side finds the components; everything else is
computed from those and from crops around each label. The fields are those of
``file evaluate --json`` (``docs/reference/evaluate.md``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.core.errors import InputError
from lesionary.core.overlap import overlap
from lesionary.core.readers.consensus import Method, consensus
from lesionary.core.volume import LabelMap
from lesionary.evaluate.as_published import (
    DROPPED,
    SELF_COMPARED,
    PublishedDetection,
    detection_differs,
    published_label,
)
from lesionary.evaluate.contacts import Side
from lesionary.evaluate.detection import Detection, Found, Sides, find_lesions, summed
from lesionary.evaluate.entries import CONSENSUS, MEAN
from lesionary.evaluate.labels import LabelScore, score_label
from lesionary.evaluate.lesions import Row
from lesionary.evaluate.means import mean_of
from lesionary.evaluate.options import EvaluateOptions
from lesionary.evaluate.sizes import by_size
from lesionary.evaluate.targets import Target, clashing_texts, targets, unused_tolerances

NO_LABELS = "both masks are empty"
RESERVED = frozenset({MEAN, CONSENSUS})
ONE_REFERENCE = "one reference has no consensus"


@dataclass(frozen=True, slots=True, eq=False)
class TargetResult:
    """What one label or composite came to."""

    score: LabelScore
    found: Found

    @property
    def target(self) -> Target:
        """What was compared."""
        return self.score.target


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One prediction against one reference.

    Parameters
    ----------
    results : tuple of TargetResult
        Labels by value, then composites.
    is_self_compared : bool
        Whether the two masks are the same voxel for voxel, and not empty.
    warnings : tuple of str
        Values that the two masks call by different names; tolerances that nothing has.
    options : EvaluateOptions
        How it was done.
    """

    results: tuple[TargetResult, ...]
    is_self_compared: bool
    warnings: tuple[str, ...]
    options: EvaluateOptions

    @property
    def detection(self) -> Detection:
        """Counts of all labels together; composites would count their lesions twice."""
        return summed(self.options.match, (result.found.detection for result in self._labels))

    @property
    def _labels(self) -> list[TargetResult]:
        return [result for result in self.results if not result.target.is_composite]

    def to_json(self) -> dict[str, Any]:
        """Return the contract's document."""
        labels = self._labels
        document: dict[str, Any] = {
            "labels": [self._row(result) for result in self.results],
            "detection": self.detection.to_json(),
            "by_size": _sizes(labels, self.options),
            "lesions": _lesions(self.results),
            "min_voxels": self.options.min_voxels,
            "self_compared": self.is_self_compared,
            "as_published": self._as_published(),
            "warnings": list(self.warnings),
        }
        return document | {"reason": {"labels": NO_LABELS}} if not self.results else document

    def _row(self, result: TargetResult) -> Row:
        dropped_reference, dropped_predicted = result.found.dropped
        row = result.score.to_json()
        reason = row.pop("reason", None)
        row |= {
            "detection": result.found.detection.to_json()
            | {"reference_dropped": dropped_reference, "predicted_dropped": dropped_predicted},
            "by_size": _sizes([result], self.options),
        }
        return row | {"reason": reason} if reason else row

    def _as_published(self) -> Row:
        rows = [
            published_label(result.score, is_case_identical=self.is_self_compared)
            for result in self.results
        ]
        counts = PublishedDetection.of(result.found.published for result in self._labels)
        differs = []
        if self.is_self_compared:
            differs.append(SELF_COMPARED)
        names = [str(row["label"]) for row in rows if row["dropped"]]
        if names:
            differs.append(f"{', '.join(names)}: {DROPPED}")
        return {
            "labels": [
                row | {"detection": PublishedDetection.of([result.found.published]).to_json()}
                for row, result in zip(rows, self.results, strict=True)
            ],
            "detection": counts.to_json(),
            "differs": differs + detection_differs(counts, self.detection),
        }


def _sizes(results: Sequence[TargetResult], options: EvaluateOptions) -> list[Row]:
    reference = [lesion for result in results for lesion in result.found.reference]
    predicted = [lesion for result in results for lesion in result.found.predicted]
    return [size.to_json() for size in by_size(reference, predicted, options.size_edges_mm)]


def _lesions(results: Sequence[TargetResult]) -> Row:
    return {
        "reference": [
            result.target.naming() | lesion.to_json()
            for result in results
            for lesion in result.found.reference
        ],
        "predicted": [
            result.target.naming() | lesion.to_json()
            for result in results
            for lesion in result.found.predicted
        ],
    }


def evaluate(
    reference: LabelMap,
    prediction: LabelMap,
    options: EvaluateOptions | None = None,
    *,
    predicted: Side | None = None,
) -> Evaluation:
    """Score a prediction.

    Parameters
    ----------
    reference : LabelMap
        What it is compared against. Its texts name the labels, the prediction's fill in.
    prediction : LabelMap
        On the same grid.
    options : EvaluateOptions, optional
        Those of ``file evaluate`` by default.
    predicted : Side, optional
        The prediction's components, where they are known already.

    Returns
    -------
    Evaluation
        Every value of either mask, then every composite. Two empty masks have no labels, and every
        composite is undefined.

    Raises
    ------
    GeometryMismatchError
        If the grids differ.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionary.core.volume import Geometry
    >>> grid = Geometry((1, 1, 4), np.eye(4))
    >>> drawn = LabelMap(np.array([[[1, 1, 0, 2]]], dtype=np.uint16), grid)
    >>> model = LabelMap(np.array([[[1, 0, 0, 2]]], dtype=np.uint16), grid)
    >>> document = evaluate(drawn, model).to_json()
    >>> [(row["label"], round(row["dsc"], 3)) for row in document["labels"]]
    [(1, 0.667), (2, 1.0)]
    >>> document["detection"]["sensitivity"]
    1.0
    """
    options = options or EvaluateOptions()
    reference.geometry.require_same_grid(prediction.geometry)
    shared = overlap(reference.array, prediction.array)
    sides = Sides.of(Side.of(reference.array), predicted or Side.of(prediction.array))
    voxel_volume_mm3 = reference.geometry.voxel_volume_mm3
    listed = targets(shared.values, reference, prediction, options)
    return Evaluation(
        results=tuple(
            TargetResult(
                score_label(reference, prediction, shared, target),
                find_lesions(sides, target, options.match, options.min_voxels, voxel_volume_mm3),
            )
            for target in listed
        ),
        is_self_compared=shared.is_identical(),
        warnings=clashing_texts(reference, prediction) + unused_tolerances(listed, options),
        options=options,
    )


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationAgainst:
    """One prediction against several references.

    Parameters
    ----------
    evaluations : tuple of (str, Evaluation)
        One for each reference, by its name.
    consensus : Evaluation or None
        Against the consensus of the references; None where there is but one.
    method : Method
        How the consensus was made.
    """

    evaluations: tuple[tuple[str, Evaluation], ...]
    consensus: Evaluation | None
    method: Method

    def to_json(self) -> dict[str, Any]:
        """Return ``{"references": […], "mean": {…}, "consensus": {…}}``."""
        documents = [
            {"reference": name} | evaluation.to_json() for name, evaluation in self.evaluations
        ]
        document: dict[str, Any] = {"references": documents, "mean": mean_of(documents)}
        if self.consensus is None:
            return document | {"consensus": None, "reason": {"consensus": ONE_REFERENCE}}
        return document | {"consensus": {"method": self.method.value} | self.consensus.to_json()}


def evaluate_against(
    references: Sequence[tuple[str, LabelMap]],
    prediction: LabelMap,
    options: EvaluateOptions | None = None,
    *,
    method: Method | str = Method.STAPLE,
) -> EvaluationAgainst:
    """Score a prediction against each of several readers, and against their consensus (M7).

    Parameters
    ----------
    references : sequence of (str, LabelMap)
        A name and a mask each, all on the prediction's grid.
    prediction : LabelMap
        What is scored; it takes no part in the consensus.
    options : EvaluateOptions, optional
        The same for each reference.
    method : Method or str
        How the consensus is made, label by label: ``staple`` or ``majority``.

    Raises
    ------
    InputError
        If there is no reference, two have one name, or the method is another word.
    GeometryMismatchError
        If the grids differ.
    """
    if method not in set(Method):
        raise InputError(f"a consensus is {' or '.join(Method)}, not {method!r}")
    names = {name for name, _ in references}
    if not names or len(names) < len(references) or names & RESERVED:
        raise InputError(
            "each reference needs a name of its own, and there must be one",
            hint=f"{' and '.join(sorted(RESERVED))} are what is made of all of them",
        )
    predicted = Side.of(prediction.array)
    evaluations = tuple(
        (name, evaluate(reference, prediction, options, predicted=predicted))
        for name, reference in references
    )
    agreed = None
    if len(references) > 1:
        texts = {value: text for _, one in references for value, text in one.labels.items()}
        found = consensus([reference.array for _, reference in references], method)
        drawn = LabelMap(found.array, prediction.geometry, texts)
        agreed = evaluate(drawn, prediction, options, predicted=predicted)
    return EvaluationAgainst(evaluations, agreed, Method(method))
