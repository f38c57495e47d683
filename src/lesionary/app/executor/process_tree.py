"""A process and all that it started: how much memory they hold, and how to end them."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import Any

_LOOK_EVERY_S = 1.0


class ProcessTree:
    """Follows a process that leads a group of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        import psutil

        self._process = process
        self._root = psutil.Process(process.pid)
        self._others: list[Any] = []
        self._looked = -_LOOK_EVERY_S

    def has_died(self) -> bool:
        """Tell whether the process has ended; it keeps its number until :meth:`kill`."""
        import psutil

        try:
            return bool(self._root.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    def resident_bytes(self) -> int:
        """Add up resident memory; pages that two processes share count twice."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY_S:  # reads the whole process table
            self._looked = now
            self._others = self._descendants()
        return sum(_resident_bytes(process) for process in [self._root, *self._others])

    def kill(self) -> str:
        """End them all, at once and without asking; return how the process itself ended."""
        for process in self._descendants():
            _kill(process)
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        return _ending(self._process.wait())

    def _descendants(self) -> list[Any]:
        import psutil

        try:
            return list(self._root.children(recursive=True))
        except psutil.Error:
            return []


def _kill(process: Any) -> None:
    import psutil

    with suppress(psutil.Error):
        process.kill()


def _resident_bytes(process: Any) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
