import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lesionary.annotate.layers import Layers
from lesionary.core.volume import Geometry

SHAPE = (2, 3, 4)
WHOLE = tuple(slice(0, n) for n in SHAPE)


@given(st.lists(arrays(bool, SHAPE), max_size=6))
def test_every_mask_comes_back_whole_whatever_overlaps(masks):
    layers = Layers(Geometry(SHAPE, np.eye(4)))
    values = [layers.add(mask, WHOLE, f"lesion {n}") for n, mask in enumerate(masks)]
    assert values == list(range(1, len(masks) + 1))
    maps = layers.label_maps()
    for n, (value, mask) in enumerate(zip(values, masks, strict=True)):
        holders = [layer for layer in maps if value in layer.labels]
        assert len(holders) == 1
        assert holders[0].labels[value] == f"lesion {n}"
        assert np.array_equal(holders[0].array == value, mask)


def test_masks_that_do_not_touch_share_one_layer():
    layers = Layers(Geometry(SHAPE, np.eye(4)))
    one = (slice(0, 1), slice(0, 3), slice(0, 4))
    two = (slice(1, 2), slice(0, 3), slice(0, 4))
    crop = np.ones((1, 3, 4), dtype=bool)
    layers.add(crop, one, "a")
    layers.add(crop, two, "b")
    (only,) = layers.label_maps()
    assert set(np.unique(only.array)) == {1, 2}
