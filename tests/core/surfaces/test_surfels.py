"""The areas of all 256 surfels: against the published table, and from geometry alone."""

import warnings
from itertools import permutations, product

import numpy as np
import pytest

from lesionary.core.surfaces.surfels import N_CODES, surfel_areas_mm2

SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (0.2, 0.2, 0.2), (1.25, 3.1, 0.4)]
SPACINGS += [tuple(sides) for sides in np.random.default_rng(4).uniform(0.05, 8, (25, 3))]


def moved(code, move):
    """Return the code of a cube whose voxels were moved to ``move(corner)``."""
    corners = list(product((0, 1), repeat=3))
    return sum(
        1 << corners.index(move(corner)) for n, corner in enumerate(corners) if code >> n & 1
    )


@pytest.mark.parametrize("spacing_mm", SPACINGS)
def test_every_code_has_the_area_of_the_published_table(spacing_mm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = pytest.importorskip("surface_distance.lookup_tables")
    theirs = tables.create_table_neighbour_code_to_surface_area(spacing_mm)
    np.testing.assert_allclose(surfel_areas_mm2(spacing_mm), theirs, rtol=1e-13)


@pytest.mark.parametrize("spacing_mm", SPACINGS[:4])
def test_inside_and_outside_share_one_surface(spacing_mm):
    areas = surfel_areas_mm2(spacing_mm)
    np.testing.assert_array_equal(areas, areas[::-1])
    assert areas[0] == areas[N_CODES - 1] == 0
    assert (areas[1 : N_CODES - 1] > 0).all()


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_turning_the_cube_with_its_spacing_keeps_the_area(axes):
    areas = surfel_areas_mm2((1.0, 2.0, 3.5))
    turned = surfel_areas_mm2([(1.0, 2.0, 3.5)[axis] for axis in axes])
    codes = [moved(code, lambda at: tuple(at[axis] for axis in axes)) for code in range(N_CODES)]
    np.testing.assert_allclose(turned[codes], areas, rtol=1e-13)


@pytest.mark.parametrize("axis", range(3))
def test_mirroring_the_cube_keeps_the_area(axis):
    areas = surfel_areas_mm2((1.0, 2.0, 3.5))
    codes = [
        moved(code, lambda at: (*at[:axis], 1 - at[axis], *at[axis + 1 :]))
        for code in range(N_CODES)
    ]
    np.testing.assert_allclose(areas[codes], areas, rtol=1e-13)


def test_a_wall_has_the_area_of_the_cubes_side():
    areas = surfel_areas_mm2((2.0, 3.0, 5.0))
    assert areas[0b00001111] == pytest.approx(15)
    assert areas[0b00110011] == pytest.approx(10)
    assert areas[0b01010101] == pytest.approx(6)


def test_a_corner_is_a_triangle_between_the_middles_of_three_sides():
    a, b, c = np.diag([1.0, 1.5, 2.5])
    by_hand = np.linalg.norm(np.cross(b - a, c - a)) / 2
    assert surfel_areas_mm2((2.0, 3.0, 5.0))[1] == pytest.approx(by_hand)


def test_opposite_corners_add_up():
    areas = surfel_areas_mm2((2.0, 3.0, 5.0))
    assert areas[0b10000001] == pytest.approx(2 * areas[1])
    assert areas[0b01101001] == pytest.approx(4 * areas[1])
