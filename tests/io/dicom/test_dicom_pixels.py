"""Stored values of one slice, however they are encoded."""

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_factory import ct_series, encode, read_header, set_pixels, source
from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.header import InstanceHeader
from lesionary.io.dicom.compressed import code_stream_size
from lesionary.io.dicom.pixels import SliceReader, StoredSlice, stored_digest

PLAIN = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
COMPRESSED = [JPEG2000Lossless, JPEGLSLossless, RLELossless]
DTYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32]


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def header_of(ds, folder) -> InstanceHeader:
    header = read_header(source(encode(ds, folder / "one.dcm")))
    assert isinstance(header, InstanceHeader)
    return header


def stored(ds, folder) -> StoredSlice:
    return SliceReader().read(header_of(ds, folder))


def slice_of(frame, *, syntax=ExplicitVRLittleEndian, bits_stored=None):
    ds = ct_series(syntax=syntax)[0]
    set_pixels(ds, frame)
    if bits_stored is not None:
        ds.BitsStored, ds.HighBit = bits_stored, bits_stored - 1
    return ds


def random_frame(dtype, shape=(6, 8)):
    info = np.iinfo(dtype)
    rng = np.random.default_rng(5)
    frame = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    frame[0, :2] = info.min, info.max
    return frame


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("syntax", PLAIN)
def test_uncompressed_values_come_back(folder, syntax, dtype):
    frame = random_frame(dtype)
    read = stored(slice_of(frame, syntax=syntax), folder).values
    assert read.dtype == frame.dtype
    assert np.array_equal(read, frame)


def test_bytes_in_big_endian_words_come_back(folder):
    frame = random_frame(np.uint8)
    ds = slice_of(frame, syntax=ExplicitVRBigEndian)
    ds.PixelData = np.frombuffer(ds.PixelData, dtype=np.uint16).byteswap().tobytes()
    ds["PixelData"].VR = "OW"
    assert np.array_equal(stored(ds, folder).values, frame)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("syntax", COMPRESSED)
def test_compressed_values_come_back(folder, syntax, dtype):
    frame = np.clip(random_frame(dtype, (40, 48)), -1000, 3000).astype(dtype)
    ds = slice_of(frame)
    ds.compress(syntax, generate_instance_uid=False)
    assert np.array_equal(stored(ds, folder).values, frame)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_lossless_jpeg_comes_back(folder, dtype):
    frame = np.clip(random_frame(dtype, (40, 48)), -1000, 3000).astype(dtype)
    ds = slice_of(frame)
    as_lossless_jpeg(ds, frame, folder)
    assert np.array_equal(stored(ds, folder).values, frame)


def as_lossless_jpeg(ds, frame, folder):
    """Compress a data set's pixels as JPEG process 14, through SimpleITK."""
    import SimpleITK

    writer = SimpleITK.ImageFileWriter()
    writer.SetFileName(str(folder / "jpeg.dcm"))
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG")
    writer.Execute(SimpleITK.GetImageFromArray(frame[None]))
    compressed = pydicom.dcmread(folder / "jpeg.dcm")
    ds.file_meta.TransferSyntaxUID = compressed.file_meta.TransferSyntaxUID
    assert ds.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    ds.PixelData = compressed.PixelData
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


@given(hnp.arrays(np.uint16, (3, 4)), st.integers(1, 16), st.booleans())
def test_only_the_stored_bits_count(tmp_path_factory, frame, bits, is_signed):
    ds = slice_of(frame, bits_stored=bits)
    ds.PixelRepresentation = int(is_signed)
    read = stored(ds, tmp_path_factory.getbasetemp()).values
    expected = (frame & ((1 << bits) - 1)).astype(np.int64)
    if is_signed:
        expected -= (expected >> (bits - 1)) << bits
    assert np.array_equal(read, expected)


def test_stored_bits_below_the_top_of_their_container(folder):
    values = np.array([[0, 4095, 17]], dtype=np.uint16)
    ds = slice_of(values << 4)
    ds.BitsStored, ds.HighBit = 12, 15
    read = stored(ds, folder)
    assert np.array_equal(read.values, values)
    assert not read.had_overlay


def test_an_overlay_in_unused_bits_is_taken_off_and_told(folder):
    values = np.array([[100, 200, 4095]], dtype=np.uint16)
    overlay = np.array([[0x8000, 0, 0x1000]], dtype=np.uint16)
    read = stored(slice_of(values | overlay, bits_stored=12), folder)
    assert np.array_equal(read.values, values)
    assert read.had_overlay


def test_a_sign_within_12_bits_is_no_overlay(folder):
    values = np.array([[-2, -1, 0, 5]], dtype=np.int16)
    for frame in (values, values & 0x0FFF):
        read = stored(slice_of(frame, bits_stored=12), folder)
        assert np.array_equal(read.values, values)
        assert not read.had_overlay


def test_an_overlay_beside_signed_values_is_told(folder):
    frame = np.array([[-2, 5]], dtype=np.int16) ^ np.array([[0, 0x2000]], dtype=np.int16)
    read = stored(slice_of(frame, bits_stored=12), folder)
    assert read.values.tolist() == [[-2, 5]]
    assert read.had_overlay


def test_padding_is_marked(folder):
    ds = slice_of(np.array([[-2000, 0], [7, -2000]], dtype=np.int16))
    ds.add_new("PixelPaddingValue", "SS", -2000)
    assert stored(ds, folder).padding.tolist() == [[True, False], [False, True]]


def test_a_padding_value_that_does_not_occur_marks_nothing(folder):
    ds = slice_of(np.zeros((2, 2), dtype=np.int16))
    ds.add_new("PixelPaddingValue", "SS", -2000)
    assert stored(ds, folder).padding is None


def test_padding_outside_the_stored_bits_is_marked_before_they_are_cut(folder):
    ds = slice_of(np.array([[63536, 100]], dtype=np.uint16), bits_stored=12)
    ds.add_new("PixelPaddingValue", "US", 63536)
    assert stored(ds, folder).padding.tolist() == [[True, False]]


def test_a_range_of_padding_is_marked(folder):
    ds = slice_of(np.array([[0, 3, 5, 6]], dtype=np.uint16))
    ds.add_new("PixelPaddingValue", "US", 5)
    ds.add_new("PixelPaddingRangeLimit", "US", 3)
    assert stored(ds, folder).padding.tolist() == [[False, True, True, False]]


def error_code(ds, folder) -> str:
    with pytest.raises(UnreadableSeriesError) as caught:
        stored(ds, folder)
    return caught.value.code


def test_a_missing_codec_is_named_with_a_hint(folder):
    ds = slice_of(np.zeros((4, 4), dtype=np.uint16))
    ds.PixelData = encapsulate([b"\0" * 32])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.94")  # pixels elsewhere
    with pytest.raises(UnreadableSeriesError) as caught:
        stored(ds, folder)
    assert caught.value.code == "unsupported_syntax"
    assert "JPIP" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_compressed_pixels_cut_short_are_truncated(folder, syntax):
    ds = slice_of(random_frame(np.uint16, (64, 64)))
    ds.compress(syntax, generate_instance_uid=False)
    path = encode(ds, folder / "one.dcm")
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(UnreadableSeriesError) as caught:
        SliceReader().read(read_header(source(path)))
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_damaged_code_streams_are_refused(folder, syntax):
    ds = slice_of(random_frame(np.uint16, (64, 64)))
    ds.compress(syntax, generate_instance_uid=False)
    value = bytearray(ds.PixelData)
    value[60:120] = b"\xff" * 60
    ds.PixelData = bytes(value)
    assert error_code(ds, folder) in {"truncated", "size_claim"}


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_code_stream_of_another_size_is_refused_before_decoding(folder, syntax):
    ds = slice_of(random_frame(np.uint16, (40, 48)))
    ds.compress(syntax, generate_instance_uid=False)
    ds.Rows = 8
    assert error_code(ds, folder) == "size_claim"


def test_more_pixels_claimed_than_stored_are_refused(folder):
    ds = slice_of(np.zeros((4, 4), dtype=np.uint16))
    ds.Rows = 60_000
    assert error_code(ds, folder) == "size_claim"


def test_a_code_stream_without_a_size_has_none():
    assert code_stream_size(b"\xff\xd8\xff") is None
    assert code_stream_size(b"no code stream at all") is None


def test_the_digest_is_of_values_not_of_their_encoding(folder):
    frame = random_frame(np.uint16, (16, 16))
    plain = stored_digest(header_of(slice_of(frame), folder))
    implicit = stored_digest(header_of(slice_of(frame, syntax=ImplicitVRLittleEndian), folder))
    ds = slice_of(frame)
    ds.compress(RLELossless, generate_instance_uid=False)
    assert plain == implicit == stored_digest(header_of(ds, folder))
    frame[3, 3] ^= 1
    assert stored_digest(header_of(slice_of(frame), folder)) != plain


def test_pixels_that_cannot_be_read_have_no_digest(folder):
    ds = ct_series()[0]
    del ds.PixelData
    assert stored_digest(header_of(ds, folder)) is None
