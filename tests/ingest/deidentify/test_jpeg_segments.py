"""Compressed frames lose what is no image, and nothing else."""

import struct
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.jpeg_segments import OddFrameError, without_notes

LARGE = np.add.outer(np.arange(64), 3 * np.arange(64)).astype(np.uint8)
TOKEN = b"Zorblax^Quux 19570312"
IMAGE = (np.add.outer(np.arange(24), 3 * np.arange(32)) % 251).astype(np.uint8)


def encoded(ending: str, *settings: int) -> bytes:
    is_done, code = cv2.imencode(ending, IMAGE, settings)
    assert is_done
    return code.tobytes()


def decoded(code: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_UNCHANGED)


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


JPEG = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 0)
PROGRESSIVE = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


@pytest.mark.parametrize("jpeg", [JPEG, PROGRESSIVE], ids=["baseline", "progressive"])
@pytest.mark.parametrize("marker", [0xFE, *range(0xE0, 0xF0)])
def test_a_note_in_a_jpeg_goes_and_the_image_stays(jpeg, marker):
    noted = jpeg[:2] + segment(marker, TOKEN) + jpeg[2:]
    clean = without_notes(noted)
    assert TOKEN not in clean
    assert np.array_equal(decoded(clean), decoded(jpeg))
    assert without_notes(clean) == clean


def test_what_lies_behind_the_end_of_a_jpeg_goes():
    assert without_notes(JPEG + TOKEN) == without_notes(JPEG)


def test_the_note_on_colours_stays_and_one_that_only_looks_like_it_goes():
    adobe = segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01")
    assert adobe in without_notes(JPEG[:2] + adobe + JPEG[2:])
    longer = segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01" + TOKEN)
    assert TOKEN not in without_notes(JPEG[:2] + longer + JPEG[2:])


@pytest.fixture(scope="module")
def j2k() -> bytes:
    from openjpeg.utils import encode_array

    return bytes(encode_array(LARGE, use_mct=False, photometric_interpretation=2))


def with_comment(j2k: bytes) -> bytes:
    after_size = 2 + 2 + int.from_bytes(j2k[4:6])
    return j2k[:after_size] + segment(0x64, b"\x00\x01" + TOKEN) + j2k[after_size:]


def in_tile(j2k: bytes) -> bytes:
    at = j2k.index(b"\xff\x90")
    comment = segment(0x64, b"\x00\x01" + TOKEN)
    length = int.from_bytes(j2k[at + 6 : at + 10]) + len(comment)
    start = j2k[at : at + 6] + length.to_bytes(4) + j2k[at + 10 : at + 12]
    return j2k[:at] + start + comment + j2k[at + 12 :]


@pytest.mark.parametrize("noted", [with_comment, in_tile, lambda code: code + TOKEN])
def test_a_note_in_jpeg_2000_goes_and_the_image_stays(j2k, noted):
    from openjpeg import decode

    clean = without_notes(noted(j2k))
    assert TOKEN not in clean
    assert np.array_equal(decode(clean), LARGE)
    assert without_notes(clean) == clean


def test_of_a_jp2_file_only_the_image_is_kept(j2k):
    signature = bytes.fromhex("0000000c6a5020200d0a870a")
    xml = struct.pack(">L", 8 + len(TOKEN)) + b"xml " + TOKEN
    boxed = signature + xml + struct.pack(">L", 0) + b"jp2c" + j2k
    assert without_notes(boxed) == without_notes(j2k)


@pytest.mark.parametrize(
    "code",
    [b"", TOKEN, JPEG[:2] + TOKEN, JPEG[:2] + b"\xff\xfe\xff\xff" + TOKEN, b"\xff\x4f" + TOKEN,
     bytes.fromhex("0000000c6a5020200d0a870a") + TOKEN],
)  # fmt: skip
def test_what_does_not_follow_its_standard_is_told(code):
    with pytest.raises(OddFrameError):
        without_notes(code)


@given(st.binary(max_size=64), st.integers(0, len(JPEG) - 1))
def test_any_bytes_come_out_clean_or_are_told(junk, at):
    with suppress(OddFrameError):
        assert isinstance(without_notes(JPEG[:at] + junk + JPEG[at:]), bytes)


NAME = b"Okonkwo"
UNUSED_HUFFMAN = b"\x03" + bytes(6) + b"\x07" + bytes(9) + b"Zorblax"
"""A table that is sound, and that no scan names."""


def before_scan(noted: bytes, jpeg: bytes = JPEG) -> bytes:
    return jpeg[:2] + noted + jpeg[2:]


@pytest.mark.parametrize("jpeg", [JPEG, PROGRESSIVE], ids=["baseline", "progressive"])
@pytest.mark.parametrize(
    "unused",
    [
        segment(0xC4, UNUSED_HUFFMAN),
        segment(0xC4, UNUSED_HUFFMAN) + segment(0xC4, b"\x13" + UNUSED_HUFFMAN[1:]),
        segment(0xDB, b"\x03" + NAME.ljust(64, b"\1")),
        segment(0xDB, b"\x00" + NAME.ljust(64, b"\1")),
        segment(0xCC, NAME[:6]),
        segment(0xC8, NAME),
        segment(0xF0, NAME),
        b"\xff\xd0" + segment(0xFE, NAME),
    ],
)
def test_a_table_that_no_scan_uses_goes(jpeg, unused):
    clean = without_notes(before_scan(unused, jpeg))
    assert clean == without_notes(jpeg)
    assert np.array_equal(decoded(clean), decoded(jpeg))


def test_of_a_segment_of_tables_only_the_used_ones_stay():
    at = JPEG.index(b"\xff\xc4")
    end = at + 2 + int.from_bytes(JPEG[at + 2 : at + 4])
    both = segment(0xC4, UNUSED_HUFFMAN + JPEG[at + 4 : end])
    assert without_notes(JPEG[:at] + both + JPEG[end:]) == without_notes(JPEG)


def test_a_frame_of_tables_in_use_stays_byte_for_byte():
    start = JPEG.index(b"\xff\xdb")
    assert without_notes(JPEG) == JPEG[:2] + JPEG[start:]


@pytest.mark.parametrize(
    "odd",
    [
        segment(0xDB, b"\x03" + b"\1" * 64 + NAME),
        segment(0xDB, b"\x24" + b"\1" * 64),
        segment(0xDB, b"\x13" + b"\1" * 64),
        segment(0xC4, UNUSED_HUFFMAN + NAME),
        segment(0xC4, UNUSED_HUFFMAN[:-1]),
        segment(0xC4, b"\x03" + b"\3" + bytes(15) + b"abc"),
        segment(0xC4, UNUSED_HUFFMAN[:17] + b"Okonkwo"),
        segment(0xDD, b"\0\1" + NAME),
        segment(0xDD, b"\0\0Ok"),
        segment(0xDC, NAME),
        segment(0xDF, b"\0"),
        segment(0xF8, b"\1" + NAME),
        segment(0xF8, b"\2" + NAME),
        segment(0xF8, b"\1OkonkwoABC"),
        segment(0xDA, b"\1\1\0\0\x3f\0"),
        segment(0xC0, b"\x08\0\x10\0\x10\1\1\x11\0"),
    ],
)
def test_a_segment_of_another_length_than_its_tables_is_told(odd):
    with pytest.raises(OddFrameError):
        without_notes(before_scan(odd))


@pytest.mark.parametrize("lines", [b"\0\x18", b"Ok"])
def test_a_number_of_lines_stays_where_the_frame_has_none(lines):
    counted = JPEG[:-2] + segment(0xDC, lines) + JPEG[-2:]
    assert without_notes(counted) == without_notes(JPEG)
    at = JPEG.index(b"\xff\xc0") + 5
    open_ended = JPEG[:at] + b"\0\0" + JPEG[at + 2 : -2] + segment(0xDC, b"\0\x18") + JPEG[-2:]
    assert segment(0xDC, b"\0\x18") in without_notes(open_ended)
    with pytest.raises(OddFrameError):
        without_notes(JPEG[:-2] + segment(0xDC, NAME) + JPEG[-2:])


def test_the_note_on_colours_holds_nothing_else():
    adobe = segment(0xEE, b"AdobeLeeAnn\x01")
    clean = without_notes(before_scan(adobe + adobe))
    assert b"Lee" not in clean
    assert clean.count(b"Adobe") == 1


def test_a_jpeg_without_a_scan_is_told():
    with pytest.raises(OddFrameError):
        without_notes(JPEG[:2] + JPEG[-2:])


def test_a_segment_that_jpeg_2000_does_not_know_goes(j2k):
    after_size = 2 + 2 + int.from_bytes(j2k[4:6])
    noted = j2k[:after_size] + segment(0x6F, TOKEN) + j2k[after_size:]
    assert without_notes(noted) == without_notes(j2k)
