"""Progress on stderr: a bar on a terminal, elsewhere a line every ten seconds."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from lesionary.cli.pace import Pace

if TYPE_CHECKING:
    from rich.console import Console

_LINE_EVERY_S = 10.0


class TerminalProgress:
    """Bars by rich, one a stage; use as a context manager."""

    def __init__(
        self, console: "Console | None" = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[pace].count_text}", justify="right"),
            TextColumn("[cyan]{task.fields[pace].rate_text}[/]", justify="right"),
            TextColumn("{task.fields[pace].time_text}"),
            TextColumn("[red]{task.fields[pace].failed_text}[/]"),
            console=console or Console(stderr=True),
            expand=True,
            refresh_per_second=4,
        )
        self._tasks: dict[str, tuple[Any, Pace]] = {}
        self._clock = clock

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def start(self, stage: str, total: int | None) -> None:
        """Show a new bar, unless there is nothing to do."""
        pace = Pace(total, self._clock)
        is_shown = total != 0
        task = self._bars.add_task(stage, total=total, visible=is_shown, pace=pace)
        self._tasks[stage] = task, pace

    def extend(self, stage: str, n: int) -> None:
        """Make the bar's whole larger."""
        task, pace = self._tasks[stage]
        pace.extend(n)
        self._bars.update(task, total=pace.total, visible=bool(pace.total))

    def advance(self, stage: str, n: int = 1, failed: int = 0) -> None:
        """Move the bar on."""
        task, pace = self._tasks[stage]
        pace.advance(n, failed)
        self._bars.update(task, completed=pace.n_done)

    def finish(self, stage: str) -> None:
        """Leave the bar as it is, its clock stopped."""
        task, pace = self._tasks[stage]
        pace.stop()
        self._bars.update(task, total=pace.total, completed=pace.n_done)


class LineProgress:
    """A line every ten seconds, for logs."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._last = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def start(self, stage: str, total: int | None) -> None:
        """Remember how many are due."""
        self._paces[stage] = Pace(total, self._clock)

    def extend(self, stage: str, n: int) -> None:
        """Remember that more are due."""
        self._paces[stage].extend(n)

    def advance(self, stage: str, n: int = 1, failed: int = 0) -> None:
        """Count, and speak when ten seconds have passed."""
        pace = self._paces[stage]
        pace.advance(n, failed)
        now = self._clock()
        if now - self._last >= _LINE_EVERY_S:
            self._last = now
            self._say(stage, pace.count_text, pace.rate_text, pace.left_text, pace.failed_text)

    def finish(self, stage: str) -> None:
        """Say how many were done and in what time, where any were due."""
        pace = self._paces[stage]
        pace.stop()
        if pace.n_done or pace.total:
            self._say(stage, pace.count_text, pace.time_text, pace.failed_text)

    def _say(self, stage: str, *parts: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(f"{stage}: {', '.join(part for part in parts if part)}\n")


def progress() -> "TerminalProgress | LineProgress":
    """Return what fits this stderr."""
    return TerminalProgress() if sys.stderr.isatty() else LineProgress()
