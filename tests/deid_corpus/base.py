"""What every object of the corpus has: a patient, a study, a series, all full of identity."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian

from .draft import Draft
from .identities import Mint

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"

_WORDS = ("frame", "tracked", "dim", "dir")


@dataclass(frozen=True, slots=True)
class Person:
    """A patient; ``charset`` is the one that the name is written in."""

    name: str
    id: str
    birth: str
    issuer: str = ""
    charset: str | tuple[str, ...] = ""


@dataclass(slots=True)
class Workshop:
    """Makes files; keeps who and what it has made.

    Parameters
    ----------
    seed : int
    """

    seed: int
    mint: Mint = field(init=False)
    drafts: list[Draft] = field(default_factory=list)
    root: str = field(init=False)

    def __post_init__(self) -> None:
        self.mint = Mint(self.seed)
        self.root = f"1.2.826.0.1.3680043.8.{self.mint.number(4)}"

    def person(
        self, name: str | None = None, charset: str | tuple[str, ...] = "", issuer: str = ""
    ) -> Person:
        """Return somebody new."""
        return Person(
            name or self.mint.name(), self.mint.code(), self.mint.birth(), issuer, charset
        )

    def uid(self, *parts: object) -> str:
        """Return a UID of the corpus; words are numbered."""
        numbered = (_WORDS.index(part) + 900 if part in _WORDS else part for part in parts)
        return ".".join([self.root, *map(str, numbered)])

    def draft(
        self, path: str, sop_class: str, modality: str, person: Person, number: int, **options: Any
    ) -> Draft:
        """Start a file: the modules of patient, study, series and equipment.

        ``number`` is the series'; its instances are told apart by ``instance``.
        """
        instance, study = options.pop("instance", 1), options.pop("study", 1)
        draft = Draft(path, self.mint, **options)
        self.drafts.append(draft)
        ds = draft.data_set
        if person.charset:
            ds.SpecificCharacterSet = (
                person.charset if isinstance(person.charset, str) else list(person.charset)
            )
        ds.SOPClassUID, ds.SOPInstanceUID = sop_class, self.uid(study, number, instance)
        ds.StudyInstanceUID, ds.SeriesInstanceUID = self.uid(study), self.uid(study, number)
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = modality, number, instance
        self._patient(draft, person)
        self._study(draft)
        return draft

    def _patient(self, draft: Draft, person: Person) -> None:
        ds = draft.data_set
        ds.PatientName = draft.token(person.name, "name", "PatientName")
        ds.PatientID = draft.token(person.id, "number", "PatientID")
        ds.PatientBirthDate = draft.token(person.birth, "date", "PatientBirthDate")
        if person.issuer:
            ds.IssuerOfPatientID = draft.token(person.issuer, "name", "IssuerOfPatientID")
        ds.PatientSex, ds.PatientAge, ds.PatientWeight = "F", "061Y", "70"

    def _study(self, draft: Draft) -> None:
        ds, plant = draft.data_set, draft.token
        ds.StudyDate, ds.SeriesDate, ds.ContentDate = "20170302", "20170302", "20170303"
        ds.StudyTime, ds.SeriesTime, ds.ContentTime = "090000", "091500", "101500"
        ds.AccessionNumber = draft.number("AccessionNumber")
        ds.StudyID = draft.number("StudyID")
        ds.ReferringPhysicianName = draft.name("ReferringPhysicianName")
        ds.Manufacturer = "SIEMENS"
        ds.InstitutionName = plant(self.mint.site(), "site", "InstitutionName")
        ds.StationName = draft.word("StationName").upper()[:16]
        ds.DeviceSerialNumber = draft.number("DeviceSerialNumber")
        draft.text("StudyDescription", "CT THORAX {} follow up")
        draft.text("SeriesDescription", "axial liver {} contrast")


def pixels(
    draft: Draft, shape: tuple[int, ...], *, bits: int = 16, stored: int = 12
) -> NDArray[Any]:
    """Write an image of a gentle slope; return its values."""
    ds = draft.data_set
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = shape[-2:]
    if len(shape) > 2:
        ds.NumberOfFrames = shape[0]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = (
        bits,
        stored,
        stored - 1,
        0,
    )
    count = int(np.prod(shape))
    values = (np.arange(count) * 3 % (1 << min(stored, 12))).reshape(shape)
    order = ">" if draft.syntax == ExplicitVRBigEndian else "<"
    ds.PixelData = values.astype(f"{order}u{bits // 8}").tobytes()
    ds["PixelData"].VR = "OW" if bits == 16 else "OB"
    return values


def plane(ds: Dataset, k: int = 0, frame: str = "") -> None:
    """Write where a slice lies."""
    ds.PixelSpacing, ds.SliceThickness = ["0.8", "0.7"], "3"
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.ImagePositionPatient = ["-20.5", "-30.25", f"{40 + 3 * k}"]
    if frame:
        ds.FrameOfReferenceUID = frame
        ds.PositionReferenceIndicator = ""


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """Return a sequence of one code."""
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return Sequence([ds])


def items(**values: Any) -> Sequence:
    """Return a sequence of one item."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return Sequence([ds])


def reference(sop_class: str, uid: str) -> Dataset:
    """Return a reference to an instance."""
    ds = Dataset()
    ds.ReferencedSOPClassUID, ds.ReferencedSOPInstanceUID = sop_class, uid
    return ds
