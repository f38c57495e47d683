"""The simulation itself: its bins, its intervals, its patients and readers."""

import numpy as np
import pytest
from simulate.calibration import Bin, calibration, table, wilson
from simulate.lidc import Residuals
from simulate.worlds import N_VISITS, Kind, Reader, patients, tables

from lesionary.measure.response.judging import respond


def forecasts(rng, n=20_000):
    p = rng.random(n)
    return np.stack([p, 1 - p], axis=1), p


def test_forecasts_that_are_right_have_no_error():
    rng = np.random.default_rng(0)
    said, p = forecasts(rng)
    found = calibration(said, (rng.random(len(p)) > p).astype(np.int64))
    assert found.worst_error < 0.03
    assert found.expected_error < 0.015
    assert not any(one.is_off(0.02) for one in found.bins)
    assert sum(one.n for one in found.bins) == 2 * len(p)


def test_forecasts_that_are_too_sure_are_found_out():
    rng = np.random.default_rng(1)
    said, p = forecasts(rng)
    found = calibration(said, (rng.random(len(p)) > 0.5 + 0.5 * (p - 0.5)).astype(np.int64))
    assert found.worst_error > 0.15
    assert found.open_error > 0.08
    assert any(one.is_off(0.05) for one in found.bins)


def test_certain_forecasts_are_never_open():
    found = calibration(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    assert found.n_open == 0
    assert found.open_error == 0
    assert found.accuracy == 1
    assert found.brier == 0


def test_wilson_s_interval_holds_the_share_and_stays_between_0_and_1():
    for share in (0.0, 0.3, 1.0):
        low, high = wilson(share, 50)
        assert 0 <= low <= share <= high <= 1
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_a_table_has_a_line_a_bin():
    found = calibration(np.array([[0.9, 0.1]]), np.array([0]))
    assert len(table(found).splitlines()) == 2 + len(found.bins)
    assert isinstance(found.bins[0], Bin)


@pytest.mark.parametrize("kind", Kind)
def test_patients_are_such_as_respond_takes(kind):
    rng = np.random.default_rng(2)
    cohort = patients(rng, kind, 20)
    rows = tables(rng, cohort, {"": Reader(noise=0.05)})
    assert len(respond(rows)) == 20 * N_VISITS
    assert all(one.sizes_mm[:, 0].min() >= 11 for one in cohort)


def test_stable_patients_hardly_change_and_readers_without_error_read_the_truth():
    rng = np.random.default_rng(3)
    (patient,) = patients(rng, Kind.STABLE, 1)
    assert np.ptp(np.log(patient.sizes_mm), axis=1).max() < 0.2
    assert Reader().read(rng, patient.sizes_mm) == pytest.approx(patient.sizes_mm, abs=0.051)


def test_a_reader_errs_by_what_he_is_said_to():
    rng = np.random.default_rng(4)
    true = np.full((200, 200), 50.0)
    for reader in (Reader(noise=0.06), Reader(noise=0.06, tail_df=5), Reader(lesion=0.06)):
        assert np.log(reader.read(rng, true) / true).std() == pytest.approx(0.06, rel=0.12)


def test_residuals_are_those_of_readers_on_nodules_of_like_size():
    rng = np.random.default_rng(5)
    sizes = np.exp(rng.uniform(1.6, 3.6, 40))[:, None] * np.exp(0.08 * rng.standard_normal((40, 4)))
    factors = Residuals(sizes)(rng, np.full((300, 10), 15.0))
    assert np.log(factors).std() == pytest.approx(0.08, rel=0.4)
    assert abs(np.log(factors).mean()) < 0.03
