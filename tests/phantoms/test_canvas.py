import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.core.volume import Geometry
from lesionary.phantoms.canvas import Canvas, Pose, Warp
from lesionary.phantoms.noise import SmoothNoise, random_rotation
from lesionary.phantoms.shapes import bounds_of, depth_mm, ellipsoid
from lesionary.phantoms.trees import grow_tree
from lesionary.phantoms.tubes import Tubes


def _grid(spacing, size_mm=80.0):
    shape = tuple(int(size_mm / s) for s in spacing)
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing, 1.0
    affine[:3, 3] = [-(n - 1) / 2 * s for n, s in zip(shape[::-1], spacing[::-1], strict=True)]
    return Geometry(shape, affine)


def _still():
    return Warp(SmoothNoise(np.zeros((1, 3)), np.zeros(1), np.zeros((1, 3))), np.ones(3))


def _bend(seed):
    rng = np.random.default_rng(seed)
    bend = SmoothNoise.draw(rng, 120, 3.0, n_components=3, n_waves=8)
    return Warp(bend, rng.uniform(0.9, 1.1, 3))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 1.5, 1.5), (2.0, 0.8, 0.8)])
@pytest.mark.parametrize("step_mm", [0.5, 4.0])
def test_a_painted_ball_has_its_volume_whatever_the_grid(spacing, step_mm):
    canvas = Canvas(_grid(spacing), Pose(), _still(), 0.0)
    canvas.paint(ellipsoid((0, 0, 0), (20, 20, 20)), 1.0, step_mm=step_mm)
    painted = float(canvas.values.sum()) * canvas.geometry.voxel_volume_mm3
    assert painted == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.03)
    assert canvas.values.max() == 1.0


def test_bounds_change_nothing_but_the_time():
    free, bound = (Canvas(_grid((3.0, 2.0, 2.0)), Pose(), _bend(1), 0.0) for _ in range(2))
    shape = ellipsoid((5, -4, 3), (18, 12, 9))
    free.paint(shape, 1.0)
    bound.paint(shape, 1.0, bounds=bounds_of((5, -4, 3), (18, 12, 9)))
    np.testing.assert_allclose(bound.values, free.values, atol=0.02)


def test_what_lies_outside_the_grid_is_not_painted():
    canvas = Canvas(_grid((4.0, 4.0, 4.0)), Pose(), _still(), 0.0)
    far = (500.0, 0.0, 0.0)
    canvas.paint(ellipsoid(far, (9, 9, 9)), 1.0, bounds=bounds_of(far, (9, 9, 9)))
    tube = Tubes(np.array([far]), np.array([far]), np.array([3.0]), np.array([3.0]))
    canvas.paint_tubes(tube, 1.0)
    assert not canvas.values.any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_a_warp_can_be_undone(seed):
    points = np.random.default_rng(seed).uniform(-150, 150, (50, 3))
    warp = _bend(seed)
    np.testing.assert_allclose(warp.to_anatomy(warp.to_patient(points)), points, atol=0.05)


def test_a_tube_has_the_volume_of_a_rounded_cylinder():
    canvas = Canvas(_grid((0.8, 0.8, 0.8), 60.0), Pose(), _still(), 0.0)
    radius, length = 6.0, 24.0
    direction = np.array([0.3, 0.5, 0.8]) / np.linalg.norm([0.3, 0.5, 0.8])
    ends = np.array([-direction, direction]) * length / 2
    canvas.paint_tubes(Tubes(ends[:1], ends[1:], np.array([radius]), np.array([radius])), 1.0)
    painted = float(canvas.values.sum()) * canvas.geometry.voxel_volume_mm3
    assert painted == pytest.approx(np.pi * radius**2 * (length + 4 / 3 * radius), rel=0.03)


def test_a_turned_patient_shows_the_same_shape_elsewhere():
    rng = np.random.default_rng(0)
    pose = Pose(random_rotation(rng, 20), np.array([6.0, -4.0, 3.0]))
    canvas = Canvas(_grid((1.5, 1.5, 1.5)), pose, _still(), 0.0)
    canvas.paint(ellipsoid((10, 5, -8), (12, 8, 6)), 1.0)
    k, j, i = (canvas.values * index for index in np.indices(canvas.values.shape))
    centre = np.array([k.sum(), j.sum(), i.sum()]) / canvas.values.sum()
    expected = pose.to_scanner(np.array([10.0, 5.0, -8.0]))
    np.testing.assert_allclose(canvas.geometry.to_world(centre), expected, atol=0.2)


def test_depth_is_the_distance_to_the_wall_of_a_ball():
    points = np.array([[0.0, 0.0, 12.0], [9.0, 0.0, 0.0], [0.0, 20.0, 0.0]])
    depth = depth_mm(ellipsoid((0, 0, 0), (15, 15, 15)), points)
    np.testing.assert_allclose(depth, [3.0, 6.0, -5.0], atol=1e-2)


def test_a_tree_reaches_its_targets_and_tapers():
    rng = np.random.default_rng(3)
    targets = rng.uniform(-50, 50, (60, 3))
    root = np.array([0.0, 0.0, 60.0])
    tree = grow_tree(root, targets, rng, root_radius_mm=5.0)
    for target in targets:
        assert np.linalg.norm(tree.ends - target, axis=1).min() < 1e-9
    assert np.linalg.norm(tree.starts - root, axis=1).min() < 1e-9
    assert tree.start_radii_mm.max() <= 5.0
    assert (tree.end_radii_mm <= tree.start_radii_mm).all()
    assert (tree.distance_mm(targets) <= 0).all()
