"""A process that has loaded everything, and does each command in a fork of itself, up to a crash.

Starting Python and its libraries takes longer than a small study's run; a fork starts at once. Run
as a program it takes orders as lines of JSON on standard input and answers each with a line.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Crash:
    """Kill the process at its nth write (from 0), just before or just after it."""

    n: int
    when: str


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended; one that was killed has code -9.

    Parameters
    ----------
    code : int
    took_s : float
    writes : list of str
        What it wrote, in order (``sync``, ``rename``, ``exchange``, ``commit``); None if killed.
    """

    code: int
    took_s: float
    writes: list[str] | None


class WarmProcess:
    """Does commands in forks of a process that is kept warm; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def warm_up(self, *words: object) -> int:
        """Do a command in the warm process itself, so that what it loads is there for all forks."""
        return int(self._ask({"words": words, "is_fork": False})["code"])

    def do(self, *words: object, crash: Crash | None = None, kill_after_s: float = 0.0) -> Done:
        """Do a command in a fork, until it ends, crashes, or its group is killed."""
        stop = [crash.n, crash.when] if crash else None
        order = {"words": words, "is_fork": True, "crash": stop, "kill_after_s": kill_after_s}
        return Done(**self._ask(order))

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        order["words"] = [str(word) for word in order["words"]]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def spread(n_writes: int, n_points: int) -> list[Crash]:
    """Return crash points evenly over so many writes, the first and the last among them."""
    places = sorted({round(n * (n_writes - 1) / (n_points - 1)) for n in range(n_points)})
    first, *others, last = [Crash(n, (BEFORE, AFTER)[i % 2]) for i, n in enumerate(places)]
    ends = {Crash(end.n, when) for end in (first, last) for when in (BEFORE, AFTER)}
    return sorted({*ends, *others}, key=lambda crash: (crash.n, crash.when == AFTER))


class _Port:
    """All that a study's writes go through: flushes, changes of names, and commits."""

    def __init__(self, crash: Crash | None) -> None:
        from sqlalchemy.engine.default import DefaultDialect

        from lesionary.io import release_files

        self.writes: list[str] = []
        self._crash = crash
        os.fsync = self._watched(os.fsync, "sync")
        os.replace = self._watched(os.replace, "rename")
        release_files.exchange = self._watched(release_files.exchange, "exchange")
        DefaultDialect.do_commit = self._watched(DefaultDialect.do_commit, "commit")

    def _watched(self, write: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            self._die_at(BEFORE)
            done = write(*arguments, **options)
            self._die_at(AFTER)
            self.writes.append(kind)
            return done

        return watched

    def _die_at(self, when: str) -> None:
        if self._crash == Crash(len(self.writes), when):
            os.kill(os.getpid(), signal.SIGKILL)


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    for line in sys.stdin:
        order = json.loads(line)
        answer = _in_a_fork(order) if order["is_fork"] else {"code": _command(order["words"])}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _command(words: list[str]) -> int:
    from lesionary.cli.main import run_command

    return run_command(words)


def _in_a_fork(order: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        port = _Port(Crash(*order["crash"]) if order["crash"] else None)
        code = _command(order["words"])
        os.write(writing, json.dumps(port.writes).encode())
        os._exit(code)
    os.close(writing)
    if order["kill_after_s"]:
        time.sleep(order["kill_after_s"])
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    took_s = time.monotonic() - began
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    writes = json.loads(told) if told else None
    return {"code": os.waitstatus_to_exitcode(status), "took_s": took_s, "writes": writes}


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent)]
    _serve()
