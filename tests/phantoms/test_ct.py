from dataclasses import replace

import numpy as np
import pytest

from lesionary.core.errors import InputError
from lesionary.phantoms.ct import CtSpec, Slices, thorax_abdomen
from lesionary.phantoms.scenario import Course, LesionPlan, Relation

SMALL = CtSpec(
    shape=(50, 84, 84),
    spacing_mm=(7.0, 4.6, 4.6),
    lesions=LesionPlan(
        {"t,lung": 1, "m,lung": 2, "m,liver": 2, "n,mediastinum": 1}, smallest_mm=16
    ),
)


@pytest.fixture(scope="module")
def scenario():
    return thorax_abdomen(SMALL, seed=7)


@pytest.fixture(scope="module")
def sharp():
    """One scan with voxels small enough to weigh tumours by counting."""
    plan = LesionPlan(
        {"m,lung": 3, "m,liver": 2, "n,mediastinum": 1}, courses=(Course.STABLE,), smallest_mm=18
    )
    spec = CtSpec((100, 140, 140), (3.0, 2.6, 2.6), -150.0, days=(0,), lesions=plan, noise_hu=8.0)
    return thorax_abdomen(spec, seed=11).timepoints[0]


def test_the_same_seed_gives_the_same_bytes(scenario):
    again = thorax_abdomen(SMALL, seed=7)
    for one, two in zip(scenario.timepoints, again.timepoints, strict=True):
        assert one.volume.array.tobytes() == two.volume.array.tobytes()
        assert one.truth.array.tobytes() == two.truth.array.tobytes()
    assert scenario.links == again.links


def test_another_seed_gives_another_patient(scenario):
    other = thorax_abdomen(replace(SMALL, days=(0,)), seed=8).timepoints[0]
    first = scenario.timepoints[0]
    assert other.volume.array.tobytes() != first.volume.array.tobytes()
    assert other.truth.array.tobytes() != first.truth.array.tobytes()


def test_each_scan_has_its_day_and_its_own_noise(scenario):
    assert [scan.day for scan in scenario.timepoints] == [0, 56, 112]
    still = replace(SMALL, days=(0, 9), motion_mm=0.0, motion_degrees=0.0, lesions=LesionPlan({}))
    one, two = (scan.volume.array for scan in thorax_abdomen(still, seed=7).timepoints)
    change = two.astype(np.float64) - one
    assert change.std() > 1
    assert abs(change.mean()) < 0.2


def test_voxels_hold_hounsfield_units_of_a_body(scenario):
    scan = scenario.timepoints[0]
    array = scan.volume.array
    assert array.dtype == np.int16
    assert scan.volume.modality == "CT"
    assert array.min() == -1024
    body = array[array > -300]
    assert np.percentile(body, 99) > 150
    shares = {
        "lung": ((array > -950) & (array < -650)).mean(),
        "fat": ((array > -150) & (array < -60)).mean(),
        "soft": ((array > 0) & (array < 200)).mean(),
    }
    assert shares["lung"] > 0.05
    assert shares["fat"] > 0.05
    assert shares["soft"] > 0.08


def test_the_corners_lie_outside_the_reconstruction_circle(scenario):
    array = scenario.timepoints[0].volume.array
    assert (array[:, [0, 0, -1, -1], [0, -1, 0, -1]] == -1024).all()


def test_truth_labels_are_the_lesions(scenario):
    for scan in scenario.timepoints:
        values = np.unique(scan.truth.array)
        assert list(values[values > 0]) == [lesion.value for lesion in scan.lesions]
        assert scan.truth.labels == {lesion.value: lesion.label for lesion in scan.lesions}


def test_counted_volumes_are_the_true_ones(sharp):
    voxel_ml = sharp.volume.geometry.voxel_volume_mm3 / 1000
    for lesion in sharp.lesions:
        counted_ml = float((sharp.truth.array == lesion.value).sum()) * voxel_ml
        # Points on a lattice: the error falls with the number of voxels on the surface.
        n = counted_ml / voxel_ml
        assert counted_ml == pytest.approx(lesion.volume_ml, rel=1.2 / n**0.5)


def test_voxels_of_the_truth_have_their_centre_inside_the_shape(sharp):
    geometry = sharp.truth.geometry
    for lesion in sharp.lesions:
        inside = np.argwhere(sharp.truth.array == lesion.value)
        assert lesion.shape.holds(geometry.to_world(inside)).all()


def test_lesions_stand_out_from_their_organ(sharp):
    from scipy.ndimage import binary_dilation

    occupied = sharp.truth.array > 0
    for lesion in sharp.lesions:
        mask = sharp.truth.array == lesion.value
        shell = binary_dilation(mask, iterations=4) & ~binary_dilation(occupied, iterations=2)
        inside = float(np.median(sharp.volume.array[mask]))
        around = float(np.median(sharp.volume.array[shell]))
        if lesion.label == "m,liver":
            assert 20 < around - inside < 100
        else:
            assert inside - around > 60


def test_lesions_lie_where_their_label_says(sharp):
    for lesion in sharp.lesions:
        x, _, z = lesion.centre_mm
        if lesion.label == "m,liver":
            assert x < 60
            assert -140 < z < 60
        else:
            assert z > -60


def _relations(scenario, timepoint):
    return [link.relation for link in scenario.links if link.from_timepoint == timepoint]


def test_all_courses_leave_their_relations():
    plan = LesionPlan({"m,lung": 4, "m,liver": 3}, smallest_mm=17, largest_mm=24)
    spec = replace(SMALL, lesions=plan)
    scenario = thorax_abdomen(spec, seed=3)
    assert set(_relations(scenario, 0)) == {Relation.SAME, Relation.NEW, Relation.SPLIT}
    assert set(_relations(scenario, 1)) == {Relation.SAME, Relation.GONE, Relation.MERGE}
    for link in scenario.links:
        before = {les.value for les in scenario.timepoints[link.from_timepoint].lesions}
        after = {les.value for les in scenario.timepoints[link.from_timepoint + 1].lesions}
        assert link.from_value is None or link.from_value in before
        assert link.to_value is None or link.to_value in after
        assert (link.from_value is None) == (link.relation is Relation.NEW)
        assert (link.to_value is None) == (link.relation is Relation.GONE)
    for timepoint, scan in enumerate(scenario.timepoints):
        linked = [li.from_value for li in scenario.links if li.from_timepoint == timepoint]
        if timepoint < 2:
            assert {les.value for les in scan.lesions} <= set(linked)


def test_merged_tumours_are_one_piece_and_split_ones_two():
    from scipy.ndimage import label

    plan = LesionPlan(
        {"m,lung": 1, "m,liver": 1}, courses=(Course.MERGING, Course.SPLITTING), smallest_mm=20
    )
    scenario = thorax_abdomen(replace(SMALL, lesions=plan, days=(0, 40)), seed=5)
    first, last = scenario.timepoints
    everywhere = np.ones((3, 3, 3))
    for scan, merging, splitting in ((first, 2, 1), (last, 1, 2)):
        counts = {}
        for lesion in scan.lesions:
            mask = scan.truth.array == lesion.value
            assert label(mask, everywhere)[1] == 1
            counts[lesion.label] = counts.get(lesion.label, 0) + 1
        assert counts == {"m,lung": merging, "m,liver": splitting}
        assert label(scan.truth.array > 0, everywhere)[1] == 3
    merged = next(lesion for lesion in last.lesions if lesion.label == "m,lung")
    assert (merged.track, merged.merged) == ("A", ("B",))
    parts = [lesion.part for lesion in last.lesions if lesion.label == "m,liver"]
    assert parts == [1, 2]


def test_courses_grow_and_shrink():
    plan = LesionPlan(
        {"m,lung": 1, "m,liver": 1}, courses=(Course.GROWING, Course.SHRINKING), smallest_mm=18
    )
    scans = thorax_abdomen(replace(SMALL, lesions=plan, days=(0, 40)), seed=2).timepoints
    growing, shrinking = zip(*(s.lesions for s in scans), strict=True)
    # The patient lies a little differently, so axial diameters change a little more or less.
    assert growing[1].longest_diameter_mm / growing[0].longest_diameter_mm == pytest.approx(
        1.25, rel=0.05
    )
    assert shrinking[1].volume_ml / shrinking[0].volume_ml == pytest.approx(0.72**3)


def test_the_patient_moves_a_little_between_time_points(scenario):
    first, *later = scenario.timepoints
    for scan in later:
        shift = np.linalg.norm(scan.pose.shift_mm)
        assert 0 < shift <= SMALL.motion_mm
        assert np.array_equal(scan.volume.geometry.affine, first.volume.geometry.affine)


def test_a_scan_without_tumours_has_an_empty_truth():
    spec = replace(SMALL, days=(0,), lesions=LesionPlan({}))
    scan = thorax_abdomen(spec, seed=1).timepoints[0]
    assert not scan.truth.array.any()
    assert scan.lesions == ()


def test_too_many_tumours_are_refused():
    with pytest.raises(InputError, match="no room"):
        thorax_abdomen(replace(SMALL, lesions=LesionPlan({"n,mediastinum": 40})), seed=1)


def test_an_unknown_place_is_refused():
    with pytest.raises(InputError, match="no place"):
        thorax_abdomen(replace(SMALL, lesions=LesionPlan({"m,brain": 1})), seed=1)


def test_a_grid_too_small_for_a_trunk_is_refused():
    with pytest.raises(InputError, match="8 voxels"):
        thorax_abdomen(replace(SMALL, shape=(2, 64, 64)), seed=1)


def test_a_patient_moves_by_exactly_what_was_asked():
    spec = replace(
        SMALL, motion_mm=30.0, motion_degrees=10.0, is_full_motion=True, lesions=LesionPlan({})
    )
    first, *others = (scan.pose for scan in thorax_abdomen(spec, seed=2).timepoints)
    assert np.array_equal(first.rotation, np.eye(3))
    for pose in others:
        assert np.linalg.norm(pose.shift_mm) == pytest.approx(30.0)
        cosine = (np.trace(pose.rotation) - 1) / 2
        assert np.degrees(np.arccos(cosine)) == pytest.approx(10.0)


def test_a_time_point_may_have_other_slices():
    usual = replace(SMALL, days=(0, 56), lesions=LesionPlan({"m,lung": 1, "m,liver": 1}))
    spec = replace(usual, other_slices={1: Slices(90, 3.5, -150.0)})
    plain, other = thorax_abdomen(usual, seed=7), thorax_abdomen(spec, seed=7)
    first, second = other.timepoints
    assert second.volume.geometry.shape == (90, 84, 84)
    assert second.volume.geometry.spacing_mm == pytest.approx((3.5, 4.6, 4.6))
    assert second.volume.geometry.affine[2, 3] == -150.0
    assert first.volume.array.tobytes() == plain.timepoints[0].volume.array.tobytes()
    for here, there in zip(second.lesions, plain.timepoints[1].lesions, strict=True):
        np.testing.assert_array_equal(here.centre_mm, there.centre_mm)


def test_a_tumour_may_be_missing_at_one_time_point():
    plan = LesionPlan({"m,liver": 1}, courses=(Course.REAPPEARING,), smallest_mm=16)
    scenario = thorax_abdomen(replace(SMALL, lesions=plan), seed=3)
    assert [[les.track for les in scan.lesions] for scan in scenario.timepoints] == [
        ["A"],
        [],
        ["A"],
    ]
    assert _relations(scenario, 0) == [Relation.GONE]
    assert _relations(scenario, 1) == [Relation.NEW]
