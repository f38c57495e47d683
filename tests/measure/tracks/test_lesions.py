import numpy as np
import pytest
from hypothesis import given

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.core.volume import Geometry, LabelMap, Mask
from lesionary.measure.lesions import MeasureOptions, measure_lesions
from lesionary.measure.tracks.lesions import tracked_lesions
from lesionary.measure.tracks.records import Place, TrackedLesion
from lesionary.measure.tracks.registration import Transform
from strategies import label_maps

HERE = Place("0", "ct")


def cube(labels):
    array = np.zeros((10, 20, 20), dtype=np.uint16)
    array[2:6, 2:8, 2:8] = 1
    array[7:9, 12:15, 12:15] = 2
    affine = np.array([[0, 0, 2.0, -10], [0, 2.0, 0, 5], [3.0, 0, 0, 7], [0, 0, 0, 1]])
    return LabelMap(array, Geometry(array.shape, affine), labels)


def tracked(labels, to_reference=None):
    measured = measure_lesions(None, labels, MeasureOptions(min_voxels=1))
    return tracked_lesions(labels, measured, HERE, to_reference)


def test_each_row_becomes_a_lesion_with_its_own_voxels():
    one, two = tracked(cube({1: "m,liver", 2: "n,neck"}))
    assert (one.place, two.place) == (Place("0", "ct", 1), Place("0", "ct", 2))
    assert (one.label, one.kind, one.organ) == ("m,liver", LesionKind.TUMOUR, "liver")
    assert (two.kind, two.organ) == (LesionKind.NODE, "lymph nodes")
    assert one.mask.n_voxels == 4 * 6 * 6
    assert one.volume_ml == pytest.approx(4 * 6 * 6 * 12 / 1000)
    np.testing.assert_allclose(two.mask.geometry.affine[:3, 3], [-10 + 24, 5 + 24, 7 + 21])


def test_a_label_without_text_has_no_organ():
    assert [lesion.organ for lesion in tracked(cube({}))] == ["", ""]
    assert [lesion.label for lesion in tracked(cube({}))] == ["1", "2"]


def test_lesions_of_another_series_are_laid_into_the_reference():
    shift = np.eye(4)
    shift[:3, 3] = (1.0, 2.0, 3.0)
    here, there = tracked(cube({})), tracked(cube({}), Transform(shift))
    offset = there[0].mask.geometry.affine - here[0].mask.geometry.affine
    np.testing.assert_allclose(offset[:3, 3], (1.0, 2.0, 3.0))


def test_rows_of_another_label_map_are_refused():
    labels = cube({})
    measured = measure_lesions(None, labels, MeasureOptions(min_voxels=1))
    empty = labels.with_array(np.zeros_like(labels.array))
    with pytest.raises(InputError, match="not measured"):
        tracked_lesions(empty, measured, HERE)


@given(label_maps())
def test_all_voxels_of_all_lesions_are_there(labels):
    assert sum(lesion.mask.n_voxels for lesion in tracked(labels)) == np.count_nonzero(labels.array)


def test_an_empty_lesion_is_refused():
    geometry = Geometry((1, 1, 1), np.eye(4)[[2, 1, 0, 3]])
    nothing = Mask(np.zeros((1, 1, 1), dtype=np.bool_), geometry)
    with pytest.raises(InputError, match="at least one voxel"):
        TrackedLesion(Place("0", "ct", 1), "1", LesionKind.TUMOUR, "", 1.0, None, nothing)
