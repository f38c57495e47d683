"""``lesionary listen`` in a process of its own, on a free loopback port."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from .processes import ServerError, kill_all, wait_until

START_S = 60.0
END_S = 60.0
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+) ")


class Listening:
    """A running receiver; what it says is kept. As a context manager it is killed at the end.

    Parameters
    ----------
    study : Path
    options : str
        Of the command, beside the port.
    environment : dict, optional
        Beside this process's own.
    """

    def __init__(
        self, study: Path, *options: str | Path, environment: dict[str, str] | None = None
    ) -> None:
        command = [sys.executable, "-m", "lesionary", "listen", study, "--port", "0", "--json"]
        self.process = subprocess.Popen(
            [*command, *options],
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._out = ""
        self._readers = [
            threading.Thread(target=self._read_errors, daemon=True),
            threading.Thread(target=self._read_output, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.port = self._wait_for_port()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def errors(self) -> str:
        """What it said on standard error."""
        return "".join(self.said)

    @property
    def output(self) -> str:
        """What it said on standard output."""
        return self._out

    def kill(self) -> None:
        """Kill it at once."""
        if self.process.poll() is None:
            kill_all([psutil.Process(self.process.pid)])
        self._join()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, dict[str, Any]]:
        """Ask it to end; return its exit code and its document."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, dict[str, Any]]:
        """Wait until it ends by itself."""
        code = self.process.wait(timeout=END_S)
        self._join()
        return code, json.loads(self._out)

    def _wait_for_port(self) -> int:
        def is_through() -> bool:
            return bool(_LISTENING.search(self.errors)) or self.process.poll() is not None

        wait_until(is_through, START_S, pause_s=0.02)
        found = _LISTENING.search(self.errors)
        if found is None:
            self.kill()
            raise ServerError(f"it does not listen:\n{self.errors}{self._out}")
        return int(found.group(1))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.said.append(line)

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            self._out = stream.read()

    def _join(self) -> None:
        self.process.wait(timeout=END_S)
        for reader in self._readers:
            reader.join(timeout=END_S)
