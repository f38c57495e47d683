"""How well one coarse scan explains another under a transform."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.engines._coarse import CoarseScan

_BINS = 32
_LEAST_VOXELS = 50


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well one scan explains another.

    Parameters
    ----------
    quality : float
        Correlation ratio, 0 … 1: the share of the later scan's variance that is explained by
        the earlier one's value, where either shows the body and both measured.
    overlap : float
        Share of the smaller body that lies in the other scan.
    """

    quality: float
    overlap: float

    @property
    def rank(self) -> float:
        """What starts are compared by: a good likeness of a sliver is no find."""
        return float(self.quality * min(self.overlap, 1.0) ** 0.25)


def judge(fixed: CoarseScan, moving: CoarseScan, matrix: FloatArray) -> Likeness:
    """Compare two scans under a transform from ``fixed`` to ``moving``."""
    from scipy.ndimage import affine_transform

    steps = np.linalg.inv(moving.matrix) @ matrix @ fixed.matrix
    shape = fixed.values.shape

    def carried(array: Any) -> Any:
        return affine_transform(
            array.astype(np.float32), steps[:3, :3], steps[:3, 3], shape, order=1
        )

    seen = (carried(moving.seen) > 0.5) & fixed.seen
    body = carried(moving.body) > 0.5
    domain = (fixed.body | body) & seen
    n_smaller = min(int(fixed.body.sum()), int(moving.body.sum()))
    overlap = float(min((fixed.body & seen).sum(), (body & seen).sum()) / max(n_smaller, 1))
    if domain.sum() < _LEAST_VOXELS:
        return Likeness(0.0, overlap)
    return Likeness(
        _correlation_ratio(fixed.values[domain], carried(moving.values)[domain]), overlap
    )


def _correlation_ratio(given: FloatArray, explained: FloatArray) -> float:
    """Return the share of variance of the second that the first's bin explains."""
    bins = np.minimum((given * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    sums = np.bincount(bins, explained, minlength=_BINS)
    total = float(((explained - explained.mean()) ** 2).sum())
    if total <= 0:
        return 0.0
    filled = counts > 0
    between = float(
        (sums[filled] ** 2 / counts[filled]).sum() - explained.size * explained.mean() ** 2
    )
    return float(np.clip(between / total, 0, 1))
