"""Writing images as DICOM series.

For phantoms, demonstrations and tests: identities, dates and UIDs are the caller's, nothing is
looked up, and the same arguments give the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import AnyArray, Geometry, Volume
from lesionary.io.dicom.write_file import EXPLICIT_LITTLE, decimal, decimals, save
from lesionary.io.dicom.write_header import (
    Injection,
    SeriesHeader,
    UidMaker,
    common_elements,
    hashed_uid,
)

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
}
"""Of the images that are written, by modality."""

_CT_INTERCEPT = -1024
_LARGEST_INT16 = 32767


@dataclass(frozen=True, slots=True, eq=False)
class WrittenSeries:
    """What was written: enough to refer to it. UIDs and paths are along ``k``."""

    header: SeriesHeader
    geometry: Geometry
    modality: str
    sop_instance_uids: tuple[str, ...]
    paths: tuple[Path, ...]


def write_series(
    folder: Path,
    volume: Volume,
    header: SeriesHeader,
    *,
    make_uid: UidMaker = hashed_uid,
    transfer_syntax_uid: str = EXPLICIT_LITTLE,
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
    if volume.modality not in SOP_CLASSES:
        raise InputError(f"cannot write modality {volume.modality}: CT, MR and PT only")
    _require_orthogonal(volume.geometry)
    folder.mkdir(parents=True, exist_ok=True)
    common = common_elements(header, volume.modality, SOP_CLASSES[volume.modality])
    common.update(_series_elements(volume, header))
    uids, paths = [], []
    for k, (stored, rescale) in enumerate(_stored_slices(volume)):
        uid = make_uid(f"{header.series_uid}/{k}")
        elements = {
            **common,
            "SOPInstanceUID": uid,
            "InstanceNumber": k + 1,
            "ImagePositionPatient": decimals(volume.geometry.to_world(np.array([k, 0, 0]))),
            **_pixel_elements(stored),
            **rescale,
        }
        if volume.modality == "PT":
            elements["ImageIndex"] = k + 1
        elements.update(header.extra)
        path = folder / f"IM{k + 1:04d}.dcm"
        save(path, elements, stored, transfer_syntax_uid)
        uids.append(uid)
        paths.append(path)
    return WrittenSeries(header, volume.geometry, volume.modality, tuple(uids), tuple(paths))


def _require_orthogonal(geometry: Geometry) -> None:
    skew = geometry.directions.T @ geometry.directions - np.eye(3)
    if np.abs(skew).max() > 1e-6:
        raise InputError("DICOM slices need an orthogonal grid", code="sheared")


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
        "ImageOrientationPatient": decimals(np.concatenate((directions[:, 2], directions[:, 1]))),
        "PixelSpacing": decimals(np.array(spacing[1:])),
        "SliceThickness": decimal(thickness),
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
        "PatientWeight": decimal(injection.weight_kg),
        "RadiopharmaceuticalInformationSequence": [
            {
                "Radiopharmaceutical": "Fluorodeoxyglucose F^18^",
                "RadiopharmaceuticalStartTime": injection.start.strftime("%H%M%S.%f"),
                "RadiopharmaceuticalStartDateTime": injection.start.strftime("%Y%m%d%H%M%S.%f"),
                "RadionuclideTotalDose": decimal(injection.total_bq),
                "RadionuclideHalfLife": decimal(injection.half_life_s),
                "RadionuclidePositronFraction": "0.97",
                "RadionuclideCodeSequence": [fluorine],
            }
        ],
    }


def _stored_slices(volume: Volume) -> Iterator[tuple[AnyArray, dict[str, object]]]:
    """Give each slice as 16 bits, and the elements that lead back to its values."""
    for plane in volume.array:
        if volume.modality == "PT":
            text = decimal(float(np.abs(plane).max()) / _LARGEST_INT16 or 1.0)
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
