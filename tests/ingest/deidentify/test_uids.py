"""UIDs where they stay: which are replaced all the same, and which files are set aside."""

import datetime as dt
import io

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from lesionary.ingest.deidentify.engine import Deidentifier, Released, Subject
from lesionary.ingest.deidentify.profile import Option, Profile
from lesionary.ingest.deidentify.quarantine import Quarantined
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser, has_number
from lesionary.io.dicom.tree import read_instance, write_instance

KEY = bytes(range(32))
NAMES = Pseudonymiser(KEY)
WORDS = Words()
ROOT = "1.2.826.0.1.3680043.2.1396"
DATED = f"{ROOT}.20100311.93427"
FIRST, AGAIN = Subject("123456789", 100), Subject("123456789", 0)


def engine(*added: str) -> Deidentifier:
    profile = Profile.default().with_changes(added=["retain_uids", *added])
    keeps_dates = Option.LONGITUDINAL_FULL in profile.options
    names = Pseudonymiser(KEY, keep_uids=True, keep_dated_uids=keeps_dates)
    return Deidentifier(profile, names, WORDS)


def slice_of_ct(**elements: object) -> Dataset:
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    plain = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": f"{ROOT}.7.1",
        "StudyInstanceUID": f"{ROOT}.7", "SeriesInstanceUID": f"{ROOT}.7.2",
        "PatientID": "ZX-1", "Modality": "CT", "Rows": 2, "Columns": 2, "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "StudyDate": "20100311",
        "PixelData": np.arange(4, dtype="<u2").tobytes(),
    }  # fmt: skip
    for keyword, value in (plain | elements).items():
        setattr(data_set, keyword, value)
    return data_set


def outcome(
    data_set: Dataset, by: Deidentifier | None = None, subject: Subject = FIRST
) -> Released | Quarantined:
    buffer = io.BytesIO()
    data_set.save_as(buffer, enforce_file_format=True)
    return (by or engine()).apply(read_instance(buffer.getvalue()), subject)


def released(data_set: Dataset, by: Deidentifier | None = None) -> Dataset:
    made = outcome(data_set, by)
    assert isinstance(made, Released)
    return pydicom.dcmread(io.BytesIO(b"".join(write_instance(made.instance))))


def test_a_uid_that_tells_a_day_is_replaced_and_others_stay():
    made = released(slice_of_ct(StudyInstanceUID=DATED))
    assert made.StudyInstanceUID == NAMES.uid(DATED)
    assert made.SOPInstanceUID == made.file_meta.MediaStorageSOPInstanceUID == f"{ROOT}.7.1"


def test_the_same_uid_has_the_same_end_whatever_else_a_file_says():
    reference = Dataset()
    reference.ReferencedSOPClassUID = CTImageStorage
    reference.ReferencedSOPInstanceUID = DATED
    image = released(slice_of_ct(SOPInstanceUID=DATED))
    other = released(slice_of_ct(StudyDate="19990101", ReferencedImageSequence=[reference]))
    (found,) = other.ReferencedImageSequence
    assert found.ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert found.ReferencedSOPClassUID == CTImageStorage


def test_uids_that_tell_a_day_stay_with_full_dates_and_go_without_any():
    assert released(
        slice_of_ct(SOPInstanceUID=DATED), engine("retain_full_dates")
    ).SOPInstanceUID == (DATED)
    profile = Profile.parse(["retain_uids"])
    bare = Deidentifier(profile, Pseudonymiser(KEY, keep_uids=True), WORDS)
    assert released(slice_of_ct(SOPInstanceUID=DATED), bare).SOPInstanceUID == NAMES.uid(DATED)


@pytest.mark.parametrize("patient", ["48213", "ZX-48213", "0048213", "4821377", "48-213-770"])
def test_a_uid_with_the_patients_id_is_replaced_in_every_file_of_the_patient(patient):
    number = patient.replace("ZX-", "").replace("-", "").lstrip("0")
    named = f"{ROOT}.{number}.1"
    image = released(slice_of_ct(PatientID=patient, SOPInstanceUID=named, AccessionNumber="A1"))
    other = released(slice_of_ct(PatientID=patient, FrameOfReferenceUID=named))
    assert image.SOPInstanceUID == other.FrameOfReferenceUID == NAMES.uid(named)
    assert image.SeriesInstanceUID == f"{ROOT}.7.2"


def test_hashes_of_an_archive_stay_though_a_project_has_a_patients_number():
    kept = "1.3.6.1.4.1.14519.5.2.1.7009.9004.298806137288633453246975630178"
    assert released(slice_of_ct(PatientID="LUNG-9004", SOPInstanceUID=kept)).SOPInstanceUID == kept


@pytest.mark.parametrize(
    "keyword", ["AccessionNumber", "StudyID", "OtherPatientIDs", "AdmissionID"]
)
def test_a_uid_with_a_number_that_other_files_may_not_know_sets_the_file_aside(keyword):
    named = slice_of_ct(StudyInstanceUID=f"{ROOT}.77123.4", **{keyword: "A-77123"})
    made = outcome(named)
    assert isinstance(made, Quarantined)
    assert made.code == "telling_uid"
    assert "77123" not in made.reason
    hashed = Deidentifier(Profile.default(), NAMES, WORDS)
    assert isinstance(outcome(named, hashed), Released), "without the option nothing tells"


@pytest.mark.parametrize(
    "form", ["%d%m%Y123456789012345678", "99999999999999%Y%m%d99999", "%Y%j", "%y%m%d"]
)
def test_a_day_of_its_own_in_a_rare_form_sets_the_file_aside(form):
    day = dt.date(2017, 11, 23)
    uid = f"{ROOT}.{day.strftime(form)}"
    for where in ("StudyDate", "AcquisitionDate", "PatientBirthDate"):
        made = outcome(slice_of_ct(SOPInstanceUID=uid, **{where: f"{day:%Y%m%d}"}))
        assert isinstance(made, Quarantined)
    assert isinstance(outcome(slice_of_ct(SOPInstanceUID=uid)), Released), "nobody's day"


def test_within_a_hash_nothing_is_looked_for():
    uid = "2.25.2991720171123563690381112233445678900"
    made = outcome(slice_of_ct(SOPInstanceUID=uid, StudyDate="20171123", AccessionNumber="5636903"))
    assert isinstance(made, Released)


def test_days_since_1970_are_a_form_of_a_day():
    days = (dt.date(2017, 11, 23) - dt.date(1970, 1, 1)).days
    made = outcome(slice_of_ct(SOPInstanceUID=f"{ROOT}.{days}.1", SeriesDate="20171123"))
    assert isinstance(made, Quarantined)


def test_what_is_left_of_a_day_without_its_zeros_is_no_form_of_it():
    uid = f"{ROOT}.311.5"
    assert isinstance(outcome(slice_of_ct(SOPInstanceUID=uid, StudyDate="20000311")), Released)


def test_a_day_of_birth_does_not_stay_in_a_uid_where_dates_do():
    by = engine("retain_full_dates")
    uid = f"{ROOT}.19570312.1"
    assert isinstance(outcome(slice_of_ct(SOPInstanceUID=uid), by), Released)
    made = outcome(slice_of_ct(SOPInstanceUID=uid, PatientBirthDate="19570312"), by)
    assert isinstance(made, Quarantined)
    newborn = slice_of_ct(SOPInstanceUID=uid, PatientBirthDate="19570312", StudyDate="19570312")
    assert isinstance(outcome(newborn, by), Released), "the day of the scan stays anyhow"


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize("form", ["{0.year}.{0.month}.{0.day}", "{0:%d.%m.%Y}", "{0:%m.%d.%Y}"])
@pytest.mark.parametrize("born", [dt.date(1951, 12, 3), dt.date(1938, 1, 30)])
def test_a_day_of_birth_in_three_components_does_not_stay(form, born):
    uid = f"{ROOT}.{form.format(born)}.4"
    named = slice_of_ct(StudyInstanceUID=uid, PatientBirthDate=f"{born:%Y%m%d}")
    assert released(named).StudyInstanceUID == NAMES.uid(uid)
    unborn = slice_of_ct(StudyInstanceUID=uid)
    assert released(unborn).StudyInstanceUID == NAMES.uid(uid), "in every file that names it"
    by = engine("retain_full_dates")
    assert isinstance(outcome(named, by), Quarantined)
    assert released(unborn, by).StudyInstanceUID == uid


@pytest.mark.parametrize("phone", ["+43 664 9182736", "0664/9182736", "918 27 36", "+436649182736"])
@pytest.mark.parametrize("end", ["6649182736", "9182736.1", "4366491827360"])
@pytest.mark.parametrize(
    "keyword", ["PatientTelephoneNumbers", "ReferringPhysicianTelephoneNumbers"]
)
def test_a_telephone_in_a_uid_sets_the_file_aside(phone, end, keyword):
    uid = f"{ROOT}.{end}"
    made = outcome(slice_of_ct(SOPInstanceUID=uid, **{keyword: ["1", phone]}))
    assert isinstance(made, Quarantined)
    assert isinstance(outcome(slice_of_ct(SOPInstanceUID=uid)), Released)


def test_a_file_that_was_treated_before_is_not_judged_by_its_moved_dates():
    uid = f"{ROOT}.171123.1"
    moved = slice_of_ct(SOPInstanceUID=uid, StudyDate="20171123", PatientID="123456789")
    assert isinstance(outcome(moved, subject=AGAIN), Released)


UIDS = st.from_regex(r"[0-2](\.(0|[1-9][0-9]{0,20})){1,4}", fullmatch=True).filter(
    lambda uid: len(uid) <= 64
)


@settings(max_examples=60, deadline=None)
@given(UIDS, st.dates(dt.date(1950, 1, 1), dt.date(2049, 1, 1)), st.integers(0, 10**6))
def test_no_kept_uid_holds_the_day_of_its_file(uid, day, rest):
    for glued in (f"{uid}.{day:%Y%m%d}", f"1.2.{day:%Y%m%d}{rest}", uid):
        made = outcome(
            slice_of_ct(SOPInstanceUID=glued[:64].rstrip("."), StudyDate=f"{day:%Y%m%d}")
        )
        if isinstance(made, Released):
            content = b"".join(write_instance(made.instance))
            assert f"{day:%Y%m%d}".encode() not in content


@settings(max_examples=60)
@given(UIDS)
def test_what_is_named_twice_is_named_once(uid):
    names = Pseudonymiser(KEY, keep_uids=True, numbers=frozenset({"4711"}))
    named = names.uid(uid)
    assert names.uid(named) == named
    assert named in {uid, NAMES.uid(uid)}


@given(st.integers(1000, 10**9), st.integers(0, 3), UIDS)
def test_a_component_is_a_number_whatever_its_zeros(number, n_zeros, uid):
    assert has_number(f"{uid}.{'0' * n_zeros}{number}.1", frozenset({str(number)}))
    assert not has_number(uid, frozenset())
