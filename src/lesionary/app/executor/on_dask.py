"""Runs units on Dask workers, and says what became of those whose worker died.

Dask cannot tell which of a dead worker's units killed it. We can: such a unit is tried again in a
child process of its worker, and so is every later one, for where one case kills there may be more.
A killer then takes nothing but its own child down, and its neighbours get a clean run.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from lesionary.app.executor.flight import ClusterLostError, Flight, LostWorker, Unit
from lesionary.app.executor.members import Members
from lesionary.app.executor.options import ClusterOptions
from lesionary.app.executor.outcome import (
    CLUSTER_LOST,
    Failure,
    Lost,
    Outcome,
    Task,
    unoffered,
)
from lesionary.core.errors import WorkflowError

_TICK_S = 1.0
_AHEAD = 2
"""Journeys in flight for each that can run at once, so that no worker waits for us."""
_SPARE_LOSSES = 3
"""Workers that may die under a unit, beyond its retries, before it is thought the cause."""
_RESOURCE_HINT = 'start a worker with `--resources "GPU=1"`, or say --gpus with --cluster local'
_AGAIN = "start workers and run the same command again: what is done stays done"


class DaskExecutor:
    """Runs units on the workers of a Dask client.

    Parameters
    ----------
    client : distributed.Client
    options : ClusterOptions
    """

    def __init__(self, client: Any, options: ClusterOptions) -> None:
        self._client = client
        self._options = options
        # On a cluster of others a killer must not take workers down even once.
        self._is_careful = options.limits.is_any or options.is_address

    def run(
        self,
        task: Task,
        requests: Iterable[Any],
        *,
        resources: Mapping[str, int] | None = None,
    ) -> Iterator[tuple[int, Outcome]]:
        """Yield results as they end.

        Raises
        ------
        WorkflowError
            Code ``cluster_lost`` where the scheduler went away, or no worker was there for as long
            as the options say.
        """
        wanted = dict(resources or {})
        members = Members(self._client, wanted, self._options.worker_wait_s)
        flight = Flight(self._client, task, wanted, self._options.limits)
        pulled = (Unit(position, request) for position, request in enumerate(requests))
        try:
            if members.await_first():
                yield from self._fly(flight, members, pulled)
            else:
                failure = unoffered(wanted, _RESOURCE_HINT)
                yield from ((unit.position, failure) for unit in pulled)
        except ClusterLostError as error:
            failure = Failure(CLUSTER_LOST, f"the cluster was lost: {error}", _AGAIN)
            yield from ((unit.position, failure) for unit in flight.left())
            raise WorkflowError(failure.reason, code=CLUSTER_LOST, hint=_AGAIN) from None
        finally:
            flight.cancel()

    def _fly(
        self, flight: Flight, members: Members, pulled: Iterator[Unit]
    ) -> Iterator[tuple[int, Outcome]]:
        settled: list[tuple[int, Outcome]] = []
        while True:
            try:
                self._fill(flight, members, pulled)
            except ClusterLostError:
                yield from settled
                raise
            yield from settled  # only now: while the caller records these, the workers work on
            if not len(flight):
                return
            settled = self._settle(flight, flight.ended(_TICK_S))

    def _fill(self, flight: Flight, members: Members, pulled: Iterator[Unit]) -> None:
        members.require_any()
        while len(flight) < max(1, _AHEAD * members.capacity()):
            again = flight.next_again()
            units = list(islice(pulled, flight.n_together)) if again is None else [again]
            if not units:
                return
            flight.start(units, is_isolated=self._is_careful)

    def _settle(
        self, flight: Flight, ended: Iterable[tuple[Unit, Outcome | Lost]]
    ) -> list[tuple[int, Outcome]]:
        """Return what is final, and have the rest tried again."""
        settled = []
        for unit, outcome in ended:
            if not isinstance(outcome, Lost):
                settled.append((unit.position, outcome))
                continue
            self._is_careful = True
            unit.n_lost += 1
            spare = _SPARE_LOSSES if isinstance(outcome, LostWorker) else 0
            if unit.n_lost <= self._options.retries + spare:
                flight.again(unit)
            else:
                settled.append((unit.position, outcome.for_good()))
        return settled
