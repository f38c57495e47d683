import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.phantoms.noise import SmoothNoise, ct_noise, random_rotation


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_a_lattice_and_its_points_hold_the_same_field(seed, components):
    rng = np.random.default_rng(seed)
    field = SmoothNoise.draw(rng, 20.0, 1.5, n_components=components)
    affine = np.eye(4)
    affine[:3, :3] = random_rotation(rng) * rng.uniform(1, 4, 3)
    affine[:3, 3] = rng.uniform(-50, 50, 3)
    grid = np.stack(np.meshgrid(range(5), range(4), range(6), indexing="ij"), axis=-1)
    points = grid @ affine[:3, :3].T + affine[:3, 3]
    lattice = np.moveaxis(field.on_lattice(affine, (5, 4, 6)), 0, -1)
    np.testing.assert_allclose(lattice, field.at(points), atol=1e-4)


def test_a_field_has_the_deviation_asked_for():
    fields = [SmoothNoise.draw(np.random.default_rng(n), 10.0, 3.0) for n in range(20)]
    points = np.random.default_rng(0).uniform(-500, 500, (4000, 3))
    assert np.std([f.at(points) for f in fields]) == pytest.approx(3.0, rel=0.1)


def test_the_sum_of_two_fields_is_their_sum():
    one, two = (SmoothNoise.draw(np.random.default_rng(n), 10.0) for n in (1, 2))
    points = np.random.default_rng(0).uniform(-50, 50, (20, 3))
    np.testing.assert_allclose((one + two).at(points), one.at(points) + two.at(points))


@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (40, 96)])
@pytest.mark.parametrize("streaks", [0.0, 3.0])
def test_ct_noise_has_unit_variance_and_no_mean(shape, streaks):
    rng = np.random.default_rng(1)
    planes = np.array([ct_noise(rng, shape, (0.8, 0.8), streaks=streaks) for _ in range(30)])
    assert planes.std() == pytest.approx(1.0, rel=0.03)
    assert abs(planes.mean()) < 0.02


def test_ct_noise_is_finer_than_blurred_noise_and_streaks_run_along_rows():
    rng = np.random.default_rng(2)

    def neighbours(streaks):
        planes = [ct_noise(rng, (96, 96), (0.7, 0.7), streaks=streaks) for _ in range(8)]
        rows = np.mean([(p[:, 1:] * p[:, :-1]).mean() for p in planes])
        columns = np.mean([(p[1:] * p[:-1]).mean() for p in planes])
        return rows, columns

    along_rows, along_columns = neighbours(0.0)
    assert along_rows == pytest.approx(along_columns, abs=0.03)
    assert 0.1 < along_rows < 0.7
    along_rows, along_columns = neighbours(4.0)
    assert along_rows > along_columns + 0.1
