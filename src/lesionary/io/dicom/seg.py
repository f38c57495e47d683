"""Read a DICOM segmentation (PS3.3 A.51, C.8.20): binary, fractional or label map.

Everything the header claims is compared with what is there before memory is asked for. The pixels
stay as compact as they came; :class:`lesionary.ingest.segmentation.SegObject` unpacks them where
they are wanted.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.frames import IndexArray
from lesionary.ingest.segmentation import (
    FractionalFrames,
    FramePixels,
    LabelFrames,
    PackedFrames,
    SegKind,
    SegObject,
    one_frame_a_plane,
)
from lesionary.ingest.structures import Code, References, Segment
from lesionary.io.dicom.dataset import opened_dataset
from lesionary.io.dicom.referenced import image_references, items_of, text_of, uids_of
from lesionary.io.dicom.seg_pixels import StoredArray, layout_of, read_pixels
from lesionary.io.dicom.seg_planes import read_planes, refuse_tiles
from lesionary.io.limits import Limits

if TYPE_CHECKING:
    from pydicom import Dataset

SEGMENTATIONS = {
    "1.2.840.10008.5.1.4.1.1.66.4": "segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "label map segmentation",
}

BACKGROUND = Code("125040", "DCM")
"""SegmentedPropertyTypeCode of what no segment covers."""

_BITS = {
    SegKind.BINARY: frozenset({1}),
    SegKind.FRACTIONAL: frozenset({8}),
    SegKind.LABELMAP: frozenset({8, 16}),
}


def read_seg(path: Path, *, limits: Limits | None = None) -> SegObject:
    """Read a segmentation whole.

    Parameters
    ----------
    path : pathlib.Path
        The file: binary, fractional (half of the maximum and more is in, with a finding of code
        ``mask_not_integer``) or label map; uncompressed, RLE, JPEG-LS or JPEG 2000.
    limits : Limits, optional
        What the file may ask of this machine.

    Raises
    ------
    UnreadableSeriesError
        ``size_claim``, ``truncated`` or ``no_pixels`` where header and pixels disagree,
        ``no_orientation`` where a frame has no place, ``sheared`` where its axes are not
        perpendicular, ``grid_mismatch`` for tiles and for frames of several orientations,
        ``duplicate_slice``, ``not_dicom`` where the file contradicts itself (such as a segment that
        is not declared), and what :func:`lesionary.io.dicom.dataset.opened_dataset` refuses.
    """
    limits = limits or Limits()
    with opened_dataset(path, SEGMENTATIONS, limits) as dataset:
        return _seg_object(dataset, limits)


def _seg_object(dataset: "Dataset", limits: Limits) -> SegObject:
    refuse_tiles(dataset)
    kind = SegKind(text_of(dataset, "SegmentationType"))
    layout = layout_of(dataset, _BITS[kind])
    groups = list(items_of(dataset, "PerFrameFunctionalGroupsSequence"))
    if len(groups) != layout.n_frames:
        raise UnreadableSeriesError(
            f"the header claims {layout.n_frames} frames and describes {len(groups)}",
            code="size_claim",
        )
    stored = read_pixels(dataset, layout, limits)
    planes = read_planes(dataset, groups, (layout.rows, layout.columns))
    pixels, findings = _pixels(dataset, kind, stored, planes.shape)
    segments = _segments(dataset)
    if isinstance(pixels, LabelFrames):
        segments, frames_of = _labelled(dataset, segments, stored)
    else:
        frames_of = _frames_by_segment(dataset, groups, segments)
    frames_of, repeated = one_frame_a_plane(frames_of, planes, pixels)
    return SegObject(
        kind,
        segments,
        frames_of,
        planes,
        pixels,
        _references(dataset, groups),
        (*findings, *repeated),
        tuple(text_of(dataset, keyword) for keyword in ("ContentLabel", "ContentDescription")),
    )


def _segments(dataset: "Dataset") -> tuple[Segment, ...]:
    segments = tuple(_segment(item) for item in items_of(dataset, "SegmentSequence"))
    if len({segment.number for segment in segments}) < len(segments):
        raise UnreadableSeriesError("two segments have one number", code="not_dicom")
    return segments


def _segment(item: "Dataset") -> Segment:
    anatomy = ("AnatomicRegionSequence", "PrimaryAnatomicStructureSequence")
    return Segment(
        number=int(item.SegmentNumber),
        label=text_of(item, "SegmentLabel"),
        category=_code(item, "SegmentedPropertyCategoryCodeSequence"),
        type=_code(item, "SegmentedPropertyTypeCodeSequence"),
        anatomy=tuple(code for code in (_code(item, k) for k in anatomy) if code is not None),
        algorithm_type=text_of(item, "SegmentAlgorithmType"),
        algorithm_name=text_of(item, "SegmentAlgorithmName"),
        tracking_id=text_of(item, "TrackingID") or None,
        tracking_uid=text_of(item, "TrackingUID") or None,
    )


def _code(item: "Dataset", keyword: str) -> Code | None:
    for code in items_of(item, keyword):
        value = (text_of(code, k) for k in ("CodeValue", "LongCodeValue", "URNCodeValue"))
        return Code(
            next(filter(None, value), ""),
            text_of(code, "CodingSchemeDesignator"),
            text_of(code, "CodeMeaning"),
        )
    return None


def _frames_by_segment(
    dataset: "Dataset", groups: Sequence["Dataset"], segments: Iterable[Segment]
) -> dict[int, IndexArray]:
    """Sort the frames by the segment that each one names."""
    frames_of: dict[int, list[int]] = {segment.number: [] for segment in segments}
    keywords = ("SharedFunctionalGroupsSequence", "SegmentIdentificationSequence")
    shared = next(iter(items_of(dataset, *keywords)), None)
    for frame, group in enumerate(groups):
        named = next(iter(items_of(group, "SegmentIdentificationSequence")), shared)
        number = None if named is None else named.get("ReferencedSegmentNumber")
        if number is None or int(number) not in frames_of:
            raise UnreadableSeriesError(
                f"frame {frame + 1} belongs to segment {number}, which is not declared",
                code="not_dicom",
            )
        frames_of[int(number)].append(frame)
    return {number: np.array(found, dtype=np.int64) for number, found in frames_of.items()}


def _labelled(
    dataset: "Dataset", segments: Iterable[Segment], stored: StoredArray
) -> tuple[tuple[Segment, ...], dict[int, IndexArray]]:
    """Find the frames that each value of a label map lies in; its background is no segment.

    Background is the padding value, what is declared as background, and an undeclared 0.
    """
    background = {segment.number for segment in segments if segment.type == BACKGROUND}
    declared = {segment.number for segment in segments}
    ignored = background | ({0} - declared)
    if dataset.get("PixelPaddingValue") is not None:
        ignored.add(int(dataset.PixelPaddingValue))
    kept = tuple(segment for segment in segments if segment.number not in ignored)
    frames_of: dict[int, list[int]] = {segment.number: [] for segment in kept}
    for frame, values in enumerate(stored):
        for number in _values_of(values) - ignored:
            if number not in frames_of:
                raise UnreadableSeriesError(
                    f"frame {frame + 1} holds segment {number}, which is not declared",
                    code="not_dicom",
                )
            frames_of[number].append(frame)
    return kept, {number: np.array(found, dtype=np.int64) for number, found in frames_of.items()}


def _values_of(frame: StoredArray) -> set[int]:
    """List the values of a frame: every one of them begins a run."""
    flat = frame.reshape(-1)
    begins = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return {int(flat[0]), *np.unique(flat[begins]).tolist()}


def _pixels(
    dataset: "Dataset", kind: SegKind, stored: StoredArray, shape: tuple[int, int]
) -> tuple[FramePixels, tuple[Finding, ...]]:
    if kind is SegKind.LABELMAP:
        return LabelFrames(stored), ()
    octets = stored.view(np.uint8)
    if kind is SegKind.BINARY:
        return PackedFrames(octets, shape), ()
    maximum = int(dataset.get("MaximumFractionalValue") or 0)
    largest = int(octets.max())
    if not largest <= maximum <= 255 or maximum == 0:
        raise UnreadableSeriesError(
            f"fractions reach {largest} of a maximum of {maximum}", code="not_dicom"
        )
    n_between = sum(int(np.count_nonzero((f > 0) & (f < maximum))) for f in octets)
    finding = Finding(
        "mask_not_integer",
        Outcome.WARNED if n_between else Outcome.FIXED,
        f"a fractional segmentation: voxels of at least half of {maximum} are in; "
        f"{n_between} voxels lay between 0 and {maximum}",
    )
    return FractionalFrames(octets, maximum), (finding,)


def _references(dataset: "Dataset", groups: Iterable["Dataset"]) -> References:
    """Read the images named for the whole object, else frame by frame."""
    elsewhere = items_of(
        dataset, "StudiesContainingOtherReferencedInstancesSequence", "ReferencedSeriesSequence"
    )
    series = [*items_of(dataset, "ReferencedSeriesSequence"), *elsewhere]
    images = image_references(
        image for item in series for image in items_of(item, "ReferencedInstanceSequence")
    )
    if not images.sop_instance_uids:
        images = image_references(
            image
            for holder in groups
            for image in items_of(holder, "DerivationImageSequence", "SourceImageSequence")
        )
    return References(
        images.sop_instance_uids,
        frozenset().union(*(uids_of(item, "SeriesInstanceUID") for item in series)),
        uids_of(dataset, "FrameOfReferenceUID"),
        images.last_frames,
    )
