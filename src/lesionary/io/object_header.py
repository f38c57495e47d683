"""What an object says of itself, and what of that is believed."""

import json
import math
import re
import struct
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from lesionary.core.volume import Geometry

VOLUME, LABELS = "volume", "labels"
LABEL_DTYPE = np.dtype("<u2")
_BITS_DTYPE = np.dtype("|u1")
_DTYPE = re.compile(r"[<|][biuf][0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class ObjectHeader:
    """What an object says of itself.

    Parameters
    ----------
    raw : bytes
        As it stands in the file: the first part of what the name is the hash of.
    fields : dict
        The same, parsed.
    kind : str
        ``volume`` or ``labels``.
    shape : tuple of int
        ``(k, j, i)``, each at least 1.
    dtypes, sizes : sequences
        Of the arrays: the voxels, and of some volumes the bits of what is invalid.
    """

    raw: bytes
    fields: dict[str, Any]
    kind: str
    shape: tuple[int, int, int]
    dtypes: tuple[np.dtype[Any], ...]
    sizes: tuple[int, ...]

    @property
    def n_raw_bytes(self) -> int:
        """Bytes of all arrays."""
        pairs = zip(self.dtypes, self.sizes, strict=True)
        return sum(dtype.itemsize * size for dtype, size in pairs)


def damages() -> tuple[type[Exception], ...]:
    """Return what reading a damaged, foreign or hostile file raises."""
    from isal import igzip_lib

    parsing = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
    isal_error = cast(type[Exception], igzip_lib.IsalError)
    return (OSError, EOFError, struct.error, isal_error, *parsing)


def parse_header(raw: bytes) -> ObjectHeader:
    """Read a header.

    Raises
    ------
    One of :func:`damages`
        If it is none that Lesionary writes.
    """
    fields = json.loads(raw)
    shape = tuple(_positive(n) for n in fields["shape"])
    k, j, i = shape
    n_voxels = math.prod(shape)
    entries = fields["arrays"]
    dtypes = tuple(_dtype(entry["dtype"]) for entry in entries)
    sizes = tuple(_positive(entry["size"]) for entry in entries)
    is_labels = fields["kind"] == LABELS and dtypes == (LABEL_DTYPE,)
    is_volume = fields["kind"] == VOLUME and dtypes != () and dtypes[1:] in {(), (_BITS_DTYPE,)}
    if not (is_labels or is_volume) or sizes != (n_voxels, -(-n_voxels // 8))[: len(dtypes)]:
        raise ValueError("arrays that do not fit the shape")
    return ObjectHeader(raw, fields, fields["kind"], (k, j, i), dtypes, sizes)


def _positive(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a size that is no positive number")
    return value


def _dtype(name: str) -> np.dtype[Any]:
    if not _DTYPE.fullmatch(name):
        raise ValueError("an array of no number type")
    return np.dtype(name)


def grid_fields(kind: str, geometry: Geometry) -> dict[str, Any]:
    """Return what the headers of both kinds begin with."""
    return {
        "kind": kind,
        "shape": list(geometry.shape),
        "affine": [float(value) for value in geometry.affine.reshape(-1)],
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
    }


def geometry_of(header: ObjectHeader) -> Geometry:
    """Return the grid that an object lies on.

    Raises
    ------
    One of :func:`damages`
        If it is no legal grid.
    """
    affine = np.array(header.fields["affine"], dtype=np.float64).reshape(4, 4)
    frame = header.fields["frame_of_reference_uid"]
    if not isinstance(frame, str | None):
        raise TypeError("a frame of reference that is no text")
    return Geometry(header.shape, affine, frame)
