"""Runs unit after unit in this process, or, under limits, in one child of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lesionary.app.executor.options import Limits
from lesionary.app.executor.outcome import Lost, Outcome, Task, attempt, unoffered

_HINT = "say --gpus 1 if this machine has one that may be used"


class InlineExecutor:
    """Runs one unit at a time.

    Parameters
    ----------
    limits : Limits
        Where there are any, units run in a child process; else right here, where a task that takes
        the process down takes everything down.
    retries : int
        How often a unit is tried again whose child died.
    offers : mapping of str to int, optional
        The resource labels that are taken to be here.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        retries: int = 1,
        offers: Mapping[str, int] | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._retries = retries
        self._offers = dict(offers or {})

    def run(
        self,
        task: Task,
        requests: Iterable[Any],
        *,
        resources: Mapping[str, int] | None = None,
    ) -> Iterator[tuple[int, Outcome]]:
        """Yield results in the order of the requests."""
        wanted = resources or {}
        if any(self._offers.get(label, 0) < count for label, count in wanted.items()):
            failure = unoffered(wanted, _HINT)
            yield from ((position, failure) for position, _ in enumerate(requests))
            return
        if not self._limits.is_any:
            for position, request in enumerate(requests):
                yield position, attempt(task, request)
            return
        yield from self._run_supervised(task, requests)

    def _run_supervised(self, task: Task, requests: Iterable[Any]) -> Iterator[tuple[int, Outcome]]:
        from lesionary.app.executor.supervised import Supervisor

        with Supervisor(self._limits) as supervisor:
            for position, request in enumerate(requests):
                n_attempts, outcome = 1, supervisor.run(task, request)
                while isinstance(outcome, Lost) and n_attempts <= self._retries:
                    n_attempts, outcome = n_attempts + 1, supervisor.run(task, request)
                yield position, outcome.for_good() if isinstance(outcome, Lost) else outcome
