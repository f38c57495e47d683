import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.phantoms.canvas import Pose
from lesionary.phantoms.lesions import LesionShape, Lobe, draw_lobe
from lesionary.phantoms.noise import random_rotation


def _ellipsoid(radii, axes=None) -> LesionShape:
    axes = np.eye(3) if axes is None else axes
    flat = (np.zeros((1, 3)), np.zeros(1), np.zeros(1))
    return LesionShape((Lobe(np.zeros(3), np.array(radii, dtype=float), axes, *flat),))


def _counted_mm3(shape: LesionShape, step_mm: float) -> float:
    low, high = shape.bounds_mm()
    axes = [np.arange(a, b, step_mm) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return float(shape.holds(grid).sum()) * step_mm**3


def test_an_ellipsoid_has_its_textbook_volume_and_axes():
    shape = _ellipsoid((10.0, 7.0, 5.0))
    assert shape.volume_mm3() == pytest.approx(4 / 3 * np.pi * 350)
    longest, short = shape.axial_axes_mm()
    assert longest == pytest.approx(20.0, rel=5e-3)
    assert short == pytest.approx(14.0, rel=5e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.35))
def test_the_volume_of_any_lobe_is_what_a_fine_grid_counts(seed, roughness):
    lobe = draw_lobe(
        np.random.default_rng(seed), np.array([1.0, -2.0, 3.0]), 24, roughness=roughness
    )
    shape = LesionShape((lobe,))
    assert shape.volume_mm3() == pytest.approx(_counted_mm3(shape, 0.6), rel=0.01)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.floats(2.0, 40.0))
def test_two_lobes_count_their_overlap_once(seed, distance):
    rng = np.random.default_rng(seed)
    first = draw_lobe(rng, np.zeros(3), 20, roughness=0.05)
    second = draw_lobe(rng, np.array([distance, 0.0, 0.0]), 16, roughness=0.05)
    both = LesionShape((first, second))
    assert both.volume_mm3() == pytest.approx(_counted_mm3(both, 0.6), rel=0.015)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_moving_a_patient_moves_the_tumour_and_keeps_its_volume(seed):
    rng = np.random.default_rng(seed)
    shape = LesionShape((draw_lobe(rng, np.array([30.0, 20.0, -10.0]), 18, roughness=0.2),))
    pose = Pose(random_rotation(rng), rng.uniform(-20, 20, 3))
    points = shape.centre_mm + rng.normal(0, 8, (200, 3))
    moved = shape.posed(pose)
    np.testing.assert_allclose(moved.depth(pose.to_scanner(points)), shape.depth(points), atol=1e-9)
    np.testing.assert_allclose(pose.to_patient(pose.to_scanner(points)), points, atol=1e-9)
    assert moved.volume_mm3() == pytest.approx(shape.volume_mm3())


def test_growing_by_a_factor_scales_the_diameter_by_it():
    lobe = draw_lobe(np.random.default_rng(4), np.zeros(3), 20, roughness=0.2)
    before, _ = LesionShape((lobe,)).axial_axes_mm()
    after, _ = LesionShape((lobe.scaled(1.5),)).axial_axes_mm()
    assert after == pytest.approx(1.5 * before)


def test_the_short_axis_of_a_dumbbell_is_a_chord_of_its_hull():
    lobes = [_ellipsoid((6.0, 6.0, 6.0)).lobes[0] for _ in range(2)]
    far = Lobe(np.array([14.0, 0.0, 0.0]), *(getattr(lobes[1], f) for f in Lobe.__slots__[1:]))
    longest, short = LesionShape((lobes[0], far)).axial_axes_mm()
    assert longest == pytest.approx(26.0, rel=5e-3)
    assert short == pytest.approx(12.0, rel=1e-2)
