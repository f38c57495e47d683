"""NIfTI-1 and NIfTI-2 images, plain or gzipped: read with suspicion, written the same every time.

The array of an image is the file's voxels with the axes' names reversed: ``data[i, j, k]`` of
other libraries is ``array[k, j, i]`` here, a view of the very bytes on disk. The affine changes
accordingly: its columns are reversed, and x and y negated from RAS to LPS.
"""

from pathlib import Path

import numpy as np

from lesionary.core.volume import FloatArray, Geometry, LabelMap, Volume
from lesionary.ingest.file_gate import AffineChoice, judge_affines
from lesionary.ingest.file_image import FileImage
from lesionary.io.gzip_stream import GZIP, InflatedStream, deflating
from lesionary.io.limits import Limits
from lesionary.io.nifti_header import LARGEST_HEADER_BYTES, NiftiHeader, build_header, parse_header
from lesionary.io.opening import opened
from lesionary.io.voxels import ByteStream, read_claimed, storage_type, stored_slices

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_REVERSED = [2, 1, 0, 3]


def read_nifti(
    path: Path, *, limits: Limits | None = None, affine: AffineChoice | None = None
) -> FileImage:
    """Read one volume.

    Lengths in metres or micrometres become millimetres. Scaled integers stay integers where that
    is exact (:func:`lesionary.io.voxels.read_voxels`). A fourth axis of one volume is dropped.

    Parameters
    ----------
    path : Path
        A ``.nii`` or ``.nii.gz`` file; which of the two its content says, not its name.
    limits : Limits, optional
        Bounds on what the header may claim.
    affine : {"sform", "qform"}, optional
        Which orientation to believe where the file's two disagree or none is declared.

    Raises
    ------
    InputError
        With a code of the gate's table: ``empty_file``, ``not_dicom``, ``not_3d``,
        ``no_orientation``, ``affine_conflict``, ``sheared``, ``size_claim``, ``truncated``,
        ``gzip_corrupt``, ``gzip_oversized``, ``not_scalar``, ``detached_header``. It names no
        file: the caller knows what the user called it.
    """
    with opened(path) as file:
        is_gzip = file.peek(len(GZIP.magic)).startswith(GZIP.magic)
        stream = InflatedStream(file, GZIP) if is_gzip else file
        header = parse_header(_head(stream))
        geometry = _geometry(header, affine)
        array = read_claimed(
            file,
            header.claim,
            limits or Limits(),
            n_skipped=header.offset,
            compression=GZIP if is_gzip else None,
        )
    return FileImage(array, geometry)


def _head(stream: ByteStream) -> bytes:
    head = b""
    while len(head) < LARGEST_HEADER_BYTES:
        piece = stream.read(LARGEST_HEADER_BYTES - len(head))
        if not piece:
            break
        head += piece
    return head


def _geometry(header: NiftiHeader, choice: AffineChoice | None) -> Geometry:
    shape = header.claim.shape
    ras = judge_affines(
        header.sform if header.has_sform else None,
        header.qform if header.has_qform else None,
        (shape[2], shape[1], shape[0]),
        choice=choice,
        undeclared={"sform": header.sform, "qform": header.qform},
    )
    return Geometry(shape, lps_from_ras(ras))


def lps_from_ras(ras: FloatArray) -> FloatArray:
    """Turn ``(i, j, k)`` → RAS into ``(k, j, i)`` → LPS; the other way round it is the same.

    Examples
    --------
    >>> lps_from_ras(np.diag([-1.0, -2.0, 3.0, 1.0]))
    array([[0., 0., 1., 0.],
           [0., 2., 0., 0.],
           [3., 0., 0., 0.],
           [0., 0., 0., 1.]])
    """
    lps: FloatArray = (_LPS_FROM_RAS @ ras)[:, _REVERSED] + 0.0  # + 0.0: no negative zeros
    return lps


def write_nifti(path: Path, image: Volume | LabelMap) -> None:
    """Write a ``.nii.gz`` or ``.nii`` file, by the path's ending, to this very path.

    Volumes are int16 where that is exact, else float32; label maps uint8, uint16 above 255. The
    affine is float32, as NIfTI-1 has it: one that came from such a file comes back to the last
    bit. The same image gives the same bytes.
    """
    stored = storage_type(image)
    header = build_header(image.geometry.shape, lps_from_ras(image.geometry.affine), stored)
    with path.open("wb") as file:
        if path.suffix.lower() == ".gz":
            with deflating(file) as deflater:
                deflater.write(header)
                for part in stored_slices(image, stored):
                    deflater.write(part)
            return
        file.write(header)
        for part in stored_slices(image, stored):
            file.write(part)
