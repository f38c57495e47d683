import numpy as np
import pytest

from lesionary.app.pictures import display_window
from lesionary.core.volume import Geometry, Quantity, Volume
from lesionary.core.window import NAMED_WINDOWS, Window

SHAPE = (1, 2, 3)


def a_volume(quantity: Quantity) -> Volume:
    array = np.arange(6, dtype=np.int16).reshape(SHAPE)
    return Volume(array, Geometry(SHAPE, np.eye(4)), "CT", quantity)


@pytest.mark.parametrize(
    ("label", "region_window", "name"),
    [
        ("m,lung", "abdomen", "lung"),
        ("m,liver", "lung", "abdomen"),
        ("n,mediastinum", "lung", "abdomen"),
        ("lesion", "lung", "lung"),
        ("7", "bone", "bone"),
    ],
)
def test_the_window_follows_the_organ_else_the_region(label, region_window, name):
    shown = display_window(a_volume(Quantity.HU), label, region_window)
    assert shown == NAMED_WINDOWS[name]


def test_suv_is_shown_from_0_to_10_and_arbitrary_values_by_their_own_range():
    assert display_window(a_volume(Quantity.SUVBW), "lesion", "lung") == Window(5, 10)
    own = display_window(a_volume(Quantity.ARBITRARY), "lesion", "lung")
    assert 0 <= own.low < own.high <= 5
