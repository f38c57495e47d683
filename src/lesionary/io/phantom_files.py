"""Phantom patients as files: what ``lesionary demo`` reads, and the truth to hold it against.

All people in here are made up; their names and numbers are planted so that one can look for them
in whatever comes out.
"""

import csv
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lesionary.core.volume import Geometry, Quantity, Volume
from lesionary.io.dicom.write_header import Injection, SeriesHeader, hashed_uid
from lesionary.io.dicom.write_rtstruct import Roi, write_rtstruct
from lesionary.io.dicom.write_series import WrittenSeries, write_series
from lesionary.io.nifti import write_nifti
from lesionary.phantoms.boxes import LesionBox, drawn_boxes
from lesionary.phantoms.ct import CtSpec, PhantomScan, Scenario, thorax_abdomen
from lesionary.phantoms.petct import PetCtScan, PetCtSpec, fdg_petct
from lesionary.phantoms.scenario import Course, LesionPlan

BOX_COLUMNS = ("image", "lesion", "i0", "i1", "j0", "j1", "k0", "k1", "label")


@dataclass(frozen=True, slots=True)
class FakePerson:
    """A made-up patient: every field is an identity that must never leave a study."""

    patient_id: str
    name: str
    birth_date: dt.date
    sex: str
    first_scan: dt.datetime


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One patient of the demonstration: who, how scanned, with what tumours."""

    person: FakePerson
    spec: CtSpec


@dataclass(frozen=True, slots=True)
class PhantomFiles:
    """What was written.

    Parameters
    ----------
    scans : Path
        Folder to ingest: DICOM series by patient, and ``boxes.csv``.
    truth : Path
        Folder beside it: a NIfTI label map for each CT series, PET/CT included, by folder name,
        with ``lesions.csv`` and ``links.csv``.
    n_patients, n_series, n_lesions : int
        How much there is; series that are faulty on purpose count, their tumours do not.
    """

    scans: Path
    truth: Path
    n_patients: int
    n_series: int
    n_lesions: int


def _person(number: int, name: str, born: tuple[int, int, int], sex: str) -> FakePerson:
    return FakePerson(
        patient_id=f"HOSP-{48213 + 977 * number:06d}",
        name=name,
        birth_date=dt.date(*born),
        sex=sex,
        first_scan=dt.datetime(2021, 3 + number, 4 + 3 * number, 9, 12 + number, 30, tzinfo=dt.UTC),
    )


ADA = _person(0, "Testperson^Adalbert", (1954, 5, 17), "M")
BEA = _person(1, "Phantomová^Beata", (1961, 11, 2), "F")
CARL = _person(2, "Musterfrau^Carla", (1947, 1, 30), "F")
DORA = _person(3, "Probeson^Dorian", (1968, 8, 9), "M")

_RESPONDING = LesionPlan(
    {"m,lung": 2, "m,liver": 2, "n,mediastinum": 1},
    courses=(Course.SHRINKING, Course.SHRINKING, Course.VANISHING, Course.SPLITTING),
    smallest_mm=15,
)
_PROGRESSING = LesionPlan(
    {"t,lung": 1, "m,lung": 2, "n,mediastinum": 1},
    courses=(Course.GROWING, Course.NEW),
    smallest_mm=12,
)
_STABLE = LesionPlan(
    {"m,liver": 3, "n,retroperitoneal": 1},
    courses=(Course.STABLE, Course.MERGING, Course.STABLE),
    smallest_mm=14,
)
_GRID = CtSpec(shape=(72, 192, 192), spacing_mm=(5.0, 2.0, 2.0), bottom_mm=-175.0, noise_hu=9.0)

DEMO_PATIENTS = (
    DemoPatient(ADA, replace(_GRID, days=(0, 56, 119), lesions=_RESPONDING)),
    DemoPatient(
        BEA,
        replace(_GRID, shape=(60, 192, 192), bottom_mm=-85.0, days=(0, 63), lesions=_PROGRESSING),
    ),
    DemoPatient(
        CARL,
        replace(_GRID, shape=(52, 192, 192), bottom_mm=-205.0, days=(0, 42), lesions=_STABLE),
    ),
)
PET_SPEC = PetCtSpec(
    ct=replace(
        _GRID,
        days=(0,),
        lesions=LesionPlan(
            {"m,lung": 1, "m,liver": 2, "n,mediastinum": 1},
            courses=(Course.STABLE,),
            smallest_mm=16,
        ),
    )
)


def write_phantom_patients(
    folder: Path,
    *,
    seed: int = 20240611,
    patients: Sequence[DemoPatient] = DEMO_PATIENTS,
    pet: PetCtSpec | None = PET_SPEC,
) -> PhantomFiles:
    """Write patients over time as DICOM, with boxes, deliberate faults and the truth.

    In ``folder/scans``: one folder a patient, in it one a series; ``boxes.csv`` with a box drawn
    around each tumour of the CT series; a PET/CT patient whose tumours come as RTSTRUCT; and, for
    the gate to find, a series that lacks a slice and a localizer. In ``folder/truth``: what is
    true. The same seed gives the same bytes.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    seed : int
        Of all patients.
    patients : sequence of DemoPatient
        Those with CT; the first also gets the faulty series.
    pet : PetCtSpec, optional
        The PET/CT patient's scan; None leaves that patient out.
    """
    writer = _Writer(folder / "scans", folder / "truth")
    for number, patient in enumerate(patients):
        scenario = thorax_abdomen(patient.spec, seed + number)
        writer.add_patient(patient, scenario, seed + number)
        if number == 0:
            writer.add_faults(patient.person, scenario.timepoints[-1].volume)
    if pet is not None:
        writer.add_petct(DORA, fdg_petct(pet, seed + 1000), pet)
    writer.finish()
    return PhantomFiles(
        scans=writer.scans,
        truth=writer.truth,
        n_patients=len(patients) + (pet is not None),
        n_series=writer.n_series,
        n_lesions=len(writer.lesion_rows),
    )


class _Writer:
    """Writes series as they come and keeps the rows of the tables."""

    def __init__(self, scans: Path, truth: Path) -> None:
        self.scans = scans
        self.truth = truth
        self.n_series = 0
        self.box_rows: list[dict[str, object]] = []
        self.lesion_rows: list[dict[str, object]] = []
        self.link_rows: list[dict[str, object]] = []
        scans.mkdir(parents=True, exist_ok=True)
        truth.mkdir(parents=True, exist_ok=True)

    def add_patient(self, patient: DemoPatient, scenario: Scenario, seed: int) -> None:
        """Write all time points of a patient, with boxes."""
        names = []
        for t, scan in enumerate(scenario.timepoints):
            header = _header(patient.person, scan.day, "CT", series_number=2)
            name = self._name(patient.person, header, "CT")
            names.append(name)
            self._series(patient.person, name, scan.volume, header)
            self._keep_truth(name, scan, t)
            boxes = drawn_boxes(scan.truth, seed + t, jitter_pixels=3)
            self.box_rows += [_box_row(name, box) for box in boxes]
        for link in scenario.links:
            self.link_rows.append(
                {
                    "track": link.track,
                    "from_series": names[link.from_timepoint],
                    "from_lesion": link.from_value,
                    "to_series": names[link.from_timepoint + 1],
                    "to_lesion": link.to_value,
                    "relation": link.relation.value,
                }
            )

    def add_faults(self, person: FakePerson, volume: Volume) -> None:
        """Write a series that lacks a slice, and a localizer, into a later visit of a person."""
        header = _header(person, 160, "CT", series_number=3)
        name = self._name(person, header, "CT_incomplete")
        coarse = _coarser(volume)
        written = self._series(person, name, coarse, header)
        written.paths[len(written.paths) // 2].unlink()
        scout = replace(
            header,
            series_uid=hashed_uid(f"{header.series_uid}/scout"),
            series_description="Scout",
            series_number=1,
            extra={**header.extra, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        )
        name = self._name(person, header, "CT_scout")
        self._series(person, name, _radiograph(volume), scout)

    def add_petct(self, person: FakePerson, scan: PetCtScan, spec: PetCtSpec) -> None:
        """Write a PET/CT with an RTSTRUCT on the CT."""
        header = _header(person, 0, "CT", series_number=2)
        name = self._name(person, header, "CT")
        image = self._series(person, name, scan.ct.volume, header)
        self._keep_truth(name, scan.ct, 0)
        dose = spec.dose
        pet = replace(
            _header(person, 0, "PT", series_number=3),
            injection=Injection(
                total_bq=dose.total_bq,
                half_life_s=dose.half_life_s,
                start=header.acquired - dt.timedelta(seconds=dose.delay_s),
                weight_kg=dose.weight_kg,
            ),
        )
        self._series(person, self._name(person, pet, "PET"), scan.pet, pet)
        rois = [
            Roi(f"GTV {lesion.track}{lesion.part}", scan.ct.truth.mask_of(lesion.value))
            for lesion in scan.ct.lesions
        ]
        marks = _header(person, 0, "RTSTRUCT", series_number=9)
        path = self._folder(person) / self._name(person, marks, "RTSTRUCT") / "tumours.dcm"
        write_rtstruct(path, rois, image, marks)
        self.n_series += 1

    def finish(self) -> None:
        """Write the tables."""
        _write_table(self.scans / "boxes.csv", BOX_COLUMNS, self.box_rows)
        for name, rows in (("lesions.csv", self.lesion_rows), ("links.csv", self.link_rows)):
            _write_table(self.truth / name, tuple(rows[0]) if rows else (), rows)

    def _folder(self, person: FakePerson) -> Path:
        return self.scans / person.patient_id

    def _name(self, person: FakePerson, header: SeriesHeader, kind: str) -> str:
        return f"{person.patient_id}_{header.acquired:%Y-%m-%d}_{kind}"

    def _series(
        self, person: FakePerson, name: str, volume: Volume, header: SeriesHeader
    ) -> WrittenSeries:
        self.n_series += 1
        return write_series(self._folder(person) / name, volume, header)

    def _keep_truth(self, name: str, scan: PhantomScan, t: int) -> None:
        write_nifti(self.truth / f"{name}.nii.gz", scan.truth)
        texts = {str(value): text for value, text in scan.truth.labels.items()}
        (self.truth / f"{name}.json").write_text(json.dumps(texts, indent=1), encoding="utf-8")
        for lesion in scan.lesions:
            self.lesion_rows.append(
                {
                    "series": name,
                    "timepoint": t,
                    "lesion": lesion.value,
                    "track": lesion.track,
                    "part": lesion.part,
                    "merged": "+".join(lesion.merged),
                    "label": lesion.label,
                    "volume_ml": lesion.volume_ml,
                    "longest_diameter_mm": lesion.longest_diameter_mm,
                    "short_axis_mm": lesion.short_axis_mm,
                }
            )


def _header(person: FakePerson, day: int, modality: str, *, series_number: int) -> SeriesHeader:
    acquired = person.first_scan + dt.timedelta(days=day)
    study = f"{person.patient_id}/{acquired:%Y%m%d}"
    described = {"CT": "Thorax abdomen pv", "PT": "PET WB AC", "RTSTRUCT": "Tumours"}
    return SeriesHeader(
        patient_id=person.patient_id,
        patient_name=person.name,
        acquired=acquired,
        study_uid=hashed_uid(study),
        series_uid=hashed_uid(f"{study}/{series_number}"),
        frame_of_reference_uid=hashed_uid(f"{study}/frame"),
        birth_date=person.birth_date,
        sex=person.sex,
        study_description="Staging",
        series_description=described[modality],
        series_number=series_number,
        extra={
            "InstitutionName": "Spital Musterstadt",
            "ReferringPhysicianName": "Beispiel^Ruth",
            "AccessionNumber": f"A{person.patient_id[-5:]}{acquired:%m%d}",
            "OtherPatientIDs": f"INS-{person.patient_id[-4:]}77",
            "PatientAge": f"{(acquired.date() - person.birth_date).days // 365:03d}Y",
        },
    )


def _box_row(image: str, box: LesionBox) -> dict[str, object]:
    """Give the half-open ranges in DICOM's order; slices are sorted along the row × column normal.

    Phantoms are axial with rows to the left and columns to the back, so that order is theirs.
    """
    k, j, i = box.box
    ends = {"i0": i.start, "i1": i.stop, "j0": j.start, "j1": j.stop, "k0": k.start, "k1": k.stop}
    return {"image": image, "lesion": box.value, **ends, "label": box.label}


def _coarser(volume: Volume) -> Volume:
    """Every other voxel along each axis."""
    geometry = volume.geometry
    affine = geometry.affine.copy()
    affine[:3, :3] *= 2
    array = volume.array[::2, ::2, ::2]
    shape = (array.shape[0], array.shape[1], array.shape[2])
    return replace(volume, array=array, geometry=Geometry(shape, affine))


def _radiograph(volume: Volume) -> Volume:
    """View from the front, as a scanner's localizer: one slice, rows downwards."""
    dk, _, di = volume.geometry.spacing_mm
    depth = np.clip(volume.array.astype(np.float32) + 1000, 0, None).mean(axis=1)[::-1]
    top = volume.geometry.to_world(np.array([volume.array.shape[0] - 1, 0, 0]))
    affine = np.zeros((4, 4))
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 1, 0), (0, 0, -dk), (di, 0, 0)
    affine[:3, 3], affine[3, 3] = (top[0], 0.0, top[2]), 1.0
    array = np.rint(depth - 500).astype(np.int16)[None]
    return Volume(array, Geometry((1, array.shape[1], array.shape[2]), affine), "CT", Quantity.HU)


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
