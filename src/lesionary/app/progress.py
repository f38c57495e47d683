"""How a long command tells where it is; ``cli`` shows it, library users may ignore it."""

from typing import Protocol


class Progress(Protocol):
    """Hears of a stage's start and of every unit that ended."""

    def start(self, stage: str, total: int) -> None:
        """Hear that a stage begins with so many units due."""
        ...

    def advance(self, stage: str) -> None:
        """Hear that one unit ended, well or not."""
        ...

    def finish(self, stage: str) -> None:
        """Hear that the stage is through."""
        ...


class Silent:
    """Shows nothing."""

    def start(self, stage: str, total: int) -> None:
        """Do nothing."""

    def advance(self, stage: str) -> None:
        """Do nothing."""

    def finish(self, stage: str) -> None:
        """Do nothing."""
