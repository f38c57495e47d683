from decimal import Decimal

import pytest

from lesionary.core.terms import LesionKind
from lesionary.measure.response.measurability import (
    counted_organ,
    is_measurable,
    least_measurable_mm,
)


@pytest.mark.parametrize(
    ("kind", "diameter", "thickness", "expected"),
    [
        ("tumour", "10", None, True),
        ("tumour", "9.99", None, False),
        ("tumour", "10", "5", True),
        ("tumour", "10", "2.5", True),
        ("tumour", "10.1", "5.1", False),
        ("tumour", "10.2", "5.1", True),
        ("tumour", "19.9", "10", False),
        ("tumour", "20", "10", True),
        ("node", "15", None, True),
        ("node", "14.9", "1", False),
        ("node", "15", "10", True),
        ("tumour", None, None, False),
    ],
)
def test_measurable_lesions(kind, diameter, thickness, expected):
    size, thick = (None if text is None else Decimal(text) for text in (diameter, thickness))
    assert is_measurable(LesionKind(kind), size, thick) is expected


def test_thin_slices_ask_for_no_less_than_10_mm():
    assert least_measurable_mm(LesionKind.TUMOUR, Decimal("0.5")) == 10


@pytest.mark.parametrize(
    ("kind", "organ", "expected"),
    [
        ("tumour", "left kidney", "kidney"),
        ("tumour", "Kidneys", "kidney"),
        ("tumour", "vertebra", "bone"),
        ("tumour", "rib", "bone"),
        ("tumour", "right-adrenal", "adrenal"),
        ("tumour", "suprarenal", "adrenal"),
        ("tumour", "left gizzard", "gizzard"),
        ("tumour", "", ""),
        ("node", "mediastinum", "lymph nodes"),
        ("node", "", "lymph nodes"),
    ],
)
def test_organs_as_recist_counts_them(kind, organ, expected):
    assert counted_organ(LesionKind(kind), organ) == expected


@pytest.mark.parametrize(
    ("organ", "expected"),
    [
        ("Lung L", "lung"), ("lung left", "lung"), ("lung_left", "lung"), ("lung, left", "lung"),
        ("LUNG (R)", "lung"), ("both lungs", "lung"), ("kidney-right", "kidney"),
        ("left upper lobe", "lung"), ("right middle lobe", "lung"),
        ("lung, left lower lobe", "lung"), ("upper lobe of the left lung", "lung"),
        ("liver, segment 4", "liver"), ("liver segment IVb", "liver"), ("Liver S8", "liver"),
        ("right hepatic lobe", "liver"), ("segment 4", "segment 4"), ("left lobe", "lobe"),
        ("gizzard, left", "gizzard"), ("lower gizzard", "lower gizzard"), ("left", ""),
    ],
)  # fmt: skip
def test_sides_lobes_and_segments_are_of_one_organ(organ, expected):
    assert counted_organ(LesionKind.TUMOUR, organ) == expected
