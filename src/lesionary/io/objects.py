"""The object store: immutable volumes and label maps, named by their content.

An object's id is the SHA-256 of its canonical header and its raw little-endian arrays, never of the
compressed bytes, so a better compressor changes no name. On disk: a magic, the header's length, the
header as canonical JSON, the arrays gzipped one after the other.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.identity import canonical_json, digest
from lesionary.core.volume import AnyArray, Geometry, LabelMap, Quantity, Volume
from lesionary.io.durable import replacing, writing

MAGIC = b"LSNOBJ1\n"
_LENGTH = struct.Struct("<Q")
_GZIP_LEVEL = 1
_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Objects below ``root``, as ``ab/cdef…``."""

    root: Path

    def path_of(self, object_id: str) -> Path:
        """Return where an object lies."""
        return self.root / object_id[:2] / object_id[2:]

    def has(self, object_id: str) -> bool:
        """Tell whether the object is there."""
        return self.path_of(object_id).is_file()

    def put_volume(self, volume: Volume) -> str:
        """Store a volume and return its id."""
        header = _grid_header("volume", volume.geometry) | {
            "modality": volume.modality,
            "quantity": volume.quantity.value,
        }
        arrays = [volume.array]
        if volume.invalid is not None:
            arrays.append(np.packbits(volume.invalid.reshape(-1)))
        return self._put(header, arrays)

    def get_volume(self, object_id: str) -> Volume:
        """Read a volume back."""
        header, arrays = self._get(object_id, "volume")
        geometry = _geometry(header)
        array = arrays[0].reshape(geometry.shape)
        invalid = None
        if len(arrays) > 1:
            bits = np.unpackbits(arrays[1], count=geometry.n_voxels)
            invalid = bits.view(np.bool_).reshape(geometry.shape)
        return Volume(array, geometry, header["modality"], Quantity(header["quantity"]), invalid)

    def put_label_map(self, labels: LabelMap) -> str:
        """Store a label map with its texts and return its id."""
        header = _grid_header("labels", labels.geometry) | {
            "labels": {str(value): text for value, text in sorted(labels.labels.items())}
        }
        return self._put(header, [labels.array])

    def get_label_map(self, object_id: str) -> LabelMap:
        """Read a label map back."""
        header, arrays = self._get(object_id, "labels")
        geometry = _geometry(header)
        texts = {int(value): text for value, text in header["labels"].items()}
        return LabelMap(arrays[0].reshape(geometry.shape), geometry, texts)

    def verify(self, object_id: str) -> None:
        """Raise :class:`UnreadableSeriesError` unless the object's content still has its name."""
        header_bytes, raws = self._read(object_id)
        if digest([header_bytes, *raws]) != object_id:
            raise UnreadableSeriesError(
                "an object's content no longer matches its name",
                code="object_changed",
                hint="restore it from a backup, or ingest its source again",
                source=object_id,
            )

    def _put(self, header: dict[str, Any], arrays: Sequence[AnyArray]) -> str:
        from isal import igzip

        raws = [_little_endian(array) for array in arrays]
        header["arrays"] = [{"dtype": raw.dtype.str, "size": int(raw.size)} for raw in raws]
        header_bytes = canonical_json(header)
        views = [raw.reshape(-1).view(np.uint8).data for raw in raws]
        object_id = digest([header_bytes, *views])
        path = self.path_of(object_id)
        if path.is_file():
            return object_id
        with writing():
            path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.write(MAGIC + _LENGTH.pack(len(header_bytes)) + header_bytes)
            with igzip.IGzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream:
                for view in views:
                    stream.write(view)
        return object_id

    def _get(self, object_id: str, kind: str) -> tuple[dict[str, Any], list[AnyArray]]:
        header_bytes, raws = self._read(object_id)
        header = json.loads(header_bytes)
        if header["kind"] != kind:
            raise UnreadableSeriesError(f"the object is no {kind}", source=object_id)
        dtypes = [np.dtype(entry["dtype"]) for entry in header["arrays"]]
        return header, [np.frombuffer(raw, d) for raw, d in zip(raws, dtypes, strict=True)]

    def _read(self, object_id: str) -> tuple[bytes, list[bytearray]]:
        from isal import igzip

        try:
            with self.path_of(object_id).open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise ValueError("wrong magic")
                (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
                header_bytes = file.read(length)
                entries = json.loads(header_bytes)["arrays"]
                sizes = [np.dtype(entry["dtype"]).itemsize * entry["size"] for entry in entries]
                with igzip.IGzipFile("", "rb", fileobj=file) as stream:
                    raws = [_read_exactly(stream, size) for size in sizes]
        except FileNotFoundError as error:
            raise UnreadableSeriesError(
                "an object is missing from the study",
                code="object_missing",
                hint="restore it from a backup, or ingest its source again",
                source=object_id,
            ) from error
        except (OSError, EOFError, ValueError, KeyError, struct.error) as error:
            raise UnreadableSeriesError(
                "an object of the study cannot be read",
                code="object_changed",
                hint="restore it from a backup, or ingest its source again",
                source=object_id,
            ) from error
        return header_bytes, raws


def _read_exactly(stream: BufferedIOBase, size: int) -> bytearray:
    raw = bytearray(size)
    view = memoryview(raw)
    while view:
        n_read = stream.readinto(view[:_CHUNK_BYTES])
        if not n_read:
            raise EOFError
        view = view[n_read:]
    return raw


def _little_endian(array: AnyArray) -> AnyArray:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _grid_header(kind: str, geometry: Geometry) -> dict[str, Any]:
    return {
        "kind": kind,
        "shape": list(geometry.shape),
        "affine": [float(value) for value in geometry.affine.reshape(-1)],
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
    }


def _geometry(header: dict[str, Any]) -> Geometry:
    k, j, i = header["shape"]
    return Geometry(
        (k, j, i), np.array(header["affine"]).reshape(4, 4), header["frame_of_reference_uid"]
    )
