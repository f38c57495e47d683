"""Where units of work run: in this process, or on Dask workers.

A task is a module-level function of one picklable request that returns a small receipt. It may read
and write objects, never the registry: the driver records receipts. Whatever a task raises becomes a
:class:`Failure`, so one bad case never stops the others.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import uuid4

from lesionary.core.errors import LesionaryError

ClusterName = Literal["none", "local"]
BUG_CODE = "bug"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a unit has no receipt."""

    code: str
    reason: str
    hint: str = ""
    stack: tuple[str, ...] = ()


Outcome = Any | Failure
Task = Callable[[Any], Any]


class Executor(Protocol):
    """Runs one task over many requests."""

    def run(self, task: Task, requests: Sequence[Any]) -> Iterator[tuple[int, Outcome]]:
        """Yield ``(position, receipt or failure)`` as units end, in any order."""
        ...


def attempt(task: Task, request: object) -> Outcome:
    """Run a task and turn what it raises into a failure."""
    try:
        return task(request)
    except LesionaryError as error:
        return Failure(error.code, error.message, error.hint or "")
    except MemoryError:
        return Failure("memory", "the machine ran out of memory", "use fewer workers")
    except Exception as error:  # noqa: BLE001 - the job boundary: recorded, never swallowed
        event = uuid4().hex[:12]
        reason = f"a fault of Lesionary's own, event {event}"
        return Failure(BUG_CODE, reason, "please report it", stack_of(error))


def stack_of(error: BaseException) -> tuple[str, ...]:
    """Return where an error came from: its type and its frames, never its values."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return (type(error).__name__, *places)


class InlineExecutor:
    """Runs unit after unit in this process."""

    def run(self, task: Task, requests: Sequence[Any]) -> Iterator[tuple[int, Outcome]]:
        """Yield results in the order of the requests."""
        for position, request in enumerate(requests):
            yield position, attempt(task, request)


class DaskExecutor:
    """Runs units on the workers of a Dask client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, task: Task, requests: Sequence[Any]) -> Iterator[tuple[int, Outcome]]:
        """Yield results as they end; a unit whose worker died is a failure."""
        from distributed import as_completed

        futures = [
            self._client.submit(attempt, task, request, pure=False, retries=1)
            for request in requests
        ]
        positions = {future.key: position for position, future in enumerate(futures)}
        for future in as_completed(futures):
            error = future.exception()
            outcome = (
                future.result()
                if error is None
                else Failure("worker_lost", "the worker of this unit died", "see its memory limit")
            )
            yield positions[future.key], outcome
            future.release()


@contextmanager
def executor_for(cluster: ClusterName, *, n_workers: int | None = None) -> Iterator[Executor]:
    """Open the executor that ``--cluster`` names, and close it at the end."""
    if cluster == "none":
        yield InlineExecutor()
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as local,
        Client(local) as client,
    ):
        yield DaskExecutor(client)
