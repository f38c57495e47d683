import errno
import os
from contextlib import suppress

import pytest

from lesionary.core.errors import WorkflowError
from lesionary.io.durable import PARTIAL, exchange, make_folder, replacing, write_bytes, writing


def test_content_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.nii.gz"
    write_bytes(path, b"old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "disk full", str(path))

    with pytest.raises(WorkflowError, match="disk full") as refused:
        write_half()
    assert refused.value.code == "not_writable"
    assert str(tmp_path) not in refused.value.message
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_name_keeps_the_ending(tmp_path):
    with replacing(tmp_path / "mask.nii.gz") as temporary:
        assert temporary.name.startswith(PARTIAL)
        assert temporary.name.endswith("mask.nii.gz")
        temporary.write_bytes(b"")


def test_a_full_disk_is_told_with_the_space_that_is_left(tmp_path):
    for place in (tmp_path, tmp_path / "not" / "yet"):
        with (
            pytest.raises(WorkflowError, match=r"disk full \([0-9.]+ .?i?B free\)") as refused,
            writing(place),
        ):
            raise OSError(errno.ENOSPC, "disk full")
        assert "free space" in refused.value.hint


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_other_refusals_tell_no_space(tmp_path, number):
    with pytest.raises(WorkflowError) as refused, writing(tmp_path):
        raise OSError(number, "no")
    assert "free)" not in refused.value.message
    assert refused.value.hint


def test_folders_are_made_with_those_above(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_where_a_file_lies_is_refused(tmp_path):
    (tmp_path / "a").write_text("")
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(WorkflowError) as refused:
            make_folder(path)
        assert refused.value.code == "not_writable"


def test_names_are_exchanged_in_one_step_or_not_at_all(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "name.txt").write_text(folder.name)
    is_done = exchange(one, other)
    found = (one / "name.txt").read_text(), (other / "name.txt").read_text()
    assert found == (("other", "one") if is_done else ("one", "other"))


def test_what_is_not_there_is_not_exchanged(tmp_path):
    (tmp_path / "one").mkdir()
    with suppress(FileNotFoundError):
        assert exchange(tmp_path / "one", tmp_path / "other") is False
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_device_is_never_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(WorkflowError) as caught, replacing(pipe):
        pytest.fail("nothing may be written there")
    assert caught.value.code == "not_writable"
    assert pipe.is_fifo()
