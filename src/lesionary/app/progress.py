"""How a long command tells where it is; ``cli`` shows it, library users may ignore it."""

from typing import Protocol


class Progress(Protocol):
    """Hears of a stage's start and of every unit that ended."""

    def start(self, stage: str, total: int | None) -> None:
        """Hear that a stage begins with so many units due; None where that is not known."""
        ...

    def extend(self, stage: str, n: int) -> None:
        """Hear that so many more units are due than said so far."""
        ...

    def advance(self, stage: str, n: int = 1, failed: int = 0) -> None:
        """Hear that ``n`` units ended, ``failed`` of them not well."""
        ...

    def finish(self, stage: str) -> None:
        """Hear that the stage is through."""
        ...


class Silent:
    """Shows nothing."""

    def start(self, stage: str, total: int | None) -> None:
        """Do nothing."""

    def extend(self, stage: str, n: int) -> None:
        """Do nothing."""

    def advance(self, stage: str, n: int = 1, failed: int = 0) -> None:
        """Do nothing."""

    def finish(self, stage: str) -> None:
        """Do nothing."""
