"""Windows at their exact ends, in every number type."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.core.volume import Geometry, Volume
from lesionary.core.window import NAMED_WINDOWS, Window, robust_window

GRID = Geometry((1, 1, 5), np.eye(4))


def test_named_windows_are_the_published_ones():
    numbers = {name: (window.level, window.width) for name, window in NAMED_WINDOWS.items()}
    assert numbers == {
        "lung": (-500, 1400),
        "abdomen": (40, 350),
        "bone": (400, 1000),
        "brain": (50, 100),
        "mediastinum": (50, 350),
    }


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "values", "greys"),
    [
        ("abdomen", [-136, -135, -134, 40, 214, 215, 216], [0, 0, 1, 128, 254, 255, 255]),
        ("lung", [-1201, -1200, -1197, -500, 197, 200, 201], [0, 0, 1, 128, 254, 255, 255]),
        ("brain", [0, 50, 99, 100], [0, 128, 252, 255]),
    ],
)
def test_greys_are_exact_at_the_ends_and_halves_round_up(dtype, name, values, greys):
    array = np.array(values, dtype=dtype)
    assert NAMED_WINDOWS[name].apply(array).tolist() == greys


def test_halves_between_whole_greys_are_halves_and_round_up():
    # 35 and 105 HU above black are 25.5 and 76.5 of 255 in a window of 350
    array = np.array([-100, -30], dtype=np.int16)
    assert NAMED_WINDOWS["abdomen"].scale(array).tolist() == [25.5, 76.5]
    assert NAMED_WINDOWS["abdomen"].apply(array).tolist() == [26, 77]


def test_it_is_not_dicoms_linear_function():
    level, width, x = 40.0, 350.0, 215.0
    dicom = ((x - (level - 0.5)) / (width - 1) + 0.5) * 255
    assert Window(level, width).scale(np.array([214.0]))[0] < 255 < dicom


@given(
    st.integers(-1500, 1500), st.integers(1, 4000), st.lists(st.integers(-3000, 3000), min_size=1)
)
def test_greys_match_exact_arithmetic(level, width, values):
    expected = []
    for value in values:
        # twice the scaled value is a fraction over the width: whole numbers all the way
        doubled = 255 * (2 * value - 2 * level + width)
        expected.append(min(255, max(0, (doubled + width) // (2 * width))))
    greys = Window(level, width).apply(np.array(values, dtype=np.int16))
    assert greys.tolist() == expected


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=2))
@example([-np.finfo(np.float32).max, 0.0, np.finfo(np.float32).max, np.inf])
def test_brighter_is_never_darker(values):
    greys = Window(40, 350).apply(np.sort(np.array(values, dtype=np.float32)))
    assert (np.diff(greys.astype(int)) >= 0).all()


def test_voxels_without_measurement_are_black():
    array = np.array([np.nan, np.inf, -np.inf, 3000, 3000], dtype=np.float32)
    invalid = np.array([False, False, False, True, False])
    assert Window(40, 350).apply(array, invalid).tolist() == [0, 255, 0, 0, 255]
    assert Window(40, 350).scale(array).tolist() == [0, 255, 0, 255, 255]


def test_the_input_stays_as_it_is():
    array = np.array([1.0, 2.0], dtype=np.float32)
    array.setflags(write=False)
    Window(1, 2).apply(array)
    assert array.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("level", "width"), [(40, 0), (40, -1), (np.nan, 1), (0, np.inf)])
def test_a_window_that_shows_nothing_is_refused(level, width):
    with pytest.raises(InputError):
        Window(level, width)


def test_a_robust_window_lies_between_percentiles_of_what_was_measured():
    array = np.array([[[0.0, 10.0, 20.0, 1e9, np.nan]]])
    volume = Volume(array, GRID, invalid=array > 1e8)
    assert robust_window(volume, 0, 100) == Window(10.0, 20.0)
    assert robust_window(volume, 25, 75) == Window(10.0, 10.0)


def test_a_robust_window_of_nothing_is_a_window():
    assert robust_window(Volume(np.full(GRID.shape, 7), GRID)) == Window(7.0, 1.0)
    assert robust_window(Volume(np.full(GRID.shape, np.nan), GRID)) == Window(0.5, 1.0)
