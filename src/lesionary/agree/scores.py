"""All figures of several readers about one object: one tumour, or all foreground of an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lesionary.agree.kappa import Coefficient, Domain, fleiss_kappa, krippendorff_alpha
from lesionary.agree.volumes import Pair, ReaderVolumes, pair_key, pairs_of
from lesionary.core.readers.consensus import Staple, staple
from lesionary.core.readers.patterns import ReaderPatterns
from lesionary.core.readers.performance import performance
from lesionary.core.statistics import Rmse, rmse_from_mean

NEITHER = "neither of the two drew it"
MISSED = "missed: nothing was drawn to measure"
NOT_MEASURED = "what was drawn has no diameter"
NO_DIFFERENCE = "one of the two has no diameter"

Lengths = tuple[float | None, ...]
"""One a reader, in millimetres; None where the reader drew nothing that can be measured."""


@dataclass(frozen=True)
class Scores:
    """How far readers agree about one object.

    Parameters
    ----------
    patterns : ReaderPatterns
        The object's voxels by who drew them, over the whole image.
    voxel_volume_mm3 : float
        Volume of one voxel.
    diameter_mm : tuple of float or None, optional
        Each reader's diameter, where the caller measures diameters.
    """

    patterns: ReaderPatterns
    voxel_volume_mm3: float
    diameter_mm: Lengths | None = None

    @property
    def n_readers(self) -> int:
        """How many readers, those who drew nothing included."""
        return self.patterns.n_readers

    @property
    def domain(self) -> Domain:
        """What kappa and alpha count: all voxels of the image."""
        return Domain("image", self.patterns.n_voxels)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every pair of readers, counted from 0."""
        return pairs_of(self.n_readers)

    @property
    def present(self) -> tuple[bool, ...]:
        """Tell of each reader whether any of it was drawn."""
        return tuple(n > 0 for n in self.volumes.voxels)

    @property
    def n_missed(self) -> int:
        """How many readers drew nothing of it."""
        return self.present.count(False)

    @cached_property
    def dice(self) -> dict[Pair, float | None]:
        """Dice of every pair: 0 where one of the two missed it, None where both did."""
        return {pair: self.patterns.dice(*pair) for pair in self.pairs}

    @cached_property
    def kappa(self) -> Coefficient:
        """Fleiss' kappa over the whole image."""
        return fleiss_kappa(self.patterns, self.domain)

    @cached_property
    def alpha(self) -> Coefficient:
        """Krippendorff's alpha over the whole image."""
        return krippendorff_alpha(self.patterns, self.domain)

    @cached_property
    def volumes(self) -> ReaderVolumes:
        """Volumes of all readers; 0 ml for one who missed it."""
        return ReaderVolumes(tuple(self.patterns.voxels.tolist()), self.voxel_volume_mm3)

    @cached_property
    def staple(self) -> Staple:
        """STAPLE's estimate over the whole image, and each reader's performance against it."""
        return staple(self.patterns)

    @property
    def consensus(self) -> dict[str, Any]:
        """The consensus' volume and how each reader stands to it, with a reason for each null.

        An empty consensus, where no voxel reaches a probability of ½, leaves sensitivity undefined.
        """
        found, readers = self.staple, performance(self.staple)
        document = {
            "method": "staple",
            "voxels": found.n_voxels,
            "volume_ml": found.n_voxels * self.voxel_volume_mm3 / 1000,
            "sensitivity": None if readers.sensitivity is None else readers.sensitivity.tolist(),
            "specificity": None if readers.specificity is None else readers.specificity.tolist(),
            "iterations": found.iterations,
            "is_converged": found.is_converged,
        }
        return with_reason(document, readers.reason)

    @cached_property
    def diameter_rmse(self) -> Rmse:
        """Root mean square distance of the diameters from their mean.

        Of the readers who have one: a diameter of something missed is unknown, not 0 mm.
        """
        return rmse_from_mean([mm for mm in self.diameter_mm or () if mm is not None])

    def diameter_difference_mm(self, pair: Pair) -> float | None:
        """Return the first diameter less the second; None where either is missing."""
        if self.diameter_mm is None:
            return None
        first, second = (self.diameter_mm[reader] for reader in pair)
        return None if first is None or second is None else first - second

    def to_json(self) -> dict[str, Any]:
        """Return the contract's fields; ``reason`` names each that is null or holds a null."""
        volumes = self.volumes
        document = {
            "domain": self.domain.to_json(),
            "dice": {pair_key(pair): dice for pair, dice in self.dice.items()},
            "fleiss_kappa": self.kappa.value,
            "krippendorff_alpha": self.alpha.value,
            "volume_ml": list(volumes.volume_ml),
            "volume_difference_ml": {
                pair_key(pair): volumes.difference_ml(pair) for pair in self.pairs
            },
            "volume_rmse_ml": volumes.rmse_ml,
            "volume_rmse_percent": volumes.rmse_percent,
            "consensus": self.consensus,
        }
        if self.diameter_mm is not None:
            document |= {
                "diameter_mm": list(self.diameter_mm),
                "diameter_difference_mm": {
                    pair_key(pair): self.diameter_difference_mm(pair) for pair in self.pairs
                },
                "diameter_rmse_mm": self.diameter_rmse.value,
            }
        return with_reason(document, self.reason)

    @property
    def reason(self) -> dict[str, str]:
        """Why a field of :meth:`to_json` is null or holds a null, for each that does."""
        neither = [pair_key(pair) for pair, dice in self.dice.items() if dice is None]
        reason = {"dice": f"{', '.join(neither)}: {NEITHER}"} if neither else {}
        for name, found in (("fleiss_kappa", self.kappa), ("krippendorff_alpha", self.alpha)):
            if found.reason:
                reason[name] = found.reason
        return reason | self.volumes.reason | self._why_no_diameter()

    def why_no_diameter(self, reader: int) -> str | None:
        """Say why a reader has no diameter; None where there is one, or none was asked for."""
        if self.diameter_mm is None or self.diameter_mm[reader] is not None:
            return None
        return NOT_MEASURED if self.present[reader] else MISSED

    def _why_no_diameter(self) -> dict[str, str]:
        if self.diameter_mm is None:
            return {}
        reason = {}
        whys = [(n + 1, self.why_no_diameter(n)) for n in range(self.n_readers)]
        missing = [f"{n}: {why}" for n, why in whys if why]
        if missing:
            reason["diameter_mm"] = "; ".join(missing)
        lost = [pair_key(p) for p in self.pairs if self.diameter_difference_mm(p) is None]
        if lost:
            reason["diameter_difference_mm"] = f"{', '.join(lost)}: {NO_DIFFERENCE}"
        if self.diameter_rmse.value is None:
            reason["diameter_rmse_mm"] = self.diameter_rmse.reason
        return reason


def with_reason(document: dict[str, Any], reason: Mapping[str, str]) -> dict[str, Any]:
    """Add ``reason`` where there is any."""
    return document | {"reason": dict(reason)} if reason else document
