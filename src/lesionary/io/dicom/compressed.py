"""Decode one frame of compressed pixel data.

JPEG 2000, JPEG-LS and RLE go through pydicom's plug-ins, the older JPEG processes through
SimpleITK. GDCM's own Python module is never asked: it aborts the whole process on a damaged frame,
where the others raise. A code stream's size is checked before it is decoded.

Source: DICOM PS3.5 annex A.4 (encapsulation); ISO/IEC 10918-1 B.2, 14495-1 C.2, 15444-1 A.5 (the
size in the code stream).
"""

import struct
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import AnyArray
from lesionary.ingest.header import PixelFormat
from lesionary.io.scratch import scratch_folder

_JPEG = "1.2.840.10008.1.2.4."
_PLUGINS: Mapping[str, str] = {
    _JPEG + "80": "pyjpegls",
    _JPEG + "81": "pyjpegls",
    _JPEG + "90": "pylibjpeg",
    _JPEG + "91": "pylibjpeg",
    _JPEG + "201": "pylibjpeg",
    _JPEG + "202": "pylibjpeg",
    _JPEG + "203": "pylibjpeg",
    "1.2.840.10008.1.2.5": "pydicom",
}
_BY_SIMPLE_ITK = frozenset(_JPEG + process for process in ("50", "51", "57", "70"))

_ITEM = 0xFFFEE000
_J2K_START = b"\xff\x4f\xff\x51"
_JPEG_START = b"\xff\xd8"
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}


def decompressed(value: bytes, grid: PixelFormat, transfer_syntax: str) -> AnyArray:
    """Decode the value of an encapsulated PixelData element that holds one frame.

    Parameters
    ----------
    value : bytes
        From the offset table's item on; what follows the frame is passed over.
    grid : PixelFormat
        As the header has it.
    transfer_syntax : str
        Its UID.

    Returns
    -------
    integer array, shape (rows, columns)
        Stored values.

    Raises
    ------
    UnreadableSeriesError
        ``no_pixels``, ``truncated``, ``size_claim`` or ``unsupported_syntax``.
    """
    return decoded(_joined_fragments(value), grid, transfer_syntax)


def decoded(frame: bytes, grid: PixelFormat, transfer_syntax: str) -> AnyArray:
    """Decode one frame, its fragments joined.

    Raises
    ------
    UnreadableSeriesError
        ``truncated``, ``size_claim`` or ``unsupported_syntax``.
    """
    size = code_stream_size(frame)
    if size is not None and size != (grid.rows, grid.columns):
        raise UnreadableSeriesError(
            f"the compressed pixels are {size[0]} × {size[1]},"
            f" the header says {grid.rows} × {grid.columns}",
            code="size_claim",
            hint="export the series again from where it came from",
        )
    if transfer_syntax in _PLUGINS:
        array = _by_pydicom(frame, grid, transfer_syntax)
    elif transfer_syntax in _BY_SIMPLE_ITK:
        array = _by_simple_itk(frame, grid, transfer_syntax)
    else:
        raise _unsupported(transfer_syntax)
    if array.shape != (grid.rows, grid.columns):
        raise truncated("the compressed pixel data hold another number of pixels")
    return np.ascontiguousarray(array)


def truncated(reason: str) -> UnreadableSeriesError:
    """Return the error for pixel data that end too early or make no image."""
    return UnreadableSeriesError(
        reason, code="truncated", hint="copy the files again from where they came"
    )


def _by_pydicom(frame: bytes, grid: PixelFormat, transfer_syntax: str) -> AnyArray:
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    decoder = get_decoder(transfer_syntax)
    plugin = _PLUGINS[transfer_syntax]
    if plugin not in decoder.available_plugins:
        raise _unsupported(transfer_syntax)
    layout: dict[str, Any] = {
        "rows": grid.rows,
        "columns": grid.columns,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "bits_allocated": grid.bits_allocated,
        "bits_stored": grid.bits_stored,
        "pixel_representation": int(grid.is_signed),
        "photometric_interpretation": grid.photometric,
        "pixel_keyword": "PixelData",
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array, _ = decoder.as_array(
                encapsulate([frame]), raw=True, index=0, decoding_plugin=plugin, **layout
            )
    except (RuntimeError, ValueError, IndexError, AttributeError, struct.error):
        raise _undecodable() from None
    return array


def _by_simple_itk(frame: bytes, grid: PixelFormat, transfer_syntax: str) -> AnyArray:
    """Decode through a file of its own that holds this frame, and nothing of the patient."""
    import SimpleITK
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    meta.TransferSyntaxUID = UID(transfer_syntax)
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = SecondaryCaptureImageStorage, "2.25.1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = grid.rows, grid.columns
    ds.BitsAllocated, ds.BitsStored = grid.bits_allocated, grid.bits_stored
    ds.HighBit, ds.PixelRepresentation = grid.high_bit, int(grid.is_signed)
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    with scratch_folder() as folder:
        path = folder / "frame.dcm"
        ds.save_as(path, enforce_file_format=True)
        try:
            image = SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO")
        except RuntimeError:
            raise _undecodable() from None
    array: AnyArray = SimpleITK.GetArrayFromImage(image)
    return array[0] if array.ndim == 3 else array


def _undecodable() -> UnreadableSeriesError:
    return truncated("the compressed pixel data cannot be decoded")


def _unsupported(transfer_syntax: str) -> UnreadableSeriesError:
    from pydicom.config import IGNORE
    from pydicom.uid import UID

    known = UID(transfer_syntax, validation_mode=IGNORE)
    name = known.name if known.is_valid and known.is_transfer_syntax else "unknown"
    return UnreadableSeriesError(
        f"pixels compressed in a way that is not read here ({name})",
        code="unsupported_syntax",
        hint="export the series uncompressed or as lossless JPEG 2000",
    )


def _joined_fragments(value: bytes) -> bytes:
    """Join the fragments of the one frame; the first item is the offset table."""
    fragments, at, n_items = [], 0, 0
    while at + 8 <= len(value):
        group, number, length = struct.unpack_from("<HHL", value, at)
        at += 8
        if group << 16 | number != _ITEM:
            break
        if at + length > len(value):
            raise truncated("the compressed pixel data stop before their end")
        if n_items:
            fragments.append(value[at : at + length])
        n_items += 1
        at += length
    if not fragments:
        raise UnreadableSeriesError("a slice without pixel data", code="no_pixels")
    return b"".join(fragments)


def code_stream_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream claims, or None."""
    if frame.startswith(_JPEG_START):
        return _jpeg_size(frame)
    at = frame.find(_J2K_START, 0, 4096)
    if at < 0 or at + 24 > len(frame):
        return None
    width, height, left, top = struct.unpack_from(">LLLL", frame, at + 8)
    return height - top, width - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker in _JPEG_FRAMES:
            rows, columns = struct.unpack_from(">HH", frame, at + 5)
            return rows, columns
        at += 2 + length
    return None
