"""What a file that is written says besides its pixels: patient, study, series, tracer, UIDs."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

UidMaker = Callable[[str], str]
"""Gives the UID that belongs to a text: always the same one."""


def hashed_uid(text: str) -> str:
    """Return the UID of a text: its hash below 2.25, where UIDs need no registration."""
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])}"


@dataclass(frozen=True, slots=True)
class Injection:
    """The tracer of a PET: enough to compute SUVbw, decay-corrected to the series' start.

    Parameters
    ----------
    total_bq : float
        Activity at ``start``.
    half_life_s : float
        Of the radionuclide.
    start : datetime.datetime
        When it was injected.
    weight_kg : float
        Body weight.
    """

    total_bq: float
    half_life_s: float
    start: dt.datetime
    weight_kg: float


@dataclass(frozen=True, slots=True)
class SeriesHeader:
    """What a series says besides its pixels.

    Parameters
    ----------
    patient_id, patient_name : str
        As DICOM writes them: ``Family^Given``.
    acquired : datetime.datetime
        Date and time of study, series and acquisition.
    study_uid, series_uid, frame_of_reference_uid : str
        Of the levels; series that share space share the last one.
    birth_date : datetime.date, optional
        Of the patient.
    sex : str
        ``M``, ``F``, ``O`` or empty.
    study_description, series_description, body_part : str
        Free text, and the coded body part.
    series_number : int
        Within the study.
    slice_thickness_mm : float, optional
        By default the distance of the slices.
    injection : Injection, optional
        Of a PET.
    extra : mapping of str to value
        Further elements by DICOM keyword, written on every instance; they win over all others.
    """

    patient_id: str
    patient_name: str
    acquired: dt.datetime
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    birth_date: dt.date | None = None
    sex: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part: str = ""
    series_number: int = 1
    slice_thickness_mm: float | None = None
    injection: Injection | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


def common_elements(header: SeriesHeader, modality: str, sop_class_uid: str) -> dict[str, object]:
    """Return the elements of patient, study and series."""
    date, time = header.acquired.strftime("%Y%m%d"), header.acquired.strftime("%H%M%S")
    born = header.birth_date.strftime("%Y%m%d") if header.birth_date else ""
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": sop_class_uid,
        "PatientName": header.patient_name,
        "PatientID": header.patient_id,
        "PatientBirthDate": born,
        "PatientSex": header.sex,
        "StudyInstanceUID": header.study_uid,
        "StudyDate": date,
        "StudyTime": time,
        "StudyID": "1",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyDescription": header.study_description,
        "SeriesInstanceUID": header.series_uid,
        "SeriesNumber": header.series_number,
        "SeriesDescription": header.series_description,
        "SeriesDate": date,
        "SeriesTime": time,
        "Modality": modality,
        "Manufacturer": "Lesionary phantoms",
        "FrameOfReferenceUID": header.frame_of_reference_uid,
        "PositionReferenceIndicator": "",
    }
