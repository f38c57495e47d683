"""Worked examples of the SUV factor, by the rules of QIBA's vendor-neutral pseudo-code."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.header import PetHeader
from lesionary.ingest.suv import suv_factor

NOON = dt.datetime.fromisoformat("2020-03-01T12:00:00")
HALF_LIFE_S = 6600.0
HOUR = dt.timedelta(hours=1)

# 66 kg and 330 MBq: 66,000 g / 3.3e8 Bq = 2e-4 SUV per Bq/ml before decay.
BASE = PetHeader(
    units="BQML",
    decay_correction="START",
    corrections=("DECY", "ATTN", "SCAT"),
    series_at=NOON,
    acquired_at=NOON,
    injected_at=NOON - dt.timedelta(seconds=HALF_LIFE_S),
    dose_bq=3.3e8,
    half_life_s=HALF_LIFE_S,
    weight_kg=66.0,
    n_tracers=1,
)


def factor_of(**changes: object) -> float:
    result = suv_factor([replace(BASE, **changes)])
    assert result.factor is not None, result.reason
    return result.factor


def reason_of(**changes: object) -> str:
    result = suv_factor([replace(BASE, **changes)])
    assert result.factor is None
    return result.reason


def test_one_half_life_after_the_injection_half_the_dose_is_left():
    assert factor_of() == pytest.approx(4e-4, rel=1e-12)


def test_values_corrected_to_the_injection_take_the_whole_dose():
    assert factor_of(decay_correction="ADMIN") == pytest.approx(2e-4, rel=1e-12)


def test_admin_correction_needs_no_times():
    changes = {"series_at": None, "acquired_at": None, "injected_at": None, "half_life_s": None}
    assert factor_of(decay_correction="ADMIN", **changes) == pytest.approx(2e-4, rel=1e-12)


def test_injection_before_midnight_and_scan_after_it():
    at = dt.datetime.fromisoformat
    scan, injected = at("2020-03-02T00:50:00"), dt.time(23, 0)  # 6,600 s
    crossed = factor_of(injected_at=None, injected_time=injected, series_at=scan, acquired_at=scan)
    assert crossed == pytest.approx(4e-4, rel=1e-12)


def test_the_dated_injection_is_preferred_to_the_time_alone():
    assert factor_of(injected_time=dt.time(11, 59)) == pytest.approx(4e-4, rel=1e-12)


def test_a_series_time_rewritten_after_the_scan_gives_way_to_the_first_acquisition():
    slices = [
        replace(BASE, series_at=NOON + 5 * HOUR, acquired_at=NOON + dt.timedelta(minutes=m))
        for m in (6, 0, 3)
    ]
    assert suv_factor(slices).factor == pytest.approx(4e-4, rel=1e-12)


def test_ge_states_the_scan_time_of_a_rewritten_series_itself():
    late = replace(BASE, series_at=NOON + 5 * HOUR, acquired_at=NOON + HOUR, scan_at=NOON)
    assert suv_factor([late]).factor == pytest.approx(4e-4, rel=1e-12)


def test_bed_positions_share_the_start_of_the_series():
    slices = [replace(BASE, acquired_at=NOON + dt.timedelta(minutes=3 * k)) for k in range(7)]
    assert suv_factor(slices).factor == pytest.approx(4e-4, rel=1e-12)


def test_gml_is_suv_already():
    assert suv_factor([PetHeader(units="GML")]).factor == 1.0


def test_gml_by_lean_body_mass_is_not_suv_by_weight():
    result = suv_factor([PetHeader(units="GML", suv_type="LBM")])
    assert result.factor is None
    assert "LBM" in result.reason


def test_philips_counts_by_their_factor_to_suv():
    assert suv_factor([PetHeader(units="CNTS", philips_suv=0.000386)]).factor == 0.000386


def test_philips_counts_by_their_factor_to_activity():
    by_activity = factor_of(units="CNTS", philips_bqml=1.5, decay_correction="ADMIN")
    assert by_activity == pytest.approx(3e-4, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"units": "CNTS"}, "Philips"),
        ({"units": "PROPCPS"}, "PROPCPS"),
        ({"units": ""}, "missing"),
        ({"weight_kg": None}, "PatientWeight"),
        ({"weight_kg": 0.0}, "PatientWeight"),
        ({"weight_kg": 66000.0}, "PatientWeight"),
        ({"dose_bq": None}, "RadionuclideTotalDose"),
        ({"dose_bq": 330.0}, "MBq"),
        ({"half_life_s": None}, "RadionuclideHalfLife"),
        ({"decay_correction": "NONE"}, "DecayCorrection"),
        ({"decay_correction": ""}, "DecayCorrection"),
        ({"corrections": ("DECY",)}, "attenuation"),
        ({"corrections": ("ATTN",)}, "decay"),
        ({"n_tracers": 0}, "radiopharmaceutical"),
        ({"n_tracers": 2}, "2 tracers"),
        ({"injected_at": None}, "injection"),
        ({"injected_at": NOON + HOUR}, "later than the scan"),
        ({"injected_at": NOON - 30 * HOUR}, "half-lives"),
        ({"series_at": None, "acquired_at": None}, "time of the scan"),
    ],
)
def test_whatever_is_missing_or_wrong_gives_no_factor_but_a_reason(changes, word):
    assert word in reason_of(**changes)


def test_slices_that_disagree_give_no_factor():
    result = suv_factor([BASE, replace(BASE, weight_kg=67.0)])
    assert result.factor is None
    assert "PatientWeight differs" in result.reason


@given(st.floats(0, 5), st.floats(0.01, 3))
def test_a_later_injection_never_raises_the_factor(hours, delay):
    early = factor_of(injected_at=NOON - dt.timedelta(hours=hours + delay))
    late = factor_of(injected_at=NOON - dt.timedelta(hours=hours))
    assert late <= early


@given(st.floats(1, 200), st.floats(1e6, 1e9))
def test_the_factor_goes_with_weight_and_against_dose(weight_kg, dose_bq):
    expected = weight_kg / 66 * 3.3e8 / dose_bq * 4e-4
    assert factor_of(weight_kg=weight_kg, dose_bq=dose_bq) == pytest.approx(expected, rel=1e-9)
