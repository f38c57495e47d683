"""Folders and files as users have them, and as attackers would."""

import os
import socket
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lesionary.core.errors import InputError
from lesionary.core.findings import Outcome
from lesionary.core.volume import Geometry, Volume
from lesionary.ingest.pairing import pair
from lesionary.io.file_kind import FileKind, kind_of
from lesionary.io.image_file import write_image_file
from lesionary.io.limits import Limits
from lesionary.io.sources import SourceTree, open_sources

DICOM = bytes(128) + b"DICM" + b"\2\0\0\0UL\4\0\0\0\0\0"
NOISE = np.random.default_rng(4).bytes(2000)


def listing(*paths: Path, limits: Limits | None = None) -> dict[str, str]:
    """Return name below the first path → kind or code."""
    with open_sources(paths, limits) as tree:
        return as_listing(tree, paths[0])


def as_listing(tree: SourceTree, root: Path) -> dict[str, str]:
    shown = {file.name: str(file.kind) for file in tree.files}
    shown |= {one.name: one.finding.code for one in tree.findings}
    return {name.removeprefix(f"{root}").lstrip("/:"): what for name, what in shown.items()}


def test_numbers_count_from_zero_in_sorted_order_of_names(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "a.dcm", "b/1.txt", "b.dcm", "c/empty"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"" if name == "c/empty" else b"notes" if "txt" in name else DICOM)
    with open_sources([tmp_path]) as tree:
        numbered = {one.number: one.name for one in (*tree.files, *tree.findings)}
    names = sorted(f"{tmp_path}/{name}" for name in ("b/2.dcm", "a.dcm", "b/1.txt", "b.dcm"))
    assert numbered == dict(enumerate([*names, f"{tmp_path}/c/empty"]))


def test_numbers_do_not_depend_on_the_order_of_arguments(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.dcm", "b.dcm", "c.dcm")]
    for path in paths:
        path.write_bytes(DICOM)
    with open_sources(paths) as forwards, open_sources(paths[::-1]) as backwards:
        assert forwards == backwards


def test_a_file_given_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.dcm").write_bytes(DICOM)
    with open_sources([tmp_path / "a" / "x.dcm", tmp_path, tmp_path / "a"]) as tree:
        assert [file.name for file in tree.files] == [f"{tmp_path}/a/x.dcm"]


def test_places_and_the_part_below_the_argument(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "s1").mkdir(parents=True)
    (folder / "s1" / "x.dcm").write_bytes(DICOM)
    with zipfile.ZipFile(folder / "scans.zip", "w") as archive:
        archive.writestr("t/y.dcm", DICOM)
    with open_sources([folder]) as tree:
        assert [file.below for file in tree.files] == ["s1/x.dcm", "scans.zip/t/y.dcm"]
        assert tree.files[1].place == f"{folder}/scans.zip/t/y.dcm"
        assert tree.files[1].name == f"{folder}/scans.zip:t/y.dcm"
    with open_sources([folder / "scans.zip", folder / "s1" / "x.dcm"]) as tree:
        assert [file.below for file in tree.files] == ["x.dcm", "t/y.dcm"]


def test_what_is_clutter_what_is_noise_and_what_is_read(tmp_path: Path) -> None:
    image = Volume(np.zeros((2, 2, 2), np.int16), Geometry((2, 2, 2), np.eye(4)))
    for name in ("image.nii.gz", "image.nii", "image.nrrd", "image.mha"):
        write_image_file(tmp_path / name, image)
    contents = {
        "a.dcm": DICOM,
        "noext": DICOM,
        "implicit": b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100",
        "explicit": b"\x08\0\x05\0CS\x0a\0ISO_IR 100",
        "big": b"\0\x08\0\x05CS\0\x0aISO_IR 100",
        "boxes.csv": b"image,lesion\r\n",
        "labels.json": b"{}",
        "DICOMDIR": DICOM,
        "dir.dcm": DICOM + b"1.2.840.10008.1.3.10\0",
        "Thumbs.db": b"\xd0\xcf\x11\xe0",
        "LICENSE": b"Apache",
        "README.md": b"# Data",
        "empty README.txt": b"notes",
        ".DS_Store": NOISE,
        "._a.dcm": NOISE,
        "notes.txt": "Größe".encode(),
        "notes-utf16.txt": "notes".encode("utf-16"),
        "report.pdf": b"%PDF-1.7 \0\1\2",
        "shot.png": b"\x89PNG\r\n\x1a\n\0\0",
        "viewer.exe": b"MZ\0\1\2",
        "table.xlsx": b"PK\x03\x04" + NOISE,
        "noise": NOISE,
        "noise.dcm": NOISE,
        "noise.nii": NOISE,
        "text.dcm": b"hello",
        "old.7z": b"7z\xbc\xaf\x27\x1c" + NOISE,
        "empty.dcm": b"",
        "cut.nii.gz": b"\x1f\x8b\x08\0" + NOISE,
        "noise.gz": b"\x1f\x8b\x08\0" + NOISE,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a.dcm").write_bytes(DICOM)
    kinds = listing(tmp_path)
    assert {name for name, what in kinds.items() if what == "dicom"} == {
        "a.dcm", "noext", "implicit", "explicit", "big",
    }  # fmt: skip
    assert {name for name, what in kinds.items() if what == "not_a_file"} == {
        "DICOMDIR", "dir.dcm", "Thumbs.db", "LICENSE", "README.md", "empty README.txt",
        ".DS_Store", "._a.dcm", "notes.txt", "notes-utf16.txt", "report.pdf", "shot.png",
        "viewer.exe", "table.xlsx", "__MACOSX",
    }  # fmt: skip
    assert {name for name, what in kinds.items() if what == "not_dicom"} == {
        "noise", "noise.dcm", "noise.nii", "text.dcm", "old.7z", "noise.gz",
    }  # fmt: skip
    rest = {"image.nii.gz": "nifti", "image.nii": "nifti", "image.nrrd": "nrrd"}
    rest |= {"image.mha": "metaimage", "boxes.csv": "table", "labels.json": "json"}
    rest |= {"empty.dcm": "empty_file", "cut.nii.gz": "nifti"}
    assert rest.items() <= kinds.items()


def test_data_files_are_read_through_their_headers(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    (tmp_path / "with" / "a.mhd").write_bytes(b"ObjectType = Image\n")
    for folder in ("with", "without"):
        (tmp_path / folder / "a.raw").write_bytes(NOISE)
    kinds = listing(tmp_path)
    assert kinds == {
        "with/a.mhd": "metaimage", "with/a.raw": "not_a_file", "without/a.raw": "not_dicom",
    }  # fmt: skip


def test_pipes_sockets_dead_links_and_loops_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.dcm").write_bytes(DICOM)
    (tmp_path / "a_link").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / "up").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file_link.dcm").symlink_to(tmp_path / "folder" / "x.dcm")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(tmp_path / "socket"))
        with open_sources([tmp_path]) as tree:
            assert as_listing(tree, tmp_path) == {
                "folder/x.dcm": "dicom",
                "file_link.dcm": "dicom",
                **dict.fromkeys(
                    ("a_link", "folder/up", "itself", "dead", "pipe", "socket"), "not_a_file"
                ),
            }
            assert {one.finding.outcome for one in tree.findings} == {Outcome.IGNORED}


def test_a_linked_folder_elsewhere_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.dcm").write_bytes(DICOM)
    data = tmp_path / "data"
    data.mkdir()
    (data / "one").symlink_to(tmp_path / "elsewhere")
    (data / "two").symlink_to(tmp_path / "elsewhere")
    assert listing(data) == {"one/x.dcm": "dicom", "two": "not_a_file"}


def test_a_pipe_or_a_linked_folder_given_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.dcm").write_bytes(DICOM)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    assert listing(tmp_path / "pipe") == {"": "not_a_file"}
    assert listing(tmp_path / "link") == {"x.dcm": "dicom"}


def test_an_argument_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal, open_sources([tmp_path / "absent"]):
        pass
    assert refusal.value.source == f"{tmp_path}/absent"
    assert "absent" not in refusal.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0)
    (tmp_path / "x.dcm").write_bytes(DICOM)
    (tmp_path / "x.dcm").chmod(0)
    try:
        assert listing(tmp_path) == {"folder": "unreadable", "x.dcm": "unreadable"}
    finally:
        (tmp_path / "folder").chmod(0o700)


def test_a_refused_read_is_left_out_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.dcm").write_bytes(DICOM)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "open", refuse)
    with open_sources([tmp_path]) as tree:
        (finding,) = tree.findings
    assert finding.finding.code == "unreadable"
    assert finding.finding.reason.endswith("Permission denied")


def test_names_that_are_no_text_can_be_printed(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9\n.dcm"
    with open(raw, "wb") as file:  # noqa: PTH123  # a Path takes no bytes
        file.write(DICOM)
    with open_sources([tmp_path]) as tree:
        (file_,) = tree.files
        file_.name.encode("utf-8")
        assert file_.name.isprintable()
        assert kind_of(file_.path) is FileKind.DICOM


def test_noise_of_any_length_raises_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    heads = [b"", b"PK\3\4", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"NRRD0004\n", b"NDims ="]
    names = ["", ".nii.gz", ".zip", ".tar", ".tgz", ".dcm", ".csv", ".tar.xz", ".mha", ".nrrd"]
    for number in range(300):
        name = f"{number:03d}{names[rng.integers(len(names))]}"
        (tmp_path / name).write_bytes(
            heads[rng.integers(len(heads))] + rng.bytes(rng.integers(900))
        )
    assert len(listing(tmp_path)) == 300


def test_damaged_archives_raise_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/b.dcm", "c.dcm"):
            archive.writestr(name, DICOM * 5)
    for mode, name in (("w", "whole.tar"), ("w:gz", "whole.tgz"), ("w:xz", "whole.txz")):
        with tarfile.open(tmp_path / name, mode, format=tarfile.GNU_FORMAT) as archive:
            archive.add(tmp_path / "whole.zip", "long" * 40 + "/whole.zip")
            archive.add(tmp_path / "whole.zip", "short.zip")
    for path in sorted(tmp_path.glob("whole.*")):
        whole = path.read_bytes()
        for number in range(150):
            damaged = bytearray(whole)
            for at in rng.integers(min(len(whole), 2500), size=rng.integers(1, 7)):
                damaged[at] = rng.integers(256)
            (tmp_path / f"{number}{path.name}").write_bytes(damaged)
    assert listing(tmp_path)


@pytest.mark.real_data
def test_real_images_and_masks_pair_by_name(shared_data: Path) -> None:
    with open_sources([shared_data / "sts_roi", shared_data / "pyradiomics_lung"]) as tree:
        found = pair(tree.named_files())
        places = {file.number: Path(file.place).name for file in tree.files}
    pairs = {places[mask.number]: places[mask.image] for mask in found.masks}
    assert len(pairs) == 109
    assert pairs["001_CT_mask.nii.gz"] == "001_CT_image.nii.gz"
    assert pairs["lung2_label_crop.nii.gz"] == "lung2_image_crop.nii.gz"
    orphans = {places[number] for number, _ in found.problems}
    assert orphans == {"lung1_label.nrrd", "lung2_label.nrrd"}


@pytest.mark.real_data
def test_a_real_archive_is_unpacked(shared_data: Path) -> None:
    with open_sources([shared_data / "crlm_ct_1004"]) as tree:
        kinds = [file.kind for file in tree.files]
        assert kinds.count(FileKind.DICOM) > 40
        assert {one.finding.outcome for one in tree.findings} == {Outcome.IGNORED}
