"""The two engines that look at the scan, on lesions whose truth is known."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from lesionary.annotate.prompts import BoxPrompt
from lesionary.core.volume import Geometry, Volume
from lesionary.engines._kernels import least_weighted_surface
from lesionary.engines.contour import ContourSegmenter
from lesionary.engines.ellipsoid import EllipsoidSegmenter
from lesionary.engines.walker import WalkerSegmenter, _Ground

ENGINES = [ContourSegmenter(), WalkerSegmenter()]
SHAPE = (18, 56, 60)
AFFINE = np.diag([1.0, 1.0, 3.0, 1.0])[:, [2, 1, 0, 3]]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.info.name)
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def lesion():
    """Return a tilted ellipsoid in noise beside darker tissue: volume, truth and a loose box."""
    k, j, i = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    z, y, x = 3.0 * (k - 8.6), j - 28.0, i - 29.0
    along, across = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    truth = (along / 19) ** 2 + (across / 9) ** 2 + (z / 17) ** 2 < 1
    tissue = np.where(truth, 90.0, np.where(i > 46, -100.0, 30.0))
    noise = np.random.default_rng(2).normal(0, 20, SHAPE)
    image = ndimage.gaussian_filter(tissue, (0.3, 1, 1)) + noise
    places = np.argwhere(truth)
    (k0, j0, i0), (k1, j1, i1) = places.min(axis=0), places.max(axis=0)
    box = (slice(k0 - 1, k1 + 1), slice(j0 - 3, j1 + 4), slice(i0 - 1, i1 + 3))
    return Volume(image.astype(np.float32), Geometry(SHAPE, AFFINE), "CT"), truth, box


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_a_tilted_lesion_is_found_where_the_inscribed_ellipsoid_fails(engine, lesion):
    volume, truth, box = lesion
    floor = dice(EllipsoidSegmenter().segment(volume, BoxPrompt(box)).array, truth)
    found = dice(engine.segment(volume, BoxPrompt(box)).array, truth)
    assert floor < 0.75
    assert found > 0.93


def test_dark_lesions_are_found_as_well_as_bright_ones(engine, lesion):
    volume, truth, box = lesion
    mask = engine.segment(volume.with_array(-volume.array), BoxPrompt(box))
    assert dice(mask.array, truth) > 0.93


def test_the_unit_of_intensity_does_not_matter(engine, lesion):
    volume, _, box = lesion
    expected = engine.segment(volume, BoxPrompt(box)).array
    scaled = volume.with_array(volume.array.astype(np.float64) * 0.125 + 4096)
    assert dice(engine.segment(scaled, BoxPrompt(box)).array, expected) > 0.999


def test_the_size_in_millimetres_does_not_matter(engine, lesion):
    volume, _, box = lesion
    expected = engine.segment(volume, BoxPrompt(box)).array
    affine = volume.geometry.affine.copy()
    affine[:3, :3] *= 0.25
    small = Volume(volume.array, Geometry(SHAPE, affine), "CT")
    assert np.array_equal(engine.segment(small, BoxPrompt(box)).array, expected)


def test_lost_voxels_inside_are_bridged(engine, lesion):
    volume, truth, box = lesion
    invalid = np.zeros(SHAPE, dtype=bool)
    invalid[8:10, 24:32, 26:33] = True
    array = np.where(invalid, -2000, volume.array)
    mask = engine.segment(Volume(array, volume.geometry, invalid=invalid), BoxPrompt(box)).array
    assert mask[invalid].all()
    assert dice(mask, truth) > 0.92


def test_a_necrotic_centre_belongs_to_the_lesion(engine, lesion):
    volume, truth, box = lesion
    centre = ndimage.binary_erosion(truth, iterations=4)
    mask = engine.segment(
        volume.with_array(np.where(centre, volume.array - 60, volume.array)), BoxPrompt(box)
    ).array
    assert mask[centre].mean() > 0.99
    assert dice(mask, truth) > 0.85


def test_a_box_of_many_voxels_is_cut_coarsely_but_as_well(engine, lesion):
    volume, truth, box = lesion
    times = (1, 4, 4)
    array, fine = (np.kron(a, np.ones(times, dtype=a.dtype)) for a in (volume.array, truth))
    affine = volume.geometry.affine @ np.diag([1.0, 0.25, 0.25, 1.0])
    large = Volume(array, Geometry(array.shape, affine), "CT")
    large_box = tuple(slice(r.start * n, r.stop * n) for r, n in zip(box, times, strict=True))
    mask = engine.segment(large, BoxPrompt(large_box)).array
    assert dice(mask, fine) > 0.93
    assert ndimage.label(mask)[1] == 1


def test_the_surface_has_the_least_energy_of_all_sets_along_a_line():
    generator = np.random.default_rng(8)
    weights = np.array([5.0, 5.0, 0.7])

    def energy(u, log_odds):
        return 0.7 * np.abs(np.diff(u)).sum() - (log_odds * u).sum()

    for _ in range(20):
        log_odds = generator.normal(0, 1, 9).astype(np.float32)
        start = np.zeros((1, 1, 9), dtype=np.float32)
        u = least_weighted_surface(log_odds[None, None], start, weights, 3000)[0, 0]
        least = min(energy(np.array(s), log_odds) for s in itertools.product((0, 1), repeat=9))
        assert energy((u > 0.5).astype(float), log_odds) == pytest.approx(least, abs=1e-4)


def test_walks_end_where_the_dense_linear_system_says():
    generator = np.random.default_rng(9)
    shape = (3, 4, 5)
    passes = tuple(
        generator.uniform(0, 3, tuple(n - (a == axis) for a, n in enumerate(shape)))
        for axis in range(3)
    )
    log_odds = generator.normal(0, 2, shape).astype(np.float32)
    number = np.arange(60).reshape(shape)
    matrix = np.eye(60)
    for axis, weights in enumerate(passes):
        here = np.take(number, range(shape[axis] - 1), axis).ravel()
        there = np.take(number, range(1, shape[axis]), axis).ravel()
        for a, b, w in zip(here, there, weights.ravel(), strict=True):
            matrix[[a, b], [a, b]] += w
            matrix[[a, b], [b, a]] -= w
    expected = np.linalg.solve(matrix, 1 / (1 + np.exp(-log_odds.astype(np.float64).ravel())))
    assert _Ground(passes).walk_from(log_odds).ravel() == pytest.approx(expected, abs=2e-3)
