"""What was checked, and what did not hold."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lesionary.core.errors import LesionaryError


@dataclass(slots=True)
class VerifyReport:
    """What was checked, and what did not hold.

    ``done`` names checks, not every row and object that one went over: those are ``counts``. So a
    report is no longer than what is wrong. ``notes`` are no faults, but worth knowing.
    """

    done: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    repaired: list[dict[str, str]] | None = None

    @property
    def checked(self) -> int:
        """How many checks were made."""
        return len(self.done) + len(self.failed)

    def check(self, unit: str, code: str, reason: str, *, holds: bool) -> bool:
        """Count one check, and keep it where it does not hold."""
        if holds:
            self.done.append(unit)
        else:
            self.fail(unit, code, reason)
        return holds

    def fail(self, unit: str, code: str, reason: str, hint: str | None = None) -> None:
        """Keep what does not hold."""
        told = {"unit": unit, "code": code, "reason": reason}
        self.failed.append(told | ({"hint": hint} if hint else {}))

    def note(self, unit: str, code: str, reason: str, hint: str) -> None:
        """Keep what is allowed, and yet worth knowing."""
        self.notes.append({"unit": unit, "code": code, "reason": reason, "hint": hint})

    @contextmanager
    def section(self, unit: str) -> Iterator[None]:
        """Count one check of many things: done unless something fails within.

        An error that a check ends with is one more thing that is wrong; the next check goes on.
        """
        n_failed = len(self.failed)
        try:
            yield
        except LesionaryError as error:
            self.fail(unit, error.code, error.message, error.hint)
        if len(self.failed) == n_failed:
            self.done.append(unit)

    def take(self, other: "VerifyReport") -> None:
        """Add what another report has."""
        self.done += other.done
        self.failed += other.failed
        self.notes += other.notes
        self.counts += other.counts

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        document: dict[str, Any] = {
            "checked": self.checked,
            "done": self.done,
            "failed": self.failed,
            "notes": self.notes,
            "counts": dict(sorted(self.counts.items())),
        }
        return document if self.repaired is None else document | {"repaired": self.repaired}
