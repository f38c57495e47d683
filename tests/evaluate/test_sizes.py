"""Bins of size: every lesion in one of them, misses counted as nought."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.evaluate.lesions import PredictedLesion, ReferenceLesion
from lesionary.evaluate.sizes import by_size

EDGES_MM = (10.0, 20.0, 30.0)


def drawn(diameter_mm, dice, *, is_hit=True):
    return ReferenceLesion(1, 1, 0.0, diameter_mm, is_hit, dice, dice, ())


def made(diameter_mm, *, is_hit=True):
    return PredictedLesion(1, 1, 0.0, diameter_mm, is_hit, ())


def test_sensitivity_and_dice_are_of_the_reference_and_precision_of_the_prediction():
    reference = [drawn(5, 0.9), drawn(5, 0.4, is_hit=False), drawn(20, 0.8)]
    predicted = [made(5, is_hit=False), made(12), made(35), made(35, is_hit=False)]
    rows = [one.to_json() for one in by_size(reference, predicted, EDGES_MM)]
    assert [(row["n"], row["n_hit"]) for row in rows] == [(2, 1), (0, 0), (1, 1), (0, 0)]
    assert [row["mean_dice"] for row in rows] == [0.45, None, 0.8, None]
    assert [row["sensitivity"] for row in rows] == [0.5, None, 1.0, None]
    assert [row["precision"] for row in rows] == [0.0, 1.0, None, 0.5]
    assert set(rows[1]["reason"]) == {"sensitivity", "mean_dice"}
    assert set(rows[3]["reason"]) == {"sensitivity", "mean_dice", "to_mm"}


def test_a_lesion_on_an_edge_is_in_the_larger_bin():
    assert [one.n for one in by_size([drawn(10.0, 1.0)], [], EDGES_MM)] == [0, 1, 0, 0]


@given(st.lists(st.floats(0.1, 100)), st.lists(st.floats(0.1, 90), unique=True))
def test_every_lesion_is_in_one_bin_whatever_the_edges(diameters, edges):
    lesions = [drawn(diameter, 0.5) for diameter in diameters]
    bins = by_size(lesions, [made(diameter) for diameter in diameters], tuple(sorted(edges)))
    assert len(bins) == len(edges) + 1
    assert sum(one.n for one in bins) == sum(one.n_predicted for one in bins) == len(diameters)
    assert sum(one.sum_dice for one in bins) == pytest.approx(np.sum([0.5] * len(diameters)))
