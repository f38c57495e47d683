"""What the gate knows of one DICOM file: its header, without pydicom and without pixels."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lesionary.core.findings import Finding
from lesionary.ingest.series import Json

Triple = tuple[float, float, float]
Cosines = tuple[float, float, float, float, float, float]


class InstanceKind(StrEnum):
    """What a DICOM file is to Lesionary; everything else is a finding."""

    IMAGE = "image"
    RTSTRUCT = "rtstruct"
    SEG = "seg"


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the stored values of one frame are laid out (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    samples: int = 1
    photometric: str = "MONOCHROME2"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.samples * self.bits_allocated // 8


@dataclass(frozen=True, slots=True)
class PixelLocation:
    """Where the pixels lie in the file.

    Parameters
    ----------
    transfer_syntax : str
        Its UID, empty where the file names none.
    offset : int
        First byte of the value; of the inflated data set where ``is_deflated``.
    length : int, optional
        Bytes of the value as claimed; None where it is encapsulated, that is compressed.
    available : int
        Bytes from the offset to the file's end.
    fragments : tuple of (int, int)
        Offset and length of each piece of an encapsulated frame, where the file holds several
        frames; none where all fragments from the offset on are the one frame's.
    starts_mid_word : bool
        The frame begins with the second byte of a 16-bit word: only bytes in OW do.
    """

    transfer_syntax: str
    offset: int
    length: int | None
    available: int
    vr: str = "OW"
    is_little_endian: bool = True
    is_deflated: bool = False
    fragments: tuple[tuple[int, int], ...] = ()
    starts_mid_word: bool = False


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Which part of a larger image a file is: part ``number`` (from 1) of ``n_parts``, if known."""

    uid: str
    number: int
    n_parts: int | None


@dataclass(frozen=True, slots=True)
class Padding:
    """Stored values from ``first`` to ``last``, both included, are no measurements."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PetHeader:
    """What the SUV factor of a PET slice depends on; times are the scanner's own clock.

    ``injected_at`` is RadiopharmaceuticalStartDateTime, ``injected_time`` the older element that
    has no date. ``scan_at`` is GE's private date and time of the scan. Philips' private factors
    turn counts into SUV (7053,1000) or into Bq/ml (7053,1009).
    """

    units: str = ""
    suv_type: str = ""
    decay_correction: str = ""
    corrections: tuple[str, ...] = ()
    series_at: dt.datetime | None = None
    acquired_at: dt.datetime | None = None
    scan_at: dt.datetime | None = None
    injected_at: dt.datetime | None = None
    injected_time: dt.time | None = None
    dose_bq: float | None = None
    half_life_s: float | None = None
    weight_kg: float | None = None
    n_tracers: int = 0
    philips_suv: float | None = None
    philips_bqml: float | None = None


@dataclass(frozen=True, slots=True, repr=False)
class InstanceHeader:
    """One DICOM image, RTSTRUCT or SEG file, or one frame of an enhanced multi-frame image.

    It holds identities, so it is **never stored, logged or shown**.

    Parameters
    ----------
    number : int
        The file's number in this ingest, the one name that may be shown.
    path : Path
        Where it lies.
    place : str
        How the user sees it, with archives as folders: ``scans.zip/a/b.dcm``.
    kind : InstanceKind
        Image, RTSTRUCT or SEG.
    subject_key : str, optional
        PatientID, with its issuer where there is one; None where the file has no PatientID.
    orientation, position_mm, pixel_spacing_mm : tuple of float, optional
        ImageOrientationPatient, ImagePositionPatient, PixelSpacing (between rows, columns); LPS.
    rescale : tuple of float, optional
        Slope and intercept; None where the file has neither.
    has_modality_lut : bool
        The values need a look-up table instead of a slope.
    phases : mapping of str to number or text
        What tells several images at one place apart, by DICOM keyword: echo, time, b-value ….
    technical : mapping of str to JSON values
        Allow-listed elements (``ingest/technical.py``).
    faults : tuple of Finding
        What is wrong with this file alone.
    frame, n_frames : int
        Number of the frame, from 1, and how many the file has; 0 and 1 where a file is one image.
    stack : str
        StackID of a frame; may be any text.
    concatenation : Concatenation, optional
        Where several files make one enhanced image.
    """

    number: int
    path: Path
    place: str
    kind: InstanceKind
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    frame_of_reference_uid: str = ""
    subject_key: str | None = None
    modality: str = "OT"
    studied_at: dt.datetime | None = None
    series_description: str = ""
    study_description: str = ""
    series_number: int | None = None
    image_type: tuple[str, ...] = ()
    instance_number: int | None = None
    orientation: Cosines | None = None
    position_mm: Triple | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    slice_thickness_mm: float | None = None
    pixel_format: PixelFormat | None = None
    pixels: PixelLocation | None = None
    rescale: tuple[float, float] | None = None
    rescale_type: str = ""
    has_modality_lut: bool = False
    padding: Padding | None = None
    pet: PetHeader | None = None
    phases: Mapping[str, float | str] = field(default_factory=dict)
    technical: Mapping[str, Json] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()
    frame: int = 0
    n_frames: int = 1
    stack: str = ""
    concatenation: Concatenation | None = None

    def __repr__(self) -> str:
        return f"InstanceHeader({self.number})"


_DATE = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6})\d*)?")


def parse_date(text: str) -> dt.date | None:
    """Read DICOM's DA, ``20060128`` or the older ``2006.01.28``; None where it is no date."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return dt.date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def parse_time(text: str) -> dt.time | None:
    """Read DICOM's TM, ``145759.25`` or shorter; None where it is no time."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second, fraction = match.groups(default="0")
    try:
        return dt.time(int(hour), int(minute), int(second), int(fraction.ljust(6, "0")))
    except ValueError:
        return None


def combine(date: dt.date | None, time: dt.time | None) -> dt.datetime | None:
    """Join a date and a time; a date alone is its midnight, a time alone is nothing."""
    return None if date is None else dt.datetime.combine(date, time or dt.time())


def parse_moment(text: str) -> dt.datetime | None:
    """Read DICOM's DT, ``20060129135100.00``; an offset from UTC is left aside.

    A DT without a time of day is None: a moment is asked for where hours matter.
    """
    text = re.sub(r"[+-]\d{4}$", "", text.strip())
    date, time = parse_date(text[:8]), parse_time(text[8:])
    return None if date is None or time is None else dt.datetime.combine(date, time)
