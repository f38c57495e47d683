"""What the tortured study takes in: a little of everything, so that every stage has work."""

from pathlib import Path

from lesionary.io.phantom_files import ADA, DemoPatient, write_phantom_patients
from lesionary.io.phantom_readers import MODEL, PATTERN, write_reader_scans
from lesionary.phantoms.ct import CtSpec
from lesionary.phantoms.mouse import MouseSpec
from lesionary.phantoms.scenario import Course, LesionPlan

INGEST_OPTIONS = ("--reader-from", PATTERN)
CHANGES = {
    "predictions = []": f'predictions = ["{MODEL}"]',
    "gallery = 60": "gallery = 6",
}
"""What to change in ``study.toml``: a model is held against the readers, few lesions are drawn."""

_PLAN = LesionPlan(
    {"m,lung": 2, "m,liver": 2}, courses=(Course.SHRINKING, Course.SHRINKING), smallest_mm=24
)
_PATIENT = DemoPatient(
    ADA,
    CtSpec(
        shape=(36, 96, 96),
        spacing_mm=(10.0, 4.0, 4.0),
        bottom_mm=-175.0,
        noise_hu=9.0,
        days=(0, 56, 119),
        lesions=_PLAN,
    ),
)
_MICE = MouseSpec(spacing_mm=0.84, n_mice=1, n_tumours=(2,))


def write_all(folder: Path, seed: int) -> Path:
    """Write a patient as DICOM with boxes and faults, and mice with masks; return the folder."""
    scans = write_phantom_patients(folder, seed=seed, patients=[_PATIENT], pet=None).scans
    return write_reader_scans(scans, seed=seed, n_scans=2, spec=_MICE)
