"""A disk that fills up and a folder that forbids writing, as every process sees them."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from servers.processes import wait_until
from servers.small_disk import MountError, disks

MIB = 2**20


def test_a_small_disk_takes_what_fits_and_no_more(small_disk):
    disk = small_disk(2)
    (disk.path / "fits").write_bytes(bytes(MIB))
    with pytest.raises(OSError, match="No space left") as refused:
        (disk.path / "does_not").write_bytes(bytes(2 * MIB))
    assert refused.value.errno == errno.ENOSPC


def test_a_disk_is_filled_and_relieved(small_disk):
    disk = small_disk(2)
    disk.fill(leave_bytes=MIB)
    assert disk.free_bytes == MIB
    disk.fill()
    disk.fill()
    assert disk.free_bytes == 0
    disk.relieve()
    assert disk.free_bytes == 2 * MIB


def test_disks_of_one_test_are_apart(small_disk):
    first, second = small_disk(1), small_disk(3)
    first.fill()
    assert (first.free_bytes, second.free_bytes) == (0, 3 * MIB)


def test_a_read_only_folder_forbids_root_too_and_then_allows_again(read_only, tmp_path):
    (tmp_path / "kept").write_text("before")
    with read_only(tmp_path) as folder:
        with pytest.raises(OSError, match="Read-only file system"):
            (folder / "new").write_text("")
        with pytest.raises(OSError, match="Read-only file system"):
            (folder / "kept").write_text("after")
        assert (folder / "kept").read_text() == "before"
    (tmp_path / "new").write_text("")


def test_a_small_disk_can_be_read_only(small_disk, read_only):
    disk = small_disk(1)
    with (
        read_only(disk.path),
        pytest.raises(OSError, match="Read-only file system"),
    ):
        (disk.path / "new").write_text("")
    (disk.path / "new").write_text("")


def test_a_folder_becomes_writable_when_its_test_fails(read_only, tmp_path):
    with pytest.raises(RuntimeError), read_only(tmp_path):
        raise RuntimeError
    (tmp_path / "new").write_text("")


def test_what_cannot_be_mounted_is_an_error(read_only, tmp_path):
    with pytest.raises(MountError, match="mount"), read_only(tmp_path / "absent"):
        pass


def test_mounts_end_with_the_test_though_files_are_open(small_disk):
    with disks() as room:
        disk = room.small_disk(1)
        file = (disk.path / "open").open("w")
    assert not disk.path.exists()
    file.close()


def test_killed_tests_leave_no_mount_and_no_folder(small_disk, tmp_path):
    script = (
        "import sys; from pathlib import Path; from servers.small_disk import disks\n"
        "with disks() as room, room.read_only(Path(sys.argv[1])):\n"
        "    print(room.small_disk(1).path, flush=True); sys.stdin.read()"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    with tests:
        disk = Path(tests.stdout.readline().strip())
        assert disk.is_mount()
        os.killpg(tests.pid, signal.SIGKILL)
    assert wait_until(lambda: not disk.parent.exists(), timeout_s=30)
    (tmp_path / "new").write_text("")
