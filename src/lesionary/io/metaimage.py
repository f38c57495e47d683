"""MetaImage files, one file or header and data: read with suspicion, written the same every time.

Axes come fastest first, which is ``(i, j, k)``, and the world is LPS, as ITK has it. The rows of
``TransformMatrix`` are the axes' directions.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import AnyArray, Geometry, LabelMap, Volume
from lesionary.ingest.file_gate import grid_of_axes
from lesionary.ingest.file_image import FileImage
from lesionary.io.gzip_stream import ZLIB, deflating
from lesionary.io.limits import Limits
from lesionary.io.opening import detached_file, opened, size_of
from lesionary.io.voxels import Claim, DType, Shape, read_claimed, storage_type, stored_slices

LARGEST_HEADER_BYTES = 1 << 16
LARGEST_SKIP_BYTES = 1 << 30
FROM_THE_END = -1
"""A header size that means: the voxels are the last bytes of the file."""

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_NAME_OF_TYPE = {"u1": "MET_UCHAR", "u2": "MET_USHORT", "i2": "MET_SHORT", "f4": "MET_FLOAT"}
_LOCAL = "LOCAL"
_SIZE_DIGITS = 16


@dataclass(frozen=True, slots=True)
class _Header:
    fields: Mapping[str, str]
    end: int

    def get(self, *names: str) -> str | None:
        return next((self.fields[name] for name in names if name in self.fields), None)

    def is_true(self, *names: str) -> bool:
        return (self.get(*names) or "").lower() in {"true", "1"}

    def numbers(self, *names: str) -> list[float] | None:
        text = self.get(*names)
        try:
            return None if text is None else [float(word) for word in text.split()]
        except ValueError:
            raise _broken(f"the header's {names[0]} holds text where numbers belong") from None


def read_metaimage(path: Path, *, limits: Limits | None = None) -> FileImage:
    """Read one volume from an ``.mha`` or ``.mhd`` file.

    Parameters
    ----------
    path : Path
        Where the header is. Its data file, if any, must lie in the same folder or below.
    limits : Limits, optional
        Bounds on what the header may claim.

    Raises
    ------
    InputError
        With a code of the gate's table: ``empty_file``, ``not_dicom``, ``not_3d``,
        ``no_orientation``, ``sheared``, ``size_claim``, ``truncated``, ``gzip_corrupt``,
        ``gzip_oversized``, ``path_outside``, ``no_pixels``, ``not_scalar``. It names no file.
    """
    with opened(path) as file:
        header = _read_header(file)
        shape = _shape(header)
        claim = Claim(shape, _stored_type(header))
        geometry = _grid(header, shape)
        data_name = header.fields["ElementDataFile"]
        if data_name.upper() == _LOCAL:
            return FileImage(
                _read_data(file, header.end, header, claim, limits or Limits()), geometry
            )
    if data_name.upper().startswith("LIST") or "%" in data_name:
        raise _broken("the header spreads its voxels over several data files")
    with opened(detached_file(path, data_name)) as file:
        return FileImage(_read_data(file, 0, header, claim, limits or Limits()), geometry)


def _broken(message: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(message, code="not_dicom", hint="convert it to .nii.gz")


def _read_header(file: io.BufferedReader) -> _Header:
    fields: dict[str, str] = {}
    while file.tell() < LARGEST_HEADER_BYTES:
        line = file.readline(LARGEST_HEADER_BYTES).decode("utf-8", errors="replace")
        key, is_field, value = line.partition("=")
        if fields and not line:
            raise UnreadableSeriesError(
                "the file ends within its header",
                code="truncated",
                hint="copy the file again from where it came",
            )
        if not is_field:
            raise _broken("this is no MetaImage header, or it has no ElementDataFile")
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":  # always the last line
            return _Header(fields, file.tell())
    raise _broken("the MetaImage header does not end")


def _shape(header: _Header) -> Shape:
    sizes = [int(n) for n in header.numbers("DimSize") or [] if n.is_integer()]
    n_axes = header.numbers("NDims") or []
    if min(sizes, default=0) < 1 or [len(sizes)] != n_axes:
        raise _broken("the header's sizes make no sense")
    if len(sizes) < 3 or any(n != 1 for n in sizes[3:]):
        raise UnreadableSeriesError(
            f"{len(sizes)} axes of {' × '.join(map(str, sizes))}, not one volume",
            code="not_3d",
            hint="split it into one file per volume",
        )
    return (sizes[2], sizes[1], sizes[0])


def _stored_type(header: _Header) -> DType:
    name = (header.get("ElementType") or "").upper()
    if name not in _TYPES or header.numbers("ElementNumberOfChannels") not in (None, [1.0]):
        raise UnreadableSeriesError(
            "voxels with several channels, or of a type that is no number",
            code="not_scalar",
            hint="export one number a voxel",
        )
    if header.get("BinaryData") is not None and not header.is_true("BinaryData"):
        raise _broken("voxels written as text are not read")
    is_big = header.is_true("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    return np.dtype(_TYPES[name]).newbyteorder(">" if is_big else "<")


def _grid(header: _Header, shape: Shape) -> Geometry:
    n_axes = int((header.numbers("NDims") or [3])[0])
    rows = header.numbers("TransformMatrix", "Rotation", "Orientation")
    spacing = header.numbers("ElementSpacing", "ElementSize")
    origin = header.numbers("Offset", "Position", "Origin") or [0.0] * n_axes
    if rows is None or spacing is None:
        raise UnreadableSeriesError(
            "the header has no TransformMatrix or no ElementSpacing: the voxels' place in the "
            "patient is unknown",
            code="no_orientation",
            hint="convert it again from its source",
        )
    if (len(rows), len(spacing), len(origin)) != (n_axes**2, n_axes, n_axes):
        raise _broken("the header's TransformMatrix, ElementSpacing or Offset make no sense")
    directions = np.reshape(rows, (n_axes, n_axes))[:3, :3].T
    with np.errstate(all="ignore"):  # noise gives axes that are not usable, nothing worse
        axes_mm = directions * spacing[:3]
    return grid_of_axes(shape, axes_mm, np.array(origin[:3]))


def _read_data(
    file: io.BufferedReader, start: int, header: _Header, claim: Claim, limits: Limits
) -> AnyArray:
    is_compressed = header.is_true("CompressedData")
    header_bytes = (header.numbers("HeaderSize") or [0.0])[0]
    if header_bytes == FROM_THE_END and not is_compressed:
        start, header_bytes = max(size_of(file) - claim.stored_bytes, 0), 0.0
    if not 0 <= header_bytes < LARGEST_SKIP_BYTES:
        raise _broken("the header's HeaderSize makes no sense")
    return read_claimed(
        file,
        claim,
        limits,
        start=start + int(header_bytes),
        compression=ZLIB if is_compressed else None,
    )


def write_metaimage(path: Path, image: Volume | LabelMap) -> None:
    """Write a compressed ``.mha``, by the types of :func:`~lesionary.io.nifti.write_nifti`.

    Directions and spacings are written with all digits. The same image gives the same bytes.
    """
    stored = storage_type(image)
    geometry = image.geometry
    directions = geometry.directions[:, ::-1].T
    head = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        "CompressedDataSize = ",
    ]
    tail = [
        "",
        f"TransformMatrix = {_words(directions.ravel())}",
        f"Offset = {_words(geometry.affine[:3, 3])}",
        "CenterOfRotation = 0 0 0",
        f"ElementSpacing = {_words(geometry.spacing_mm[::-1])}",
        "DimSize = " + " ".join(str(n) for n in geometry.shape[::-1]),
        f"ElementType = {_NAME_OF_TYPE[stored.str[1:]]}",
        f"ElementDataFile = {_LOCAL}\n",
    ]
    with path.open("wb") as file:
        file.write("\n".join(head).encode("ascii"))
        size_at = file.tell()
        file.write(("0" * _SIZE_DIGITS + "\n".join(tail)).encode("ascii"))
        data_at = file.tell()
        with deflating(file, "zlib") as deflater:
            for part in stored_slices(image, stored):
                deflater.write(part)
        n_bytes = file.tell() - data_at
        file.seek(size_at)
        file.write(f"{n_bytes:0{_SIZE_DIGITS}d}".encode("ascii"))


def _words(numbers: "AnyArray | tuple[float, ...]") -> str:
    return " ".join(repr(float(number)) for number in numbers)
