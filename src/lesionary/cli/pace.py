"""How fast units end, and how long the rest will take, in words."""

import math
import time
from collections import deque
from collections.abc import Callable

_SAMPLES = 120
_SAMPLE_EVERY_S = 1.0


class Pace:
    """Counts one stage's units.

    The rate is that of the last 120 moments at which something was counted, at most one a second:
    the last two minutes of a fast stage, the last 120 units of a slow one, up to now in both, so
    that it sinks where nothing ends any more.

    Parameters
    ----------
    total : int, optional
        Units due; None where that is not known.
    clock : callable, optional
        Seconds that only grow.
    """

    def __init__(self, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.n_done = 0
        self.n_failed = 0
        self._clock = clock
        self._started = clock()
        self._stopped: float | None = None
        self._samples: deque[tuple[float, int]] = deque([(self._started, 0)], maxlen=_SAMPLES)

    def extend(self, n: int) -> None:
        """Add to what is due."""
        self.total = (self.total or 0) + n

    def advance(self, n: int, failed: int) -> None:
        """Count units that ended."""
        self.n_done += n
        self.n_failed += failed
        now = self._clock()
        if now - self._samples[-1][0] >= _SAMPLE_EVERY_S:
            self._samples.append((now, self.n_done))

    def stop(self) -> None:
        """Stop the clock."""
        self._stopped = self._clock()

    @property
    def elapsed_s(self) -> float:
        """Seconds from the start until now, or until the clock was stopped."""
        return self._now() - self._started

    @property
    def per_second(self) -> float | None:
        """Units a second, at the end over all; None before the first has ended."""
        since, n_before = self._samples[0] if self._stopped is None else (self._started, 0)
        passed = self._now() - since
        gained = self.n_done - n_before
        return gained / passed if gained and passed > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds until all is done at this rate; None where nobody can know."""
        rate = self.per_second
        if rate is None or self.total is None:
            return None
        return max(self.total - self.n_done, 0) / rate

    def _now(self) -> float:
        return self._clock() if self._stopped is None else self._stopped

    @property
    def count_text(self) -> str:
        """Say how many of how many: ``120 of 1000``."""
        return str(self.n_done) if self.total is None else f"{self.n_done} of {self.total}"

    @property
    def rate_text(self) -> str:
        """Say the rate in the unit of time that suits it: ``3.2/s``, ``4.1/min``, ``2.5/h``."""
        rate = self.per_second
        if rate is None:
            return ""
        for seconds, unit in ((1, "s"), (60, "min"), (3600, "h")):
            if rate * seconds >= 1 or unit == "h":
                return f"{_three_digits(rate * seconds)}/{unit}"
        return ""

    @property
    def left_text(self) -> str:
        """Say how long the rest will take: ``4 min 35 s left``."""
        left = self.left_s
        if left is None or self._stopped is not None:
            return ""
        return f"{duration_text(left)} left"

    @property
    def time_text(self) -> str:
        """Say how long it has taken, and how long the rest will take."""
        elapsed = duration_text(self.elapsed_s)
        if self._stopped is not None:
            return f"in {elapsed}"
        return ", ".join(filter(None, (elapsed, self.left_text)))

    @property
    def failed_text(self) -> str:
        """Say how many failed, if any did."""
        return f"{self.n_failed} failed" if self.n_failed else ""


def duration_text(seconds: float) -> str:
    """Write a duration in its two largest units: ``4 min 35 s``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = math.ceil(seconds)
    for large, name, small, small_name in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


def _three_digits(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}"
