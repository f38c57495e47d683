"""Score a de-identification in the words of the MIDI-B challenge.

Every original is compared with what became of it, element by element. Two kinds of rows count what
must not be (text left that had to go, dates as they were, UIDs as they were); the others count what
must be: utility.
"""

import datetime as dt
import io
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import UID_dictionary

from .draft import Kept

ROWS = (
    "tag retained", "text not null", "text retained", "text removed", "date shifted",
    "UID changed", "UID consistent", "patient ID consistent", "pixels hidden", "pixels retained",
)  # fmt: skip

# What an image cannot be read without, or a study not be made of: nothing in it tells of anybody.
RETAINED = [
    "SOPClassUID",
    "Modality",
    "ImageType",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceThickness",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "KVP",
    "ConvolutionKernel",
    "BodyPartExamined",
    "PatientPosition",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "RepetitionTime",
    "EchoTime",
    "EchoTrainLength",
    "MagneticFieldStrength",
    "Units",
    "DecayCorrection",
    "CorrectedImage",
    "SeriesType",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartTime",
    "FrameReferenceTime",
    "ActualFrameDuration",
    "PatientSex",
    "PatientAge",
    "PatientWeight",
    "SegmentNumber",
    "SegmentationType",
    "SegmentAlgorithmType",
    "ReferencedSegmentNumber",
    "ContourData",
    "ContourGeometricType",
    "NumberOfContourPoints",
    "ROINumber",
    "ReferencedROINumber",
    "RTROIInterpretedType",
    "ValueType",
    "RelationshipType",
    "NumericValue",
    "DimensionIndexValues",
    "GraphicData",
    "GraphicType",
    "DoseUnits",
    "DoseGridScaling",
    "DoseType",
    "GridFrameOffsetVector",
    "FrameOfReferenceTransformationMatrix",
    "RealWorldValueSlope",
    "RealWorldValueIntercept",
    "SpectroscopyData",
    "StudyTime",
    "SeriesTime",
    "AcquisitionTime",
    "InstanceNumber",
    "SeriesNumber",
    "Manufacturer",
    "BeamNumber",
    "BeamType",
    "RadiationType",
]
NOT_NULL = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID", "PatientName")
DATES = frozenset(
    {"StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime",
     "RadiopharmaceuticalStartDateTime", "FrameAcquisitionDateTime", "StructureSetDate",
     "RTPlanDate", "Date", "DateTime", "PresentationCreationDate"}
)  # fmt: skip

_TEXTS = frozenset({"CS", "LO", "LT", "SH", "ST", "UC", "UT"})

OF_KINDS = frozenset({"SOPClassUID", "ReferencedSOPClassUID", "CodingSchemeUID"})
"""UIDs of kinds of things: some that stay are younger than pydicom's list."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An original and what was released of it.

    Parameters
    ----------
    name : str
        Of the original.
    before, after : bytes
    kept : sequence of Kept
        Words that have to stay.
    removed : mapping of int to set of str
        Words that have to go, by the tag they stood in.
    """

    name: str
    before: bytes
    after: bytes
    kept: Sequence[Kept] = ()


@dataclass(slots=True)
class Score:
    """How many checks of each row were met, and which were not."""

    met: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROWS, 0))
    failed: dict[str, list[str]] = field(default_factory=lambda: {row: [] for row in ROWS})

    def note(self, row: str, what: str, *, is_met: bool) -> None:
        """Count one check."""
        if is_met:
            self.met[row] += 1
        else:
            self.failed[row].append(what)

    def share(self, row: str) -> float:
        """Return the share of checks met; 1 where there was none."""
        total = self.met[row] + len(self.failed[row])
        return self.met[row] / total if total else 1.0

    def table(self) -> str:
        """Return the score as lines of text."""
        lines = [f"{'':24}{'met':>8}{'of':>8}{'share':>9}"]
        for row in ROWS:
            total = self.met[row] + len(self.failed[row])
            lines.append(f"{row:24}{self.met[row]:8d}{total:8d}{self.share(row):9.2%}")
        return "\n".join(lines)


@dataclass(slots=True)
class Scorer:
    """Compares pairs; remembers which UID and which patient became what."""

    score: Score = field(default_factory=Score)
    uids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    patients: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    shifts: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def compare(self, pair: Pair) -> None:
        """Score one file that was released."""
        before, after = read(pair.before), read(pair.after)
        self.patients[_patient(before)].add(str(after.get("PatientID", "")))
        for path, one, other in _walk(before, after):
            where = f"{pair.name}: {path} {one.keyword or one.tag}"
            self._retained(where, one, other)
            if one.VR in {"DA", "DT"} and one.keyword in DATES:
                self._date(where, str(after.get("PatientID", "")), one, other)
            if one.VR == "UI" and other is not None:
                self._uids(where, one, other)
        for keyword in NOT_NULL:
            if keyword.endswith("UID") and not before.get(keyword):
                continue  # what never had a UID is given none
            self.score.note(
                "text not null", f"{pair.name}: {keyword}", is_met=bool(after.get(keyword))
            )
        for kept in pair.kept:
            self._kept(pair.name, kept, after)
        self._pixels(pair.name, before, after)

    def _retained(self, where: str, one: Any, other: Any) -> None:
        if one.keyword not in RETAINED or not _is_sound(one):
            return
        self.score.note("tag retained", where, is_met=other is not None)
        if other is not None and not one.is_empty:
            self.score.note("text not null", where, is_met=not other.is_empty)
            self.score.note("text retained", where, is_met=_same(one, other))

    def _date(self, where: str, patient: str, one: Any, other: Any) -> None:
        day = _day(one.value)
        if day is None:
            return
        moved = _day(other.value) if other is not None and not other.is_empty else None
        same_clock = moved is not None and str(one.value)[8:] == str(other.value)[8:]
        is_met = moved is not None and moved != day and same_clock
        self.score.note("date shifted", where, is_met=is_met)
        if moved is not None:
            self.shifts[patient].add((day - moved).days)

    def _uids(self, where: str, one: Any, other: Any) -> None:
        for old, new in zip(_values(one), _values(other), strict=False):
            if not old or str(old) in UID_dictionary or one.keyword in OF_KINDS:
                continue
            self.score.note("UID changed", where, is_met=str(old) != str(new))
            self.uids[str(old)].add(str(new))

    def _kept(self, name: str, kept: Kept, after: Dataset) -> None:
        texts = [
            str(element.value).casefold()
            for element in elements_of(after)
            if int(element.tag) == kept.tag and element.VR != "SQ"
        ]
        for word in kept.words:
            is_met = any(word.casefold() in text for text in texts)
            self.score.note("text retained", f"{name}: {kept.tag:08x} {word}", is_met=is_met)

    def _pixels(self, name: str, before: Dataset, after: Dataset) -> None:
        if "PixelData" not in before or not before.get("Rows"):
            return
        old, new = decoded(before), decoded(after)
        if old is not None:
            is_met = new is not None and np.array_equal(old, new)
            self.score.note("pixels retained", name, is_met=is_met)

    def hidden(self, name: str, *, is_met: bool) -> None:
        """Score a file with text in its pixels: it must not be released."""
        self.score.note("pixels hidden", name, is_met=is_met)

    def removed(self, what: str, *, is_met: bool) -> None:
        """Score one token."""
        self.score.note("text removed", what, is_met=is_met)

    def finish(self) -> Score:
        """Score what only all files together show."""
        backwards: dict[str, set[str]] = defaultdict(set)
        for old, new in self.uids.items():
            for uid in new:
                backwards[uid].add(old)
        for old, new in self.uids.items():
            is_met = len(new) == 1 and all(len(backwards[uid]) == 1 for uid in new)
            self.score.note("UID consistent", old, is_met=is_met)
        news = [new for new in self.patients.values() if len(new) == 1]
        for patient, new in self.patients.items():
            is_met = len(new) == 1 and news.count(new) == 1
            self.score.note("patient ID consistent", str(patient), is_met=is_met)
        for patient, days in self.shifts.items():
            self.score.note("date shifted", f"intervals of {patient}", is_met=len(days) == 1)
        return self.score


def read(content: bytes) -> Dataset:
    """Read a file, whatever is wrong with its values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(content), force=True)


def elements_of(data_set: Dataset) -> Iterator[Any]:
    """Return the elements of all levels whose values can be read."""
    for tag in list(data_set.keys()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                element = data_set[tag]
            except Exception:  # noqa: BLE001, S112 - a value that is none of its VR
                continue
        yield element
        for inner in element.value if element.VR == "SQ" and element.value else ():
            yield from elements_of(inner)


def texts_of(content: bytes) -> Iterator[tuple[str, str]]:
    """Return the texts of a file's elements but codes, and what each is called."""
    for element in elements_of(read(content)):
        if element.VR in _TEXTS and element.keyword != "CodeValue":
            yield from ((element.keyword or str(element.tag), str(one)) for one in _values(element))


def decoded(data_set: Dataset) -> Any:
    """Return the pixels within the stored bits; None where no decoder can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            array = data_set.pixel_array
        except Exception:  # noqa: BLE001 - of damaged originals there is nothing to compare
            return None
    spare = (
        array.dtype.itemsize * 8 - int(data_set.get("HighBit", array.dtype.itemsize * 8 - 1)) - 1
    )
    return array << spare >> spare if array.dtype.kind in "iu" and spare > 0 else array


def _walk(before: Dataset, after: Dataset, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    for tag in before.keys():  # noqa: SIM118 - a data set iterates over elements
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                one = before[tag]
                other = after.get(tag)
            except Exception:  # noqa: BLE001, S112 - a value that is none of its VR
                continue
        if tag.is_private:
            continue
        if one.VR != "SQ":
            yield path, one, other
        elif other is not None and other.VR == "SQ":
            for number, (inner, outer) in enumerate(zip(one.value, other.value, strict=False)):
                yield from _walk(inner, outer, f"{path}{one.keyword}[{number}].")


def _values(element: Any) -> list[Any]:
    if element.is_empty:
        return []
    return list(element.value) if element.VM > 1 else [element.value]


def _is_sound(element: Any) -> bool:
    """Return whether a value is of its VR: a name in a number has to go."""
    text = str(element.value)
    if element.VR not in dictionary_VR(element.tag):
        return False
    if element.VR in {"DS", "IS"}:
        numbers = _numbers(element)
        return bool(numbers) and all(abs(number) < 1e9 for number in numbers)
    if element.VR in {"TM", "DA", "CS"}:
        return bool(re.fullmatch(r"[0-9.:]+" if element.VR == "TM" else r"[\[\]', A-Z0-9_]*", text))
    if element.keyword == "PatientAge":
        return text[:3] <= "089"
    return True


def _same(one: Any, other: Any) -> bool:
    if one.VR in {"DS", "IS", "FD", "FL"}:
        return _numbers(one) == _numbers(other)
    return str(one.value).strip().casefold() == str(other.value).strip().casefold()


def _numbers(element: Any) -> list[float]:
    """Return the values as numbers; none at all where one is none."""
    try:
        return [float(value) for value in _values(element)]
    except (TypeError, ValueError):
        return []


def _day(value: Any) -> dt.date | None:
    try:
        return dt.datetime.strptime(str(value)[:8], "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None


def _patient(data_set: Dataset) -> tuple[str, str]:
    known = str(data_set.get("PatientID", "")) or f"study {data_set.get('StudyInstanceUID', '')}"
    return known, str(data_set.get("IssuerOfPatientID", ""))


def broken_references(pairs: Sequence[Pair], uids: Mapping[str, set[str]]) -> list[str]:
    """Return references that led to a released instance before and lead nowhere now."""
    before = {str(read(pair.before).get("SOPInstanceUID", "")) for pair in pairs}
    after = {str(read(pair.after).SOPInstanceUID) for pair in pairs}
    broken = []
    for pair in pairs:
        old = _referenced(read(pair.before)) & before
        new = _referenced(read(pair.after))
        expected = {uid for one in old for uid in uids.get(one, ())}
        lost = (expected - new) | (expected - after)
        broken += [f"{pair.name}: {uid}" for uid in lost]
    return broken


def _referenced(data_set: Dataset) -> set[str]:
    return {
        str(element.value)
        for element in elements_of(data_set)
        if element.keyword == "ReferencedSOPInstanceUID" and not element.is_empty
    }
