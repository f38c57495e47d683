"""Words of every size, turned around and back."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.io.dicom.byte_order import pixel_word_bytes, swapped, to_little_endian

CODES = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "SV": "q", "UV": "Q",
    "OW": "H", "OF": "f", "OL": "L", "OD": "d", "OV": "Q", "AT": "H",
}  # fmt: skip


@given(st.binary(max_size=70), st.sampled_from([1, 2, 3, 4, 8]))
def test_turning_words_twice_changes_nothing(value, word_bytes):
    assert swapped(swapped(value, word_bytes), word_bytes) == value
    assert swapped(memoryview(value), word_bytes) == swapped(value, word_bytes)


@pytest.mark.parametrize(("vr", "code"), CODES.items())
def test_numbers_of_every_vr_keep_their_value(vr, code):
    big, little = (struct.pack(order + code * 4, 1, 2, 3, 77) for order in "><")
    assert to_little_endian(big, vr) == little


@pytest.mark.parametrize("vr", ["OB", "UN", "LO", "PN", "UT", "DS"])
def test_bytes_and_texts_have_no_byte_order(vr):
    assert to_little_endian(b"abcdef", vr) == b"abcdef"


@pytest.mark.parametrize(
    ("vr", "bits", "expected"),
    [
        ("OB", 8, 1),
        ("OW", 8, 2),
        ("OW", 1, 2),
        ("OW", 16, 2),
        ("OW", 32, 4),
        ("OB", 16, 2),
        ("OF", 32, 4),
        ("OD", 64, 8),
    ],
)
def test_pixels_are_words_of_their_cells(vr, bits, expected):
    assert pixel_word_bytes(vr, bits) == expected
