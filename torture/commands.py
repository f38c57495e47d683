"""Commands in process groups of their own, for these to be killed whole."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psutil

MARK = "LESIONARY_TORTURE"
"""In the environment of everything that a command starts: its own number."""

TOO_LONG_S = 600.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command that was not killed ended."""

    code: int
    document: Any
    messages: str

    @property
    def error_code(self) -> str | None:
        """The code of the one clear error that it ended with, or nothing."""
        error = self.document.get("error") if isinstance(self.document, dict) else None
        return None if error is None else str(error["code"])


class Command:
    """``lesionary …`` in a session of its own."""

    def __init__(self, *words: object, environment: Mapping[str, str], answers: Path) -> None:
        self._mark = uuid4().hex
        self._answers = answers.with_suffix(".json"), answers.with_suffix(".txt")
        command = [sys.executable, "-m", "lesionary", *map(str, words), "--json"]
        with self._answers[0].open("wb") as out, self._answers[1].open("wb") as messages:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=messages,
                env={**os.environ, **environment, MARK: self._mark},
                start_new_session=True,
            )
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def age_s(self) -> float:
        """How long it has been running, in seconds."""
        return time.monotonic() - self._began

    def has_ended_by(self, moment_s: float) -> bool:
        """Wait until so long after its start; tell whether it has ended by then."""
        try:
            self._process.wait(max(0.0, moment_s - self.age_s))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Kill the whole group with SIGKILL, and wait until nothing of it is left.

        Raises
        ------
        OutlivedError
            If something that it started is still there after ten seconds.
        """
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for _ in range(100):
            if not (left := self._left()):
                return
            time.sleep(0.1)
        raise OutlivedError(f"processes outlive their group: {left}")

    def result(self) -> Ended:
        """Wait for its end."""
        code = self._process.wait(TOO_LONG_S)
        text = self._answers[0].read_text(encoding="utf-8")
        messages = self._answers[1].read_text(encoding="utf-8", errors="replace")
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        return Ended(code, document, messages)

    def _left(self) -> list[int]:
        return [process.pid for process in psutil.process_iter() if self._is_mine(process)]

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            return bool(process.environ().get(MARK) == self._mark)
        except (psutil.Error, OSError):
            return False


class OutlivedError(Exception):
    """What a command started lived on when its group was killed."""


def holds_lock(path: Path) -> bool:
    """Tell without touching a lock file whether somebody holds it; Linux only."""
    try:
        number = path.stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any(line.split()[5].endswith(f":{number}") for line in lines)
