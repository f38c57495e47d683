"""A reader's errors, estimated from several readers of the same lesions.

Two readers' logarithms of one diameter differ by their errors alone; the tumour drops out. What
such differences share within a patient tells biases, habits and effects of a visit apart, by
moments. The rest is noise: its size and tails maximise the likelihood of a difference of two t
variables.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray
from lesionary.measure.response.records import Observation
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.readings import is_measured

LEAST_PAIRS = 30
"""Fewer pairs of readings say too little of variances, and nothing of tails."""

TAIL_DFS = (math.inf, 20.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.5)
_CLIP = 6.0
"""Differences further out, in robust standard deviations, are drawn in for moments."""

_N_SIZES = 8
_N_GRID = 2048
_LEAST_SD = 1e-4


@dataclass(frozen=True, slots=True)
class Differences:
    """How much two readers differ, over all patients and pairs of readers.

    Parameters
    ----------
    values : array, shape (n,)
        Difference of logarithms.
    sizes_mm : array, shape (n,)
        Geometric mean of both readings.
    groups, lesions, visits : array of int, shape (n,)
        A group is one patient and pair of readers; lesions and visits are numbered within it.
    """

    values: FloatArray
    sizes_mm: FloatArray
    groups: NDArray[np.int64]
    lesions: NDArray[np.int64]
    visits: NDArray[np.int64]


def estimated(observations: Sequence[Observation], start: ErrorModel | None = None) -> ErrorModel:
    """Estimate the variances of readers' errors, pooled over readers.

    Parameters
    ----------
    observations : sequence of Observation
        Of two readers or more, on the same lesions; whatever has a diameter counts, of any role.
    start : ErrorModel, optional
        Where pixels and slices are taken from: readers of one scan share what its grid does.

    Returns
    -------
    ErrorModel
        With one visit a patient habits and biases cannot be told from noise: all is noise, which is
        the careful choice. Negative estimates of a variance are 0.

    Raises
    ------
    InputError
        Code ``too_few_readers``, with fewer than 30 pairs of readings.
    """
    found = differences(observations)
    n_pairs = len(found.values)
    if n_pairs < LEAST_PAIRS:
        raise InputError(
            f"{n_pairs} pairs of readings by two readers, {LEAST_PAIRS} are needed",
            code="too_few_readers",
            hint="add readers' rows of the same lesions, or state the model",
        )
    bias, lesion, visit = _shared_variances(found)
    sd, sd_mm, tail_df = _noise(found, bias + lesion + visit)
    start = start or ErrorModel()
    return ErrorModel(
        bias_sd_percent=100 * math.sqrt(bias),
        lesion_sd_percent=100 * math.sqrt(lesion),
        visit_sd_percent=100 * math.sqrt(visit),
        sd_percent=100 * sd,
        sd_mm=sd_mm,
        tail_df=tail_df,
        pixel_mm=start.pixel_mm,
        slice_mm=start.slice_mm,
    )


def differences(observations: Sequence[Observation]) -> Differences:
    """Pair the readings of each lesion and time point."""
    cells: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for row in observations:
        if is_measured(row) and row.diameter_mm is not None:
            cell = (row.subject, row.lesion, row.part, row.timepoint)
            cells.setdefault(cell, {})[row.reader] = float(row.diameter_mm)
    found = list(_pairs(cells))
    columns = list(zip(*found, strict=True)) or [()] * 5
    return Differences(
        np.array(columns[0], dtype=np.float64),
        np.array(columns[1], dtype=np.float64),
        *(_numbered(column) for column in columns[2:]),
    )


def _pairs(
    cells: dict[tuple[str, str, str, str], dict[str, float]],
) -> Iterator[tuple[float, float, tuple[str, ...], tuple[str, ...], str]]:
    for (subject, lesion, part, timepoint), by_reader in sorted(cells.items()):
        for one, other in combinations(sorted(by_reader), 2):
            logs = math.log(by_reader[one]), math.log(by_reader[other])
            size_mm = math.exp(sum(logs) / 2)
            yield logs[0] - logs[1], size_mm, (subject, one, other), (lesion, part), timepoint


def _numbered(labels: Sequence[object]) -> NDArray[np.int64]:
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64)


def _shared_variances(found: Differences) -> tuple[float, float, float]:
    """Return the variances of bias, habit and visit, from products of two differences."""
    robust = 1.4826 * float(np.median(np.abs(found.values))) or 1.0
    values = np.clip(found.values, -_CLIP * robust, _CLIP * robust)
    own, n_own = float((values**2).sum()), len(values)
    everything, n_everything = _squares(values, found.groups)
    lesions, n_lesions = _squares(values, found.groups, found.lesions)
    visits, n_visits = _squares(values, found.groups, found.visits)
    apart = _mean(everything - lesions - visits + own, n_everything - n_lesions - n_visits + n_own)
    same_lesion = _mean(lesions - own, n_lesions - n_own)
    same_visit = _mean(visits - own, n_visits - n_own)
    bias = max(apart, 0.0) / 2
    return bias, max(same_lesion / 2 - bias, 0.0), max(same_visit / 2 - bias, 0.0)


def _squares(values: FloatArray, *labels: NDArray[np.int64]) -> tuple[float, int]:
    """Return the sum of all products within a group, squares included, and their number."""
    _, group = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True)
    sums = np.bincount(group.ravel(), weights=values)
    counts = np.bincount(group.ravel())
    return float((sums**2).sum()), int((counts**2).sum())


def _mean(total: float, n: int) -> float:
    return total / n if n else 0.0


def _noise(found: Differences, shared: float) -> tuple[float, float, float]:
    """Return the noise's relative sd, its sd in mm, and its tails, by maximum likelihood."""
    from scipy.optimize import minimize

    bins = _bins_by_size(found)
    spread = max(1.4826 * float(np.median(np.abs(found.values))) / math.sqrt(2), _LEAST_SD)
    size_mm = float(np.median(found.sizes_mm))
    starts = [(spread, spread * size_mm / 10), (spread / 3, spread * size_mm)]
    fits = []
    for tail_df in TAIL_DFS:
        found_here = [
            minimize(
                lambda logs, df=tail_df: _cost(np.exp(logs), df, bins, shared),
                np.log(start),
                method="Nelder-Mead",
                options={"xatol": 0.02, "fatol": 0.05, "maxiter": 80},
            )
            for start in starts
        ]
        best = min(found_here, key=lambda fit: float(fit.fun))
        fits.append((float(best.fun), *np.exp(best.x).tolist(), tail_df))
        starts = [fits[-1][1:3]]
    _, sd, sd_mm, tail_df = min(fits)
    return sd, sd_mm, tail_df


def _bins_by_size(found: Differences) -> list[tuple[float, FloatArray]]:
    """Return differences by size, in groups of like number, each with its median size."""
    order = np.argsort(found.sizes_mm, kind="stable")
    return [
        (float(np.median(found.sizes_mm[part])), found.values[part])
        for part in np.array_split(order, min(_N_SIZES, len(order)))
    ]


def _cost(
    sds: FloatArray, tail_df: float, bins: list[tuple[float, FloatArray]], shared: float
) -> float:
    """Return minus the log likelihood of all differences, as if each stood alone."""
    if not (sds < 3e2).all():
        return math.inf
    total = 0.0
    for size_mm, values in bins:
        sd = max(math.hypot(sds[0], sds[1] / size_mm), _LEAST_SD)
        total -= float(_log_density(values, sd, tail_df, shared).sum())
    return total


def _log_density(values: FloatArray, sd: float, tail_df: float, shared: float) -> FloatArray:
    """Return the log density of a difference of two noises, and what readings share."""
    if math.isinf(tail_df):
        variance = 2 * (sd**2 + shared)
        normal: FloatArray = -(values**2) / (2 * variance) - math.log(2 * math.pi * variance) / 2
        return normal
    scale = sd * math.sqrt((tail_df - 2) / tail_df)
    width = math.hypot(scale, math.sqrt(shared))
    reach = max(40 * width, 1.5 * float(np.abs(values).max()))
    step = 2 * reach / _N_GRID
    grid = (np.arange(_N_GRID) - _N_GRID // 2) * step
    single = (1 + (grid / scale) ** 2 / tail_df) ** (-(tail_df + 1) / 2)
    spectrum = np.abs(np.fft.rfft(single / single.sum())) ** 2
    waves = 2 * math.pi * np.fft.rfftfreq(_N_GRID, step)
    density = np.fft.irfft(spectrum * np.exp(-shared * waves**2)) / step
    ordered = np.maximum(np.fft.fftshift(density), 1e-300)
    found: FloatArray = np.interp(values, grid, np.log(ordered))
    return found
