"""Axes against slow oracles: all pairs of edge midpoints, chords at many places, OpenCV itself."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from lesionary.core.components import Component, components
from lesionary.core.volume import AxisOrder, Geometry
from lesionary.measure.diameter import as_published, caliper

masks = arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=9))
spacings = st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 1.3, 2.5])] * 3)


def axial(shape, spacing_mm=(1.0, 1.0, 1.0)):
    """Return an upright grid: k runs to superior, j to posterior, i to the left."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = spacing_mm
    affine[:, 3] = (-20.0, 35.0, 110.0, 1.0)
    return Geometry(tuple(shape), affine)


def whole(mask) -> Component:
    """Return the largest component of a mask."""
    found = components(mask)
    return found[int(found.by_volume[0])]


def alone(lesion: Component):
    """Return a mask of the image's shape with this lesion only."""
    mask = np.zeros(lesion.shape, dtype=bool)
    mask[lesion.box] = lesion.crop()
    return mask


def edge_midpoints(section):
    padded = np.pad(section, 1)
    return np.array(
        [
            (a + da / 2, b + db / 2)
            for a, b in np.argwhere(section)
            for da, db in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if not padded[a + 1 + da, b + 1 + db]
        ]
    )


def widest_chord(points, p, q, n_places=400):
    """Cut the convex hull perpendicular to pq at every corner and many places between."""
    hull = points[ConvexHull(points).vertices]
    length = np.linalg.norm(q - p)
    u = (q - p) / length
    along, across = (hull - p) @ u, (hull - p) @ np.array([-u[1], u[0]])
    widest = 0.0
    for at in np.concatenate([along, np.linspace(0, length, n_places)]):
        met = []
        for one in range(len(hull)):
            other = (one + 1) % len(hull)
            step = along[other] - along[one]
            if (along[one] - at) * (along[other] - at) <= 0 and step != 0:
                share = (at - along[one]) / step
                met.append(across[one] + share * (across[other] - across[one]))
        widest = max(widest, max(met, default=0.0) - min(met, default=0.0))
    return widest


def slow_caliper(mask, spacing_mm):
    """Return long axis, slice, and the widest chord over all pairs that tie for longest."""
    best = (-1.0, -1, None)
    for k in range(len(mask)):
        if mask[k].any():
            points = edge_midpoints(mask[k]) * spacing_mm[1:]
            distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
            if distances.max() > best[0] * (1 + 1e-9):
                best = (distances.max(), k, points)
    longest, k, points = best
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    ties = np.argwhere(np.triu(distances >= longest * (1 - 1e-9)))
    return longest, k, max(widest_chord(points, points[p], points[q]) for p, q in ties)


def slow_as_published(mask, spacing_mm):
    """Return both sides and the slice, slice by slice over the full plane, or None."""
    best = None
    for k in range(len(mask)):
        outlines, _ = cv2.findContours(
            mask[k].astype(np.uint8) * 255, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        outlines = [outline for outline in outlines if len(outline) > 1]
        if outlines:
            sides = cv2.minAreaRect(max(outlines, key=cv2.contourArea))[1]
            longest = max(sides) * spacing_mm[1]
            if best is None or longest > best[0] * (1 + 1e-5):
                best = (longest, k, min(sides) * spacing_mm[1])
    return best


@settings(deadline=None)
@given(masks, spacings)
def test_calipers_equal_all_pairs_and_all_chords(mask, spacing_mm):
    assume(mask.any())
    lesion = whole(mask)
    longest, k, widest = slow_caliper(alone(lesion), spacing_mm)
    found = caliper(lesion, axial(mask.shape, spacing_mm))
    assert found.slice_index == k
    assert found.long_axis_mm == pytest.approx(longest, abs=1e-9)
    assert found.short_axis_mm == pytest.approx(widest, abs=1e-9)


@settings(deadline=None)
@given(masks, st.sampled_from([0.5, 0.7, 1.0]))
def test_as_published_equals_opencv_slice_by_slice(mask, pixel_mm):
    assume(mask.any())
    lesion = whole(mask)
    spacing_mm = (2.0, pixel_mm, pixel_mm)
    expected = slow_as_published(alone(lesion), spacing_mm)
    found = as_published(lesion, axial(mask.shape, spacing_mm))
    if expected is None:
        assert found is None
    else:
        assert found.slice_index == expected[1]
        assert found.long_axis_mm == pytest.approx(expected[0], abs=1e-5)
        assert found.short_axis_mm == pytest.approx(expected[2], abs=1e-5)


def on_outline(found, geometry, mask):
    """Tell whether both ends of the long axis are edge midpoints of the slice."""
    indices = geometry.to_index(found.long_axis_points_mm)
    midpoints = edge_midpoints(mask[found.slice_index])
    return all(
        np.isclose(end[0], found.slice_index)
        and np.isclose(midpoints, end[1:], atol=1e-6).all(axis=1).any()
        for end in indices
    )


@settings(deadline=None)
@given(masks, spacings, st.sampled_from([caliper, as_published]))
def test_ends_span_the_axes_and_the_axes_are_perpendicular(mask, spacing_mm, measure):
    assume(mask.any())
    lesion, geometry = whole(mask), axial(mask.shape, spacing_mm)
    found = measure(lesion, geometry)
    assume(found is not None)
    long_mm = np.subtract(*found.long_axis_points_mm)
    short_mm = np.subtract(*found.short_axis_points_mm)
    assert np.linalg.norm(long_mm) == pytest.approx(found.long_axis_mm, abs=1e-4)
    assert np.linalg.norm(short_mm) == pytest.approx(found.short_axis_mm, abs=1e-4)
    assert long_mm @ short_mm == pytest.approx(0, abs=1e-4)
    assert found.short_axis_mm <= found.long_axis_mm * (1 + 1e-9)
    ends = geometry.to_index(np.vstack([found.long_axis_points_mm, found.short_axis_points_mm]))
    assert ends[:, 0] == pytest.approx(found.slice_index)
    if measure is caliper:
        assert on_outline(found, geometry, alone(lesion))


@settings(deadline=None, max_examples=30)
@given(masks, spacings, st.data())
def test_the_long_axis_is_the_same_in_all_axis_orders(mask, spacing_mm, data):
    assume(mask.any())
    order = data.draw(st.sampled_from(AxisOrder.all()))
    geometry = axial(mask.shape, spacing_mm)
    lesion = whole(mask)
    turned = whole(order.apply(alone(lesion)).copy())
    first, second = caliper(lesion, geometry), caliper(turned, geometry.reordered(order))
    assert second.long_axis_mm == pytest.approx(first.long_axis_mm)


@pytest.fixture(scope="module")
def blob():
    """Return a lopsided lesion whose longest section has no equal."""
    k, j, i = np.indices((7, 17, 21))
    mask = ((k - 2.8) / 3) ** 2 + ((j - 7 + 0.3 * i - 3) / 5) ** 2 + ((i - 10) / 8) ** 2 < 1
    mask[3, 10:13, 0:4] = True
    return mask


@pytest.mark.parametrize("measure", [caliper, as_published])
@pytest.mark.parametrize("order", AxisOrder.all())
def test_turning_an_image_moves_no_end_and_changes_no_length(blob, order, measure):
    geometry = axial(blob.shape, (2.5, 0.7, 0.7))
    first = measure(whole(blob), geometry)
    turned = geometry.reordered(order)
    second = measure(whole(order.apply(blob).copy()), turned)
    assert second.long_axis_mm == pytest.approx(first.long_axis_mm, rel=1e-6)
    assert second.short_axis_mm == pytest.approx(first.short_axis_mm, rel=1e-6)
    same_slice = turned.to_index(first.long_axis_points_mm)[0, turned.superior_axis]
    assert second.slice_index == pytest.approx(same_slice)
    for one, other in (
        (first.long_axis_points_mm, second.long_axis_points_mm),
        (first.short_axis_points_mm, second.short_axis_points_mm),
    ):
        backwards = other[::-1]
        gap_mm = min(np.abs(one - other).max(), np.abs(one - backwards).max())
        assert gap_mm < 1e-4


@pytest.mark.parametrize("measure", [caliper, as_published])
def test_an_oblique_stack_has_the_same_lengths(blob, measure):
    upright = axial(blob.shape, (2.5, 0.7, 0.7))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", [20, -15, 35], degrees=True).as_matrix()
    oblique = Geometry(upright.shape, turn @ upright.affine)
    first, second = measure(whole(blob), upright), measure(whole(blob), oblique)
    assert second.long_axis_mm == pytest.approx(first.long_axis_mm)
    assert second.short_axis_mm == pytest.approx(first.short_axis_mm)
    expected = first.long_axis_points_mm @ turn[:3, :3].T
    assert np.allclose(second.long_axis_points_mm, expected)


@pytest.mark.parametrize("measure", [caliper, as_published])
def test_lengths_scale_with_the_spacing_and_ignore_the_origin(blob, measure):
    one = measure(whole(blob), axial(blob.shape, (1.0, 0.5, 0.5)))
    twice = measure(whole(blob), axial(blob.shape, (2.0, 1.0, 1.0)))
    assert twice.long_axis_mm == pytest.approx(2 * one.long_axis_mm)
    assert twice.short_axis_mm == pytest.approx(2 * one.short_axis_mm)
    shifted = np.pad(blob, ((2, 0), (5, 0), (1, 3)))
    moved = measure(whole(shifted), axial(shifted.shape, (1.0, 0.5, 0.5)))
    assert moved.slice_index == one.slice_index + 2
    assert moved.long_axis_mm == pytest.approx(one.long_axis_mm)
    assert np.allclose(moved.long_axis_points_mm - one.long_axis_points_mm, [0.5, 2.5, 2.0])


@pytest.mark.parametrize("measure", [caliper, as_published])
def test_a_single_float_s_rounding_in_the_spacing_changes_no_choice(blob, measure):
    exact = measure(whole(blob), axial(blob.shape, (2.5, 0.7, 0.7)))
    rounded = measure(whole(blob), axial(blob.shape, (2.5, 0.7, float(np.float32(0.7)))))
    assert rounded.slice_index == exact.slice_index
    assert rounded.short_axis_mm == pytest.approx(exact.short_axis_mm, rel=1e-6)


@pytest.mark.parametrize(("rows", "columns"), [(20, 30), (30, 20)])
def test_a_rectangle_s_short_axis_is_a_chord_and_not_its_projected_width(rows, columns):
    found = caliper(whole(np.ones((1, rows, columns), bool)), axial((1, rows, columns)))
    assert round(found.long_axis_mm, 2) == 35.51
    assert round(found.short_axis_mm, 2) == 23.67


def test_the_published_rectangle_misses_a_pixel_on_each_axis():
    found = as_published(whole(np.ones((1, 20, 30), bool)), axial((1, 20, 30)))
    assert (found.long_axis_mm, found.short_axis_mm) == (29.0, 19.0)
    indices = axial((1, 20, 30)).to_index(found.long_axis_points_mm)
    assert np.allclose(indices, [[0, 9.5, 0], [0, 9.5, 29]], atol=1e-4)


def test_one_pixel_is_as_long_as_its_longer_side():
    pixel = np.zeros((3, 3, 3), bool)
    pixel[1, 1, 1] = True
    found = caliper(whole(pixel), axial(pixel.shape, (4.0, 0.8, 0.5)))
    assert found.long_axis_mm == pytest.approx(0.8)
    assert found.short_axis_mm == pytest.approx(0.5)
    assert as_published(whole(pixel), axial(pixel.shape)) is None


def test_single_pixels_stacked_have_no_published_outline():
    column = np.ones((5, 1, 1), bool)
    assert as_published(whole(column), axial(column.shape)) is None
    assert caliper(whole(column), axial(column.shape)).slice_index == 0


def test_a_row_is_as_long_as_its_pixels_and_one_wide():
    found = caliper(whole(np.ones((1, 1, 7), bool)), axial((1, 1, 7), (1.0, 0.8, 0.5)))
    assert found.long_axis_mm == pytest.approx(3.5)
    assert found.short_axis_mm == pytest.approx(0.8)
    published = as_published(whole(np.ones((1, 1, 7), bool)), axial((1, 1, 7), (1.0, 0.5, 0.5)))
    assert (published.long_axis_mm, published.short_axis_mm) == (3.0, 0.0)


def test_pieces_of_one_section_are_measured_together_by_caliper_only():
    arch = np.zeros((2, 3, 21), bool)
    arch[1] = True
    arch[1, :, 8:13] = False
    arch[1, 0, 8:13] = True
    arch[0, :, :8] = arch[0, :, 13:] = True
    geometry = axial(arch.shape)
    arch[1, :] = False
    arch[1, 1, 7:14] = True  # the bridge, in the slice above
    assert len(components(arch)) == 1
    found = caliper(whole(arch), geometry)
    assert found.slice_index == 0
    assert found.long_axis_mm == pytest.approx(np.hypot(21, 2))
    published = as_published(whole(arch), geometry)
    assert (published.slice_index, published.long_axis_mm) == (0, 7.0)


def test_pixels_that_are_not_square_are_scaled_before_opencv_encloses_them():
    diagonal = np.eye(9, dtype=bool)[None]
    diagonal[0, 0, 1] = True
    found = as_published(whole(diagonal), axial(diagonal.shape, (1.0, 2.0, 1.0)))
    assert found.long_axis_mm == pytest.approx(np.hypot(16, 8), rel=1e-5)


@pytest.mark.parametrize("measure", [caliper, as_published])
def test_ties_go_to_the_lowest_slice(measure):
    from_axis = np.hypot(*(np.indices((15, 15)) - 7.0))
    cylinder = np.repeat(from_axis[None] < 7.2, 6, axis=0)
    cylinder[0] = from_axis < 3.5
    assert measure(whole(cylinder), axial(cylinder.shape, (1.0, 0.7, 0.7))).slice_index == 1


@pytest.mark.parametrize("first", [0, 1])
def test_a_tie_by_pythagoras_goes_to_the_lowest_slice(first):
    """Four pixels on a diagonal (3 and 4 px) are as long as five in a row; floats may differ."""
    mask = np.zeros((2, 5, 5), bool)
    mask[first, :4, :4] = np.eye(4, dtype=bool)
    mask[1 - first, 2] = True
    for spacing in np.linspace(0.5, 0.9, 101):
        found = caliper(whole(mask), axial(mask.shape, (1, spacing, spacing)))
        assert found.slice_index == 0
        assert found.long_axis_mm == pytest.approx(5 * spacing)


def test_of_equal_long_axes_the_one_with_the_longest_short_axis_counts():
    square = np.ones((1, 6, 6), bool)
    square[0, 0, 0] = square[0, 5, 5] = True
    mirrored = square[:, :, ::-1].copy()
    one, other = (caliper(whole(mask), axial(mask.shape)) for mask in (square, mirrored))
    assert one.short_axis_mm == pytest.approx(other.short_axis_mm)


@settings(deadline=None, max_examples=50)
@given(masks, spacings)
def test_a_lesion_that_grows_never_gets_shorter(mask, spacing_mm):
    assume(mask.any())
    geometry = axial(mask.shape, spacing_mm)
    smaller = whole(mask)
    larger = alone(smaller)
    larger[:, :, 1:] |= larger[:, :, :-1].copy()
    first, second = caliper(smaller, geometry), caliper(whole(larger), geometry)
    assert second.long_axis_mm >= first.long_axis_mm - 1e-9


@settings(deadline=None)  # the first call compiles
@given(arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=9)))
def test_the_farthest_voxel_centres_of_a_section_are_those_of_all_pairs(mask):
    """What bounds a published rectangle from above, so that most sections need no OpenCV."""
    from lesionary.measure._kernels import longest_between_centres

    low = np.where(mask.any(2), mask.argmax(2), np.iinfo(np.int32).max).astype(np.int32)
    last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(2)
    high = np.where(mask.any(2), last, -1).astype(np.int32)
    for section, found in zip(mask, longest_between_centres(low, high, 0.7, 1.3), strict=True):
        places = np.argwhere(section) * (0.7, 1.3)
        pairs = places[:, None] - places[None]
        assert found == pytest.approx(np.sqrt((pairs**2).sum(-1)).max(initial=0.0))
