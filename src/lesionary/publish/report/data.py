"""What a report is made of: plain values and small arrays, no paths, no clock.

Field names are those of ``ingest --json`` and ``measure --json``. A value that is not defined is
None, and ``reason`` says why, field by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lesionary.core.findings import Outcome
from lesionary.core.terms import LesionKind
from lesionary.core.volume import Quantity
from lesionary.publish.report.gallery import GalleryItem

if TYPE_CHECKING:
    from lesionary.publish.comparison.picture import Picture
    from lesionary.publish.curation_figure import CurationFlow


class Method(StrEnum):
    """Who made a mask: DICOM's SegmentAlgorithmType, or that nobody said."""

    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    MANUAL = "MANUAL"
    NOT_STATED = "not stated"


class ReviewState(StrEnum):
    """How far a mask has come on its way to a reader's word."""

    UNREVIEWED = "unreviewed"
    RATED = "rated"
    CORRECTED = "corrected"
    ADJUDICATED = "adjudicated"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing the gate noticed of a series: a code of its table and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series that came in.

    Parameters
    ----------
    id : str
        The study's own name of the series, never a UID as it came.
    subject : str
        Such as ``sub-0001``.
    timepoint : int
        From 0, by date.
    modality : str
        ``CT``, ``MR``, ``PT``, ``OT``.
    region : str, optional
        None where no rule of the protocol names one.
    shape : tuple of int
        Slices, rows, columns.
    spacing_mm : tuple of float
        Along the same axes.
    outcome : Outcome
        ``ingested``, ``warned`` or ``fixed``.
    notes : tuple of Note
        What was warned of or fixed.
    source : str
        ``1#12``: ingest 1, item 12.
    is_annotated : bool
        Whether the series has a mask, be it an empty one. Without a mask nobody has looked, which
        is not the same as no lesion.
    is_published : bool
        Whether its image is in the release.
    """

    id: str
    subject: str
    timepoint: int
    modality: str
    region: str | None
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    outcome: Outcome = Outcome.INGESTED
    notes: tuple[Note, ...] = ()
    source: str = ""
    is_annotated: bool = True
    is_published: bool = True


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One input that was refused: where it came from, why, and what its owner can do."""

    source: str
    code: str
    reason: str
    hint: str = ""
    instances: int | None = None


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    """Inputs that were passed over because they never were images."""

    code: str
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class LesionRow:
    """One lesion of one series, measured.

    Parameters
    ----------
    series, subject, timepoint
        As in :class:`SeriesRow`.
    lesion : int
        From 1, within the series.
    label : str
        ``m,liver``, ``n,iliac``, ``lesion`` …
    kind : LesionKind
        Whether the long or the short axis is the diameter.
    volume_ml, long_axis_mm, short_axis_mm, diameter_mm, mean_intensity : float, optional
        None where undefined; ``reason`` says why.
    slice_index : int, optional
        Slice of the long axis, from 0.
    quantity : Quantity
        What ``mean_intensity`` counts.
    method : Method
        Who made the mask.
    segmenter : str, optional
        Name and version, such as ``contour 1.0``; None for a mask that no algorithm touched.
    state : ReviewState
        How far it was reviewed.
    reader : str, optional
        Who drew, corrected or rated it.
    voxels : int, optional
        Number of voxels.
    reason : mapping of str to str
        Why a field is None.
    """

    series: str
    subject: str
    timepoint: int
    lesion: int
    label: str
    kind: LesionKind
    volume_ml: float | None
    long_axis_mm: float | None
    short_axis_mm: float | None
    diameter_mm: float | None
    mean_intensity: float | None
    slice_index: int | None
    quantity: Quantity = Quantity.ARBITRARY
    method: Method = Method.AUTOMATIC
    segmenter: str | None = None
    state: ReviewState = ReviewState.UNREVIEWED
    reader: str | None = None
    voxels: int | None = None
    reason: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A component that was too small to count."""

    series: str
    label: str
    voxels: int


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One lesion of a phantom against what the phantom holds.

    ``lesion`` is None where the true lesion was missed; ``volume_ml`` is what was measured.
    """

    series: str
    lesion: int | None
    label: str
    dice: float | None
    volume_ml: float | None
    true_volume_ml: float
    reason: Mapping[str, str] = field(default_factory=dict)

    @property
    def volume_error_percent(self) -> float | None:
        """Measured minus true, in percent of the truth; None where nothing was measured."""
        if self.volume_ml is None or self.true_volume_ml <= 0:
            return None
        return 100.0 * (self.volume_ml - self.true_volume_ml) / self.true_volume_ml


@dataclass(frozen=True, slots=True)
class StageRow:
    """Work units of one stage: still due, done, failed."""

    stage: str
    due: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class NamedWindow:
    """What is black and what is white, and what that is called: ``lung``, -500, 1400."""

    name: str
    level: float
    width: float


@dataclass(frozen=True, slots=True)
class Methods:
    """How the numbers were made, as far as the protocol decides it.

    Parameters
    ----------
    diameter : str
        ``caliper`` or ``as_published``.
    min_voxels : int
        Smaller components are dropped.
    min_slices : int
        A lesion's diameter needs a section in at least so many slices.
    keep_largest_piece : bool
        Whether a label's only or largest component stays, however small.
    windows : tuple of NamedWindow
        Windows that images were shown, labelled and segmented in.
    remarks : tuple of str
        Further sentences of the protocol, printed as they are.
    """

    diameter: str = "caliper"
    min_voxels: int = 50
    min_slices: int = 1
    keep_largest_piece: bool = True
    windows: tuple[NamedWindow, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparisonPart:
    """Readers against each other, or a prediction against readers: a table and its figures.

    Parameters
    ----------
    title : str
        Heading of the section.
    caption : str
        What the table shows, with its denominators and the domain of kappa.
    headings : tuple of str
        Of the columns.
    is_number : tuple of bool
        Whether numbers stand in a column.
    rows : tuple of tuple of str
        As they are printed.
    pictures : tuple of (str, str, float)
        SVG, caption and width in inches of each figure.
    """

    title: str
    caption: str
    headings: tuple[str, ...]
    is_number: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report says. All counts and sums are derived from these rows."""

    title: str
    study_name: str
    protocol: str
    protocol_version: str
    software_version: str
    series: tuple[SeriesRow, ...] = ()
    left_out: tuple[LeftOutRow, ...] = ()
    ignored: tuple[IgnoredRow, ...] = ()
    lesions: tuple[LesionRow, ...] = ()
    dropped: tuple[DroppedRow, ...] = ()
    gallery: tuple[GalleryItem, ...] = ()
    truth: tuple[TruthRow, ...] = ()
    comparisons: tuple[ComparisonPart, ...] = ()
    stages: tuple[StageRow, ...] = ()
    methods: Methods = field(default_factory=Methods)
    flow: "CurationFlow | None" = None
    flow_chart: "Picture | None" = None
