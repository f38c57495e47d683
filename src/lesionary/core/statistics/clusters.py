"""Values that come in clusters, several of one subject: the jackknife that leaves out subjects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Which values are of one subject.

    Parameters
    ----------
    numbers : int array, shape (n_values,)
        Whose each value is, from 0 and without gaps.
    sizes : int array, shape (n,)
        How many values each subject has.
    """

    numbers: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @classmethod
    def of(cls, owners: NDArray[np.intp]) -> "Clusters":
        """Make clusters of the values that are left: their subjects are numbered anew."""
        _, numbers, sizes = np.unique(owners, return_inverse=True, return_counts=True)
        return cls(numbers, sizes)

    @property
    def n(self) -> int:
        """How many subjects."""
        return int(self.sizes.size)

    @property
    def has_repeats(self) -> bool:
        """Whether a subject has several values."""
        return self.n < self.numbers.size

    @property
    def n_effective(self) -> float | None:
        """How many subjects of equal size would be worth as much: ``n² / Σ nᵢ²`` (Kish)."""
        if self.n == 0:
            return None
        sizes = self.sizes.astype(np.float64)
        return float(sizes.sum() ** 2 / np.dot(sizes, sizes))

    def members(self, subject: int) -> BoolArray:
        """Tell of each value whether it is the subject's."""
        is_member: BoolArray = self.numbers == subject
        return is_member

    def means_without_each(self, values: FloatArray) -> FloatArray:
        """Return the mean of all values but a subject's, for each; shape (n,), n at least 2."""
        about = values.mean()
        sums = np.bincount(self.numbers, weights=values - about)
        means: FloatArray = about + (sums.sum() - sums) / (values.size - self.sizes)
        return means

    def standard_error(self, apart: FloatArray) -> float:
        """Return the jackknife's standard error.

        Parameters
        ----------
        apart : float array, shape (n,)
            The estimate without each subject, less the estimate of all.
        """
        return float(np.sqrt((self.n - 1) / self.n * np.dot(apart, apart)))

    def two_sided_t(self, level: float) -> float:
        """Return Student's t on the effective subjects less one, though no fewer than one."""
        from scipy.special import stdtrit

        freedom = max((self.n_effective or 0.0) - 1.0, 1.0)
        return float(stdtrit(freedom, (1.0 + level) / 2.0))
