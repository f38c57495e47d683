"""What is matched, and what a match says (CONTRACT §4, ``tracks.csv``)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.core.volume import Geometry, Mask
from lesionary.measure.tracks.registration import RegistrationKind

Row = dict[str, object]
"""Numbers, texts, mappings and None only: ready for JSON."""

COLUMNS = (
    "subject",
    "track",
    "from_timepoint",
    "from_series",
    "from_lesion",
    "to_timepoint",
    "to_series",
    "to_lesion",
    "relation",
    "score",
    "registration",
    "state",
    "reader",
)
"""Of ``tracks.csv``, in order; :data:`FURTHER_COLUMNS` follow."""

FURTHER_COLUMNS = ("from_part", "to_part", "status", "merged_into", "note")
"""What the contract does not ask for: parts of a split track, and what ``gone`` means there."""


class Relation(StrEnum):
    """What became of a lesion between two time points."""

    SAME = "same"
    SPLIT = "split"
    MERGE = "merge"
    NEW = "new"
    GONE = "gone"


class LinkState(StrEnum):
    """Whether a reader has affirmed a link."""

    PROPOSED = "proposed"
    AFFIRMED = "affirmed"


class TrackStatus(StrEnum):
    """What is known of a track at one time point: the words of ``respond``'s ``status``."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_EVALUABLE = "not_evaluable"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One lesion of one series; ``lesion`` is None where there is none."""

    timepoint: str
    series: str
    lesion: int | None = None

    def to_json(self) -> Row:
        """Return the contract's object."""
        return {"timepoint": self.timepoint, "series": self.series, "lesion": self.lesion}


@dataclass(frozen=True, slots=True, eq=False)
class TrackedLesion:
    """One measured lesion as matching sees it.

    Parameters
    ----------
    place : Place
        Its ``lesion`` is the number of its row in ``measure``.
    label : str
        Text such as ``m,liver``, or the value's number where it has none.
    kind : LesionKind
        Tumour or node.
    organ : str
        As RECIST counts organs; empty where nobody knows.
    volume_ml : float
        Above 0.
    diameter_mm : float or None
        As measured; not used for matching.
    mask : Mask
        Its voxels, cropped, on a grid in the space of the time point's reference series.

    Raises
    ------
    InputError
        If the mask is empty or the place names no lesion.
    """

    place: Place
    label: str
    kind: LesionKind
    organ: str
    volume_ml: float
    diameter_mm: float | None
    mask: Mask

    def __post_init__(self) -> None:
        if self.place.lesion is None:
            raise InputError("a tracked lesion has a number")
        if not self.mask.array.any() or not self.volume_ml > 0:
            raise InputError("a tracked lesion has at least one voxel")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One series of a time point: what it could have shown.

    Parameters
    ----------
    series : str
    geometry : Geometry
        Its grid, in the space of the time point's reference series.
    modality : str
        DICOM's word.
    has_mask : bool
        Whether anybody looked for lesions here; an empty mask counts.
    """

    series: str
    geometry: Geometry
    modality: str = "OT"
    has_mask: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class TimepointLesions:
    """All lesions of one subject at one time point.

    Parameters
    ----------
    subject, timepoint : str
    views : tuple of View
        The series, the one that speaks for the time point first.
    lesions : tuple of TrackedLesion
        Each tumour once, in order of their numbers within the order of the views.
    twins : mapping of Place to Place
        The same tumours in other series of this time point, and which of ``lesions`` each is.
    """

    subject: str
    timepoint: str
    views: tuple[View, ...]
    lesions: tuple[TrackedLesion, ...]
    twins: Mapping[Place, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.views:
            raise InputError(f"time point {self.timepoint!r} has no series")

    @property
    def nowhere(self) -> Place:
        """The place of what is not there: the leading series, no lesion."""
        return Place(self.timepoint, self.views[0].series)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One link between two time points, as proposed or as a reader affirmed it.

    Parameters
    ----------
    subject, track : str
        Links of one track share its name.
    from_place, to_place : Place
        ``lesion`` is None before a new lesion and after one that is gone.
    relation : Relation
    score : float
        0 … 1, how well the two fit; for new and gone, how poorly all others did.
    registration : RegistrationKind
        How the two scans were laid over each other.
    state : LinkState
    reader : str or None
        Who affirmed it.
    from_part, to_part : str
        Parts of a track that has split; empty where it is whole.
    status : TrackStatus
        Of the track at the later time point: ``gone`` is ``absent`` where its place lies inside a
        scan that was looked through, else ``not_evaluable``.
    merged_into : str
        The track that carries the one lesion from here on; empty for that track itself.
    note : str
        What a reader should know, such as that the earlier scan did not reach there.
    """

    subject: str
    track: str
    from_place: Place
    to_place: Place
    relation: Relation
    score: float
    registration: RegistrationKind
    state: LinkState = LinkState.PROPOSED
    reader: str | None = None
    from_part: str = ""
    to_part: str = ""
    status: TrackStatus = TrackStatus.PRESENT
    merged_into: str = ""
    note: str = ""

    @property
    def key(self) -> tuple[Place, Place]:
        """What a decision refers to: a proposal is known by its two ends."""
        return self.from_place, self.to_place

    @property
    def is_joining(self) -> bool:
        """Whether there is a lesion at both ends."""
        return self.from_place.lesion is not None and self.to_place.lesion is not None

    def to_json(self) -> Row:
        """Return the contract's object, with a reason for each null."""
        row: Row = {
            "subject": self.subject,
            "track": self.track,
            "from": self.from_place.to_json(),
            "to": self.to_place.to_json(),
            "relation": self.relation.value,
            "score": self.score,
            "registration": self.registration.value,
            "state": self.state.value,
            "reader": self.reader,
            "from_part": self.from_part,
            "to_part": self.to_part,
            "status": self.status.value,
            "merged_into": self.merged_into,
            "note": self.note,
        }
        reason = {} if self.reader is not None else {"reader": "no reader has affirmed this link"}
        if self.from_place.lesion is None:
            reason["from.lesion"] = "the lesion was not seen there"
        if self.to_place.lesion is None:
            reason["to.lesion"] = _WHY_GONE[self.status]
        return row | {"reason": reason} if reason else row

    def to_row(self) -> Row:
        """Return the columns of ``tracks.csv``."""
        row = self.to_json()
        for end, place in (("from", self.from_place), ("to", self.to_place)):
            row |= {f"{end}_{name}": value for name, value in place.to_json().items()}
        return {name: row[name] for name in (*COLUMNS, *FURTHER_COLUMNS)}


_WHY_GONE = {
    TrackStatus.ABSENT: "the lesion is gone: its place was scanned and looked through",
    TrackStatus.NOT_EVALUABLE: "not evaluable: no scan with a mask shows the lesion's place",
}
