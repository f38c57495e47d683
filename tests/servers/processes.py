"""Processes of a server: a port, a folder, and an end even when the tests are killed.

Everything a server starts carries its folder's path in the environment variable `MARK`, so its
processes can be told from all others. A guard process waits for the tests to end, however they end,
ends what still carries the mark, and removes the folder.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "LESIONARY_TEST_SERVER"
LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections: a server that is
# restarted finds its port still free.
PORTS = range(20_000, 32_000)
TAIL_LINES = 30


class ServerError(Exception):
    """A server did not start or did not stop; the message ends with the tail of its log."""


def free_port() -> int:
    """Return a loopback port that nothing listens on at this moment."""
    for port in random.SystemRandom().sample(PORTS, k=200):
        with socket.socket() as candidate, suppress(OSError):
            candidate.bind((LOOPBACK, port))
            return port
    raise ServerError("no free port on the loopback interface")


def tail(log: Path, n_lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, or a remark that there is none."""
    if not log.is_file():
        return f"(no {log.name})"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-n_lines:])


def wait_until(is_so: Callable[[], bool], timeout_s: float, pause_s: float = 0.05) -> bool:
    """Ask again and again until something is so; return whether it came to be."""
    end = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(pause_s)
    return True


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process still runs; one that only waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_all(processes: Iterable[psutil.Process], timeout_s: float = 20) -> None:
    """Kill processes at once, in the given order, and wait until they are gone."""
    victims = list(processes)
    for process in victims:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if not wait_until(lambda: not any(map(is_alive, victims)), timeout_s):
        raise ServerError(f"processes outlive SIGKILL: {[one.pid for one in victims]}")


def marked(folder: Path) -> list[psutil.Process]:
    """Return the processes of one server.

    Some daemons write over their own environment to show a title; they are told by where they run.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()
            is_inside = not environment and Path(process.cwd()).is_relative_to(folder)
            if is_inside or environment.get(MARK) == str(folder):
                found.append(process)
    return found


class GuardedFolder:
    """A temporary folder whose processes and files do not outlive the tests.

    The path is short: a Unix socket's may have 107 bytes.
    """

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"lesionary-{prefix}-"))
        self.path.chmod(0o755)  # a server may run as another user
        command = [sys.executable, __file__, self.path]
        self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    @property
    def environment(self) -> dict[str, str]:
        """What each process that belongs to this folder finds in its environment."""
        path = os.environ.get("PATH", os.defpath)
        return {"PATH": f"{path}:/usr/sbin:/sbin", "LC_ALL": "C", MARK: str(self.path)}

    def note_mount(self, place: Path) -> None:
        """Have a place unmounted at the end; one that is unmounted by then does no harm."""
        assert self._guard.stdin is not None
        self._guard.stdin.write(os.fsencode(place.resolve()) + b"\0")
        self._guard.stdin.flush()

    def close(self) -> None:
        """End what still runs, unmount, and remove the folder; a second call does nothing."""
        self._guard.communicate(timeout=60)
        if self._guard.returncode != 0:
            raise ServerError(f"{self.path} was not cleared up: see the error above")


def _guard(folder: Path) -> None:
    """Wait for the end of whoever holds the other end of standard input, then clear up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    noted = sys.stdin.buffer.read().split(b"\0")[:-1]
    kill_all(marked(folder))
    for place in reversed(noted):
        if _is_mount(place):
            subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _is_mount(place: bytes) -> bool:
    is_one = subprocess.run(["mountpoint", "--quiet", place], check=False, capture_output=True)
    return is_one.returncode == 0


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
