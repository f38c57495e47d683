import csv
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest

from lesionary.io.phantom_files import (
    ADA,
    BOX_COLUMNS,
    DORA,
    DemoPatient,
    write_phantom_patients,
)
from lesionary.phantoms.ct import CtSpec
from lesionary.phantoms.petct import PetCtSpec
from lesionary.phantoms.scenario import LesionPlan

PLAN = LesionPlan({"m,lung": 1, "m,liver": 1}, smallest_mm=24)
SPEC = CtSpec(shape=(40, 64, 64), spacing_mm=(8.8, 5.9, 5.9), days=(0, 50), lesions=PLAN)
PATIENTS = (DemoPatient(ADA, SPEC),)
PET = PetCtSpec(ct=replace(SPEC, days=(0,)), voxel_mm=8.0)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_phantom_patients(tmp_path_factory.mktemp("demo"), patients=PATIENTS, pet=PET)


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _series(folder):
    sets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    return sorted(sets, key=lambda d: float(d.ImagePositionPatient[2]))


def test_every_series_of_a_patient_has_a_folder(written):
    folders = [path for path in written.scans.glob("*/*") if path.is_dir()]
    assert len(folders) == written.n_series == 7
    assert written.n_patients == 2
    assert len({path.name for path in folders}) == 7


def test_boxes_hold_their_lesions_in_the_order_of_dicom(written):
    boxes = _rows(written.scans / "boxes.csv")
    assert tuple(boxes[0]) == BOX_COLUMNS
    assert len(boxes) == 4
    for row in boxes:
        truth = nibabel.load(written.truth / f"{row['image']}.nii.gz")
        data = np.asanyarray(truth.dataobj)
        i, j, k = (slice(int(row[f"{a}0"]), int(row[f"{a}1"])) for a in "ijk")
        value = int(row["lesion"])
        assert (data[i, j, k] == value).sum() == (data == value).sum() > 0


def test_truth_lies_on_the_grid_of_its_series(written):
    for path in written.truth.glob("*.nii.gz"):
        name = path.name.removesuffix(".nii.gz")
        (folder,) = written.scans.glob(f"*/{name}")
        sets = _series(folder)
        truth = nibabel.load(path)
        assert truth.shape == (sets[0].Columns, sets[0].Rows, len(sets))
        x, y, z = (float(v) for v in sets[0].ImagePositionPatient)
        np.testing.assert_allclose(truth.affine[:3, 3], (-x, -y, z), atol=1e-3)


def test_lesions_and_links_name_series_that_exist(written):
    names = {path.name for path in written.scans.glob("*/*")}
    lesions = _rows(written.truth / "lesions.csv")
    assert len(lesions) == written.n_lesions == 6
    assert {row["series"] for row in lesions} <= names
    links = _rows(written.truth / "links.csv")
    assert {row["from_series"] for row in links} | {row["to_series"] for row in links} <= names


def test_one_series_lacks_a_slice_and_one_is_a_localizer(written):
    (incomplete,) = written.scans.glob("*/*_CT_incomplete")
    gaps = np.diff([float(d.ImagePositionPatient[2]) for d in _series(incomplete)])
    assert np.count_nonzero(gaps > 1.5 * gaps.min()) == 1
    (scout,) = written.scans.glob("*/*_CT_scout")
    (image,) = (pydicom.dcmread(path) for path in scout.iterdir())
    assert "LOCALIZER" in image.ImageType


def test_pet_and_ct_share_a_frame_of_reference_and_the_contours_name_the_ct(written):
    folders = {
        kind: next(written.scans.glob(f"{DORA.patient_id}/*_{kind}")) for kind in ("CT", "PET")
    }
    ct, pet = (_series(folder) for folder in folders.values())
    assert ct[0].FrameOfReferenceUID == pet[0].FrameOfReferenceUID
    assert ct[0].StudyInstanceUID == pet[0].StudyInstanceUID
    assert len({float(d.RescaleSlope) for d in pet}) > len(pet) // 2
    (path,) = written.scans.glob(f"{DORA.patient_id}/*_RTSTRUCT/*.dcm")
    marks = pydicom.dcmread(path)
    assert len(marks.StructureSetROISequence) == 2
    known = {d.SOPInstanceUID for d in ct}
    for roi in marks.ROIContourSequence:
        for contour in roi.ContourSequence:
            assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID in known


def test_identities_are_planted_and_dates_follow_the_days(written):
    first, second = sorted(written.scans.glob(f"{ADA.patient_id}/*_CT"))
    dates = []
    for folder in (first, second):
        data = pydicom.dcmread(next(folder.iterdir()), stop_before_pixels=True)
        assert (data.PatientID, str(data.PatientName)) == (ADA.patient_id, ADA.name)
        assert data.PatientBirthDate == f"{ADA.birth_date:%Y%m%d}"
        dates.append(pydicom.valuerep.DA(data.StudyDate))
    assert (dates[1] - dates[0]).days == 50


def test_the_same_seed_writes_the_same_bytes(written, tmp_path):
    again = write_phantom_patients(tmp_path, patients=PATIENTS, pet=PET)
    for one, two in ((written.scans, again.scans), (written.truth, again.truth)):
        files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
        assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
        assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)
