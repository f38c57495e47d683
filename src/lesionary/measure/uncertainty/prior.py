"""How tumours change between visits: what is thought before a reading, and learned from a cohort.

Logarithms of diameters walk from visit to visit. In some patients they hardly move, in others they
halve; patients therefore belong to *classes*, each with its standard deviation of a step, and steps
within a patient differ by a factor. Without such a prior the nadir, a smallest of noisy sums, lies
too low and stable patients seem to progress.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import FloatArray

STEP_SDS = (0.015, 0.05, 0.12, 0.25, 0.6)
"""Standard deviation of one step of a log diameter: from a stable patient to one who responds."""

SHARED = (0.3, 0.85)
"""Share of a step's variance that all lesions of the patient have in common."""

STEP_FACTORS = (0.3, 1.0, 2.5)
STEP_CHANCES = (0.25, 0.55, 0.2)
"""A step may be smaller or larger than the patient's others."""

FIRST_SD = 1.0
"""Of a log diameter at its first visit: any size between 3 and 150 mm is likely enough."""

N_CLASSES = len(STEP_SDS) * len(SHARED)
PSEUDO_PATIENTS = 5.0
"""What is thought before a cohort is seen weighs as much as so many patients."""

_SDS, _SHARED, _FACTORS = np.array(STEP_SDS), np.array(SHARED), np.array(STEP_FACTORS)

Labels = NDArray[np.int64]


def default_chances() -> FloatArray:
    """Return the chance of each class where there is no cohort, shape (classes,)."""
    steps = np.array([0.1, 0.25, 0.3, 0.25, 0.1])
    found: FloatArray = np.repeat(steps / len(SHARED), len(SHARED))
    return found


@dataclass(frozen=True, slots=True)
class ChangePrior:
    """How likely each class of change is.

    Parameters
    ----------
    chances : array, shape (classes,)
        Add up to 1.
    """

    chances: FloatArray = field(default_factory=default_chances)

    @classmethod
    def learned(cls, likelihoods: FloatArray, n_rounds: int = 50) -> "ChangePrior":
        """Estimate the classes' chances from a cohort, by expectation and maximisation.

        Parameters
        ----------
        likelihoods : array, shape (patients, classes)
            Of each patient's readings, up to a factor a patient.
        n_rounds : int
        """
        before = default_chances()
        chances = before
        for _ in range(n_rounds):
            joint = likelihoods * chances
            counts = (joint / joint.sum(axis=1, keepdims=True)).sum(axis=0)
            chances = (counts + PSEUDO_PATIENTS * before) / (len(likelihoods) + PSEUDO_PATIENTS)
        return cls(chances)


def step_variances(classes: Labels, factors: Labels) -> tuple[FloatArray, FloatArray]:
    """Return the variance of walks up to each visit, common to all chains and each one's own.

    Parameters
    ----------
    classes : array of int, shape (states,)
    factors : array of int, shape (states, visits - 1)

    Returns
    -------
    array, shape (states, visits)
        Common.
    array, shape (states, visits)
        Own.
    """
    share = _SHARED[classes % len(SHARED)][:, None]
    steps = _SDS[classes // len(SHARED)][:, None] * _FACTORS[factors]
    until = np.zeros((len(classes), factors.shape[1] + 1))
    np.cumsum(steps * steps, axis=1, out=until[:, 1:])
    return share * until, (1 - share) * until
