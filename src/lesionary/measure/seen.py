"""What is known of scans and lesions before response is judged, and what comes of it."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from lesionary.core.terms import LesionKind, parse_label
from lesionary.measure.response.records import Observation, Role


@dataclass(frozen=True, slots=True)
class SeenLesion:
    """One measured lesion.

    Parameters
    ----------
    label : str
    kind : LesionKind
    diameter_mm : float or None
    reader : str
        Who drew it; empty for what no reader did.
    """

    label: str
    kind: LesionKind
    diameter_mm: float | None
    reader: str = ""

    @property
    def organ(self) -> str:
        """As RECIST counts organs; empty where the label does not say."""
        label = parse_label(self.label)
        return "" if label is None else label.organ


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """What is known of one series.

    Parameters
    ----------
    timepoint : str
    date : datetime.date or None
    modality : str
    slice_thickness_mm : Decimal or None
    readers : frozenset of str
        Who has looked through it; whoever drew on it has.
    """

    timepoint: str
    date: date | None
    modality: str
    slice_thickness_mm: Decimal | None
    readers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TargetProposal:
    """What a track is to RECIST for one reader, and why; ``role`` is None for what is no lesion."""

    reader: str
    track: str
    role: Role | None
    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """All observations of one subject, by reader, track and time; and why each role."""

    observations: tuple[Observation, ...]
    roles: tuple[TargetProposal, ...]


def recorded_mm(diameter_mm: float, precision_mm: Decimal) -> Decimal:
    """Round half up to a multiple of the precision, as a reader writes a diameter down.

    Examples
    --------
    >>> recorded_mm(12.25, Decimal("0.1"))
    Decimal('12.3')
    """
    steps = (Decimal(repr(diameter_mm)) / precision_mm).to_integral_value(ROUND_HALF_UP)
    return steps * precision_mm
