"""What ``ingest --received`` said before of what was received: each thing is counted once.

Received objects are judged anew with every such ingest, all of them. What is said of one again
stays the row that it was; what is no longer true of it goes; only the rest is new.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lesionary.app.intake.journal import Entry, Journal
from lesionary.core.identity import digest
from lesionary.io.registry import tables
from lesionary.io.registry.ingest import IngestTransaction

SETTING = "received_findings"
"""Of the registry: rows of findings about received objects, each with a hash of the object's
place."""

_SAID = ("series_id", "code", "outcome", "reason", "hint", "instances", "by_rule")
_PLACE_PARTS = 2


@dataclass(slots=True)
class KnownRejects:
    """Findings about received objects that stand, by the object's place.

    Parameters
    ----------
    places : mapping of int to str
        Where the received objects of this ingest lie, by their numbers.
    """

    places: Mapping[int, str]
    kept: list[dict[str, Any]] = field(default_factory=list)
    """Rows that are said again."""
    _known: dict[str, str] = field(default_factory=dict)

    def sift(
        self,
        ingest: IngestTransaction,
        journal: Journal,
        entries: Iterable[tuple[Entry, str | None]],
    ) -> list[tuple[Entry, str | None]]:
        """Return what is said for the first time; delete what is not said any more.

        Entries come with the series that they are notes about. What was noted when a series came
        in stays: nothing is said of its own files again.
        """
        self._known = json.loads(ingest.setting(SETTING) or "{}")
        rows = [row for row in ingest.rows(tables.finding) if str(row["id"]) in self._known]
        standing: dict[tuple[Any, ...], list[Any]] = {}
        for row in rows:
            name = (self._known[str(row["id"])], *(row[column] for column in _SAID))
            standing.setdefault(name, []).append(row)
        fresh = []
        for entry, series_id in entries:
            said = journal.row(entry, series_id)
            name = (self._name(entry), *(said[column] for column in _SAID))
            if standing.get(name):
                self.kept.append(dict(standing[name].pop()))
            else:
                fresh.append((entry, series_id))
        for row in [row for rows in standing.values() for row in rows]:
            if row["series_id"] is not None:
                self.kept.append(dict(row))
            else:
                ingest.delete(tables.finding, row, why=f"judged anew by ingest {ingest.number}")
        return fresh

    def remember(
        self, ingest: IngestTransaction, rows: Iterable[Mapping[str, Any]], fresh: Iterable[Entry]
    ) -> None:
        """Note the places of rows that are new."""
        known = {str(row["id"]): self._known[str(row["id"])] for row in self.kept}
        known |= {str(row["id"]): self._name(entry) for row, entry in zip(rows, fresh, strict=True)}
        ingest.set(SETTING, json.dumps(known))

    def _name(self, entry: Entry) -> str:
        place = self.places.get(entry.number, "").split("/")[-_PLACE_PARTS:]
        return digest(["/".join(place).encode()])[:16]
