"""One row a lesion: its size, whether it was found, and how well it was drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.evaluate.contacts import Contacts, Side

Row = dict[str, object]
"""Numbers, texts, lists and None only: ready for JSON."""


@dataclass(frozen=True, slots=True)
class ReferenceLesion:
    """One lesion of the reference.

    Parameters
    ----------
    lesion : int
        Counts from 1 within its label, largest first, as ``file measure`` counts.
    voxels : int
        Their number.
    volume_ml, diameter_mm : float
        Volume, and the diameter of the sphere that has it.
    is_hit : bool
        Whether the rule calls it found.
    dice : float
        Against the union of all predicted lesions of its label that share a voxel with it; 0
        where none does.
    iou : float
        The largest with any one predicted lesion.
    matched : tuple of int
        The predicted lesions that hit it.
    """

    lesion: int
    voxels: int
    volume_ml: float
    diameter_mm: float
    is_hit: bool
    dice: float
    iou: float
    matched: tuple[int, ...]

    def to_json(self) -> Row:
        """Return the row."""
        return {
            "lesion": self.lesion,
            "voxels": self.voxels,
            "volume_ml": self.volume_ml,
            "diameter_mm": self.diameter_mm,
            "hit": self.is_hit,
            "dice": self.dice,
            "iou": self.iou,
            "matched": list(self.matched),
        }


@dataclass(frozen=True, slots=True)
class PredictedLesion:
    """One predicted lesion: a hit, or a false positive. Fields as of :class:`ReferenceLesion`."""

    lesion: int
    voxels: int
    volume_ml: float
    diameter_mm: float
    is_hit: bool
    matched: tuple[int, ...]

    def to_json(self) -> Row:
        """Return the row."""
        return {
            "lesion": self.lesion,
            "voxels": self.voxels,
            "volume_ml": self.volume_ml,
            "diameter_mm": self.diameter_mm,
            "hit": self.is_hit,
            "matched": list(self.matched),
        }


@dataclass(frozen=True, eq=False, slots=True)
class LesionRows:
    """Makes the rows of one target's lesions.

    Parameters
    ----------
    reference, prediction : Side
        Components of both masks.
    touching, matched : Contacts
        Pairs of lesions that share a voxel, and those of them that the rule matches.
    reference_numbers, predicted_numbers : int64 arrays
        The components that are lesions of this target, in the order in which lesions count.
    voxel_volume_mm3 : float
        Of one voxel.
    """

    reference: Side
    prediction: Side
    touching: Contacts
    matched: Contacts
    reference_numbers: NDArray[np.int64]
    predicted_numbers: NDArray[np.int64]
    voxel_volume_mm3: float

    def of_reference(self) -> tuple[ReferenceLesion, ...]:
        """Return one row for each lesion of the reference, largest first."""
        reference, prediction = self.reference, self.prediction
        met, n = self.touching, len(reference)
        shared = np.bincount(met.first, met.voxels, n)
        against = np.bincount(met.first, prediction.voxels[met.second], n)
        dice = 2 * shared / (reference.voxels + against) if n else shared
        iou = np.zeros(n)
        np.maximum.at(iou, met.first, met.iou(reference, prediction))
        matched = _partners(self.matched.first, self.matched.second, self.predicted_numbers)
        return tuple(
            ReferenceLesion(
                lesion=place,
                voxels=int(reference.voxels[number]),
                volume_ml=self._volume_ml(reference, number),
                diameter_mm=self._diameter_mm(reference, number),
                is_hit=number in matched,
                dice=float(dice[number]),
                iou=float(iou[number]),
                matched=matched.get(number, ()),
            )
            for place, number in enumerate(self.reference_numbers.tolist(), start=1)
        )

    def of_prediction(self) -> tuple[PredictedLesion, ...]:
        """Return one row for each predicted lesion, largest first."""
        prediction = self.prediction
        matched = _partners(self.matched.second, self.matched.first, self.reference_numbers)
        return tuple(
            PredictedLesion(
                lesion=place,
                voxels=int(prediction.voxels[number]),
                volume_ml=self._volume_ml(prediction, number),
                diameter_mm=self._diameter_mm(prediction, number),
                is_hit=number in matched,
                matched=matched.get(number, ()),
            )
            for place, number in enumerate(self.predicted_numbers.tolist(), start=1)
        )

    def _volume_ml(self, side: Side, number: int) -> float:
        return float(side.voxels[number] * self.voxel_volume_mm3 / 1000)

    def _diameter_mm(self, side: Side, number: int) -> float:
        return equivalent_diameter_mm(float(side.voxels[number] * self.voxel_volume_mm3))


def equivalent_diameter_mm(volume_mm3: float) -> float:
    """Return the diameter of the sphere of this volume.

    Examples
    --------
    >>> round(equivalent_diameter_mm(523.5987755982989), 9)
    10.0
    """
    return float(np.cbrt(6 * volume_mm3 / np.pi))


def _partners(
    of: NDArray[np.int64], partners: NDArray[np.int64], numbers: NDArray[np.int64]
) -> dict[int, tuple[int, ...]]:
    """Map each component that has partners to their lesion numbers, ascending."""
    places = {number: place for place, number in enumerate(numbers.tolist(), start=1)}
    found: dict[int, list[int]] = {}
    for one, partner in zip(of.tolist(), partners.tolist(), strict=True):
        found.setdefault(one, []).append(places[partner])
    return {one: tuple(sorted(held)) for one, held in found.items()}
