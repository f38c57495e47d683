"""Archives that climb out, lie, explode or break off."""

import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lesionary.io.limits import GIB, KIB, MIB, Limits
from lesionary.io.member_names import create_file, steps_of
from lesionary.io.sources import open_sources

DICOM = bytes(128) + b"DICM" + b"\2\0\0\0UL\4\0\0\0\0\0"
CLIMBERS = ("../x.dcm", "a/../../x.dcm", "/x.dcm", "C:\\x.dcm", "..\\x.dcm", "\\\\host\\x.dcm")


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    mode = {"gz": "w:gz", "xz": "w:xz", "bz2": "w:bz2"}.get(path.suffix[1:], "w")
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


ARCHIVES = pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a.zip", zip_of), ("a.tar", tar_of), ("a.tar.gz", tar_of), ("a.tar.xz", tar_of),
        ("a.tar.bz2", tar_of), ("no_ending", zip_of),
    ],
)  # fmt: skip
Packed = Callable[[Path, dict[str, bytes]], Path]


def listing(path: Path, limits: Limits | None = None) -> dict[str, str]:
    with open_sources([path], limits) as tree:
        shown = {file.name: str(file.kind) for file in tree.files}
        shown |= {one.name: one.finding.code for one in tree.findings}
    return {name.removeprefix(f"{path}").lstrip(":"): what for name, what in shown.items()}


@ARCHIVES
def test_members_are_unpacked_and_removed_again(name: str, packed: Packed, tmp_path: Path) -> None:
    path = packed(tmp_path / name, {"./s/1.dcm": DICOM, "2.dcm": DICOM + b"two", "s/n.txt": b"x"})
    with open_sources([path]) as tree:
        contents = {file.name: file.path.read_bytes() for file in tree.files}
        folder = tree.files[0].path.parents[1]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert contents == {f"{path}:s/1.dcm": DICOM, f"{path}:2.dcm": DICOM + b"two"}
    assert not folder.exists()


def test_the_folder_is_removed_on_errors_too(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"1.dcm": DICOM})
    unpacked: list[Path] = []

    def fail_within() -> None:
        with open_sources([path]) as tree:
            unpacked.extend(file.path for file in tree.files)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_within()
    assert unpacked
    assert not unpacked[0].parent.parent.exists()


@ARCHIVES
def test_members_that_climb_out_are_refused_and_the_rest_taken(
    name: str, packed: Packed, tmp_path: Path
) -> None:
    path = packed(tmp_path / name, dict.fromkeys(CLIMBERS, DICOM) | {"in.dcm": DICOM})
    before = set(tmp_path.parent.rglob("*"))
    kinds = listing(path)
    assert kinds.pop("in.dcm") == "dicom"
    assert set(kinds.values()) == {"path_outside"}
    assert len(kinds) == len(CLIMBERS)
    assert set(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                  tarfile.CHRTYPE, tarfile.BLKTYPE])  # fmt: skip
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        odd = tarfile.TarInfo("odd")
        odd.type, odd.linkname = kind, "/etc"
        archive.addfile(odd)
        for name in ("odd/passwd.dcm", "x.dcm"):
            info = tarfile.TarInfo(name)
            info.size = len(DICOM)
            archive.addfile(info, io.BytesIO(DICOM))
    assert listing(path) == {"odd": "path_outside", "odd/passwd.dcm": "dicom", "x.dcm": "dicom"}


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("x.dcm", DICOM)
    assert listing(path) == {"link": "path_outside", "x.dcm": "dicom"}


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"x.dcm": DICOM, "y.dcm": DICOM})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert listing(path) == {"x.dcm": "encrypted", "y.dcm": "dicom"}


def test_a_method_that_is_not_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.dcm", DICOM, zipfile.ZIP_LZMA)
    assert listing(path) == {"x.dcm": "unreadable"}


def test_a_damaged_zip_member_is_left_out_and_the_rest_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.dcm", DICOM + b"planted")
        archive.writestr("y.dcm", DICOM)
    path.write_bytes(path.read_bytes().replace(b"planted", b"changed"))
    assert listing(path) == {"x.dcm": "gzip_corrupt", "y.dcm": "dicom"}


@pytest.mark.parametrize("n_kept", [30, 100, -30, -1])
def test_a_cut_zip_is_left_out(n_kept: int, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"x.dcm": DICOM, "y.dcm": DICOM})
    path.write_bytes(path.read_bytes()[:n_kept])
    assert listing(path) == {"": "truncated"}


@pytest.mark.parametrize("n_kept", [512 + 100, 1024 + 512, 1024 + 600, 2048])
def test_of_a_cut_tar_the_whole_members_are_taken(n_kept: int, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar", {"x.dcm": DICOM, "y.dcm": DICOM})
    path.write_bytes(path.read_bytes()[:n_kept])
    taken = {name: "dicom" for name, end in (("x.dcm", 1024), ("y.dcm", 2048)) if end <= n_kept}
    assert listing(path) == taken | {"": "truncated"}


def test_a_cut_stream_is_truncated(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar.gz", {"x.dcm": DICOM, "y.dcm": DICOM})
    path.write_bytes(path.read_bytes()[:-12])
    assert listing(path)[""] == "truncated"


def test_nothing_is_taken_from_a_stream_with_a_wrong_checksum(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar.gz", {"x.dcm": DICOM, "y.dcm": DICOM})
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert listing(path) == {"": "gzip_corrupt"}


@ARCHIVES
def test_a_bomb_stops_before_its_limit(name: str, packed: Packed, tmp_path: Path) -> None:
    path = packed(tmp_path / name, {"a.dcm": DICOM, "bomb": bytes(2 * MIB), "z.dcm": DICOM})
    if name == "a.tar":
        pytest.skip("an uncompressed tar has no ratio")
    limits = Limits(archive_ratio=20, archive_ratio_from_bytes=MIB)
    kinds = listing(path, limits)
    assert kinds == {"a.dcm": "dicom", "": "archive_limit"}
    assert "bomb" in listing(path)  # below a gibibyte nobody is harmed


@ARCHIVES
def test_the_total_is_bounded_whatever_the_ratio(name: str, packed: Packed, tmp_path: Path) -> None:
    path = packed(tmp_path / name, {f"{n}.dcm": DICOM + bytes(64 * KIB) for n in range(9)})
    kinds = listing(path, Limits(archive_bytes=256 * KIB))
    assert kinds.pop("") == "archive_limit"
    assert 2 <= len(kinds) <= 4


def test_declared_sizes_are_not_believed(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"bomb": bytes(4 * MIB)})
    content = path.read_bytes()
    small = (1000).to_bytes(4, "little")
    path.write_bytes(content.replace((4 * MIB).to_bytes(4, "little"), small))
    assert listing(path) == {"bomb": "gzip_corrupt"}


def test_a_sparse_member_counts_with_its_holes(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    info = tarfile.TarInfo("sparse")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:398] = b"%011o\0" % 0  # one empty run, at the start
    header[483:495] = b"%011o\0" % (3 * MIB)  # the size that is claimed
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + bytes(1024))
    assert listing(path, Limits(archive_bytes=2 * MIB)) == {"": "archive_limit"}


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2 * GIB
    head = info.tobuf(tarfile.GNU_FORMAT)
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(head + bytes(32 * MIB)))
    assert listing(path) == {"": "archive_limit"}


def test_archives_in_archives_are_unpacked(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"a/x.dcm": DICOM}).read_bytes()
    middle = tar_of(tmp_path / "middle.tar.gz", {"inner.zip": inner, "y.dcm": DICOM}).read_bytes()
    outer = zip_of(tmp_path / "outer.zip", {"middle.tar.gz": middle})
    assert listing(outer) == {
        "middle.tar.gz:inner.zip:a/x.dcm": "dicom", "middle.tar.gz:y.dcm": "dicom",
    }  # fmt: skip
    assert listing(outer, Limits(nesting=2)) == {
        "middle.tar.gz:inner.zip": "too_deep", "middle.tar.gz:y.dcm": "dicom",
    }  # fmt: skip


def test_nested_archives_share_one_budget(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"bomb": bytes(MIB)}).read_bytes()
    outer = zip_of(tmp_path / "outer.zip", {f"{n}.zip": inner + b"%d" % n for n in range(4)})
    kinds = listing(outer, Limits(archive_bytes=3 * MIB))
    assert list(kinds.values()).count("archive_limit") == 2


def test_twice_the_same_name_and_names_no_disk_takes_are_all_read(tmp_path: Path) -> None:
    deep = "d/" * 900 + "z.dcm"
    members = ["x.dcm", "x.dcm", "x.dcm/y.dcm", "n" * 300 + ".dcm", deep, "tab\t.dcm"]
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(members):
            info = tarfile.TarInfo(name)
            content = DICOM + b"%d" % number
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with open_sources([path]) as tree:
        assert [one.finding for one in tree.findings] == []
        contents = {file.path.read_bytes() for file in tree.files}
        assert contents == {DICOM + b"%d" % number for number in range(6)}
        folder = tree.files[0].path
    assert not folder.exists()


def test_a_list_of_members_beyond_memory_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"x.dcm": DICOM})
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\5\6")
    content[end + 12 : end + 16] = (100 * MIB).to_bytes(4, "little")
    path.write_bytes(content)
    assert listing(path) == {"": "archive_limit"}


def test_a_full_disk_stops_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zip_of(tmp_path / "a.zip", {"x.dcm": DICOM})

    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    def create(folder: Path, steps: tuple[str, ...]) -> tuple[Path, io.BytesIO]:
        return folder.joinpath(*steps), FullDisk()

    monkeypatch.setattr("lesionary.io.archives.create_file", create)
    assert listing(path) == {"": "archive_limit"}


def test_names_are_split_at_either_slash() -> None:
    assert steps_of("a\\b/./c.dcm") == ("a", "b", "c.dcm")
    assert steps_of("") == ("unnamed",)


def test_a_file_is_never_made_over_another(tmp_path: Path) -> None:
    first, one = create_file(tmp_path, ("x",))
    second, two = create_file(tmp_path, ("x",))
    one.close()
    two.close()
    assert first == tmp_path / "x" != second
