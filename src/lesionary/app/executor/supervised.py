"""Units under limits: one child process that runs them one at a time, and who watches it.

A time limit inside a process cannot stop compiled code, and a memory limit inside one cannot be
told from a crash. So the unit runs in a child, and this side kills the child, with all that it
started, when the unit takes too long or too much; the next unit gets a fresh one. The child stays
between units, for starting one costs as much as a small case.
"""

import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self

from lesionary.app.executor.child import LOAD, PATH, RUN, STOP
from lesionary.app.executor.environment import child_environment
from lesionary.app.executor.frames import receive, send
from lesionary.app.executor.options import Limits, size_text
from lesionary.app.executor.outcome import MEMORY, TIMEOUT, Failure, Lost, Outcome, Task, bug
from lesionary.app.executor.process_tree import ProcessTree

_LOADING = Limits(timeout_s=300.0)
_TICK_S = 0.05
_STOP_S = 2.0


class Supervisor:
    """Runs units in a child process within limits; a context manager.

    Parameters
    ----------
    limits : Limits
        What one unit may take.
    environment : mapping, optional
        The child's environment; by default this process's, with one thread a library and without
        what workers have no business with.
    """

    def __init__(self, limits: Limits, environment: Mapping[str, str] | None = None) -> None:
        self._limits = limits
        self._environment = environment
        self._child: _Child | None = None
        self._task: Task | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, task: Task, request: object) -> Outcome | Lost:
        """Run one unit, once.

        Returns
        -------
        receipt, Failure or Lost
            A failure's code is ``timeout`` or ``memory`` where a limit was broken; Lost where the
            process died. Else what the task returned or raised.
        """
        try:
            load, message = LOAD + pickle.dumps(task), RUN + pickle.dumps(request)
        except Exception as error:  # noqa: BLE001 - what cannot travel is a fault of ours
            return bug(error)
        outcome = None if self._is_loaded(task) else self._ask(load, _LOADING)
        if outcome is None:
            self._task = task
            outcome = self._ask(message, self._limits)
            self._retire_if_swollen()
        return outcome

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.close()
        self._child = self._task = None

    def _is_loaded(self, task: Task) -> bool:
        """Tell whether a child is there with the task's code in it."""
        if self._child is not None and self._child.has_died():
            self.close()
        return self._child is not None and self._task is task

    def _ask(self, message: bytes, limits: Limits) -> Outcome | Lost:
        if self._child is None:
            try:
                self._child = _Child(self._environment or child_environment())
            except OSError as error:
                return Lost(f"it could not be started: {error.strerror}")
        try:
            outcome = self._child.ask(message, limits)
        except BaseException:
            self._child.kill()
            self._child = self._task = None
            raise
        if self._child.is_gone:
            self._child = self._task = None
        return outcome

    def _retire_if_swollen(self) -> None:
        """Start afresh where one unit left so much behind that the next would pay for it."""
        limit = self._limits.memory_limit_bytes
        if self._child is not None and limit and self._child.resident_bytes() > limit // 2:
            self.close()


class _Child:
    """One child process and the thread that talks to it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lesionary.app.executor.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._tree = ProcessTree(self._process)
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._talk = threading.Thread(target=self._exchange, daemon=True)
        self._talk.start()
        self._messages.put(PATH + pickle.dumps(sys.path))
        self.is_gone = False

    def has_died(self) -> bool:
        """Tell whether the process ended by itself."""
        return self.is_gone or self._tree.has_died()

    def resident_bytes(self) -> int:
        """Return the memory that it and what it started hold."""
        return self._tree.resident_bytes()

    def ask(self, message: bytes, limits: Limits) -> Outcome | Lost:
        """Send one message and wait for its outcome, within limits; break them and it is gone."""
        self._messages.put(message)
        started = time.monotonic()
        while True:
            try:
                reply = self._replies.get(timeout=_TICK_S)
            except queue.Empty:
                failure = self._broken_limit(limits, time.monotonic() - started)
                if failure is not None:
                    self.kill()
                    return failure
                if not self._tree.has_died():
                    continue
                reply = None
            if reply is None:
                return Lost(self.kill())
            return pickle.loads(reply)  # noqa: S301 - from our own child

    def close(self) -> None:
        """Let the process end by itself, and kill it if it does not."""
        self._messages.put(STOP)
        self._messages.put(None)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_S)
        self.kill()

    def kill(self) -> str:
        """End the process and all that it started; return how it ended."""
        ending = self._tree.kill()
        self.is_gone = True
        self._messages.put(None)
        self._talk.join(_STOP_S)
        if not self._talk.is_alive():  # else a process that slipped away holds the pipe
            for pipe in self._pipes():
                _close(pipe)
        return ending

    def _broken_limit(self, limits: Limits, elapsed_s: float) -> Failure | None:
        if limits.timeout_s is not None and elapsed_s >= limits.timeout_s:
            reason = f"not done after {limits.timeout_s:g} s"
            return Failure(TIMEOUT, reason, "raise --timeout, or look at this case")
        most = limits.memory_limit_bytes
        if most is not None and self._tree.resident_bytes() > most:
            reason = f"used more than {size_text(most)} of memory"
            return Failure(MEMORY, reason, "raise --memory-limit, or look at this case")
        return None

    def _exchange(self) -> None:
        """Send what is asked and pass on each reply; None when the other side is gone."""
        requests, replies = self._pipes()
        try:
            while (message := self._messages.get()) is not None:
                send(requests, message)
                if message[:1] in (PATH, STOP):
                    continue
                reply = receive(replies)
                self._replies.put(reply)
                if reply is None:
                    return
        except OSError:
            self._replies.put(None)

    def _pipes(self) -> tuple[BinaryIO, BinaryIO]:
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            raise RuntimeError("a child without pipes")
        return requests, replies  # type: ignore[return-value]


def _close(pipe: BinaryIO) -> None:
    with suppress(BrokenPipeError):  # what was never sent to a process that is gone
        pipe.close()
