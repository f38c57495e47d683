"""Figures of agreement and evaluation."""

import re

import numpy as np
import pytest

from lesionary.publish.comparison.boxes import HATCHES, Sample
from lesionary.publish.comparison.difference_figures import PairedDifferences, figure_bland_altman
from lesionary.publish.comparison.figures import figure_boxes, figure_histogram
from lesionary.publish.comparison.score_figures import Mean, figure_counts, figure_means

RNG = np.random.default_rng(0)
PAIRS = ("A vs B", "A vs C", "B vs C")
SAMPLES = [
    Sample(group, pair, RNG.uniform(0.7, 1, 12))
    for group in ("Dataset 1", "Dataset 2")
    for pair in PAIRS
]


def pictures():
    differences = RNG.normal(0, 1, 9)
    is_missed = np.arange(9) > 6
    panel = PairedDifferences("A vs B", np.arange(9.0), differences, is_missed, (0.1, -1.9, 2.1))
    nothing = (None, None, None)
    undefined = PairedDifferences("A vs C", np.ones(1), np.zeros(1), np.zeros(1, bool), nothing)
    return [
        figure_boxes("dice", "Dice", SAMPLES, "Dice"),
        figure_histogram("histogram", "Dice", SAMPLES[:3], "Dice"),
        figure_bland_altman("bland-altman", "Volumes", [panel, undefined], ("mean", "ml"), "ml"),
        figure_counts("likert", "Ratings", [("rad1", [0, 1, 2, 3, 4])], "12345", "score"),
        figure_means("means", "Means", [Mean("a", "rad1", 4.0, 3.5, 4.5, 9)], "score"),
    ]


def test_the_same_numbers_give_the_same_bytes():
    def draw():
        return [data for _, data in figure_boxes("dice", "Dice", SAMPLES, "Dice").files()]

    assert draw() == draw()


@pytest.mark.parametrize("picture", pictures(), ids=lambda picture: picture.name)
def test_a_picture_is_an_svg_and_a_png(picture):
    (svg_name, svg), (png_name, png) = picture.files()
    assert (svg_name, png_name) == (f"{picture.name}.svg", f"{picture.name}.png")
    assert svg.startswith(b"<svg")
    assert png.startswith(b"\x89PNG")
    assert picture.title in picture.svg


def test_every_pair_has_a_hatch_of_its_own_and_every_group_its_number():
    assert len(set(HATCHES)) == len(HATCHES)
    svg = figure_boxes("dice", "Dice", SAMPLES, "Dice").svg
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert {"Dataset 1", "Dataset 2", *PAIRS} <= set(texts)
    assert texts.count("n = 12") == 2


def test_few_values_are_drawn_as_points_and_none_are_left_out():
    few = [Sample("", "A vs B", np.array([0.5, 0.9])), Sample("", "A vs C", np.empty(0))]
    svg = figure_boxes("dice", "Dice", few, "Dice").svg
    assert "n = 2" in svg
    assert "A vs C" not in svg


def test_series_beyond_the_hatches_are_left_to_the_tables():
    many = [Sample("", f"label {n}", RNG.uniform(0, 1, 6 + n)) for n in range(len(HATCHES) + 2)]
    picture = figure_boxes("dice", "Dice", many, "Dice")
    assert f"{len(HATCHES)} of {len(many)}" in picture.title
    assert "label 0<" not in picture.svg
    assert "label 9<" in picture.svg
