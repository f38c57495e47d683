"""No identity leaves its input: planted everywhere, found nowhere.

Each planted word is unlike any other, so what is found tells where it came from.
"""

import base64
import contextlib
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import FileDataset

from dicom_factory import ct_series, pet_series, uid, write_series
from lesionary.core.volume import Geometry
from small_scans import AFFINE, BOX_COLUMNS, SHAPE, blobs, scan
from structure_objects import contour, rtstruct, save_rtstruct, save_seg, seg, segment

TEXTS = {
    "PatientName": "Zyxname^Givenzyx",
    "PatientID": "Zyxid4711",
    "IssuerOfPatientID": "Zyxissuer",
    "OtherPatientIDs": "Zyxother",
    "PatientBirthName": "Zyxbirth^A",
    "PatientMotherBirthName": "Zyxmother^B",
    "PatientAddress": "Zyxstreet 7",
    "PatientTelephoneNumbers": "Zyxphone 0170",
    "PatientComments": "Zyxpatcom",
    "AccessionNumber": "Zyxacc",
    "StudyID": "Zyxstudyid",
    "StudyDescription": "Zyxstudy CT",
    "SeriesDescription": "Zyxseries thorax",
    "ProtocolName": "Zyxprotocol abdomen",
    "ReferringPhysicianName": "Zyxrefer^C",
    "PerformingPhysicianName": "Zyxperform^D",
    "OperatorsName": "Zyxoperator^E",
    "InstitutionName": "Zyxhospital",
    "InstitutionAddress": "Zyxplace",
    "InstitutionalDepartmentName": "Zyxdepartment",
    "StationName": "ZYXSTATION",
    "DeviceSerialNumber": "Zyxserial",
    "Manufacturer": "Zyxmaker",
    "ManufacturerModelName": "Zyxmodel",
    "SoftwareVersions": "Zyxsoft",
    "ConvolutionKernel": "ZYXKERNEL",
    "ImageType": ["ORIGINAL", "PRIMARY", "ZYXTYPE"],
    "BodyPartExamined": "ZYXPART",
    "ScanOptions": "ZYXOPTION",
    "ImageComments": "Zyximgcom",
    "AdditionalPatientHistory": "Zyxhistory",
    "Occupation": "Zyxjob",
    "EthnicGroup": "Zyxgroup",
    "RequestedProcedureDescription": "Zyxrequest",
    "ContrastBolusAgent": "Zyxagent",
    "RescaleType": "HU",
    "DerivationDescription": "Zyxderiv",
    "AdmittingDiagnosesDescription": "Zyxdiagnosis",
}
DATES = {
    "StudyDate": "20170503",
    "SeriesDate": "20170504",
    "AcquisitionDate": "20170505",
    "ContentDate": "20170506",
    "PatientBirthDate": "19230517",
    "InstanceCreationDate": "20170507",
}
FIRST_FRAME = "1.2.826.0.1.3680043.10.1474.4444"
FILES = ("Zyxfolder", "Zyxarchive", "Zyxfile", "Zyxscan", "Zyxsubject", "Zyxreader")
INNER = ("Zyxroi", "Zyxsegment", "Zyxbox", "Zyxlabel", "Zyxdescrip", "Zyxaux", "Zyxextension")
BYTES = ("Zyxpreamble", "Zyxprivate", "Zyxmeta", "ZYXAE")


def planted() -> list[str]:
    """Return every word, UID and date that must not turn up."""
    words = [
        word
        for text in TEXTS.values()
        for part in ([text] if isinstance(text, str) else text)
        for word in re.findall(r"\w*zyx\w*", part, re.IGNORECASE)
    ]
    dates = [written for d in DATES.values() for written in (d, f"{d[:4]}-{d[4:6]}-{d[6:]}")]
    return [*words, *FILES, *INNER, *BYTES, *dates, uid()]


def plant(ds: FileDataset) -> None:
    """Put an identity into everything that takes text."""
    for keyword, text in {**TEXTS, **DATES}.items():
        ds.add_new(tag_for_keyword(keyword), dictionary_VR(keyword), text)
    ds.PatientAge = "094Y"
    ds.file_meta.ImplementationVersionName = "Zyxmeta"
    ds.file_meta.SourceApplicationEntityTitle = "ZYXAE"
    ds.preamble = b"Zyxpreamble".ljust(128, b"\0")
    block = ds.private_block(0x0009, "Zyxprivate", create=True)
    block.add_new(0x01, "LO", "Zyxprivate")
    block.add_new(0x02, "UN", b"Zyxprivate")
    ds.FrameOfReferenceUID = FIRST_FRAME


def thorax() -> list[FileDataset]:
    """Return a CT large enough to be drawn on."""
    array = (np.random.default_rng(3).normal(1000, 20, (10, 40, 44))).astype(np.int16)
    array[3:7, 15:25, 18:30] += 90
    slices = ct_series(array, spacing_mm=(3.0, 1.5, 1.5), origin_mm=(0.0, 0.0, 0.0))
    for ds in slices:
        plant(ds)
    return slices


def write_dicom(folder: Path) -> None:
    slices = thorax()
    write_series(slices, folder / "Zyxfolder CT", name="Zyxfile{:03d}".format)
    pet = pet_series(series=2)
    for ds in pet:
        plant(ds)
    del pet[3]  # one left out, so that reasons are written too
    write_series(pet, folder / "Zyxfolder PET", name="Zyxfile{:03d}".format)
    outline = [[30.0, 24.0, 12.0], [42.0, 24.0, 12.0], [42.0, 36.0, 12.0], [30.0, 36.0, 12.0]]
    drawn = rtstruct({1: [contour(outline)]}, names={1: "Zyxroi tumor"}, types={1: "GTV"})
    grid = np.array([[0, 0, 1.5, 0], [0, 1.5, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])
    geometry = Geometry((10, 40, 44), grid)
    frames = np.zeros((2, 40, 44), np.uint8)
    frames[:, 2:12, 2:12] = 1
    segments = [segment(1, "Zyxsegment", SegmentDescription="Zyxsegment")]
    cut = seg(frames, [1, 1], geometry, [4, 5], segments=segments)
    for built, save, name in ((drawn, save_rtstruct, "rs"), (cut, save_seg, "seg")):
        for keyword in ("PatientName", "PatientID", "InstitutionName", "SeriesDescription"):
            setattr(built, keyword, TEXTS[keyword])
        built.SeriesInstanceUID, built.StudyInstanceUID = uid(31), uid(1000)
        point_at(built, slices)
        save(folder / f"Zyxfile {name}.dcm", built)


def point_at(built: FileDataset, slices: list[FileDataset]) -> None:
    """Let a drawing name the CT as its image."""
    built.FrameOfReferenceUID = FIRST_FRAME
    if "ReferencedFrameOfReferenceSequence" in built:
        (frame,) = built.ReferencedFrameOfReferenceSequence
        frame.FrameOfReferenceUID = FIRST_FRAME
        for roi in built.StructureSetROISequence:
            roi.ReferencedFrameOfReferenceUID = FIRST_FRAME
        (study,) = frame.RTReferencedStudySequence
        (series,) = study.RTReferencedSeriesSequence
    else:
        (series,) = built.ReferencedSeriesSequence
    series.SeriesInstanceUID = slices[0].SeriesInstanceUID


def write_nifti_scan(folder: Path) -> None:
    """Write a NIfTI with texts in its header, a mask with label texts, and a table of boxes."""
    folder.mkdir(parents=True)
    volume, truth = scan(3)
    ras = np.diag([-1, -1, 1, 1.0]) @ AFFINE[:, [2, 1, 0, 3]]
    for name, array in (("image", volume.array), ("mask", truth.array.astype(np.uint8))):
        file = nibabel.Nifti1Image(array.transpose(), ras)
        file.header["descrip"], file.header["aux_file"] = b"Zyxdescrip", b"Zyxaux"
        file.header["db_name"], file.header["intent_name"] = b"Zyxdescrip", b"Zyxaux"
        extension = nibabel.nifti1.Nifti1Extension("comment", b"Zyxextension")
        file.header.extensions.append(extension)
        file.to_filename(folder / f"Zyxscan_ct_{name}.nii.gz")
    labels = {"1": "Zyxlabel", "2": "m,Zyxlabel liver"}
    (folder / "Zyxscan_ct_mask.json").write_text(json.dumps(labels))
    inside = np.argwhere(blobs() == 1)
    (k0, j0, i0), (k1, j1, i1) = inside.min(axis=0), inside.max(axis=0) + 1
    with (folder / "boxes.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(BOX_COLUMNS)
        bounds = (i0, i1, j0, j1, k0, k1)
        writer.writerow(("Zyxscan_ct_image.nii.gz", "Zyxbox", *bounds, "Zyxlabel Zyxbox"))
        writer.writerow(("Zyxnoscan.nii.gz", "Zyxbox", *bounds, "Zyxlabel"))
        writer.writerow(("Zyxscan_ct_image.nii.gz", "Zyxbox2", 5, 999, *bounds[2:], "Zyxlabel"))
    assert volume.array.shape == SHAPE


def write_archive(path: Path) -> None:
    """Pack a good scan, a bad one, and a climber, all under planted names."""
    volume, _ = scan(4)
    buffer = io.BytesIO()
    nibabel.Nifti1Image(volume.array.transpose(), np.diag([1.5, 1.5, 3, 1])).to_file_map(
        {"image": nibabel.FileHolder(fileobj=buffer)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Zyxfolder/Zyxfile.nii", buffer.getvalue())
        archive.writestr("Zyxfolder/Zyxfile2.nii", buffer.getvalue()[:5000])
        archive.writestr("../Zyxfile3.nii", b"Zyxfile")


@dataclass(frozen=True, slots=True)
class Journey:
    """A study from new to publish, with everything it said."""

    study: Path
    said: str
    documents: dict[str, dict]
    home: Path


@pytest.fixture(scope="module", params=["general", "keep_uids"])
def journey(request, tmp_path_factory) -> Journey:
    """Run every command as a user would, without a terminal."""
    folder = tmp_path_factory.mktemp("identities")
    inputs = folder / "Zyxfolder"
    write_dicom(inputs / "Zyxsubject")
    write_nifti_scan(inputs / "Zyxfolder" / "nifti")
    write_archive(inputs / "Zyxarchive.zip")
    (inputs / "Zyxfile.dcm").write_bytes(b"")
    study = folder / "study"
    environment = {
        **os.environ,
        "LESIONARY_VAULT": str(folder / "vault"),
        "XDG_STATE_HOME": str(folder / "state"),
        "HOME": str(folder),
    }
    said, documents = [], {}

    def run(name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "lesionary", name, *arguments]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        said.append(ran.stdout + ran.stderr)
        assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
        with contextlib.suppress(ValueError):
            documents[name] = json.loads(ran.stdout)

    run("new", str(study), "--json")
    if request.param == "keep_uids":
        text = (study / "study.toml").read_text()
        (study / "study.toml").write_text(text.replace("keep_uids = false", "keep_uids = true"))
    run("ingest", str(study), str(inputs), "--json")
    run("ingest", str(study), str(inputs))
    for name in ("run", "publish", "status", "verify", "measure"):
        run(name, str(study), "--json")
    if request.param == "general":
        for name in ("status", "measure"):
            run(name, str(study))
    return Journey(study, "\n".join(said), documents, folder)


def packed_within(content: bytes) -> Iterator[bytes]:
    """Yield what is gzipped in some bytes, or embedded as base64, and the bytes themselves."""
    yield content
    start = content.find(b"\x1f\x8b\x08")
    if start >= 0:
        with contextlib.suppress(OSError, EOFError):
            yield gzip.decompress(content[start:])
    for match in re.finditer(rb"base64,([A-Za-z0-9+/=]+)", content):
        yield base64.b64decode(match[1])


def everything(journey: Journey) -> Iterator[tuple[str, bytes]]:
    """Yield all that a study holds, its files' names, the log of our faults, and what was said."""
    yield "stdout and stderr", journey.said.encode()
    for root in (journey.study, journey.home / "state"):
        for path in sorted(root.rglob("*")):
            yield "name", path.relative_to(root).as_posix().encode()
            if path.is_file():
                for content in packed_within(path.read_bytes()):
                    yield path.relative_to(root).as_posix(), content


def spellings(word: str) -> set[bytes]:
    return {
        word.lower().encode(charset) for charset in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
    }


def found(journey: Journey, words: list[str]) -> set[tuple[str, str]]:
    searched = [(word, spellings(word)) for word in words]
    hits = set()
    for place, content in everything(journey):
        folded = content.lower()
        hits |= {(place, word) for word, forms in searched if any(f in folded for f in forms)}
    return hits


def test_the_journey_took_scans_drawings_and_boxes(journey):
    """Or the search below would find nothing in nothing."""
    document = journey.documents["ingest"]
    assert {row["modality"] for row in document["series"]} == {"CT", "OT"}
    assert len(document["series"]) == 3
    assert len(document["masks"]) == 3
    assert document["boxes"] == 1
    codes = {row["code"] for row in document["left_out"]}
    assert codes >= {"missing_slice", "empty_file", "path_outside", "truncated", "bad_box"}
    assert len(journey.documents["measure"]["lesions"]) >= 3


def test_no_planted_word_uid_or_date_is_anywhere(journey, request):
    words = planted()
    if "keep_uids" in request.node.name:
        words.remove(uid())
        assert uid(1) in {hit for _, hit in found(journey, [uid(1)])}, "UIDs were to be kept"
    assert found(journey, words) == set()


def test_an_age_above_89_is_90(journey):
    with (journey.study / "release" / "metadata" / "patients.csv").open() as table:
        ages = {row["age"] for row in csv.DictReader(table)}
    assert "90" in ages
    assert "94" not in ages
    assert found(journey, ["094Y"]) == set()


def test_labels_are_of_the_vocabulary(journey):
    labels = {str(row["label"]) for row in journey.documents["measure"]["lesions"]}
    assert labels <= {"lesion", "m,liver", "structure"}
