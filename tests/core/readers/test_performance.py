"""What is reported of readers: nothing about a consensus that is not there."""

import numpy as np
import pytest

from lesionary.core.readers.consensus import NO_FOREGROUND, staple
from lesionary.core.readers.patterns import ReaderPatterns
from lesionary.core.readers.performance import EMPTY_CONSENSUS, FULL_CONSENSUS, performance


def found_of(n_readers, **counts):
    patterns = sorted((int(name.removeprefix("by_"), 2), n) for name, n in counts.items())
    drawn = np.array([pattern for pattern, _ in patterns], np.uint64)
    return staple(ReaderPatterns(n_readers, drawn, np.array([n for _, n in patterns])))


def test_where_there_is_a_consensus_the_estimates_are_reported():
    found = found_of(3, by_000=900, by_011=30, by_100=20, by_111=50)
    shown = performance(found)
    np.testing.assert_array_equal(shown.sensitivity, found.sensitivity)
    np.testing.assert_array_equal(shown.specificity, found.specificity)
    assert shown.reason == {}


def test_nobody_is_sensitive_to_an_empty_consensus():
    found = found_of(3, by_000=90, by_001=10)
    assert (found.n_voxels, found.sensitivity is None) == (0, False)
    shown = performance(found)
    assert shown.sensitivity is None
    assert shown.specificity is not None
    assert shown.reason == {"sensitivity": EMPTY_CONSENSUS}


def test_nobody_is_specific_where_the_consensus_is_the_whole_image():
    found = found_of(3, by_110=10, by_111=90)
    assert found.n_voxels == 100
    shown = performance(found)
    assert shown.specificity is None
    assert shown.reason == {"specificity": FULL_CONSENSUS}


@pytest.mark.parametrize("n_readers", [1, 2, 3])
def test_where_nobody_drew_anything_that_is_the_reason(n_readers):
    assert performance(found_of(n_readers, by_0=100)).reason == {"sensitivity": NO_FOREGROUND}
