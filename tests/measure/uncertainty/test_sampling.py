"""What voxels and slices alone do to a diameter, and the most that they do (R8, X4)."""

import numpy as np
import pytest

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.uncertainty.sampling import (
    sampling_bound_mm,
    sampling_sd_mm,
    sum_bound_mm,
)


def test_errors_grow_with_pixels_and_slices_and_never_with_size():
    sizes = np.array([10.0, 20.0, 40.0])
    thin, thick = (sampling_sd_mm(sizes, np.full(3, s), 0.7) for s in (1.0, 5.0))
    assert (thick > thin).all()
    assert (np.diff(thick) < 0).all()
    assert (sampling_sd_mm(sizes, np.full(3, 1.0), 1.0) > thin).all()
    assert (sampling_sd_mm(sizes, np.zeros(3), 0.0) == 0).all()


@pytest.mark.parametrize("slice_mm", [1.0, 3.0, 5.0])
def test_no_sphere_between_slices_is_further_off_than_its_bound(slice_mm):
    rng = np.random.default_rng(0)
    for diameter in rng.uniform(6, 60, 200):
        off = rng.uniform(0, slice_mm / 2)
        section = np.sqrt(max(diameter**2 - 4 * off**2, 0))
        bound = sampling_bound_mm(diameter, pixel_mm=0, slice_mm=slice_mm, height_mm=diameter)
        assert diameter - section <= bound + 1e-9


def test_nodes_have_a_wider_bound_and_flat_lesions_too():
    about = {"pixel_mm": 0.7, "slice_mm": 3.0}
    plain = sampling_bound_mm(20, **about)
    assert sampling_bound_mm(20, kind=LesionKind.NODE, **about) > plain
    assert sampling_bound_mm(20, height_mm=8, **about) > plain
    assert sampling_bound_mm(20, height_mm=1, **about) == pytest.approx(20.7)
    assert sampling_bound_mm(0, **about) == pytest.approx(0.7)


def test_bounds_of_a_sum_add_up():
    assert sum_bound_mm([1.0, 2.5]) == 3.5
    assert sum_bound_mm([]) == 0


@pytest.mark.parametrize("size", [-1.0, float("nan"), float("inf")])
def test_no_length_is_refused(size):
    with pytest.raises(InputError):
        sampling_bound_mm(size, pixel_mm=0.7, slice_mm=1)
