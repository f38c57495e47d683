import errno

import pytest

from lesionary.core.errors import WorkflowError
from lesionary.io.durable import PARTIAL, replacing, write_bytes


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
