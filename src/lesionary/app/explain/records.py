"""What an explanation is made of: hits, the steps that lead on from them, and checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at on the way: does it still hold, and if not, why."""

    what: str
    holds: bool
    reason: str

    def document(self) -> dict[str, Any]:
        """Return one JSON object."""
        return {"what": self.what, "holds": self.holds, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a number rests on.

    Parameters
    ----------
    id : str
        As events name it: ``series/ser-0001``, ``unit/measure/ser-0001``, ``annotation/<uuid>``.
    kind : str
        ``release``, ``unit``, ``annotation``, ``box``, ``series``, ``subject``, ``finding``,
        ``decision``, ``role_decision`` or ``reported_diameter``.
    facts : mapping
        What is known of it, as JSON without nulls.
    sources : tuple of str
        The steps that it was made from.
    objects : mapping of str to str
        Objects that lie on the path, by id, each with what it is.
    """

    id: str
    kind: str
    facts: Mapping[str, Any]
    sources: tuple[str, ...] = ()
    objects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a step showed: its events, and what holds."""

    events: tuple[Mapping[str, Any], ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all of it holds."""
        return all(check.holds for check in self.checks)


@dataclass(frozen=True, slots=True)
class Cell:
    """A published value at its place.

    Parameters
    ----------
    file : str
        Path below the release.
    place : str
        ``2:volume_ml`` of a CSV, ``/lesions/0/volume_ml`` of a JSON file, ``@i,j,k`` of an image.
    column : str, optional
        Name of the column or field; None where the whole row is meant.
    text : str, optional
        The value as it is written there.
    row : mapping
        The row that it stands in: text of a CSV, values of a JSON file.
    index : int
        Which row of the table it is, from 0.
    rest : tuple of str
        What follows the field in a pointer.
    """

    file: str
    place: str
    column: str | None
    text: str | None
    row: Mapping[str, Any]
    index: int = 0
    rest: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """What leads here again."""
        joint = {"/": "#", "@": ""}.get(self.place[:1], ":" if self.place else "")
        return f"{self.file}{joint}{self.place}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a published row comes from.

    Parameters
    ----------
    about : str
        What the row is about.
    sources : tuple of str
        The steps it comes from first.
    series : tuple of str
        Whose lineage leads on.
    now : mapping, optional
        The row as the registry gives it now; None where it gives none.
    lesion : int, optional
        The lesion that the row is about.
    facts : mapping
        How a row over several units was taken together.
    subjects : tuple of str
        Whose lineage leads on, besides that of the series.
    members : tuple of (str, int)
        The measured lesions that it rests on, by series and number.
    """

    about: str
    sources: tuple[str, ...]
    series: tuple[str, ...]
    now: Mapping[str, Any] | None
    lesion: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    members: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One published value, explained.

    Parameters
    ----------
    cell : Cell
    about : str
        What the row is about.
    meaning : str
        What the column says.
    facts : mapping
        What belongs to this value: how a mean was taken, where a lesion lies.
    sources : tuple of str
        The steps that it comes from first.
    path : tuple of str
        All steps, in the order of the walk.
    checks : tuple of Check
    """

    cell: Cell
    about: str
    meaning: str
    facts: Mapping[str, Any]
    sources: tuple[str, ...]
    path: tuple[str, ...]
    checks: tuple[Check, ...]


def without_nulls(value: Any) -> Any:
    """Return JSON without the fields that are null: what is not known is not there."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(one) for one in value if one is not None]
    return value
