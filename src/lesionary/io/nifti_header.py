"""The fixed-size headers of NIfTI-1 and NIfTI-2, as bytes; no file is opened here."""

import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import FloatArray
from lesionary.io.voxels import Claim, DType, Shape

LARGEST_HEADER_BYTES = 540

Fields = dict[str, tuple[int, str]]

NIFTI1: Fields = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "xyzt_units": (123, "B"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "6f"),
    "srow": (280, "12f"),
    "magic": (344, "4s"),
}
NIFTI2: Fields = {
    "sizeof_hdr": (0, "i"),
    "magic": (4, "8s"),
    "datatype": (12, "h"),
    "bitpix": (14, "h"),
    "dim": (16, "8q"),
    "pixdim": (104, "8d"),
    "vox_offset": (168, "q"),
    "scl_slope": (176, "d"),
    "scl_inter": (184, "d"),
    "qform_code": (344, "i"),
    "sform_code": (348, "i"),
    "quatern": (352, "6d"),
    "srow": (400, "12d"),
    "xyzt_units": (500, "i"),
}
_SIZES = {348: NIFTI1, 540: NIFTI2}
_MAGICS = {348: b"n+1\0", 540: b"n+2\0\r\n\x1a\n"}
_PAIR_MAGICS = (b"ni1\0", b"ni2\0\r\n\x1a\n")

_DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}
_NOT_SCALAR = {
    1: "single bits", 32: "complex numbers", 128: "RGB colours", 1536: "128-bit floats",
    1792: "complex numbers", 2048: "complex numbers", 2304: "RGBA colours",
}  # fmt: skip

_MM_PER_UNIT = {1: 1e3, 2: 1.0, 3: 1e-3}
_SPACE_UNITS = 0x07
_UNITS_MM = 2
_SCANNER = 1
_LARGEST_OFFSET = 1 << 30


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """What a NIfTI header says, in NIfTI's own terms (``(i, j, k)`` order, RAS), lengths in mm.

    Parameters
    ----------
    claim : Claim
        The voxels that follow.
    offset : int
        Where they begin.
    sform, qform : array, shape (4, 4), optional
        ``(i, j, k, 1)`` to RAS mm as stored, whether declared or not; not necessarily usable.
    has_sform, has_qform : bool
        Whether their codes say that they hold.
    """

    claim: Claim
    offset: int
    sform: FloatArray
    qform: FloatArray
    has_sform: bool
    has_qform: bool


def parse_header(head: bytes) -> NiftiHeader:
    """Read the header from the first :data:`LARGEST_HEADER_BYTES` bytes of a file.

    Raises
    ------
    UnreadableSeriesError
        ``truncated``, ``not_dicom`` where it is no NIfTI header, ``not_3d``, ``not_scalar``,
        ``detached_header`` for the header of an ``.hdr``/``.img`` pair.
    """
    size, order = _size_and_byte_order(head)
    values = {
        name: struct.unpack_from(order + code, head, at)
        for name, (at, code) in _SIZES[size].items()
    }
    _require_single_file(values["magic"][0], size)
    mm = _MM_PER_UNIT.get(values["xyzt_units"][0] & _SPACE_UNITS, 1.0)
    with np.errstate(all="ignore"):  # noise gives an affine that is not usable, nothing worse
        qform = _qform_rows(np.array(values["quatern"]), np.array(values["pixdim"]))
    return NiftiHeader(
        claim=Claim(
            _shape(values["dim"]),
            _stored_type(values["datatype"][0]).newbyteorder(order),
            *_scaling(values["scl_slope"][0], values["scl_inter"][0]),
        ),
        offset=_offset(values["vox_offset"][0], size + 4),
        sform=_in_mm(np.reshape(values["srow"], (3, 4)), mm),
        qform=_in_mm(qform, mm),
        has_sform=values["sform_code"][0] > 0,
        has_qform=values["qform_code"][0] > 0,
    )


def _cut() -> UnreadableSeriesError:
    return UnreadableSeriesError(
        "the file ends within its header",
        code="truncated",
        hint="copy the file again from where it came",
    )


def _broken(message: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(message, code="not_dicom", hint="convert it again from its source")


def _size_and_byte_order(head: bytes) -> tuple[int, Literal["<", ">"]]:
    if len(head) < 4:
        raise _cut()
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    for order in orders:
        (size,) = struct.unpack_from(order + "i", head)
        if size in _SIZES:
            if len(head) < size:
                raise _cut()
            return size, order
    raise _broken("this is no NIfTI header")


def _require_single_file(magic: bytes, size: int) -> None:
    if magic in _PAIR_MAGICS:
        raise UnreadableSeriesError(
            "the header of an .hdr/.img pair, whose voxels lie in another file",
            code="detached_header",
            hint="convert the pair to one .nii.gz",
        )
    if magic != _MAGICS[size]:
        raise UnreadableSeriesError(
            "the header has no NIfTI magic, so its orientation is unknown (Analyze 7.5?)",
            code="not_dicom",
            hint="convert it to .nii.gz with the orientation stated",
        )


def _shape(dim: tuple[int, ...]) -> Shape:
    n_axes, sizes = dim[0], dim[1:]
    if not 1 <= n_axes <= 7 or min(sizes[:n_axes]) < 1:
        raise _broken(f"the header's sizes make no sense: {list(dim)}")
    if n_axes < 3 or any(n != 1 for n in sizes[3:n_axes]):
        raise UnreadableSeriesError(
            f"{n_axes} axes of {' × '.join(map(str, sizes[:n_axes]))}, not one volume",
            code="not_3d",
            hint="split it into one file per volume",
        )
    return (sizes[2], sizes[1], sizes[0])


def _stored_type(code: int) -> DType:
    if code in _NOT_SCALAR:
        raise UnreadableSeriesError(
            f"the voxels are {_NOT_SCALAR[code]}, not numbers",
            code="not_scalar",
            hint="export one number a voxel",
        )
    if code not in _DTYPES:
        raise _broken(f"no NIfTI data type has the code {code}")
    return np.dtype(_DTYPES[code])


def _scaling(slope: float, inter: float) -> tuple[float, float]:
    """Return slope and intercept; NIfTI says that a slope of 0 means no scaling."""
    if slope == 0 or not np.isfinite(slope):
        return (1.0, 0.0)
    return (float(slope), float(inter) if np.isfinite(inter) else 0.0)


def _offset(stored: float, lowest: int) -> int:
    if stored == 0:
        return lowest
    if not lowest <= stored <= _LARGEST_OFFSET or stored != int(stored):
        raise _broken(f"the header places the voxels at byte {stored}")
    return int(stored)


def _in_mm(rows: FloatArray, mm: float) -> FloatArray:
    return np.vstack([np.asarray(rows, dtype=np.float64) * mm, [0.0, 0.0, 0.0, 1.0]])


def _qform_rows(quatern: FloatArray, pixdim: FloatArray) -> FloatArray:
    """Build the qform's upper three rows; NIfTI keeps b, c, d of a unit quaternion."""
    imaginary = quatern[:3]
    square = 1.0 - float(imaginary @ imaginary)
    # Below single precision the real part is noise: the reference library takes it as 0 as well.
    if square < 1e-7:
        imaginary = imaginary / max(float(np.linalg.norm(imaginary)), 1e-30)
        square = 0.0
    handedness = -1.0 if pixdim[0] < 0 else 1.0
    lengths = np.abs(pixdim[1:4]) * [1.0, 1.0, handedness]
    return np.column_stack([_rotation(np.sqrt(square), *imaginary) * lengths, quatern[3:]])


def _rotation(a: float, b: float, c: float, d: float) -> FloatArray:
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def build_header(shape: Shape, ras_affine: FloatArray, stored: DType) -> bytes:
    """Write a NIfTI-1 header with its empty extension mark, 352 bytes.

    The sform holds the affine in float32. The qform holds it too where a float32 quaternion can:
    near a half turn its real part drowns in rounding, and then the qform is left undeclared.

    Parameters
    ----------
    shape : tuple of int
        Voxels along ``(k, j, i)``.
    ras_affine : array, shape (4, 4)
        ``(i, j, k, 1)`` to RAS mm.
    stored : dtype
        Type of the voxels, written little-endian.
    """
    affine = ras_affine.astype(np.float32).astype(np.float64)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    handedness = 1.0 if np.linalg.det(affine[:3, :3]) > 0 else -1.0
    pixdim = np.array([handedness, *spacing, 1, 1, 1, 1], dtype=np.float32)
    quatern = np.array(
        [*_quaternion(affine[:3, :3] / (spacing * [1, 1, handedness])), *affine[:3, 3]],
        dtype=np.float32,
    )
    qform = _in_mm(_qform_rows(quatern.astype(np.float64), pixdim.astype(np.float64)), 1.0)
    last = np.array([shape[2] - 1, shape[1] - 1, shape[0] - 1])
    largest_shift_mm = np.abs(qform[:3, :3] - affine[:3, :3]) @ last
    says_the_same = bool((largest_shift_mm < 0.01 * spacing.min()).all())
    return _packed(
        sizeof_hdr=(348,),
        dim=(3, shape[2], shape[1], shape[0], 1, 1, 1, 1),
        datatype=(_CODES[stored],),
        bitpix=(8 * stored.itemsize,),
        pixdim=pixdim,
        vox_offset=(352.0,),
        scl_slope=(1.0,),
        scl_inter=(0.0,),
        xyzt_units=(_UNITS_MM,),
        qform_code=(_SCANNER if says_the_same else 0,),
        sform_code=(_SCANNER,),
        quatern=quatern,
        srow=affine[:3].ravel(),
        magic=(b"n+1\0",),
    )


def _packed(**values: Any) -> bytes:
    header = bytearray(352)
    for name, value in values.items():
        at, code = NIFTI1[name]
        struct.pack_into("<" + code, header, at, *value)
    return bytes(header)


def _quaternion(rotation: FloatArray) -> tuple[float, float, float]:
    """Return b, c, d of the unit quaternion with a ≥ 0 of the rotation nearest to a matrix.

    It is the eigenvector of the largest eigenvalue of a symmetric 4 × 4 matrix: Bar-Itzhack,
    J Guid Control Dyn 23, 1085-1087 (2000). No case distinction, and exact at half turns.
    """
    ((xx, xy, xz), (yx, yy, yz), (zx, zy, zz)) = rotation
    symmetric = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    b, c, d, a = np.linalg.eigh(symmetric)[1][:, -1]
    sign = -1.0 if a < 0 else 1.0
    return (float(sign * b), float(sign * c), float(sign * d))
