"""What a race is: contestants that do the same work on the same volumes, each in its own process.

A module with races names them in ``ROWS``. Of every row, this process starts one process a
contestant (:mod:`benchmarks.worker`), which loads the inputs, puts them into the shape the
contestant likes best (not timed) and calls it once to warm up: compilation, caches, imports. Then
they are called in turn, round after round, so that a busy minute hits all alike; the best call
counts. A contestant whose first call takes longer than :data:`PATIENCE_S` is not called again.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Timer
from typing import Any, TypeAlias

PATIENCE_S = 30.0
"""A contestant gets about this much time for its rounds, and one call at least."""

LIMIT_S = 1200.0
"""Longer calls are given up."""

END_S = 30.0
"""A contestant's process gets this long to end what it started."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
LEFT_OUT = (*THREADS, "PYTHONDONTWRITEBYTECODE")
"""Taken out of a contestant's environment: each may use all cores, and what it compiles is kept for
its next start, as where it is installed."""

Inputs = Mapping[str, Any]
"""Arrays and paths by name, as :mod:`benchmarks.volumes` makes them."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do a row's work.

    Parameters
    ----------
    name : str
        Library and function, in the words of its users.
    call : callable
        Gets what ``prepare`` returns, by keyword.
    note : str
        Which definition it computes, and what of the row's work it leaves out.
    needs : tuple of str
        Distributions that must be there; their versions are reported.
    prepare : callable, optional
        Turns the row's inputs, by keyword, into the shape this contestant likes best; not timed.
    answer : callable, optional
        Tells in a few words what came out, so that a reader sees that all did the same work.
    renew : callable, optional
        Gets what ``prepare`` returns, by keyword, and returns it anew before every call: an empty
        folder, a server that has received nothing; not timed.
    is_ours, is_by_hand, is_partial, is_elsewhere : bool
        Whether it is this package; whether it is a user's own work around a library's call;
        whether it leaves out so much that it is shown only, and held to nothing; whether other
        processes do the work, whose memory is not measured.
    """

    name: str
    call: Callable[..., Any]
    note: str = ""
    needs: tuple[str, ...] = ()
    prepare: Callable[..., Inputs] | None = None
    answer: Callable[[Any], str] | None = None
    renew: Callable[..., Inputs] | None = None
    is_ours: bool = False
    is_by_hand: bool = False
    is_partial: bool = False
    is_elsewhere: bool = False

    def missing(self) -> str:
        """Return the first distribution that is not installed, or nothing."""
        for name in self.needs:
            try:
                version(name)
            except PackageNotFoundError:
                return name
        return ""


@dataclass(frozen=True, slots=True)
class Bound:
    """A promise: ``ours`` takes at most ``1 / at_least`` of the time of each one it is held to.

    Parameters
    ----------
    at_least : float
        How many times longer the others must take.
    against : tuple of str
        Names of contestants; every peer where empty.
    ours : str
        Which contestant of ours is meant; the first where empty.
    text : str
        Who they are, in words.
    """

    at_least: float
    against: tuple[str, ...] = ()
    ours: str = ""
    text: str = "the fastest peer"


@dataclass(frozen=True, slots=True)
class AtMost:
    """A promise: ``ours`` takes at most so many seconds.

    Parameters
    ----------
    seconds : float
    ours : str
        Which contestant of ours is meant; the first where empty.
    """

    seconds: float
    ours: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A promise: ``ours`` does at least so many of the row's files a second of one core.

    Parameters
    ----------
    at_least : float
        Files for each second of processor time.
    ours : str
        Which contestant of ours is meant; the first where empty.
    """

    at_least: float
    ours: str = ""


Promise: TypeAlias = Bound | AtMost | Rate


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the benchmarks: a task, its volumes, who does it, what was promised.

    Parameters
    ----------
    number : str
        As the project counts them: ``1``, ``1b``.
    title : str
        The task.
    inputs : tuple of str
        Names of volumes.
    contestants : tuple of Contestant
        The first of ours is what the others are compared with.
    bounds : tuple of Bound, AtMost or Rate
        What is promised beyond being ahead of every peer.
    about : str
        What has to be known to read the numbers.
    unobtainable : mapping of str to str
        Peers that cannot be had, and why.
    n_files : int
        How many files a call works on; 0 where files are not counted. Where they are, the table
        tells files for each second of processor time.
    """

    number: str
    title: str
    inputs: tuple[str, ...]
    contestants: tuple[Contestant, ...]
    bounds: tuple[Promise, ...] = ()
    about: str = ""
    unobtainable: Mapping[str, str] = field(default_factory=dict)
    n_files: int = 0


@dataclass(slots=True)
class Result:
    """How one contestant did; ``problem`` says why there are no seconds."""

    contestant: Contestant
    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    first_s: float | None = None
    answer: str = ""
    problem: str = ""

    @property
    def best_s(self) -> float | None:
        """Shortest call; the first one where it was the only one."""
        return min(self.seconds) if self.seconds else None

    @property
    def least_cpu_s(self) -> float | None:
        """Least processor time of a call, of its process and of those that it started and ended."""
        return min(self.cpu_s) if self.cpu_s else None

    @property
    def least_peak_mb(self) -> float | None:
        """Peak of the most frugal call."""
        return min(self.peak_mb) if self.peak_mb else None


class Stable:
    """A contestant's process, waiting for its turn."""

    def __init__(self, module: str, row: Row, place: int, folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in LEFT_OUT}
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        command = [sys.executable, "-m", "benchmarks.worker", module, row.number, str(place)]
        self.result = Result(row.contestants[place])
        self._process = subprocess.Popen(  # noqa: S603
            [*command, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=Path(__file__).resolve().parents[1],
        )

    def __enter__(self) -> "Stable":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def warm_up(self) -> None:
        """Load, prepare and call once; a long call counts at once."""
        reply = self._ask("warm-up")
        if reply is None:
            return
        self.result.first_s = reply["seconds"]
        self.result.answer = reply["answer"]
        if reply["seconds"] > PATIENCE_S:
            self._note(reply)

    def run(self) -> None:
        """Call once more."""
        reply = self._ask("run")
        if reply is not None:
            self._note(reply)

    def rounds(self, most: int) -> int:
        """Return how many calls it has time for after the first."""
        if self.result.problem or self.result.first_s is None or self.result.seconds:
            return 0
        return max(1, min(most, int(PATIENCE_S / max(self.result.first_s, 1e-9))))

    def _note(self, reply: dict[str, Any]) -> None:
        self.result.seconds.append(reply["seconds"])
        self.result.cpu_s.append(reply["cpu_s"])
        if reply["peak_mb"] is not None:
            self.result.peak_mb.append(reply["peak_mb"])

    def _ask(self, word: str) -> dict[str, Any] | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = Timer(LIMIT_S, self._process.kill)
        watch.start()
        try:
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        reply = json.loads(line) if line else {"problem": "its process ended without an answer"}
        if reply.get("problem"):
            self.result.problem = reply["problem"]
            return None
        return dict(reply)


def race(module: str, row: Row, folder: Path, n_rounds: int) -> list[Result]:
    """Run one row; the results are in the order of its contestants."""
    results: dict[str, Result] = {}
    with ExitStack() as stack:
        stables: list[Stable] = []
        for place, contestant in enumerate(row.contestants):
            if contestant.missing():
                problem = f"not installed ({contestant.missing()})"
                results[contestant.name] = Result(contestant, problem=problem)
                continue
            stable = Stable(module, row, place, folder)
            results[contestant.name] = stable.result
            with ExitStack() as at_start:
                at_start.enter_context(stable)
                stable.warm_up()
                if stable.rounds(n_rounds):  # stays until the last round
                    stack.push(at_start.pop_all())
                    stables.append(stable)
        turns = {stable.result.contestant.name: stable.rounds(n_rounds) for stable in stables}
        for turn in range(n_rounds):
            for stable in stables:
                if turn < turns[stable.result.contestant.name] and not stable.result.problem:
                    stable.run()
    return [results[contestant.name] for contestant in row.contestants]


def rows_of(modules: Sequence[str]) -> list[tuple[str, Row]]:
    """Return every row and the module it comes from, in order."""
    return [(name, row) for name in modules for row in importlib.import_module(name).ROWS]
