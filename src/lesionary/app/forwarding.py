"""Send what was received and de-identified on to a DICOMweb server, such as Orthanc.

Objects wait on the disk, not in memory, so a server that is down loses nothing: a ledger in the
study says what it has, and the next start sends the rest.
"""

import hashlib
import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from lesionary.core.errors import LesionaryError
from lesionary.io.dicomweb.client import DicomWeb, Stowed
from lesionary.io.dicomweb.http import Server
from lesionary.io.ledger import Ledger
from lesionary.io.received import ReceivedFiles

_MOST_BATCH_BYTES = 16 * 1024 * 1024
_MOST_BATCH = 50
_ID_DIGITS = 12


class Target(Protocol):
    """Where objects go."""

    def store(self, objects: list[list[bytes]]) -> Stowed:
        """Store objects; say which were stored and which refused."""
        ...


@dataclass(slots=True)
class Forwarded:
    """What became of what was to be sent on.

    Parameters
    ----------
    n_sent, n_refused, n_waiting : int
        Stored by the server, refused by it for good, and not sent yet.
    problem : str
        Why the server could not be spoken with, the last time; empty where it could.
    """

    n_sent: int = 0
    n_refused: int = 0
    n_waiting: int = 0
    problem: str = ""

    def document(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "sent": self.n_sent,
            "refused": self.n_refused,
            "waiting": self.n_waiting,
            "problem": self.problem or None,
        }


class Forwarder:
    """Sends in a thread of its own; use as a context manager.

    Parameters
    ----------
    files : ReceivedFiles
        What lies there and is not in the ledger is sent first.
    url : str
        Names the ledger.
    target : Target
    pause_s : float
        How long a server that is gone is left alone.
    """

    def __init__(
        self, files: ReceivedFiles, url: str, target: Target, *, pause_s: float = 30.0
    ) -> None:
        self.report = Forwarded()
        self._target = target
        self._pause_s = pause_s
        self._ledger = Ledger(files.folder / f".forwarded-{_id_of(url)}")
        self._stored = files.stored
        self._waiting: queue.Queue[Path | None] = queue.Queue()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @classmethod
    def to_server(cls, files: ReceivedFiles, server: Server) -> "Forwarder":
        """Return what sends to a DICOMweb server."""
        return cls(files, server.url, _Web(server))

    def __enter__(self) -> Self:
        for path in self._stored():
            if path.stem not in self._ledger:
                self.add(path)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Send what waits, unless the server is gone; then it stays for the next time."""
        self._is_over.set()
        self._waiting.put(None)
        self._thread.join()
        self.report.n_waiting = sum(path is not None for path in _emptied(self._waiting))

    def add(self, path: Path) -> None:
        """Have a stored object sent."""
        self._waiting.put(path)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._batch()
            while batch:
                batch = self._sent(batch)
                if batch and self._is_over.wait(self._pause_s):
                    for path in batch:
                        self._waiting.put(path)
                    return

    def _batch(self) -> tuple[list[Path], bool]:
        batch: list[Path] = []
        n_bytes = 0
        path = self._waiting.get()
        while path is not None:
            if path.stem not in self._ledger and path.is_file():
                batch.append(path)
                n_bytes += path.stat().st_size
            if n_bytes > _MOST_BATCH_BYTES or len(batch) >= _MOST_BATCH:
                return batch, False
            try:
                path = self._waiting.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _sent(self, batch: list[Path]) -> list[Path]:
        """Send a batch; return what must be sent again."""
        try:
            stowed = self._target.store([[path.read_bytes()] for path in batch])
        except LesionaryError as error:
            self.report.problem = error.message
            return batch
        self.report.problem = ""
        done = [path for path in batch if path.stem in stowed.stored]
        refused = [path for path in batch if path.stem in stowed.refused]
        self._ledger.add(path.stem for path in done)
        self.report.n_sent += len(done)
        self.report.n_refused += len(refused)
        unnamed = set(batch) - set(done) - set(refused)
        if unnamed:
            self.report.problem = "the server's answer names not all objects"
        return sorted(unnamed) if len(unnamed) < len(batch) else _given_up(self.report, unnamed)


class _Web:
    """A DICOMweb server as a target."""

    def __init__(self, server: Server) -> None:
        self._client = DicomWeb(server)

    def store(self, objects: list[list[bytes]]) -> Stowed:
        """Store objects."""
        return self._client.store(objects)


def _given_up(report: Forwarded, unnamed: Iterable[Path]) -> list[Path]:
    """Count objects that an answer does not name at all as refused: they would wait for ever."""
    report.n_refused += sum(1 for _ in unnamed)
    return []


def _emptied(waiting: "queue.Queue[Path | None]") -> Iterable[Path | None]:
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return


def _id_of(url: str) -> str:
    return hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:_ID_DIGITS]
