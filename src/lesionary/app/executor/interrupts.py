"""Ctrl-C while workers start: held back until they are up, and kept from them altogether."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType


@contextmanager
def interrupt_held() -> Iterator[None]:
    """Hold Ctrl-C back for a moment, then let it come.

    Half a cluster cannot be closed, so starting one is not interrupted. Threads and processes that
    begin meanwhile never hear of it: a terminal sends it to workers too, and each would complain;
    they are told to end by this process.
    """
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # started later, it would open the ears of what starts it
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    handler = signal.signal(signal.SIGINT, remember)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Put back what answers signals: some libraries set their own as they are imported."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
