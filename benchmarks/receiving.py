"""500 CT slices over the network (row 13): sent by dcmtk, received, without identity, on the disk.

Sender and receiver share one machine and its loopback. Both peers run in a network namespace of
their own, for they listen on every address, and their sender goes in there to them. They store what
comes as it comes.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ct_files import N_SENT, TOKENS, n_leaked
from benchmarks.lasting import emptied, own_folder, until_end
from benchmarks.race import AtMost, Contestant, Inputs, Row

MOST_S = 4.0
SLICES = f"ct_{N_SENT}"
PDU_BYTES = 131_072
SLICE_BYTES = 2 * 512 * 512
_PORT = 11_112
_START_S = 30.0
_NOT_HERE = "it is not here, or there is no right to make a network namespace"


class Place:
    """Where a receiver listens and what it stores.

    Parameters
    ----------
    ae_title : str
    port : int
    stored : callable
        Returns the stored files' contents, one by one.
    inside : int, optional
        The process in whose network namespace it listens.
    release : str, optional
        Version of a program that is no Python package.
    """

    def __init__(
        self,
        ae_title: str,
        port: int,
        stored: Callable[[], Iterator[bytes]],
        inside: int | None = None,
        release: str = "",
    ) -> None:
        self.stored, self.release = stored, release
        self._peer = ["--call", ae_title, "127.0.0.1", str(port)]
        self._entry = [] if inside is None else ["nsenter", f"--net=/proc/{inside}/ns/net"]

    def talk(self, tool: str, *options: str | Path) -> "subprocess.CompletedProcess[bytes]":
        """Run one of dcmtk's senders to its end."""
        from tests.servers.dcmtk import FAST

        command = [*self._entry, "env", *(f"{key}={value}" for key, value in FAST.items()), tool]
        places = [str(option) for option in options if isinstance(option, Path)]
        words = [option for option in options if isinstance(option, str)]
        command += [*words, *self._peer, *places]
        return subprocess.run(command, capture_output=True, check=False)  # noqa: S603

    def is_there(self) -> bool:
        """Tell whether it answers."""
        return self.talk("echoscu").returncode == 0


def send(place: Place, source: Path) -> Place:
    """Send all slices in one association; every one must be answered with success."""
    done = place.talk("storescu", "--scan-directories", source)
    if done.returncode:
        raise RuntimeError("not all were taken")
    return place


def told(place: Place) -> str:
    """Say how many files are stored, and what they tell."""
    contents = list(place.stored())
    said = f"{len(contents)} stored, {n_leaked(contents)} of {len(TOKENS)} tokens in them"
    return f"{said}; version {place.release}" if place.release else said


def _slices(folder: Path) -> Callable[[], Iterator[bytes]]:
    """Return what reads all files that hold a slice, one by one; an index is none."""
    return lambda: (
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and SLICE_BYTES < path.stat().st_size < 2 * SLICE_BYTES
        if not path.name.startswith("index")
    )


class Lesionary:
    """``lesionary listen`` into a new study each time."""

    def __init__(self) -> None:
        self._folder = own_folder()
        self._server: Any = None

    def anew(self) -> Place:
        """Start it on an empty study."""
        from tests.servers.listening import Listening

        self.close()
        study = emptied(self._folder) / "study"
        command = [sys.executable, "-m", "lesionary", "new", str(study)]
        vault = self._folder / "vault" / "vault.db"
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        self._server = Listening(study, "--vault", vault)
        return Place("LESIONARY", self._server.port, _slices(study / "received"))

    def close(self) -> None:
        """Kill it."""
        if self._server is not None:
            self._server.kill()


class Peer:
    """Another receiver in a network namespace of its own, into an empty folder each time.

    Parameters
    ----------
    ae_title : str
    command : callable
        Gets an empty folder, and returns the command that receives into its ``stored``.
    """

    def __init__(self, ae_title: str, command: Callable[[Path], str]) -> None:
        self._ae_title, self._command = ae_title, command
        self._folder = own_folder() / "receiver"
        self._server: subprocess.Popen[bytes] | None = None

    def anew(self) -> Place:
        """Start it, and wait until it answers."""
        from tests.servers.processes import wait_until

        self.close()
        folder = emptied(self._folder)
        (folder / "stored").mkdir()
        script = f"ip link set lo up && exec env TCP_NODELAY=1 {self._command(folder)}"
        command = ["unshare", "--net", "sh", "-c", script]
        self._server = subprocess.Popen(command, env=_environment())  # noqa: S603
        stored, program = _slices(folder / "stored"), self._command(folder).split()[0]
        place = Place(self._ae_title, _PORT, stored, self._server.pid, release_of(program))
        if not wait_until(place.is_there, _START_S):
            raise RuntimeError(_NOT_HERE)
        return place

    def close(self) -> None:
        """Kill it."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()


def release_of(program: str) -> str:
    """Return a program's version, as it tells it itself."""
    command = [program, "--version"]
    said = subprocess.run(  # noqa: S603
        command, env=_environment(), capture_output=True, text=True, check=False
    )
    found = re.search(r"[0-9]+(\.[0-9]+)+", said.stdout)
    return found.group() if found else ""


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"}


def storescp(folder: Path) -> str:
    """Return dcmtk's command."""
    return f"storescp --max-pdu {PDU_BYTES} --output-directory '{folder}/stored' {_PORT}"


def orthanc(folder: Path) -> str:
    """Return Orthanc's command; its usual settings sync each file to the disk."""
    settings = {
        "StorageDirectory": f"{folder}/stored",
        "IndexDirectory": f"{folder}/stored",
        "DicomPort": _PORT,
        "DicomAet": "ORTHANC",
        "DicomAlwaysAllowStore": True,
        "AuthenticationEnabled": False,
        "RegisteredUsers": {},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    return f"Orthanc '{folder}/orthanc.json'"


@contextmanager
def _closed(server: Any) -> Iterator[Any]:
    try:
        yield server
    finally:
        server.close()


def prepared(kind: Callable[[], Any], ct_500: Path) -> Inputs:
    """Give a receiver that ends with this process."""
    return {"server": until_end(_closed(kind())), "source": ct_500}


def renewed(server: Any, source: Path) -> Inputs:
    """Give a receiver that has received nothing."""
    return {"place": server.anew(), "source": source}


ROW_13 = Row(
    "13",
    "500 CT slices over the network onto the disk",
    (SLICES,),
    (
        Contestant(
            "lesionary listen",
            send,
            "identity taken out in memory; each file synced before its sender is told",
            ("pynetdicom", "pydicom"),
            prepare=partial(prepared, Lesionary),
            renew=renewed,
            answer=told,
            is_elsewhere=True,
            is_ours=True,
        ),
        Contestant(
            "Orthanc",
            send,
            "stored as it came, indexed, synced",
            prepare=partial(prepared, partial(Peer, "ORTHANC", orthanc)),
            renew=renewed,
            answer=told,
            is_elsewhere=True,
            is_partial=True,
        ),
        Contestant(
            "dcmtk storescp",
            send,
            "stored as it came; not synced",
            prepare=partial(prepared, partial(Peer, "STORESCP", storescp)),
            renew=renewed,
            answer=told,
            is_elsewhere=True,
            is_partial=True,
        ),
    ),
    (AtMost(MOST_S),),
    about=(
        "Sent in one association by dcmtk's `storescu` with `TCP_NODELAY=1`; the time is the "
        "sender's, from its start to its end."
    ),
)
ROWS = (ROW_13,)
