"""An Orthanc with its DICOMweb plug-in, reachable from this machine only.

Orthanc 1.10 listens on every address, whatever its settings say. So it runs in a network namespace
of its own, where there is nothing but a loopback, and two ports of ours lead into it.
"""

import ctypes
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .processes import LOOPBACK, GuardedFolder, ServerError, tail, wait_until

PACKAGE = "no Orthanc here: install the Debian packages orthanc and orthanc-dicomweb"
NO_RIGHT = "no right to make a network namespace: run the tests on Linux as root"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
AE_TITLE = "ORTHANC"
START_S = 60.0
_HTTP, _DICOM = 8042, 4242
_NEW_NETWORK = 0x40000000
_PIECE = 1 << 16


@cache
def what_is_missing() -> str:
    """Return a sentence on what is missing here, empty where nothing is."""
    if _binary() is None or not PLUGIN.is_file():
        return PACKAGE
    tools = all(shutil.which(tool, path=_PATH) for tool in ("unshare", "ip"))
    command = ["unshare", "--net", "true"]
    if not tools or subprocess.run(command, check=False, capture_output=True).returncode:
        return NO_RIGHT
    return ""


_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _binary() -> str | None:
    return shutil.which("Orthanc", path=_PATH)


class OrthancServer:
    """One Orthanc, empty at its start. As a context manager it starts, and is closed, itself."""

    def __init__(self, *, user: str = "", password: str = "") -> None:
        if lack := what_is_missing():
            raise ServerError(lack)
        self._folder = GuardedFolder("orthanc")
        self._log = self._folder.path / "server.log"
        self._users = {user: password} if user else {}
        self._process: subprocess.Popen[bytes] | None = None
        self._doors: list[_Way] = []
        self.http_port = self.dicom_port = 0

    @property
    def url(self) -> str:
        """The address of its DICOMweb service."""
        return f"http://{LOOPBACK}:{self.http_port}/dicom-web"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop it, and remove its folder."""
        try:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=20)
        finally:
            for way in self._doors:
                way.close()
            self._folder.close()

    def get(self, path: str) -> Any:
        """Return what its own interface says, decoded where it is JSON."""
        return self._ask("GET", path)

    def delete_all(self) -> None:
        """Forget all patients."""
        for patient in self.get("/patients"):
            self._ask("DELETE", f"/patients/{patient}")

    def add(self, content: bytes) -> None:
        """Store a DICOM file."""
        self._ask("POST", "/instances", content)

    def _ask(self, method: str, path: str, content: bytes | None = None) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self.http_port, timeout=30)
        try:
            connection.request(method, path, content)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ServerError(f"Orthanc answers {answer.status} to {method} {path}")
        return json.loads(said) if "json" in answer.getheader("Content-Type", "") else said

    def _start(self) -> None:
        settings = {
            "StorageDirectory": str(self._folder.path / "db"),
            "IndexDirectory": str(self._folder.path / "db"),
            "Plugins": [str(PLUGIN)],
            "HttpPort": _HTTP,
            "DicomPort": _DICOM,
            "DicomAet": AE_TITLE,
            "RemoteAccessAllowed": True,  # in its namespace nobody else is
            "AuthenticationEnabled": bool(self._users),
            "RegisteredUsers": self._users,
            "DicomAlwaysAllowStore": True,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        configuration = self._folder.path / "orthanc.json"
        configuration.write_text(json.dumps(settings), encoding="utf-8")
        script = f'ip link set lo up && exec "{_binary()}" "{configuration}"'
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", script],
                cwd=self._folder.path,
                env=self._folder.environment | {"TCP_NODELAY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not wait_until(self._has_loopback, START_S):
            raise ServerError(f"Orthanc did not start:\n{tail(self._log)}")
        self._doors = [_Way(self._process.pid, port) for port in (_HTTP, _DICOM)]
        self.http_port, self.dicom_port = (way.port for way in self._doors)
        if not wait_until(self._answers, START_S):
            raise ServerError(f"Orthanc did not start:\n{tail(self._log)}")

    def _has_loopback(self) -> bool:
        """Tell whether the process is in its own namespace, and is Orthanc by now."""
        if self._process is None or self._process.poll() is not None:
            raise ServerError(f"Orthanc ended:\n{tail(self._log)}")
        place = Path(f"/proc/{self._process.pid}")
        return (place / "comm").read_text(encoding="ascii").strip() == "Orthanc"

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ServerError(f"Orthanc ended:\n{tail(self._log)}")
        connection = http.client.HTTPConnection(LOOPBACK, self.http_port, timeout=5)
        try:
            connection.request("GET", "/system")
            return connection.getresponse().status in {200, 401}
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class _Way:
    """A loopback port of ours that leads to a port in a process's network namespace."""

    def __init__(self, pid: int, inner_port: int) -> None:
        self._inner_port = inner_port
        self._namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        self._listening = socket.create_server((LOOPBACK, 0), backlog=64)
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(timeout=10)
        os.close(self._namespace)

    def _serve(self) -> None:
        # A thread may stand in another namespace than its process; sockets belong to where they
        # were made, so the one that listens stays outside.
        if ctypes.CDLL(None, use_errno=True).setns(self._namespace, _NEW_NETWORK):
            return
        while True:
            try:
                outer, _ = self._listening.accept()
            except OSError:
                return
            try:
                inner = socket.create_connection((LOOPBACK, self._inner_port), timeout=30)
            except OSError:
                outer.close()
                continue
            threading.Thread(target=_relay, args=(outer, inner), daemon=True).start()


def _relay(outer: socket.socket, inner: socket.socket) -> None:
    with outer, inner:
        for end in (outer, inner):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
        back.start()
        _pump(outer, inner)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
