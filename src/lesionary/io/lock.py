"""Locks that the operating system drops when their holder dies."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lesionary.core.errors import WorkflowError
from lesionary.io.durable import writing


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path`` alone, or raise at once where another process holds it.

    Raises
    ------
    WorkflowError
        Code ``busy``.
    """
    with _opened(path) as descriptor:
        if not _try_lock(descriptor):
            raise _busy()
        yield


@contextmanager
def shared(path: Path, *, first: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at ``path`` together with others who share it.

    Parameters
    ----------
    path : Path
        Beside it lies a second file, at which those who come queue.
    first : callable
        Done by whoever comes while nobody is there; those who come meanwhile wait for its end, so
        it may clear away whatever lies about. Where the system knows no shared locks (Windows),
        everybody is the first.

    Raises
    ------
    WorkflowError
        Code ``busy`` where another process holds it alone.
    """
    with _opened(path) as descriptor:
        with queued(path.with_suffix(".queue")):
            is_first = _try_lock(descriptor)
            if is_first:
                first()
            if not _try_share(descriptor, has_it=is_first):
                raise _busy()
        yield


@contextmanager
def queued(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path`` alone, and wait for it as long as it takes."""
    with _opened(path) as descriptor:
        _wait_for_lock(descriptor)
        yield


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock file of one's own, for others to see that this process lives."""
    with exclusive(path):
        yield


def is_free(path: Path) -> bool:
    """Tell whether nobody holds a lock file, or there is none."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return _try_lock(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    with writing():
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # accounts may share
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _busy() -> WorkflowError:
    return WorkflowError(
        "another process works on this study", code="busy", hint="wait until it ends"
    )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _try_share(descriptor: int, *, has_it: bool) -> bool:  # noqa: ARG001
        return has_it

    def _wait_for_lock(descriptor: int) -> None:
        while not _try_lock(descriptor):
            pass  # LK_NBLCK itself tries for ten seconds

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        return _flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _try_share(descriptor: int, *, has_it: bool) -> bool:  # noqa: ARG001
        return _flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _wait_for_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _flock(descriptor: int, how: int) -> bool:
        try:
            fcntl.flock(descriptor, how)
        except OSError:
            return False
        return True
