"""The pixel data of a segmentation, checked against the header before anything is allocated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.dicom.compressed import code_stream_size
from lesionary.io.limits import Limits, in_words

if TYPE_CHECKING:
    from pydicom import Dataset

StoredArray = NDArray[np.uint8] | NDArray[np.uint16]

PIXEL_DATA = 0x7FE00010
UNDEFINED = 0xFFFFFFFF

BIG_ENDIAN = "1.2.840.10008.1.2.2"
UNCOMPRESSED = frozenset(
    {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", BIG_ENDIAN}
)
RLE = "1.2.840.10008.1.2.5"
DECODERS: Mapping[str, str] = MappingProxyType(
    {RLE: "pydicom", "1.2.840.10008.1.2.4.80": "pyjpegls", "1.2.840.10008.1.2.4.90": "pylibjpeg"}
)
"""What decodes RLE, JPEG-LS and JPEG 2000.

Named, because GDCM, where it is installed, goes first and may abort the process over a broken
stream. Lossy codes are refused: a label that is off by one is another organ.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """How frames are stored: how many, of which size, and bits a pixel (1, 8 or 16)."""

    n_frames: int
    rows: int
    columns: int
    bits: int
    transfer_syntax: str

    @property
    def n_bytes(self) -> int:
        """Bytes of all frames, not compressed; frames of single bits follow without a gap."""
        return (self.n_frames * self.rows * self.columns * self.bits + 7) // 8


def layout_of(dataset: "Dataset", allowed_bits: frozenset[int]) -> Layout:
    """Read the header's claims.

    Raises
    ------
    UnreadableSeriesError
        ``not_dicom``, if they contradict each other or are none of what segmentations may have.
    """
    layout = Layout(
        int(dataset.get("NumberOfFrames") or 1),
        int(dataset.Rows),
        int(dataset.Columns),
        int(dataset.BitsAllocated),
        str(dataset.file_meta.get("TransferSyntaxUID", "")),
    )
    if min(layout.n_frames, layout.rows, layout.columns) < 1:
        raise UnreadableSeriesError("the frames have no pixels", code="no_pixels")
    if int(dataset.get("SamplesPerPixel", 1)) != 1 or layout.bits not in allowed_bits:
        expected = " or ".join(str(bits) for bits in sorted(allowed_bits))
        raise UnreadableSeriesError(
            f"{layout.bits} bits a pixel: a segmentation of this type has {expected}",
            code="not_dicom",
        )
    return layout


def read_pixels(dataset: "Dataset", layout: Layout, limits: Limits) -> StoredArray:
    """Return the stored pixels, shape (frames, rows, columns); single bits as they are packed.

    Raises
    ------
    UnreadableSeriesError
        ``no_pixels``, ``truncated``, or ``size_claim`` where the header claims other than there is
        or more than the limit, ``unsupported_syntax`` for a compression that is lossy or unknown.
    """
    if layout.n_bytes > limits.volume_bytes:
        raise UnreadableSeriesError(
            f"the header claims {layout.n_frames} frames of {layout.rows} × {layout.columns}: "
            f"{in_words(layout.n_bytes)}, more than the limit of {in_words(limits.volume_bytes)}",
            code="size_claim",
        )
    element = dataset.get_item(PIXEL_DATA)
    if element is None or not element.value:
        raise UnreadableSeriesError("the file has no pixel data", code="no_pixels")
    stored = bytes(element.value)
    if layout.transfer_syntax in DECODERS and layout.bits > 1:
        return _decoded(dataset, stored, layout)
    if layout.transfer_syntax not in UNCOMPRESSED:
        raise UnreadableSeriesError(
            "the frames are compressed in a way that segmentations are not read in",
            code="unsupported_syntax",
            hint="store them uncompressed, or as RLE, JPEG-LS or JPEG 2000 without loss",
        )
    length = getattr(element, "length", len(stored))
    if length != UNDEFINED and len(stored) < length:
        raise UnreadableSeriesError(
            f"the pixel data end after {len(stored)} of {length} bytes", code="truncated"
        )
    return _native(stored, layout, is_words=element.VR == "OW")


def _native(stored: bytes, layout: Layout, *, is_words: bool) -> StoredArray:
    """View uncompressed frames without a copy, where the byte order is this machine's."""
    if not layout.n_bytes <= len(stored) <= layout.n_bytes + 1:
        raise UnreadableSeriesError(
            f"the header claims {layout.n_bytes} bytes of pixels, {len(stored)} are there",
            code="size_claim",
        )
    is_big = layout.transfer_syntax == BIG_ENDIAN
    if is_big and is_words and layout.bits < 16:  # words are swapped, whatever is packed in them
        stored = np.frombuffer(stored, dtype=np.uint16).byteswap().tobytes()
    if layout.bits == 1:
        return np.frombuffer(stored, dtype=np.uint8, count=layout.n_bytes)
    dtype = np.dtype(np.uint8 if layout.bits == 8 else ">u2" if is_big else "<u2")
    n_values = layout.n_bytes // dtype.itemsize
    values = np.frombuffer(stored, dtype=dtype, count=n_values)
    shape = (layout.n_frames, layout.rows, layout.columns)
    if layout.bits == 8:
        return values.astype(np.uint8, copy=False).reshape(shape)
    return values.astype(np.uint16, copy=False).reshape(shape)


def _decoded(dataset: "Dataset", stored: bytes, layout: Layout) -> StoredArray:
    """Decompress, after each frame's own header was found to claim no other size."""
    from pydicom.pixels.decoders.base import get_decoder

    n_found = 0
    for frame in _encoded_frames(stored, layout):
        n_found += 1
        if layout.transfer_syntax != RLE:  # which claims no size
            _require_size(code_stream_size(frame), layout)
    if n_found != layout.n_frames:
        raise UnreadableSeriesError(
            f"the header claims {layout.n_frames} frames, {n_found} are there", code="size_claim"
        )
    dtype = np.uint8 if layout.bits == 8 else np.uint16
    values = np.zeros((layout.n_frames, layout.rows, layout.columns), dtype=dtype)
    try:
        frames = get_decoder(layout.transfer_syntax).iter_array(
            dataset, raw=True, decoding_plugin=DECODERS[layout.transfer_syntax]
        )
        for index, (decoded, _) in enumerate(frames):
            values[index] = decoded
    except RuntimeError:
        raise UnreadableSeriesError(
            "a compressed frame cannot be decoded", code="truncated"
        ) from None
    return values


def _require_size(claimed: tuple[int, int] | None, layout: Layout) -> None:
    if claimed is None:
        raise UnreadableSeriesError("a compressed frame has no header", code="truncated")
    if claimed != (layout.rows, layout.columns):
        raise UnreadableSeriesError(
            f"a compressed frame claims {claimed[0]} × {claimed[1]} pixels, "
            f"the header {layout.rows} × {layout.columns}",
            code="size_claim",
        )


def _encoded_frames(stored: bytes, layout: Layout) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames

    yield from generate_frames(stored, number_of_frames=layout.n_frames)
