"""What every segmenter promises, built in or plugged in (:class:`Segmenter`)."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.annotate.prompts import BoxPrompt
from lesionary.annotate.registry import SegmenterRegistry
from lesionary.annotate.segmenter import Segmenter
from lesionary.core.errors import InputError
from lesionary.core.volume import AxisOrder, Geometry, Volume

REGISTRY = SegmenterRegistry.discover()
BOX = (slice(3, 10), slice(8, 25), slice(6, 30))


@pytest.fixture(params=REGISTRY.names())
def segmenter(request):
    return REGISTRY.create(request.param)


def oblique_grid(shape, spacing_mm=(4.0, 0.9, 1.1)):
    """Turn a grid by some 20° about two axes."""
    c, s = np.cos(0.35), np.sin(0.35)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_x @ about_z @ np.eye(3)[:, ::-1] * spacing_mm
    affine[:3, 3] = [-40, 25, 600]
    return Geometry(shape, affine)


@pytest.fixture(scope="module")
def scan():
    """Return a bright blob, off the box's middle, in noise, on an oblique grid."""
    shape = (13, 33, 37)
    k, j, i = np.ogrid[:13, :33, :37]
    blob = ((k - 6) / 3) ** 2 + ((j - 16) / 7) ** 2 + ((i - 17) / 10) ** 2 < 1
    noise = np.random.default_rng(5).normal(0, 15, shape)
    return Volume((100 * blob + noise).astype(np.int16), oblique_grid(shape), "CT")


def box_array(volume, box, margin=(0, 0, 0)):
    array = np.zeros(volume.geometry.shape, dtype=bool)
    array[
        tuple(slice(max(0, r.start - m), r.stop + m) for r, m in zip(box, margin, strict=True))
    ] = True
    return array


def require_promises(segmenter, volume, box):
    mask = segmenter.segment(volume, BoxPrompt(box))
    assert mask.geometry is volume.geometry or mask.geometry.is_same_grid(volume.geometry)
    assert mask.n_voxels > 0
    assert not (mask.array & ~box_array(volume, box, segmenter.info.margin_voxels)).any()
    return mask


def test_it_follows_the_protocol_and_knows_its_name(segmenter):
    assert isinstance(segmenter, Segmenter)
    assert REGISTRY.names().count(segmenter.info.name) == 1
    assert segmenter.info.version
    assert segmenter.info.licence
    assert segmenter.info.modalities
    assert min(segmenter.info.margin_voxels) >= 0


def test_the_mask_is_on_the_scan_and_within_the_margin(segmenter, scan):
    require_promises(segmenter, scan, BOX)


def test_the_same_box_gives_the_same_mask(segmenter, scan):
    first = segmenter.segment(scan, BoxPrompt(BOX))
    again = REGISTRY.create(segmenter.info.name).segment(scan, BoxPrompt(BOX, label="m,liver"))
    assert np.array_equal(first.array, again.array)


def test_all_48_axis_orders_give_the_same_voxels(segmenter, scan):
    expected = segmenter.segment(scan, BoxPrompt(BOX)).array
    marked = box_array(scan, BOX)
    for order in AxisOrder.all():
        places = np.argwhere(order.apply(marked))
        k, j, i = (
            slice(int(a), int(b) + 1)
            for a, b in zip(places.min(axis=0), places.max(axis=0), strict=True)
        )
        turned = Volume(order.apply(scan.array), scan.geometry.reordered(order), "CT")
        mask = segmenter.segment(turned, BoxPrompt((k, j, i)))
        assert np.array_equal(mask.array, order.apply(expected)), order


@pytest.mark.parametrize("place", [(0, 0, 0), (6, 16, 17), (12, 32, 36)])
def test_a_box_of_one_voxel_gives_that_voxel(segmenter, scan, place):
    box = tuple(slice(n, n + 1) for n in place)
    mask = require_promises(segmenter, scan, box)
    assert mask.n_voxels == 1


@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 13), slice(0, 33), slice(0, 37)),
        (slice(0, 5), slice(0, 12), slice(0, 9)),
        (slice(9, 13), slice(20, 33), slice(30, 37)),
        (slice(6, 7), slice(8, 25), slice(6, 30)),
        (slice(3, 10), slice(16, 17), slice(17, 18)),
    ],
    ids=["whole scan", "first corner", "last corner", "one slice", "one line"],
)
def test_boxes_at_the_border_and_flat_boxes_work(segmenter, scan, box):
    require_promises(segmenter, scan, box)


@pytest.mark.parametrize("value", [0, -1000, 7.25, 1e30])
def test_a_constant_image_gives_a_mask_around_the_boxs_middle(segmenter, value):
    grid = oblique_grid((13, 33, 37))
    mask = require_promises(segmenter, Volume(np.full(grid.shape, value), grid), BOX)
    assert mask.array[6, 16, 18]


def test_voxels_without_measurement_are_no_obstacle(segmenter, scan):
    array = scan.array.astype(np.float32)
    array[5:7, 10:20] = np.nan
    array[:, :, 30:] = np.inf
    invalid = np.zeros(array.shape, dtype=bool)
    invalid[:, 28:] = True
    require_promises(segmenter, Volume(array, scan.geometry, invalid=invalid), BOX)


def test_a_scan_without_any_measurement_still_gives_a_mask(segmenter):
    grid = oblique_grid((13, 33, 37))
    require_promises(segmenter, Volume(np.full(grid.shape, np.nan), grid), BOX)


@pytest.mark.parametrize("dtype", ["uint8", ">i2", "uint16", "int32", "float32", ">f8"])
def test_every_number_type_works(segmenter, scan, dtype):
    array = np.clip(scan.array, 0, 200).astype(dtype)
    require_promises(segmenter, Volume(array, scan.geometry), BOX)


def test_a_box_beyond_the_scan_is_refused(segmenter, scan):
    with pytest.raises(InputError) as refused:
        segmenter.segment(scan, BoxPrompt((slice(3, 14), slice(8, 25), slice(6, 30))))
    assert refused.value.code == "box"


@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_small_scan_and_any_box_keep_the_promises(segmenter, data):
    shape = data.draw(hnp.array_shapes(min_dims=3, max_dims=3, max_side=7))
    array = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(width=32)))
    spacing_mm = [data.draw(st.floats(0.05, 10)) for _ in range(3)]
    box = []
    for size in shape:
        start = data.draw(st.integers(0, size - 1))
        box.append(slice(start, data.draw(st.integers(start + 1, size))))
    require_promises(segmenter, Volume(array, oblique_grid(shape, spacing_mm)), tuple(box))
