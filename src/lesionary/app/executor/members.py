"""Which workers a Dask cluster has, and how many units they can run at once."""

import time
from collections.abc import Mapping
from typing import Any

from lesionary.app.executor.flight import ClusterLostError

_LOOK_EVERY_S = 2.0
_POLL_S = 0.2


class Members:
    """Looks at the cluster's workers, now and then.

    Parameters
    ----------
    client : distributed.Client
    resources : mapping of str to int
        Labels that a worker must offer to count.
    wait_s : float
        How long the cluster may be without a worker that counts.
    """

    def __init__(self, client: Any, resources: Mapping[str, int], wait_s: float) -> None:
        self._client = client
        self._resources = resources
        self._wait_s = wait_s
        self._capacity = 0
        self._n_workers = 0
        self._looked = float("-inf")
        self._last_any = time.monotonic()

    def await_first(self) -> bool:
        """Wait for a worker that counts; False where there are workers and none does.

        Raises
        ------
        ClusterLostError
            If no worker came in time.
        """
        while not self.capacity():
            if self._n_workers:
                return False
            self.require_any()
            time.sleep(_POLL_S)
            self._looked = float("-inf")
        return True

    def capacity(self) -> int:
        """Return how many units can run at once, as of a moment ago."""
        if time.monotonic() - self._looked >= _LOOK_EVERY_S:
            self._look()
        return self._capacity

    def require_any(self) -> None:
        """Raise ClusterLostError if for too long no worker was there that counts."""
        if self.capacity():
            return
        if time.monotonic() - self._last_any >= self._wait_s:
            raise ClusterLostError(f"no worker for {self._wait_s:g} s")

    def _look(self) -> None:
        if self._client.status not in ("running", "connecting"):
            raise ClusterLostError("its scheduler is gone")
        try:
            if self._resources:
                workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
                slots = [self._slots(one["nthreads"], one["resources"]) for one in workers]
            else:
                slots = list(self._client.nthreads().values())
        except Exception as error:
            raise ClusterLostError("its scheduler is gone") from error
        self._n_workers, self._capacity = len(slots), sum(slots)
        self._looked = time.monotonic()
        if self._capacity:
            self._last_any = self._looked

    def _slots(self, n_threads: int, offers: Mapping[str, float]) -> int:
        fits = [int(offers.get(label, 0) // count) for label, count in self._resources.items()]
        return min([n_threads, *fits])
