"""Read the stored values of one slice.

Uncompressed pixels go straight from the file into an array that is reused from slice to slice;
what a header claims is checked against what there is before anything is allocated for it.

Source: DICOM PS3.5 §8 and annex A.4 (encoding of pixel data), PS3.3 C.7.6.3 (image pixel module).
"""

import hashlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import AnyArray, BoolArray
from lesionary.ingest.header import InstanceHeader, Padding, PixelFormat, PixelLocation
from lesionary.io.dicom.compressed import decoded, decompressed, truncated
from lesionary.io.dicom.elements import INFLATED_BYTES, data_set_start, inflate
from lesionary.io.opening import opened


@dataclass(frozen=True, slots=True, eq=False)
class StoredSlice:
    """Stored values of one slice, before rescale.

    Parameters
    ----------
    values : integer array, shape (rows, columns)
        Of the stored bits only, with their sign. It may be overwritten by the next read.
    padding : bool array of the same shape, optional
        Where there is no measurement; None where every pixel is one.
    had_overlay : bool
        Whether bits beyond the stored ones were set.
    """

    values: AnyArray
    padding: BoolArray | None
    had_overlay: bool


class SliceReader:
    """Reads slices one after the other into one buffer.

    Of a deflated file with several frames the whole data set is kept until another file comes.
    """

    def __init__(self) -> None:
        self._buffer: AnyArray = np.empty(0, dtype=np.uint8)
        self._inflated: tuple[Path, bytes] | None = None

    def read(self, header: InstanceHeader) -> StoredSlice:
        """Read the stored values of one slice.

        Raises
        ------
        UnreadableSeriesError
            ``no_pixels``, ``truncated``, ``size_claim`` or ``unsupported_syntax``.
        """
        grid, pixels = header.pixel_format, header.pixels
        if grid is None or pixels is None:
            raise UnreadableSeriesError("a slice without pixel data", code="no_pixels")
        with opened(header.path) as file:
            if pixels.fragments:
                frame = _joined(file, pixels)
                container = decoded(frame, grid, pixels.transfer_syntax)
            elif pixels.length is None:
                file.seek(pixels.offset)
                value = file.read(pixels.available)
                container = decompressed(value, grid, pixels.transfer_syntax)
            else:
                container = self._uncompressed(file, grid, header, pixels)
        return _stored(container, grid, header.padding)

    def _uncompressed(
        self,
        file: BufferedReader,
        grid: PixelFormat,
        header: InstanceHeader,
        pixels: PixelLocation,
    ) -> AnyArray:
        if (pixels.length or 0) < grid.frame_bytes:
            raise UnreadableSeriesError(
                f"{grid.rows} × {grid.columns} pixels of {grid.bits_allocated} bits in"
                f" {pixels.length} bytes",
                code="size_claim",
            )
        in_words = grid.bits_allocated == 8 and pixels.vr == "OW" and not pixels.is_little_endian
        lead = int(in_words and pixels.starts_mid_word)
        n_bytes = lead + grid.frame_bytes
        n_bytes += int(in_words and n_bytes % 2 == 1)
        if pixels.is_deflated:
            data = self._data_set(file, header, pixels)
            frame = np.frombuffer(data, np.uint8, n_bytes, pixels.offset - lead).copy()
        else:
            frame = self._frame(n_bytes)
            file.seek(pixels.offset - lead)
            if file.readinto(frame.data) != n_bytes:
                raise truncated("the pixel data stop before their end")
        if in_words:
            swapped = frame.view(np.uint16).byteswap().view(np.uint8)
            frame = swapped[lead : lead + grid.frame_bytes]
        array = frame.view(_dtype(grid)).reshape(grid.rows, grid.columns)
        return array if pixels.is_little_endian else array.byteswap()

    def _data_set(
        self, file: BufferedReader, header: InstanceHeader, pixels: PixelLocation
    ) -> bytes:
        """Inflate a data set up to the frame, or whole where it has more of them."""
        end = pixels.offset + (pixels.length or 0)
        if self._inflated is not None and self._inflated[0] == header.path:
            data = self._inflated[1]
        else:
            whole = file.read()
            limit = INFLATED_BYTES if header.n_frames > 1 else end
            data, _ = inflate(whole[data_set_start(whole) :], limit)
            self._inflated = (header.path, data) if header.n_frames > 1 else None
        if len(data) < end:
            raise truncated("the deflated data set stops before its end")
        return data

    def _frame(self, n_bytes: int) -> AnyArray:
        if self._buffer.size != n_bytes:
            self._buffer = np.empty(n_bytes, dtype=np.uint8)
        return self._buffer


def stored_digest(header: InstanceHeader) -> bytes | None:
    """Return a hash of a slice's stored values; None where they cannot be read."""
    try:
        values = SliceReader().read(header).values
    except UnreadableSeriesError:
        return None
    shape = f"{values.dtype.str}{values.shape}".encode()
    return hashlib.blake2b(shape + values.tobytes(), digest_size=16).digest()


def _dtype(grid: PixelFormat) -> np.dtype[np.generic]:
    return np.dtype(f"{'i' if grid.is_signed else 'u'}{grid.bits_allocated // 8}")


def _joined(file: BufferedReader, pixels: PixelLocation) -> bytes:
    pieces = []
    for offset, length in pixels.fragments:
        file.seek(offset)
        piece = file.read(length)
        if len(piece) != length:
            raise truncated("the compressed pixel data stop before their end")
        pieces.append(piece)
    return b"".join(pieces)


def _stored(container: AnyArray, grid: PixelFormat, padding: Padding | None) -> StoredSlice:
    """Take the stored bits out of their container; look for padding before and after."""
    is_padding = _padding_mask(container, padding)
    values = _stored_bits(container, grid)
    had_overlay = False
    if values is not container:
        had_overlay = _has_foreign_bits(container, values, grid)
        again = _padding_mask(values, padding)
        if again is not None:
            is_padding = again if is_padding is None else is_padding | again
    return StoredSlice(values, is_padding, had_overlay)


def _padding_mask(values: AnyArray, padding: Padding | None) -> BoolArray | None:
    if padding is None:
        return None
    if padding.first == padding.last:
        mask: BoolArray = values == padding.first
    else:
        mask = (values >= padding.first) & (values <= padding.last)
    return mask if mask.any() else None


def _stored_bits(container: AnyArray, grid: PixelFormat) -> AnyArray:
    """Return the container itself where its values need no change."""
    shift = grid.high_bit + 1 - grid.bits_stored
    if shift == 0 and _fits(container, grid):
        return container
    free = container.dtype.itemsize * 8 - grid.bits_stored
    # Up to the top and back: what lay above is pushed out, and the sign comes down with it.
    raised: AnyArray = np.left_shift(container, free - shift)
    return np.right_shift(raised, free)


def _fits(container: AnyArray, grid: PixelFormat) -> bool:
    bits = grid.bits_stored
    if bits == container.dtype.itemsize * 8:
        return True
    if grid.is_signed:
        half = 1 << (bits - 1)
        return bool(container.min() >= -half and container.max() < half)
    return bool(container.max() < 1 << bits)


def _has_foreign_bits(container: AnyArray, values: AnyArray, grid: PixelFormat) -> bool:
    """Tell bits of an overlay from a sign that was not extended and from a shifted layout."""
    plain = container.view(np.dtype(f"u{container.dtype.itemsize}"))
    shift = grid.high_bit + 1 - grid.bits_stored
    kept = ((1 << grid.bits_stored) - 1) << shift
    foreign = plain & ~plain.dtype.type(kept)
    if not grid.is_signed:
        return bool(foreign.any())
    above = foreign >> plain.dtype.type(grid.high_bit + 1)
    all_set = (1 << (8 * plain.itemsize - grid.high_bit - 1)) - 1
    sign = np.where(values < 0, all_set, 0)
    return bool(((above != 0) & (above != sign)).any())
