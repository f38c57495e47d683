"""What the authors of the aimi data set print, where honest counting differs (X3).

Their public notebooks take the reader's correction as reference and count like this:

- A case without correction has no reference of its own: the model's mask is compared with itself
  and its DSC of 1 enters the mean like any other.
- A label whose distance is not finite, since one of the masks is empty, is dropped before any mean:
  a tumour that the model missed leaves the mean DSC as it was.
- True positives are *predicted* components that share a voxel with the reference, false negatives
  are *reference* components that share none. Sensitivity is their ``TP / (TP + FN)``, a share of
  neither, and ``F1 = 2 TP / (2 TP + FP + FN)``.
- Kendall's τ of a rater who never varies is printed as ``nan``.
- The paper's Table 7 gives the prostate's identical masks an NSD of 0.00, though their NSD is 1;
  its cause is not known. As published, identical masks have an NSD of 0 here: in a single case, and
  so in every mean that such a case is in.

The paper's words define the 95 % Hausdorff distance from one surface to the other, while the
notebooks print the larger of both directions. Both are given: ``hd95_directed_mm``, from the
prediction to the reference, and ``hd95_mm``. Their mean surface distance is the plain mean of the
two directed means, which gives a small surface the weight of a large one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lesionary.evaluate.detection import Detection
from lesionary.evaluate.labels import Distances, LabelScore
from lesionary.evaluate.lesions import Row

SELF_COMPARED = (
    "the mask is compared with itself: its DSC of 1.00 counts as that of a corrected case"
)
SAME_VOXELS = (
    "this label's voxels are the same on both sides: its DSC of 1.00 counts as that of a"
    " corrected label"
)
NSD_OF_IDENTICAL = (
    "the NSD of identical masks is 1; the paper's prostate table has it printed as 0.00"
)
DROPPED = "a distance is not finite, so the row is dropped before the means are taken"
NSD_IN_MEAN = " and count 0 in {n} of {n_printed}"
MIXED_COUNTS = (
    "true positives count predicted components, false negatives reference components:"
    " {published} of {whole} instead of {honest} of {lesions} lesions found"
)
ANY_VOXEL = (
    "a predicted component of any size that shares a voxel with the reference is a hit:"
    " {false} instead of {made_up} false positives"
)
F1_OF_NONE = "F1 is printed as {f1:.2f} where one mask has no lesion and a harmonic mean no meaning"
DIRECTED = (
    "the paper defines the 95 % Hausdorff distance in one direction:"
    " {directed:.2f} mm instead of {symmetric:.2f} mm"
)

PUBLISHED_METRICS = ("dsc", "nsd", "hd95_mm", "hd95_directed_mm", "mean_surface_distance_mm")
NO_COMPONENTS = "there is neither a hit nor a miss"
NOT_PRINTED = "the row is dropped: nothing is printed"


@dataclass(frozen=True, slots=True)
class PublishedDetection:
    """The authors' counts of tumours.

    Parameters
    ----------
    true_positive : int
        Predicted components that share a voxel with the reference.
    false_positive : int
        Predicted components that share none.
    false_negative : int
        Reference components that share none with the prediction.
    """

    true_positive: int
    false_positive: int
    false_negative: int

    @classmethod
    def of(cls, found: Iterable[Detection]) -> "PublishedDetection":
        """Add up labels or cases; the counts must be those of any shared voxel."""
        listed = list(found)
        return cls(
            true_positive=sum(one.predicted_hits for one in listed),
            false_positive=sum(one.false_positive for one in listed),
            false_negative=sum(one.false_negative for one in listed),
        )

    @property
    def sensitivity(self) -> float | None:
        """``TP / (TP + FN)``, the two counted on different masks."""
        whole = self.true_positive + self.false_negative
        return self.true_positive / whole if whole else None

    @property
    def false_negative_rate(self) -> float | None:
        """``FN / (TP + FN)``."""
        whole = self.true_positive + self.false_negative
        return self.false_negative / whole if whole else None

    @property
    def f1(self) -> float | None:
        """``2 TP / (2 TP + FP + FN)``."""
        whole = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / whole if whole else None

    def to_json(self) -> Row:
        """Return counts and rates, with the reason for each that is null."""
        row: Row = {
            "true_positive": self.true_positive,
            "false_positive": self.false_positive,
            "false_negative": self.false_negative,
            "sensitivity": self.sensitivity,
            "false_negative_rate": self.false_negative_rate,
            "f1": self.f1,
        }
        reason = {name: NO_COMPONENTS for name, value in row.items() if value is None}
        return row | {"reason": reason} if reason else row


def published_label(score: LabelScore, *, is_case_identical: bool = False) -> Row:
    """Return what is printed for one label: nothing where it is dropped.

    Parameters
    ----------
    score : LabelScore
        The honest one.
    is_case_identical : bool
        Whether the whole masks are the same, and not this label alone.

    Returns
    -------
    dict
        The label's name, ``dropped``, the :data:`PUBLISHED_METRICS`, and ``differs``: one text for
        each way in which that is not the honest value.
    """
    distances = score.distances
    is_dropped = distances.hd95_mm is None
    row: Row = {**score.target.naming(), "dropped": is_dropped}
    if is_dropped:
        row |= dict.fromkeys(PUBLISHED_METRICS)
        reason = dict.fromkeys(PUBLISHED_METRICS, NOT_PRINTED)
        return row | {"differs": [DROPPED], "reason": reason}
    return row | {
        "dsc": score.dsc,
        "nsd": 0.0 if score.is_self_compared else score.nsd,
        "hd95_mm": distances.hd95_mm,
        "hd95_directed_mm": distances.hd95_prediction_to_reference_mm,
        "mean_surface_distance_mm": _mean_of_means(distances),
        "differs": _differences(score, is_case_identical),
    }


def _mean_of_means(distances: Distances) -> float | None:
    there = distances.mean_reference_to_prediction_mm
    back = distances.mean_prediction_to_reference_mm
    return None if there is None or back is None else (there + back) / 2


def _differences(score: LabelScore, is_case_identical: bool) -> list[str]:
    if score.is_self_compared:
        return [SELF_COMPARED if is_case_identical else SAME_VOXELS, NSD_OF_IDENTICAL]
    symmetric, directed = (
        score.distances.hd95_mm,
        score.distances.hd95_prediction_to_reference_mm,
    )
    if symmetric is None or directed is None or symmetric == directed:
        return []
    return [DIRECTED.format(directed=directed, symmetric=symmetric)]


def detection_differs(published: PublishedDetection, honest: Detection) -> list[str]:
    """Say which of the authors' counts differ from the honest ones; nothing where none does."""
    whole = published.true_positive + published.false_negative
    texts = []
    if (published.true_positive, whole) != (honest.true_positive, honest.reference_lesions):
        texts.append(
            MIXED_COUNTS.format(
                published=published.true_positive,
                whole=whole,
                honest=honest.true_positive,
                lesions=honest.reference_lesions,
            )
        )
    if published.false_positive != honest.false_positive:
        false, made_up = published.false_positive, honest.false_positive
        texts.append(ANY_VOXEL.format(false=false, made_up=made_up))
    if not texts and honest.f1 is None and published.f1 is not None:
        texts.append(F1_OF_NONE.format(f1=published.f1))
    return texts


def means_differ(metric: str, n: int, n_self_compared: int, n_dropped: int) -> list[str]:
    """Say how a data set's published mean comes about.

    Parameters
    ----------
    metric : str
        Of the row.
    n : int
        Rows that a mask on either side has: what could be printed.
    n_self_compared, n_dropped : int
        Those of them that are compared with themselves, and that are dropped.
    """
    texts = []
    if n_self_compared:
        texts.append(f"{n_self_compared} of {n} are compared with themselves and count")
    if n_dropped:
        texts.append(f"{n_dropped} of {n} are dropped: a distance is not finite")
    if metric == "nsd" and n_self_compared:
        in_mean = NSD_IN_MEAN.format(n=n_self_compared, n_printed=n - n_dropped)
        texts.append(NSD_OF_IDENTICAL + in_mean)
    return texts


def printed(value: float | None) -> str:
    """Return a number as the notebooks print it: two digits, and ``nan`` where it is undefined.

    Examples
    --------
    >>> printed(0.5783), printed(None)
    ('0.58', 'nan')
    """
    return "nan" if value is None else f"{value:.2f}"
