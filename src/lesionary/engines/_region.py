"""What a lesion in a box looks like: a tilted ellipsoid, and intensities unlike its surroundings.

Both built-in engines share this model and differ in how they smooth what it says. It alternates
between three estimates: which blocks belong to the lesion, how bright those and the others are,
and how the lesion is tilted in its box. Nothing in it knows an organ, a modality or a unit, and
all lengths are shares of the box, so that a 5 mm nodule and a 200 mm sarcoma are treated alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.annotate.fill import single_solid
from lesionary.annotate.prompts import BoxPrompt
from lesionary.core.volume import FloatArray, Mask, Volume
from lesionary.engines._grid import Field, WorkingGrid, working_grid
from lesionary.engines.ellipsoid import inscribed_ellipsoid, placed

Smoother = Callable[[Field], Field]
"""Turns log-odds, shape (K, J, I), into membership between 0 and 1."""

OUTSIDE = np.float32(-50.0)
"""Log-odds of blocks beyond the box: the prompt says that the lesion is not there."""


@dataclass(frozen=True, slots=True)
class RegionModel:
    """The few numbers of the model, each with a meaning.

    Parameters
    ----------
    radius : float
        Where a lesion ends as often as not, as a share of the inscribed ellipsoid's radius:
        readers draw boxes a little too large.
    steepness : float
        How sharply lesions end there: log-odds per radius.
    prior_cap, intensity_cap : float
        Log-odds that place alone, or brightness alone, may reach.
    core : float
        Radius of the core that sets the scale of intensities.
    scale : float
        Robust standard deviations of the core at which the intensity scale bends.
    bins, bandwidth : int, float
        Histogram bins, and the width in bins of the Gaussian that smooths them.
    n_rounds : int
        Alternations; twice as many change the mean Dice on real tumours by less than 0.001.
    """

    radius: float = 0.86
    steepness: float = 6.0
    prior_cap: float = 2.5
    intensity_cap: float = 4.0
    core: float = 0.5
    scale: float = 4.0
    bins: int = 48
    bandwidth: float = 1.5
    n_rounds: int = 5

    def membership(self, grid: WorkingGrid, smooth: Smoother) -> Field:
        """Estimate each block's membership in the lesion, shape (K, J, I), 0 beyond the box."""
        inside = grid.inside
        prior = self.prior_of(grid, np.eye(3))
        brightness = self.brightness_of(grid)
        bins = np.minimum((brightness * self.bins).astype(np.intp), self.bins - 1)
        smoothed = belongs = _membership_of(np.where(inside, prior, OUTSIDE))
        for _ in range(self.n_rounds):
            evidence = np.where(grid.valid, self._evidence(bins, belongs, grid.valid), 0.0)
            belongs = _membership_of(np.where(inside, prior + evidence, OUTSIDE))
            prior = self.prior_of(grid, tilt_of(grid, belongs))
            log_odds = np.where(inside, prior + evidence, OUTSIDE)
            smoothed = smooth(log_odds.astype(np.float32))
            belongs = np.where(inside & (smoothed > 0.5), np.float32(1.0), np.float32(0.0))
        return np.where(inside, smoothed, np.float32(0.0))

    def prior_of(self, grid: WorkingGrid, tilt: FloatArray) -> FloatArray:
        """Log-odds of belonging by place alone, shape (K, J, I)."""
        distance = self.radius - radius_of(grid, tilt)
        return np.clip(self.steepness * distance, -self.prior_cap, self.prior_cap)

    def brightness_of(self, grid: WorkingGrid) -> FloatArray:
        """Bend intensities to 0…1, steep near the core's median, flat far from it."""
        is_core = (radius_of(grid, np.eye(3)) < self.core) & grid.valid
        core = grid.values[is_core if is_core.any() else grid.valid]
        if core.size == 0:
            return np.full(grid.values.shape, 0.5)
        scale = _robust_deviation(core) or _robust_deviation(grid.values[grid.valid])
        # where nearly all is one value, whatever differs by more than rounding is different
        scale = max(scale, 1e-6 * float(np.abs(core).max()), float(np.finfo(np.float32).tiny))
        distance: FloatArray = (grid.values - np.median(core)) / (self.scale * scale)
        return (np.tanh(distance) + 1.0) / 2.0

    def _evidence(
        self, bins: NDArray[np.intp], belongs: Field, valid: NDArray[np.bool_]
    ) -> FloatArray:
        """Log-likelihood ratio of lesion against surroundings for each block's intensity."""
        seen = bins[valid]
        lesion = self._density(seen, belongs[valid])
        other = self._density(seen, 1.0 - belongs[valid])
        ratio = np.log(lesion / other)
        capped: FloatArray = np.clip(ratio, -self.intensity_cap, self.intensity_cap)[bins]
        return capped

    def _density(self, seen: NDArray[np.intp], weights: Field) -> FloatArray:
        from scipy.ndimage import gaussian_filter1d

        counts = np.bincount(seen, weights, minlength=self.bins).astype(np.float64)
        smooth = gaussian_filter1d(counts, self.bandwidth, mode="nearest")
        floor = 0.01 / self.bins  # an intensity never seen is rare, not impossible
        density: FloatArray = smooth / max(smooth.sum(), np.finfo(np.float64).tiny) + floor
        return density


def segment_region(
    volume: Volume,
    prompt: BoxPrompt,
    smoother_for: Callable[[WorkingGrid, RegionModel], Smoother],
) -> Mask:
    """Return the lesion in the prompt's box: one solid piece, never empty, never beyond the box.

    Where nothing is left after smoothing, as may be in a box of a few voxels, it is the inscribed
    ellipsoid.
    """
    prompt.require_inside(volume.geometry)
    grid, model = working_grid(volume, prompt.box), RegionModel()
    membership = model.membership(grid, smoother_for(grid, model))
    solid = single_solid(grid.voxels_of(membership))
    inside = solid if solid.any() else inscribed_ellipsoid(solid.shape)
    return placed(inside, volume.geometry, prompt.box)


def radius_of(grid: WorkingGrid, tilt: FloatArray) -> FloatArray:
    """Distance from the box's centre, 1 on the tilted ellipsoid's surface, shape (K, J, I).

    Parameters
    ----------
    grid : WorkingGrid
        Where the blocks lie.
    tilt : array, shape (3, 3)
        Correlations of the ellipsoid's coordinates: ones on the diagonal. Whatever they are, the
        ellipsoid touches all six faces of the box.
    """
    inverse = np.linalg.inv(tilt)
    squared: FloatArray = np.zeros(grid.values.shape)
    for a, x in enumerate(grid.positions):
        for b, y in enumerate(grid.positions):
            squared += inverse[a, b] * x * y
    return np.sqrt(np.maximum(squared, 0.0))


def tilt_of(grid: WorkingGrid, belongs: Field) -> FloatArray:
    """Correlations between the coordinates of what belongs, shape (3, 3), ones on the diagonal.

    Those of a full ellipsoid are its own, so a well estimated tilt stays as it is. Small objects
    are drawn toward no tilt, all of them a little, so that no ellipsoid collapses to a plane.
    """
    n = float(belongs.sum())
    if n == 0.0:
        return np.eye(3)
    means = [float((belongs * x).sum()) / n for x in grid.positions]
    centred = [x - mean for x, mean in zip(grid.positions, means, strict=True)]
    moments = np.array([[float((belongs * x * y).sum()) / n for y in centred] for x in centred])
    deviation = np.sqrt(np.maximum(np.diag(moments), 1e-12))
    correlations = moments / np.outer(deviation, deviation)
    np.fill_diagonal(correlations, 1.0)
    trust = 0.95 * n / (n + 30.0)
    tilt: FloatArray = trust * correlations + (1.0 - trust) * np.eye(3)
    return tilt


def _membership_of(log_odds: FloatArray) -> Field:
    return (1.0 / (1.0 + np.exp(-log_odds))).astype(np.float32)


def _robust_deviation(values: NDArray[np.floating]) -> float:
    """Return the standard deviation of a normal distribution with the same quartiles."""
    low, high = np.percentile(values, [25, 75])
    return float(high - low) / 1.349
