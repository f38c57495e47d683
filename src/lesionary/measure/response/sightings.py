"""One lesion at one time point: what its rows say together of its size and presence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from lesionary.core.terms import LesionKind
from lesionary.measure.response.amounts import total
from lesionary.measure.response.records import Observation, Role, Status

TOO_SMALL_MM = Decimal(5)
"""What a lesion counts that is there and too small to measure, nodes included."""

NORMAL_NODE_MM = Decimal(10)
"""A node with a shorter short axis is normal."""

PET = frozenset({"PET", "PT", "FDG-PET"})
"""Modalities that see uptake, not size. DICOM's word is PT."""

_BOTH = frozenset({f"{pet}{between}CT" for pet in PET for between in ("/", "-", "_", "+", " ", "")})


def is_pet_ct(row: Observation) -> bool:
    """Tell whether a row names PET and CT at once, so that its diameter tells which it was."""
    return row.modality.strip().upper() in _BOTH


def modality_of(row: Observation) -> str:
    """Return a row's modality in capitals, PET in one spelling.

    PET/CT is CT where there is a diameter above 0, else PET.
    """
    plain = row.modality.strip().upper()
    if plain in _BOTH:
        return "CT" if row.diameter_mm else "PET"
    return "PET" if plain in PET else plain


def is_pet(row: Observation) -> bool:
    """Tell whether a row was seen on FDG-PET."""
    return modality_of(row) == "PET"


def is_merged(row: Observation) -> bool:
    """Tell whether another lesion carries this one's axis."""
    return row.status is Status.MERGED or bool(row.merged_into)


def counted_mm(row: Observation) -> Decimal | None:
    """Return what one row adds to a sum; None where it is not evaluable.

    Gone is 0; too small is 5 mm or the diameter given; merged is 0, for the lesion that carries the
    axis has it all.
    """
    if row.status is Status.NOT_EVALUABLE:
        return None
    if row.status is Status.ABSENT or is_merged(row):
        return Decimal(0)
    if row.status is Status.TOO_SMALL and row.diameter_mm is None:
        return TOO_SMALL_MM
    return row.diameter_mm


def is_seen(row: Observation) -> bool:
    """Tell whether a row says that the lesion is there, of whatever size above 0."""
    is_gone = row.status in {Status.ABSENT, Status.NOT_EVALUABLE} or row.diameter_mm == 0
    return not is_gone


def is_disease(row: Observation) -> bool:
    """Tell whether a row by itself shows disease: a tumour that is seen, a node of ≥ 10 mm.

    A node that is present and was not measured is taken for enlarged.
    """
    if not is_seen(row) or is_merged(row):
        return False
    if row.kind is LesionKind.TUMOUR or row.status is Status.UNEQUIVOCAL_PROGRESSION:
        return True
    size = counted_mm(row)
    return size is None or size >= NORMAL_NODE_MM


def is_certain_disease(row: Observation) -> bool:
    """Tell whether a row shows disease whatever its size: a node that was not measured may not."""
    is_unmeasured_node = row.kind is LesionKind.NODE and counted_mm(row) is None
    return is_disease(row) and not is_unmeasured_node


def _rank(row: Observation, wanted: str) -> tuple[bool, int, str]:
    plain = modality_of(row)
    order = {"CT": 0, "MR": 1, "PET": 3}.get(plain, 2)
    return plain != wanted, order, plain


def _of_best_modality(rows: Sequence[Observation], wanted: str) -> list[Observation]:
    """Return a row for each part, or the whole, from the modality that goes first."""
    in_order = sorted(rows, key=lambda row: _rank(row, wanted))
    is_split = bool(in_order[0].part)
    best: dict[str, Observation] = {}
    for row in in_order:
        if bool(row.part) is is_split:
            best.setdefault(row.part, row)
    return list(best.values())


@dataclass(frozen=True)
class Sighting:
    """The rows of one lesion at one time point: parts of a split, or several modalities.

    Parameters
    ----------
    lesion : str
    role : Role
    rows : tuple of Observation
        By part.
    """

    lesion: str
    role: Role
    rows: tuple[Observation, ...]

    @classmethod
    def of(cls, rows: Sequence[Observation], modality: str = "") -> "Sighting":
        """Put the rows of one lesion at one time point together.

        A new lesion keeps all of them. Any other is judged by one modality: by the given one, that
        of its baseline, else by CT, MR, any other, and last by PET. What progressed unequivocally
        in one of them has progressed.
        """
        first = rows[0]
        chosen = list(rows)
        if first.role is not Role.NEW:
            worst = [row for row in rows if row.status is Status.UNEQUIVOCAL_PROGRESSION]
            chosen = worst or _of_best_modality(rows, modality)
        in_order = sorted(chosen, key=lambda row: (row.part, row.modality, row.row))
        return cls(first.lesion, first.role, tuple(in_order))

    @property
    def kind(self) -> LesionKind:
        """Tumour or node."""
        return self.rows[0].kind

    @property
    def is_evaluable(self) -> bool:
        """Whether the lesion has a size: each part of it has."""
        return all(counted_mm(row) is not None for row in self.rows)

    @cached_property
    def measured_mm(self) -> Decimal:
        """Sum of the parts that have a size."""
        return total([size for row in self.rows if (size := counted_mm(row)) is not None])

    @property
    def merged_into(self) -> str:
        """Name of the lesion that carries the axis; empty where the lesion stands alone."""
        return next((row.merged_into for row in self.rows if is_merged(row)), "")

    def has(self, status: Status) -> bool:
        """Tell whether any row has this status."""
        return any(row.status is status for row in self.rows)


@dataclass(frozen=True)
class Visit:
    """One time point of one subject as one reader saw it.

    Parameters
    ----------
    timepoint : str
    sightings : mapping of str to Sighting
        By lesion; a lesion without a row is not here.
    """

    timepoint: str
    sightings: Mapping[str, Sighting]

    @classmethod
    def of(
        cls, timepoint: str, rows: Sequence[Observation], modalities: Mapping[str, str]
    ) -> "Visit":
        """Group a time point's rows by lesion.

        Parameters
        ----------
        timepoint : str
        rows : sequence of Observation
        modalities : mapping of str to str
            By lesion, the modality of its baseline, as :func:`modality_of` spells it.
        """
        together: dict[str, list[Observation]] = {}
        for row in sorted(rows, key=lambda row: row.lesion):
            together.setdefault(row.lesion, []).append(row)
        return cls(
            timepoint,
            {
                name: Sighting.of(group, modalities.get(name, ""))
                for name, group in together.items()
            },
        )

    def with_role(self, role: Role) -> list[Sighting]:
        """Return the lesions of one role that have a row here."""
        return [one for one in self.sightings.values() if one.role is role]

    def has_disease(self, lesion: str) -> bool:
        """Tell whether a lesion, or what it merged into, shows disease here."""
        return any(is_disease(row) for row in self._rows_that_show(lesion))

    def has_certain_disease(self, lesion: str) -> bool:
        """Tell whether a lesion, or what it merged into, shows disease whatever its size."""
        return any(is_certain_disease(row) for row in self._rows_that_show(lesion))

    def is_looked_at(self, lesion: str) -> bool:
        """Tell whether somebody saw of a lesion, or of what it merged into, if it is there."""
        seen = self.sightings.get(lesion)
        carrier = None if seen is None else self.sightings.get(seen.merged_into, seen)
        both = (seen, carrier)
        return not any(one is None or one.has(Status.NOT_EVALUABLE) for one in both)

    def _rows_that_show(self, lesion: str) -> tuple[Observation, ...]:
        seen = self.sightings.get(lesion)
        if seen is None:
            return ()
        carrier = self.sightings.get(seen.merged_into)
        return seen.rows if carrier is None else (*seen.rows, *carrier.rows)
