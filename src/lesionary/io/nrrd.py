"""NRRD images, one file or header and data: read with suspicion, written the same every time.

Axes come fastest first in the header, which is ``(i, j, k)``; spaces other than LPS are turned
into it. A segmentation of 3D Slicer (``.seg.nrrd``) of one layer is a label map with names.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import AnyArray, FloatArray, Geometry, LabelMap, Volume
from lesionary.ingest.file_gate import grid_of_axes
from lesionary.ingest.file_image import FileImage
from lesionary.io.gzip_stream import BZIP2, GZIP, Compression, deflating
from lesionary.io.limits import Limits
from lesionary.io.opening import detached_file, opened, size_of
from lesionary.io.voxels import (
    Claim,
    DType,
    Shape,
    read_claimed,
    storage_type,
    stored_slices,
)

LARGEST_HEADER_BYTES = 1 << 20
LARGEST_SKIP_BYTES = 1 << 30
FROM_THE_END = -1
"""A byte skip that means: the voxels are the last bytes of the file."""

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": (
        "longlong", "long long", "long long int", "signed long long", "signed long long int",
        "int64", "int64_t",
    ),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}  # fmt: skip
_TYPE_OF_NAME = {name: code for code, names in _TYPES.items() for name in names}
_NAME_OF_TYPE = {"u1": "uint8", "u2": "uint16", "i2": "int16", "f4": "float"}

_ENCODINGS: Mapping[str, Compression | None] = {
    "raw": None, "gzip": GZIP, "gz": GZIP, "bzip2": BZIP2, "bz2": BZIP2,
}  # fmt: skip
_SIGNS_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_MM_PER_UNIT = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1e3, "um": 1e-3, "µm": 1e-3, "": 1.0}
_VECTOR = re.compile(r"none|\(([^()]*)\)")
_SEGMENT_VALUE = re.compile(r"(Segment\d+)_LabelValue")
_N = TypeVar("_N", int, float)


@dataclass(frozen=True, slots=True)
class _Header:
    fields: Mapping[str, str]
    pairs: Mapping[str, str]
    end: int

    def get(self, *names: str) -> str | None:
        return next((self.fields[name] for name in names if name in self.fields), None)

    def require(self, name: str) -> str:
        value = self.fields.get(name)
        if value is None:
            raise _broken(f"the NRRD header has no field '{name}'")
        return value


def read_nrrd(path: Path, *, limits: Limits | None = None) -> FileImage:
    """Read one volume from a ``.nrrd``, ``.seg.nrrd`` or ``.nhdr`` file.

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
        claim, geometry = _claim_and_grid(header)
        data_name = header.get("data file", "datafile")
        if data_name is None:
            array = _read_data(file, header.end, header, claim, limits or Limits())
            return FileImage(array, geometry, _segment_names(header.pairs))
    if data_name.upper().startswith("LIST") or "%" in data_name:
        raise _broken("the header spreads its voxels over several data files")
    with opened(detached_file(path, data_name)) as file:
        array = _read_data(file, 0, header, claim, limits or Limits())
    return FileImage(array, geometry, _segment_names(header.pairs))


def _broken(message: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(message, code="not_dicom", hint="convert it to .nii.gz")


def _read_header(file: io.BufferedReader) -> _Header:
    if not file.readline(16).startswith(b"NRRD000"):
        raise _broken("this is no NRRD header")
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    while file.tell() < LARGEST_HEADER_BYTES:
        raw = file.readline(LARGEST_HEADER_BYTES)
        line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        if not raw and not fields.keys() & {"data file", "datafile"}:
            raise UnreadableSeriesError(
                "the file ends within its header",
                code="truncated",
                hint="copy the file again from where it came",
            )
        if not line:  # an empty line ends the header, and so does the end of a detached one
            return _Header(fields, pairs, file.tell())
        if line.startswith("#"):
            continue
        key, is_pair, value = line.partition(":=")
        if is_pair and ": " not in key:
            pairs[key.strip()] = value.strip()
        else:
            key, _, value = line.partition(":")
            fields[key.strip().lower()] = value.strip()
    raise _broken("the NRRD header does not end")


def _claim_and_grid(header: _Header) -> tuple[Claim, Geometry]:
    sizes = _numbers(header.require("sizes"), int)
    if min(sizes, default=0) < 1 or len(sizes) != _number(header.require("dimension"), int):
        raise _broken("the header's sizes make no sense")
    vectors = _vectors(header, sizes)
    spatial = [axis for axis, vector in enumerate(vectors) if vector is not None]
    if len(spatial) != 3 or any(n > 1 for axis, n in enumerate(sizes) if axis not in spatial):
        raise _not_one_volume(header, sizes)
    i, j, k = spatial
    shape = (sizes[k], sizes[j], sizes[i])
    axes_mm = np.array([vectors[axis] for axis in spatial], dtype=np.float64).T
    return Claim(shape, _stored_type(header)), _grid(header, shape, axes_mm)


def _not_one_volume(header: _Header, sizes: list[int]) -> UnreadableSeriesError:
    extent = " × ".join(map(str, sizes))
    if any(key.startswith("Segment0_") for key in header.pairs):
        return UnreadableSeriesError(
            f"a segmentation of {sizes[0]} layers, whose segments overlap",
            code="not_3d",
            hint="export each segment on its own, or without overlap as one label map",
        )
    return UnreadableSeriesError(
        f"{len(sizes)} axes of {extent}, not one volume",
        code="not_3d",
        hint="split it into one file per volume",
    )


def _vectors(header: _Header, sizes: list[int]) -> list[list[float] | None]:
    text = header.fields.get("space directions")
    if text is None:
        if len(sizes) != 3:
            raise _not_one_volume(header, sizes)
        raise UnreadableSeriesError(
            "the header has no space directions: the voxels' place in the patient is unknown",
            code="no_orientation",
            hint="convert it again from its source",
        )
    found = [
        None if match.group(1) is None else _numbers(match.group(1).replace(",", " "), float)
        for match in _VECTOR.finditer(text)
    ]
    if len(found) != len(sizes) or any(vector is not None and len(vector) != 3 for vector in found):
        raise _broken("the header's space directions make no sense")
    return found


def _grid(header: _Header, shape: Shape, axes: FloatArray) -> Geometry:
    space = (header.fields.get("space") or "").lower()
    if space not in _SIGNS_TO_LPS:
        raise UnreadableSeriesError(
            "the header does not say in which of the patient's directions its axes are given",
            code="no_orientation",
            hint="'space' must be left-posterior-superior, right-anterior-superior "
            "or left-anterior-superior",
        )
    origin = _numbers(re.sub(r"[(),]", " ", header.fields.get("space origin", "0 0 0")), float)
    if len(origin) != 3:
        raise _broken("the header's space origin makes no sense")
    to_lps_mm = np.array(_SIGNS_TO_LPS[space], dtype=np.float64) * _mm_per_unit(header)
    return grid_of_axes(shape, axes * to_lps_mm[:, None], np.array(origin) * to_lps_mm)


def _mm_per_unit(header: _Header) -> float:
    units = set(re.findall(r'"([^"]*)"', header.fields.get("space units", '""')))
    if len(units) != 1 or not units <= _MM_PER_UNIT.keys():
        raise _broken("the header's space units are not understood: mm, cm, m and um are")
    return _MM_PER_UNIT[units.pop()]


def _stored_type(header: _Header) -> DType:
    name = " ".join(header.require("type").lower().split())
    if name not in _TYPE_OF_NAME:
        # What stands in the header is not repeated: it may be anybody's name.
        raise UnreadableSeriesError(
            "the voxels are of a type that is no number",
            code="not_scalar",
            hint="export one number a voxel",
        )
    stored = np.dtype(_TYPE_OF_NAME[name])
    if stored.itemsize == 1:
        return stored
    endian = header.require("endian").lower()
    if endian not in {"little", "big"}:
        raise _broken("the header does not say in which order its bytes are")
    return stored.newbyteorder("<" if endian == "little" else ">")


def _read_data(
    file: io.BufferedReader, start: int, header: _Header, claim: Claim, limits: Limits
) -> AnyArray:
    encoding = header.require("encoding").lower()
    if encoding not in _ENCODINGS:
        raise _broken(f"the voxels' encoding is not read: {', '.join(_ENCODINGS)} are")
    if _number(header.get("line skip", "lineskip") or "0", int):
        raise _broken("a data file with lines to skip is not read")
    n_skipped = _number(header.get("byte skip", "byteskip") or "0", int)
    if n_skipped == FROM_THE_END and _ENCODINGS[encoding] is None:
        start, n_skipped = max(size_of(file) - claim.stored_bytes, 0), 0
    if not 0 <= n_skipped < LARGEST_SKIP_BYTES:
        raise _broken("the header skips a number of bytes that makes no sense")
    return read_claimed(
        file, claim, limits, start=start, n_skipped=n_skipped, compression=_ENCODINGS[encoding]
    )


def _numbers(text: str, kind: type[_N]) -> list[_N]:
    return [_number(word, kind) for word in text.split()]


def _number(word: str, kind: type[_N]) -> _N:
    try:
        return kind(word)
    except ValueError:
        raise _broken("the header has text where a number belongs") from None


def _segment_names(pairs: Mapping[str, str]) -> dict[int, str]:
    """Return value → name of the segments that a segmentation of 3D Slicer lists."""
    names: dict[int, str] = {}
    for key, value in pairs.items():
        match = _SEGMENT_VALUE.fullmatch(key)
        if match and value.isdecimal():
            names[int(value)] = pairs.get(f"{match.group(1)}_Name", "")
    return {value: name for value, name in names.items() if name}


def write_nrrd(path: Path, image: Volume | LabelMap) -> None:
    """Write a gzipped ``.nrrd`` in LPS, by the types of :func:`~lesionary.io.nifti.write_nifti`.

    The affine is written with all digits and comes back to the last bit. The same image gives the
    same bytes.
    """
    stored = storage_type(image)
    affine = image.geometry.affine
    sizes = image.geometry.shape[::-1]
    lines = [
        "NRRD0004",
        f"type: {_NAME_OF_TYPE[stored.str[1:]]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {sizes[0]} {sizes[1]} {sizes[2]}",
        "space directions: " + " ".join(_vector(affine[:3, axis]) for axis in (2, 1, 0)),
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(affine[:3, 3])}",
    ]
    with path.open("wb") as file:
        file.write(("\n".join(lines) + "\n\n").encode("ascii"))
        with deflating(file) as deflater:
            for part in stored_slices(image, stored):
                deflater.write(part)


def _vector(numbers: FloatArray) -> str:
    return "(" + ",".join(repr(float(number)) for number in numbers) + ")"
