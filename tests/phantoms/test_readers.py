import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.core.volume import Geometry, LabelMap
from lesionary.phantoms.boxes import drawn_boxes, tight_boxes
from lesionary.phantoms.readers import ReaderHabits, simulate_reader


def _balls(radii_mm, spacing=(1.0, 1.0, 1.0), pitch_mm=60.0):
    """Balls in a row, values from 1."""
    sizes = [int(60 / spacing[0]), int(60 / spacing[1]), int(pitch_mm * len(radii_mm) / spacing[2])]
    z, y, x = np.meshgrid(
        *(np.arange(n) * s for n, s in zip(sizes, spacing, strict=True)), indexing="ij"
    )
    array = np.zeros(sizes, dtype=np.uint16)
    for n, radius in enumerate(radii_mm):
        distance = np.sqrt((z - 30) ** 2 + (y - 30) ** 2 + (x - pitch_mm * (n + 0.5)) ** 2)
        array[distance < radius] = n + 1
    return LabelMap(array, Geometry(tuple(sizes), np.diag([*spacing, 1.0])), {1: "m,lung"})


def _mean_displacement_mm(drawn, truth, value=1):
    """Mean of the drawn surface's distance from the centre, less the truth's: balls only."""
    geometry = truth.geometry
    radii = []
    for label_map in (drawn, truth):
        points = geometry.to_world(np.argwhere(label_map.array == value))
        centre = geometry.to_world(np.argwhere(truth.array == value)).mean(axis=0)
        # Mean distance from the centre of a ball's points is ¾ of its radius.
        radii.append(4 / 3 * np.linalg.norm(points - centre, axis=1).mean())
    return radii[0] - radii[1]


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(0, 0.8), st.integers(0, 1000))
def test_the_mean_bias_is_what_was_asked(bias_mm, noise_mm, seed):
    truth = _balls([12.0])
    drawn = simulate_reader(truth, ReaderHabits(bias_mm=bias_mm, noise_mm=noise_mm, seed=seed))
    assert _mean_displacement_mm(drawn, truth) == pytest.approx(bias_mm, abs=0.2)


@pytest.mark.parametrize("bias_mm", [-2.0, 0.0, 1.5])
def test_the_bias_holds_on_thick_slices(bias_mm):
    truth = _balls([13.0], spacing=(4.0, 1.0, 1.0))
    drawn = simulate_reader(truth, ReaderHabits(bias_mm=bias_mm, noise_mm=0.0))
    assert _mean_displacement_mm(drawn, truth) == pytest.approx(bias_mm, abs=0.35)


def test_more_noise_moves_the_outline_more():
    from scipy.ndimage import distance_transform_edt

    truth = _balls([14.0])
    inside = truth.array > 0
    signed = distance_transform_edt(inside) - distance_transform_edt(~inside)
    worst = []
    for noise_mm in (0.3, 1.5):
        drawn = simulate_reader(truth, ReaderHabits(noise_mm=noise_mm, seed=3)).array > 0
        worst.append(np.abs(signed[drawn != inside]).mean())
    assert worst[1] > worst[0]


def test_a_steady_reader_without_bias_draws_nearly_the_truth():
    truth = _balls([12.0, 6.0])
    drawn = simulate_reader(truth, ReaderHabits(noise_mm=0.0))
    for value in (1, 2):
        a, b = truth.array == value, drawn.array == value
        assert a.sum() == b.sum()
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.97


def test_small_tumours_are_missed():
    truth = _balls([12.0, 3.0])
    drawn = simulate_reader(truth, ReaderHabits(miss_below_mm=8.0))
    assert set(np.unique(drawn.array)) == {0, 1}


@pytest.mark.parametrize(("rate", "seen"), [(0.0, {1, 2, 3}), (1.0, set())])
def test_the_miss_rate_decides_what_is_seen(rate, seen):
    truth = _balls([6.0, 6.0, 6.0])
    drawn = simulate_reader(truth, ReaderHabits(miss_rate=rate))
    assert set(np.unique(drawn.array)) - {0} == seen


def test_shrinking_past_the_centre_leaves_nothing():
    truth = _balls([4.0])
    assert not simulate_reader(truth, ReaderHabits(bias_mm=-6.0)).array.any()


def test_an_empty_truth_gives_an_empty_map():
    empty = LabelMap(np.zeros((4, 4, 4), np.uint16), Geometry((4, 4, 4), np.eye(4)))
    assert not simulate_reader(empty, ReaderHabits(bias_mm=2.0)).array.any()


def test_readers_never_draw_over_another_tumour():
    truth = _balls([14.0, 14.0], pitch_mm=30.0)
    drawn = simulate_reader(truth, ReaderHabits(bias_mm=3.0, seed=1))
    for value in (1, 2):
        assert not ((drawn.array == value) & (truth.array == 3 - value)).any()


def test_the_same_seed_draws_the_same_and_another_does_not():
    truth = _balls([10.0])
    habits = ReaderHabits(noise_mm=0.8, seed=5)
    first, again = simulate_reader(truth, habits), simulate_reader(truth, habits)
    other = simulate_reader(truth, ReaderHabits(noise_mm=0.8, seed=6))
    assert first.array.tobytes() == again.array.tobytes()
    assert first.array.tobytes() != other.array.tobytes()


def test_tight_boxes_hold_each_value_and_nothing_more():
    truth = _balls([8.0, 5.0])
    for box in tight_boxes(truth):
        part = truth.array[box.box] == box.value
        assert part.sum() == (truth.array == box.value).sum()
        for axis in range(3):
            ends = part.any(axis=tuple(a for a in range(3) if a != axis))
            assert ends[0]
            assert ends[-1]
    assert [box.label for box in tight_boxes(truth)] == ["m,lung", ""]


@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_drawn_boxes_lie_around_the_tight_ones(seed, pixels, slices):
    truth = _balls([8.0, 25.0], spacing=(2.0, 2.0, 2.0))
    drawn = drawn_boxes(truth, seed, jitter_pixels=pixels, jitter_slices=slices)
    for loose, tight in zip(drawn, tight_boxes(truth), strict=True):
        assert loose.value == tight.value
        sides = zip(loose.box, tight.box, truth.geometry.shape, strict=True)
        for axis, (a, b, size) in enumerate(sides):
            most = slices if axis == truth.geometry.superior_axis else pixels
            assert max(b.start - most, 0) <= a.start <= b.start
            assert b.stop <= a.stop <= min(b.stop + most, size)
