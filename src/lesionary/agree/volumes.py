"""Readers' volumes of one object: how far apart, and how far from their mean (M6).

A reader who drew nothing has a volume of 0 ml and counts like any other: leaving that reader out
would make a missed tumour look like agreement.
"""

from dataclasses import dataclass
from itertools import combinations
from math import sqrt

Pair = tuple[int, int]
"""Positions of two readers, the first before the second, from 0."""

NO_VOLUME = "the readers' mean volume is 0 ml: nobody drew anything"
NO_SPREAD = "one reader is the mean: two or more are needed"


def pairs_of(n_readers: int) -> tuple[Pair, ...]:
    """Return every pair of readers: ``(0, 1), (0, 2), … (1, 2) …``."""
    return tuple(combinations(range(n_readers), 2))


def pair_key(pair: Pair) -> str:
    """Name a pair in documents, where readers count from 1.

    Examples
    --------
    >>> pair_key((0, 1))
    '1-2'
    """
    return f"{pair[0] + 1}-{pair[1] + 1}"


@dataclass(frozen=True, slots=True)
class ReaderVolumes:
    """How much each of several readers drew of one object.

    Parameters
    ----------
    voxels : tuple of int
        Of each reader, 0 for one who drew nothing.
    voxel_volume_mm3 : float
        Volume of one voxel.

    Examples
    --------
    >>> found = ReaderVolumes((900, 1000, 1100), 1.0)
    >>> found.volume_ml, found.difference_ml((0, 2))
    ((0.9, 1.0, 1.1), -0.2)
    >>> round(found.rmse_ml, 6), round(found.rmse_percent, 4)
    (0.08165, 8.165)
    """

    voxels: tuple[int, ...]
    voxel_volume_mm3: float

    @property
    def volume_ml(self) -> tuple[float, ...]:
        """Volume of each reader in millilitres."""
        return tuple(self._ml(n) for n in self.voxels)

    @property
    def mean_ml(self) -> float | None:
        """Mean of all readers; None without readers."""
        return self._ml(sum(self.voxels) / len(self.voxels)) if self.voxels else None

    @property
    def rmse_voxels(self) -> float | None:
        """Root mean square of the readers' deviations from their mean, in voxels.

        Divided by the number of readers, not by one less, as the mouse paper's RMSE is. None for
        one reader. Exactly 0 where all volumes are equal: the sum of squares is an integer.
        """
        n = len(self.voxels)
        if n < 2:
            return None
        return sqrt(n * sum(v * v for v in self.voxels) - sum(self.voxels) ** 2) / n

    @property
    def rmse_ml(self) -> float | None:
        """:attr:`rmse_voxels` in millilitres."""
        deviation = self.rmse_voxels
        return None if deviation is None else self._ml(deviation)

    @property
    def rmse_percent(self) -> float | None:
        """:attr:`rmse_voxels` in percent of the mean; None for one reader or a mean of 0."""
        deviation = self.rmse_voxels
        if deviation is None or not any(self.voxels):
            return None
        return 100 * deviation * len(self.voxels) / sum(self.voxels)

    @property
    def reason(self) -> dict[str, str]:
        """Why a figure is None, for each that is."""
        if len(self.voxels) < 2:
            return {"volume_rmse_ml": NO_SPREAD, "volume_rmse_percent": NO_SPREAD}
        return {} if any(self.voxels) else {"volume_rmse_percent": NO_VOLUME}

    def difference_ml(self, pair: Pair) -> float:
        """Return the first reader's volume less the second's, in millilitres."""
        return self._ml(self.voxels[pair[0]] - self.voxels[pair[1]])

    def _ml(self, voxels: float) -> float:
        return voxels * self.voxel_volume_mm3 / 1000
