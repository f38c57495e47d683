"""The working grid: block means, places, and the way back to voxels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.volume import AxisOrder, Geometry, Volume
from lesionary.engines import _grid
from lesionary.engines._grid import nearest_lps_order, working_grid

STANDARD = np.diag([3.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]


def grid_of(shape, affine=STANDARD):
    return Geometry(shape, affine)


def whole(shape):
    return tuple(slice(0, n) for n in shape)


def ramp(shape):
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def test_a_small_box_is_seen_voxel_by_voxel_with_its_surroundings():
    volume = Volume(ramp((20, 30, 40)), grid_of((20, 30, 40)))
    box = (slice(8, 12), slice(10, 22), slice(12, 24))
    grid = working_grid(volume, box)
    # half extents 6, 6, 6 mm: a quarter of it is half a slice, or two pixels
    assert np.array_equal(grid.values, volume.array[7:13, 8:24, 10:26])
    assert grid.inside.sum() == 4 * 12 * 12
    assert grid.spacing_mm == (3.0, 1.0, 1.0)
    assert grid.half_extent_mm == pytest.approx(6.0)


def test_positions_run_from_face_to_face():
    grid = working_grid(
        Volume(ramp((20, 30, 40)), grid_of((20, 30, 40))),
        (slice(8, 12), slice(10, 22), slice(12, 24)),
    )
    assert grid.positions[0].ravel()[1:-1] == pytest.approx([-0.75, -0.25, 0.25, 0.75])


@pytest.mark.parametrize("limit", [1, 50, 400])
def test_a_large_box_is_seen_in_blocks_that_average_valid_voxels(monkeypatch, limit):
    monkeypatch.setattr(_grid, "MAX_BOX_BLOCKS", limit)
    shape = (7, 13, 12)
    array = np.random.default_rng(3).normal(size=shape)
    array[2, 3, 4] = np.nan
    invalid = np.random.default_rng(4).random(shape) < 0.3
    grid = working_grid(Volume(array, grid_of(shape), invalid=invalid), whole(shape))
    blocks = [round(s / t) for s, t in zip(grid.spacing_mm, (3.0, 1.0, 1.0), strict=True)]
    assert np.prod(grid.values.shape) <= limit
    for place in np.ndindex(grid.values.shape):
        part = tuple(slice(p * b, (p + 1) * b) for p, b in zip(place, blocks, strict=True))
        values = array[part][~invalid[part] & np.isfinite(array[part])]
        assert grid.valid[place] == (values.size > 0)
        assert grid.values[place] == pytest.approx(values.mean() if values.size else 0.0)


@given(st.sampled_from(AxisOrder.all()))
def test_every_axis_order_is_turned_to_the_same_array(order):
    volume = Volume(ramp((4, 5, 6)), grid_of((4, 5, 6)))
    turned = Volume(order.apply(volume.array), volume.geometry.reordered(order))
    grid = working_grid(turned, whole(turned.geometry.shape))
    assert np.array_equal(grid.values, volume.array)


def test_axes_are_turned_to_superior_posterior_left():
    geometry = grid_of((4, 5, 6)).reordered(AxisOrder((2, 0, 1), (True, False, True)))
    turned = geometry.reordered(nearest_lps_order(geometry))
    assert np.allclose(turned.directions, np.eye(3)[:, ::-1])


@given(st.sampled_from(AxisOrder.all()), st.sampled_from([30, 100, 10_000]))
def test_membership_comes_back_in_the_scans_own_order(order, limit):
    shape = (6, 10, 12)
    geometry = grid_of(shape).reordered(order)
    half = np.zeros(shape, dtype=bool)
    half[:, :, :6] = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_grid, "MAX_BOX_BLOCKS", limit)
        grid = working_grid(Volume(order.apply(ramp(shape)), geometry), whole(geometry.shape))
    # a plane through the box's middle: linear interpolation keeps it where it is
    membership = np.broadcast_to(0.5 - 0.1 * grid.positions[2], grid.values.shape)
    assert np.array_equal(grid.voxels_of(membership.astype(np.float32)), order.apply(half))
