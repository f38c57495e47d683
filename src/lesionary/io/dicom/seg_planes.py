"""Where the frames of a segmentation lie: its functional groups (PS3.3 C.7.6.16)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.planes import FARTHEST_MM
from lesionary.core.volume import FloatArray
from lesionary.ingest.frames import FramePlanes
from lesionary.io.dicom.referenced import items_of, text_of

if TYPE_CHECKING:
    from pydicom import Dataset

LARGEST_SKEW = 1e-3
"""Direction cosines may be off unit length and right angles by what four decimals round away."""

_N_VALUES = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}


def refuse_tiles(dataset: "Dataset") -> None:
    """Raise ``grid_mismatch`` for frames that are pieces of one plane (whole slide images)."""
    is_tiled = text_of(dataset, "DimensionOrganizationType").startswith("TILED")
    if is_tiled or "TotalPixelMatrixRows" in dataset:
        raise UnreadableSeriesError(
            "the frames are tiles of one large slide, not slices", code="grid_mismatch"
        )


def read_planes(
    dataset: "Dataset", groups: Sequence["Dataset"], shape: tuple[int, int]
) -> FramePlanes:
    """Read where the frames lie: from the functional groups, shared or one a frame."""
    shared = next(iter(items_of(dataset, "SharedFunctionalGroupsSequence")), None)

    def found(sequence: str, keyword: str) -> FloatArray:
        holders = groups if shared is None or sequence not in shared else [shared]
        return _vectors(holders, sequence, keyword)

    positions_mm = np.broadcast_to(
        found("PlanePositionSequence", "ImagePositionPatient"), (len(groups), 3)
    )
    orientation = _only(found("PlaneOrientationSequence", "ImageOrientationPatient"))
    spacing_mm = _only(found("PixelMeasuresSequence", "PixelSpacing"))
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm([along_row, along_column], axis=1)
    skew = max(abs(float(along_row @ along_column)), float(np.abs(lengths - 1).max()))
    if skew > LARGEST_SKEW:
        raise UnreadableSeriesError(
            f"the frames' rows and columns are not perpendicular unit vectors: off by {skew:.4f}",
            code="sheared",
        )
    if spacing_mm.min() <= 0:
        raise UnreadableSeriesError("the pixels have no size", code="no_orientation")
    return FramePlanes(
        positions_mm,
        along_column / lengths[1] * spacing_mm[0],
        along_row / lengths[0] * spacing_mm[1],
        shape,
        _slice_step_mm(groups if shared is None else [shared, *groups], len(positions_mm)),
        text_of(dataset, "FrameOfReferenceUID") or None,
    )


def _vectors(holders: Sequence["Dataset"], sequence: str, keyword: str) -> FloatArray:
    """Read one vector from each functional group, shape (groups, values)."""
    vectors = []
    for position, holder in enumerate(holders, start=1):
        item = next(iter(items_of(holder, sequence)), None)
        value = None if item is None else item.get(keyword)
        if value is None or len(value) != _N_VALUES[keyword]:
            raise UnreadableSeriesError(
                f"frame {position} has no {keyword}: it lies nowhere", code="no_orientation"
            )
        vectors.append([float(number) for number in value])
    array = np.array(vectors)
    if not np.abs(array).max() <= FARTHEST_MM:  # NaN is not either
        raise UnreadableSeriesError(
            f"{keyword} holds what is no place in a patient", code="no_orientation"
        )
    return array


def _only(vectors: FloatArray) -> FloatArray:
    """Return the one vector that all frames share."""
    if np.ptp(vectors, axis=0).max() > 1e-6:
        raise UnreadableSeriesError(
            "the frames have several orientations or pixel sizes", code="grid_mismatch"
        )
    first: FloatArray = vectors[0]
    return first


def _slice_step_mm(holders: Sequence["Dataset"], n_frames: int) -> float | None:
    """Read the distance between slices; a single frame's thickness stands in for it."""
    keywords = ["SpacingBetweenSlices", *(["SliceThickness"] if n_frames == 1 else [])]
    for holder in holders:
        for measures in items_of(holder, "PixelMeasuresSequence"):
            steps_mm = (float(measures.get(keyword) or 0) for keyword in keywords)
            return next((step for step in steps_mm if 0 < step <= FARTHEST_MM), None)
    return None
