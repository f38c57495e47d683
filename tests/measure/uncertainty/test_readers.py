"""Errors that several readers make are found again from their readings alone (X4)."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from lesionary.core.errors import InputError
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.readers import _log_density, differences, estimated
from response_rows import course, seen


def read_by_all(rng, *, bias=0.0, lesion=0.0, visit=0.0, noise=0.05, n=60, df=math.inf):
    """Let three readers read ``n`` patients with 3 lesions at 4 visits."""
    rows = []
    for patient in range(n):
        true = np.log(rng.uniform(15, 60, (3, 1))) + 0.1 * rng.standard_normal((3, 4)).cumsum(1)
        for reader in "abc":
            tails = rng.standard_normal((3, 4)) if math.isinf(df) else (
                rng.standard_t(df, (3, 4)) * math.sqrt((df - 2) / df)
            )  # fmt: skip
            logs = true + bias * rng.standard_normal() + noise * tails
            logs = logs + lesion * rng.standard_normal((3, 1)) + visit * rng.standard_normal((1, 4))
            rows += [
                seen(t, "ABC"[one], str(Decimal(f"{math.exp(logs[one, t]):.4f}")),
                     subject=f"p{patient}", reader=reader)
                for one in range(3) for t in range(4)
            ]  # fmt: skip
    return rows


def test_each_variance_is_found_where_it_is():
    rng = np.random.default_rng(0)
    found = estimated(read_by_all(rng, bias=0.08, lesion=0.06, visit=0.05, noise=0.04))
    assert found.bias_sd_percent == pytest.approx(8, abs=1.6)
    assert found.lesion_sd_percent == pytest.approx(6, abs=1.2)
    assert found.visit_sd_percent == pytest.approx(5, abs=1.0)
    assert math.hypot(found.sd_percent, 100 * found.sd_mm / 30) == pytest.approx(4, abs=0.6)


def test_noise_alone_is_called_noise():
    found = estimated(read_by_all(np.random.default_rng(1), noise=0.06))
    shared = found.bias_sd_percent, found.lesion_sd_percent, found.visit_sd_percent
    assert max(shared) < 1.5
    assert found.tail_df >= 7


def test_heavy_tails_are_seen():
    assert estimated(read_by_all(np.random.default_rng(2), noise=0.08, df=3)).tail_df <= 4


def test_with_one_visit_a_patient_all_is_noise():
    rng = np.random.default_rng(3)
    rows = [row for row in read_by_all(rng, bias=0.05) if (row.timepoint, row.lesion) == ("0", "A")]
    found = estimated(rows)
    assert found.bias_sd_percent == found.lesion_sd_percent == found.visit_sd_percent == 0
    assert math.hypot(found.sd_percent, 100 * found.sd_mm / 35) == pytest.approx(7.1, abs=1.5)


def test_how_long_lesions_are_and_who_is_called_what_does_not_matter():
    rows = read_by_all(np.random.default_rng(4), bias=0.05, n=10)
    other = [replace(row, reader={"a": "z", "b": "y", "c": "x"}[row.reader]) for row in rows]
    one, two = estimated(rows), estimated(other)
    assert one.bias_sd_percent == pytest.approx(two.bias_sd_percent)
    assert one.sd_percent == pytest.approx(two.sd_percent, abs=0.3)


def test_pixels_and_slices_are_kept_as_they_were_stated():
    start = ErrorModel(pixel_mm=0.9, slice_mm=5.0)
    found = estimated(read_by_all(np.random.default_rng(5), n=5), start)
    assert (found.pixel_mm, found.slice_mm) == (0.9, 5.0)


def test_too_few_readings_are_refused():
    with pytest.raises(InputError) as raised:
        estimated(course("30", "24"))
    assert raised.value.code == "too_few_readers"


def test_every_pair_of_readers_counts_once():
    rows = read_by_all(np.random.default_rng(6), n=2)
    found = differences(rows)
    assert len(found.values) == 2 * 3 * 12
    assert found.groups.max() == 5


@pytest.mark.parametrize("df", [2.5, 5.0, math.inf])
@pytest.mark.parametrize("shared", [0.0, 0.002])
def test_the_density_of_a_difference_integrates_to_one_and_has_its_variance(df, shared):
    grid = np.linspace(-4, 4, 80_001)
    density = np.exp(_log_density(grid, 0.05, df, shared))
    step = grid[1] - grid[0]
    assert density.sum() * step == pytest.approx(1, abs=0.01)
    if df >= 5:
        variance = (density * grid**2).sum() * step
        assert variance == pytest.approx(2 * (0.05**2 + shared), rel=0.05)
