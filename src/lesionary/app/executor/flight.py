"""The units that a Dask cluster has at the moment."""

import queue
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from lesionary.app.executor.on_worker import Ran, run_units
from lesionary.app.executor.options import Limits
from lesionary.app.executor.outcome import WORKER_UNFIT, Failure, Lost, Outcome, Task

_RESULT_S = 10.0
"""How long results may take to come; by then the worker that held them is gone."""
_LEAST_S = 0.2
_TOGETHER_S = 0.1
"""Units so short that several take no longer travel together: each journey costs milliseconds."""
TOGETHER = 16


@dataclass(slots=True)
class Unit:
    """One request, its place among all, and how often its process or worker died."""

    position: int
    request: Any
    n_lost: int = 0


@dataclass(frozen=True, slots=True)
class LostWorker(Lost):
    """The worker itself died, perhaps by another unit's doing."""


class ClusterLostError(Exception):
    """The cluster cannot run anything any more; the message says why."""


class Flight:
    """What is on its way through the cluster, and what has to go again.

    Parameters
    ----------
    client : distributed.Client
    task : callable
    resources : mapping of str to int
        Labels that the worker of a unit must offer.
    limits : Limits
    """

    def __init__(
        self, client: Any, task: Task, resources: Mapping[str, int], limits: Limits
    ) -> None:
        self._client = client
        self._task = task
        self._resources = dict(resources) or None
        self._limits = limits
        self._name = f"unit-{uuid4().hex}"
        self._n_started = 0
        self._running: dict[str, tuple[Any, list[Unit]]] = {}
        self._seconds_each = _TOGETHER_S
        self._again: deque[Unit] = deque()
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __len__(self) -> int:
        return len(self._running)

    @property
    def n_together(self) -> int:
        """How many new units to send together, by how long the last ones took."""
        return max(1, min(TOGETHER, int(_TOGETHER_S / max(self._seconds_each, 1e-6))))

    def start(self, units: list[Unit], *, is_isolated: bool) -> None:
        """Send units off together; isolated, each runs in a child of its worker."""
        self._n_started += 1
        key = f"{self._name}-{self._n_started}"
        try:
            future = self._client.submit(
                run_units,
                self._task,
                [unit.request for unit in units],
                self._limits,
                is_isolated,
                key=key,
                pure=False,
                resources=self._resources,
            )
        except Exception as error:
            self._again.extend(units)
            raise ClusterLostError("its scheduler is gone") from error
        self._running[key] = (future, units)
        future.add_done_callback(lambda _future: self._ended.put(key))

    def again(self, unit: Unit) -> None:
        """Keep a unit to be started once more."""
        self._again.append(unit)

    def next_again(self) -> Unit | None:
        """Return a unit to be started once more, if there is any."""
        return self._again.popleft() if self._again else None

    def ended(self, timeout_s: float) -> list[tuple[Unit, Outcome | Lost]]:
        """Return what has ended by now, having waited for the first no longer than so.

        Raises
        ------
        ClusterLostError
            If the scheduler is gone.
        """
        keys = self._ended_keys(timeout_s)
        results = _results(self._client, [self._running[key][0] for key in keys])
        ended: list[tuple[Unit, Outcome | Lost]] = []
        for key, result in zip(keys, results, strict=True):
            _, units = self._running.pop(key)
            if isinstance(result, Ran):
                self._seconds_each = result.seconds / len(units)
                ended += zip(units, result.outcomes, strict=True)
            else:
                ended += [(unit, result) for unit in units]
        return ended

    def _ended_keys(self, timeout_s: float) -> list[str]:
        keys: list[str] = []
        with suppress(queue.Empty):
            keys.append(self._ended.get(timeout=timeout_s))
            while True:
                keys.append(self._ended.get_nowait())
        return keys

    def left(self) -> Iterator[Unit]:
        """Yield the units that have not ended, and forget them."""
        yield from (unit for _, units in self._running.values() for unit in units)
        yield from self._again
        self._again.clear()

    def cancel(self) -> None:
        """Call back what has not ended; what runs on a worker runs on, its result unwanted."""
        futures = [future for future, _ in self._running.values()]
        self._running.clear()
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)


def _results(client: Any, futures: list[Any]) -> list[Ran | Failure | Lost]:
    """Fetch several results at once, or one by one where that does not go smoothly."""
    deadline = time.monotonic() + _RESULT_S
    if len(futures) > 1 and all(future.status == "finished" for future in futures):
        with suppress(Exception):
            fetched = client.sync(
                lambda: client.gather(futures, asynchronous=True), callback_timeout=_RESULT_S / 2
            )
            return list(fetched)
    return [_result(future, deadline - time.monotonic()) for future in futures]


def _result(future: Any, timeout_s: float) -> Ran | Failure | Lost:
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    if future.status == "cancelled":
        raise ClusterLostError("its scheduler is gone")
    try:
        ran: Ran = future.result(timeout=max(timeout_s, _LEAST_S))
    except (KilledWorker, TimeoutError, CommClosedError):  # or its result ended with it
        return LostWorker("its worker ended")
    except CancelledError as error:  # by nobody here: the scheduler went away a moment ago
        raise ClusterLostError("its scheduler is gone") from error
    except Exception as error:  # noqa: BLE001 - our task never raises, so it never began
        return Failure(
            WORKER_UNFIT,
            f"a worker could not take it ({type(error).__name__})",
            "see that every worker has the same Lesionary, Python and Dask as this machine",
        )
    return ran
