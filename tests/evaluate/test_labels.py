"""Labels and composites: stated results where a side is empty, and numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.volume import Geometry, LabelMap
from lesionary.evaluate.evaluation import evaluate
from lesionary.evaluate.labels import DISTANCE_FIELDS
from lesionary.evaluate.options import EvaluateOptions
from strategies import geometries, label_maps

SPACING_MM = (3.0, 1.0, 0.5)
GRID = Geometry((6, 8, 10), np.diag([*SPACING_MM, 1.0]))
ML = np.prod(SPACING_MM) / 1000
CORE = np.s_[2:5, 2:6, 3:8]


def drawn(*parts, texts=None):
    """Draw boxes: pairs of a value and a place."""
    array = np.zeros(GRID.shape, dtype=np.uint16)
    for value, place in parts:
        array[place] = value
    return LabelMap(array, GRID, texts or {})


def scored(reference, prediction, **options):
    return evaluate(reference, prediction, EvaluateOptions(**options)).to_json()


def only(document):
    (row,) = document["labels"]
    return row


def distances_of(row):
    return {row[name] for name in DISTANCE_FIELDS}


def test_a_mask_against_itself_is_perfect_and_flagged():
    document = scored(drawn((1, CORE)), drawn((1, CORE)))
    row = only(document)
    assert (row["dsc"], row["nsd"], row["volume_difference_ml"]) == (1.0, 1.0, 0.0)
    assert distances_of(row) == {0.0}
    assert document["self_compared"]
    assert row["self_compared"]
    assert "reason" not in row


def test_two_empty_masks_have_no_labels_and_say_so():
    document = scored(drawn(), drawn())
    assert (document["labels"], list(document["reason"])) == ([], ["labels"])
    assert not document["self_compared"]
    assert document["detection"]["sensitivity"] is None
    assert document["lesions"] == {"reference": [], "predicted": []}


@pytest.mark.parametrize("is_missed", [True, False])
def test_empty_against_full_is_nought_and_has_no_distances(is_missed):
    full, empty = drawn((1, CORE)), drawn()
    row = only(scored(full, empty) if is_missed else scored(empty, full))
    assert (row["dsc"], row["nsd"], distances_of(row)) == (0.0, 0.0, {None})
    assert set(row["reason"]) == set(DISTANCE_FIELDS)
    assert (row["missed"], row["spurious"]) == (is_missed, not is_missed)
    sign = -1 if is_missed else 1
    assert row["volume_difference_ml"] == pytest.approx(sign * 60 * ML)


def test_a_composite_that_neither_has_is_undefined_with_reasons():
    row = only(scored(drawn(), drawn(), composites={"mass": (2, 3)}))
    assert row["composite"] == row["label"] == "mass"
    null = {name for name, value in row.items() if value is None}
    assert null == {"dsc", "nsd", *DISTANCE_FIELDS} == set(row["reason"])
    assert (row["volume_difference_ml"], row["self_compared"]) == (0.0, False)


def test_one_voxel_beside_its_neighbour_lies_a_voxel_away():
    row = only(scored(drawn((1, np.s_[2, 3, 4])), drawn((1, np.s_[2, 3, 5]))))
    assert row["dsc"] == 0.0
    assert row["hd95_mm"] == row["hausdorff_mm"] == 0.5
    assert 0.0 < row["mean_surface_distance_mm"] < 0.5
    assert row["nsd"] == 1.0  # all within 2 mm


def test_what_touches_the_border_is_closed_there():
    whole = np.s_[:, :, :]
    row = only(scored(drawn((1, whole)), drawn((1, np.s_[:, :, :9]))))
    assert row["hausdorff_mm"] == 0.5
    assert row["dsc"] == pytest.approx(2 * 9 / 19)


def test_labels_that_touch_and_are_swapped_miss_each_other_but_not_as_a_composite():
    left, right = np.s_[2:4, 2:4, 2:4], np.s_[2:4, 2:4, 4:6]
    document = scored(
        drawn((1, left), (2, right)), drawn((2, left), (1, right)), composites={"both": (1, 2)}
    )
    one, two, both = document["labels"]
    assert (one["dsc"], two["dsc"], both["dsc"]) == (0.0, 0.0, 1.0)
    assert one["hd95_mm"] == two["hd95_mm"] > 0
    assert (both["self_compared"], document["self_compared"]) == (True, False)
    assert document["detection"]["true_positive"] == 0
    assert both["detection"]["true_positive"] == 1


def test_a_label_on_one_side_only_is_listed():
    document = scored(drawn((1, CORE)), drawn((1, CORE), (7, np.s_[0, 0, 0])))
    assert [row["label"] for row in document["labels"]] == [1, 7]
    assert document["labels"][1]["spurious"]
    assert not document["self_compared"]


def test_directions_and_differences_run_as_they_are_named():
    small, large = np.s_[2:4, 2:4, 2:4], np.s_[2:4, 2:4, 2:10]
    row = only(scored(drawn((1, small)), drawn((1, large))))
    assert row["hd95_reference_to_prediction_mm"] < row["hd95_prediction_to_reference_mm"]
    assert row["hd95_mm"] == row["hd95_prediction_to_reference_mm"]
    assert row["volume_difference_ml"] == pytest.approx((32 - 8) * ML)
    assert (row["reference_volume_ml"], row["predicted_volume_ml"]) == pytest.approx(
        (8 * ML, 32 * ML)
    )


def test_each_label_is_held_to_its_own_tolerance():
    texts = {1: "liver", 2: "m,liver"}
    reference = drawn((1, CORE), (2, np.s_[0, 0, 0]), texts=texts)
    document = scored(
        reference,
        reference,
        tolerance_mm=3.0,
        tolerances_mm={"liver": 7.0, "mass": 1.1329},
        composites={"mass": (1, 2)},
    )
    assert [row["tolerance_mm"] for row in document["labels"]] == [7.0, 3.0, 1.1329]
    assert [row["label"] for row in document["labels"]] == ["liver", "m,liver", "mass"]


def test_a_value_that_bears_two_names_is_reported():
    one, other = drawn((1, CORE), texts={1: "liver"}), drawn((1, CORE), texts={1: "kidney"})
    (warning,) = scored(one, other)["warnings"]
    assert "liver" in warning
    assert "kidney" in warning
    assert only(scored(drawn((1, CORE)), other))["label"] == "kidney"


@given(st.data())
def test_sides_can_be_exchanged(data):
    grid = data.draw(geometries())
    one, other = (data.draw(label_maps(st.just(grid), largest=2)) for _ in range(2))
    there, back = (scored(*pair)["labels"] for pair in ((one, other), (other, one)))
    for row, turned in zip(there, back, strict=True):
        for name in ("dsc", "nsd", "hd95_mm", "mean_surface_distance_mm", "hausdorff_mm"):
            assert row[name] == pytest.approx(turned[name]), name
        assert row["hd95_reference_to_prediction_mm"] == turned["hd95_prediction_to_reference_mm"]
        assert row["volume_difference_ml"] == -turned["volume_difference_ml"]
        assert row["missed"] == turned["spurious"]


@given(st.data())
def test_every_null_has_its_reason_and_every_number_is_finite(data):
    grid = data.draw(geometries())
    one, other = (data.draw(label_maps(st.just(grid), largest=2)) for _ in range(2))
    assert_reasons(scored(one, other, composites={"both": (1, 2), "none": (9,)}))


def assert_reasons(value):
    if isinstance(value, dict):
        for name, held in value.items():
            if held is None:
                assert value["reason"][name], name
            assert_reasons(held)
        assert all(value[name] is None or value[name] == [] for name in value.get("reason", {}))
    elif isinstance(value, list):
        for held in value:
            assert_reasons(held)
    elif isinstance(value, float):
        assert np.isfinite(value)
    else:
        assert value is None or isinstance(value, int | str | bool)


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")  # the package's
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1,), (2,), (1, 2)]))
def test_numbers_are_those_of_the_published_package_direction_by_direction(seed, values):
    package = pytest.importorskip("surface_distance")
    rng = np.random.default_rng(seed)
    blobs = [rng.integers(0, 3, GRID.shape).astype(np.uint16) for _ in range(2)]
    for blob in blobs:
        blob[rng.random(GRID.shape) < 0.6] = 0
    reference, prediction = (LabelMap(blob, GRID) for blob in blobs)
    inside = [np.isin(blob, values) for blob in blobs]
    expected = package.compute_surface_distances(*inside, SPACING_MM)
    document = scored(reference, prediction, composites={"both": (1, 2)}, tolerance_mm=0.7)
    name = "both" if len(values) == 2 else values[0]
    (row,) = [row for row in document["labels"] if row["label"] == name]
    there, back = package.compute_average_surface_distance(expected)
    assert row["mean_reference_to_prediction_mm"] == pytest.approx(there, abs=5e-5)
    assert row["mean_prediction_to_reference_mm"] == pytest.approx(back, abs=5e-5)
    assert row["hd95_mm"] == pytest.approx(package.compute_robust_hausdorff(expected, 95), abs=5e-5)
    assert row["nsd"] == pytest.approx(
        package.compute_surface_dice_at_tolerance(expected, 0.7), abs=5e-5
    )
    assert row["dsc"] == package.compute_dice_coefficient(*inside)
