"""How often what was killed where, and what came of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

OUTSIDE, ENDING = "outside", "ending"

PLACES = (
    OUTSIDE,
    "ingest",
    "prepare",
    "annotate",
    "measure",
    "agree",
    "evaluate",
    "publish",
    ENDING,
)
"""Where a command can be: before it has the study or after, in a stage, or behind the last."""

HOWS = ("run", "run --cluster local", "ingest", "publish")


@dataclass(slots=True)
class Tally:
    """Counts of one campaign against one database."""

    registry: str
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def n_kills(self) -> int:
        """All kills of process groups."""
        return self.kills.total()

    @property
    def n_runs_killed(self) -> int:
        """Kills of ``lesionary run``."""
        return sum(n for (how, _), n in self.kills.items() if how.startswith("run"))

    def line(self, took_s: float, wanted: int) -> str:
        """Return a line of progress."""
        completed, identical, clean = (
            self.counts[what] for what in ("runs completed", "releases identical", "verifies clean")
        )
        return (
            f"{self.registry}: {self.n_runs_killed} of {wanted} runs killed, {self.n_kills} kills"
            f" in all, {completed} runs completed, {identical} releases identical,"
            f" {clean} verifies clean, {len(self.faults)} faults, {took_s:.0f} s"
        )

    def table(self) -> str:
        """Return the final table."""
        rows: list[Sequence[str]] = [("killed while", *HOWS, "all")]
        for place in PLACES:
            cells = [self.kills[how, place] for how in HOWS]
            if any(cells):
                rows.append((place, *map(str, cells), str(sum(cells))))
        sums = [sum(n for (how, _), n in self.kills.items() if how == one) for one in HOWS]
        rows.append(("all", *map(str, sums), str(self.n_kills)))
        lines = [f"Registry in {self.registry}", "", *_columns(rows), ""]
        lines += [f"{n:6} {what}" for what, n in sorted(self.counts.items())]
        return "\n".join([*lines, f"{len(self.faults):6} faults", *self.faults])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if n else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
