import numpy as np
import pytest

from lesionary.core.errors import InputError
from lesionary.core.volume import AxisOrder, Geometry, Volume
from lesionary.engines._coarse import coarse_scan
from lesionary.engines.registration import CoarseRegistration
from lesionary.measure.tracks.registration import (
    Registration,
    RegistrationKind,
    RegistrationOptions,
    Transform,
)
from lesionary.phantoms.ct import CtSpec, thorax_abdomen
from lesionary.phantoms.noise import SmoothNoise, rotation_about
from lesionary.phantoms.petct import PetCtSpec, fdg_petct
from lesionary.phantoms.scenario import LesionPlan

PLAN = LesionPlan({"m,lung": 2, "m,liver": 2}, smallest_mm=16)
SPEC = CtSpec(
    (58, 100, 100),
    (6.0, 4.0, 4.0),
    days=(0, 56),
    lesions=PLAN,
    motion_mm=30.0,
    motion_degrees=10.0,
    is_full_motion=True,
)


@pytest.fixture(scope="module")
def scenario():
    return thorax_abdomen(SPEC, seed=3)


@pytest.fixture(scope="module")
def scans(scenario):
    return [scan.volume for scan in scenario.timepoints]


@pytest.fixture(scope="module")
def truth(scenario):
    before, after = (_pose(scan.pose) for scan in scenario.timepoints)
    return after @ np.linalg.inv(before)


@pytest.fixture(scope="module")
def found(scans):
    return CoarseRegistration().register(*scans)


def _pose(pose):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = pose.rotation, pose.shift_mm
    return matrix


def _off_mm(transform, truth, volume):
    """Return the largest distance from the true place over the middle of the scan."""
    corners = volume.geometry.corners_mm()
    points = corners.mean(axis=0) + 0.5 * (corners - corners.mean(axis=0))
    return np.linalg.norm(transform.apply(points) - Transform(truth).apply(points), axis=1).max()


def _turned(degrees, shift_mm):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_about(np.array([0.6, 0.0, 0.8]), degrees)
    matrix[:3, 3] = shift_mm
    return Transform(matrix)


def _moved(volume, transform):
    return Volume(volume.array, transform.moved(volume.geometry), volume.modality, volume.quantity)


def _stack(volume, start, stop):
    rows, columns = volume.geometry.shape[1:]
    return volume.cropped((slice(start, stop), slice(0, rows), slice(0, columns)))


def _as_mr(volume, seed):
    """Map tissues to other, not monotone values, under a bias field of its own."""
    hu = volume.array.astype(np.float64)
    signal = np.where(hu < 150, 110 + 0.5 * hu, 30.0)
    signal = np.where(hu < -20, 220.0, signal)
    signal[hu < -400] = 5.0
    rng = np.random.default_rng(seed)
    bias = SmoothNoise.draw(rng, 400.0, 0.2).on_lattice(
        volume.geometry.affine, volume.geometry.shape
    )[0]
    noisy = signal * np.exp(bias) + rng.normal(0, 6, hu.shape)
    return Volume(np.maximum(noisy, 0).astype(np.float32), volume.geometry, "MR")


def test_it_keeps_the_promise(found):
    assert isinstance(CoarseRegistration(), Registration)
    assert 0 <= found.quality <= 1


def test_a_patient_shifted_and_turned_is_found_within_a_voxel(found, truth, scans):
    assert found.kind is RegistrationKind.RIGID
    assert found.reason == ""
    assert found.quality > 0.8
    assert _off_mm(found, truth, scans[0]) < 2.0


def test_the_result_is_rigid(found):
    turn = found.matrix[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) > 0


def test_the_same_scans_give_the_same_bytes(found, scans):
    assert CoarseRegistration().register(*scans).matrix.tobytes() == found.matrix.tobytes()


def test_the_number_of_threads_changes_no_byte(found, scans):
    import SimpleITK as sitk

    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(4)
        again = CoarseRegistration().register(*scans)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    assert again.matrix.tobytes() == found.matrix.tobytes()


def test_a_body_a_tenth_as_long_is_found_as_well(scans, truth):
    """A mouse, or a head, is coarse on other voxels than a trunk."""
    tenth = np.diag([0.1, 0.1, 0.1, 1.0])
    small = [_moved(volume, Transform(tenth)) for volume in scans]
    found = CoarseRegistration().register(*small)
    assert found.kind is RegistrationKind.RIGID
    assert _off_mm(found, tenth @ truth @ np.linalg.inv(tenth), small[0]) < 0.2


def test_a_file_stored_in_another_order_is_the_same_scan(scans, truth):
    before, after = scans
    order = AxisOrder((2, 0, 1), (True, False, True))
    stored = Volume(
        np.ascontiguousarray(order.apply(after.array)),
        after.geometry.reordered(order),
        "CT",
        after.quantity,
    )
    assert _off_mm(CoarseRegistration().register(before, stored), truth, before) < 2.0


@pytest.mark.slow
def test_an_oblique_scan_a_hand_away_is_found(scans, truth):
    before, after = scans
    further = _turned(15.0, (40.0, -30.0, 50.0))
    found = CoarseRegistration().register(before, _moved(after, further))
    assert found.kind is RegistrationKind.RIGID
    assert _off_mm(found, further.matrix @ truth, before) < 2.0


@pytest.mark.parametrize(
    "part",
    [pytest.param((0, 30), marks=pytest.mark.slow, id="belly"), pytest.param((30, 58), id="chest")],
)
def test_fields_of_view_may_differ(scans, truth, part):
    before, after = scans
    for one, two, way in (
        (_stack(before, *part), after, truth),
        (before, _stack(after, *part), truth),
    ):
        found = CoarseRegistration().register(one, two)
        assert found.kind is RegistrationKind.RIGID
        assert _off_mm(found, way, one) < 4.0


def test_scans_of_different_parts_of_the_body_fall_back_and_say_so(scans):
    before, after = scans
    found = CoarseRegistration().register(_stack(before, 0, 18), _stack(after, 42, 58))
    assert found.kind is RegistrationKind.BODY_CENTRE
    assert found.reason


@pytest.mark.slow
def test_scans_that_have_nothing_in_common_fall_back_and_say_so(scans):
    before, _ = scans
    noise = np.random.default_rng(0).integers(-1000, 1000, before.array.shape).astype(np.int16)
    found = CoarseRegistration().register(before, Volume(noise, before.geometry, "CT"))
    assert found.kind is RegistrationKind.BODY_CENTRE
    assert "likeness" in found.reason or "share" in found.reason


def test_without_a_body_it_falls_back_and_says_so(scans):
    before, _ = scans
    air = Volume(np.full(before.array.shape, -1000, np.int16), before.geometry, "CT")
    for pair in ((before, air), (air, before), (air, air)):
        found = CoarseRegistration().register(*pair)
        assert found.kind is RegistrationKind.BODY_CENTRE
        assert found.quality == 0.0
        assert "no body" in found.reason


def test_the_fallback_lays_centre_on_centre(scans):
    before, _ = scans
    shifted = _moved(before, Transform([[1, 0, 0, 25], [0, 1, 0, -8], [0, 0, 1, 90], [0, 0, 0, 1]]))
    never = RegistrationOptions(least_quality=1.01)
    found = CoarseRegistration().register(before, shifted, never)
    assert found.kind is RegistrationKind.BODY_CENTRE
    np.testing.assert_allclose(found.matrix[:3, 3], [25, -8, 90], atol=1e-6)
    np.testing.assert_array_equal(found.matrix[:3, :3], np.eye(3))


@pytest.mark.slow
def test_an_implausible_turn_is_not_believed(scans, truth):
    found = CoarseRegistration().register(*scans, RegistrationOptions(largest_degrees=2.0))
    assert found.kind is RegistrationKind.BODY_CENTRE
    assert "implausible" in found.reason


@pytest.mark.slow
def test_mr_is_registered_through_its_bias_field(scans, truth):
    before, after = scans
    found = CoarseRegistration().register(_as_mr(before, 1), _as_mr(after, 2))
    assert found.kind is RegistrationKind.RIGID
    assert _off_mm(found, truth, before) < 3.0


@pytest.mark.slow
def test_ct_is_registered_to_mr_and_to_pet(scans, truth):
    before, after = scans
    found = CoarseRegistration().register(before, _as_mr(after, 2))
    assert _off_mm(found, truth, before) < 3.0
    pair = fdg_petct(PetCtSpec(ct=SPEC), seed=3)
    moved = _turned(10.0, (20.0, -20.0, 10.0))
    found = CoarseRegistration().register(pair.ct.volume, _moved(pair.pet, moved))
    assert found.kind is RegistrationKind.RIGID
    assert _off_mm(found, moved.matrix, pair.ct.volume) < 4.0


@pytest.mark.slow
def test_affine_follows_a_stretch_that_rigid_cannot(scans):
    before, _ = scans
    matrix = np.diag([1.08, 1.0, 0.95, 1.0])
    matrix[:3, 3] = (12.0, -5.0, 20.0)
    stretched = _moved(before, Transform(matrix))
    rigid = CoarseRegistration().register(before, stretched)
    affine = CoarseRegistration().register(
        before, stretched, RegistrationOptions(model=RegistrationKind.AFFINE)
    )
    assert affine.kind is RegistrationKind.AFFINE
    assert _off_mm(affine, matrix, before) < 2.0 < _off_mm(rigid, matrix, before)


@pytest.mark.slow
def test_voxels_without_a_measurement_do_not_matter(scans, truth):
    before, after = scans
    array = after.array.astype(np.float32)
    array[:, :12] = np.nan
    invalid = np.zeros(array.shape, dtype=np.bool_)
    invalid[:, -8:] = True
    array[invalid] = 3000.0
    hollow = Volume(array, after.geometry, "CT", after.quantity, invalid)
    assert _off_mm(CoarseRegistration().register(before, hollow), truth, before) < 2.0


@pytest.mark.slow
def test_a_single_slice_falls_back_or_is_found_but_never_fails(scans):
    before, after = scans
    found = CoarseRegistration().register(_stack(before, 20, 21), after)
    assert np.isfinite(found.matrix).all()


def test_the_couch_is_no_part_of_the_body(scans):
    coarse = coarse_scan(scans[0], 4.0)
    lowest = [np.flatnonzero(plane.any(axis=1)).max() for plane in coarse.body if plane.any()]
    depth_mm = coarse.origin_mm[1] + np.median(lowest) * coarse.voxel_mm
    assert depth_mm < 135  # the phantom's back lies near 120 mm, its couch ends near 155 mm


def test_coarse_voxels_keep_their_places():
    array = np.full((20, 40, 40), -1000, np.int16)
    array[4:16, 10:30, 12:28] = 50
    affine = np.array([[0, 0, 1.5, -7.0], [0, 1.5, 0, 3.0], [3.0, 0, 0, 11.0], [0, 0, 0, 1]])
    coarse = coarse_scan(Volume(array, Geometry(array.shape, affine), "CT"), 3.0)
    expected = Geometry(array.shape, affine).to_world(np.array([9.5, 19.5, 19.5]))
    np.testing.assert_allclose(coarse.centre_mm, expected, atol=1.0)
    np.testing.assert_allclose(coarse.thinned(2).centre_mm, expected, atol=1.6)


def test_only_rigid_and_affine_can_be_asked_for():
    with pytest.raises(InputError, match="falls back"):
        RegistrationOptions(model=RegistrationKind.BODY_CENTRE)
