"""The walk over raw elements: every encoding, any depth, any damage, always forward."""

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_factory import ct_series, encode, nested, uid
from lesionary.io.dicom.elements import End, RawHeader, Wanted
from lesionary.io.dicom.walk import read_elements

SERIES, MODALITY, ROWS, TRACERS = 0x0020000E, 0x00080060, 0x00280010, 0x00540016
WANTED = Wanted(frozenset({SERIES, MODALITY, ROWS}), frozenset({(TRACERS,)}))
SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def walked(data: bytes) -> RawHeader:
    raw = read_elements(data, WANTED, inflated_limit=1 << 20)
    assert raw is not None
    return raw


def encoded(tmp_path: Path, *, syntax: str = ExplicitVRLittleEndian, **elements: object) -> bytes:
    ds = ct_series(syntax=syntax)[0]
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return encode(ds, tmp_path / "one.dcm").read_bytes()


def deep_bytes(levels: int, *, is_open_ended: bool) -> bytes:
    """Return an explicit little-endian file with nested ConceptCodeSequences, then a series UID.

    Written by hand: pydicom itself recurses, and gives up at some hundred levels.
    """
    body = b""
    if is_open_ended:
        opening = struct.pack("<HH2sHL", 0x0040, 0xA168, b"SQ", 0, 0xFFFFFFFF)
        opening += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
        closing = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        body = opening * levels + closing * levels
    else:
        for _ in range(levels):
            item = struct.pack("<HHL", 0xFFFE, 0xE000, len(body)) + body
            body = struct.pack("<HH2sHL", 0x0040, 0xA168, b"SQ", 0, len(item)) + item
    first = struct.pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"CT"
    series = struct.pack("<HH2sH", 0x0040, 0xE000, b"UI", 0)
    return b"\0" * 128 + b"DICM" + first + body + series


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_gives_the_same_values(tmp_path, syntax):
    raw = walked(encoded(tmp_path, syntax=syntax))
    assert raw.elements[MODALITY].value == b"CT"
    assert raw.elements[SERIES].value.rstrip(b"\0").decode() == uid(1)
    order = "<" if raw.is_little_endian else ">"
    assert struct.unpack(order + "H", raw.elements[ROWS].value) == (12,)
    assert raw.end is End.WHOLE
    assert raw.pixels.length == 240


@pytest.mark.parametrize("syntax", SYNTAXES[:2])
def test_a_file_without_preamble_or_meta_is_read(tmp_path, syntax):
    data = encoded(tmp_path, syntax=syntax)
    meta_bytes = 12 + struct.unpack_from("<L", data, 140)[0]
    assert walked(data[128 + 4 :]).elements[MODALITY].value == b"CT"
    assert walked(data[132 + meta_bytes :]).elements[MODALITY].value == b"CT"


def test_elements_are_believed_over_the_syntax(tmp_path):
    explicit = encoded(tmp_path)
    lying = explicit.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0")
    assert walked(lying).elements[MODALITY].value == b"CT"


@pytest.mark.parametrize("is_open_ended", [True, False])
@pytest.mark.parametrize("levels", [1, 64, 3000, 20_000])
def test_depth_is_counted_without_recursion(levels, is_open_ended):
    raw = walked(deep_bytes(levels, is_open_ended=is_open_ended))
    assert raw.depth == levels
    assert raw.end is End.WHOLE


@pytest.mark.parametrize("is_open_ended", [True, False])
def test_depth_of_what_pydicom_writes(tmp_path, is_open_ended):
    ds = ct_series()[0]
    ds.update(nested(7, is_open_ended=is_open_ended))
    assert walked(encode(ds, tmp_path / "deep.dcm").read_bytes()).depth == 7


def test_sequences_hidden_in_unknown_elements_are_followed():
    inner = deep_bytes(5, is_open_ended=True)[142:-8]
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0) + b""
    hidden = struct.pack("<HH2sHL", 0x0009, 0x1001, b"UN", 0, len(item)) + item
    first = struct.pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"CT"
    raw = walked(b"\0" * 128 + b"DICM" + first + hidden + inner)
    assert raw.depth == 5


def test_the_bytes_of_a_compressed_icon_are_no_elements():
    fragment = deep_bytes(70, is_open_ended=False)[142:]
    icon = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    icon += struct.pack("<HHL", 0xFFFE, 0xE000, len(fragment)) + fragment
    icon += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(icon)) + icon
    sequence = struct.pack("<HH2sHL", 0x0088, 0x0200, b"SQ", 0, len(item)) + item
    raw = walked(deep_bytes(0, is_open_ended=False)[:142] + sequence)
    assert (raw.depth, raw.end) == (2, End.WHOLE)


def test_lengths_that_reach_over_their_parents_cost_no_more_than_the_bytes():
    # Every 20 bytes a sequence that claims the whole rest: read twice, each would double the work.
    claims = b""
    for _ in range(400):
        claims += struct.pack("<HH2sHL", 0x0040, 0xA168, b"SQ", 0, 8_000)
        claims += struct.pack("<HHL", 0xFFFE, 0xE000, 12)
    started = time.process_time()
    walked(deep_bytes(0, is_open_ended=False)[:142] + claims)
    assert time.process_time() - started < 5  # exponential work would not end at all


@given(st.data())
def test_a_cut_file_gives_true_values_or_none(tmp_path_factory, data):
    whole = encoded(tmp_path_factory.getbasetemp())
    cut = data.draw(st.integers(140, len(whole) - 1))
    raw = walked(whole[:cut])
    assert raw.elements.items() <= walked(whole).elements.items()
    if raw.pixels is None:
        assert len(raw.elements) < 3 or cut < len(whole) - 240
    else:
        assert raw.pixels.offset + raw.pixels.length > cut


@given(st.binary(max_size=600))
def test_noise_never_raises(noise):
    read_elements(noise, WANTED, inflated_limit=1 << 20)
    walked(b"\0" * 128 + b"DICM" + noise)


@given(st.data())
def test_a_file_with_a_damaged_byte_never_raises(tmp_path_factory, data):
    whole = bytearray(encoded(tmp_path_factory.getbasetemp()))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(132, len(whole) - 300))] = data.draw(st.integers(0, 255))
    read_elements(bytes(whole), WANTED, inflated_limit=1 << 20)


def test_a_deflated_bomb_is_cut_off(tmp_path):
    data = encoded(tmp_path, syntax=DeflatedExplicitVRLittleEndian)
    raw = read_elements(data, WANTED, inflated_limit=300)
    assert raw.size == 300
    assert raw.end is not End.WHOLE


@pytest.mark.parametrize("text", [b"", b"DICM", b"a text that is no image", b"\0" * 400])
def test_what_does_not_begin_like_dicom_is_none(text):
    assert read_elements(text, WANTED, inflated_limit=100) is None
