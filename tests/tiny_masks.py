"""Masks of a few hundred voxels, as files, for commands that read masks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.image_file import write_image_file

SHAPE = (6, 10, 12)
AFFINE = np.array([[0, 0, 1.5, -30], [0, 1.5, 0, -25], [3, 0, 0, 10], [0, 0, 0, 1.0]])
VOXEL_ML = 1.5 * 1.5 * 3 / 1000


def drawn(*boxes: tuple[int, str]) -> np.ndarray:
    """Return a label array with boxes in it, each ``(value, "k0:k1,j0:j1,i0:i1")``."""
    array = np.zeros(SHAPE, dtype=np.uint16)
    for value, box in boxes:
        ranges = (map(int, part.split(":")) for part in box.split(","))
        array[tuple(slice(*pair) for pair in ranges)] = value
    return array


EMPTY = drawn()
TUMOUR = drawn((1, "1:4,2:6,2:7"))
"""60 voxels."""
SHIFTED = drawn((1, "1:4,3:7,2:7"))
"""As many, 45 of them in common with ``TUMOUR``: Dice 0.75."""
TWO_LABELS = drawn((1, "1:4,2:6,2:7"), (2, "0:2,7:10,8:12"))
TWO_SHIFTED = drawn((1, "1:4,3:7,2:7"), (2, "0:2,7:10,7:11"))


def write_mask(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    """Write a mask in the format of its ending; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image_file(path, LabelMap(array.astype(np.uint16), Geometry(array.shape, affine)))
    return path


def write_raw(path: Path, array: np.ndarray) -> Path:
    """Write ``(i, j, k)`` numbers of any type and shape as NIfTI; return the path."""
    import nibabel

    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine = to_ras @ AFFINE @ np.eye(4)[[2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(array, affine, dtype=array.dtype), path)
    return path


def write_segments(path: Path, array: np.ndarray, names: Mapping[int, str]) -> Path:
    """Write a mask as a viewer's NRRD that names its segments; return the path."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array.astype(np.uint16))
    image.SetSpacing((1.5, 1.5, 3.0))
    for number, (value, name) in enumerate(names.items()):
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_ID", f"Segment_{value}")
        image.SetMetaData(f"Segment{number}_Layer", "0")
    sitk.WriteImage(image, str(path))
    return path
