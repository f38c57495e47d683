"""Folders for what is unpacked or worked out on the way: outside every study, gone with us.

What a killed process leaves in the system's temporary folder may lie there for months, and here it
would be patients' scans. So a process holds a lock in each folder of its own for as long as it
lives, and whoever comes next removes the folders whose lock is free.
"""

import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lesionary.core.errors import WorkflowError
from lesionary.io.durable import writing
from lesionary.io.lock import exclusive
from lesionary.io.log_files import LOGGER

PREFIX = "lesionary-scratch-"
"""Names of the folders start so, in the system's temporary folder (``TMPDIR``)."""

LOCK = "alive.lock"
_TRIES = 3

_log = logging.getLogger(LOGGER)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder that only this user reads (0700); remove it when the block ends.

    The name :data:`LOCK` in it is taken. Where the disk knows no locks there is a folder all the
    same, and :func:`clear_abandoned` lets it lie.

    Raises
    ------
    WorkflowError
        Code ``not_writable``.
    """
    with ExitStack() as stack:
        for _ in range(_TRIES):
            with writing():
                made = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
            if _is_held(folder, stack):
                break
        yield folder


def _is_held(folder: Path, stack: ExitStack) -> bool:
    """Take the lock; False where somebody removed the folder before, for nobody held it yet."""
    try:
        stack.enter_context(exclusive(folder / LOCK))
    except WorkflowError:
        return False
    return (folder / LOCK).exists()


def clear_abandoned() -> int:
    """Remove this user's folders whose process is dead; return how many there were.

    Nothing of others is touched, no link is followed, and nothing in words is said of what lay in
    them.
    """
    n_removed = 0
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            n_removed += _is_removed(folder)
    if n_removed:
        _log.info("cleared", extra={"fields": {"scratch_folders": n_removed}})
    return n_removed


def _is_removed(folder: Path) -> bool:
    with suppress(OSError, WorkflowError):
        if not _is_own_folder(folder.lstat()):
            return False
        with exclusive(folder / LOCK):
            shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()
    return False


def _is_own_folder(status: os.stat_result) -> bool:
    is_own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return is_own and stat.S_ISDIR(status.st_mode)
