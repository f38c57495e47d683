import numpy as np
import pytest

from lesionary.phantoms.mouse import MouseSpec, mouse_scan

SPEC = MouseSpec(spacing_mm=1.1)


@pytest.fixture(scope="module")
def scan():
    return mouse_scan(SPEC, seed=2)


def test_the_same_seed_gives_the_same_bytes(scan):
    assert mouse_scan(SPEC, seed=2).volume.array.tobytes() == scan.volume.array.tobytes()


def test_another_seed_gives_other_mice(scan):
    other = mouse_scan(MouseSpec(spacing_mm=1.1, n_mice=1), seed=3)
    assert len(other.mice) == 1
    assert not np.allclose(other.mice[0].centre_mm, scan.mice[0].centre_mm)


def test_four_mice_lie_apart_two_by_two(scan):
    from scipy.ndimage import label

    assert [mouse.name for mouse in scan.mice] == ["M01", "M02", "M03", "M04"]
    corners = {tuple(np.sign(mouse.centre_mm[:2])) for mouse in scan.mice}
    assert len(corners) == 4
    bodies, n = label(scan.volume.array > -250)
    sizes = np.bincount(bodies.ravel())[1:]
    large = np.flatnonzero(sizes > 0.3 * sizes.max()) + 1
    assert n >= 4
    assert len(large) == 4
    for mouse in scan.mice:
        k, j, i = np.round(scan.volume.geometry.to_index(mouse.centre_mm)).astype(int)
        assert bodies[k, j, i] in large


def test_each_mouse_has_its_tumours(scan):
    assert [len(mouse.lesions) for mouse in scan.mice] == [1, 2, 1, 2]
    seen = np.zeros(scan.truth.array.shape, dtype=int)
    for mouse in scan.mice:
        own = scan.truth_of(mouse)
        assert set(np.unique(own.array)) - {0} == {les.value for les in mouse.lesions}
        assert own.labels == {les.value: "t,subcutaneous" for les in mouse.lesions}
        seen += own.array > 0
    assert seen.max() == 1
    assert np.array_equal(seen > 0, scan.truth.array > 0)


def test_counted_volumes_are_the_true_ones(scan):
    voxel_ml = scan.volume.geometry.voxel_volume_mm3 / 1000
    for mouse in scan.mice:
        for lesion in mouse.lesions:
            counted_ml = float((scan.truth.array == lesion.value).sum()) * voxel_ml
            assert counted_ml == pytest.approx(lesion.volume_ml, rel=0.12)


def test_tumours_are_soft_tissue_beside_air_and_bone(scan):
    inside = scan.volume.array[scan.truth.array > 0]
    assert -60 < np.median(inside) < 80
    assert (scan.volume.array > 500).any()
    assert (scan.volume.array < -900).mean() > 0.5
