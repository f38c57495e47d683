"""What is said with a probability comes true as often: 500 time points, binomial bounds (X4).

``make simulate`` plays 10,000 of every scenario.
"""

import numpy as np
import pytest
from simulate.lidc import found_file
from simulate.scenarios import forecast, scenarios

N_TIMEPOINTS = 500
BOUND = 0.05
N_BINS = 5
STANDARD_ERRORS = 4
"""Of a patient's time points several fall into one bin together, and say the same again."""

BY_NAME = {one.name: one for one in scenarios()}
QUICK = "normal readers; a mixture of all"
SLOW = (
    "normal readers; shrinking, then growing",
    "heavy tails (t3); a mixture of all",
    "heavy tails (t3); stable",
    "correlated readers; a mixture of all",
    "correlated; 4 readers",
    "heavy tails; 2 readers",
    "10 patients alone",
)


def check(name):
    said, true = forecast(BY_NAME[name], N_TIMEPOINTS, seed=7)
    assert len(true) == N_TIMEPOINTS
    assert said.sum(axis=1) == pytest.approx(1)
    came = np.zeros_like(said)
    came[np.arange(len(true)), true] = 1
    place = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    for one in range(N_BINS):
        inside = place == one
        n = inside.sum()
        if n:
            mean = said[inside].mean()
            error = np.sqrt(mean * (1 - mean) / n)
            assert abs(mean - came[inside].mean()) <= BOUND + STANDARD_ERRORS * error


def test_probabilities_are_calibrated():
    check(QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_probabilities_are_calibrated_whoever_reads(name):
    check(name)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif(found_file() is None, reason="the readers of LIDC are not there")
@pytest.mark.parametrize("half", [1, 2])
def test_probabilities_are_calibrated_for_readers_of_lidc(half):
    check(f"LIDC's four readers, half {half}; a mixture of all")
