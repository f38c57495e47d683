"""Image files that are read back before they get their name (X8).

The writer is ours, the reader is not: nibabel for NIfTI, SimpleITK for the rest. A writer that
flips, mirrors or shifts is caught here, on the user's own data, before anything is replaced.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lesionary.core.errors import LesionaryError
from lesionary.core.volume import AnyArray, Geometry, LabelMap, Volume
from lesionary.io.durable import replacing
from lesionary.io.image_file import write_image_file

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_REVERSED = np.eye(4)[[2, 1, 0, 3]]
"""Swaps the first and the last index: files count (i, j, k), Lesionary (k, j, i)."""


class TripwireError(LesionaryError):
    """What was written is not what came in: a fault that must not reach a file's name."""

    code = "write_not_faithful"


def write_checked(path: Path, image: Volume | LabelMap) -> None:
    """Write an image, read it back with another library, compare, and only then rename.

    Raises
    ------
    TripwireError
        If a voxel or a corner differs; ``path`` is as it was.
    """
    with replacing(path) as temporary:
        write_image_file(temporary, image)
        array, geometry = read_independently(temporary)
        if not np.array_equal(array, image.array.astype(array.dtype), equal_nan=is_float(array)):
            raise TripwireError("the written voxels differ from the image's", source=str(path))
        if not geometry.is_same_grid(image.geometry):
            raise TripwireError("the written grid differs from the image's", source=str(path))


def is_float(array: AnyArray) -> bool:
    """Tell whether numbers may be NaN, which equals nothing."""
    return bool(array.dtype.kind == "f")


def read_independently(path: Path) -> tuple[AnyArray, Geometry]:
    """Read voxels ``(k, j, i)`` and grid with a library that is not ours."""
    if path.name.endswith((".nii", ".nii.gz")):
        return _read_with_nibabel(path)
    return _read_with_simpleitk(path)


def _read_with_nibabel(path: Path) -> tuple[AnyArray, Geometry]:
    import nibabel

    file: Any = nibabel.load(path)
    array = np.asanyarray(file.dataobj).transpose()
    affine = _LPS_FROM_RAS @ np.asarray(file.affine, dtype=np.float64) @ _REVERSED
    return array, Geometry(_three(array.shape), affine)


def _read_with_simpleitk(path: Path) -> tuple[AnyArray, Geometry]:
    import SimpleITK as sitk

    file = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(file)
    affine = np.eye(4)
    affine[:3, :3] = np.array(file.GetDirection()).reshape(3, 3) * np.array(file.GetSpacing())
    affine[:3, 3] = file.GetOrigin()
    return array, Geometry(_three(array.shape), affine @ _REVERSED)


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    k, j, i = shape
    return k, j, i
