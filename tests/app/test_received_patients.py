"""A patient who came over the network is the patient of the same scans on a disk."""

import pytest

from dicom_factory import ct_series, encode
from lesionary.app.ingest import IngestOptions, ingest_paths
from lesionary.app.reception import Tally, receiving
from lesionary.app.study import Study
from lesionary.app.study_door import study_door
from lesionary.io.registry import tables


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    study = Study.create(tmp_path / "study")
    yield study
    study.registry.close()


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, data_set in enumerate(ct_series()):
        data_set.StudyDate = "20200301"
        encode(data_set, folder / f"{number}.dcm")
    return folder


def receive(study, folder):
    with study_door(study) as opened, receiving(study, opened.door) as reception:
        for path in sorted(folder.rglob("*.dcm")):
            assert reception.take(path.read_bytes(), Tally(), 1).is_stored
        return list(reception.files.stored())


def subjects(study):
    rows = study.registry.rows(tables.subject)
    return [(row["id"], row["identity_hash"], row["released_id"]) for row in rows]


def test_what_was_received_and_what_lies_on_a_disk_are_one(study, scans):
    stored = receive(study, scans)
    report = ingest_paths(study, stored, IngestOptions(are_received=True))
    assert report.series
    came = subjects(study)
    again = ingest_paths(study, [scans])
    assert {row["code"] for row in again.ignored} == {"duplicate_identical"}
    assert subjects(study) == came


def test_the_order_of_both_changes_no_patient(study, scans, tmp_path):
    stored = receive(study, scans)
    ingest_paths(study, [scans])
    before = {row[1:] for row in subjects(study)}
    ingest_paths(study, stored, IngestOptions(are_received=True))
    assert {row[1:] for row in subjects(study)} == before
    other = Study.create(tmp_path / "other")
    ingest_paths(other, [scans])
    assert {row[2] for row in subjects(other)} == {number for _, number in before}
    other.registry.close()
