"""Image files of any kind: read by what they hold, written by what they are called."""

from pathlib import Path

from lesionary.core.errors import InputError
from lesionary.core.volume import LabelMap, Volume
from lesionary.ingest.file_gate import AffineChoice
from lesionary.ingest.file_image import FileImage
from lesionary.io.file_kind import FileKind, kind_of
from lesionary.io.limits import Limits
from lesionary.io.metaimage import read_metaimage, write_metaimage
from lesionary.io.nifti import read_nifti, write_nifti
from lesionary.io.nrrd import read_nrrd, write_nrrd

IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Endings of files that may hold one volume."""


def read_image_file(
    path: Path, *, limits: Limits | None = None, affine: AffineChoice | None = None
) -> FileImage:
    """Read one volume from a NIfTI, NRRD or MetaImage file.

    Parameters
    ----------
    path : Path
        Its content, not its name, tells which.
    limits : Limits, optional
        Bounds on what the header may claim.
    affine : {"sform", "qform"}, optional
        Which orientation of a NIfTI file to believe where its two disagree or none is declared.

    Raises
    ------
    InputError
        With a code of the gate's table, and without the file's name.
    """
    kind = kind_of(path)
    if kind is FileKind.NIFTI:
        return read_nifti(path, limits=limits, affine=affine)
    if kind is FileKind.NRRD:
        return read_nrrd(path, limits=limits)
    if kind is FileKind.METAIMAGE:
        return read_metaimage(path, limits=limits)
    raise InputError(
        "the file holds no NIfTI, NRRD or MetaImage volume",
        code="not_dicom",
        hint="these are read: " + " ".join(IMAGE_ENDINGS),
    )


def write_image_file(path: Path, image: Volume | LabelMap) -> None:
    """Write one volume in the format of the path's ending, to this very path.

    Volumes are int16 where that is exact, else float32; label maps uint8, uint16 above 255. The
    same image gives the same bytes. No half-written file is hidden: writing under another name
    and renaming is the caller's part.

    Parameters
    ----------
    path : Path
        Ending in ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``.
    image : Volume or LabelMap
        What to write.

    Raises
    ------
    InputError
        If the ending is another one.
    """
    name = path.name.lower()
    if name.endswith((".nii.gz", ".nii")):
        write_nifti(path, image)
    elif name.endswith(".nrrd"):
        write_nrrd(path, image)
    elif name.endswith(".mha"):
        write_metaimage(path, image)
    else:
        raise InputError(
            "the output's ending names no format that is written",
            hint="choose .nii.gz, .nii, .nrrd or .mha",
        )
