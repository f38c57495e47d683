"""The gate on headers: what it refuses, warns of and lets in, with the numbers it names."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from header_factory import GRID, PIXELS, candidate, even, slice_header, stack
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.gate import Verdict, judge
from lesionary.ingest.header import PetHeader
from strategies import rotations

LIMIT = 2**32


def verdict_of(slices, **options) -> Verdict:
    return judge(candidate(slices), **({"volume_bytes": LIMIT} | options))


def reason(verdict: Verdict, code: str) -> str:
    """Return the sentence of the one refusal with this code, and check that it refuses."""
    assert verdict.geometry is None
    (finding,) = (f for f in verdict.findings if f.code == code)
    assert finding.outcome is Outcome.LEFT_OUT
    return finding.reason


def refused_codes(verdict: Verdict) -> set[str]:
    return {f.code for f in verdict.findings if f.outcome is Outcome.LEFT_OUT}


def test_a_sound_series_passes_without_a_word():
    verdict = verdict_of(even())
    assert verdict.is_admitted
    assert verdict.findings == ()
    assert verdict.geometry.shape == (10, 12, 10)
    assert verdict.geometry.spacing_mm == pytest.approx((3.0, 0.8, 0.7))
    assert verdict.geometry.affine[:3, 3].tolist() == [5.0, 6.0, 0.0]


@given(st.permutations(range(10)))
def test_the_order_of_slices_and_instance_numbers_means_nothing(order):
    slices = [replace(header, instance_number=n) for n, header in zip(order, even(), strict=True)]
    verdict = verdict_of([slices[k] for k in order])
    assert [header.position_mm[2] for header in verdict.slices] == [3.0 * k for k in range(10)]


@given(rotations(), st.floats(0.1, 8.0), st.integers(2, 9))
def test_any_pose_maps_its_voxels_to_where_the_header_puts_them(rotation, spacing_mm, n):
    row, column, normal = rotation.T
    origin = np.array([12.0, -80.0, 333.0])
    slices = [
        slice_header(k, origin + k * spacing_mm * normal, orientation=(*row, *column))
        for k in range(n)
    ]
    verdict = verdict_of(slices[::-1])
    k, j, i = n - 1, 7, 4
    expected = origin + k * spacing_mm * normal + j * 0.8 * column + i * 0.7 * row
    assert verdict.geometry.to_world(np.array([k, j, i])) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.floats(-0.002, 0.002), min_size=12, max_size=12))
def test_rounding_of_positions_is_no_fault(jitter):
    verdict = verdict_of(stack([0.7 * k + dz for k, dz in enumerate(jitter)]))
    assert verdict.is_admitted


def test_a_missing_slice_is_named_with_its_place_and_spacing():
    slices = [header for k, header in enumerate(even(20)) if k != 12]
    text = reason(verdict_of(slices), "missing_slice")
    assert "between positions 33.0 and 39.0 mm (spacing 3 mm)" in text


@given(st.integers(4, 40), st.data())
def test_any_missing_inner_slice_is_found(n, data):
    gone = data.draw(st.integers(1, n - 2))
    slices = [header for k, header in enumerate(even(n, 2.5)) if k != gone]
    assert refused_codes(verdict_of(slices)) == {"missing_slice"}


def test_several_holes_are_counted():
    slices = [header for k, header in enumerate(even(20)) if k not in {4, 5, 12}]
    assert "3 slices are missing in 2 places" in reason(verdict_of(slices), "missing_slice")


@pytest.mark.parametrize(("shift_mm", "is_fine"), [(0.02, True), (0.029, True), (0.04, False)])
def test_one_percent_of_three_millimetres_is_the_bound(shift_mm, is_fine):
    depths = [3.0 * k for k in range(9)]
    depths[4] += shift_mm
    assert verdict_of(stack(depths)).is_admitted is is_fine


@pytest.mark.parametrize(("shift_mm", "is_fine"), [(0.009, True), (0.012, False)])
def test_thin_slices_may_be_off_by_a_hundredth_of_a_millimetre(shift_mm, is_fine):
    depths = [0.21 * k for k in range(9)]
    depths[4] += shift_mm
    assert verdict_of(stack(depths)).is_admitted is is_fine


def test_uneven_spacing_is_named_with_its_range():
    text = reason(verdict_of(stack([0, 3, 6, 10.2, 13.2, 16.2])), "uneven_spacing")
    assert "from 3.000 to 4.200 mm" in text
    assert "between positions 6.0 and 10.2 mm" in text


@pytest.mark.parametrize(
    ("tilt_deg", "is_fine"), [(0.05, True), (0.09, True), (0.15, False), (15, False)]
)
def test_tilt_beyond_a_tenth_of_a_degree_is_refused(tilt_deg, is_fine):
    drift = math.tan(math.radians(tilt_deg))
    slices = [slice_header(k, (5.0, 3.0 * k * drift, 3.0 * k)) for k in range(9)]
    verdict = verdict_of(slices)
    assert verdict.is_admitted is is_fine
    if is_fine:
        far = verdict.geometry.to_world(np.array([8, 0, 0]))
        assert far == pytest.approx(slices[8].position_mm, abs=1e-9)
    else:
        assert f"{tilt_deg:.2f}°" in reason(verdict, "gantry_tilt")


def test_a_tilted_gantry_shows_in_the_orientation_too():
    angle = math.radians(12)
    tilted = (1.0, 0.0, 0.0, 0.0, math.cos(angle), math.sin(angle))
    slices = [slice_header(k, (0.0, 0.0, 5.0 * k), orientation=tilted) for k in range(6)]
    assert "12.00°" in reason(verdict_of(slices), "gantry_tilt")


def test_a_slice_shifted_sideways_is_refused():
    slices = even()
    slices[4] = replace(slices[4], position_mm=(7.0, 6.0, 12.0))
    text = reason(verdict_of(slices), "uneven_spacing")
    assert "2.000 mm sideways" in text


def test_rounding_does_not_shear_the_grid():
    slices = [slice_header(k, (5.0 + 1e-5 * k, 6.0, 3.0 * k)) for k in range(9)]
    assert verdict_of(slices).geometry.affine[:2, 0].tolist() == [0.0, 0.0]


def test_a_single_slice_takes_its_depth_from_its_thickness_and_says_so():
    verdict = verdict_of(even(1))
    (finding,) = verdict.findings
    assert (finding.code, finding.outcome) == ("single_slice", Outcome.WARNED)
    assert "3 mm" in finding.reason
    assert verdict.geometry.spacing_mm[0] == 3.0


def test_a_single_slice_without_thickness_is_refused():
    assert refused_codes(verdict_of(even(1, slice_thickness_mm=None))) == {"single_slice"}


@pytest.mark.parametrize(
    ("element", "keyword"),
    [
        ("position_mm", "ImagePositionPatient"),
        ("orientation", "ImageOrientationPatient"),
        ("pixel_spacing_mm", "PixelSpacing"),
    ],
)
def test_a_slice_without_a_place_is_refused(element, keyword):
    slices = even()
    slices[3] = replace(slices[3], **{element: None})
    assert f"{keyword} in 1 of 10 slices" in reason(verdict_of(slices), "no_orientation")


@pytest.mark.parametrize("orientation", [(0.0,) * 6, (2.0, 0, 0, 0, 1, 0), (1.0, 0, 0, 1, 0, 0)])
def test_an_orientation_that_is_none_is_refused(orientation):
    assert not verdict_of(even(orientation=orientation)).is_admitted


def test_rows_and_columns_that_are_not_square_are_refused():
    skew = (1.0, 0.0, 0.0, math.sin(0.02), math.cos(0.02), 0.0)
    assert "88.85°" in reason(verdict_of(even(orientation=skew)), "sheared")


def test_slices_without_pixels_are_counted():
    slices = even()
    slices[2] = replace(slices[2], pixels=None)
    slices[5] = replace(slices[5], pixels=replace(PIXELS, length=0))
    assert "2 of 10 slices" in reason(verdict_of(slices), "no_pixels")


def test_a_cut_slice_refuses_the_series():
    slices = even()
    slices[9] = replace(slices[9], pixels=replace(PIXELS, available=100))
    assert "1 of 10 slices" in reason(verdict_of(slices), "truncated")


def test_more_pixels_claimed_than_stored_are_refused():
    huge = replace(GRID, rows=60_000, columns=60_000)
    assert "size_claim" in refused_codes(verdict_of(even(pixel_format=huge)))


def test_a_volume_beyond_the_limit_is_refused():
    assert "limit" in reason(verdict_of(even(), volume_bytes=2399), "size_claim")
    assert verdict_of(even(), volume_bytes=2400).is_admitted


def test_rescale_on_some_slices_only_is_refused():
    slices = even()
    slices[0] = replace(slices[0], rescale=None)
    assert "only 9 of 10 slices" in reason(verdict_of(slices), "rescale_mixed")


@pytest.mark.parametrize(("modality", "is_fine"), [("CT", False), ("PT", False), ("MR", True)])
def test_rescale_is_needed_for_ct_and_pet(modality, is_fine):
    verdict = verdict_of(even(rescale=None, modality=modality))
    assert verdict.is_admitted is is_fine
    assert refused_codes(verdict) == (set() if is_fine else {"rescale_missing"})


def test_a_slope_of_zero_is_no_rescale():
    assert refused_codes(verdict_of(even(rescale=(0.0, -1024.0)))) == {"rescale_missing"}


def test_other_slopes_on_every_slice_are_normal():
    slices = [replace(h, rescale=(0.1 + h.number, 0.0), modality="PT") for h in even()]
    assert verdict_of(slices).is_admitted


def test_a_look_up_table_is_not_a_slope():
    assert refused_codes(verdict_of(even(has_modality_lut=True))) == {"rescale_missing"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"samples": 3, "photometric": "RGB"}, "secondary_capture"),
        ({"photometric": "PALETTE COLOR"}, "secondary_capture"),
        ({"bits_allocated": 12, "bits_stored": 12, "high_bit": 11}, "unsupported_pixels"),
        ({"bits_stored": 0}, "unsupported_pixels"),
        ({"high_bit": 40}, "unsupported_pixels"),
    ],
)
def test_pixels_that_are_no_measurement_are_refused(changes, code):
    grid = replace(GRID, **changes)
    assert code in refused_codes(verdict_of(even(pixel_format=grid)))


def test_a_series_without_patient_needs_a_subject():
    slices = even(subject_key=None)
    assert "no patient" in reason(verdict_of(slices), "subject_missing")
    assert verdict_of(slices, has_subject=True).is_admitted


def test_a_fault_of_one_file_refuses_its_series():
    deep = Finding("too_deep", Outcome.LEFT_OUT, "sequences are nested 3000 levels deep")
    slices = even()
    slices[0] = replace(slices[0], faults=(deep,))
    assert refused_codes(verdict_of(slices)) == {"too_deep"}


def test_a_warning_of_every_file_is_said_once():
    warning = Finding("wrong_vr", Outcome.WARNED, "written with a wrong VR: PatientAge")
    verdict = verdict_of(even(faults=(warning,)))
    assert verdict.is_admitted
    assert verdict.findings == (warning,)


def test_all_reasons_are_given_not_only_the_first():
    slices = even(subject_key=None, rescale=None, pixel_spacing_mm=None)
    assert refused_codes(verdict_of(slices)) == {
        "subject_missing",
        "rescale_missing",
        "no_orientation",
    }


@pytest.mark.parametrize("rescale", [(1e36, 0.0), (1.0, 4e38), (-1e200, 0.0)])
def test_slopes_beyond_what_a_voxel_holds_are_refused(rescale):
    verdict = verdict_of(even(rescale=rescale))
    assert "beyond" in reason(verdict, "rescale_missing")


def test_slices_in_two_units_are_refused():
    slices = even(modality="PT", pet=PetHeader(units="BQML"))
    slices[3] = replace(slices[3], pet=PetHeader(units="CNTS"))
    assert "2 different units" in reason(verdict_of(slices), "rescale_mixed")
