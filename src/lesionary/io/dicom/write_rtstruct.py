"""Writing masks as DICOM RTSTRUCT, on the slices of a series that was written before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesionary.core.volume import Mask
from lesionary.io.dicom.write_file import EXPLICIT_LITTLE, decimals, save
from lesionary.io.dicom.write_header import SeriesHeader, UidMaker, common_elements, hashed_uid
from lesionary.io.dicom.write_series import SOP_CLASSES, WrittenSeries
from lesionary.phantoms.outlines import pixel_outlines

_RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """A mask to write into an RTSTRUCT: its name, and what it is (``GTV``, ``ORGAN`` …)."""

    name: str
    mask: Mask
    interpreted_type: str = "GTV"


def write_rtstruct(
    path: Path,
    rois: Sequence[Roi],
    image: WrittenSeries,
    header: SeriesHeader,
    *,
    make_uid: UidMaker = hashed_uid,
) -> None:
    """Write masks as contours on the slices of a series.

    Contours run along pixel edges, holes as contours of their own: the even–odd rule on pixel
    centres gives each mask back exactly.

    Parameters
    ----------
    path : Path
        The file.
    rois : sequence of Roi
        On the grid of ``image``; a mask may be empty.
    image : WrittenSeries
        What the contours refer to.
    header : SeriesHeader
        Of the RTSTRUCT: its own series in the study of ``image``.
    make_uid : callable
        Gives the instance UID, from the series UID.

    Raises
    ------
    GeometryMismatchError
        If a mask lies on another grid.
    """
    for roi in rois:
        roi.mask.geometry.require_same_grid(image.geometry)
    elements = common_elements(header, "RTSTRUCT", _RTSTRUCT_CLASS)
    elements.update(
        {
            "SOPInstanceUID": make_uid(f"{header.series_uid}/0"),
            "InstanceNumber": 1,
            "StructureSetLabel": "Tumours",
            "StructureSetDate": header.acquired.strftime("%Y%m%d"),
            "StructureSetTime": header.acquired.strftime("%H%M%S"),
            "ReferencedFrameOfReferenceSequence": [_referenced_frame(image)],
            "StructureSetROISequence": [
                {
                    "ROINumber": n,
                    "ReferencedFrameOfReferenceUID": image.header.frame_of_reference_uid,
                    "ROIName": roi.name,
                    "ROIGenerationAlgorithm": "MANUAL",
                }
                for n, roi in enumerate(rois, start=1)
            ],
            "ROIContourSequence": [
                {"ReferencedROINumber": n, "ContourSequence": list(_contours(roi.mask, image))}
                for n, roi in enumerate(rois, start=1)
            ],
            "RTROIObservationsSequence": [
                {
                    "ObservationNumber": n,
                    "ReferencedROINumber": n,
                    "RTROIInterpretedType": roi.interpreted_type,
                    "ROIInterpreter": "",
                }
                for n, roi in enumerate(rois, start=1)
            ],
            **header.extra,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, elements, None, EXPLICIT_LITTLE)


def _referenced_frame(image: WrittenSeries) -> dict[str, object]:
    series = {
        "SeriesInstanceUID": image.header.series_uid,
        "ContourImageSequence": [_reference(image, k) for k in range(image.geometry.shape[0])],
    }
    study = {
        "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
        "ReferencedSOPInstanceUID": image.header.study_uid,
        "RTReferencedSeriesSequence": [series],
    }
    return {
        "FrameOfReferenceUID": image.header.frame_of_reference_uid,
        "RTReferencedStudySequence": [study],
    }


def _reference(image: WrittenSeries, k: int) -> dict[str, object]:
    return {
        "ReferencedSOPClassUID": SOP_CLASSES[image.modality],
        "ReferencedSOPInstanceUID": image.sop_instance_uids[k],
    }


def _contours(mask: Mask, image: WrittenSeries) -> Iterator[dict[str, object]]:
    for k in np.flatnonzero(mask.array.any(axis=(1, 2))):
        for outline in pixel_outlines(mask.array[k]):
            corners = np.column_stack((np.full(len(outline), k), outline))
            yield {
                "ContourImageSequence": [_reference(image, int(k))],
                "ContourGeometricType": "CLOSED_PLANAR",
                "NumberOfContourPoints": len(corners),
                "ContourData": decimals(mask.geometry.to_world(corners).ravel()),
            }
