"""Where received objects lie: ``received/SERIES/INSTANCE.dcm``, by their new names, de-identified.

A file is written whole under a hidden name, flushed, and only then given its name; when ``put``
returns, a power cut does not take it away. Several processes may write at once: a name is given
once, and what has it is never replaced.
"""

import errno
import os
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError
from lesionary.io.arrivals import (
    QUIET_S,
    RECEIVER_LOCK,
    Arrivals,
    arriving_series,
    clear_arrivals,
)
from lesionary.io.durable import (
    PARTIAL,
    flush_to_disk,
    make_folder,
    partial_name,
    write_bytes,
    writing,
)
from lesionary.io.lock import shared
from lesionary.io.study_files import clear_partial

FOLDER = "received"
PATIENTS = "received.patients"
"""A folder with a file a patient: its name is the vault's number, its content a keyed hash."""

SUFFIX = ".dcm"

_UID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_LONGEST_UID = 64
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def with_waiting(document: dict[str, Any], root: Path) -> dict[str, Any]:
    """Return the registry's status with how many received objects are stored, and how many wait.

    ``arriving`` counts those whose series is still being sent: ``ingest --received`` leaves them.

    Parameters
    ----------
    document : dict
        As :func:`lesionary.io.registry.status.read_status` returns it.
    root : Path
        The study's folder.
    """
    files = ReceivedFiles(root)
    stored, ingested = files.count(), document["received"]["ingested"]
    waiting = max(0, stored - ingested)
    arriving = files.arriving()
    return document | {
        "received": {"stored": stored, "waiting": waiting},
        "arriving": {"series": len(arriving), "objects": files.count(arriving)},
    }


class Put(StrEnum):
    """What became of a file that was to be stored."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


class ReceivedFiles:
    """The received objects of one study; threads may share it.

    Parameters
    ----------
    root : Path
        The study's folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.arrivals = Arrivals(root)
        self._naming = threading.Lock()
        self._flushes: dict[Path, _Flush] = {}
        self._patients: set[str] = set()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Be one of the processes that store here; the first clears what a killed one left.

        Raises
        ------
        WorkflowError
            Code ``not_writable``.
        """
        make_folder(self.folder, below=self.root.parent)
        with shared(self.root / RECEIVER_LOCK, first=self._clear_leftovers):
            yield

    def place_of(self, series_instance_uid: str, sop_instance_uid: str) -> Path:
        """Return where an object goes.

        Raises
        ------
        InputError
            Code ``no_uid``, unless both are UIDs.
        """
        for uid in (series_instance_uid, sop_instance_uid):
            if len(uid) > _LONGEST_UID or not _UID.fullmatch(uid):
                raise InputError(
                    "the object lacks a UID of its own or of its series", code="no_uid"
                )
        return self.folder / series_instance_uid / f"{sop_instance_uid}{SUFFIX}"

    def put(self, path: Path, pieces: "Sequence[bytes | memoryview]") -> Put:
        """Store a file that is not there yet, so that it stays.

        Parameters
        ----------
        path : Path
            As ``place_of`` returned it.
        pieces : sequence of bytes-like

        Returns
        -------
        Put
            ``OTHER`` where another content has that name: nothing is changed then.

        Raises
        ------
        WorkflowError
            Code ``not_writable``; nothing is left behind.
        """
        make_folder(path.parent, below=self.root)
        with writing(path.parent):
            if path.exists():
                return self._compared(path, pieces)
            temporary = partial_name(path)
            try:
                _write(temporary, pieces)
                if not self._give_name(temporary, path):
                    return self._compared(path, pieces)
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
            self._flush(path.parent)
        return Put.NEW

    def note_patient(self, number: str, identity_hash: str) -> None:
        """Remember by which keyed hash a study knows the patient of a number.

        Raises
        ------
        WorkflowError
            Code ``not_writable``.
        """
        path = self.root / PATIENTS / number
        if identity_hash and number not in self._patients:
            make_folder(path.parent, below=self.root)
            if not path.exists():
                write_bytes(path, identity_hash.encode("ascii"))
            self._patients.add(number)

    def patients(self) -> dict[int, str]:
        """Return the keyed hashes of patients, by the vault's numbers."""
        noted = (self.root / PATIENTS).glob("[0-9]*")
        return {int(path.name): path.read_text(encoding="ascii") for path in noted}

    def stored(self) -> Iterator[Path]:
        """Yield all stored files, series by series."""
        for series in sorted(self.folder.glob("[0-9]*")):
            yield from sorted(series.glob(f"[0-9]*{SUFFIX}"))

    def arriving(self, quiet_s: float = QUIET_S) -> frozenset[str]:
        """Return the UIDs of stored series of which more may come, as ``arrivals`` judges it."""
        stored = {path.name for path in self.folder.glob("[0-9]*")}
        return arriving_series(self.root, self.folder, quiet_s) & stored

    def divided(self, quiet_s: float = QUIET_S) -> tuple[list[Path], list[Path]]:
        """Return the stored files of series that are whole, and of those of which more may come.

        Files are listed until none of a whole series came while it was asked which are whole.
        """
        before = list(self.stored())
        while True:
            series = self.arriving(quiet_s)
            stored = list(self.stored())
            whole = [path for path in stored if path.parent.name not in series]
            if quiet_s <= 0 or whole == [one for one in before if one.parent.name not in series]:
                return whole, [path for path in stored if path.parent.name in series]
            before = stored

    def count(self, series: Collection[str] | None = None) -> int:
        """Return how many files are stored, of some series or of all, by their names alone."""
        try:
            with os.scandir(self.folder) as found:
                paths = {entry.name: entry.path for entry in found if entry.name[:1].isdigit()}
        except FileNotFoundError:
            return 0
        counted = (path for name, path in paths.items() if series is None or name in series)
        return sum(_n_instances(path) for path in counted)

    def _compared(self, path: Path, pieces: "Sequence[bytes | memoryview]") -> Put:
        self._flush(path.parent)  # another may have named it a moment ago
        return Put.SAME if path.read_bytes() == b"".join(pieces) else Put.OTHER

    def _give_name(self, temporary: Path, path: Path) -> bool:
        """Give a file its name unless another has it; tell whether it has it now."""
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            with self._naming:  # a disk without hard links: safe among this process's threads
                if path.exists():
                    return False
                temporary.replace(path)
        return True

    def _flush(self, folder: Path) -> None:
        with self._naming:
            flush = self._flushes.setdefault(folder, _Flush(folder))
        flush.wait()

    def _clear_leftovers(self) -> None:
        clear_arrivals(self.root)
        clear_partial(self.folder)
        for series in self.folder.iterdir():
            if series.is_dir() and not series.name.startswith(PARTIAL):
                clear_partial(series)


class _Flush:
    """Flushes one folder for all who wait at the same time: one flush serves them together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counting, self._flushing = threading.Lock(), threading.Lock()
        self._n_asked = 0
        self._n_done = 0

    def wait(self) -> None:
        """Return once the folder's entries of this moment are on the disk."""
        mine = self._count()
        with self._flushing:
            if self._n_done >= mine:
                return
            with self._counting:
                n_asked = self._n_asked
            flush_to_disk(self._folder)
            self._n_done = n_asked

    def _count(self) -> int:
        with self._counting:
            self._n_asked += 1
            return self._n_asked


def _n_instances(series: str) -> int:
    with os.scandir(series) as found:
        return sum(entry.name[:1].isdigit() and entry.name.endswith(SUFFIX) for entry in found)


def _write(path: Path, pieces: "Sequence[bytes | memoryview]") -> None:
    with path.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
