"""Whose a file becomes, what it is called, and what comes of two files of one name."""

import copy
import datetime as dt
import io
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_factory import ct_series, encode, set_pixels, stored_values, uid, write_series
from lesionary.app.files.deidentification import (
    Choice,
    Deidentified,
    blanking_rule,
    deidentify,
    require_places,
    vault_door,
)
from lesionary.core.errors import InputError, PrivacyError

KEYS = (
    "lesionary-vault-1 fernet=3nKvUHV1kq2cJvFo0r8n2nJmJ3lQ0d4QwYh0m1uYc0k="
    " index=Zb6m0n1v2c3x4z5a6s7d8f9g0h1j2k3l4q5w6e7r8t8="
    " pseudonym=Q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1w="
)
"""Keys of tests: with others two shifts could be the same once in ten years."""


@pytest.fixture(autouse=True)
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("LESIONARY_VAULT_KEY", KEYS)
    return tmp_path / "vault"


Run = Callable[..., Deidentified]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what de-identifies ``in`` into ``out`` of the test's folder."""

    def _run(source: str = "in", target: str = "out", **choice: Any) -> Deidentified:
        with vault_door(Choice(**choice)) as door:
            return deidentify(tmp_path / source, tmp_path / target, door)

    return _run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def one(**values: Any) -> FileDataset:
    """Return a slice with some values set; None takes an element away."""
    ds = ct_series(stored_values((1, 4, 4)))[0]
    for keyword, value in values.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", uid(1))
    return ds


def numbered(number: int, **values: Any) -> FileDataset:
    """Return a slice with UIDs of its own."""
    return one(
        SOPInstanceUID=uid(1, number),
        SeriesInstanceUID=uid(2, number),
        StudyInstanceUID=uid(3, number),
        **values,
    )


def put(folder: Path, *built: FileDataset) -> None:
    for number, ds in enumerate(built):
        encode(ds, folder / f"{number}.dcm")


def read(done: Deidentified, folder: Path) -> list[FileDataset]:
    """Return the released files in the order of their sources."""
    return [pydicom.dcmread(folder / row["output"]) for row in done.files if row["output"]]


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def outcomes(done: Deidentified) -> list[tuple[str, str | None]]:
    return [(row["outcome"], row["code"]) for row in done.files]


def patients(done: Deidentified, folder: Path) -> list[str]:
    return [ds.PatientID for ds in read(done, folder)]


class TestWhoseItIs:
    """Which files get the same number."""

    @pytest.mark.parametrize(
        ("some", "other"),
        [
            ("MRN-1", "MRN-1 "),
            ("MRN-1", "  MRN-1"),
            ("MRN-1", "MRN-1\0"),
            ("MRN-1", "MRN-1\t"),
            ("Zo\u00eb", "Zoe\u0308"),
        ],
    )
    def test_padding_and_composition_do_not_make_a_new_patient(
        self, some: str, other: str, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        built = [
            numbered(n, PatientID=name, SpecificCharacterSet="ISO_IR 192")
            for n, name in enumerate((some, other))
        ]
        put(folder, *built)
        first, second = read(run(), tmp_path / "out")
        assert first.PatientID == second.PatientID
        assert first.StudyDate == second.StudyDate, "one patient, one shift"

    @pytest.mark.parametrize(
        ("some", "other"),
        [
            ({"PatientID": "MRN-1"}, {"PatientID": "mrn-1"}),
            ({"PatientID": "7"}, {"PatientID": "007"}),
            ({"PatientID": "A B"}, {"PatientID": "A  B"}),
            ({"PatientID": "1"}, {"PatientID": "1", "IssuerOfPatientID": "H"}),
            (
                {"PatientID": "1", "IssuerOfPatientID": "G"},
                {"PatientID": "1", "IssuerOfPatientID": "H"},
            ),
            ({"PatientID": "first"}, {"PatientID": "second"}),
        ],
    )
    def test_another_id_or_issuer_is_another_patient_with_another_shift(
        self, some: Any, other: Any, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        """Also where it is one person under two IDs: nobody but the hospital can know."""
        put(folder, numbered(0, **some), numbered(1, **other))
        first, second = read(run(), tmp_path / "out")
        assert first.PatientID != second.PatientID
        assert first.StudyDate != second.StudyDate

    def test_bytes_that_the_character_set_lacks_do_not_merge_patients(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        for number, letter in enumerate((b"\xfc", b"\xf6", b"\xfc")):
            ds = numbered(number, PatientID="M-ller", SpecificCharacterSet="ISO_IR 192")
            path = encode(ds, folder / f"{number}.dcm")
            path.write_bytes(path.read_bytes().replace(b"M-ller", b"M" + letter + b"ller"))
        first, second, third = patients(run(), tmp_path / "out")
        assert first == third != second

    def test_the_same_id_is_one_patient_in_every_character_set(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        sets = [["", "ISO 2022 IR 87"], "GB18030", "ISO_IR 192"]
        put(
            folder,
            *(
                numbered(n, SpecificCharacterSet=charset, PatientID="山田4711")
                for n, charset in enumerate(sets)
            ),
        )
        assert len(set(patients(run(), tmp_path / "out"))) == 1

    def test_without_an_id_it_is_its_studys(self, run: Run, folder: Path, tmp_path: Path) -> None:
        nameless: dict[str, Any] = {"PatientID": None, "PatientName": "Planted^Name"}
        put(
            folder,
            numbered(0, **nameless),
            one(SOPInstanceUID=uid(1, 1), StudyInstanceUID=uid(3, 0), PatientID="  "),
            numbered(2, **nameless),
        )
        first, second, third = patients(run(), tmp_path / "out")
        assert first == second != third

    def test_without_id_and_study_patients_are_not_thrown_together(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        bare: dict[str, Any] = {"PatientID": None, "StudyInstanceUID": None}
        put(folder, *(one(SOPInstanceUID=uid(1, n), SeriesInstanceUID=uid(2, n), **bare)
                      for n in range(2)))  # fmt: skip
        first, second = patients(run(), tmp_path / "out")
        assert first != second

    def test_subject_names_those_without_an_id_only(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        put(
            folder,
            numbered(0, PatientID=None),
            numbered(1, PatientID="mouse 7"),
            numbered(2, PatientID="mouse 8"),
        )
        nameless, same, other = read(run(subject="mouse 7"), tmp_path / "out")
        assert nameless.PatientID == same.PatientID != other.PatientID
        assert nameless.StudyDate == same.StudyDate

    def test_a_record_number_that_looks_like_a_number_of_the_vault_is_replaced(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        put(folder, numbered(0))
        (given,) = patients(run(), tmp_path / "out")
        put(folder, numbered(1, PatientID=given))
        (other,) = patients(run(target="other"), tmp_path / "other")
        assert other != given


NAMES = {
    "ISO_IR 100": "Schädelmöser^Zoë",
    "ISO_IR 101": "Ščepančíková^Žofie",
    "ISO_IR 109": "Ĉirkaŭaĵo^Ĝoja",
    "ISO_IR 110": "Šķēliņš^Ģirts",
    "ISO_IR 144": "Щербакович^Люкceмбург",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 126": "Διονυσιος^Παπαδόπουλος",
    "ISO_IR 138": "שרון^דבורה",
    "ISO_IR 148": "Çağlayangil^Ayşegül",
    "ISO_IR 166": "สมชายวงศ์^กมลชนก",
    "ISO_IR 192": "Þorsteinsdóttir^王小东^김희중",
    "GB18030": "王小东海^李雷雷",
    "GBK": "王小东海^李雷雷",
    "\\ISO 2022 IR 87": "Yamadamoto^Tarou=山田川^太郎丸",
    "\\ISO 2022 IR 159": "Yamadamoto^Tarou=鷗丂侔^丂侔",
    "\\ISO 2022 IR 149": "Kimhongdo^Gildong=金弘道^吉洞庭=김희중^길동무",
    "\\ISO 2022 IR 58": "Zhangsanfeng^Xiao=张三丰^小东海",
    "ISO 2022 IR 100\\ISO 2022 IR 126": "Dionysiosé^Διονυσιος",
    "ISO 2022 IR 6\\ISO 2022 IR 144": "Luxemburgov^Щербакович",
}

IN_BYTES = {
    "ISO_IR 13 ": "ﾔﾏﾀﾓﾄﾉ^ﾀﾛｳﾏﾙ".encode("shift_jis"),
    "ISO_IR 203": "Œuvrardžić^Šimečková".encode("iso8859_15", "replace"),
    "ISO 2022 IR 13\\ISO 2022 IR 87": b"\xd4\xcf\xc0\xde\xd3^\xc0\xdb\xb3\xcf"
    b"=\x1b$B;3ED@n\x1b(J^\x1b$BB@O:4]\x1b(J",
    "ISO_IR 999": b"Sch\xe4delm\xf6ser^Zo\xeb\xeb\xeb",
    "": b"Sch\xe4delm\xf6ser^Zo\xeb\xeb\xeb",
}
"""The same where pydicom does not write them, and where nobody knows the character set."""


def put_raw(path: Path, ds: FileDataset, charset: str, values: Mapping[str, bytes]) -> None:
    """Write a file, and its character set and other values over those that stand in for them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.SpecificCharacterSet = "Z" * (len(charset) + len(charset) % 2)
        encode(ds, path)
    content = path.read_bytes()
    if charset:
        padded = charset.ljust(len(ds.SpecificCharacterSet)).encode()
        content = content.replace(ds.SpecificCharacterSet.encode(), padded)
    for stand_in, value in values.items():
        content = content.replace(stand_in.encode(), value)
    path.write_bytes(content)


class TestCharacterSets:
    """Names in every writing."""

    @pytest.mark.parametrize("charset", NAMES)
    def test_nothing_of_a_name_is_left(
        self, charset: str, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        name = NAMES[charset]
        ds = one(SpecificCharacterSet=charset.split("\\"), PatientName=name)
        ds.PatientID, ds.InstitutionName, ds.PatientComments = name[:20], name[:20], name
        ds.SeriesDescription, ds.ReferringPhysicianName = f"CT {name[:20]}", name
        item = Dataset()
        item.CodeMeaning, item.PersonName = name[:20], name
        ds.ProcedureCodeSequence = Items([item])
        put(folder, ds)
        encoded = pydicom.dcmread(folder / "0.dcm").get_item("PatientName").value
        pieces = set(bytes(encoded).replace(b"=", b"^").split(b"^"))
        pieces |= {part.encode() for part in name.replace("=", "^").split("^")}
        done = run()
        assert outcomes(done) == [("released", None)]
        (content,) = content_of(tmp_path / "out").values()
        assert [piece for piece in pieces if len(piece) > 3 and piece.strip() in content] == []
        (written,) = read(done, tmp_path / "out")
        assert written.PatientName == written.PatientID
        assert str(written.SeriesDescription).strip() == "CT", written.SeriesDescription

    @pytest.mark.parametrize("charset", IN_BYTES)
    def test_nothing_of_the_bytes_of_a_name_is_left(
        self, charset: str, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        name = IN_BYTES[charset]
        stand_in = "Q" * len(name)
        ds = one(PatientName=stand_in, PatientID=stand_in, PatientComments=f"CT {stand_in}")
        ds.SeriesDescription, ds.InstitutionName = f"CT {stand_in}", stand_in
        put_raw(folder / "0.dcm", ds, charset, {stand_in: name})
        assert outcomes(run()) == [("released", None)]
        (content,) = content_of(tmp_path / "out").values()
        pieces = name.replace(b"=", b"^").split(b"^")
        assert [piece for piece in pieces if piece in content] == []
        assert b"QQQ" not in content
        assert patients(run(), tmp_path / "out") == patients(run(target="b"), tmp_path / "b")

    def test_non_ascii_ids_get_one_number_each_time(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        put(
            folder,
            *(
                numbered(n, SpecificCharacterSet=charset.split("\\"), PatientID=f"{name[-4:]} 1")
                for n, (charset, name) in enumerate(NAMES.items())
            ),
        )
        assert patients(run(), tmp_path / "out") == patients(run(target="b"), tmp_path / "b")


class TestEncodings:
    """However a file is written, it comes out the same."""

    @pytest.mark.parametrize(
        "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
    )
    def test_the_encoding_changes_nothing(self, syntax: str, run: Run, tmp_path: Path) -> None:
        write_series(ct_series(), tmp_path / "in")
        write_series(ct_series(syntax=syntax), tmp_path / "other")
        run()
        run("other", "out2")
        assert content_of(tmp_path / "out") == content_of(tmp_path / "out2")

    def test_no_preamble_and_a_full_one_change_nothing(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        files = write_series(ct_series(), tmp_path / "in")
        for number, file in enumerate(files):
            content = file.path.read_bytes()
            changed = content[132:] if number % 2 else b"Planted^Name".ljust(128) + content[128:]
            (tmp_path / "other" / file.path.name).write_bytes(changed)
        run()
        run("other", "out2")
        assert content_of(tmp_path / "out") == content_of(tmp_path / "out2")

    def test_values_of_a_wrong_vr_say_nothing(self, run: Run, folder: Path, tmp_path: Path) -> None:
        ds = one()
        for keyword, vr, value in (
            ("PatientAge", "LO", "Mustermann"),
            ("Rows", "LO", "Mustermann"),
            ("SliceLocation", "LO", "Mustermann"),
            ("StudyDate", "LO", "Mustermann"),
            ("KVP", "PN", "Mustermann^Erika"),
            ("FrameOfReferenceUID", "LO", "Mustermann"),
            ("ReferencedImageSequence", "LO", "Mustermann"),
        ):
            if keyword != "Rows":
                ds.add_new(pydicom.tag.Tag(keyword), vr, value)
        put(folder, ds)
        done = run()
        assert outcomes(done) == [("released", None)]
        (content,) = content_of(tmp_path / "out").values()
        assert b"Mustermann" not in content


class TestTwoFilesOfOneName:
    """The same SOPInstanceUID again."""

    def test_the_first_content_stays_and_the_other_is_set_aside(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        other = one()
        other.PixelData = bytes(len(other.PixelData))
        put(folder, one(), other, one())
        done = run()
        assert outcomes(done) == [
            ("released", None),
            ("quarantined", "sop_conflict"),
            ("released", "duplicate_identical"),
        ]
        assert [row.get("first") for row in done.files] == [None, 0, 0]
        assert done.files[0]["output"] == done.files[2]["output"]
        (written,) = content_of(tmp_path / "out").values()
        assert one().PixelData in written

    def test_what_differs_in_identity_only_is_the_same(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        put(folder, one(), one(PatientName="Another^Planted"))
        assert outcomes(run())[1] == ("released", "duplicate_identical")
        assert len(content_of(tmp_path / "out")) == 1

    def test_one_scan_of_a_person_with_two_ids_comes_once(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        """Two numbers with one SOPInstanceUID would tell that they are one."""
        put(folder, one(PatientID="first"), one(PatientID="second"))
        assert outcomes(run()) == [("released", None), ("quarantined", "sop_conflict")]
        (tmp_path / "later").mkdir()
        encode(one(PatientID="second"), tmp_path / "later" / "2.dcm")
        assert outcomes(run("later")) == [("quarantined", "sop_conflict")]
        assert len(content_of(tmp_path / "out")) == 1

    def test_a_file_in_the_output_is_never_overwritten(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        put(folder, one())
        done = run()
        path = tmp_path / "out" / done.files[0]["output"]
        path.write_bytes(b"of somebody")
        again = run()
        assert outcomes(again) == [("quarantined", "sop_conflict")]
        assert "first" not in again.files[0]
        assert path.read_bytes() == b"of somebody"


class TestAgain:
    """The same once more."""

    def test_a_second_run_changes_nothing_and_says_the_same(self, run: Run, tmp_path: Path) -> None:
        write_series([*ct_series(), ct_series()[3]], tmp_path / "in")
        done = run()
        before = {path: path.stat() for path in (tmp_path / "out").rglob("*.dcm")}
        again = run()
        assert again.document() == done.document()
        assert {path: path.stat() for path in (tmp_path / "out").rglob("*.dcm")} == before

    def test_another_folder_gets_the_same_bytes(self, run: Run, tmp_path: Path) -> None:
        write_series(ct_series(), tmp_path / "in")
        run()
        run(target="elsewhere")
        assert content_of(tmp_path / "out") == content_of(tmp_path / "elsewhere")

    @pytest.mark.parametrize(
        "added", [[], ["retain_uids"], ["retain_full_dates"], ["retain_uids", "retain_full_dates"]]
    )
    def test_what_was_released_comes_out_as_it_went_in(
        self, added: list[str], run: Run, tmp_path: Path
    ) -> None:
        write_series(ct_series(), tmp_path / "in")
        run(added=added)
        run("out", "twice", added=added)
        assert content_of(tmp_path / "out") == content_of(tmp_path / "twice")

    def test_another_vault_gives_other_names(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_series(ct_series(), tmp_path / "in")
        run()
        monkeypatch.delenv("LESIONARY_VAULT_KEY")
        run(target="elsewhere", vault=str(tmp_path / "vault2"))
        shared = {*content_of(tmp_path / "out")} & {*content_of(tmp_path / "elsewhere")}
        assert shared == set()


def enhanced(sop_class: str, modality: str, n_frames: int = 3) -> FileDataset:
    """Return an enhanced multi-frame image that refers to another, frame by frame."""
    ds = one(SOPClassUID=sop_class, Modality=modality)
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    set_pixels(ds, stored_values((1, 4, 4))[0])
    ds.NumberOfFrames, ds.PixelData = n_frames, stored_values((n_frames, 4, 4)).tobytes()
    ds.DimensionOrganizationSequence = Items([Dataset()])
    ds.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid(40)
    frames = []
    for k in range(n_frames):
        frame, place, content, source = Dataset(), Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, float(k)]
        content.FrameAcquisitionDateTime = "20200102090000.000"
        content.StackID, content.InStackPositionNumber = "1", k + 1
        content.FrameComments = "Planted comment"
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = sop_class, uid(1, 99)
        frame.PlanePositionSequence, frame.FrameContentSequence = Items([place]), Items([content])
        frame.DerivationImageSequence = Items([Dataset()])
        frame.DerivationImageSequence[0].SourceImageSequence = Items([source])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Items(frames)
    return ds


@pytest.mark.parametrize(
    ("sop_class", "modality"),
    [
        ("1.2.840.10008.5.1.4.1.1.2.1", "CT"),
        ("1.2.840.10008.5.1.4.1.1.4.1", "MR"),
        ("1.2.840.10008.5.1.4.1.1.130", "PT"),
    ],
)
def test_enhanced_images_keep_frames_geometry_and_references(
    sop_class: str, modality: str, run: Run, folder: Path, tmp_path: Path
) -> None:
    image = enhanced(sop_class, modality)
    target = enhanced(sop_class, modality)
    target.SOPInstanceUID = target.file_meta.MediaStorageSOPInstanceUID = uid(1, 99)
    put(folder, image, target)
    done = run()
    assert outcomes(done) == [("released", None)] * 2
    new, referred = read(done, tmp_path / "out")
    assert new.PixelData == image.PixelData
    assert new.NumberOfFrames == 3
    for k, frame in enumerate(new.PerFrameFunctionalGroupsSequence):
        assert frame.PlanePositionSequence[0].ImagePositionPatient == [0, 0, k]
        assert frame.FrameContentSequence[0].InStackPositionNumber == k + 1
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == referred.SOPInstanceUID
        assert source.ReferencedSOPClassUID == sop_class
        taken = frame.FrameContentSequence[0].FrameAcquisitionDateTime
        assert taken[:8] == new.StudyDate != "20200102"
    (first, second) = content_of(tmp_path / "out").values()
    assert b"Planted" not in first + second


class TestWhereItComesFromAndGoesTo:
    """Directories, archives, links, and places that must not mix."""

    @pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir"])
    def test_a_directory_is_left_and_its_files_are_taken(
        self, name: str, run: Run, tmp_path: Path
    ) -> None:
        write_series(ct_series(), tmp_path / "in" / "DICOM")
        directory = one()
        directory.SOPClassUID = "1.2.840.10008.1.3.10"
        directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
        encode(directory, tmp_path / "in" / name)
        done = run()
        told = [row for row in done.files if row["code"]]
        assert [(row["outcome"], row["code"]) for row in told] == [("refused", "dicomdir")]
        assert len(content_of(tmp_path / "out")) == 8

    def test_names_of_archives_and_members_go(self, run: Run, folder: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(folder / "Mustermann Erika.zip", "w") as archive:
            for number, ds in enumerate(ct_series()):
                buffer = io.BytesIO()
                ds.save_as(buffer, enforce_file_format=True)
                archive.writestr(f"Mustermann^Erika/1957/{number}.dcm", buffer.getvalue())
        done = run()
        assert outcomes(done) == [("released", None)] * 8
        assert "mustermann" not in str(done.document()).lower()
        assert "mustermann" not in " ".join(content_of(tmp_path / "out")).lower()
        assert all("Mustermann" in name for _, name in done.sources), "the source map tells"

    def test_a_link_is_followed_and_counts_once(
        self, run: Run, folder: Path, tmp_path: Path
    ) -> None:
        write_series(ct_series(), tmp_path / "elsewhere")
        (folder / "link").symlink_to(tmp_path / "elsewhere")
        (folder / "again").symlink_to(tmp_path / "elsewhere")
        done = run()
        assert len(content_of(tmp_path / "out")) == 8
        assert {row["code"] for row in done.files if row["outcome"] == "refused"} == {"not_a_file"}

    @pytest.mark.parametrize(
        ("source", "target"),
        [("in", "in"), ("in", "in/out"), ("in/deeper", "in"), ("in", "link/out")],
    )
    def test_output_and_input_do_not_mix(self, source: str, target: str, tmp_path: Path) -> None:
        (tmp_path / "in" / "deeper").mkdir(parents=True)
        (tmp_path / "link").symlink_to(tmp_path / "in")
        with pytest.raises(InputError, match="inside each other"):
            require_places(tmp_path / source, tmp_path / target)
        assert list((tmp_path / "in").iterdir()) == [tmp_path / "in" / "deeper"]

    @pytest.mark.parametrize("target", ["vault", "vault/keys", ".", "vault/database/x"])
    def test_output_and_vault_do_not_mix(
        self, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("LESIONARY_VAULT_KEY")
        scans = tmp_path.parent / f"{tmp_path.name}-scans"
        with pytest.raises(PrivacyError, match="vault"):
            require_places(scans, tmp_path / target)

    def test_the_output_may_hold_other_files_and_they_stay(self, run: Run, tmp_path: Path) -> None:
        write_series(ct_series(), tmp_path / "in")
        (tmp_path / "out").mkdir()
        others = {"note.txt": b"mine", "scan.dcm": b"mine too", ".hidden": b"also"}
        for name, content in others.items():
            (tmp_path / "out" / name).write_bytes(content)
        run()
        assert others.items() <= content_of(tmp_path / "out").items()

    def test_what_a_killed_run_left_goes_and_a_living_ones_stays(
        self, run: Run, tmp_path: Path
    ) -> None:
        from lesionary.io.lock import exclusive

        write_series(ct_series(), tmp_path / "in")
        dead, living = (tmp_path / "out" / f".partial-{name}" for name in ("dead", "living"))
        for folder in (dead, living):
            folder.mkdir(parents=True)
            (folder / "half").write_bytes(b"half")
        with exclusive(living / "alive.lock"):
            run()
        assert not dead.exists()
        assert (living / "half").exists()


class TestOptions:
    """What a user may choose."""

    def test_retain_uids(self, run: Run, folder: Path, tmp_path: Path) -> None:
        put(folder, one())
        done = run(added=["retain_uids"])
        (new,) = read(done, tmp_path / "out")
        assert (new.SOPInstanceUID, new.StudyInstanceUID) == (uid(1, 0), uid(1000))
        assert Path(done.files[0]["output"]).stem == uid(1, 0)

    def test_retain_full_dates(self, run: Run, folder: Path, tmp_path: Path) -> None:
        put(folder, one())
        (new,) = read(run(added=["retain_full_dates"]), tmp_path / "out")
        assert new.StudyDate == "20200102"
        assert new.LongitudinalTemporalInformationModified == "UNMODIFIED"

    def test_shifted_dates_keep_intervals(self, run: Run, folder: Path, tmp_path: Path) -> None:
        put(folder, numbered(0, StudyDate="20200228"), numbered(1, StudyDate="20200301"))
        first, second = read(run(), tmp_path / "out")
        days = [dt.datetime.strptime(ds.StudyDate, "%Y%m%d") for ds in (first, second)]  # noqa: DTZ007
        assert (days[1] - days[0]).days == 2

    def test_without(self, run: Run, folder: Path, tmp_path: Path) -> None:
        put(folder, one(SeriesDescription="CT Thorax"))
        left_out = ["clean_descriptors", "retain_patient_characteristics"]
        (new,) = read(run(left_out=left_out), tmp_path / "out")
        assert not new.get("SeriesDescription")
        assert not new.get("PatientAge")

    def test_a_word_of_ones_own(self, run: Run, folder: Path, tmp_path: Path) -> None:
        put(folder, one(SeriesDescription="CT zyxomab"))
        plain = read(run(), tmp_path / "out")[0]
        own = read(run(target="own", extra_words=["Zyxomab"]), tmp_path / "own")[0]
        assert (plain.SeriesDescription, own.SeriesDescription) == ("CT", "CT zyxomab")

    @pytest.mark.parametrize(
        "choice",
        [
            {"added": ["retain_everything"]},
            {"left_out": ["retain_uid"]},
            {"added": ["retain_full_dates", "retain_modified_dates"]},
        ],
    )
    def test_a_wrong_option_is_an_error_before_anything_is_made(
        self, choice: Any, run: Run, tmp_path: Path
    ) -> None:
        write_series(ct_series(), tmp_path / "in")
        with pytest.raises(InputError) as caught:
            run(**choice)
        assert caught.value.code == "profile"
        assert caught.value.hint
        assert not (tmp_path / "out").exists()
        assert not (tmp_path / "vault").exists()


def test_uids_that_are_none_do_not_become_names_of_folders(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    bad = ("\\".join(["1.2.3"] * 12), "../../Mustermann", "1." * 60 + "1", "/etc/Mustermann")
    for number, value in enumerate(bad):
        path = encode(one(SOPInstanceUID=uid(1, number)), folder / f"{number}.dcm")
        ds = pydicom.dcmread(path)
        ds[0x0020000D] = raw(0x0020000D, value)
        ds[0x0020000E] = raw(0x0020000E, value)
        ds.save_as(path)
    done = run(added=["retain_uids"])
    assert [row["outcome"] for row in done.files] == ["released"] * len(bad)
    for row in done.files:
        steps = row["output"].split("/")
        assert len(steps) == 4
        assert max(map(len, steps)) <= 70
    assert "mustermann" not in " ".join(content_of(tmp_path / "out")).lower()


def raw(tag: int, value: str) -> RawDataElement:
    """Return a UID that pydicom writes without looking at it."""
    content = value.encode() + b"\0" * (len(value) % 2)
    return RawDataElement(pydicom.tag.Tag(tag), "UI", len(content), content, 0, False, True)


def test_instances_without_a_uid_are_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    ds = one()
    path = encode(ds, folder / "0.dcm")
    bare = copy.deepcopy(ds)
    del bare.SOPInstanceUID
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, bare, enforce_file_format=False)
    path.write_bytes(buffer.getvalue())
    (only,) = read(run(), tmp_path / "out")
    assert only.SOPInstanceUID, "the head of the file had one"
    shutil.rmtree(tmp_path / "out")
    bare.file_meta.MediaStorageSOPInstanceUID = ""
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, bare, enforce_file_format=False)
    path.write_bytes(buffer.getvalue())
    assert outcomes(run()) == [("refused", "sop_missing")]
    assert not (tmp_path / "out").exists()


def test_an_age_above_89_is_written_as_90(run: Run, folder: Path, tmp_path: Path) -> None:
    put(folder, numbered(0, PatientAge="093Y"), numbered(1, PatientAge="089Y"))
    assert [ds.PatientAge for ds in read(run(), tmp_path / "out")] == ["090Y", "089Y"]


def test_every_reason_to_set_a_file_aside_stands_in_the_reference() -> None:
    root = Path(__file__).resolve().parents[3]
    rules = root / "src" / "lesionary" / "ingest" / "deidentify"
    source = "".join((rules / name).read_text("utf-8") for name in ("quarantine.py", "pixels.py"))
    said = set(re.findall(r'"([a-z]+(?:_[a-z]+)*)",\s+"[^"]+ [^"]+"', source))
    said |= {"sop_conflict", "duplicate_identical", "dicomdir"}
    page = (root / "docs" / "reference" / "errors.md").read_text("utf-8")
    assert len(said) > 8
    assert [code for code in said if f"ed | `{code}` |" not in page] == []


def test_pixels_are_what_they_were(run: Run, tmp_path: Path) -> None:
    built = ct_series()
    write_series(built, tmp_path / "in")
    for old, new in zip(built, read(run(), tmp_path / "out"), strict=True):
        assert new.PixelData == old.PixelData
        assert new.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert np.array_equal(new.pixel_array, old.pixel_array)


def test_a_study_of_two_patients_is_told(run: Run, folder: Path, tmp_path: Path) -> None:
    pair = [numbered(0, PatientID="A"), numbered(1, PatientID="B")]
    for ds in pair:
        ds.StudyInstanceUID = "1.2.3.77"
    put(folder, *pair)
    done = run()
    assert outcomes(done) == [("released", None)] * 2
    (shared,) = done.shared_studies
    assert {path.name for path in (tmp_path / "out").glob("*/*")} == {shared}
    assert run().document()["shared_studies"] == [shared]


@pytest.mark.parametrize(
    "text",
    ["", "US", "US:600x800", "US:600x800:0,0,60", "US:600x800:60,0,0,800", "US:600x800:0,0,601,800",
     "US:600x800:0,0,60,801", "US:0x0:0,0,0,0", "US:600x800:-1,0,60,800"],
)  # fmt: skip
def test_a_region_to_blank_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        blanking_rule(text)
    assert caught.value.code == "usage"


def test_a_region_to_blank_is_read_as_it_is_written() -> None:
    rule = blanking_rule("us:600x800:0,10,60,800")
    assert (rule.modality.upper(), rule.rows, rule.columns) == ("US", 600, 800)
    assert rule.regions == ((0, 10, 60, 800),)
