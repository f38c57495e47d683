"""The object store: immutable volumes and label maps, named by their content.

An object's id is the SHA-256 of its canonical header and its raw little-endian arrays, never of the
compressed bytes, so a better compressor changes no name. :mod:`lesionary.io.object_file` says how
an object lies on the disk; :mod:`lesionary.io.garbage` how what no row names is removed.

Two processes may put the same object at once: each writes a file of its own and renames it, the
second over the first. A ``put`` that finds its object there trusts it where
:func:`~lesionary.io.object_file.looks_whole` does, and makes its file young, so that no garbage
collection takes it before a row names it; else it writes the object anew.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lesionary.core.errors import InputError, UnreadableSeriesError
from lesionary.core.identity import canonical_json, digest
from lesionary.core.volume import AnyArray, LabelMap, Quantity, Volume
from lesionary.io.durable import make_folder, replacing
from lesionary.io.object_file import looks_whole, raw_bytes, read_object, write_object
from lesionary.io.object_header import (
    LABELS,
    VOLUME,
    ObjectHeader,
    damages,
    geometry_of,
    grid_fields,
)

_ID = re.compile(r"[0-9a-f]{64}")
_SHELF = re.compile(r"[0-9a-f]{2}")
_COPY_BYTES = 1 << 20


def is_object_id(name: str) -> bool:
    """Tell whether ``name`` can be an object's."""
    return _ID.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Objects below ``root``, as ``ab/cdef…``.

    Parameters
    ----------
    root : Path
        The folder; made at the first ``put``, in a folder that is there.
    verifies : bool
        Whether every ``get`` compares the content with the name, not only where it is asked to.
    """

    root: Path
    verifies: bool = False

    def path_of(self, object_id: str) -> Path:
        """Return where an object lies.

        Raises
        ------
        InputError
            Code ``object_id``, if this is no object's name.
        """
        if not is_object_id(object_id):
            raise InputError("this is no name of an object", code="object_id", source=object_id)
        return self.root / object_id[:2] / object_id[2:]

    def has(self, object_id: str) -> bool:
        """Tell whether the object is there."""
        return self.path_of(object_id).is_file()

    def size_of(self, object_id: str) -> int:
        """Return the bytes that the object takes on the disk.

        Raises
        ------
        UnreadableSeriesError
            Code ``object_missing``.
        """
        with _reading(object_id):
            return self.path_of(object_id).stat().st_size

    def shelves(self) -> Iterator[Path]:
        """Give the folders that hold objects, by name; at most 256."""
        if self.root.is_dir():
            yield from sorted(f for f in self.root.iterdir() if is_shelf(f))

    def list_ids(self) -> Iterator[str]:
        """Give the names of all objects in their order; memory is that of one shelf."""
        for shelf in self.shelves():
            names = (shelf.name + entry.name for entry in os.scandir(shelf))
            yield from sorted(name for name in names if is_object_id(name))

    def put_volume(self, volume: Volume) -> str:
        """Store a volume and return its id; see :meth:`put_label_map`."""
        header = grid_fields(VOLUME, volume.geometry) | {
            "modality": volume.modality,
            "quantity": volume.quantity.value,
        }
        arrays = [volume.array]
        if volume.invalid is not None:
            arrays.append(np.packbits(volume.invalid.reshape(-1)))
        return self._put(header, arrays)

    def get_volume(self, object_id: str, *, check: bool = False) -> Volume:
        """Read a volume back; see :meth:`get_label_map`."""
        with _reading(object_id):
            header, arrays = self._get(object_id, VOLUME, check=check)
            geometry = geometry_of(header)
            array = arrays[0].reshape(geometry.shape)
            invalid = None
            if len(arrays) > 1:
                bits = np.unpackbits(arrays[1], count=geometry.n_voxels)
                invalid = bits.view(np.bool_).reshape(geometry.shape)
            quantity = Quantity(header.fields["quantity"])
            return Volume(array, geometry, str(header.fields["modality"]), quantity, invalid)

    def put_label_map(self, labels: LabelMap) -> str:
        """Store a label map with its texts and return its id.

        When this returns, the object and its name are on the disk.

        Raises
        ------
        WorkflowError
            Code ``not_writable``: a full disk, no permission. Nothing half-written is left.
        """
        header = grid_fields(LABELS, labels.geometry) | {
            "labels": {str(value): text for value, text in sorted(labels.labels.items())}
        }
        return self._put(header, [labels.array])

    def get_label_map(self, object_id: str, *, check: bool = False) -> LabelMap:
        """Read a label map back.

        Parameters
        ----------
        object_id : str
            Its name.
        check : bool
            Whether to compare the content with the name, in the same pass.

        Raises
        ------
        UnreadableSeriesError
            Code ``object_missing``, ``object_changed`` where the file is no whole object or, if
            checked, another one's, or ``unreadable`` where it is a volume.
        """
        with _reading(object_id):
            header, arrays = self._get(object_id, LABELS, check=check)
            geometry = geometry_of(header)
            texts = {int(value): str(text) for value, text in header.fields["labels"].items()}
            return LabelMap(arrays[0].reshape(geometry.shape), geometry, texts)

    def verify(self, object_id: str) -> None:
        """Raise :class:`UnreadableSeriesError` unless the object's content still has its name.

        One pass, and a few MB of memory whatever the object's size.
        """
        if self.name_within(object_id) != object_id:
            raise _changed(object_id)

    def name_within(self, object_id: str) -> str:
        """Return the name that the content of the file of ``object_id`` should have.

        Raises
        ------
        UnreadableSeriesError
            Code ``object_missing``; ``object_changed`` where it is no whole object at all.
        """
        with _reading(object_id), self.path_of(object_id).open("rb") as file:
            return str(read_object(file, hashes=True, keeps=False)[2])

    def adopt(self, object_id: str, source: BinaryIO) -> bool:
        """Take in the file of an object from elsewhere, byte by byte; False if it is here already.

        Raises
        ------
        UnreadableSeriesError
            Code ``object_changed``, if it is not the object of this name; nothing is taken then.
        WorkflowError
            Code ``not_writable``.
        """
        path = self.path_of(object_id)
        if path.is_file() and self._is_sound(object_id) and _made_young(path):
            return False
        make_folder(path.parent, below=self.root.parent)
        with replacing(path) as temporary:
            with temporary.open("wb") as file:
                while piece := source.read(_COPY_BYTES):
                    file.write(piece)
            with _reading(object_id), temporary.open("rb") as file:
                if read_object(file, hashes=True, keeps=False)[2] != object_id:
                    raise _changed(object_id)
        return True

    def _is_sound(self, object_id: str) -> bool:
        try:
            self.verify(object_id)
        except UnreadableSeriesError:
            return False
        return True

    def _put(self, header: dict[str, Any], arrays: Sequence[AnyArray]) -> str:
        raws = [_little_endian(array) for array in arrays]
        header["arrays"] = [{"dtype": raw.dtype.str, "size": int(raw.size)} for raw in raws]
        header_bytes = canonical_json(header)
        object_id = digest([header_bytes, *(raw_bytes(raw).data for raw in raws)])
        path = self.path_of(object_id)
        n_raw_bytes = sum(raw.nbytes for raw in raws)
        if looks_whole(path, header_bytes, n_raw_bytes) and _made_young(path):
            return object_id
        make_folder(path.parent, below=self.root.parent)
        with replacing(path) as temporary, temporary.open("wb") as file:
            write_object(file, header_bytes, raws)
        return object_id

    def _get(
        self, object_id: str, kind: str, *, check: bool
    ) -> tuple[ObjectHeader, list[AnyArray]]:
        hashes = check or self.verifies
        with self.path_of(object_id).open("rb") as file:
            header, arrays, name = read_object(file, hashes=hashes)
        if name is not None and name != object_id:
            raise _changed(object_id)
        if header.kind != kind:
            raise UnreadableSeriesError(f"the object is no {kind}", source=object_id)
        return header, arrays


def is_shelf(folder: Path) -> bool:
    """Tell whether this is a folder ``ab`` that holds objects."""
    return _SHELF.fullmatch(folder.name) is not None and folder.is_dir()


@contextmanager
def _reading(object_id: str) -> Iterator[None]:
    """Say in words why an object cannot be read."""
    try:
        yield
    except UnreadableSeriesError:
        raise
    except FileNotFoundError as error:
        raise UnreadableSeriesError(
            "an object is missing from the study",
            code="object_missing",
            hint="restore it from a backup, or ingest its source again",
            source=object_id,
        ) from error
    except PermissionError as error:
        raise UnreadableSeriesError(
            "an object of the study may not be read by you",
            code="not_readable",
            hint="see to the permissions of the study's folder",
            source=object_id,
        ) from error
    except damages() as error:
        raise _changed(object_id) from error


def _changed(object_id: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(
        "an object's content no longer matches its name",
        code="object_changed",
        hint="restore it from a backup, or ingest its source again",
        source=object_id,
    )


def _made_young(path: Path) -> bool:
    """Give a file the present time; False where that is refused, or the file goes meanwhile.

    It is looked for once more behind the touch: a collection may have put it aside between.
    """
    try:
        os.utime(path)
        path.stat()
    except OSError:
        return False
    return True


def _little_endian(array: AnyArray) -> AnyArray:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
