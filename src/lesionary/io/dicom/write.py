"""Writing images as DICOM series, and masks as RTSTRUCT.

For phantoms, demonstrations and tests: identities, dates and UIDs are the caller's, nothing is
looked up, and the same arguments give the same bytes.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import AnyArray, FloatArray, Geometry, Mask, Volume
from lesionary.phantoms.outlines import pixel_outlines

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

UidMaker = Callable[[str], str]
"""Gives the UID that belongs to a text: always the same one."""

_SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
}
_RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_UNCOMPRESSED = {"1.2.840.10008.1.2", _EXPLICIT_LITTLE, _EXPLICIT_BIG, "1.2.840.10008.1.2.1.99"}
_CT_INTERCEPT = -1024
_LARGEST_INT16 = 32767


def hashed_uid(text: str) -> str:
    """Return the UID of a text: its hash below 2.25, where UIDs need no registration."""
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])}"


@dataclass(frozen=True, slots=True)
class Injection:
    """The tracer of a PET: enough to compute SUVbw, decay-corrected to the series' start.

    Parameters
    ----------
    total_bq : float
        Activity at ``start``.
    half_life_s : float
        Of the radionuclide.
    start : datetime.datetime
        When it was injected.
    weight_kg : float
        Body weight.
    """

    total_bq: float
    half_life_s: float
    start: dt.datetime
    weight_kg: float


@dataclass(frozen=True, slots=True)
class SeriesHeader:
    """What a series says besides its pixels.

    Parameters
    ----------
    patient_id, patient_name : str
        As DICOM writes them: ``Family^Given``.
    acquired : datetime.datetime
        Date and time of study, series and acquisition.
    study_uid, series_uid, frame_of_reference_uid : str
        Of the levels; series that share space share the last one.
    birth_date : datetime.date, optional
        Of the patient.
    sex : str
        ``M``, ``F``, ``O`` or empty.
    study_description, series_description, body_part : str
        Free text, and the coded body part.
    series_number : int
        Within the study.
    slice_thickness_mm : float, optional
        By default the distance of the slices.
    injection : Injection, optional
        Of a PET.
    extra : mapping of str to value
        Further elements by DICOM keyword, written on every instance; they win over all others.
    """

    patient_id: str
    patient_name: str
    acquired: dt.datetime
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    birth_date: dt.date | None = None
    sex: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part: str = ""
    series_number: int = 1
    slice_thickness_mm: float | None = None
    injection: Injection | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class WrittenSeries:
    """What was written: enough to refer to it. UIDs and paths are along ``k``."""

    header: SeriesHeader
    geometry: Geometry
    modality: str
    sop_instance_uids: tuple[str, ...]
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """A mask to write into an RTSTRUCT: its name, and what it is (``GTV``, ``ORGAN`` …)."""

    name: str
    mask: Mask
    interpreted_type: str = "GTV"


def write_series(
    folder: Path,
    volume: Volume,
    header: SeriesHeader,
    *,
    make_uid: UidMaker = hashed_uid,
    transfer_syntax_uid: str = _EXPLICIT_LITTLE,
) -> WrittenSeries:
    """Write one file a slice, ``IM0001.dcm`` … along ``k``, in 16 bits.

    CT is stored with intercept −1024, PET with a slope of its own on every slice, MR as it is.
    Numbers are rounded to what 16 bits hold: CT and MR of whole numbers are kept exactly.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    volume : Volume
        CT, MR or PT on an orthogonal grid, axes in any order and direction.
    header : SeriesHeader
        All that is not in the volume.
    make_uid : callable
        Gives instance UIDs, from the series UID and the slice's number.
    transfer_syntax_uid : str
        Uncompressed, or one pydicom can compress to: RLE, JPEG 2000 lossless, JPEG-LS lossless.

    Raises
    ------
    InputError
        If the grid is sheared, the modality is another, or values do not fit into 16 bits.
    """
    if volume.modality not in _SOP_CLASSES:
        raise InputError(f"cannot write modality {volume.modality}: CT, MR and PT only")
    _require_orthogonal(volume.geometry)
    folder.mkdir(parents=True, exist_ok=True)
    common = _common(header, volume.modality, _SOP_CLASSES[volume.modality])
    common.update(_series_elements(volume, header))
    uids, paths = [], []
    for k, (stored, rescale) in enumerate(_stored_slices(volume)):
        uid = make_uid(f"{header.series_uid}/{k}")
        elements = {
            **common,
            "SOPInstanceUID": uid,
            "InstanceNumber": k + 1,
            "ImagePositionPatient": _decimals(volume.geometry.to_world(np.array([k, 0, 0]))),
            **_pixel_elements(stored),
            **rescale,
        }
        if volume.modality == "PT":
            elements["ImageIndex"] = k + 1
        elements.update(header.extra)
        path = folder / f"IM{k + 1:04d}.dcm"
        _save(path, elements, stored, transfer_syntax_uid)
        uids.append(uid)
        paths.append(path)
    return WrittenSeries(header, volume.geometry, volume.modality, tuple(uids), tuple(paths))


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
    elements = _common(header, "RTSTRUCT", _RTSTRUCT_CLASS)
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
    _save(path, elements, None, _EXPLICIT_LITTLE)


def _require_orthogonal(geometry: Geometry) -> None:
    skew = geometry.directions.T @ geometry.directions - np.eye(3)
    if np.abs(skew).max() > 1e-6:
        raise InputError("DICOM slices need an orthogonal grid", code="sheared")


def _common(header: SeriesHeader, modality: str, sop_class_uid: str) -> dict[str, object]:
    """Elements of patient, study and series."""
    date, time = header.acquired.strftime("%Y%m%d"), header.acquired.strftime("%H%M%S")
    born = header.birth_date.strftime("%Y%m%d") if header.birth_date else ""
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": sop_class_uid,
        "PatientName": header.patient_name,
        "PatientID": header.patient_id,
        "PatientBirthDate": born,
        "PatientSex": header.sex,
        "StudyInstanceUID": header.study_uid,
        "StudyDate": date,
        "StudyTime": time,
        "StudyID": "1",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyDescription": header.study_description,
        "SeriesInstanceUID": header.series_uid,
        "SeriesNumber": header.series_number,
        "SeriesDescription": header.series_description,
        "SeriesDate": date,
        "SeriesTime": time,
        "Modality": modality,
        "Manufacturer": "Lesionary phantoms",
        "FrameOfReferenceUID": header.frame_of_reference_uid,
        "PositionReferenceIndicator": "",
    }


def _series_elements(volume: Volume, header: SeriesHeader) -> dict[str, object]:
    """Elements that all slices of an image series share."""
    spacing, directions = volume.geometry.spacing_mm, volume.geometry.directions
    thickness = spacing[0] if header.slice_thickness_mm is None else header.slice_thickness_mm
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL" if volume.modality == "CT" else "M"],
        "AcquisitionDate": header.acquired.strftime("%Y%m%d"),
        "AcquisitionTime": header.acquired.strftime("%H%M%S"),
        "ContentDate": header.acquired.strftime("%Y%m%d"),
        "ContentTime": header.acquired.strftime("%H%M%S"),
        "AcquisitionNumber": 1,
        "BodyPartExamined": header.body_part,
        "PatientPosition": "HFS",
        "ImageOrientationPatient": _decimals(np.concatenate((directions[:, 2], directions[:, 1]))),
        "PixelSpacing": _decimals(np.array(spacing[1:])),
        "SliceThickness": _decimal(thickness),
        **_modality_elements(volume, header),
    }


def _modality_elements(volume: Volume, header: SeriesHeader) -> dict[str, object]:
    if volume.modality == "CT":
        return {"KVP": "120", "RescaleType": "HU", "ConvolutionKernel": "STANDARD"}
    if volume.modality == "MR":
        return {
            "ScanningSequence": "SE",
            "SequenceVariant": "NONE",
            "ScanOptions": "",
            "MRAcquisitionType": "2D",
            "RepetitionTime": "4000",
            "EchoTime": "90",
            "EchoTrainLength": "1",
        }
    elements: dict[str, object] = {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SeriesType": ["WHOLE BODY", "IMAGE"],
        "Units": "BQML",
        "CountsSource": "EMISSION",
        "CorrectedImage": ["DECY", "ATTN", "SCAT", "NORM"],
        "DecayCorrection": "START",
        "CollimatorType": "NONE",
        "NumberOfSlices": volume.geometry.shape[0],
        "FrameReferenceTime": "0",
        "ActualFrameDuration": "120000",
    }
    return elements | ({} if header.injection is None else _tracer(header.injection))


def _tracer(injection: Injection) -> dict[str, object]:
    fluorine = {
        "CodeValue": "C-111A1",
        "CodingSchemeDesignator": "SRT",
        "CodeMeaning": "^18^Fluorine",
    }
    return {
        "PatientWeight": _decimal(injection.weight_kg),
        "RadiopharmaceuticalInformationSequence": [
            {
                "Radiopharmaceutical": "Fluorodeoxyglucose F^18^",
                "RadiopharmaceuticalStartTime": injection.start.strftime("%H%M%S.%f"),
                "RadiopharmaceuticalStartDateTime": injection.start.strftime("%Y%m%d%H%M%S.%f"),
                "RadionuclideTotalDose": _decimal(injection.total_bq),
                "RadionuclideHalfLife": _decimal(injection.half_life_s),
                "RadionuclidePositronFraction": "0.97",
                "RadionuclideCodeSequence": [fluorine],
            }
        ],
    }


def _stored_slices(volume: Volume) -> Iterator[tuple[AnyArray, dict[str, object]]]:
    """Give each slice as 16 bits, and the elements that lead back to its values."""
    for plane in volume.array:
        if volume.modality == "PT":
            text = _decimal(float(np.abs(plane).max()) / _LARGEST_INT16 or 1.0)
            yield (
                _as_16_bits(plane / float(text), np.int16),
                {"RescaleSlope": text, "RescaleIntercept": "0"},
            )
        elif volume.modality == "CT":
            stored = _as_16_bits(plane.astype(np.float64) - _CT_INTERCEPT, np.int16)
            yield stored, {"RescaleSlope": "1", "RescaleIntercept": str(_CT_INTERCEPT)}
        else:
            yield _as_16_bits(plane, np.int16 if volume.array.min() < 0 else np.uint16), {}


def _as_16_bits(plane: AnyArray, dtype: type[np.int16 | np.uint16]) -> AnyArray:
    rounded = np.rint(plane)
    limits = np.iinfo(dtype)
    if rounded.min() < limits.min or rounded.max() > limits.max:
        raise InputError(f"values from {plane.min():g} to {plane.max():g} do not fit into 16 bits")
    return rounded.astype(dtype)


def _pixel_elements(stored: AnyArray) -> dict[str, object]:
    rows, columns = stored.shape
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": int(stored.dtype == np.int16),
    }


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
        "ReferencedSOPClassUID": _SOP_CLASSES[image.modality],
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
                "ContourData": _decimals(mask.geometry.to_world(corners).ravel()),
            }


def _decimal(value: float) -> str:
    """Write a number in the 16 characters that DICOM allows."""
    text = repr(float(value))
    digits = 16
    while len(text) > 16:
        digits -= 1
        text = f"{value:.{digits}g}"
    return text


def _decimals(values: FloatArray) -> list[str]:
    return [_decimal(float(value)) for value in values]


def _dataset(elements: Mapping[str, object]) -> "Dataset":
    """Make a data set of elements by keyword; a list of mappings is a sequence."""
    from pydicom.dataset import Dataset

    dataset = Dataset()
    for keyword, value in elements.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            setattr(dataset, keyword, [_dataset(item) for item in value])
        else:
            setattr(dataset, keyword, value)
    return dataset


def _save(
    path: Path, elements: Mapping[str, object], pixels: AnyArray | None, transfer_syntax_uid: str
) -> None:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    dataset = _dataset(elements)
    is_compressed = transfer_syntax_uid not in _UNCOMPRESSED
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(
        _EXPLICIT_LITTLE if is_compressed else transfer_syntax_uid
    )
    if pixels is not None:
        is_big = transfer_syntax_uid == _EXPLICIT_BIG
        ordered = pixels.astype(pixels.dtype.newbyteorder(">" if is_big else "<"))
        dataset.add_new("PixelData", "OW", ordered.tobytes())
    if is_compressed:
        dataset.compress(UID(transfer_syntax_uid), generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)
