"""Dice on real tumours, from boxes drawn a little too large (``benchmarks/segmenters.py``)."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from lesionary.annotate.registry import SegmenterRegistry

pytestmark = pytest.mark.real_data

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = SegmenterRegistry.discover()


@pytest.fixture(scope="module")
def sarcomas():
    spec = importlib.util.spec_from_file_location(
        "segmenters_benchmark", ROOT / "benchmarks" / "segmenters.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def means(sarcomas, some_cases, seed, engine):
    scores = [
        sarcomas.score(REGISTRY.create(name), some_cases, seed) for name in (engine, "ellipsoid")
    ]
    return [float(np.mean(score.dice)) for score in scores]


@pytest.mark.parametrize(("modality", "engine"), [("CT", "contour"), ("PET", "walker")])
def test_a_few_tumours_are_cut_better_than_by_the_ellipsoid(
    sarcomas, shared_data, modality, engine
):
    few = [
        case for case in sarcomas.cases(shared_data, modality) if case.patient in {2, 25, 32, 42}
    ]
    found, floor = means(sarcomas, few, 1000, engine)
    assert len(few) == 4
    assert found > floor + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1000, 0])
@pytest.mark.parametrize("patients", ["all", "odd", "even"])
@pytest.mark.parametrize(
    ("modality", "engine", "bound"),
    [("CT", "contour", 0.81), ("MR", "contour", 0.80), ("PET", "walker", 0.76)],
)
def test_all_tumours_reach_the_bound(
    sarcomas, shared_data, modality, engine, bound, patients, seed
):
    chosen = list(sarcomas.cases(shared_data, modality, patients=patients))
    found, floor = means(sarcomas, chosen, seed, engine)
    assert found >= bound
    assert found > floor + 0.05
