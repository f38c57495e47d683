"""The process that runs units under limits: started by :mod:`.supervised`, never by people.

It takes messages from its standard input and answers each with one outcome. What tasks print goes
to standard error, so it cannot break the answers. It dies with its parent, however that one ends,
and takes along whatever it started.
"""

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

from lesionary.app.executor.frames import receive, send
from lesionary.app.executor.outcome import Task, attempt, bug

PATH, LOAD, RUN, STOP = b"p", b"l", b"r", b"s"
"""Where code lies; which task; one request; the end. The first byte of every message."""


def main() -> None:
    """Serve until told to stop."""
    stop_watching = _die_with_parent()
    requests, replies = _take_pipes()
    _leave_no_core()
    task: Task | None = None
    while (message := receive(requests)) is not None:
        kind, body = message[:1], message[1:]
        if kind == STOP:
            stop_watching()
            return
        if kind == PATH:
            sys.path[:] = pickle.loads(body)  # noqa: S301 - from our own parent
        elif kind == LOAD:
            task, reply = _load(body)
            send(replies, reply)
        elif task is not None:
            send(replies, _answer(task, body))


def _load(body: bytes) -> tuple[Task | None, bytes]:
    """Load a task's code; answer None, or why it cannot be loaded."""
    try:
        return pickle.loads(body), pickle.dumps(None)  # noqa: S301 - from our own parent
    except BaseException as error:  # noqa: BLE001 - the job boundary: recorded, never swallowed
        return None, pickle.dumps(bug(error))


def _answer(task: Task, body: bytes) -> bytes:
    """Run a task on one request; whatever it does short of dying, there is an answer."""
    try:
        return pickle.dumps(attempt(task, pickle.loads(body)))  # noqa: S301 - from our own parent
    except BaseException as error:  # noqa: BLE001 - also a receipt that cannot travel
        return pickle.dumps(bug(error))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for messages, and give tasks an empty input and standard error."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _leave_no_core() -> None:
    """Let a crash leave no memory image behind: it would hold a patient's scan."""
    try:
        import resource
    except ImportError:  # not on Windows, which leaves none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> Callable[[], None]:
    """See to it that this process ends with its parent; return what stops the watch.

    Where processes can fork, a second process watches the pipe from the parent, for a task deep in
    compiled code would let no thread of this one run. It kills the whole process group.
    """
    if not hasattr(os, "fork"):
        import psutil

        parent = psutil.Process(os.getppid())
        threading.Thread(target=lambda: (parent.wait(), os._exit(1)), daemon=True).start()
        return lambda: None
    watcher = os.fork()
    if watcher == 0:
        _watch_parent()

    def stop_watching() -> None:
        os.kill(watcher, signal.SIGKILL)
        os.waitpid(watcher, 0)

    return stop_watching


def _watch_parent() -> None:
    """Wait until nobody can write to standard input any more, then kill the group."""
    import select

    try:
        os.closerange(1, 256)
        poll = select.poll()
        poll.register(0, 0)
        poll.poll()
    finally:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
