"""R7: same label, same value; 26-connected pieces; crumbs dropped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lesionary.core.components import components
from lesionary.core.errors import InputError
from lesionary.core.volume import Geometry, LabelMap
from lesionary.measure.instances import instances, is_kept, merge_same_labels
from lesionary.measure.lesions import MeasureOptions, measure_lesions

label_arrays = arrays(
    np.uint16,
    array_shapes(min_dims=3, max_dims=3, max_side=8),
    elements=st.sampled_from([0, 0, 0, 1, 2, 5]),
)


def label_map(array, labels=None):
    array = np.asarray(array, dtype=np.uint16)
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = affine[3, 3] = 1
    return LabelMap(array, Geometry(array.shape, affine), labels or {})


def test_values_of_one_text_become_the_least_of_them():
    drawn = label_map(
        [[[1, 2, 3, 4, 0, 5]]], {3: "m,liver", 1: "n,iliac", 4: "M, Liver ", 2: "m,lung"}
    )
    merged = merge_same_labels(drawn)
    assert merged.array.tolist() == [[[1, 2, 3, 3, 0, 5]]]
    assert merged.labels == {1: "n,iliac", 2: "m,lung", 3: "m,liver"}


def test_merging_joins_touching_pieces_of_one_label_into_one_instance():
    drawn = label_map([[[1, 1, 2, 2, 3]]], {1: "m,liver", 2: "m,liver", 3: "m,lung"})
    assert len(components(drawn.array)) == 3
    split = instances(merge_same_labels(drawn), min_voxels=1)
    assert split.array.tolist() == [[[1, 1, 1, 1, 2]]]
    assert split.labels == {1: "m,liver", 2: "m,lung"}


@settings(deadline=None)
@given(label_arrays)
def test_instances_bear_the_numbers_that_measuring_gives_them(array):
    drawn = label_map(array, {1: "m,liver", 2: "n,iliac"})
    split = instances(drawn, min_voxels=2)
    measured = measure_lesions(None, drawn, MeasureOptions(min_voxels=2)).lesions
    again = measure_lesions(None, split, MeasureOptions(min_voxels=2)).lesions
    assert [row.lesion for row in again] == [row.value for row in again]
    assert [row.box for row in again] == [row.box for row in measured]
    assert [row.voxels for row in again] == [row.voxels for row in measured]
    for row in measured:
        assert split.labels.get(row.lesion, row.value) == row.label
        assert (split.array == row.lesion).sum() == row.voxels
        assert set(np.unique(array[split.array == row.lesion])) == {row.value}


@settings(deadline=None)
@given(label_arrays)
def test_splitting_twice_is_splitting_once(array):
    once = instances(label_map(array), min_voxels=1)
    twice = instances(once, min_voxels=1)
    assert np.array_equal(once.array, twice.array)


CRUMBS = np.zeros((4, 3, 20), dtype=np.uint16)
CRUMBS[0, 0, 0:6] = 1  # 6 voxels, one slice
CRUMBS[0, 2, 8:10] = 1  # 2 voxels, one slice
CRUMBS[:, 0, 12] = 2  # 4 voxels, four slices
CRUMBS[2, 2, 16:18] = 3  # 2 voxels, one slice


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"min_voxels": 3}, [True, True, False, False]),
        ({"min_voxels": 6}, [True, False, False, False]),
        ({"min_voxels": 7}, [False, False, False, False]),
        ({"min_voxels": 1, "min_slices": 2}, [False, True, False, False]),
        ({"min_voxels": 7, "keep_largest": True}, [True, True, False, True]),
        ({"min_voxels": 1, "min_slices": 2, "keep_largest": True}, [True, True, False, True]),
    ],
)
def test_crumbs_are_told_by_voxels_and_slices_but_never_a_label_s_largest(rule, expected):
    found = components(CRUMBS)
    assert is_kept(found, 0, **rule).tolist() == expected


def test_crumbs_become_background():
    split = instances(label_map(CRUMBS), min_voxels=3)
    assert np.unique(split.array).tolist() == [0, 1, 2]
    assert (split.array > 0).sum() == 10


def test_slices_are_counted_along_the_patient():
    upright = label_map(CRUMBS)
    lying = LabelMap(
        np.ascontiguousarray(CRUMBS.transpose(1, 2, 0)),
        Geometry((3, 20, 4), upright.geometry.affine[:, [1, 2, 0, 3]]),
    )
    assert lying.geometry.superior_axis == 2
    assert instances(lying, min_voxels=1, min_slices=4).array.max() == 1


def test_more_instances_than_a_label_map_holds_are_refused():
    speckle = np.zeros((2 * 41 - 1, 81, 81), dtype=np.uint16)
    speckle[::2, ::2, ::2] = 1
    assert (speckle > 0).sum() == 41**3
    with pytest.raises(InputError, match="68921 lesion instances"):
        instances(label_map(speckle), min_voxels=1)
    assert not instances(label_map(speckle)).array.any()
