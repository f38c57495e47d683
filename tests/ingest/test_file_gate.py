"""Judgement of orientations, numbers and labels of image files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.findings import Outcome
from lesionary.core.volume import AxisOrder, Geometry, LabelMap
from lesionary.ingest.file_gate import (
    grid_of_axes,
    invalid_voxels,
    is_usable,
    judge_affines,
    label_map_on,
    to_labels,
)
from lesionary.ingest.file_image import FileImage
from strategies import SMALL_SHAPES, axis_orders, geometries, label_maps

SHAPE = (5, 4, 3)


def affine_of(matrix: object, origin: object = (0, 0, 0)) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = matrix, origin
    return affine


UPRIGHT = affine_of(np.diag([0.5, 0.75, 3.0]), (1, 2, 3))
SHIFTED = affine_of(np.diag([0.5, 0.75, 3.0]), (1, 2, 3.4))
SHEARED = affine_of([[1, 0.01, 0], [0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("sform", "qform", "choice", "expected"),
    [
        (UPRIGHT, None, None, UPRIGHT),
        (None, UPRIGHT, None, UPRIGHT),
        (UPRIGHT, UPRIGHT + 1e-6, None, UPRIGHT),
        (UPRIGHT, SHIFTED, "sform", UPRIGHT),
        (UPRIGHT, SHIFTED, "qform", SHIFTED),
        (UPRIGHT, None, "qform", UPRIGHT),
        (SHEARED, UPRIGHT, "qform", UPRIGHT),
        (UPRIGHT * 0, UPRIGHT, None, UPRIGHT),
        (UPRIGHT * np.nan, UPRIGHT, None, UPRIGHT),
        (UPRIGHT, SHIFTED, None, "affine_conflict"),
        (SHEARED, None, None, "sheared"),
        (SHEARED, UPRIGHT, None, "sheared"),
        (SHEARED, UPRIGHT, "sform", "sheared"),
        (None, None, None, "no_orientation"),
        (None, None, "sform", "no_orientation"),
        (UPRIGHT * 0, None, None, "no_orientation"),
    ],
)
def test_one_affine_is_chosen_or_the_file_is_left_out(
    sform: object, qform: object, choice: str | None, expected: object
) -> None:
    if isinstance(expected, str):
        with pytest.raises(InputError) as refusal:
            judge_affines(sform, qform, SHAPE, choice=choice)
        assert refusal.value.code == expected
        assert refusal.value.hint
    else:
        np.testing.assert_array_equal(judge_affines(sform, qform, SHAPE, choice=choice), expected)


def test_a_small_turn_is_judged_at_the_far_corner() -> None:
    angle = 0.001
    turned = affine_of(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    judge_affines(np.eye(4), turned, (50, 50, 50))
    with pytest.raises(InputError):
        judge_affines(np.eye(4), turned, (512, 512, 50))


@pytest.mark.parametrize("degrees", [0.05, 0.2])
def test_axes_may_be_a_tenth_of_a_degree_from_square(degrees: float) -> None:
    affine = affine_of([[1, np.sin(np.deg2rad(degrees)), 0], [0, 1, 0], [0, 0, 1]])
    if degrees < 0.1:
        judge_affines(affine, None, SHAPE)
    else:
        with pytest.raises(InputError, match="89"):
            judge_affines(affine, None, SHAPE)


@given(geometries())
def test_every_grid_is_usable_and_comes_back_from_its_axes(geometry: Geometry) -> None:
    assert is_usable(geometry.affine)
    axes = geometry.affine[:3, 2::-1]
    again = grid_of_axes(geometry.shape, axes, geometry.affine[:3, 3])
    np.testing.assert_array_equal(again.affine, geometry.affine)


@given(hnp.arrays(np.float32, SMALL_SHAPES))
def test_invalid_voxels_are_those_that_are_not_finite(array: np.ndarray) -> None:
    invalid, findings = invalid_voxels(array)
    expected = ~np.isfinite(array)
    if expected.any():
        assert invalid is not None
        np.testing.assert_array_equal(invalid, expected)
        assert [(f.code, f.outcome) for f in findings] == [("nan", Outcome.WARNED)]
        assert findings[0].reason.startswith(f"{expected.sum()} of {array.size} ")
    else:
        assert invalid is None
        assert findings == ()


@given(label_maps(largest=65535), st.sampled_from([np.uint16, np.int32, np.float32, np.float64]))
def test_labels_survive_every_number_type_that_holds_them(label_map: LabelMap, dtype: type) -> None:
    labels, findings = to_labels(label_map.array.astype(dtype))
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(labels, label_map.array)
    assert findings == ()


def test_numbers_near_integers_are_rounded_and_said_so() -> None:
    labels, findings = to_labels(np.array([[[0.0, 0.9991, 2.0004]]]))
    np.testing.assert_array_equal(labels, [[[0, 1, 2]]])
    assert [(f.code, f.outcome) for f in findings] == [("mask_not_integer", Outcome.FIXED)]


@pytest.mark.parametrize(
    "numbers",
    [[0.5, 1], [1.002, 1], [np.nan, 1], [np.inf, 1], [-np.inf, 1], [-1.0, 1], [65536.0, 1]],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_what_is_no_label_is_refused(numbers: list[float], dtype: type) -> None:
    if dtype == np.int32 and not float(numbers[0]).is_integer():
        numbers = [-7, 1]
    with pytest.raises(InputError) as refusal:
        to_labels(np.array([[numbers]], dtype))
    assert refusal.value.code == "mask_not_integer"


@given(label_maps(), axis_orders())
def test_a_mask_in_another_axis_order_is_turned(label_map: LabelMap, order: AxisOrder) -> None:
    grid = label_map.geometry
    turned = LabelMap(
        np.ascontiguousarray(order.apply(label_map.array)), grid.reordered(order), {1: "m,liver"}
    )
    back, findings = label_map_on(turned, grid)
    assert back.geometry is grid
    assert back.labels == {1: "m,liver"}
    np.testing.assert_array_equal(back.array, label_map.array)
    was_turned = not grid.is_same_grid(turned.geometry)
    assert [f.code for f in findings] == (["grid_mismatch"] if was_turned else [])


@pytest.mark.parametrize(
    ("shape", "affine", "words"),
    [
        ((3, 4, 6), UPRIGHT, "3 × 4 × 6"),
        ((3, 4, 5), SHIFTED, "0.400 mm"),
        ((5, 4, 3), UPRIGHT, "another order"),
    ],
)
def test_a_mask_on_another_grid_is_refused_with_the_difference(
    shape: tuple[int, int, int], affine: np.ndarray, words: str
) -> None:
    image = Geometry((3, 4, 5), UPRIGHT)
    mask = LabelMap(np.zeros(shape, np.uint16), Geometry(shape, affine))
    with pytest.raises(GeometryMismatchError, match=words) as refusal:
        label_map_on(mask, image)
    assert refusal.value.code == "grid_mismatch"


def test_a_file_may_be_volume_or_label_map() -> None:
    grid = Geometry((1, 1, 3), np.eye(4))
    image = FileImage(np.array([[[0.0, 2.0, np.nan]]]), grid, {0: "background", 2: "GTV"})
    volume = image.as_volume("MR")
    assert volume.modality == "MR"
    assert volume.invalid is not None
    np.testing.assert_array_equal(volume.invalid, [[[False, False, True]]])
    assert not image.is_integer
    with pytest.raises(InputError):
        image.as_label_map()
    labels, _ = FileImage(np.array([[[0, 2, 2]]]), grid, {0: "background", 2: "GTV"}).as_label_map()
    assert labels.labels == {2: "GTV"}
