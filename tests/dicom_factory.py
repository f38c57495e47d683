"""Synthetic DICOM series for tests: CT, MR and PET, and whatever may be wrong with them.

A series is a list of pydicom data sets that a test changes at will and then writes::

    slices = ct_series()
    slices[3].ImagePositionPatient[2] += 0.5
    files = write_series(slices, tmp_path)
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    CTImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
)

from lesionary.core.findings import Finding
from lesionary.ingest.header import InstanceHeader
from lesionary.io.dicom.headers import read_headers
from lesionary.io.file_kind import FileKind
from lesionary.io.limits import Limits
from lesionary.io.sources import SourceFile

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)

_ROOT = "1.2.826.0.1.3680043.10.1474."


def uid(*parts: int) -> str:
    """Return a UID that is the same in every run."""
    return _ROOT + ".".join(map(str, parts))


def stored_values(shape: tuple[int, int, int], *, seed: int = 7, high: int = 2000) -> NDArray[Any]:
    """Return random stored values, 12 bits unless said otherwise."""
    return np.random.default_rng(seed).integers(0, high, shape).astype(np.int16)


def ct_series(
    array: NDArray[Any] | None = None,
    *,
    spacing_mm: tuple[float, float, float] = (3.0, 0.8, 0.7),
    origin_mm: tuple[float, float, float] = (-20.0, -30.0, 40.0),
    orientation: Sequence[float] = AXIAL,
    series: int = 1,
    patient: str = "P-007",
    syntax: str = ExplicitVRLittleEndian,
) -> list[FileDataset]:
    """Return a CT of int16 stored values, shape (slices, rows, columns), slope 1, intercept -1024.

    Slices run along row × column, whatever the orientation; spacing is between slices, rows and
    columns.
    """
    array = stored_values((8, 12, 10)) if array is None else array
    normal = np.cross(orientation[:3], orientation[3:])
    slices = []
    for k, frame in enumerate(array):
        ds = _image(CTImageStorage, "CT", series, k, patient, syntax)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.RescaleSlope, ds.RescaleIntercept = "1", "-1024"
        ds.RescaleType = "HU"
        ds.KVP, ds.ConvolutionKernel = "120", "B30f"
        ds.SliceThickness = f"{spacing_mm[0]:.6g}"
        ds.PixelSpacing = [spacing_mm[1], spacing_mm[2]]
        ds.ImageOrientationPatient = [round(float(c), 12) for c in orientation]
        position = np.array(origin_mm) + k * spacing_mm[0] * normal
        ds.ImagePositionPatient = [round(float(x), 9) for x in position]
        set_pixels(ds, frame)
        slices.append(ds)
    return slices


def mr_series(array: NDArray[Any] | None = None, **options: Any) -> list[FileDataset]:
    """Return a T2-weighted MR: the CT's geometry, no rescale."""
    slices = ct_series(array, **options)
    for ds in slices:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
        ds.Modality = "MR"
        ds.EchoTime, ds.RepetitionTime, ds.ScanningSequence = "104", "5660", "SE"
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "KVP"):
            delattr(ds, keyword)
    return slices


def pet_series(array: NDArray[Any] | None = None, **options: Any) -> list[FileDataset]:
    """Return an FDG PET in BQML with another slope on every slice: 70 kg, 370 MBq, START, 1 h."""
    slices = ct_series(array, **options)
    for k, ds in enumerate(slices):
        ds.SOPClassUID = PositronEmissionTomographyImageStorage
        ds.file_meta.MediaStorageSOPClassUID = PositronEmissionTomographyImageStorage
        ds.Modality = "PT"
        ds.Units, ds.DecayCorrection = "BQML", "START"
        ds.CorrectedImage = ["DECY", "ATTN", "SCAT"]
        ds.RescaleSlope, ds.RescaleIntercept = f"{0.5 + k / 16}", "0"
        del ds.RescaleType
        ds.SeriesDate, ds.SeriesTime = "20200102", "110000"
        ds.AcquisitionDate, ds.AcquisitionTime = "20200102", f"11{k % 60:02d}00"
        ds.PatientWeight = "70"
        tracer = Dataset()
        tracer.RadiopharmaceuticalStartTime = "100000.00"
        tracer.RadionuclideTotalDose = "370000000"
        tracer.RadionuclideHalfLife = "6586.2"
        ds.RadiopharmaceuticalInformationSequence = Items([tracer])
    return slices


def set_pixels(ds: Dataset, frame: NDArray[Any]) -> None:
    """Store a frame of any integer type as it is."""
    ds.Rows, ds.Columns = frame.shape
    ds.BitsAllocated = 8 * frame.itemsize
    ds.BitsStored, ds.HighBit = ds.BitsAllocated, ds.BitsAllocated - 1
    ds.PixelRepresentation = int(frame.dtype.kind == "i")
    order = ">" if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    ds.PixelData = frame.astype(frame.dtype.newbyteorder(order)).tobytes()
    ds["PixelData"].VR = "OW" if frame.itemsize > 1 else "OB"


def encapsulated_document() -> FileDataset:
    """Return a PDF inside a DICOM file."""
    ds = _instance(EncapsulatedPDFStorage, "OT", 90, 0, "P-007", ExplicitVRLittleEndian)
    ds.EncapsulatedDocument = b"%PDF-1.4 "
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    return ds


def secondary_capture() -> FileDataset:
    """Return a screenshot."""
    ds = _image(SecondaryCaptureImageStorage, "OT", 91, 0, "P-007", ExplicitVRLittleEndian)
    set_pixels(ds, np.zeros((4, 4), dtype=np.uint8))
    return ds


def nested(levels: int, *, is_open_ended: bool = False) -> Dataset:
    """Return a data set inside ``levels`` sequences."""
    inner = Dataset()
    inner.CodeMeaning = "the innermost"
    for _ in range(levels):
        outer = Dataset()
        outer.ConceptCodeSequence = Items([inner])
        outer["ConceptCodeSequence"].is_undefined_length = is_open_ended
        inner.is_undefined_length_sequence_item = is_open_ended
        inner = outer
    return inner


def encode(ds: FileDataset, path: Path) -> Path:
    """Write one data set as a file with preamble and meta information."""
    ds.save_as(path, enforce_file_format=True)
    return path


def write_series(
    slices: Iterable[FileDataset],
    folder: Path,
    *,
    name: Callable[[int], str] = "{:04d}.dcm".format,
) -> list[SourceFile]:
    """Write data sets into a folder and return them as sources, numbered from 0."""
    folder.mkdir(parents=True, exist_ok=True)
    return [source(encode(ds, folder / name(number)), number) for number, ds in enumerate(slices)]


def source(path: Path, number: int = 0) -> SourceFile:
    """Return a file as the sources name it."""
    place = f"{path.parent.name}/{path.name}"
    return SourceFile(path, str(path), number, FileKind.DICOM, place, path.name)


def read_header(file: SourceFile, limits: Limits | None = None) -> InstanceHeader | Finding:
    """Return the one header of a file that is no enhanced image, or what is said of it."""
    read = read_headers(file, limits)
    if isinstance(read, Finding):
        return read
    (header,) = read
    return header


def copied(slices: Iterable[FileDataset]) -> list[FileDataset]:
    """Return deep copies, so that one series can be changed beside another."""
    return [copy.deepcopy(ds) for ds in slices]


def _image(
    sop_class: str, modality: str, series: int, k: int, patient: str, syntax: str
) -> FileDataset:
    ds = _instance(sop_class, modality, series, k, patient, syntax)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    return ds


def _instance(
    sop_class: str, modality: str, series: int, k: int, patient: str, syntax: str
) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid(series, k)
    meta.TransferSyntaxUID = syntax
    ds = FileDataset(
        "",
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
    )
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(series, k)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(1000), uid(series)
    ds.FrameOfReferenceUID = uid(2000)
    ds.Modality, ds.InstanceNumber = modality, str(k + 1)
    ds.PatientID, ds.PatientName = patient, "Planted^Name"
    ds.PatientSex, ds.PatientAge = "F", "061Y"
    ds.StudyDate, ds.StudyTime = "20200102", "090000"
    ds.BodyPartExamined = "CHEST"
    return ds
