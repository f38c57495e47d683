"""Reading and writing ``.nii.gz`` (row 7b): the trunk CT as int16, from and into the page cache.

Everybody reads the file that nibabel wrote; nibabel and SimpleITK write at their own levels.
"""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import volumes
from benchmarks.race import Contestant, Inputs, Row
from benchmarks.volumes import THORAX_MM, geometry_of
from lesionary.core.volume import Volume
from lesionary.io.nifti import read_nifti, write_nifti

RAS = np.diag([-THORAX_MM[2], -THORAX_MM[1], THORAX_MM[0], 1.0])


def _make_nifti(folder: Path) -> None:
    import nibabel

    volumes.make(["thorax_ct"], folder)
    image = nibabel.Nifti1Image(np.load(folder / "thorax_ct.npy").transpose(), RAS)
    unfinished = folder / "part.nii.gz"
    image.to_filename(unfinished)
    unfinished.rename(folder / "thorax.nii.gz")


volumes.MAKERS["thorax.nii.gz"] = _make_nifti


def source_of(**inputs: Path) -> Inputs:
    """Give the file's name."""
    (source,) = inputs.values()
    return {"source": source}


def our_read(source: Path) -> np.ndarray:
    """Read with this package."""
    return read_nifti(source).array


def nibabel_read(source: Path) -> np.ndarray:
    """Read with nibabel in the file's own type."""
    import nibabel

    return np.asanyarray(nibabel.load(source).dataobj)


def nibabel_fdata(source: Path) -> np.ndarray:
    """Read as nibabel's tutorials do."""
    import nibabel

    array: np.ndarray = nibabel.load(source).get_fdata()
    return array


def simpleitk_read(source: Path) -> np.ndarray:
    """Read with SimpleITK."""
    import SimpleITK as sitk

    array: np.ndarray = sitk.GetArrayFromImage(sitk.ReadImage(str(source)))
    return array


def described(array: np.ndarray) -> str:
    """Tell what was read, whatever the order of its axes."""
    return f"{array.dtype}, mean {array.mean():.1f}"


def target_of(name: str) -> Path:
    """Return a file of this process in the folder of temporary files."""
    import tempfile

    return Path(tempfile.mkdtemp()) / name


def for_us(thorax_ct: np.ndarray) -> Inputs:
    """Give our type."""
    volume = Volume(thorax_ct, geometry_of(thorax_ct, THORAX_MM), "CT")
    return {"volume": volume, "target": target_of("ours.nii.gz")}


def for_nibabel(thorax_ct: np.ndarray) -> Inputs:
    """Give nibabel's order of axes."""
    return {"data": thorax_ct.transpose(), "target": target_of("nibabel.nii.gz")}


def for_simpleitk(thorax_ct: np.ndarray) -> Inputs:
    """Give an ITK image."""
    import SimpleITK as sitk

    return {"image": sitk.GetImageFromArray(thorax_ct), "target": target_of("itk.nii.gz")}


def our_write(volume: Volume, target: Path) -> Path:
    """Write with this package."""
    write_nifti(target, volume)
    return target


def nibabel_write(data: np.ndarray, target: Path) -> Path:
    """Write with nibabel."""
    import nibabel

    nibabel.Nifti1Image(data, RAS).to_filename(target)
    return target


def simpleitk_write(image: Any, target: Path) -> Path:
    """Write with SimpleITK."""
    import SimpleITK as sitk

    sitk.WriteImage(image, str(target), True)
    return target


def size_of(target: Path) -> str:
    """Tell the file's size."""
    return f"{target.stat().st_size / 1e6:.0f} MB"


READ = Row(
    "7b",
    "Read a CT from .nii.gz",
    ("thorax.nii.gz",),
    (
        Contestant("lesionary", our_read, "int16", ("isal",), source_of, described, is_ours=True),
        Contestant(
            "nibabel dataobj", nibabel_read, "the file's type", ("nibabel",), source_of, described
        ),
        Contestant(
            "nibabel get_fdata", nibabel_fdata, "float64", ("nibabel",), source_of, described
        ),
        Contestant("SimpleITK", simpleitk_read, "int16", ("SimpleITK",), source_of, described),
    ),
)
WRITE = Row(
    "7c",
    "Write a CT to .nii.gz",
    ("thorax_ct",),
    (
        Contestant("lesionary", our_write, "", ("isal",), for_us, size_of, is_ours=True),
        Contestant("nibabel", nibabel_write, "", ("nibabel",), for_nibabel, size_of),
        Contestant("SimpleITK", simpleitk_write, "", ("SimpleITK",), for_simpleitk, size_of),
    ),
)
ROWS = (READ, WRITE)
