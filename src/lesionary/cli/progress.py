"""Progress on stderr: a bar on a terminal, elsewhere a line every ten seconds."""

import sys
import time
from types import TracebackType
from typing import Any

_LINE_EVERY_S = 10.0


class TerminalProgress:
    """Bars by rich, one a stage; use as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "TerminalProgress":
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def start(self, stage: str, total: int) -> None:
        """Show a new bar, unless there is nothing to do."""
        if total:
            self._tasks[stage] = self._bars.add_task(stage, total=total)

    def advance(self, stage: str) -> None:
        """Move the bar on."""
        self._bars.advance(self._tasks[stage])

    def finish(self, stage: str) -> None:
        """Leave the bar as it is."""


class LineProgress:
    """A line every ten seconds, for logs."""

    def __init__(self) -> None:
        self._total: dict[str, int] = {}
        self._count: dict[str, int] = {}
        self._last = time.monotonic()

    def __enter__(self) -> "LineProgress":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def start(self, stage: str, total: int) -> None:
        """Remember how many are due."""
        self._total[stage] = total
        self._count[stage] = 0

    def advance(self, stage: str) -> None:
        """Count, and speak when ten seconds have passed."""
        self._count[stage] += 1
        now = time.monotonic()
        if now - self._last >= _LINE_EVERY_S:
            self._last = now
            sys.stderr.write(f"{stage}: {self._count[stage]} of {self._total[stage]}\n")

    def finish(self, stage: str) -> None:
        """Say how many were done, where any were due."""
        if self._total[stage]:
            sys.stderr.write(f"{stage}: {self._count[stage]} of {self._total[stage]}\n")


def progress() -> "TerminalProgress | LineProgress":
    """Return what fits this stderr."""
    return TerminalProgress() if sys.stderr.isatty() else LineProgress()
