"""The scenarios: who the patients are, how they are read, and what the model is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lesionary.measure.response.judging import respond
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.predicting import uncertain_response
from lesionary.measure.uncertainty.readers import estimated
from lesionary.measure.uncertainty.records import UncertaintyOptions
from lesionary.measure.uncertainty.rules import CATEGORIES, code_of
from simulate.lidc import Residuals, diameters_mm, found_file, rows_of
from simulate.worlds import N_VISITS, Kind, Reader, patients, tables

FEW = UncertaintyOptions(n_draws=2000, has_sources=False)
ModelOf: TypeAlias = Callable[[np.random.Generator], ErrorModel]
ONLY_READER = {"pixel_mm": 0.0, "slice_mm": 0.0}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One reader study.

    Parameters
    ----------
    name : str
    kind : Kind
    reader : Reader
    given : str
        What the model is told, in words.
    model : callable
        Makes the model of a cohort from a generator; it may read some patients with several
        readers, but never looks at the truth.
    cohort : int
        Patients that are judged together.
    largest_mm : float
        Of any lesion at baseline.
    is_held : bool
        Whether calibration is promised. Not where the stated model meets readers unlike it.
    """

    name: str
    kind: Kind
    reader: Reader
    given: str
    model: ModelOf
    cohort: int = 100
    largest_mm: float = 80.0
    is_held: bool = True


def forecast(
    scenario: Scenario, n_timepoints: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Play a scenario; return forecasts, shape (time points, categories), and what was true."""
    rng = np.random.default_rng([seed, len(scenario.name), *scenario.name.encode()])
    said, true = [], []
    n_patients = -(-n_timepoints // (N_VISITS - 1))
    for first in range(0, n_patients, scenario.cohort):
        n = min(scenario.cohort, n_patients - first)
        cohort = patients(rng, scenario.kind, n, first, scenario.largest_mm)
        rows = tables(rng, cohort, {"": scenario.reader})
        found = uncertain_response(rows, scenario.model(rng), FEW)
        truth = respond([row for patient in cohort for row in patient.rows()])
        for one, other in zip(found, truth, strict=True):
            if one.probability is not None:
                said.append([one.probability.get(name.value, 0.0) for name in CATEGORIES])
                true.append(code_of(other.overall_response))
    return np.array(said[:n_timepoints]), np.array(true[:n_timepoints])


def told(reader: Reader) -> ModelOf:
    """Tell the model the reader's true errors."""
    model = ErrorModel(
        bias_sd_percent=100 * reader.bias,
        lesion_sd_percent=100 * reader.lesion,
        visit_sd_percent=100 * reader.visit,
        sd_percent=100 * reader.noise,
        sd_mm=reader.noise_mm,
        tail_df=reader.tail_df,
        **ONLY_READER,
    )
    return lambda _: model


NORMAL = Reader(bias=0.05, lesion=0.03, visit=0.02, noise=0.06, noise_mm=0.5)
HEAVY = Reader(bias=0.05, lesion=0.03, visit=0.02, noise=0.09, noise_mm=0.5, tail_df=3)
CORRELATED = Reader(bias=0.1, lesion=0.08, visit=0.07, noise=0.05, noise_mm=0.5)


def from_readers(reader: Reader, n_readers: int, n_patients: int = 40) -> ModelOf:
    """Let the model be estimated from a few patients that several such readers have read."""

    def model(rng: np.random.Generator) -> ErrorModel:
        cohort = patients(rng, Kind.MIXED, n_patients)
        names = [f"R{place}" for place in range(n_readers)]
        rows = tables(rng, cohort, dict.fromkeys(names, reader))
        return estimated(rows, ErrorModel(**ONLY_READER))

    return model


def from_nodules(sizes_mm: NDArray[np.float64]) -> ModelOf:
    """Let the model be estimated from nodules that real readers have outlined."""

    @cache
    def fitted() -> ErrorModel:
        return estimated(rows_of(sizes_mm), ErrorModel(**ONLY_READER))

    return lambda _: fitted()


def scenarios() -> Sequence[Scenario]:
    """Return all scenarios; those of real readers only where their contours are there."""
    told_all = "the reader's true variances"
    found = [
        Scenario(f"normal readers; {kind}", kind, NORMAL, told_all, told(NORMAL)) for kind in Kind
    ]
    found += [
        Scenario(f"heavy tails (t3); {kind}", kind, HEAVY, told_all, told(HEAVY))
        for kind in (Kind.MIXED, Kind.STABLE)
    ]
    found += [
        Scenario(f"correlated readers; {kind}", kind, CORRELATED, told_all, told(CORRELATED))
        for kind in (Kind.MIXED, Kind.STABLE)
    ]
    mixed = Kind.MIXED
    found += [
        Scenario(f"{name}; {n} readers", mixed, reader, f"{n} readers, 40 patients",
                 from_readers(reader, n))
        for name, reader in (("normal", NORMAL), ("heavy tails", HEAVY), ("correlated", CORRELATED))
        for n in (2, 4)
    ]  # fmt: skip
    found += [
        Scenario(f"{name}; stated", mixed, reader, "the stated model",
                 lambda _: ErrorModel(**ONLY_READER), is_held=reader is NORMAL)
        for name, reader in (("normal", NORMAL), ("heavy tails", HEAVY), ("correlated", CORRELATED))
    ]  # fmt: skip
    found += [
        Scenario(f"{n} patients alone", mixed, NORMAL, told_all, told(NORMAL), cohort=n)
        for n in (1, 10)
    ]
    return [*found, *_real_readers()]


def _real_readers() -> Sequence[Scenario]:
    """Fit on half of the nodules, and read like the readers of the other half."""
    path = found_file()
    if path is None:
        return []
    sizes_mm = diameters_mm(path)
    order = np.argsort(sizes_mm.mean(axis=1))
    halves = sizes_mm[order[::2]], sizes_mm[order[1::2]]
    return [
        Scenario(
            f"LIDC's four readers, half {place}; {kind}",
            kind,
            Reader(residuals=Residuals(halves[2 - place])),
            "four readers of the other half",
            from_nodules(halves[place - 1]),
            largest_mm=35.0,
        )
        for place in (1, 2)
        for kind in (Kind.MIXED, Kind.STABLE)
    ]
