"""What the diameters may have been, given how they were read: draws from the posterior.

Given the scale of every noise and step, logarithms are jointly normal, and one small Cholesky
factor draws them. The scales are drawn in turn, by Gibbs and Metropolis steps, in many short chains
side by side.
"""

import math
from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.prior import (
    FIRST_SD,
    N_CLASSES,
    STEP_CHANCES,
    STEP_FACTORS,
    ChangePrior,
    Labels,
    step_variances,
)
from lesionary.measure.uncertainty.readings import Readings
from lesionary.measure.uncertainty.sampling import sampling_sd_mm

TYPICAL_MM = 25.0
MOST_SD = 1.0
"""Of one reading's noise, where a lesion is smaller than its error."""

_LEAST_SD = 1e-7
"""Keeps a covariance positive where nothing has an error; far below a picometre's effect."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Errors of one course's readings, as standard deviations of logarithms.

    Parameters
    ----------
    own_sd : array, shape (n,)
        Of a reading's own noise, with tails of ``tail_df``.
    sampling_sd : array, shape (n,)
        Of pixels and slices; normal.
    shared_sds : tuple of float
        Of what readings share: the reader's bias, a lesion's habit, a visit's effect.
    tail_df : float
    """

    own_sd: FloatArray
    sampling_sd: FloatArray
    shared_sds: tuple[float, float, float]
    tail_df: float

    @classmethod
    def of(
        cls,
        readings: Readings,
        model: ErrorModel,
        *,
        has_reader: bool = True,
        has_sampling: bool = True,
    ) -> "Noise":
        """Work out the errors of a course; each source can be left out."""
        n = len(readings)
        own, sampling, shared = np.zeros(n), np.zeros(n), (0.0, 0.0, 0.0)
        if has_reader:
            own = np.hypot(model.sd_percent / 100, model.sd_mm / readings.sizes_mm)
            own = np.minimum(own, MOST_SD)
            shared = (
                model.bias_sd_percent / 100,
                model.lesion_sd_percent / 100,
                model.visit_sd_percent / 100,
            )
        if has_sampling:
            slices_mm = np.where(np.isnan(readings.slices_mm), model.slice_mm, readings.slices_mm)
            sampling = sampling_sd_mm(readings.sizes_mm, slices_mm, model.pixel_mm)
            sampling = sampling / readings.sizes_mm
        return cls(own, sampling, shared, model.tail_df)

    @property
    def own_scale(self) -> FloatArray:
        """Scale of the t distribution that has this standard deviation."""
        if math.isinf(self.tail_df):
            return self.own_sd
        return self.own_sd * math.sqrt((self.tail_df - 2) / self.tail_df)


def _same(labels: Labels) -> FloatArray:
    found: FloatArray = (labels[:, None] == labels).astype(np.float64)
    return found


class Posterior:
    """Chains that wander over the scales of noise and steps of one course.

    Parameters
    ----------
    readings : Readings
        At least one.
    noise : Noise
    rng : numpy.random.Generator
    n_chains : int
    """

    def __init__(
        self, readings: Readings, noise: Noise, rng: np.random.Generator, n_chains: int
    ) -> None:
        self.readings, self.noise, self.rng = readings, noise, rng
        self.values = np.log(readings.sizes_mm) - math.log(TYPICAL_MM)
        self.first = FIRST_SD**2
        self.groups = (np.zeros_like(readings.visits), readings.lesions, readings.visits)
        self.fixed = self.first * _same(readings.chains)
        for sd, group in zip(noise.shared_sds, self.groups, strict=True):
            self.fixed = self.fixed + sd**2 * _same(group)
        self.has_tails = math.isfinite(noise.tail_df) and bool(noise.own_sd.any())
        n_steps = readings.n_visits - 1
        self.classes: Labels = np.arange(n_chains) % N_CLASSES
        self.factors: Labels = rng.choice(
            len(STEP_FACTORS), size=(n_chains, n_steps), p=STEP_CHANCES
        )
        self.precisions = np.ones((n_chains, len(readings)))
        if self.has_tails:
            df = noise.tail_df
            self.precisions = rng.gamma(df / 2, 2 / df, size=self.precisions.shape)

    def start(self, classes: Labels, factors: Labels, precisions: FloatArray) -> None:
        """Go on from other states."""
        self.classes, self.factors, self.precisions = classes, factors, precisions

    def sweep(self, prior: ChangePrior) -> None:
        """Move every chain once."""
        self._move_labels(prior)
        if self.has_tails:
            self._draw_precisions(self._given(1)[1])

    def draw(self, prior: ChangePrior, n_each: int) -> FloatArray:
        """Move every chain once, and draw.

        Returns
        -------
        array, shape (chains * n_each, n)
            Logarithms of diameters in mm.
        """
        self._move_labels(prior)
        truth, noise = self._given(n_each)
        if self.has_tails:
            self._draw_precisions(noise)
        return truth.reshape(-1, len(self.readings)) + math.log(TYPICAL_MM)

    def _move_labels(self, prior: ChangePrior) -> None:
        """Propose another class twice, and another factor of one step."""
        log_chances = np.log(prior.chances)
        n_chains, n_steps = self.factors.shape
        density = self._densities(self.classes, self.factors)
        for _ in range(2):
            classes = np.asarray(self.rng.integers(N_CLASSES, size=n_chains))
            gain = log_chances[classes] - log_chances[self.classes]
            density = self._move(classes, self.factors, gain, density)
        if n_steps == 0:
            return
        factors = self.factors.copy()
        steps = self.rng.integers(n_steps, size=n_chains)
        factors[np.arange(n_chains), steps] = self.rng.integers(len(STEP_FACTORS), size=n_chains)
        chances = np.log(STEP_CHANCES)
        gain = (chances[factors] - chances[self.factors]).sum(axis=1)
        self._move(self.classes, factors, gain, density)

    def _move(
        self, classes: Labels, factors: Labels, gain: FloatArray, density: FloatArray
    ) -> FloatArray:
        """Accept or refuse other labels, chain by chain; return the densities then."""
        other = self._densities(classes, factors)
        is_taken = np.log(self.rng.random(len(gain))) < gain + other - density
        self.classes = np.where(is_taken, classes, self.classes)
        self.factors = np.where(is_taken[:, None], factors, self.factors)
        return np.where(is_taken, other, density)

    def _variances(self) -> FloatArray:
        """Return each reading's own variance in each chain, shape (chains, n)."""
        own = self.noise.own_scale**2 / self.precisions
        found: FloatArray = own + self.noise.sampling_sd**2 + _LEAST_SD**2
        return found

    def _densities(self, classes: Labels, factors: Labels) -> FloatArray:
        from lesionary.measure.uncertainty._kernels import log_likelihoods

        shared, own = step_variances(classes, factors)
        return log_likelihoods(
            self.fixed, self.readings.visits, self.readings.chains, shared, own,
            self._variances(), self.values,
        )  # fmt: skip

    def _given(self, n_each: int) -> tuple[FloatArray, FloatArray]:
        """Draw truth and the readings' own noise, both of shape (chains, n_each, n)."""
        from lesionary.measure.uncertainty._kernels import truth_part, weights

        shared, own = step_variances(self.classes, self.factors)
        before = self._walks(shared, own, n_each)
        shape = before.shape
        scales = self.noise.own_scale / np.sqrt(self.precisions)
        noise = scales[:, None] * self.rng.standard_normal(shape)
        rest_sd = np.hypot(self.noise.sampling_sd, _LEAST_SD)
        rest = rest_sd * self.rng.standard_normal(shape) + self._structured(shape)
        visits, chains = self.readings.visits, self.readings.chains
        pulls = weights(
            self.fixed, visits, chains, shared, own, self._variances(),
            self.values - before - noise - rest,
        )  # fmt: skip
        truth = before + truth_part(self.first, visits, chains, shared, own, pulls)
        return truth, noise + scales[:, None] ** 2 * pulls

    def _walks(self, shared: FloatArray, own: FloatArray, n_each: int) -> FloatArray:
        """Draw diameters as the prior has them, shape (chains, n_each, n)."""
        n, n_visits = len(shared), self.readings.n_visits
        common = self._walk(shared, (n, n_each, n_visits))
        single = self._walk(own[:, None], (n, n_each, self.readings.n_chains, n_visits))
        first = self.rng.standard_normal((n, n_each, self.readings.n_chains))
        visits, chains = self.readings.visits, self.readings.chains
        drawn = common[:, :, visits] + single[:, :, chains, visits]
        found: FloatArray = drawn + math.sqrt(self.first) * first[:, :, chains]
        return found

    def _walk(self, until: FloatArray, shape: tuple[int, ...]) -> FloatArray:
        """Draw walks of the given variances, which start at 0."""
        steps = np.sqrt(until[..., 1:] - until[..., :-1])[:, None]
        walks = np.zeros(shape)
        normal = self.rng.standard_normal((*shape[:-1], shape[-1] - 1))
        np.cumsum(steps * normal, axis=-1, out=walks[..., 1:])
        return walks

    def _structured(self, shape: tuple[int, ...]) -> FloatArray:
        """Draw what readings share."""
        found = np.zeros(shape)
        for sd, group in zip(self.noise.shared_sds, self.groups, strict=True):
            n_groups = int(group.max()) + 1
            effects = sd * self.rng.standard_normal((*shape[:2], n_groups))
            found += effects[:, :, group]
        return found

    def _draw_precisions(self, noise: FloatArray) -> None:
        """Draw the scale of each reading's noise, given what the noise is."""
        df = self.noise.tail_df
        rate = df + (noise[:, 0] / self.noise.own_scale) ** 2
        self.precisions = self.rng.gamma((df + 1) / 2, 2 / rate)
