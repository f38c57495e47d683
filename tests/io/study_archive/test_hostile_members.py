"""Members that no export writes, as a hostile hand would put them into an archive."""

import io
import tarfile
import tracemalloc

import pytest

from lesionary.core.errors import InputError
from lesionary.io.study_archive.layout import MANIFEST, PROTOCOL
from lesionary.io.study_archive.tar import TarWriter


def tar_of(members, hostile: tarfile.TarInfo, position: int, content: bytes = b"") -> bytes:
    """Return a tar with one more member, as Python's own writer makes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as file:
        for number, (name, own) in enumerate(members.items()):
            if number == position:
                hostile.size = len(content)
                file.addfile(hostile, io.BytesIO(content))
            info = tarfile.TarInfo(name)
            info.size = len(own)
            file.addfile(info, io.BytesIO(own))
    return made.getvalue()


def one_of_each_kind(members):
    """Return number and name of the first object, the first table, and so on."""
    first = {}
    for number, name in enumerate(members):
        first.setdefault(name.partition("/")[0], (number, name))
    return list(first.values())


HOSTILE_NAMES = (
    "../outside", "/etc/outside", "objects/../../outside", "objects//ab", "study.toml/x",
    "release/../../outside", "tables/nobody/000001.jsonl", "tables/event/000002.jsonl",
    "a" * 300, "registry.db", "study.lock", "logs/run.jsonl", "objects/ab/" + "c" * 61,
    "ein\nZeilenumbruch",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("position", [0, 2, 9])
def test_a_member_that_no_study_has_is_refused(members, refused, name, position):
    error = refused(tar_of(members, tarfile.TarInfo(name), position, b"hello"), InputError)
    assert error.code in {"archive_changed", "no_archive"}
    assert "\n" not in error.source


@pytest.mark.parametrize(
    "kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_links_devices_and_folders_are_refused(members, refused, kind):
    for number, name in one_of_each_kind(members):
        hostile = tarfile.TarInfo(name)
        hostile.type, hostile.linkname = kind, "/etc/passwd"
        error = refused(tar_of(members, hostile, number), InputError)
        assert error.code in {"archive_changed", "no_archive"}


def test_a_member_that_comes_twice_is_refused(members, refused):
    for number, name in one_of_each_kind(members):
        content = tar_of(members, tarfile.TarInfo(name), number, members[name])
        assert refused(content, InputError).code == "archive_changed"


def test_a_member_that_is_missing_is_refused(members, refused_members):
    for name in members.keys() - {"SHA256SUMS"}:
        rest = {n: c for n, c in members.items() if n != name}
        assert refused_members(rest).code in {"archive_changed", "no_archive"}


def test_two_members_in_each_others_place_are_refused(members, refused_members):
    names = [name for name in members if name.startswith("objects/")]
    first, second = names[:2]
    other = {first: second, second: first}
    error = refused_members({(own := other.get(name, name)): members[own] for name in members})
    assert error.source == first


def test_a_header_that_claims_more_than_there_is_takes_no_memory(members, refused):
    for name in (MANIFEST, PROTOCOL, "tables/unit/000001.jsonl"):
        made = io.BytesIO()
        writer = TarWriter(made, io.BytesIO())
        for own, content in members.items():
            if own == name:
                info = tarfile.TarInfo(own)
                info.size = 8**11 - 1
                made.write(info.tobuf(tarfile.USTAR_FORMAT))
                break
            writer.add_bytes(own, content)
        tracemalloc.start()
        refused(made.getvalue(), InputError)
        assert tracemalloc.get_traced_memory()[1] < 50e6
        tracemalloc.stop()
