"""Readers' contours in one JSON file."""

import json

import numpy as np
import pytest

from lesionary.core.errors import InputError
from lesionary.ingest.reader_contours import parse_reader_contours


def lesion(**changes):
    contour = {"inclusion": True, "z": 2.5, "xy": [[4, 7], [5, 7], [5, 8]]}
    entry = {
        "patient_id": "someone",
        "pixel_spacing": 0.7,
        "slice_thickness": 2.5,
        "slice_z": [5.0, 0.0, 2.5],
        "raters": [{"contours": [contour]}, {"contours": []}],
    }
    return entry | changes


def rater(**changes):
    contour = {"inclusion": True, "z": 2.5, "xy": [[4, 7], [5, 7], [5, 8]]}
    return [{"contours": [contour | changes]}, {"contours": []}]


def test_indices_are_slice_row_and_column():
    (one,) = parse_reader_contours(json.dumps([lesion()]))
    (contour,), nothing = one.readers
    assert contour.points.tolist() == [[1, 7, 4], [1, 7, 5], [1, 8, 5]]
    assert contour.is_included
    assert nothing == ()
    assert one.geometry.shape == (3, 512, 512)
    assert np.allclose(one.geometry.spacing_mm, (2.5, 0.7, 0.7))


def test_the_image_may_have_another_size():
    (one,) = parse_reader_contours(json.dumps([lesion(rows=100, columns=80)]))
    assert one.geometry.shape == (3, 100, 80)


def test_patients_are_numbered_and_never_named():
    entries = [lesion(patient_id=name) for name in ("b", "a", "b")]
    lesions = parse_reader_contours(json.dumps(entries))
    assert [one.subject for one in lesions] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no list of lesions"),
        (json.dumps([lesion(), lesion(raters=[{"contours": []}])]), "lesion 2: agreement needs"),
        (json.dumps([lesion(slice_z=[0, 1, 2.5])]), "lesion 1: its slices are unevenly spaced"),
        (json.dumps([lesion(slice_z=[0, 1, 2])]), "lesion 1: a contour lies on none"),
        (json.dumps([lesion(pixel_spacing=-0.7)]), "lesion 1: a spacing is not above zero"),
        (json.dumps([lesion(raters=rater(z=float("nan")))]), "lesion 1: a contour lies on none"),
        (json.dumps([lesion(raters=rater(inclusion="no"))]), "lesion 1: inclusion is neither"),
        (json.dumps([{"patient_id": "someone"}]), "lesion 1: a field is missing"),
    ],
)
def test_what_is_wrong_is_said_without_naming_anybody(text, said):
    with pytest.raises(InputError, match=said) as caught:
        parse_reader_contours(text)
    assert "someone" not in str(caught.value)
