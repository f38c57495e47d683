"""Components against scipy, on every element type, order, alignment and width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from lesionary.core.components import Components, components
from lesionary.core.errors import InputError
from lesionary.core.volume import AxisOrder

FULL = np.ones((3, 3, 3))

label_maps = arrays(
    np.uint16,
    array_shapes(min_dims=3, max_dims=3, max_side=9),
    elements=st.sampled_from([0, 0, 0, 1, 2, 65535]),
)
masks = arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=9))


def slow(array):
    """Label every value by itself with scipy, then number by first voxel; return that map."""
    out = np.zeros(array.shape, dtype=np.int64)
    for value in np.unique(array[array != 0]):
        part, _ = ndimage.label(array == value, FULL)
        out[part > 0] = part[part > 0] + out.max()
    firsts = sorted((int(np.flatnonzero(out == n)[0]), n) for n in np.unique(out[out > 0]))
    table = np.zeros(out.max() + 1, dtype=np.int64)
    for number, (_, old) in enumerate(firsts, start=1):
        table[old] = number
    return table[out]


def numbered(found: Components):
    return found.painted(np.arange(1, len(found) + 1))


@settings(deadline=None)  # the first call compiles
@given(label_maps)
def test_labels_split_as_scipy_splits_each_of_them(array):
    expected = slow(array)
    found = components(array)
    assert np.array_equal(numbered(found), expected)
    assert len(found) == expected.max(initial=0)
    for number, component in enumerate(found, start=1):
        place = np.argwhere(expected == number)
        assert component.value == array[component.first]
        assert component.n_voxels == len(place)
        assert component.first == tuple(place[0])
        assert [(side.start, side.stop - 1) for side in component.box] == [
            (low, high) for low, high in zip(place.min(0), place.max(0), strict=True)
        ]
        assert np.array_equal(component.crop(), expected[component.box] == number)


@settings(deadline=None)  # the first call compiles
@given(masks)
def test_masks_are_numbered_as_scipy_numbers_them(mask):
    assert np.array_equal(numbered(components(mask)), ndimage.label(mask, FULL)[0])


@settings(deadline=None)  # the first call compiles
@given(masks)
def test_one_and_two_bytes_a_voxel_give_the_same(mask):
    of_bytes = numbered(components(mask.astype(np.uint8) * 255))
    assert np.array_equal(of_bytes, numbered(components(mask.astype(np.uint16) * 0x8001)))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 1300), st.floats(0.0, 0.02))
def test_wide_rows_of_long_runs_and_wide_gaps_are_found(seed, width, share_of_ends):
    """Runs and gaps longer than a word and than a block, beginning and ending anywhere."""
    rng = np.random.default_rng(seed)
    shape = (2, 3, width)
    switches = rng.random(shape) < share_of_ends
    values = rng.choice(np.array([0, 1, 65535], dtype=np.uint16), shape)
    flat_start = np.maximum.accumulate(np.where(switches.ravel(), np.arange(switches.size), 0))
    array = values.ravel()[flat_start].reshape(shape)
    assert np.array_equal(numbered(components(array)), slow(array))


@pytest.mark.parametrize("order", AxisOrder.all())
def test_views_in_any_order_are_read_in_their_own_order(order):
    rng = np.random.default_rng(7)
    view = order.apply((rng.random((5, 6, 7)) < 0.15).astype(np.uint16))
    assert np.array_equal(numbered(components(view)), ndimage.label(view, FULL)[0])


@pytest.mark.parametrize("offset", [0, 2, 6, 7])
def test_bytes_at_any_address_are_read(offset):
    voxels = (np.random.default_rng(3).random(4 * 5 * 9) < 0.3).astype(np.uint16)
    raw = bytes(offset) + voxels.tobytes()
    array = np.frombuffer(raw, np.uint16, offset=offset).reshape(4, 5, 9)
    assert np.array_equal(numbered(components(array)), ndimage.label(array, FULL)[0])


def test_foreign_byte_order_is_read():
    array = np.array([[[256, 0, 1, 1]]], dtype=">u2")
    assert components(array).values.tolist() == [256, 1]


@pytest.mark.parametrize("corner", [(0, 0), (0, 2), (2, 0), (2, 2)])
def test_voxels_that_share_a_corner_belong_together(corner):
    mask = np.zeros((2, 3, 3), dtype=bool)
    mask[0, 1, 1] = mask[1][corner] = True
    assert len(components(mask)) == 1


def test_rows_at_opposite_edges_of_neighbouring_slices_do_not_touch():
    mask = np.zeros((2, 3, 4), dtype=bool)
    mask[0, 2, 3] = mask[1, 0, 0] = True
    assert len(components(mask)) == 2


def test_touching_lesions_of_different_labels_stay_apart():
    array = np.array([[[1, 1, 2, 2]], [[2, 2, 2, 1]]], dtype=np.uint16)
    assert components(array).values.tolist() == [1, 2, 1]


def test_a_spiral_that_closes_late_is_one_component():
    mask = np.ones((1, 41, 41), dtype=bool)
    for ring in range(1, 20, 2):
        mask[0, ring : 41 - ring, ring : 41 - ring] = False
        mask[0, ring + 1 : 40 - ring, ring + 1 : 40 - ring] = True
        mask[0, 20, 40 - ring] = True
    found = components(mask)
    assert (len(found), found.voxels[0]) == (1, mask.sum())


def test_nothing_gives_no_components():
    found = components(np.zeros((3, 4, 5), dtype=np.uint16))
    assert len(found) == 0
    assert list(found) == []
    assert not found.painted(np.zeros(0, dtype=int)).any()


def test_what_is_kept_grows_with_the_runs_and_not_with_the_image():
    array = np.zeros((60, 256, 256), dtype=np.uint16)
    array[10:50, 50:100, 50:200] = 9
    found = components(array)
    assert len(found.runs) == 40 * 50
    assert found.runs.nbytes < array.nbytes / 100


def test_order_by_volume_breaks_ties_by_first_voxel():
    array = np.array([[[1, 0, 2, 2, 0, 3, 0, 2, 2]]], dtype=np.uint16)
    assert components(array).by_volume.tolist() == [1, 3, 0, 2]


def test_the_largest_of_a_label_is_known_and_so_are_its_equals():
    array = np.array([[[1, 0, 1, 1, 0, 1, 1, 0, 2]]], dtype=np.uint16)
    assert components(array).is_largest_of_label.tolist() == [False, True, True, True]


def test_painting_leaves_out_what_gets_nought():
    array = np.array([[[1, 0, 2, 2, 0, 3]]], dtype=np.uint16)
    assert components(array).painted(np.array([7, 0, 7])).tolist() == [[[7, 0, 0, 0, 0, 7]]]


@pytest.mark.parametrize("numbers", [[1], [1, 65536], [-1, 2]])
def test_painting_refuses_numbers_that_do_not_fit(numbers):
    found = components(np.array([[[1, 0, 1]]], dtype=np.uint16))
    with pytest.raises(InputError):
        found.painted(np.array(numbers))


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.zeros((2, 2), np.uint16)])
def test_what_is_no_label_map_is_refused(array):
    with pytest.raises(InputError, match="three axes"):
        components(array)
