"""Binary numbers whose bytes are words."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.spelled import is_spelled


@pytest.mark.parametrize(
    "value",
    [
        b"Smithson",
        b"SMITHSON\0",
        b"Roe^Jane",
        b"AB1234567\0",
        b"12345678",
        b"CT Mueller axial ",
        "Mueller".encode("utf-16le"),
        b"\xfe\xff\x00\xe0\x0a\0\0\0 whatever",
        b"\x00\x01Muellerx\x7f\x00",
        b"call me at 12 345 6789!",
    ],
)
def test_words_and_record_numbers_are_found(value):
    assert is_spelled(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0\0",
        b"AB",
        b"ABCD",
        bytes(64),
        b"\x20" * 512,
        b"@@" * 256,
        bytes(range(256)),
        struct.pack("<3H", 256, 0, 16),
        struct.pack("<16d", *range(16)),
    ],
)
def test_numbers_are_numbers(value):
    assert not is_spelled(value)


@given(st.lists(st.floats(-5000, 5000), min_size=1, max_size=6))
def test_coordinates_are_numbers(values):
    assert not is_spelled(struct.pack(f"<{len(values)}d", *values))


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=40), st.sampled_from("\0 "))
def test_a_name_is_found_however_long_and_padded(name, padding):
    assert is_spelled(name.capitalize().encode() + padding.encode() * 2)
