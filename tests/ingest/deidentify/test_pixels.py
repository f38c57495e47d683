"""Pixels pass as they are; bits that none of them uses are cleared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import DataSet, Element, PixelData
from lesionary.ingest.deidentify.pixels import clean_pixels
from lesionary.ingest.deidentify.quarantine import Quarantined

NATIVE = "1.2.840.10008.1.2.1"
ROWS = COLUMNS = 4
SIZES = st.sampled_from([8, 16, 32, 64])


def header(allocated: int, stored: int | None, high: int | None, signed: int = 0, **more: int):
    data_set = DataSet()
    numbers = {
        0x00280002: 1, 0x00280010: ROWS, 0x00280011: COLUMNS, 0x00280100: allocated,
        0x00280101: stored, 0x00280102: high, 0x00280103: signed,
    } | {int(tag, 16): number for tag, number in more.items()}  # fmt: skip
    for tag, number in numbers.items():
        if number is not None:
            data_set.put(Element(tag, "US", (number & 0xFFFF).to_bytes(2, "little")))
    return data_set


def cleaned(data_set: DataSet, native: bytes) -> bytes:
    made = clean_pixels(data_set, PixelData(0x7FE00010, "OW", native), NATIVE)
    assert isinstance(made, PixelData)
    return bytes(made.native)


@pytest.mark.parametrize("allocated", [16, 32, 64])
def test_a_name_in_the_spare_bits_goes(allocated):
    word = b"\1\0LeeAnn"[: allocated // 8] if allocated > 16 else b"\1L"
    clean = cleaned(header(allocated, 8, 7), word * 16)
    assert clean == b"\1".ljust(allocated // 8, b"\0") * 16


@given(st.data(), SIZES, st.booleans())
def test_stored_values_pass_and_spare_bits_go(data, allocated, is_signed):
    stored = data.draw(st.integers(1, allocated))
    high = data.draw(st.integers(stored - 1, allocated - 1))
    below = high + 1 - stored
    kind = np.dtype(f"<{'i' if is_signed else 'u'}{allocated // 8}")
    low, top = (-(1 << stored - 1), (1 << stored - 1) - 1) if is_signed else (0, (1 << stored) - 1)
    values = data.draw(st.lists(st.integers(low, top), min_size=16, max_size=16))
    proper = np.array([value << below for value in values], dtype=kind)
    head = header(allocated, stored, high, int(is_signed))
    assert cleaned(head, proper.tobytes()) == proper.tobytes()
    mask = ((1 << stored) - 1) << below
    junk = data.draw(st.integers(0, (1 << allocated) - 1)) & ~mask
    unsigned = proper.view(f"<u{allocated // 8}")
    noted = [(int(value) & mask) | junk for value in unsigned]
    dirty = np.array(noted, dtype=unsigned.dtype).tobytes()
    assert cleaned(head, dirty) == proper.tobytes()


def test_a_padding_value_outside_the_stored_bits_stays():
    padded = np.array([-2000, *range(15)], dtype="<i2").view("<u2").tobytes()
    head = header(16, 12, 11, **{"0x00280120": -2000})
    assert cleaned(head, padded) == padded
    assert cleaned(header(16, 12, 11), padded) != padded


@pytest.mark.parametrize(
    ("stored", "high"),
    [(16, None), (None, 15), (None, None), (12, 3), (12, 40), (0, None)],
)
def test_numbers_of_bits_that_contradict_each_other_cost_no_pixel(stored, high):
    words = np.arange(0, 4096, 256, dtype="<u2").tobytes()
    assert cleaned(header(16, stored, high), words) == words


def test_the_same_buffer_comes_back_where_nothing_is_spare():
    native = memoryview(bytes(range(32)))
    pixels = PixelData(0x7FE00010, "OW", native)
    assert clean_pixels(header(16, 16, 15), pixels, NATIVE).native is native
    zeros = PixelData(0x7FE00010, "OW", memoryview(bytes(32)))
    assert clean_pixels(header(16, 12, 11), zeros, NATIVE).native is zeros.native


def test_words_of_an_odd_size_pass_only_where_nothing_is_spare():
    native = bytes(range(48))
    assert cleaned(header(24, 24, 23), native) == native
    against = clean_pixels(header(24, 12, 11), PixelData(0x7FE00010, "OW", native), NATIVE)
    assert isinstance(against, Quarantined)
    assert against.code == "odd_pixels"


def test_one_bit_a_pixel_passes():
    assert cleaned(header(1, 1, 0), b"\x5a\xa5") == b"\x5a\xa5"


@pytest.mark.parametrize("stored", [17, 40, 99])
def test_more_bits_than_a_pixel_has_are_refused(stored):
    with pytest.raises(UnreadableSeriesError) as told:
        cleaned(header(16, stored, stored - 1), bytes(32))
    assert told.value.code == "size_claim"


@pytest.mark.parametrize("frames", ["999999999", "-5", "-1", "1000000000", "+123456789"])
@pytest.mark.parametrize("is_native", [True, False])
def test_an_impossible_number_of_frames_is_refused(frames, is_native):
    head = header(16, 16, 15)
    head.put(Element(0x00280008, "IS", frames.encode()))
    pixels = PixelData(0x7FE00010, "OW", bytes(32) if is_native else None, fragments=[b"\xff\xd8"])
    with pytest.raises(UnreadableSeriesError) as told:
        clean_pixels(head, pixels, NATIVE)
    assert told.value.code == "size_claim"


@pytest.mark.parametrize("frames", ["", "0", "1", "+1", "0000000001", "-0"])
def test_no_frames_and_one_are_one(frames):
    head = header(16, 16, 15)
    head.put(Element(0x00280008, "IS", frames.encode()))
    assert cleaned(head, bytes(range(32)) + b"name") == bytes(range(32))
