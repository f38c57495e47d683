"""What an explanation says, as one document: hits, and the steps that they rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.app.explain.records import Check, Hit, Looked, Step, without_nulls


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """How far to look.

    Parameters
    ----------
    release : Path, optional
        A release of this study that lies elsewhere.
    recomputes : bool
        Whether to make every unit on the way again.
    reads_objects : bool
        Whether to hold the objects on the way against their names.
    at_most : int, optional
        Hits to walk back from, where a number stands in many places; None for all.
    """

    release: Path | None = None
    recomputes: bool = False
    reads_objects: bool = True
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A value, explained.

    Parameters
    ----------
    value : str
        As the user named it.
    study, release : mapping
        Which study, which release.
    n_hits : int
        How often the value is published; ``hits`` may hold fewer.
    hits : tuple of Hit
    steps : dict of str to Step
        Everything the hits rest on.
    looked : dict of str to Looked
        What a look at each step showed.
    """

    value: str
    study: Mapping[str, Any]
    release: Mapping[str, Any]
    n_hits: int
    hits: tuple[Hit, ...]
    steps: Mapping[str, Step]
    looked: Mapping[str, Looked]

    @property
    def holds(self) -> bool:
        """Whether everything on the way of every hit holds."""
        return all(self.holds_of(hit) for hit in self.hits)

    def holds_of(self, hit: Hit) -> bool:
        """Tell whether everything on the way of one hit holds."""
        return not self.faults_of(hit)

    def faults_of(self, hit: Hit) -> list[Check]:
        """Return what does not hold on the way of one hit."""
        own = [check for check in hit.checks if not check.holds]
        return own + [
            check for name in hit.path for check in self.looked[name].checks if not check.holds
        ]

    def document(self) -> dict[str, Any]:
        """Return one JSON document; ``steps`` holds once what several hits rest on."""
        return {
            "value": self.value,
            "holds": self.holds,
            "study": dict(self.study),
            "release": dict(self.release),
            "n_hits": self.n_hits,
            "hits": [self._hit_document(hit) for hit in self.hits],
            "steps": [self._step_document(step) for step in self.steps.values()],
        }

    def _hit_document(self, hit: Hit) -> dict[str, Any]:
        cell = hit.cell
        document = {
            "address": cell.address,
            "file": cell.file,
            "place": cell.place,
            "column": cell.column,
            "published": cell.text,
            "row": cell.row,
            "about": hit.about,
            "meaning": hit.meaning,
            **hit.facts,
            "holds": self.holds_of(hit),
            "checks": [check.document() for check in hit.checks],
            "from": list(hit.sources),
            "path": list(hit.path),
        }
        return dict(without_nulls(document))

    def _step_document(self, step: Step) -> dict[str, Any]:
        looked = self.looked[step.id]
        return {
            **step.facts,
            "id": step.id,
            "kind": step.kind,
            "objects": [{"id": name, "what": what} for name, what in step.objects.items()],
            "from": list(step.sources),
            "holds": looked.holds,
            "checks": [check.document() for check in looked.checks],
            "events": [dict(event) for event in looked.events],
        }
