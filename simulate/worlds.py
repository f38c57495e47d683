"""Made-up patients and readers: what the lesions are, and how they are read.

Nothing here comes from the model that is put to the test, but for the names of its errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lesionary.core.terms import LesionKind
from lesionary.measure.response.records import Observation, Role, Status

Array: TypeAlias = NDArray[np.float64]
Residuals: TypeAlias = Callable[[np.random.Generator, Array], Array]
"""Draws factors of readings for diameters, which are readings' errors without structure."""

ORGANS = ("liver", "lung", "bone", "adrenal gland", "kidney")
N_VISITS = 6
GONE_MM = 2.0
NODE_SHARE = 0.25


class Kind(StrEnum):
    """How a patient's tumours go."""

    STABLE = "stable"
    U_SHAPED = "shrinking, then growing"
    GROWING = "growing"
    DISCORDANT = "each lesion its own way"
    MIXED = "a mixture of all"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader's true errors, as standard deviations; what is left out is 0.

    Parameters
    ----------
    bias, lesion, visit, noise : float
        Of logarithms.
    noise_mm : float
    tail_df : float
    residuals : callable, optional
        Draws factors in place of ``noise``, ``noise_mm`` and ``tail_df``.
    """

    bias: float = 0.0
    lesion: float = 0.0
    visit: float = 0.0
    noise: float = 0.0
    noise_mm: float = 0.0
    tail_df: float = np.inf
    residuals: Residuals | None = None

    def read(self, rng: np.random.Generator, sizes_mm: Array) -> Array:
        """Read diameters of shape (lesions, visits), to 0.1 mm."""
        n_lesions, n_visits = sizes_mm.shape
        shared = (
            self.bias * rng.standard_normal()
            + self.lesion * rng.standard_normal((n_lesions, 1))
            + self.visit * rng.standard_normal((1, n_visits))
        )
        if self.residuals is not None:
            factors = self.residuals(rng, sizes_mm)
        else:
            factors = np.exp(self._noise(rng, sizes_mm))
        return np.round(np.maximum(sizes_mm * np.exp(shared) * factors, 0.1), 1)

    def _noise(self, rng: np.random.Generator, sizes_mm: Array) -> Array:
        sd = np.hypot(self.noise, self.noise_mm / sizes_mm)
        if np.isinf(self.tail_df):
            return sd * rng.standard_normal(sizes_mm.shape)
        scale = sd * np.sqrt((self.tail_df - 2) / self.tail_df)
        return scale * rng.standard_t(self.tail_df, sizes_mm.shape)


@dataclass(frozen=True, slots=True)
class Patient:
    """True diameters, shape (lesions, visits), and which lesions are nodes."""

    name: str
    sizes_mm: Array
    is_node: NDArray[np.bool_]

    def rows(self, read_mm: Array | None = None, reader: str = "") -> list[Observation]:
        """Return the patient's table as read, or the truth where nobody read it."""
        shown = self.sizes_mm if read_mm is None else read_mm
        return [
            self._row(lesion, visit, float(shown[lesion, visit]), reader)
            for lesion, visit in np.ndindex(*shown.shape)
        ]

    def _row(self, lesion: int, visit: int, size_mm: float, reader: str) -> Observation:
        is_gone = self.sizes_mm[lesion, visit] < GONE_MM
        is_node = bool(self.is_node[lesion])
        return Observation(
            subject=self.name,
            timepoint=str(visit),
            lesion=f"L{lesion}",
            role=Role.TARGET,
            kind=LesionKind.NODE if is_node else LesionKind.TUMOUR,
            organ="axillary" if is_node else ORGANS[lesion],
            diameter_mm=None if is_gone else Decimal(f"{size_mm:.9f}"),
            status=Status.ABSENT if is_gone else Status.PRESENT,
            slice_thickness_mm=None,
            reader=reader,
        )


def patients(
    rng: np.random.Generator, kind: Kind, n: int, first: int = 0, largest_mm: float = 80.0
) -> list[Patient]:
    """Make up a cohort."""
    return [_patient(rng, kind, f"P{place:05d}", largest_mm) for place in range(first, first + n)]


def _patient(rng: np.random.Generator, kind: Kind, name: str, largest_mm: float) -> Patient:
    if kind is Kind.MIXED:
        kinds = [Kind.STABLE, Kind.U_SHAPED, Kind.GROWING, Kind.DISCORDANT]
        kind = kinds[rng.choice(4, p=[0.35, 0.35, 0.15, 0.15])]
    n_lesions = int(rng.integers(1, len(ORGANS) + 1))
    is_node = rng.random(n_lesions) < NODE_SHARE
    is_node[np.flatnonzero(is_node)[2:]] = False
    smallest = np.where(is_node, 15.5, 11.0)
    first = np.exp(rng.uniform(np.log(smallest), np.log(np.where(is_node, 35.0, largest_mm))))
    steps = _steps(rng, kind, n_lesions)
    walks = np.concatenate([np.zeros((n_lesions, 1)), np.cumsum(steps, axis=1)], axis=1)
    return Patient(name, first[:, None] * np.exp(walks), is_node)


def _steps(rng: np.random.Generator, kind: Kind, n_lesions: int) -> Array:
    """Draw how much logarithms of diameters change, shape (lesions, visits - 1)."""
    n_steps = N_VISITS - 1
    own = rng.standard_normal((n_lesions, n_steps))
    match kind:
        case Kind.STABLE:
            return 0.01 * rng.standard_normal((1, n_steps)) + 0.01 * own
        case Kind.U_SHAPED:
            turn = int(rng.integers(1, n_steps))
            fall, rise = rng.uniform(0.05, 0.5), rng.uniform(0.03, 0.25)
            path = np.where(np.arange(n_steps) < turn, -fall, rise)
            return path * rng.uniform(0.5, 1.5, (n_lesions, 1)) + 0.05 * own
        case Kind.GROWING:
            return rng.uniform(0.02, 0.15) * rng.uniform(0.4, 1.6, (n_lesions, 1)) + 0.03 * own
        case _:
            return 0.12 * rng.standard_normal((n_lesions, 1)) + 0.12 * own


def tables(
    rng: np.random.Generator, cohort: Sequence[Patient], readers: Mapping[str, Reader]
) -> list[Observation]:
    """Let each reader read each patient."""
    return [
        row
        for patient in cohort
        for name, reader in readers.items()
        for row in patient.rows(reader.read(rng, patient.sizes_mm), name)
    ]
