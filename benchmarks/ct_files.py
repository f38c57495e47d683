"""CT slices as hospitals send them: phantom pixels under whole headers with planted identities.

``ct_200`` and ``ct_500`` are folders of uncompressed slices, 512 × 512. All of a folder are of one
made-up patient. Twenty tokens that tell who it is stand in twenty places of every file: where
everybody looks, and where de-identifiers forget to. Nobody's real data are in here.
"""

from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from benchmarks import volumes
from benchmarks.volumes import THORAX_MM

UID = "1.2.826.0.1.3680043.10.1474.12."
N_DEIDENTIFIED, N_SENT = 200, 500

TOKENS = (
    "Quillfeather",  # patient's name
    "7730418",  # patient's ID
    "8812664",  # another one, in a sequence
    "19540517",  # date of birth
    "Thistledown",  # address
    "Brackenridge",  # referring physician
    "Marlowhurst",  # institution
    "Zuckerwald",  # operator
    "ACC5529071",  # accession number
    "Ehrenpreis",  # in a study's description
    "Wolkenstein",  # in a series' description
    "Fernhollow",  # in comments
    "Sundermann",  # in a request, in a sequence
    "Oberkirchner",  # in the meaning of a code, two sequences deep
    "4471903",  # serial number of the scanner
    "Petrichor",  # private element
    "Unterberger",  # element that no dictionary knows
    "Overbury",  # bits of an overlay
    "Preamblewood",  # preamble
    "Padstowe",  # padding behind the data set
)

OVERLAY = (
    (0x60000010, "US", 16),
    (0x60000011, "US", 16),
    (0x60000040, "CS", "G"),
    (0x60000050, "SS", [1, 1]),
    (0x60000100, "US", 1),
    (0x60000102, "US", 0),
    (0x60003000, "OW", b"Overbury".ljust(32, b"\0")),
)
"""A graphic of 16 × 16 pixels."""


def n_leaked(contents: Iterable[bytes]) -> int:
    """Return how many tokens stand anywhere in files, whatever the case of their letters."""
    wanted = {token.lower().encode() for token in TOKENS}
    found: set[bytes] = set()
    for content in contents:
        small = content.lower()
        found.update(token for token in wanted - found if token in small)
    return len(found)


def n_filled(content: bytes) -> int:
    """Return how many elements of a file's top level still say something."""
    ds = dcmread(BytesIO(content), stop_before_pixels=True)
    return sum(not element.is_empty for element in ds)


def _header(k: int) -> FileDataset:
    instance = f"{UID}1.{k + 1}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = "CT_ROOM_2"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"Preamblewood".ljust(128, b"\0"))
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, instance
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{UID}2", f"{UID}3"
    ds.FrameOfReferenceUID = f"{UID}4"
    return ds


def _add_person(ds: Dataset) -> None:
    ds.PatientName, ds.PatientID = "Quillfeather^Ottoline", "7730418"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19540517", "F", "067Y"
    ds.PatientAddress, ds.PatientWeight, ds.PatientSize = "14 Thistledown Lane", "71.5", "1.68"
    other = Dataset()
    other.PatientID, other.TypeOfPatientID = "8812664", "TEXT"
    ds.OtherPatientIDsSequence = Sequence([other])
    ds.ReferringPhysicianName, ds.OperatorsName = "Brackenridge^Ansel", "Zuckerwald^Ida"
    ds.InstitutionName, ds.AccessionNumber = "Marlowhurst General Hospital", "ACC5529071"
    ds.StudyDescription = "CT Thorax Ehrenpreis"
    ds.SeriesDescription = "Thorax 1.0 B30f Dr. Wolkenstein"
    ds.ImageComments = "call Fernhollow before the next scan"
    ds.DeviceSerialNumber, ds.StationName = "4471903", "CTAWP4471903"


def _add_study(ds: Dataset, k: int) -> None:
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20210304"
    ds.StudyTime, ds.SeriesTime = "091230.125", "091544.5"
    ds.AcquisitionTime = ds.ContentTime = f"0916{k * 60 // N_SENT:02d}.{k:03d}"
    ds.StudyID, ds.SeriesNumber, ds.AcquisitionNumber = "4711", "3", "1"
    ds.InstanceNumber, ds.ImageType = str(k + 1), ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ProtocolName, ds.BodyPartExamined = "Thorax routine", "CHEST"
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = f"{UID}5"
    ds.ReferencedStudySequence = Sequence([study])
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "CTTH", "99HOSP"
    code.CodeMeaning = "Thorax for Oberkirchner"
    request = Dataset()
    request.RequestedProcedureDescription = "CT Thorax"
    request.ReasonForTheRequestedProcedure = "asked for by Sundermann"
    request.ScheduledProtocolCodeSequence = Sequence([code])
    ds.RequestAttributesSequence = Sequence([request])


def _add_scanner(ds: Dataset) -> None:
    ds.Modality, ds.Manufacturer = "CT", "SIEMENS"
    ds.ManufacturerModelName, ds.SoftwareVersions = "SOMATOM Force", "VB20A"
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure = "120", "180", "500", "90"
    ds.DataCollectionDiameter, ds.ReconstructionDiameter = "500", "358"
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1085.6", "595"
    ds.GantryDetectorTilt, ds.TableHeight, ds.RotationDirection = "0", "154", "CW"
    ds.FilterType, ds.GeneratorPower, ds.FocalSpots = "FLAT", "21", "1.2"
    ds.ConvolutionKernel, ds.PatientPosition, ds.ScanOptions = "B30f", "HFS", "HELIX"
    ds.DateOfLastCalibration, ds.TimeOfLastCalibration = "20210303", "064500"
    ds.ContrastBolusAgent, ds.ContrastBolusVolume = "Iomeprol", "80"
    block = ds.private_block(0x0019, "SIEMENS CT VA0  COAD", create=True)
    block.add_new(0x10, "LO", "Petrichor")
    block.add_new(0xB0, "DS", "1")
    ds.add_new(0x00189FFE, "UN", b"Unterberger ")


def _add_image(ds: Dataset, k: int, section: np.ndarray) -> None:
    ds.ImagePositionPatient = [-175.0, -175.0, float(k) * THORAX_MM[0]]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.SliceLocation, ds.PixelSpacing = f"{k * THORAX_MM[0]:.1f}", [*THORAX_MM[1:]]
    ds.SliceThickness = str(THORAX_MM[0])
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "-1024", "HU"
    ds.WindowCenter, ds.WindowWidth = ["40", "-600"], ["400", "1200"]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = section.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = (section + np.int16(1024)).tobytes()
    for tag, vr, value in OVERLAY:
        ds.add_new(tag, vr, value)
    ds.add_new(0xFFFCFFFC, "OB", b"Padstowe".ljust(64, b"\0"))


def write_slices(folder: Path, sections: Iterable[np.ndarray]) -> None:
    """Write slices of one series, each a file."""
    for k, section in enumerate(sections):
        ds = _header(k)
        _add_person(ds)
        _add_study(ds, k)
        _add_scanner(ds)
        _add_image(ds, k, section)
        ds.save_as(folder / f"{k * 7919 % 10007:05d}.dcm", enforce_file_format=True)


def _make(n_slices: int, folder: Path) -> None:
    volumes.make(["thorax_ct"], folder)
    image = np.load(folder / "thorax_ct.npy", mmap_mode="r")
    unfinished = folder / f"ct_{n_slices}.part"
    unfinished.mkdir(exist_ok=True)
    write_slices(unfinished, (image[k % len(image)] for k in range(n_slices)))
    unfinished.rename(folder / f"ct_{n_slices}")


_maker: Callable[[int], Callable[[Path], None]] = partial(partial, _make)
volumes.MAKERS |= {f"ct_{n}": _maker(n) for n in (N_DEIDENTIFIED, N_SENT)}
