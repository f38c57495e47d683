"""One course, its readings, and draws of what the diameters may have been."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.measure.response.courses import Course
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.posterior import Noise, Posterior
from lesionary.measure.uncertainty.prior import N_CLASSES, ChangePrior
from lesionary.measure.uncertainty.readings import Readings, readings_of
from lesionary.measure.uncertainty.rules import UNIT, Picometres
from lesionary.measure.uncertainty.target_sets import choosable, n_choices

N_CHAINS = 40
"""A multiple of the number of classes: each class starts as many chains."""

N_EARLY = 10
"""Sweeps before the cohort is asked how its tumours change."""

N_WARM = 4
"""Sweeps after that, before the first draw counts; a source by itself goes on from there."""

N_EACH = 10
"""Draws from one chain's state."""

SOURCE_SHARE = 4
"""A source by itself gets a quarter of the chains and of the draws."""

N_EACH_OF_SOURCE = 25

LEAST_MM, LARGEST_MM = 1e-4, 2e4
"""Draws end here, far beyond any body: thresholds stay within whole numbers of 64 bits."""


@dataclass(slots=True)
class Case:
    """One course with errors.

    Parameters
    ----------
    course : Course
    readings : Readings
        Of the targets, and of other lesions that might have been targets.
    organs : dict of str to str
        Lesions to choose targets from, with their organs; empty where there is no choice.
    model : ErrorModel
    rng : numpy.random.Generator
    posterior : Posterior or None
        None where nothing was measured.
    """

    course: Course
    readings: Readings
    organs: dict[str, str]
    model: ErrorModel
    rng: np.random.Generator
    posterior: Posterior | None

    @classmethod
    def of(cls, course: Course, model: ErrorModel, seed: int) -> "Case":
        """Prepare a course; its generator depends on the seed and the names alone."""
        rng = generator_of(course.subject, course.reader, seed)
        organs = choosable(course)
        has_choice = n_choices(organs) > 1 or set(organs) != set(course.targets)
        has_choice = has_choice and bool(course.targets)
        readings = readings_of(course, list(organs) if has_choice else course.targets)
        posterior = None
        if len(readings):
            posterior = Posterior(readings, Noise.of(readings, model), rng, N_CHAINS)
        return cls(course, readings, organs if has_choice else {}, model, rng, posterior)

    def early(self) -> FloatArray | None:
        """Return how likely each class is under equal chances; None without any reading."""
        if self.posterior is None:
            return None
        flat = ChangePrior(np.full(N_CLASSES, 1 / N_CLASSES))
        counts = np.full(N_CLASSES, 0.5)
        for sweep in range(N_EARLY):
            self.posterior.sweep(flat)
            if sweep >= N_EARLY // 2:
                counts += np.bincount(self.posterior.classes, minlength=N_CLASSES)
        return counts

    def draw(self, prior: ChangePrior, n_draws: int) -> Picometres:
        """Draw sizes under all errors, in picometres, shape (draws, n)."""
        return self._drawn(self.posterior, prior, n_draws, N_EACH)

    def draw_source(self, prior: ChangePrior, n_draws: int, source: str) -> Picometres:
        """Draw sizes as if ``source``, reader or sampling, were the only error; fewer of them."""
        main = self.posterior
        if main is None:
            return self.readings.sizes[None]
        noise = Noise.of(
            self.readings,
            self.model,
            has_reader=source == "reader",
            has_sampling=source == "sampling",
        )
        alone = Posterior(self.readings, noise, self.rng, N_CHAINS // SOURCE_SHARE)
        few = slice(None, None, SOURCE_SHARE)
        alone.start(main.classes[few], main.factors[few], main.precisions[few])
        return self._drawn(alone, prior, n_draws // SOURCE_SHARE, N_EACH_OF_SOURCE)

    def _drawn(
        self, posterior: Posterior | None, prior: ChangePrior, n_draws: int, n_each: int
    ) -> Picometres:
        if posterior is None:
            return self.readings.sizes[None]
        for _ in range(N_WARM):
            posterior.sweep(prior)
        found: list[FloatArray] = []
        while sum(map(len, found)) < n_draws:
            found.append(posterior.draw(prior, n_each))
        logs = np.clip(np.concatenate(found)[:n_draws], np.log(LEAST_MM), np.log(LARGEST_MM))
        sizes: Picometres = np.rint(np.exp(logs) * UNIT).astype(np.int64)
        return sizes


def learned_prior(cases: Sequence[Case]) -> ChangePrior:
    """Let the cohort say how likely each class of change is."""
    found = [one for case in cases if (one := case.early()) is not None]
    return ChangePrior.learned(np.array(found)) if found else ChangePrior()


def generator_of(subject: str, reader: str, seed: int) -> np.random.Generator:
    """Return a subject's own generator: who else is in the cohort does not matter."""
    digest = hashlib.blake2b(f"{subject}\x00{reader}".encode(), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
