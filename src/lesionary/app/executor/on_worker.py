"""What a Dask worker does with the units it is sent."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.app.executor.options import Limits
from lesionary.app.executor.outcome import Lost, Outcome, Task, attempt, bug

_of_thread = threading.local()
"""A worker thread's supervisor, with its limits: its child stays for the thread's next unit."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of units that were sent together, and how long they took in all."""

    outcomes: tuple[Outcome | Lost, ...]
    seconds: float


def run_units(
    task: Task,
    requests: Sequence[object],
    limits: Limits,
    is_isolated: bool,
) -> Ran:
    """Run units one after the other, each once."""
    began = time.monotonic()
    outcomes = tuple(_run(task, request, limits, is_isolated=is_isolated) for request in requests)
    return Ran(outcomes, time.monotonic() - began)


def _run(task: Task, request: object, limits: Limits, *, is_isolated: bool) -> Outcome | Lost:
    """Run a unit in the worker's thread, or in a child process of that thread."""
    if not is_isolated:
        try:
            return attempt(task, request)
        except KeyboardInterrupt as error:  # no user's: theirs goes to the driver
            return bug(error)
    from lesionary.app.executor.supervised import Supervisor

    held: tuple[Limits, Supervisor] | None = getattr(_of_thread, "held", None)
    if held is None or held[0] != limits:
        if held is not None:
            held[1].close()
        held = _of_thread.held = (limits, Supervisor(limits))
    return held[1].run(task, request)
