"""A DICOM segmentation in memory: compact as stored, unpacked where it is put on a grid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import GeometryMismatchError, InputError, UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import SAME_GRID_MM, BoolArray, Geometry, LabelMap, Mask
from lesionary.ingest.frames import FramePlanes, IndexArray, Placement, own_grid, place
from lesionary.ingest.structures import References, Segment


class SegKind(StrEnum):
    """SegmentationType."""

    BINARY = "BINARY"
    FRACTIONAL = "FRACTIONAL"
    LABELMAP = "LABELMAP"


class FramePixels(Protocol):
    """Frames of a segmentation, one at a time."""

    def inside(self, frame: int, number: int) -> tuple[int, BoolArray]:
        """Return the first row and the voxels of segment ``number`` in the rows from there on.

        Rows left out hold nothing of it.
        """


@dataclass(frozen=True, slots=True, eq=False)
class PackedFrames:
    """One bit a pixel, the first in the lowest bit; frames do not begin on bytes."""

    packed: NDArray[np.uint8]
    shape: tuple[int, int]

    def inside(self, frame: int, number: int) -> tuple[int, BoolArray]:
        """Unpack the rows between the first and the last byte that is not empty."""
        del number  # a frame holds one segment
        n_rows, n_columns = self.shape
        first_bit = frame * n_rows * n_columns
        stop_bit = first_bit + n_rows * n_columns
        held = np.flatnonzero(self.packed[first_bit // 8 : (stop_bit + 7) // 8]) + first_bit // 8
        if held.size == 0:
            return 0, np.zeros((0, n_columns), dtype=np.bool_)
        first_row = max(0, (int(held[0]) * 8 - first_bit) // n_columns)
        stop_row = min(n_rows, (int(held[-1]) * 8 + 7 - first_bit) // n_columns + 1)
        first_bit, stop_bit = (first_bit + row * n_columns for row in (first_row, stop_row))
        octets = self.packed[first_bit // 8 : (stop_bit + 7) // 8]
        bits = np.unpackbits(octets, bitorder="little")[first_bit % 8 :]
        rows = bits[: stop_bit - first_bit].reshape(-1, n_columns)
        return first_row, rows.view(np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class FractionalFrames:
    """Probability or occupancy, 0 … ``maximum``: from half of it on a voxel is in."""

    values: NDArray[np.uint8]
    maximum: int

    def inside(self, frame: int, number: int) -> tuple[int, BoolArray]:
        """Compare with half the maximum, rounded up."""
        del number  # a frame holds one segment
        return _trimmed(self.values[frame] >= (self.maximum + 1) // 2)


@dataclass(frozen=True, slots=True, eq=False)
class LabelFrames:
    """Segment numbers as values."""

    values: NDArray[np.uint8] | NDArray[np.uint16]

    def inside(self, frame: int, number: int) -> tuple[int, BoolArray]:
        """Compare with the segment's number."""
        return _trimmed(self.values[frame] == number)


def _trimmed(voxels: BoolArray) -> tuple[int, BoolArray]:
    """Leave out the rows above and below what is held: most lesions are small."""
    held = np.flatnonzero(voxels.any(axis=1))
    first_row, stop_row = (int(held[0]), int(held[-1]) + 1) if held.size else (0, 0)
    return first_row, voxels[first_row:stop_row]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SegObject:
    """A DICOM segmentation.

    Parameters
    ----------
    kind : SegKind
        How it was stored.
    segments : tuple of Segment
        In order of the file, without a label map's background.
    frames_of : mapping of int to int array
        The frames that hold each segment; a segment may have none.
    planes : FramePlanes
        Where the frames lie.
    pixels : FramePixels
        What they hold.
    references : References
        The images it was drawn on.
    findings : tuple of Finding
        What was fixed or warned of.
    texts : tuple of str
        ContentLabel and ContentDescription: private.
    """

    kind: SegKind
    segments: tuple[Segment, ...]
    frames_of: Mapping[int, IndexArray]
    planes: FramePlanes
    pixels: FramePixels
    references: References
    findings: tuple[Finding, ...] = ()
    texts: tuple[str, ...] = ()

    def lies_on(self, geometry: Geometry) -> bool:
        """Tell whether every frame covers a slice of ``geometry``, pixel on pixel."""
        try:
            place(self.planes, geometry)
        except GeometryMismatchError:
            return False
        return True

    def own_geometry(self, *, max_voxels: int) -> Geometry:
        """Return the grid that the frames span where no image is at hand."""
        return own_grid(self.planes, max_voxels=max_voxels)

    def mask_on(self, geometry: Geometry, number: int) -> Mask:
        """Put one segment on the grid of an image; empty where it has no frames.

        Raises
        ------
        GeometryMismatchError
            If a frame does not cover a slice of the grid, pixel on pixel.
        InputError
            If there is no such segment.
        """
        if number not in self.frames_of:
            raise InputError(f"no segment has the number {number}")
        return self._mask(place(self.planes, geometry), geometry, number)

    def masks_on(self, geometry: Geometry) -> dict[int, Mask]:
        """Put every segment on the grid of an image, by its number; they may overlap.

        Raises
        ------
        GeometryMismatchError
            If a frame does not cover a slice of the grid, pixel on pixel.
        """
        placement = place(self.planes, geometry)
        return {s.number: self._mask(placement, geometry, s.number) for s in self.segments}

    def label_map_on(self, geometry: Geometry) -> LabelMap | None:
        """Put all segments into one label map; None where two overlap or one is number 0.

        Many times faster than one mask each.

        Raises
        ------
        GeometryMismatchError
            If a frame does not cover a slice of the grid, pixel on pixel.
        """
        placement = place(self.planes, geometry)
        array = np.zeros(geometry.shape, dtype=np.uint16)
        view = placement.view(array)
        for segment in self.segments:
            if segment.number == 0:
                return None
            for index, first_row, voxels in self._placed(placement, segment.number):
                target = view[index, first_row : first_row + len(voxels)]
                if (voxels & (target != 0)).any():
                    return None
                np.copyto(target, np.uint16(segment.number), where=voxels)
        return LabelMap(array, geometry)

    def _mask(self, placement: Placement, geometry: Geometry, number: int) -> Mask:
        array = np.zeros(geometry.shape, dtype=np.bool_)
        view = placement.view(array)
        for index, first_row, voxels in self._placed(placement, number):
            view[index, first_row : first_row + len(voxels)] = voxels
        return Mask(array, geometry)

    def _placed(self, placement: Placement, number: int) -> Iterator[tuple[int, int, BoolArray]]:
        """Yield slice, first row and voxels of each frame of a segment."""
        frames = self.frames_of[number]
        slices = placement.slices[frames]
        if len(np.unique(slices)) < len(slices):
            raise GeometryMismatchError(f"two frames of segment {number} fall on one slice")
        for frame, index in zip(frames.tolist(), slices.tolist(), strict=True):
            first_row, voxels = self.pixels.inside(frame, number)
            yield index, first_row, voxels


def one_frame_a_plane(
    frames_of: Mapping[int, IndexArray], planes: FramePlanes, pixels: FramePixels
) -> tuple[dict[int, IndexArray], tuple[Finding, ...]]:
    """Keep one of several equal frames that a segment has on one plane.

    Returns
    -------
    frames_of : dict of int to int array
        Without the repeated frames.
    findings : tuple of Finding
        ``duplicate_identical`` where there were any.

    Raises
    ------
    UnreadableSeriesError
        ``duplicate_slice``, if a segment has different frames on one plane.
    """
    kept: dict[int, IndexArray] = {}
    n_dropped = 0
    for number, frames in frames_of.items():
        ordered = frames[np.argsort(planes.distances_mm[frames], kind="stable")]
        is_repeat = np.diff(planes.distances_mm[ordered], prepend=-np.inf) <= SAME_GRID_MM
        for place_in_order in np.flatnonzero(is_repeat).tolist():
            frame, earlier = ordered[place_in_order], ordered[place_in_order - 1]
            if not _hold_same(pixels, int(frame), int(earlier), number):
                raise UnreadableSeriesError(
                    f"segment {number} has two different frames on one plane",
                    code="duplicate_slice",
                )
        kept[number] = ordered[~is_repeat]
        n_dropped += int(np.count_nonzero(is_repeat))
    if not n_dropped:
        return kept, ()
    reason = f"{n_dropped} frames repeat another one of their segment on the same plane"
    return kept, (Finding("duplicate_identical", Outcome.FIXED, reason),)


def _hold_same(pixels: FramePixels, frame: int, other: int, number: int) -> bool:
    mine, theirs = pixels.inside(frame, number), pixels.inside(other, number)
    return mine[0] == theirs[0] and np.array_equal(mine[1], theirs[1])
