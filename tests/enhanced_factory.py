"""Enhanced multi-frame images for tests, built from the slices of a single-frame series.

What the slices say of place, values and acquisition goes into functional groups; a test changes the
data set at will and writes it::

    ds = enhanced(ct_series())
    ds.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence[0].ImagePositionPatient[2] += 0.5
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_factory import uid

_STORAGE = "1.2.840.10008.5.1.4.1.1."
SOP_CLASSES = {"CT": _STORAGE + "2.1", "MR": _STORAGE + "4.1", "PT": _STORAGE + "130"}
LEGACY = {"CT": _STORAGE + "2.2", "MR": _STORAGE + "4.4", "PT": _STORAGE + "128.1"}

_MOVED = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "KVP",
    "ConvolutionKernel",
    "EchoTime",
    "RepetitionTime",
    "ScanningSequence",
    "Units",
    "DecayCorrection",
    "CorrectedImage",
    "AcquisitionDate",
    "AcquisitionTime",
    "BodyPartExamined",
)


def item(**values: Any) -> Items:
    """Return a sequence of one item."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return Items([ds])


def enhanced(
    slices: Sequence[FileDataset],
    *,
    instance: int = 0,
    syntax: str = ExplicitVRLittleEndian,
    are_shared: bool = True,
) -> FileDataset:
    """Return the slices as one enhanced image, in their order.

    Parameters
    ----------
    slices : sequence of FileDataset
        Of one series, uncompressed.
    instance : int
        Tells the files of one series apart.
    syntax : str
        Uncompressed; ``compress`` it for another.
    are_shared : bool
        Whether orientation and pixel measures stand once, or with every frame.
    """
    first = slices[0]
    ds = copy.deepcopy(first)
    for keyword in _MOVED:
        if keyword in ds:
            delattr(ds, keyword)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SOP_CLASSES[first.Modality]
    number = int(str(first.SeriesInstanceUID).rpartition(".")[2])
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(number, 9000 + instance)
    ds.NumberOfFrames = len(slices)
    ds.set_original_encoding(
        is_implicit_vr=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
    )
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dtype = np.dtype(f"{'i' if first.PixelRepresentation else 'u'}{first.BitsAllocated // 8}")
    size = (first.Rows, first.Columns)
    n_pixels = first.Rows * first.Columns
    frames = np.stack(
        [np.frombuffer(one.PixelData, dtype, n_pixels).reshape(size) for one in slices]
    )
    data = frames.astype(frames.dtype.newbyteorder(order)).tobytes()
    data += b"\0" * (len(data) % 2)
    if order == ">" and frames.itemsize == 1:
        data = np.frombuffer(data, np.uint16).byteswap().tobytes()
    ds.PixelData = data
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 and order == "<" else "OW"
    groups = [_group(one) for one in slices]
    if are_shared:
        ds.SharedFunctionalGroupsSequence = Items([_taken(groups)])
    ds.PerFrameFunctionalGroupsSequence = Items(groups)
    if first.Modality == "PT":
        _pet(ds, slices)
    return ds


def _group(one: FileDataset) -> Dataset:
    group = Dataset()
    group.FrameContentSequence = item(StackID="1", FrameAcquisitionNumber=1)
    group.PlanePositionSequence = item(ImagePositionPatient=one.ImagePositionPatient)
    group.PlaneOrientationSequence = item(ImageOrientationPatient=one.ImageOrientationPatient)
    group.PixelMeasuresSequence = item(
        PixelSpacing=one.PixelSpacing, SliceThickness=one.SliceThickness
    )
    group.PixelValueTransformationSequence = item(
        RescaleSlope=one.get("RescaleSlope", "1"),
        RescaleIntercept=one.get("RescaleIntercept", "0"),
        RescaleType=one.get("RescaleType", "US"),
    )
    if one.Modality == "MR":
        group.MREchoSequence = item(EffectiveEchoTime=float(one.EchoTime))
        group.MRTimingAndRelatedParametersSequence = item(RepetitionTime=one.RepetitionTime)
    if one.Modality == "CT":
        group.CTXRayDetailsSequence = item(KVP=float(one.KVP))
        group.CTReconstructionSequence = item(ConvolutionKernel=one.ConvolutionKernel)
    return group


def _taken(groups: list[Dataset]) -> Dataset:
    shared = Dataset()
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        setattr(shared, keyword, groups[0][keyword].value)
        for group in groups:
            delattr(group, keyword)
    shared.FrameAnatomySequence = item(
        AnatomicRegionSequence=item(
            CodeValue="816094009", CodingSchemeDesignator="SCT", CodeMeaning="Chest"
        )
    )
    return shared


def _pet(ds: FileDataset, slices: Sequence[FileDataset]) -> None:
    """Say what the SUV needs as an enhanced PET does: dose in MBq, unit in a real world value."""
    for group, one in zip(ds.PerFrameFunctionalGroupsSequence, slices, strict=True):
        group.RealWorldValueMappingSequence = mapping("Bq/ml", float(one.RescaleSlope))
        values = group.PixelValueTransformationSequence[0]
        values.RescaleSlope, values.RescaleIntercept = "1", "0"
        moment = str(one.AcquisitionDate) + str(one.AcquisitionTime)
        group.FrameContentSequence[0].FrameAcquisitionDateTime = moment
    for keyword in ("Decay", "Attenuation", "Scatter"):
        setattr(ds, f"{keyword}Corrected", "YES")
    ds.DecayCorrectionDateTime = str(slices[0].SeriesDate) + str(slices[0].SeriesTime)
    for keyword in ("SeriesDate", "SeriesTime"):
        delattr(ds, keyword)
    tracer = ds.RadiopharmaceuticalInformationSequence[0]
    tracer.RadionuclideTotalDose = str(float(tracer.RadionuclideTotalDose) / 1e6)
    tracer.RadiopharmaceuticalStartDateTime = str(slices[0].SeriesDate) + str(
        tracer.RadiopharmaceuticalStartTime
    )
    del tracer.RadiopharmaceuticalStartTime


def mapping(unit: str, slope: float, intercept: float = 0.0) -> Items:
    """Return a real world value mapping of one item."""
    return item(
        RealWorldValueFirstValueMapped=-32768,
        RealWorldValueLastValueMapped=32767,
        RealWorldValueSlope=slope,
        RealWorldValueIntercept=intercept,
        LUTLabel="values",
        LUTExplanation="",
        MeasurementUnitsCodeSequence=item(
            CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit
        ),
    )
