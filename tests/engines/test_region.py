"""The region model: tilt, place and brightness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.volume import Geometry, Volume
from lesionary.engines._grid import working_grid
from lesionary.engines._region import RegionModel, radius_of, tilt_of

SHAPE = (41, 41, 41)
BOX = (slice(5, 36), slice(5, 36), slice(5, 36))


def grid_of(array):
    affine = np.diag([1.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    return working_grid(Volume(array, Geometry(array.shape, affine)), BOX)


def tilted(a, b, c):
    return np.array([[1, a, b], [a, 1, c], [b, c, 1]])


CORRELATIONS = st.floats(-0.55, 0.55)


@given(CORRELATIONS, CORRELATIONS)
def test_every_tilt_touches_all_faces_of_the_box(a, b):
    tilt = tilted(a, b, 0.1)
    grid = grid_of(np.zeros(SHAPE))
    inside = radius_of(grid, tilt) <= 1.0
    for axis in range(3):
        widest = np.abs(np.broadcast_to(grid.positions[axis], inside.shape)[inside]).max()
        assert widest == pytest.approx(1.0, abs=0.1)


@given(CORRELATIONS, CORRELATIONS)
def test_a_full_ellipsoid_has_its_own_tilt(a, b):
    tilt = tilted(a, b, 0.2)
    grid = grid_of(np.zeros(SHAPE))
    found = tilt_of(grid, (radius_of(grid, tilt) <= 1.0).astype(np.float32))
    assert found == pytest.approx(0.95 * tilt + 0.05 * np.eye(3), abs=0.03)


def test_nothing_and_a_single_block_have_no_tilt():
    grid = grid_of(np.zeros(SHAPE))
    nothing = np.zeros(grid.values.shape, dtype=np.float32)
    assert np.array_equal(tilt_of(grid, nothing), np.eye(3))
    nothing[3, 4, 5] = 1
    assert tilt_of(grid, nothing) == pytest.approx(np.eye(3))


def test_brightness_rises_with_intensity_and_is_half_at_the_cores_median():
    array = np.random.default_rng(1).normal(50, 10, SHAPE)
    grid = grid_of(array)
    order = np.argsort(grid.values, axis=None)
    brightness = RegionModel().brightness_of(grid)
    assert (np.diff(brightness.ravel()[order]) >= 0).all()
    assert np.median(brightness) == pytest.approx(0.5, abs=0.02)


def test_rounding_noise_on_a_constant_image_is_not_brightness():
    noise = np.random.default_rng(1).normal(0, 1e-12, SHAPE)
    brightness = RegionModel().brightness_of(grid_of(1000 + noise))
    assert brightness == pytest.approx(np.full_like(brightness, 0.5), abs=1e-6)
