"""Rows of `measure`: fields, order, reasons, and values against plain numpy."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import Geometry, LabelMap, Volume
from lesionary.measure.lesions import MeasuredLesion, MeasureOptions, measure_lesions

ALL = MeasureOptions(min_voxels=1)

FIELDS = [
    *("lesion", "label", "kind", "voxels", "volume_ml", "mean_intensity", "long_axis_mm"),
    *("short_axis_mm", "diameter_mm", "slice_index", "long_axis_points_mm", "short_axis_points_mm"),
]


def grid(shape, spacing_mm=(2.0, 0.5, 0.5)):
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = spacing_mm
    affine[3, 3] = 1
    return Geometry(tuple(shape), affine)


def label_map(array, labels=None, spacing_mm=(2.0, 0.5, 0.5)):
    array = np.asarray(array, dtype=np.uint16)
    return LabelMap(array, grid(array.shape, spacing_mm), labels or {})


def rows(image, array, options=ALL, **kwargs):
    labels = label_map(array, **kwargs)
    volume = None if image is None else Volume(np.asarray(image), labels.geometry)
    return measure_lesions(volume, labels, options).lesions


@pytest.fixture(scope="module")
def scene():
    """Return a volume and a label map: two liver lesions, a node, an unlabelled one, a crumb."""
    array = np.zeros((6, 20, 24), dtype=np.uint16)
    array[1:4, 2:8, 2:10] = 1
    array[2:4, 12:16, 2:6] = 1
    array[1:5, 4:8, 14:20] = 4
    array[4, 14:18, 12:20] = 9
    array[0, 19, 23] = 9
    image = np.random.default_rng(5).integers(-1000, 3000, array.shape).astype(np.int16)
    labels = label_map(array, {1: "m,liver", 4: "n,iliac"})
    return Volume(image, labels.geometry), labels


def test_a_row_holds_the_contract_s_fields_in_its_order(scene):
    measured = measure_lesions(*scene, ALL)
    for row in measured.to_json()["lesions"]:
        assert list(row) == FIELDS
    assert json.loads(json.dumps(measured.to_json(), allow_nan=False)) == measured.to_json()


def test_lesions_come_by_volume_and_bear_text_or_number(scene):
    measured = measure_lesions(*scene, MeasureOptions(min_voxels=2))
    assert [(row.lesion, row.label, row.kind, row.voxels) for row in measured.lesions] == [
        (1, "m,liver", "tumour", 144),
        (2, "n,iliac", "node", 96),
        (3, "m,liver", "tumour", 32),
        (4, 9, "tumour", 32),
    ]
    assert measured.to_json()["dropped"] == [{"label": 9, "voxels": 1}]


def test_fifty_voxels_are_kept_by_default_and_fewer_listed(scene):
    measured = measure_lesions(*scene)
    assert [row.voxels for row in measured.lesions] == [144, 96]
    assert measured.to_json()["dropped"] == [
        {"label": "m,liver", "voxels": 32},
        {"label": 9, "voxels": 32},
        {"label": 9, "voxels": 1},
    ]


def test_exactly_the_least_number_of_voxels_is_enough():
    array = np.zeros((1, 5, 21), dtype=np.uint16)
    array[0, :, :10] = 1
    array[0, :, 11:20] = 1
    array[0, 0:4, 20] = 1
    found = measure_lesions(None, label_map(array))
    assert ([row.voxels for row in found.lesions], [c.voxels for c in found.dropped]) == (
        [50],
        [49],
    )


def test_in_a_study_a_shrunken_target_is_not_gone(scene):
    measured = measure_lesions(*scene, MeasureOptions(min_voxels=1000, keep_largest=True))
    assert [row.voxels for row in measured.lesions] == [144, 96, 32]
    assert [crumb.voxels for crumb in measured.dropped] == [32, 1]


def test_the_kind_option_is_for_labels_without_text(scene):
    measured = measure_lesions(*scene, MeasureOptions(kind="node", min_voxels=2))
    assert [row.kind for row in measured.lesions] == ["tumour", "node", "tumour", "node"]


def test_a_node_s_diameter_is_its_short_axis(scene):
    for row in measure_lesions(*scene, ALL).lesions:
        axis = row.axes.short_axis_mm if row.kind == "node" else row.axes.long_axis_mm
        assert row.diameter_mm == row.as_row()["diameter_mm"] == axis


def test_volume_is_voxels_times_the_voxel_s_volume():
    [row] = rows(None, np.ones((4, 5, 6)), spacing_mm=(2.5, 0.7, 0.6))
    assert row.volume_ml == pytest.approx(120 * 2.5 * 0.7 * 0.6 / 1000, rel=1e-12)


def test_an_empty_mask_gives_no_lesions():
    measured = measure_lesions(None, label_map(np.zeros((3, 4, 5))))
    assert measured.to_json() == {"lesions": [], "dropped": []}


label_arrays = arrays(
    np.uint16,
    array_shapes(min_dims=3, max_dims=3, max_side=7),
    elements=st.sampled_from([0, 0, 1, 2, 65535]),
)


@settings(deadline=None)
@given(label_arrays, st.integers(0, 2**32 - 1))
def test_rows_equal_scipy_s_components_one_by_one(array, seed):
    image = np.random.default_rng(seed).integers(-(2**15), 2**15, array.shape).astype(np.int16)
    expected = []
    for value in np.unique(array[array > 0]):
        parts, n = ndimage.label(array == value, np.ones((3, 3, 3)))
        for number in range(1, n + 1):
            inside = parts == number
            first = int(np.flatnonzero(inside)[0])
            mean = int(image[inside].astype(np.int64).sum()) / int(inside.sum())
            expected.append((-int(inside.sum()), first, int(value), mean))
    found = [(-row.voxels, row.value, row.mean_intensity, row.lesion) for row in rows(image, array)]
    assert found == [
        (voxels, value, mean, number)
        for number, (voxels, _, value, mean) in enumerate(sorted(expected), start=1)
    ]


DTYPES = [
    *(np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64),
    *(np.float16, np.float32, np.float64, ">i2", ">f4"),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_type_has_its_mean(dtype):
    image = np.random.default_rng(2).integers(0, 100, (4, 5, 6)).astype(dtype)
    array = np.zeros(image.shape, dtype=np.uint16)
    array[1:3, 1:4, 2:6] = 3
    [row] = rows(image, array)
    assert row.mean_intensity == pytest.approx(float(image[array > 0].astype(float).mean()))


def test_extreme_integers_add_up_exactly():
    image = np.full((40, 40, 40), 2**31 - 1, dtype=np.int32)
    [row] = rows(image, np.ones(image.shape))
    assert row.mean_intensity == 2**31 - 1


def test_an_image_in_another_memory_order_is_read_in_its_own():
    image = np.asfortranarray(np.random.default_rng(1).normal(size=(4, 5, 6)))
    array = np.zeros(image.shape, dtype=np.uint16)
    array[:, 2:4, ::2] = 1
    for row in rows(image[::-1], array[::-1]):
        inside = np.zeros(array.shape, dtype=bool)
        inside[row.box] = array[::-1][row.box] > 0
        assert row.mean_intensity == pytest.approx(image[::-1][inside].mean())


def reason_of_mean(row: MeasuredLesion):
    assert row.mean_intensity is None
    assert row.as_row()["mean_intensity"] is None
    return row.as_row()["reason"]["mean_intensity"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_lesion_with_a_voxel_that_is_no_number_has_no_mean_and_says_why(bad):
    image = np.ones((2, 4, 9), dtype=np.float32)
    array = np.zeros(image.shape, dtype=np.uint16)
    array[:, :, :4] = 1
    array[:, :, 5:] = 2
    image[1, 2, 7] = image[0, 0, 4] = bad
    healthy, ill = rows(image, array)
    assert healthy.mean_intensity == 1.0
    assert "reason" not in healthy.as_row()
    assert "NaN" in reason_of_mean(ill)
    assert ill.axes is not None


def test_a_lesion_on_padding_has_no_mean_and_says_why():
    labels = label_map(np.ones((2, 3, 4)))
    invalid = np.zeros((2, 3, 4), dtype=bool)
    invalid[1, 2, 3] = True
    volume = Volume(np.zeros((2, 3, 4), np.int16), labels.geometry, invalid=invalid)
    [row] = measure_lesions(volume, labels, ALL).lesions
    assert "padding" in reason_of_mean(row)


def test_without_an_image_all_but_the_mean_is_measured():
    [row] = rows(None, np.ones((2, 3, 4)))
    assert "no image" in reason_of_mean(row)
    assert row.diameter_mm > 0


def test_as_published_says_why_single_pixels_have_no_diameter():
    array = np.zeros((3, 5, 5), dtype=np.uint16)
    array[:, 2, 2] = 1
    [row] = rows(array, array, MeasureOptions(min_voxels=1, diameter="as_published"))
    shown = row.as_row()
    nulls = [field for field in FIELDS if shown[field] is None]
    assert nulls == FIELDS[6:]
    assert sorted(shown["reason"]) == sorted(nulls)
    assert row.diameter_mm is None


def test_as_published_is_about_a_pixel_short_of_the_caliper(scene):
    published = measure_lesions(*scene, MeasureOptions(diameter="as_published")).lesions
    for one, other in zip(published, measure_lesions(*scene).lesions, strict=True):
        assert other.axes.long_axis_mm - 3 < one.axes.long_axis_mm < other.axes.long_axis_mm


def test_relabelling_changes_nothing_but_the_label(scene):
    volume, labels = scene
    table = np.zeros(10, dtype=np.uint16)
    table[[1, 4, 9]] = [40000, 3, 65535]
    other = LabelMap(table[labels.array], labels.geometry)
    pairs = zip(
        measure_lesions(volume, LabelMap(labels.array, labels.geometry), ALL).lesions,
        measure_lesions(volume, other, ALL).lesions,
        strict=True,
    )
    for one, two in pairs:
        assert two.label == table[one.label]
        assert {**two.as_row(), "label": one.label} == one.as_row()


def test_an_image_on_another_grid_is_refused(scene):
    volume, labels = scene
    moved = LabelMap(labels.array, grid(labels.array.shape, (2.0, 0.5, 0.6)))
    with pytest.raises(GeometryMismatchError, match="mm apart"):
        measure_lesions(volume, moved)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "cyst"}, "tumour or node"),
        ({"diameter": "feret"}, "caliper or as_published"),
        ({"min_voxels": -1}, "min_voxels"),
        ({"min_slices": -1}, "min_slices"),
    ],
)
def test_wrong_options_are_refused_with_what_is_allowed(wrong, message):
    with pytest.raises(InputError, match=message):
        MeasureOptions(**wrong)
