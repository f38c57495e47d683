"""Volumes of readers: differences, distance from the mean, undefined cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.agree.volumes import NO_SPREAD, NO_VOLUME, ReaderVolumes, pair_key, pairs_of

counts = st.lists(st.integers(0, 10**9), min_size=2, max_size=7)


@given(counts.filter(any), st.floats(1e-3, 100))
def test_rmse_is_the_population_deviation_of_the_volumes(voxels, mm3):
    found = ReaderVolumes(tuple(voxels), mm3)
    ml = np.array(voxels) * mm3 / 1000
    assert found.rmse_ml == pytest.approx(ml.std(), rel=1e-9, abs=ml.max() * 1e-12)
    assert found.rmse_percent == pytest.approx(100 * ml.std() / ml.mean(), rel=1e-9, abs=1e-9)
    assert found.mean_ml == pytest.approx(ml.mean())


@given(st.integers(1, 2**60), st.integers(2, 9), st.floats(1e-3, 100))
def test_equal_volumes_have_no_deviation_at_all(n_voxels, n_readers, mm3):
    found = ReaderVolumes((n_voxels,) * n_readers, mm3)
    assert (found.rmse_ml, found.rmse_percent, found.reason) == (0, 0, {})


@given(counts)
def test_differences_change_sign_with_the_order(voxels):
    found = ReaderVolumes(tuple(voxels), 0.7)
    for first, second in pairs_of(len(voxels)):
        assert found.difference_ml((first, second)) == -found.difference_ml((second, first))


@given(counts.filter(any), st.integers(2, 50))
def test_percent_does_not_depend_on_the_size_of_a_voxel_nor_on_scale(voxels, factor):
    small = ReaderVolumes(tuple(voxels), 0.1).rmse_percent
    large = ReaderVolumes(tuple(factor * n for n in voxels), 8.0).rmse_percent
    assert small == pytest.approx(large)


def test_a_reader_who_drew_nothing_counts_with_nought():
    found = ReaderVolumes((1000, 0), 1.0)
    assert (found.mean_ml, found.rmse_ml, found.rmse_percent) == (0.5, 0.5, 100.0)


def test_nobody_drew_anything():
    found = ReaderVolumes((0, 0, 0), 1.0)
    assert (found.rmse_ml, found.rmse_percent) == (0, None)
    assert found.reason == {"volume_rmse_percent": NO_VOLUME}


def test_one_reader_has_no_deviation_to_speak_of():
    found = ReaderVolumes((5,), 1.0)
    assert (found.rmse_ml, found.rmse_percent) == (None, None)
    assert found.reason == dict.fromkeys(("volume_rmse_ml", "volume_rmse_percent"), NO_SPREAD)


def test_pairs_count_from_one_in_documents():
    assert [pair_key(pair) for pair in pairs_of(3)] == ["1-2", "1-3", "2-3"]
    assert len(pairs_of(7)) == 21
