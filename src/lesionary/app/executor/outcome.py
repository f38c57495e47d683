"""What becomes of a unit of work, and who can make it so."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from lesionary.core.errors import LesionaryError

BUG_CODE = "bug"
WORKER_LOST = "worker_lost"
TIMEOUT = "timeout"
MEMORY = "memory"
NO_RESOURCE = "no_resource"
CLUSTER_LOST = "cluster_lost"
WORKER_UNFIT = "worker_unfit"


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

    def run(
        self,
        task: Task,
        requests: Iterable[Any],
        *,
        resources: Mapping[str, int] | None = None,
    ) -> Iterator[tuple[int, Outcome]]:
        """Yield ``(position, receipt or failure)`` as units end, in any order.

        Parameters
        ----------
        task : callable
            A module-level function of one request.
        requests : iterable
            Pulled one by one as there is room, never far ahead of what has ended.
        resources : mapping of str to int, optional
            Labels that a worker must offer to run a unit, such as ``{"GPU": 1}``. Where none does,
            every unit fails with code ``no_resource``.

        Raises
        ------
        WorkflowError
            Code ``cluster_lost`` where the whole cluster went away: units in flight have been
            yielded as failures by then, later ones were never pulled.
        """
        ...


def attempt(task: Task, request: object) -> Outcome:
    """Run a task and turn what it raises into a failure; only the user's own interrupt passes."""
    try:
        return task(request)
    except LesionaryError as error:
        return Failure(error.code, error.message, error.hint or "")
    except MemoryError:
        return Failure(MEMORY, "the machine ran out of memory", "use fewer workers")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the job boundary: recorded, never swallowed
        return bug(error)


def bug(error: BaseException) -> Failure:
    """Return a fault of our own: an event to report, and where it came from."""
    event = uuid4().hex[:12]
    reason = f"a fault of Lesionary's own, event {event}"
    return Failure(BUG_CODE, reason, "please report it", stack_of(error))


def stack_of(error: BaseException) -> tuple[str, ...]:
    """Return where an error came from: its type and its frames, never its values."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return (type(error).__name__, *places)


@dataclass(frozen=True, slots=True)
class Lost:
    """The process that ran a unit died: not an outcome yet, for the unit may be tried again."""

    how: str

    def for_good(self) -> Failure:
        """Return the failure of a unit whose process died in every attempt.

        How many there were is chance and no part of the reason: releases must not differ by it.
        """
        return Failure(
            WORKER_LOST,
            f"the process that ran it died in every attempt ({self.how})",
            "if memory ran short, use fewer workers or set --memory-limit; else look at this case",
        )


def unoffered(resources: Mapping[str, int], hint: str) -> Failure:
    """Return the failure of a unit that needs what no worker offers."""
    wanted = ", ".join(f"{label}={count}" for label, count in sorted(resources.items()))
    return Failure(NO_RESOURCE, f"no worker offers {wanted}", hint)
