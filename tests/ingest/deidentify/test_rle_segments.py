"""Run-length coded frames: what is no pixel goes, the pixels stay."""

import io

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless

from lesionary.ingest.deidentify.jpeg_segments import OddFrameError
from lesionary.ingest.deidentify.rle_segments import without_gaps


def coded(values: np.ndarray) -> bytes:
    """Return a frame as another library codes it."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3"
    ds.Rows, ds.Columns = values.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = values.dtype.itemsize * 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits, bits - 1, 0
    ds.PixelData = values.tobytes()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.compress(RLELossless, generate_instance_uid=False)
    return next(iter(generate_frames(ds.PixelData, number_of_frames=1)))


def decoded(frame: bytes, values: np.ndarray) -> np.ndarray:
    from pydicom.pixels.decoders import RLELosslessDecoder

    bits = values.dtype.itemsize * 8
    array, _ = RLELosslessDecoder.as_array(
        pydicom.encaps.encapsulate([frame], has_bot=False),
        rows=values.shape[0], columns=values.shape[1], samples_per_pixel=1, bits_allocated=bits,
        bits_stored=bits, pixel_representation=0, photometric_interpretation="MONOCHROME2",
        number_of_frames=1, pixel_keyword="PixelData",
    )  # fmt: skip
    return array


@pytest.mark.filterwarnings("ignore:The number of bytes of compressed:UserWarning")
@given(
    st.integers(1, 12), st.integers(1, 12), st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 1 << 30),
)  # fmt: skip
def test_the_pixels_stay_and_what_stands_behind_goes(rows, columns, kind, seed):
    values = np.random.default_rng(seed).integers(0, 4, (rows, columns)).astype(kind)
    frame = coded(values)
    clean = without_gaps(frame + b"Mustermann", rows * columns)
    assert b"Muster" not in clean
    assert np.array_equal(decoded(clean, values), values)
    assert without_gaps(clean, rows * columns) == clean


def test_a_text_between_header_and_segments_goes():
    values = np.arange(64, dtype=np.uint8).reshape(8, 8)
    frame = io.BytesIO(coded(values))
    header = bytearray(frame.read(64))
    header[4:8] = (80).to_bytes(4, "little")
    header[60:64] = b"Roe!"
    hidden = bytes(header) + b"Mustermann, Eva " + frame.read()
    clean = without_gaps(hidden, 64)
    assert b"Muster" not in clean
    assert b"Roe!" not in clean
    assert np.array_equal(decoded(clean, values), values)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"Mustermann",
        bytes(64),
        b"\1\0\0\0" + bytes(60),
        coded(np.zeros((9, 9), np.uint8))[:66],
    ],
)
def test_what_is_no_frame_is_odd(frame):
    with pytest.raises(OddFrameError):
        without_gaps(frame, 81)
