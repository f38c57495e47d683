"""Lesions cut out of their scans: true to scale, upright, whatever order a file has."""

import re

import numpy as np
import pytest

from lesionary.app.results import SeriesResult
from lesionary.app.strips import PIXELS, strip_image, strips_of
from lesionary.core.volume import AxisOrder, Geometry, LabelMap, Quantity, Volume


def scan():
    """Draw a bright ellipse, longer from right to left, and a brighter dot to its left."""
    grid = Geometry(
        (6, 60, 90),
        np.array([[0, 0, 0.7, -30], [0, 1.0, 0, -30], [3.0, 0, 0, 0], [0, 0, 0, 1]], dtype=float),
    )
    _, rows, columns = np.indices(grid.shape)
    mask = ((rows - 30) / 8.0) ** 2 + ((columns - 45) / 18.0) ** 2 <= 1
    intensities = np.where(mask, 100.0, 0.0)
    intensities[:, 29:32, 70:73] = 300.0
    return (
        Volume(intensities.astype(np.float32), grid, Quantity.ARBITRARY),
        LabelMap(mask.astype(np.uint16), grid, {1: "lesion"}),
    )


def measured(geometry, index):
    """Return the lesion's row as it was measured in slice ``index`` of the grid above."""
    ends = geometry.to_world(np.array([[index, 30, 26.5], [index, 30, 63.5]]))
    across = geometry.to_world(np.array([[index, 21.5, 45], [index, 38.5, 45]]))
    return {
        "lesion": 1,
        "label": "lesion",
        "slice_index": index,
        "long_axis_mm": 25.9,
        "short_axis_mm": 17.0,
        "long_axis_points_mm": ends.tolist(),
        "short_axis_points_mm": across.tolist(),
    }


def length_mm(segment, pixel_mm):
    return float(np.linalg.norm(np.subtract(*segment))) * pixel_mm


def test_axes_keep_their_lengths_and_the_lesion_its_area():
    volume, drawn = scan()
    image = strip_image(volume, drawn, [measured(volume.geometry, 2)], 60.0, "body")
    assert image.pixels.shape == image.mask.shape == (PIXELS, PIXELS)
    assert length_mm(image.long_axis, image.pixel_mm) == pytest.approx(25.9)
    assert length_mm(image.short_axis, image.pixel_mm) == pytest.approx(17.0)
    true_mm2 = np.count_nonzero(drawn.array[2]) * 0.7
    assert np.count_nonzero(image.mask) * image.pixel_mm**2 == pytest.approx(true_mm2, rel=0.03)


def test_the_middle_of_the_long_axis_is_in_the_middle():
    volume, drawn = scan()
    image = strip_image(volume, drawn, [measured(volume.geometry, 2)], 60.0, "body")
    middle = np.mean(image.long_axis, axis=0)
    assert middle == pytest.approx([(PIXELS - 1) / 2] * 2)


def test_the_patients_left_is_on_the_viewers_right():
    volume, drawn = scan()
    image = strip_image(volume, drawn, [measured(volume.geometry, 2)], 60.0, "body")
    assert image.pixels[:, 108:].max() > 200
    assert not image.pixels[:, :36].any()


@pytest.mark.parametrize("order", AxisOrder.all(), ids=str)
def test_the_picture_is_the_same_whatever_order_the_file_has(order):
    volume, drawn = scan()
    row = measured(volume.geometry, 2)
    before = strip_image(volume, drawn, [row], 60.0, "body")
    geometry = volume.geometry.reordered(order)
    turned = Volume(order.apply(volume.array).copy(), geometry, Quantity.ARBITRARY)
    drawn_turned = LabelMap(order.apply(drawn.array).copy(), geometry, {1: "lesion"})
    index = round(
        float(geometry.to_index(np.array(row["long_axis_points_mm"]))[0][geometry.superior_axis])
    )
    after = strip_image(turned, drawn_turned, [{**row, "slice_index": index}], 60.0, "body")
    assert np.array_equal(before.mask, after.mask)
    assert np.abs(before.pixels.astype(int) - after.pixels).max() <= 1
    assert np.allclose(before.long_axis, after.long_axis)


def test_beyond_the_scan_is_black():
    volume, drawn = scan()
    image = strip_image(volume, drawn, [measured(volume.geometry, 2)], 300.0, "body")
    assert not image.pixels[0].any()
    assert not image.mask[0].any()


def test_all_parts_of_a_split_lesion_are_outlined():
    volume, drawn = scan()
    labels = drawn.array.copy()
    labels[:, 29:32, 70:73] = 2
    parts = LabelMap(labels, drawn.geometry, {1: "lesion", 2: "lesion"})
    row = measured(volume.geometry, 2)
    alone, both = (
        strip_image(volume, parts, rows, 60.0, "body").mask.sum()
        for rows in ([row], [row, {"lesion": 2}])
    )
    assert both > alone


class FakeObjects:
    """Holds one scan and one mask, whatever is asked for."""

    def get_volume(self, _name):
        return scan()[0]

    def get_label_map(self, _name):
        return scan()[1]


class FakeStudy:
    """A study that is nothing but its objects."""

    objects = FakeObjects()


def observed(track, timepoint, diameter_mm, status="present", merged_into=""):
    return {
        "lesion": track,
        "timepoint": timepoint,
        "diameter_mm": diameter_mm,
        "status": status,
        "merged_into": merged_into,
        "role": "new" if track == "C" else "target",
        "organ": "liver",
        "reader": "anna",
    }


def series(name, timepoint):
    row = measured(scan()[0].geometry, 2) | {"reader": "anna"}
    return SeriesResult(
        row={"id": name, "timepoint": timepoint},
        prepared={"object": name, "window": "body"},
        annotated={},
        measured={"mask": name, "lesions": [row]},
    )


def test_every_sight_of_a_lesion_has_its_picture_or_its_word():
    responses = [
        {"subject": "sub-0001", "reader": "anna", "timepoint": t, "date": f"2020-01-0{n}"}
        for n, t in enumerate(("0", "1", "2"), 1)
    ]
    judged = {
        "responses": responses,
        "observations": [
            observed("A", "0", "25.9"),
            observed("A", "1", "25.9"),
            observed("A", "2", None, "absent"),
            observed("B", "0", None, "not_evaluable"),
            observed("B", "1", None, "merged", "A"),
            observed("B", "2", None, "too_small"),
            observed("C", "2", None),
        ],
        # The merger's one lesion is known by the name that does not carry the diameter.
        "members": [
            {"series": "ser-0", "lesion": 1, "track": "A", "part": ""},
            {"series": "ser-1", "lesion": 1, "track": "B", "part": ""},
        ],
    }
    results = [series("ser-0", 0), series("ser-1", 1)]
    (picture,) = strips_of(FakeStudy(), judged, results, reader="anna", name="strips-anna")
    said = " ".join(re.findall(r">([^<>]+)</text>", picture.svg))
    assert picture.name == "strips-anna"
    assert picture.title == "Lesions of sub-0001 through time, as anna saw them"
    assert picture.svg.count("<image") == 2
    for words in (
        "absent",
        "not evaluable",
        "merged with A",
        "too small to",
        "not seen yet",
        "day 2",
    ):
        assert words in said
    assert said.count("25.9 mm") == 2


def test_another_readers_lesions_are_not_shown():
    judged = {
        "responses": [{"subject": "s", "reader": "bert", "timepoint": "0", "date": None}],
        "observations": [observed("A", "0", "25.9")],
        "members": [{"series": "ser-0", "lesion": 1, "track": "A", "part": ""}],
    }
    assert strips_of(FakeStudy(), judged, [series("ser-0", 0)], reader="bert") == ()


def test_a_subject_that_nobody_judged_has_no_strips():
    assert strips_of(None, {"observations": [], "members": []}, []) == ()
