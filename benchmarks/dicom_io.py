"""CT series to volume: this package against SimpleITK, on one machine in one run.

Usage: ``python benchmarks/dicom_io.py [--slices 120] [--repeats 5]``. Both find the files of the
series in a folder, order them, and give a volume in Hounsfield units, from the page cache.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from lesionary.core.volume import AnyArray
from lesionary.ingest.series import ImageSeries
from lesionary.io.dicom.series import group_images, load_series, scan_dicom
from lesionary.io.sources import open_sources

MATRIX = 512
UID = "1.2.826.0.1.3680043.10.1474."


def write_series(folder: Path, n_slices: int) -> None:
    """Write a CT of smooth noise, named so that names do not give the order away."""
    rng = np.random.default_rng(1)
    frame = rng.normal(1000, 200, (MATRIX, MATRIX)).astype(np.int16)
    for k in range(n_slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"{UID}1.{k}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{UID}1.{k}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = UID + "2", UID + "3"
        ds.FrameOfReferenceUID = UID + "4"
        ds.Modality, ds.PatientID, ds.InstanceNumber = "CT", "bench", str(k + 1)
        ds.ImagePositionPatient = [-175.0, -175.0, float(k)]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [0.7, 0.7], "1"
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "-1024", "HU"
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows = ds.Columns = MATRIX
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelData = np.roll(frame, k, axis=0).tobytes()
        ds.save_as(folder / f"{k * 7919 % 10007:05d}.dcm", enforce_file_format=True)


def ours(folder: Path) -> AnyArray:
    """Find, judge and read the series."""
    with open_sources([folder]) as tree:
        (candidate,) = group_images(scan_dicom(tree.files).images)
        series = load_series(candidate)
    assert isinstance(series, ImageSeries)
    return series.volume.array


def simple_itk(folder: Path) -> AnyArray:
    """Do the same with the series reader of SimpleITK."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    array: AnyArray = SimpleITK.GetArrayFromImage(reader.Execute())
    return array


def best_seconds(read: Callable[[Path], AnyArray], folder: Path, repeats: int) -> float:
    """Return the shortest of several runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        read(folder)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print seconds of both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder, arguments.slices)
        assert np.array_equal(ours(folder), simple_itk(folder))
        mine = best_seconds(ours, folder, arguments.repeats)
        theirs = best_seconds(simple_itk, folder, arguments.repeats)
    print(f"{arguments.slices} slices of {MATRIX} × {MATRIX}")
    print(f"lesionary {mine:.3f} s, SimpleITK {theirs:.3f} s, ratio {theirs / mine:.1f}")


if __name__ == "__main__":
    main()
