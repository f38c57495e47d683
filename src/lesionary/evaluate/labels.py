"""How well one label of a prediction lies on the reference: overlap, surfaces, volume (A8).

Surfaces are surfels as the PyPI package ``surface-distance`` defines them: each piece of surface
counts by its area, the 95th percentile is taken in each direction, and the larger of the two is the
symmetric one.

What empty masks give:

=========  ==========  ========  =========
reference  prediction  dsc, nsd  distances
=========  ==========  ========  =========
empty      empty       None      None
empty      full        0         None
full       empty       0         None
=========  ==========  ========  =========
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.core.volume import LabelMap
from lesionary.evaluate.lesions import Row
from lesionary.evaluate.targets import Target

if TYPE_CHECKING:
    from lesionary.core.overlap import Overlap

EMPTY_BOTH = "neither mask has the label"
EMPTY_REFERENCE = "the reference does not have the label: there is no distance to nothing"
EMPTY_PREDICTION = "the prediction does not have the label: there is no distance to nothing"

DISTANCE_FIELDS = (
    "hd95_mm",
    "hd95_reference_to_prediction_mm",
    "hd95_prediction_to_reference_mm",
    "mean_surface_distance_mm",
    "mean_reference_to_prediction_mm",
    "mean_prediction_to_reference_mm",
    "hausdorff_mm",
)
"""What is None together where one side is empty."""

SHARE_FIELDS = ("dsc", "nsd")
"""What is None where both sides are empty, as the distances are."""


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances between two surfaces in mm, each None where one of them does not exist.

    Parameters
    ----------
    hd95_mm : float or None
        The larger of the two directed 95th percentiles.
    hd95_reference_to_prediction_mm, hd95_prediction_to_reference_mm : float or None
        Within this lie 95 % of the first surface's area from the second surface.
    mean_surface_distance_mm : float or None
        Mean over the area of both surfaces.
    mean_reference_to_prediction_mm, mean_prediction_to_reference_mm : float or None
        Mean over the area of one.
    hausdorff_mm : float or None
        The largest distance of all, symmetric.
    """

    hd95_mm: float | None = None
    hd95_reference_to_prediction_mm: float | None = None
    hd95_prediction_to_reference_mm: float | None = None
    mean_surface_distance_mm: float | None = None
    mean_reference_to_prediction_mm: float | None = None
    mean_prediction_to_reference_mm: float | None = None
    hausdorff_mm: float | None = None

    def to_json(self) -> Row:
        """Return the fields."""
        return {name: getattr(self, name) for name in DISTANCE_FIELDS}


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label or composite of one prediction against one reference.

    Parameters
    ----------
    target : Target
        What was scored.
    dsc : float or None
        Sørensen–Dice coefficient of the voxels.
    nsd : float or None
        Share of both surfaces' area that lies within the target's tolerance of the other surface.
    distances : Distances
        Between the surfaces.
    reference_voxels, predicted_voxels : int
        On each side.
    voxel_volume_mm3 : float
        Of one voxel.
    """

    target: Target
    dsc: float | None
    nsd: float | None
    distances: Distances
    reference_voxels: int
    predicted_voxels: int
    voxel_volume_mm3: float

    @property
    def is_self_compared(self) -> bool:
        """Whether both sides are the same voxels: most likely one mask under two names."""
        return self.dsc == 1.0

    @property
    def is_missed(self) -> bool:
        """Whether the reference has it and the prediction does not."""
        return self.reference_voxels > 0 and self.predicted_voxels == 0

    @property
    def is_spurious(self) -> bool:
        """Whether the prediction has it and the reference does not."""
        return self.predicted_voxels > 0 and self.reference_voxels == 0

    @property
    def reason(self) -> dict[str, str]:
        """Why a field is None, for each that is."""
        if self.reference_voxels and self.predicted_voxels:
            return {}
        if self.is_missed:
            return dict.fromkeys(DISTANCE_FIELDS, EMPTY_PREDICTION)
        if self.is_spurious:
            return dict.fromkeys(DISTANCE_FIELDS, EMPTY_REFERENCE)
        return dict.fromkeys((*SHARE_FIELDS, *DISTANCE_FIELDS), EMPTY_BOTH)

    def volume_ml(self, voxels: int) -> float:
        """Return what so many voxels hold."""
        return voxels * self.voxel_volume_mm3 / 1000

    def to_json(self) -> Row:
        """Return the contract's fields but detection, and the reason for each that is null."""
        row: Row = {
            **self.target.naming(),
            "dsc": self.dsc,
            "nsd": self.nsd,
            "tolerance_mm": self.target.tolerance_mm,
            **self.distances.to_json(),
            "volume_difference_ml": self.volume_ml(self.predicted_voxels - self.reference_voxels),
            "reference_volume_ml": self.volume_ml(self.reference_voxels),
            "predicted_volume_ml": self.volume_ml(self.predicted_voxels),
            "self_compared": self.is_self_compared,
            "missed": self.is_missed,
            "spurious": self.is_spurious,
        }
        return row | {"reason": self.reason} if self.reason else row


def score_label(
    reference: LabelMap, prediction: LabelMap, shared: "Overlap", target: Target
) -> LabelScore:
    """Compare one label or composite.

    Parameters
    ----------
    reference, prediction : LabelMap
        On one grid.
    shared : Overlap
        Of the two, reference first.
    target : Target
        What counts as inside, and the tolerance.

    Returns
    -------
    LabelScore
        See the top of the module for empty masks. The same voxels on both sides have a Dice of
        exactly 1, an NSD of 1 and distances of 0.
    """
    reference_voxels = shared.first_voxels(target.values)
    predicted_voxels = shared.second_voxels(target.values)
    dsc = shared.dice(target.values)
    nsd, distances = (None if dsc is None else 0.0), Distances()
    if dsc == 1.0:
        nsd, distances = 1.0, Distances(*([0.0] * len(DISTANCE_FIELDS)))
    elif reference_voxels and predicted_voxels:
        nsd, distances = _of_surfaces(reference, prediction, shared, target)
    return LabelScore(
        target=target,
        dsc=dsc,
        nsd=nsd,
        distances=distances,
        reference_voxels=reference_voxels,
        predicted_voxels=predicted_voxels,
        voxel_volume_mm3=reference.geometry.voxel_volume_mm3,
    )


def _of_surfaces(
    reference: LabelMap, prediction: LabelMap, shared: "Overlap", target: Target
) -> tuple[float | None, Distances]:
    from lesionary.core.surfaces.surface import surface_distances

    surfaces = surface_distances(
        reference.array,
        prediction.array,
        reference.geometry.spacing_mm,
        values=frozenset(target.values),
        box=shared.union_box(target.values),
    )
    hd95, mean = surfaces.hausdorff_mm(95), surfaces.mean_directed_mm
    return surfaces.nsd(target.tolerance_mm), Distances(
        hd95_mm=hd95.symmetric,
        hd95_reference_to_prediction_mm=hd95.first_to_second,
        hd95_prediction_to_reference_mm=hd95.second_to_first,
        mean_surface_distance_mm=mean.symmetric,
        mean_reference_to_prediction_mm=mean.first_to_second,
        mean_prediction_to_reference_mm=mean.second_to_first,
        hausdorff_mm=surfaces.hausdorff_mm(100).symmetric,
    )
