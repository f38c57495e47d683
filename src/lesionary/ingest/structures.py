"""What contours and segmentations say, before they are put on an image.

Names, labels and tracking texts are what a human typed, and UIDs lead back to a patient: nothing
here is stored, logged or shown. Labels pass :mod:`lesionary.ingest.labels` first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from lesionary.core.findings import Finding
from lesionary.core.planes import farthest_from_slices_mm, lie_on_slices
from lesionary.core.volume import FloatArray, Geometry


@dataclass(frozen=True, slots=True, repr=False)
class References:
    """The images that an object says it was drawn on. UIDs as in the file.

    Parameters
    ----------
    sop_instance_uids : frozenset of str
        Single images.
    series_instance_uids : frozenset of str
        Whole series.
    frame_of_reference_uids : frozenset of str
        Coordinate systems of the drawing; usually one.
    last_frames : mapping of str to int
        Highest frame (from 1) that is meant of a multi-frame image, by SOP instance UID.
    """

    sop_instance_uids: frozenset[str] = frozenset()
    series_instance_uids: frozenset[str] = frozenset()
    frame_of_reference_uids: frozenset[str] = frozenset()
    last_frames: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def union(cls, parts: Iterable[Self]) -> Self:
        """Take several objects' references together."""
        parts = tuple(parts)
        last_frames: dict[str, int] = {}
        for part in parts:
            for uid, frame in part.last_frames.items():
                last_frames[uid] = max(frame, last_frames.get(uid, frame))
        return cls(
            frozenset().union(*(part.sop_instance_uids for part in parts)),
            frozenset().union(*(part.series_instance_uids for part in parts)),
            frozenset().union(*(part.frame_of_reference_uids for part in parts)),
            last_frames,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Roi:
    """One structure of an RTSTRUCT.

    Parameters
    ----------
    number : int
        ROINumber.
    name : str
        As typed: private, may be anything.
    interpreted_type : str
        RTROIInterpretedType in capitals, such as ``GTV`` or ``ORGAN``; empty where not given.
    outlines_mm : tuple of arrays, shape (points, 3)
        Closed planar contours in LPS millimetres; combined by exclusive or within each plane.
        Empty where the structure was declared and never drawn.
    references : References
        The images of its contours, and its frame of reference.
    """

    number: int
    name: str
    interpreted_type: str
    outlines_mm: tuple[FloatArray, ...]
    references: References

    def lies_on(self, geometry: Geometry) -> bool:
        """Tell whether every contour lies on a slice of ``geometry``."""
        return lie_on_slices(self.outlines_mm, geometry)


@dataclass(frozen=True, slots=True, repr=False)
class StructureSet:
    """An RTSTRUCT, whole: a file with one bad contour is refused, not read in part.

    Parameters
    ----------
    rois : tuple of Roi
        In order of the file.
    references : References
        Of all structures together, and of the set as a whole.
    findings : tuple of Finding
        Contours that enclose nothing and were passed over.
    texts : tuple of str
        StructureSetLabel, StructureSetName and StructureSetDescription: private.
    """

    rois: tuple[Roi, ...]
    references: References
    findings: tuple[Finding, ...] = ()
    texts: tuple[str, ...] = ()

    def lies_on(self, geometry: Geometry) -> bool:
        """Tell whether every contour of every structure lies on a slice of ``geometry``."""
        return lie_on_slices(self._outlines_mm(), geometry)

    def offset_mm(self, geometry: Geometry) -> float:
        """Return the farthest that a contour lies from its nearest slice; 0 where there is none."""
        return farthest_from_slices_mm(self._outlines_mm(), geometry)

    def _outlines_mm(self) -> list[FloatArray]:
        return [outline for roi in self.rois for outline in roi.outlines_mm]


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept, such as ``Code("49755003", "SCT", "Morphologically Altered Structure")``.

    ``meaning`` is text of the file's writer: for matching against a vocabulary, not for storing.
    """

    value: str
    scheme: str
    meaning: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class Segment:
    """One segment's description in a DICOM segmentation.

    Parameters
    ----------
    number : int
        SegmentNumber; 0 only in label maps.
    label : str
        SegmentLabel as typed: private.
    category, type : Code, optional
        Segmented property category and type.
    anatomy : tuple of Code
        Anatomic region and primary anatomic structure, where given.
    algorithm_type : str
        ``MANUAL``, ``SEMIAUTOMATIC``, ``AUTOMATIC``, or empty.
    algorithm_name : str
        As typed: private until known to a registry.
    tracking_id, tracking_uid : str, optional
        What follows one lesion through time; private.
    """

    number: int
    label: str
    category: Code | None
    type: Code | None
    anatomy: tuple[Code, ...] = ()
    algorithm_type: str = ""
    algorithm_name: str = ""
    tracking_id: str | None = None
    tracking_uid: str | None = None
