"""CT series to volume (row 7): find the files of a series, order them, give Hounsfield units.

The series lies in the page cache, as files whose names do not give the order away.
"""

from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from benchmarks import volumes
from benchmarks.race import Contestant, Row
from benchmarks.volumes import THORAX_MM
from lesionary.core.volume import AnyArray
from lesionary.ingest.series import ImageSeries
from lesionary.io.dicom.series import group_images, load_series, scan_dicom
from lesionary.io.sources import open_sources

UID = "1.2.826.0.1.3680043.10.1474."


def write_series(folder: Path, image: np.ndarray) -> None:
    """Write a volume as uncompressed CT slices."""
    for k, section in enumerate(image):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"{UID}1.{k}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{UID}1.{k}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = UID + "2", UID + "3"
        ds.FrameOfReferenceUID = UID + "4"
        ds.Modality, ds.PatientID, ds.InstanceNumber = "CT", "bench", str(k + 1)
        ds.ImagePositionPatient = [-175.0, -175.0, float(k) * THORAX_MM[0]]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [*THORAX_MM[1:]], str(THORAX_MM[0])
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "-1024", "HU"
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns = section.shape
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelData = (section + np.int16(1024)).tobytes()
        ds.save_as(folder / f"{k * 7919 % 10007:05d}.dcm", enforce_file_format=True)


def _make_series(folder: Path) -> None:
    volumes.make(["thorax_ct"], folder)
    unfinished, finished = folder / "thorax_series.part", folder / "thorax_series"
    unfinished.mkdir(exist_ok=True)
    write_series(unfinished, np.load(folder / "thorax_ct.npy"))
    unfinished.rename(finished)


volumes.MAKERS["thorax_series"] = _make_series


def ours(thorax_series: Path) -> AnyArray:
    """Find, judge and read the series."""
    with open_sources([thorax_series]) as tree:
        (candidate,) = group_images(scan_dicom(tree.files).images)
        series = load_series(candidate)
    assert isinstance(series, ImageSeries)
    return series.volume.array


def simple_itk(thorax_series: Path) -> AnyArray:
    """Read with SimpleITK's series reader."""
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(thorax_series)))
    array: AnyArray = sitk.GetArrayFromImage(reader.Execute())
    return array


def itk(thorax_series: Path) -> AnyArray:
    """Read with ITK's own Python package."""
    import itk as toolkit

    names = toolkit.GDCMSeriesFileNames.New(Directory=str(thorax_series))
    (series,) = names.GetSeriesUIDs()
    image = toolkit.imread(list(names.GetFileNames(series)), toolkit.SS)
    array: AnyArray = toolkit.array_from_image(image)
    return array


def monai(thorax_series: Path) -> AnyArray:
    """Read with MONAI's reader, which uses ITK."""
    from monai.transforms import LoadImage

    array: AnyArray = LoadImage(reader="ITKReader", image_only=True)(str(thorax_series)).numpy()
    return array


def described(array: AnyArray) -> str:
    """Tell type, size and sum: what was read."""
    return f"{array.dtype} {' × '.join(map(str, array.shape))}, mean {array.mean():.1f}"


ROW_7 = Row(
    "7",
    "CT series to volume, 350 slices",
    ("thorax_series",),
    (
        Contestant(
            "lesionary",
            ours,
            "finds, groups, judges and reads; every header field that the gate needs",
            ("pydicom",),
            answer=described,
            is_ours=True,
        ),
        Contestant(
            "SimpleITK",
            simple_itk,
            "no judgement of gaps, doubles or units",
            ("SimpleITK",),
            answer=described,
        ),
        Contestant(
            "ITK", itk, "no judgement of gaps, doubles or units", ("itk",), answer=described
        ),
        Contestant(
            "MONAI LoadImage", monai, "as float32, by ITK", ("monai", "itk"), answer=described
        ),
    ),
    about="dcm2niix, dicom2nifti and highdicom read series too; they do not take part yet.",
)
ROWS = (ROW_7,)
