"""The archive as a file: its bytes, and what is noticed of damage to them."""

import gzip
import hashlib
import io
import json
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.io.registry import tables
from lesionary.io.study_archive.layout import MANIFEST
from lesionary.io.study_archive.tar import TarReader, TarWriter


def test_any_program_of_tar_files_reads_it_and_sees_no_machine(archive):
    with tarfile.open(archive) as file:
        for info in file:
            assert info.isreg()
            told = (info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode)
            assert told == (0, 0, 0, "", "", 0o644)


def test_its_list_of_hashes_is_one_for_sha256sum(members):
    lines = members.pop("SHA256SUMS").decode().splitlines()
    assert lines == [f"{hashlib.sha256(c).hexdigest()}  {n}" for n, c in members.items()]


def test_every_table_but_claims_is_in_it(members):
    told = json.loads(members[MANIFEST])["tables"]
    assert told.keys() == tables.metadata.tables.keys() - {"claim"}
    assert all(n > 0 for n in told.values())


@settings(max_examples=60)
@given(st.data())
def test_one_changed_byte_anywhere_is_noticed(archive, refused, data):
    content = bytearray(archive.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    refused(bytes(content))


def test_one_changed_byte_in_every_member_is_noticed_and_the_member_named(archive, refused):
    content = archive.read_bytes()
    with tarfile.open(archive) as file:
        places = {info.name: info.offset_data + info.size // 2 for info in file if info.size}
    for name, place in places.items():
        broken = bytearray(content)
        broken[place] ^= 1
        error = refused(bytes(broken), InputError)
        assert error.source.startswith((name.partition("/")[0], "object")) or name in {
            "SHA256SUMS", MANIFEST,
        } or name.startswith(("tables/", "release/"))  # fmt: skip


@settings(max_examples=30)
@given(st.data())
def test_a_cut_archive_is_noticed_wherever_it_ends(archive, refused, data):
    content = archive.read_bytes()
    error = refused(content[: data.draw(st.integers(0, len(content) - 1))], InputError)
    assert error.code in {"truncated", "no_archive", "empty_file"}


def test_a_cut_between_any_two_blocks_is_noticed(archive, refused):
    content = archive.read_bytes()
    for end in range(512, len(content), 512 * 3):
        assert refused(content[:end], InputError).code in {"truncated", "no_archive"}


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 512, b"more"])
def test_what_follows_the_end_is_noticed(archive, refused, tail):
    assert refused(archive.read_bytes() + tail).code == "archive_changed"


def test_what_is_no_archive_is_said_to_be_none(archive, refused):
    for content in (b"x" * 5000, gzip.compress(archive.read_bytes()), b"\0" * 10240):
        error = refused(content)
        assert error.code == "no_archive"
        assert error.source.endswith("study.tar")


@given(st.lists(st.binary(max_size=2000), max_size=6))
def test_what_is_written_is_read(contents):
    file = io.BytesIO()
    writer = TarWriter(file, io.BytesIO())
    for number, content in enumerate(contents):
        writer.add_bytes(f"{number}", content)
    writer.finish()
    assert writer.n_bytes == len(file.getvalue())
    file.seek(0)
    reader = TarReader(file, io.BytesIO())
    assert [reader.content(2000) for _ in contents] == contents
    reader.finish()
