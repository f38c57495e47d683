"""An image, its SEG and its RTSTRUCT, with UIDs that stay: references hold, and no day is left."""

import datetime as dt
import json
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    RTStructureSetStorage,
    SegmentationStorage,
)

from dicom_factory import ct_series, encode, stored_values
from lesionary.cli.main import run_command

DAY = dt.date(2017, 11, 23)
ARCHIVE = "1.3.6.1.4.1.14519.5.2.1.7009.9004."
STUDY = f"1.3.12.2.1107.5.2.32.35162.{DAY:%Y%m%d}09342712345"
FRAME = "1.2.840.113619.2.55.3.17.4"
SERIES = f"1.2.840.113619.2.55.3.313318667.350.{DAY:%Y%m%d}.2"
SECONDS = int(dt.datetime.combine(DAY, dt.time(9), dt.UTC).timestamp())


@pytest.fixture(autouse=True)
def _vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.delenv("LESIONARY_VAULT_KEY", raising=False)


def sop(number: int) -> str:
    """Return an image's UID: one of a maker, one of an archive, in turns."""
    maker = f"1.3.12.2.1107.5.1.4.1001.300000{DAY:%y%m%d}0934271230000{number:04d}"
    return maker if number % 2 else f"{ARCHIVE}29880613728863345324697563{number:04d}"


def images() -> list[FileDataset]:
    slices = ct_series(stored_values((4, 8, 8)))
    for number, ds in enumerate(slices):
        ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.StudyInstanceUID = sop(number), SERIES, STUDY
        ds.FrameOfReferenceUID = FRAME
        ds.StudyDate = ds.SeriesDate = ds.ContentDate = f"{DAY:%Y%m%d}"
    return slices


def drawing(sop_class: str, modality: str, uid: str) -> FileDataset:
    """Return an object of the same patient and study, made another day, without its numbers."""
    ds = FileDataset("", {}, preamble=bytes(128), file_meta=FileMetaDataset())
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = uid
    image = images()[0]
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = sop_class, uid, modality
    ds.PatientID, ds.PatientName = image.PatientID, image.PatientName
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, f"{uid}.1"
    ds.FrameOfReferenceUID, ds.StudyDate = FRAME, ""
    ds.SeriesDate = "20180105"
    return ds


def referenced(number: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, sop(number)
    return item


def segmentation() -> FileDataset:
    ds = drawing(SegmentationStorage, "SEG", f"1.2.276.0.7230010.3.1.4.17.270878.{SECONDS}.9")
    series = Dataset()
    series.SeriesInstanceUID = SERIES
    series.ReferencedInstanceSequence = [referenced(number) for number in range(4)]
    ds.ReferencedSeriesSequence = [series]
    return ds


def structures() -> FileDataset:
    ds = drawing(RTStructureSetStorage, "RTSTRUCT", f"1.2.246.352.71.4.5.{DAY:%Y%m%d}155318")
    series = Dataset()
    series.SeriesInstanceUID = SERIES
    series.ContourImageSequence = [referenced(number) for number in range(4)]
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = STUDY
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = FRAME, [study]
    ds.ReferencedFrameOfReferenceSequence = [frame]
    return ds


def run(target: Path, source: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    arguments = ["file", "deidentify", str(source), str(target), "--json"]
    for option in ("retain_uids", *options):
        arguments += ["--option", option]
    capsys.readouterr()
    code = run_command(arguments)
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["released"] == len(document["files"]) == 6
    return [row["output"] for row in document["files"]]


def test_references_hold_and_no_day_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, ds in enumerate([*images(), segmentation(), structures()]):
        encode(ds, folder / f"{number}.dcm")
    outputs = run(tmp_path / "out", folder, capsys)
    made = [pydicom.dcmread(tmp_path / "out" / name) for name in outputs]
    slices = {ds.SOPInstanceUID: ds for ds in made if ds.Modality == "CT"}
    (seg,) = (ds for ds in made if ds.Modality == "SEG")
    (rtstruct,) = (ds for ds in made if ds.Modality == "RTSTRUCT")

    assert {ds.StudyInstanceUID for ds in made} == {seg.StudyInstanceUID} != {STUDY}
    (of_seg,) = seg.ReferencedSeriesSequence
    (frame,) = rtstruct.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (of_rtstruct,) = study.RTReferencedSeriesSequence
    named = [
        [item.ReferencedSOPInstanceUID for item in items]
        for items in (of_seg.ReferencedInstanceSequence, of_rtstruct.ContourImageSequence)
    ]
    assert set(named[0]) == set(named[1]) == set(slices)
    assert of_seg.SeriesInstanceUID == of_rtstruct.SeriesInstanceUID
    assert {ds.SeriesInstanceUID for ds in slices.values()} == {of_seg.SeriesInstanceUID}
    assert study.ReferencedSOPInstanceUID == seg.StudyInstanceUID
    assert frame.FrameOfReferenceUID == FRAME, "what tells no day stays"
    assert {uid for uid in slices if uid.startswith(ARCHIVE)} == {sop(0), sop(2)}

    days = [f"{DAY:%Y%m%d}", f"{DAY:%y%m%d}", str(SECONDS), "20180105"]
    for name in outputs:
        content = (tmp_path / "out" / name).read_bytes()
        assert not [day for day in days if day.encode() in content or day in name]

    again = run(tmp_path / "twice", tmp_path / "out", capsys)
    twice = {(tmp_path / "twice" / name).read_bytes() for name in again}
    assert twice == {(tmp_path / "out" / name).read_bytes() for name in outputs}


def test_all_uids_stay_where_dates_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, ds in enumerate([*images(), segmentation(), structures()]):
        encode(ds, folder / f"{number}.dcm")
    outputs = run(tmp_path / "out", folder, capsys, "retain_full_dates")
    made = [pydicom.dcmread(tmp_path / "out" / name) for name in outputs]
    assert {ds.StudyInstanceUID for ds in made} == {STUDY}
    assert [ds.SOPInstanceUID for ds in made[:4]] == [sop(number) for number in range(4)]
