"""The pixel hash knows a scan again, and knows every other one apart."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.core import pixels
from lesionary.core.errors import InputError
from lesionary.core.pixels import canonical_order, pixel_hash
from lesionary.core.volume import AxisOrder, Geometry, Volume
from strategies import axis_orders, geometries, rotations, volumes

AXIAL = np.array([[0, 0, 0.7, -30], [0, 0.8, 0, -25], [3, 0, 0, 10], [0, 0, 0, 1.0]])
SCAN = np.random.default_rng(4).integers(-1000, 2000, (4, 5, 6)).astype(np.int16)
TILTS = {
    "half a right angle": np.array([[1, -1, 0], [1, 1, 0], [0, 0, 1]]) / np.sqrt([[2, 2, 1]]),
    "the body's diagonal": np.array([[1, 1, 1], [1, -1, 0], [1, 0, -1]]).T / np.sqrt([3, 2, 2]),
    "a third about the diagonal": np.array([[2, 2, -1], [-1, 2, 2], [2, -1, 2]]) / 3,
}


def hash_of(volume: Volume) -> str:
    return pixel_hash(volume.array, volume.geometry.affine)


def reordered(volume: Volume, order: AxisOrder) -> Volume:
    return Volume(order.apply(volume.array), volume.geometry.reordered(order))


def changed_at(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    copy = array.copy()
    copy[place] = value
    return copy


@given(volumes(geometries(is_oblique=False)))
def test_all_48_orders_of_a_scan_hash_equal(volume):
    assert {hash_of(reordered(volume, order)) for order in AxisOrder.all()} == {hash_of(volume)}


@given(volumes(), axis_orders())
def test_an_oblique_scan_hashes_equal_in_another_order(volume, order):
    assert hash_of(reordered(volume, order)) == hash_of(volume)


@pytest.mark.parametrize("tilt", TILTS.values(), ids=TILTS)
def test_axes_that_are_equally_near_are_told_apart_by_the_patient(tilt):
    affine = np.eye(4)
    affine[:3, :3] = tilt[:, ::-1] * [1.0, 2.0, 0.5]
    volume = Volume(SCAN, Geometry(SCAN.shape, affine))
    assert {hash_of(reordered(volume, order)) for order in AxisOrder.all()} == {hash_of(volume)}


@pytest.mark.parametrize("tilt", TILTS.values(), ids=TILTS)
@given(st.integers(0, 2**32 - 1), axis_orders())
def test_what_single_precision_makes_of_a_tilt_changes_nothing(tilt, seed, order):
    affine = np.eye(4)
    affine[:3, :3] = tilt[:, ::-1]
    exact = Volume(SCAN, Geometry(SCAN.shape, affine))
    turned = reordered(exact, order)
    noise = np.random.default_rng(seed).uniform(-1e-6, 1e-6, (3, 3))
    noisy = turned.geometry.affine.copy()
    noisy[:3, :3] += noise
    assert pixel_hash(turned.array, noisy) == hash_of(exact)


@given(rotations(), axis_orders())
def test_the_canonical_listing_runs_nearest_to_superior_posterior_left(rotation, order):
    affine = np.eye(4)
    affine[:3, :3] = rotation
    grid = Geometry((1, 1, 1), affine).reordered(order)
    listed = grid.reordered(canonical_order(grid.affine)).directions
    nearness = [np.trace(grid.reordered(other).directions[::-1]) for other in AxisOrder.all()]
    assert np.trace(listed[::-1]) > max(nearness) - 2 * pixels.TIE


@given(
    hnp.arrays(np.int16, (2, 3, 4), elements=st.integers(0, 2047)),
    st.sampled_from(["u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i2", ">u2", ">f4", ">f8"]),
)
def test_the_same_numbers_hash_equal_in_any_type(array, dtype):
    assert pixel_hash(array.astype(dtype), AXIAL) == pixel_hash(array, AXIAL)


@pytest.mark.parametrize(
    ("value", "dtypes"),
    [
        (40_000, ["u2", "i4", "f4", "f8"]),
        (-40_000, ["i4", "i8", "f4", "f8"]),
        (2**31, ["u4", "i8", "f4", "f8"]),
        (2**52 + 1, ["i8", "u8", "f8"]),
        (0.5, ["f2", "f4", "f8"]),
        (1.0e30, ["f8"]),
        (np.inf, ["f2", "f4", "f8"]),
    ],
)
def test_numbers_beyond_int16_hash_equal_wherever_they_fit(value, dtypes):
    scan = changed_at(np.zeros((2, 3, 4)), (1, 2, 3), value)
    hashes = {pixel_hash(scan.astype(dtype), AXIAL) for dtype in dtypes}
    assert len(hashes) == 1
    assert pixel_hash(np.zeros((2, 3, 4)), AXIAL) not in hashes


def test_double_precision_is_not_rounded_away():
    third = np.full((2, 3, 4), 1 / 3)
    assert pixel_hash(third, AXIAL) != pixel_hash(third.astype(np.float32), AXIAL)


def test_integers_that_no_float_holds_are_told_apart():
    scan = np.full((1, 1, 2), 2**60, dtype=np.int64)
    assert pixel_hash(scan, AXIAL) != pixel_hash(scan + 1, AXIAL)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_nan_for_all_and_no_negative_zero(dtype):
    scan = changed_at(np.full((2, 3, 4), 0.25, dtype), (0, 0, 0), 0.0)
    assert pixel_hash(changed_at(scan, (0, 0, 0), -0.0), AXIAL) == pixel_hash(scan, AXIAL)
    other_nan = np.array([np.nan, -np.nan], dtype=dtype)
    hashes = {pixel_hash(changed_at(scan, (1, 1, 1), nan), AXIAL) for nan in other_nan}
    assert len(hashes) == 1
    assert hashes != {pixel_hash(scan, AXIAL)}


def test_a_mask_is_its_zeros_and_ones():
    mask = SCAN > 0
    assert pixel_hash(mask, AXIAL) == pixel_hash(mask.astype(np.int16), AXIAL)


@given(volumes(), st.data())
def test_any_changed_voxel_changes_the_hash(volume, data):
    place = tuple(data.draw(st.integers(0, n - 1)) for n in volume.array.shape)
    value = data.draw(st.integers(-(2**15), 2**15 - 1).filter(lambda v: v != volume.array[place]))
    changed = changed_at(volume.array, place, value)
    assert pixel_hash(changed, volume.geometry.affine) != hash_of(volume)


@given(st.tuples(*[st.integers(0, n - 1) for n in SCAN.shape]))
def test_two_voxels_exchanged_change_the_hash(place):
    mirrored = tuple(n - 1 - index for n, index in zip(SCAN.shape, place, strict=True))
    exchanged = SCAN.copy()
    exchanged[place], exchanged[mirrored] = SCAN[mirrored], SCAN[place]
    is_same = SCAN[place] == SCAN[mirrored]
    assert (pixel_hash(exchanged, AXIAL) == pixel_hash(SCAN, AXIAL)) == is_same


def test_a_scan_that_was_flipped_on_the_patient_is_another_scan():
    assert pixel_hash(SCAN[:, :, ::-1], AXIAL) != pixel_hash(SCAN, AXIAL)


def test_the_shape_counts_and_the_place_does_not():
    blank = np.zeros((2, 3, 4))
    assert pixel_hash(blank, AXIAL) != pixel_hash(np.zeros((2, 4, 3)), AXIAL)
    elsewhere = AXIAL @ np.diag([2.0, 3.0, 1.5, 1.0]) + [[0, 0, 0, 9], [0] * 4, [0] * 4, [0] * 4]
    assert pixel_hash(SCAN, elsewhere) == pixel_hash(SCAN, AXIAL)


@pytest.mark.parametrize("slab_voxels", [1, 30, 61])
def test_a_scan_of_several_slabs_keeps_all_that_holds_for_one(monkeypatch, slab_voxels):
    monkeypatch.setattr(pixels, "SLAB_VOXELS", slab_voxels)
    scan = Volume(changed_at(SCAN.astype(np.float64), (3, 4, 5), 0.5), Geometry(SCAN.shape, AXIAL))
    assert {hash_of(reordered(scan, order)) for order in AxisOrder.all()} == {hash_of(scan)}
    for k, dtype in product(range(4), ("f4", "f8")):
        changed = changed_at(scan.array, (k, 0, 0), 7).astype(dtype)
        assert pixel_hash(changed, AXIAL) != hash_of(scan)


def test_the_definition_stays_what_stored_hashes_rest_on():
    assert pixel_hash(np.arange(24).reshape(2, 3, 4), AXIAL) == (
        "c392eb6b7ef8e965d42f028cd6e167e638315533f896da936efed6d7d8920f7a"
    )


def test_what_is_no_scan_is_refused():
    with pytest.raises(InputError, match="three axes"):
        pixel_hash(SCAN[0], AXIAL)
    with pytest.raises(InputError, match="real numbers"):
        pixel_hash(SCAN.astype(complex), AXIAL)
