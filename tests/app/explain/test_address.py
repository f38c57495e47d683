from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.app.explain.address import (
    ImagePlace,
    JsonPlace,
    LesionPlace,
    PrintedNumber,
    TablePlace,
    parse_address,
)
from lesionary.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("lesions.csv:2:volume_ml", TablePlace("lesions.csv", 2, "volume_ml")),
        ("agreement/pairs.csv:3", TablePlace("agreement/pairs.csv", 3, None)),
        ("lesions.json#/lesions/0/voxels", JsonPlace("lesions.json", "/lesions/0/voxels")),
        ("ser-0001/2/volume_ml", LesionPlace("ser-0001", 2, "volume_ml")),
        ("ser-12345/2", LesionPlace("ser-12345", 2, None)),
        ("masks/001_2.25.3.nii.gz@1,2,3", ImagePlace("masks/001_2.25.3.nii.gz", (1, 2, 3))),
        ("masks/a.nii.gz", ImagePlace("masks/a.nii.gz", None)),
    ],
)
def test_places_are_told_apart(text, place):
    assert parse_address(text) == place


@given(value=st.decimals(-1000, 1000, places=3), unit=st.sampled_from(["", " ml", "mm", " %"]))
def test_a_number_keeps_its_digits_and_its_unit(value, unit):
    found = parse_address(f"{value}{unit}")
    assert found == PrintedNumber(value, Decimal("0.0005"), unit.strip() or None)


def test_a_printed_minus_is_a_minus():
    assert parse_address("−1.5") == parse_address("-1.5")


def test_a_thin_space_between_thousands_is_none_before_the_unit():
    assert parse_address("12\u202f345\u202fml") == parse_address("12345 ml")


@pytest.mark.parametrize("unit", ["HU", "SUVbw", "Bq/ml", "counts", "a.u."])
def test_the_units_of_intensities_are_known_as_the_report_writes_them(unit):
    assert parse_address(f"64.2 {unit}").unit == unit.lower()


@pytest.mark.parametrize("text", ["", "volume", "1.2.3", "lesions.csv", "12.3 furlongs", "nan"])
def test_anything_else_is_refused_with_the_forms_that_are_known(text):
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert caught.value.code == "usage"
    assert caught.value.hint
