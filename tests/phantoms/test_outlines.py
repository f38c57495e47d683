import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lesionary.phantoms.outlines import pixel_outlines


def _filled(outlines, shape):
    """Even–odd rule on pixel centres, by counting crossings of a ray: slow and plain."""
    inside = np.zeros(shape, dtype=bool)
    for j, i in np.ndindex(*shape):
        crossings = 0
        for outline in outlines:
            for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
                is_beside = min(a[0], b[0]) <= j < max(a[0], b[0])
                crossings += is_beside and a[1] > i
        inside[j, i] = crossings % 2
    return inside


@settings(max_examples=60, deadline=None)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans()))
def test_the_even_odd_rule_gives_any_mask_back(mask):
    outlines = pixel_outlines(mask)
    assert np.array_equal(_filled(outlines, mask.shape), mask)
    for outline in outlines:
        steps = np.roll(outline, -1, axis=0) - outline
        assert (np.count_nonzero(steps, axis=1) == 1).all()
        headings = steps != 0
        assert (headings != np.roll(headings, 1, axis=0)).any(axis=1).all()


def test_a_pixel_is_a_square_of_four_corners():
    mask = np.zeros((3, 3), dtype=bool)
    mask[1, 2] = True
    (outline,) = pixel_outlines(mask)
    assert {tuple(corner) for corner in outline} == {(0.5, 1.5), (0.5, 2.5), (1.5, 2.5), (1.5, 1.5)}


def test_a_hole_is_an_outline_of_its_own_and_corners_do_not_join():
    ring = np.ones((3, 3), dtype=bool)
    ring[1, 1] = False
    assert len(pixel_outlines(ring)) == 2
    assert len(pixel_outlines(np.eye(2, dtype=bool))) == 2


def test_an_empty_slice_has_no_outline():
    assert pixel_outlines(np.zeros((4, 5), dtype=bool)) == []
