"""Whether what was said with probability p came true as often: bins, intervals, errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

N_BINS = 10
OPEN = 0.02
LEAST_IN_BIN = 200
"""Fewer forecasts in a bin say too little of its worst error."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts of like probability.

    Parameters
    ----------
    n : int
    said, found : float
        Mean probability, and share that came true.
    low, high : float
        The binomial 95 % interval of ``found`` (Wilson).
    """

    n: int
    said: float
    found: float
    low: float
    high: float

    def is_off(self, bound: float) -> bool:
        """Tell whether chance alone does not explain an error above ``bound``."""
        return not self.low - bound <= self.said <= self.high + bound


@dataclass(frozen=True, slots=True)
class Calibration:
    """What many forecasts came to.

    Parameters
    ----------
    bins : tuple of Bin
        Those that are not empty.
    expected_error : float
        Mean of the bins' errors, by their size.
    open_error : float
        The same over forecasts that leave it open: from 0.02 to 0.98. Most forecasts are next to 0
        or 1, and make any mean small.
    n_open : int
    worst_error : float
        Largest error of a bin of 200 or more.
    accuracy : float
        Share of time points whose likeliest category is the true one.
    brier : float
        Mean square distance of forecast and truth.
    """

    bins: tuple[Bin, ...]
    expected_error: float
    open_error: float
    n_open: int
    worst_error: float
    accuracy: float
    brier: float


def calibration(said: Array, true: NDArray[np.int64]) -> Calibration:
    """Compare forecasts, shape (time points, categories), with the true categories."""
    came = np.zeros_like(said)
    came[np.arange(len(true)), true] = 1
    flat, hits = said.ravel(), came.ravel()
    bins = _bins(flat, hits)
    is_open = (flat > OPEN) & (flat < 1 - OPEN)
    large = [abs(one.said - one.found) for one in bins if one.n >= LEAST_IN_BIN]
    return Calibration(
        bins=tuple(bins),
        expected_error=_mean_error(bins),
        open_error=_mean_error(_bins(flat[is_open], hits[is_open])),
        n_open=int(is_open.sum()),
        worst_error=max(large, default=float("nan")),
        accuracy=float((said.argmax(axis=1) == true).mean()),
        brier=float(((said - came) ** 2).sum(axis=1).mean()),
    )


def _bins(said: Array, came: Array) -> list[Bin]:
    place = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    return [_bin(said[place == one], came[place == one]) for one in np.unique(place)]


def _mean_error(bins: Sequence[Bin]) -> float:
    n = sum(one.n for one in bins)
    return sum(one.n * abs(one.said - one.found) for one in bins) / n if n else 0.0


def _bin(said: Array, came: Array) -> Bin:
    n, found = len(said), float(came.mean())
    low, high = wilson(found, n)
    return Bin(n, float(said.mean()), found, low, high)


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of a share of ``n``."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(max(middle - half, 0)), float(min(middle + half, 1))


def table(found: Calibration) -> str:
    """Lay the bins out as Markdown."""
    lines = ["| said | came true | 95 % interval | forecasts |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {one.said:.3f} | {one.found:.3f} | {one.low:.3f} to {one.high:.3f} | {one.n} |"
        for one in found.bins
    ]
    return "\n".join(lines)
