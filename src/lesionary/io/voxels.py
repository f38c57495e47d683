"""Voxels between a file and an array: claims checked first, one array of memory, exact types."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import AnyArray, LabelMap, Volume
from lesionary.io.gzip_stream import PIECE, Compression, InflatedStream
from lesionary.io.limits import Limits, in_words
from lesionary.io.opening import size_of

Shape = tuple[int, int, int]
ByteStream = io.BufferedIOBase | io.RawIOBase
DType = np.dtype[Any]

CUT_FROM_SHARE = 0.01
"""A file with at least this share of the claimed bytes was cut; below, the header is wrong."""

_INT16 = np.iinfo(np.int16)
_NARROW_TO_WIDE = (np.dtype(np.int16), np.dtype(np.uint16), np.dtype(np.int32), np.dtype(np.int64))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a header says is stored.

    Parameters
    ----------
    shape : tuple of int
        Voxels along ``(k, j, i)``.
    stored : dtype
        As on disk, with its byte order.
    slope, inter : float
        Value = stored number × slope + inter.
    """

    shape: Shape
    stored: DType
    slope: float = 1.0
    inter: float = 0.0

    @property
    def stored_bytes(self) -> int:
        """Bytes of the voxels on disk, unpacked."""
        return prod(self.shape) * self.stored.itemsize

    @property
    def is_scaled(self) -> bool:
        """Whether values differ from stored numbers."""
        return (self.slope, self.inter) != (1.0, 0.0)

    @property
    def keeps_integers(self) -> bool:
        """Whether scaling turns the stored integers into integers, exactly in 64 bits."""
        return (
            self.stored.kind in "iu"
            and self.stored.itemsize <= 4
            and self.slope.is_integer()
            and self.inter.is_integer()
            and max(abs(self.slope), abs(self.inter)) < 2**30
        )

    @property
    def float_type(self) -> DType:
        """Type of values that are no integers: float32, and float64 for what it cannot hold."""
        is_wide = self.stored.itemsize > (4 if self.stored.kind == "f" else 2)
        return np.dtype(np.float64 if is_wide else np.float32)

    def require_plausible(
        self, limits: Limits, *, stream_bytes: int, n_skipped: int, compression: Compression | None
    ) -> None:
        """Refuse a claim that is over the limit or cannot be met, before anything is allocated.

        Parameters
        ----------
        limits : Limits
            ``volume_bytes`` bounds the voxels on disk and in memory.
        stream_bytes : int
            Size of the stream that holds the voxels.
        n_skipped : int
            Unpacked bytes ahead of the voxels.
        compression : Compression, optional
            Its largest ratio bounds what ``stream_bytes`` can hold.

        Raises
        ------
        UnreadableSeriesError
            ``size_claim``, or ``truncated`` where the file holds at least a hundredth of it.
        """
        in_memory = prod(self.shape) * self._itemsize_in_memory()
        if max(self.stored_bytes, in_memory) > limits.volume_bytes:
            raise UnreadableSeriesError(
                f"the header claims {in_words(max(self.stored_bytes, in_memory))} of voxels; "
                f"the limit of one volume is {in_words(limits.volume_bytes)}",
                code="size_claim",
                hint="raise the limit if the file is to be trusted",
            )
        if compression is None:
            self.require_held(stream_bytes - n_skipped)
        elif compression.largest_ratio is not None:
            self.require_held(stream_bytes * compression.largest_ratio - n_skipped)

    def _itemsize_in_memory(self) -> int:
        if not self.is_scaled or self.keeps_integers:
            return self.stored.itemsize
        return self.float_type.itemsize

    def require_held(self, available_bytes: int) -> None:
        """Refuse where fewer than the claimed bytes are there."""
        if available_bytes >= self.stored_bytes:
            return
        was_cut = available_bytes >= CUT_FROM_SHARE * self.stored_bytes
        raise UnreadableSeriesError(
            f"the header claims {in_words(self.stored_bytes)} of voxels, "
            f"the file holds at most {in_words(max(available_bytes, 0))}",
            code="truncated" if was_cut else "size_claim",
            hint="copy the file again from its source",
        )


def read_claimed(
    file: io.BufferedReader,
    claim: Claim,
    limits: Limits,
    *,
    start: int = 0,
    n_skipped: int = 0,
    compression: Compression | None = None,
) -> AnyArray:
    """Read what a header claims from an open file.

    Parameters
    ----------
    file : binary file
        The one that holds the voxels.
    claim : Claim
        What they are.
    limits : Limits
        Looked at first; nothing is allocated for a claim that cannot hold.
    start : int
        Where in the file the stream begins.
    n_skipped : int
        Unpacked bytes of the stream ahead of the voxels.
    compression : Compression, optional
        None where the stream is as it is.

    Returns
    -------
    array, shape (slices, rows, columns)
        As :func:`read_voxels` gives it.
    """
    claim.require_plausible(
        limits, stream_bytes=size_of(file) - start, n_skipped=n_skipped, compression=compression
    )
    file.seek(start)
    if compression is None:
        file.seek(n_skipped, io.SEEK_CUR)
        return read_voxels(file, claim)
    stream = InflatedStream(file, compression)
    while n_skipped:
        piece = stream.read(min(n_skipped, PIECE))
        if not piece:
            claim.require_held(0)
        n_skipped -= len(piece or b"x")
    return read_voxels(stream, claim)


def read_voxels(stream: ByteStream, claim: Claim) -> AnyArray:
    """Read the claimed voxels, scale them, and see that the stream ends there.

    Integers stay integers where the scaling allows: in the stored type where it holds all values,
    else in the narrowest of int16, uint16, int32 and int64 that does. Other scaled values become
    float32; float64 where 32-bit integers or float64 are stored.

    Parameters
    ----------
    stream : binary stream
        Positioned at the first voxel.
    claim : Claim
        Found plausible before.

    Returns
    -------
    array, shape (slices, rows, columns)
        C-contiguous, in this machine's byte order. Besides it, at most one slice is held; a copy
        where scaled integers need a wider type.

    Raises
    ------
    UnreadableSeriesError
        ``truncated`` or ``size_claim`` where the stream is too short, ``gzip_oversized`` where it
        goes on behind the voxels, ``gzip_corrupt`` where it is damaged.
    """
    if claim.is_scaled and not claim.keeps_integers:
        array = _read_scaled(stream, claim)
    else:
        stored = np.empty(claim.shape, claim.stored)
        _fill(stream, stored, claim, done_bytes=0)
        array = _native(stored)
        if claim.is_scaled:
            array = _rescaled_integers(array, int(claim.slope), int(claim.inter))
    if stream.read(1):
        raise UnreadableSeriesError(
            "the file goes on behind the voxels that its header claims",
            code="gzip_oversized",
            hint="write the file again: what is behind its end belongs to no image",
        )
    return array


def _fill(stream: ByteStream, array: AnyArray, claim: Claim, *, done_bytes: int) -> None:
    view = array.reshape(-1).view(np.uint8).data
    n_filled = 0
    while n_filled < len(view):
        n_read = stream.readinto(view[n_filled:])
        if not n_read:
            claim.require_held(done_bytes + n_filled)
        n_filled += n_read or 0


def _native(array: AnyArray) -> AnyArray:
    if array.dtype.isnative:
        return array
    return array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))


def _read_scaled(stream: ByteStream, claim: Claim) -> AnyArray:
    values = np.empty(claim.shape, claim.float_type)
    stored = np.empty(claim.shape[1:], claim.stored)
    with np.errstate(over="ignore", invalid="ignore"):  # Inf is kept, and found by the gate
        for k in range(claim.shape[0]):
            _fill(stream, stored, claim, done_bytes=k * stored.nbytes)
            values[k] = stored.astype(np.float64) * claim.slope + claim.inter
    return values


def _rescaled_integers(array: AnyArray, slope: int, inter: int) -> AnyArray:
    ends = (int(array.min()) * slope + inter, int(array.max()) * slope + inter)
    target = next(
        candidate
        for candidate in (array.dtype, *_NARROW_TO_WIDE)
        if np.iinfo(candidate).min <= min(ends) and max(ends) <= np.iinfo(candidate).max
    )
    fits_in_place = target.itemsize == array.itemsize
    values = array.view(target) if fits_in_place else np.empty(array.shape, target)
    for k in range(array.shape[0]):
        values[k] = array[k].astype(np.int64) * slope + inter
    return values


def storage_type(image: Volume | LabelMap) -> DType:
    """Return the type an image is written in.

    Label maps: uint8, uint16 where a value is above 255. Volumes: int16 where that is exact, else
    float32.
    """
    array = image.array
    if isinstance(image, LabelMap):
        return np.dtype(np.uint16 if array.size and array.max() > 255 else np.uint8)
    return np.dtype(np.int16 if all(_fits_int16(part) for part in array) else np.float32)


def _fits_int16(part: AnyArray) -> bool:
    if part.dtype == np.int16 or part.dtype.kind == "b":
        return True
    lowest, highest = part.min(), part.max()
    if not (lowest >= _INT16.min and highest <= _INT16.max):  # False for NaN
        return False
    return part.dtype.kind in "iu" or bool(np.array_equal(part, np.trunc(part)))


def stored_slices(image: Volume | LabelMap, stored: DType) -> Iterator[memoryview]:
    """Yield the image slice by slice as the bytes that a file of type ``stored`` holds."""
    little = stored.newbyteorder("<")
    with np.errstate(over="ignore"):
        for part in image.array:
            contiguous: NDArray[Any] = np.ascontiguousarray(part, dtype=little)
            yield contiguous.reshape(-1).view(np.uint8).data
