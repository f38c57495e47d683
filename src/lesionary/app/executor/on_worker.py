"""What a Dask worker does with one unit."""

import threading

from lesionary.app.executor.options import Limits
from lesionary.app.executor.outcome import Lost, Outcome, Task, attempt

_of_thread = threading.local()
"""A worker thread's supervisor, with its limits: its child stays for the thread's next unit."""


def run_unit(
    task: Task,
    request: object,
    limits: Limits,
    is_isolated: bool,
) -> Outcome | Lost:
    """Run one unit once: in the worker's thread, or in a child process of that thread."""
    if not is_isolated:
        return attempt(task, request)
    from lesionary.app.executor.supervised import Supervisor

    held: tuple[Limits, Supervisor] | None = getattr(_of_thread, "held", None)
    if held is None or held[0] != limits:
        if held is not None:
            held[1].close()
        held = _of_thread.held = (limits, Supervisor(limits))
    return held[1].run(task, request)
