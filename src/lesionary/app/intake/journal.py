"""What an ingest noticed, in one place: findings by source number, and what the numbers are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from lesionary.core.findings import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding about one source, and about one series where it has one."""

    number: int
    finding: Finding
    n_instances: int = 1
    by_rule: bool = False


@dataclass(slots=True)
class Journal:
    """Collects findings while files are read.

    Parameters
    ----------
    ingest : int
        The ingest's number: item 12 of ingest 1 is ``1#12``.
    """

    ingest: int
    entries: list[Entry] = field(default_factory=list)
    series_notes: dict[str, list[Entry]] = field(default_factory=dict)

    def token(self, number: int) -> str:
        """Return the only name of a source that may be stored or shown."""
        return f"{self.ingest}#{number}"

    def refuse(
        self,
        number: int,
        findings: Iterable[Finding],
        *,
        n_instances: int = 1,
        by_rule: bool = False,
    ) -> None:
        """Note why something is not taken; warnings beside a refusal are of no use."""
        kept = [f for f in findings if f.outcome in {Outcome.LEFT_OUT, Outcome.IGNORED}]
        self.entries += [Entry(number, finding, n_instances, by_rule) for finding in kept]

    def note(self, series_key: str, number: int, findings: Iterable[Finding]) -> None:
        """Note what was warned of or fixed about something that is taken."""
        notes = self.series_notes.setdefault(series_key, [])
        notes += [Entry(number, finding) for finding in findings]

    def forget(self, series_key: str) -> None:
        """Drop the notes about a series that is not taken after all."""
        self.series_notes.pop(series_key, None)

    def drop_notes(self, numbers: Collection[int]) -> None:
        """Drop what was noted about sources that brought nothing new."""
        for key, notes in self.series_notes.items():
            self.series_notes[key] = [note for note in notes if note.number not in numbers]

    def outcome_of(self, series_key: str) -> Outcome:
        """Return the gravest outcome among a series' notes."""
        outcomes = {entry.finding.outcome for entry in self.series_notes.get(series_key, ())}
        for outcome in (Outcome.WARNED, Outcome.FIXED):
            if outcome in outcomes:
                return outcome
        return Outcome.INGESTED

    def row(self, entry: Entry, series_id: str | None = None) -> dict[str, Any]:
        """Return an entry as the registry keeps it."""
        return {
            "ingest": self.ingest,
            "source": self.token(entry.number),
            "series_id": series_id,
            "code": entry.finding.code,
            "outcome": entry.finding.outcome.value,
            "reason": entry.finding.reason,
            "hint": entry.finding.hint,
            "instances": entry.n_instances,
            "by_rule": entry.by_rule,
        }
