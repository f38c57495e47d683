"""A disk that is soon full, and a folder that takes no writing: mounted for one test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from .processes import GuardedFolder

NO_RIGHT = "no right to mount a tmpfs here: run the tests on Linux as root, with CAP_SYS_ADMIN"
BALLAST = "ballast"


class MountError(Exception):
    """A mount was refused, or a disk is still in use."""


@cache
def can_mount() -> bool:
    """Return whether this process may mount a tmpfs and bind a folder: tried once, for real."""
    try:
        with disks() as room:
            disk = room.small_disk(size_mib=1)
            with room.read_only(disk.path):
                return True
    except MountError:
        return False


class SmallDisk:
    """A mounted file system of a few MiB: ``path`` is its empty root."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def free_bytes(self) -> int:
        """What can still be written."""
        return shutil.disk_usage(self.path).free

    def fill(self, leave_bytes: int = 0) -> None:
        """Take up the room that is left, but for ``leave_bytes``, rounded down to whole pages."""
        with (self.path / BALLAST).open("ab") as ballast:
            if (n_bytes := self.free_bytes - leave_bytes) > 0:
                os.posix_fallocate(ballast.fileno(), ballast.tell(), n_bytes)

    def relieve(self) -> None:
        """Give back what `fill` took."""
        (self.path / BALLAST).unlink(missing_ok=True)


class Disks:
    """Mounts of one test; `disks` takes them all away."""

    def __init__(self, folder: GuardedFolder) -> None:
        self._folder = folder
        self._n_disks = 0

    def small_disk(self, size_mib: int) -> SmallDisk:
        """Mount an empty file system in memory of the given size."""
        self._n_disks += 1
        path = self._folder.path / f"disk{self._n_disks}"
        path.mkdir()
        self._mount(path, "-t", "tmpfs", "-o", f"size={size_mib}m,mode=755", "lesionary-test")
        return SmallDisk(path)

    @contextmanager
    def read_only(self, folder: Path) -> Iterator[Path]:
        """Forbid all writing below a folder, to root too, for the length of a ``with`` block."""
        self._mount(folder, "--bind", str(folder))
        try:
            self._mount(folder, "-o", "remount,bind,ro")
            yield folder
        finally:
            _run("umount", "--lazy", folder)

    def _mount(self, place: Path, *options: str) -> None:
        self._folder.note_mount(place)
        _run("mount", *options, place)


@contextmanager
def disks() -> Iterator[Disks]:
    """Lend mounts, and take them away at the end, even when the tests are killed."""
    folder = GuardedFolder("disk")
    try:
        yield Disks(folder)
    finally:
        folder.close()


def _run(*command: str | Path) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except OSError as error:
        raise MountError(f"{command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise MountError(f"{command[0]}: {error.stderr.strip()}") from error
