"""Look-up tables are as long as they say, or go."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.luts import is_sound_lut, unsound_luts

TABLES = {0x00283006: 0x00283002} | {0x00281200 + n: 0x00281100 + n for n in range(1, 5)}


def described(n_numbers: int, n_bits: int) -> bytes:
    return struct.pack("<3H", n_numbers % 65536, 0, n_bits)


@given(st.integers(1, 300), st.integers(8, 16), st.data())
def test_a_table_of_the_length_it_says_is_sound_and_a_longer_one_is_not(n_numbers, n_bits, data):
    numbers = st.integers(0, (1 << n_bits) - 1)
    table = data.draw(st.lists(numbers, min_size=n_numbers, max_size=n_numbers))
    words = struct.pack(f"<{n_numbers}H", *table)
    assert is_sound_lut(described(n_numbers, n_bits), words)
    assert not is_sound_lut(described(n_numbers, n_bits), words + b"Lee ")
    assert not is_sound_lut(described(2 * n_numbers + 1, n_bits), words)


@pytest.mark.parametrize(
    ("n_numbers", "n_bits", "table", "is_sound"),
    [
        (4, 8, b"\0\1\2\3", True),
        (3, 8, b"\0\1\2\0", True),
        (3, 8, b"\0\1\2A", False),
        (3, 8, b"\0\1\2", False),
        (4, 16, b"\0\1\2\3", False),
        (4, 12, b"McDonald", False),
        (4, 7, b"\0" * 8, False),
        (65536, 16, bytes(131072), True),
        (0, 16, b"", True),
    ],
)
def test_length_and_size_decide(n_numbers, n_bits, table, is_sound):
    assert is_sound_lut(described(n_numbers, n_bits), table) is is_sound


@pytest.mark.parametrize(("table", "descriptor"), TABLES.items())
def test_a_table_without_its_descriptor_goes(table, descriptor):
    data_set = DataSet()
    data_set.put(Element(table, "OW", b"MRN 12345678"))
    assert unsound_luts(data_set) == {table}
    data_set.put(Element(descriptor, "US", described(6, 12)))
    assert unsound_luts(data_set) == {table}
    data_set.put(Element(table, "OW", struct.pack("<6H", *range(6))))
    assert unsound_luts(data_set) == frozenset()
    data_set.put(Element(descriptor, "US", b"\1"))
    assert unsound_luts(data_set) == {table}
