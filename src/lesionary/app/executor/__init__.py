"""Where units of work run: in this process, on this machine's Dask workers, or on a cluster.

A task is a module-level function of one picklable request that returns a small receipt. It may read
and write objects, never the registry: the driver records receipts. Whatever becomes of a unit is an
:data:`Outcome`: its receipt, or a :class:`Failure` that says why there is none. So one bad case
never stops the others, not even one that takes its process down.

Requests are pulled as there is room for them and forgotten when they end: a million units need no
more of the driver's memory than a hundred.
"""

from lesionary.app.executor.inline import InlineExecutor
from lesionary.app.executor.opening import executor_for
from lesionary.app.executor.options import ClusterOptions, Limits
from lesionary.app.executor.outcome import (
    BUG_CODE,
    CLUSTER_LOST,
    Executor,
    Failure,
    Outcome,
    Task,
    attempt,
    stack_of,
)

ClusterName = str
"""``none``, ``local``, ``slurm``, or the address of a Dask scheduler."""

__all__ = [
    "BUG_CODE",
    "CLUSTER_LOST",
    "ClusterName",
    "ClusterOptions",
    "Executor",
    "Failure",
    "InlineExecutor",
    "Limits",
    "Outcome",
    "Task",
    "attempt",
    "executor_for",
    "stack_of",
]
