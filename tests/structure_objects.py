"""Small RTSTRUCT and SEG files, whole or broken on purpose."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from lesionary.core.volume import Geometry

FRAME_UID, SERIES_UID = "1.2.3.1", "1.2.3.2"
SOP_UIDS = tuple(f"1.2.3.3.{n}" for n in range(1, 9))
BACKGROUND = ("125040", "DCM", "Background")
NEOPLASM = ("108369006", "SCT", "Neoplasm")
ALTERED = ("49755003", "SCT", "Morphologically Altered Structure")


def decimals(values: Any) -> list[DSfloat]:
    """Write numbers as decimal strings of at most 16 characters."""
    return [DSfloat(float(value), auto_format=True) for value in np.ravel(values)]


def dataset(**elements: Any) -> Dataset:
    """Build a data set; a list of data sets is a sequence. Values may break their VR."""
    built = Dataset()
    for keyword, value in elements.items():
        tag = tag_for_keyword(keyword)
        built.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=IGNORE))
    return built


def code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    return [dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def save(
    path: Path, built: Dataset, sop_class: str, syntax: str = ExplicitVRLittleEndian, **how: Any
) -> Path:
    """Write a file with a preamble and file meta information."""
    built.SOPClassUID = sop_class
    built.SOPInstanceUID = "1.2.3.9"
    built.file_meta = FileMetaDataset()
    built.file_meta.TransferSyntaxUID = syntax
    built.file_meta.MediaStorageSOPClassUID = sop_class
    built.file_meta.MediaStorageSOPInstanceUID = built.SOPInstanceUID
    built.save_as(path, enforce_file_format=True, **how)
    return path


def contour(points: Any, kind: str = "CLOSED_PLANAR", **elements: Any) -> Dataset:
    """Build one contour of points, shape (n, 3)."""
    defaults = {
        "ContourGeometricType": kind,
        "NumberOfContourPoints": len(points),
        "ContourData": decimals(points),
    }
    return dataset(**(defaults | elements))


def rtstruct(
    contours: Mapping[int, Sequence[Dataset]],
    *,
    names: Mapping[int, str] | None = None,
    types: Mapping[int, str] | None = None,
    images: Sequence[Dataset] = (),
) -> Dataset:
    """Build a structure set of structures by number, all in one frame of reference."""
    series = dataset(SeriesInstanceUID=SERIES_UID, ContourImageSequence=list(images))
    study = dataset(RTReferencedSeriesSequence=[series])
    return dataset(
        Modality="RTSTRUCT",
        FrameOfReferenceUID=FRAME_UID,
        ReferencedFrameOfReferenceSequence=[
            dataset(FrameOfReferenceUID=FRAME_UID, RTReferencedStudySequence=[study])
        ],
        StructureSetROISequence=[
            dataset(
                ROINumber=n,
                ROIName=(names or {}).get(n, f"structure {n}"),
                ReferencedFrameOfReferenceUID=FRAME_UID,
            )
            for n in contours
        ],
        ROIContourSequence=[
            dataset(ReferencedROINumber=n, ContourSequence=list(drawn))
            for n, drawn in contours.items()
        ],
        RTROIObservationsSequence=[
            dataset(ReferencedROINumber=n, RTROIInterpretedType=kind)
            for n, kind in (types or {}).items()
        ],
    )


def save_rtstruct(path: Path, built: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    return save(path, built, "1.2.840.10008.5.1.4.1.1.481.3", syntax)


def segment(number: int, label: str = "", **elements: Any) -> Dataset:
    """Describe one segment, a neoplasm unless told otherwise."""
    defaults = {
        "SegmentNumber": number,
        "SegmentLabel": label or f"segment {number}",
        "SegmentedPropertyCategoryCodeSequence": code(*ALTERED),
        "SegmentedPropertyTypeCodeSequence": code(*NEOPLASM),
        "SegmentAlgorithmType": "MANUAL",
    }
    return dataset(**(defaults | elements))


def seg(
    frames: Any,
    numbers: Sequence[int] | None,
    geometry: Geometry,
    slices: Sequence[int],
    *,
    segments: Sequence[Dataset] | None = None,
    kind: str = "BINARY",
    **elements: Any,
) -> Dataset:
    """Build a segmentation whose frame ``n`` covers slice ``slices[n]`` of ``geometry``.

    ``frames`` has the shape (frames, rows, columns); ``numbers`` names the segment of each, and is
    None for a label map.
    """
    frames = np.asarray(frames)
    known = sorted(set(numbers if numbers is not None else np.unique(frames).tolist()) - {0})
    defaults: dict[str, Any] = {
        "Modality": "SEG",
        "SegmentationType": kind,
        "FrameOfReferenceUID": FRAME_UID,
        "Rows": frames.shape[1],
        "Columns": frames.shape[2],
        "NumberOfFrames": len(frames),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": 0,
        "SegmentSequence": [segment(n) for n in known] if segments is None else list(segments),
        "ReferencedSeriesSequence": [
            dataset(
                SeriesInstanceUID=SERIES_UID,
                ReferencedInstanceSequence=[
                    dataset(ReferencedSOPInstanceUID=uid) for uid in SOP_UIDS[:3]
                ],
            )
        ],
        "SharedFunctionalGroupsSequence": [_shared(geometry)],
        "PerFrameFunctionalGroupsSequence": [
            _frame(geometry, k, None if numbers is None else numbers[n])
            for n, k in enumerate(slices)
        ],
    }
    return dataset(**(defaults | _pixels(frames, kind) | elements))


def _shared(geometry: Geometry) -> Dataset:
    directions = geometry.directions.T
    _, row_mm, column_mm = geometry.spacing_mm
    orientation = decimals([directions[2], directions[1]])
    return dataset(
        PlaneOrientationSequence=[dataset(ImageOrientationPatient=orientation)],
        PixelMeasuresSequence=[
            dataset(
                PixelSpacing=decimals([row_mm, column_mm]),
                SpacingBetweenSlices=decimals(geometry.spacing_mm[0])[0],
            )
        ],
    )


def _frame(geometry: Geometry, k: int, number: int | None) -> Dataset:
    position = decimals(geometry.to_world(np.array([k, 0, 0])))
    group = dataset(PlanePositionSequence=[dataset(ImagePositionPatient=position)])
    if number is not None:
        group.SegmentIdentificationSequence = [dataset(ReferencedSegmentNumber=number)]
    return group


def _pixels(frames: np.ndarray, kind: str) -> dict[str, Any]:
    if kind == "BINARY":
        octets = np.packbits(frames.astype(bool).ravel(), bitorder="little").tobytes()
        bits = 1
    else:
        octets, bits = frames.tobytes(), frames.dtype.itemsize * 8
    fractional = {"SegmentationFractionalType": "PROBABILITY", "MaximumFractionalValue": 255}
    return {
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelData": octets + b"\0" * (len(octets) % 2),
    } | (fractional if kind == "FRACTIONAL" else {})


def save_seg(path: Path, built: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    is_label_map = built.get("SegmentationType") == "LABELMAP"
    sop_class = "1.2.840.10008.5.1.4.1.1.66." + ("7" if is_label_map else "4")
    built["PixelData"].VR = "OW" if built.BitsAllocated == 16 else "OB"
    return save(path, built, sop_class, syntax)
