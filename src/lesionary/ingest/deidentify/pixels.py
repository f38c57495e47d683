"""Pixel data: let through as they are, but for what is no pixel.

Text can hide beside the image: behind the last row, in bits that no pixel uses, in comments of
compressed frames. Coded pixels are never changed, unless a rule of the user blanks a region.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import Buffer, DataSet, PixelData
from lesionary.ingest.deidentify.jpeg_segments import OddFrameError, without_notes
from lesionary.ingest.deidentify.quarantine import Quarantined, text_of
from lesionary.ingest.deidentify.rle_segments import without_gaps

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ROWS, _COLUMNS, _SAMPLES, _FRAMES = 0x00280010, 0x00280011, 0x00280002, 0x00280008
_ALLOCATED, _STORED, _HIGH_BIT, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_PHOTOMETRIC, _PADDING, _PADDING_LIMIT = 0x00280004, 0x00280120, 0x00280121
_FLOATS = {0x7FE00008: 32, 0x7FE00009: 64}
_INTEGER = re.compile(r"([+-]?)([0-9]+)")
_FRAMES_DIGITS = 9
"""So many frames no file has."""

_WORDS = frozenset({8, 16, 32, 64})
_RLE = "1.2.840.10008.1.2.5"
_ODD_FRAME = Quarantined("odd_pixels", "compressed pixel data that do not follow their standard")
_SPARE_BITS = Quarantined("odd_pixels", "bits beside the stored ones in words of an odd size")


@dataclass(frozen=True, slots=True)
class _Grid:
    """What a header says of its pixels."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits: int
    is_subsampled: bool

    @property
    def n_bytes(self) -> int:
        bits = self.rows * self.columns * self.frames * self.bits
        bits = bits * 2 if self.is_subsampled else bits * self.samples
        return -(-bits // 8)


def clean_pixels(
    data_set: DataSet, pixels: PixelData, transfer_syntax: str
) -> PixelData | Quarantined:
    """Return pixel data without what is no pixel.

    Parameters
    ----------
    data_set : DataSet
        The instance they belong to.
    pixels : PixelData
    transfer_syntax : str
        UID.

    Raises
    ------
    UnreadableSeriesError
        Code ``size_claim`` where there are fewer pixels than the header claims, or it says nothing
        of their size, or what cannot be: more bits than a pixel has, frames below zero or beyond
        eight digits; ``no_pixels`` where compressed ones are empty.
    """
    grid = _grid(data_set, pixels.tag)
    if pixels.native is None:
        return _clean_fragments(pixels, grid, transfer_syntax)
    if len(pixels.native) < grid.n_bytes:
        raise UnreadableSeriesError(
            f"the header claims {grid.n_bytes} bytes of pixels, the file has {len(pixels.native)}",
            code="size_claim",
            hint="copy the file again from where it came",
        )
    native = pixels.native
    if len(native) > grid.n_bytes:
        native = _cut(native, grid.n_bytes)
    if pixels.tag not in _FLOATS:
        kept = _without_overlay_bits(data_set, native, grid)
        if isinstance(kept, Quarantined):
            return kept
        native = kept
    return replace(pixels, native=native)


def _grid(data_set: DataSet, tag: int) -> _Grid:
    rows, columns = _number(data_set, _ROWS), _number(data_set, _COLUMNS)
    bits = _FLOATS.get(tag) or _number(data_set, _ALLOCATED)
    if not rows or not columns or not bits:
        raise UnreadableSeriesError(
            "the header does not say how large the image is",
            code="size_claim",
            hint="export the series again from where it came from",
        )
    if tag not in _FLOATS and _number(data_set, _STORED) > bits:
        raise _impossible("more bits than a pixel has")
    return _Grid(
        rows,
        columns,
        _number(data_set, _SAMPLES) or 1,
        _frames(data_set),
        bits,
        is_subsampled=text_of(data_set, _PHOTOMETRIC) == "YBR_FULL_422",
    )


def _number(data_set: DataSet, tag: int) -> int:
    element = data_set.get(tag)
    return int.from_bytes(element.value[:2], "little") if element is not None else 0


def _frames(data_set: DataSet) -> int:
    """Return how many frames there are; what is no number, or 0, is one."""
    found = _INTEGER.fullmatch(text_of(data_set, _FRAMES))
    if found is None:
        return 1
    digits = found[2].lstrip("0")
    if digits and (found[1] == "-" or len(digits) >= _FRAMES_DIGITS):
        raise _impossible("an impossible number of frames")
    return max(1, int(digits or "0"))


def _impossible(claim: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(
        f"the header claims {claim}",
        code="size_claim",
        hint="export the series again from where it came from",
    )


def _cut(native: Buffer, n_bytes: int) -> Buffer:
    whole = memoryview(native)[:n_bytes]
    return bytes(whole) + b"\0" if n_bytes % 2 else whole


def _without_overlay_bits(data_set: DataSet, native: Buffer, grid: _Grid) -> Buffer | Quarantined:
    """Clear what stands above and below the stored bits, but for signs and padding values."""
    used, below = _used_bits(data_set, grid.bits)
    if used == grid.bits and not below:
        return native
    if grid.bits not in _WORDS:
        return _SPARE_BITS
    import numpy as np

    is_signed = _number(data_set, _SIGNED) == 1
    words = np.frombuffer(native, dtype=f"<{'i' if is_signed else 'u'}{grid.bits // 8}")
    if not _has_spare_bits(words, used, below, is_signed=is_signed):
        return native
    spare = grid.bits - used
    clean = (words << spare) >> spare >> below << below
    paddings = [
        np.frombuffer(bytes(element.value[:2]).ljust(2, b"\0"), words.dtype)[0]
        for tag in (_PADDING, _PADDING_LIMIT)
        if grid.bits == 16
        and (element := data_set.get(tag)) is not None
        and len(element.value) >= 2
    ]
    if paddings:
        clean = np.where(np.isin(words, paddings), words, clean)
    return clean.astype(words.dtype).tobytes()


def _used_bits(data_set: DataSet, n_allocated: int) -> tuple[int, int]:
    """Return how many bits there are up to the highest used, and how many of them lie below.

    Many readers look at one of the two numbers alone: where they do not agree, what either of them
    counts stays; where neither says anything, all does.
    """
    stored = min(_number(data_set, _STORED), n_allocated)
    high = data_set.get(_HIGH_BIT)
    is_told = high is not None and len(high.value) >= 2
    used = _number(data_set, _HIGH_BIT) + 1 if is_told else stored
    if used > n_allocated or (is_told and used < stored):
        used = stored
    stored = stored or used
    return (used, used - stored) if used else (n_allocated, 0)


def _has_spare_bits(
    words: "npt.NDArray[np.integer]", used: int, below: int, *, is_signed: bool
) -> bool:
    """Tell, without a copy of the pixels, whether any has a bit set that is none of its own."""
    import numpy as np

    if not words.size:
        return False
    if below and int(np.bitwise_or.reduce(words)) & ((1 << below) - 1):
        return True
    if is_signed:
        half = 1 << (used - 1)
        return int(words.min()) < -half or int(words.max()) >= half
    return int(words.max()) >> used > 0


def _clean_fragments(
    pixels: PixelData, grid: _Grid, transfer_syntax: str
) -> PixelData | Quarantined:
    fragments: Sequence[bytes] = [bytes(fragment) for fragment in pixels.fragments]
    if not any(fragments):
        raise UnreadableSeriesError(
            "the compressed pixel data are empty",
            code="no_pixels",
            hint="copy the file again from where it came",
        )
    if len(fragments) != grid.frames:
        if grid.frames != 1:
            return _ODD_FRAME
        fragments = [b"".join(fragments)]
    try:
        if transfer_syntax == _RLE:
            clean = [without_gaps(fragment, grid.rows * grid.columns) for fragment in fragments]
        else:
            clean = [without_notes(fragment) for fragment in fragments]
    except OddFrameError:
        return _ODD_FRAME
    return replace(pixels, fragments=[_even(frame) for frame in clean], offsets=b"")


def _even(frame: bytes) -> bytes:
    return frame + b"\0" if len(frame) % 2 else frame


@dataclass(frozen=True, slots=True)
class BlankingRule:
    """Where a kind of image carries text, as a user has seen it.

    Parameters
    ----------
    modality : str
        As the header has it.
    rows, columns : int
        Size of the images that the rule is for.
    regions : tuple of (int, int, int, int)
        First row, first column, row and column after the last.
    """

    modality: str
    rows: int
    columns: int
    regions: tuple[tuple[int, int, int, int], ...]

    def fits(self, data_set: DataSet, pixels: PixelData | None, modality: str) -> bool:
        """Tell whether the rule is for this image; compressed ones cannot be blanked."""
        return (
            pixels is not None
            and pixels.native is not None
            and modality.upper() == self.modality.upper()
            and _number(data_set, _ROWS) == self.rows
            and _number(data_set, _COLUMNS) == self.columns
        )

    def blank(self, data_set: DataSet, pixels: PixelData) -> PixelData:
        """Return the pixels with the regions set to 0, on every frame and sample."""
        import numpy as np

        grid = _grid(data_set, pixels.tag)
        words = np.frombuffer(pixels.native or b"", dtype=f"u{grid.bits // 8}").copy()
        n_used = grid.n_bytes // (grid.bits // 8)
        shaped = _by_place(words[:n_used], grid, _is_planar(data_set))
        for first_row, first_column, last_row, last_column in self.regions:
            shaped[:, :, first_row:last_row, first_column:last_column] = 0
        return replace(pixels, native=words.tobytes())


def _is_planar(data_set: DataSet) -> bool:
    return _number(data_set, 0x00280006) == 1


def _by_place(
    words: "npt.NDArray[np.unsignedinteger]", grid: _Grid, is_planar: bool
) -> "npt.NDArray[np.unsignedinteger]":
    """Return a view as (frame, sample, row, column)."""
    if is_planar or grid.samples == 1:
        return words.reshape(grid.frames, grid.samples, grid.rows, grid.columns)
    interleaved = words.reshape(grid.frames, grid.rows, grid.columns, grid.samples)
    return interleaved.transpose(0, 3, 1, 2)
