"""Lesion strips: cells, words, numbering of sheets."""

import re

import numpy as np

from lesionary.publish.response.strips import (
    StripCell,
    StripImage,
    StripRow,
    figure_strips,
)


def image():
    rows, columns = np.indices((24, 24))
    mask = (rows - 12) ** 2 + (columns - 12) ** 2 < 30
    return StripImage(
        pixels=np.where(mask, 200, 60).astype(np.uint8),
        mask=mask,
        pixel_mm=1.5,
        long_axis=((12.0, 6.5), (12.0, 17.5)),
        short_axis=((6.5, 12.0), (17.5, 12.0)),
        long_axis_mm=16.5,
        short_axis_mm=15.0,
    )


def texts(svg):
    return re.findall(r">([^<>]+)</text>", svg)


ROW = StripRow(
    "A",
    ("liver", "target"),
    (StripCell(image(), diameter="16.5 mm", note="split in 2"), StripCell(None, "absent")),
)


def test_a_cell_has_a_picture_with_its_lengths_or_a_word():
    (picture,) = figure_strips("strips", "Lesions", ["time 0", "time 1"], [ROW])
    said = texts(picture.svg)
    assert {"A", "liver", "target", "time 0", "16.5 mm", "absent"} <= set(said)
    assert "16.5 × 15.0 · split in 2" in said
    assert picture.svg.count("<image") == 1


def test_a_lesion_that_is_never_shown_has_only_words():
    row = StripRow("B", (), (StripCell(None, "not evaluable"), StripCell(None, "merged with A")))
    (picture,) = figure_strips("strips", "Lesions", ["time 0", "time 1"], [row])
    assert "<image" not in picture.svg
    assert "merged with A" in " ".join(texts(picture.svg))


def test_without_lesions_there_is_no_picture():
    assert figure_strips("strips", "Lesions", ["time 0"], []) == ()


def test_the_same_cells_give_the_same_bytes():
    first, second = (
        list(figure_strips("strips", "Lesions", ["0", "1"], [ROW])[0].files()) for _ in range(2)
    )
    assert first == second
