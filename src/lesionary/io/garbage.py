"""Removing objects that no row names, without ever taking one that a row is about to name.

An object comes before its row: a worker writes it, and some time later the driver records the
receipt that names it. Between the two nothing but its age protects it, so three things hold:

1. An object goes only where no row names it *and* its file is older than a grace period, a day
   unless told otherwise, which must be longer than any unit of work takes from its first ``put`` to
   its row. The caller holds the study's lock, so that no row is written while rows are asked.
2. A ``put`` that finds its object there gives the file the present time, then looks whether it is
   still there, and writes it anew if not. So an old object that is put once more is young.
3. A collection renames a file aside before it removes it, and looks at its time once more there. A
   touch before the rename is seen, and the file gets its name back; a touch behind it
   finds no file, or is followed by a look that finds none, and the ``put`` writes the object anew.
   A file aside that a killed collection left gets its name back at the next.

Ages are told by the clock of the disk itself, which gave the files their times, or by this
machine's where that is earlier. A file of the future is young: a clock set back removes nothing
and only delays. A clock that runs ahead by more than the grace period would make unnamed work of
the present look old; what is lost so is made again by the next run, for no row names it.
"""

import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lesionary.core.errors import InputError
from lesionary.io.durable import PARTIAL, partial_name, writing
from lesionary.io.objects import ObjectStore, is_object_id

GRACE_S = 86_400.0
"""How long an object may be without a row."""

LEAVING = ".leaving-"
"""Names that start so are objects put aside by a collection that was killed."""

Named = Collection[str] | Callable[[Sequence[str]], Collection[str]]
"""The ids that rows name; or what tells which of some ids, those of one folder, are named."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection removed, or would remove.

    Parameters
    ----------
    ids : tuple of str
        Objects, in the order of their names.
    n_bytes : int
        Of the objects and the leftovers, on the disk.
    n_leftovers : int
        Half-written files of killed processes.
    """

    ids: tuple[str, ...] = ()
    n_bytes: int = 0
    n_leftovers: int = 0

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    n_bytes: int

    @property
    def object_id(self) -> str:
        return self.path.parent.name + self.path.name


def collect(
    store: ObjectStore,
    named: Named,
    *,
    older_than_s: float = GRACE_S,
    dry_run: bool = False,
    now_s: float | None = None,
) -> Collected:
    """Remove the objects that no row names, and half-written files, where both are old.

    Memory is that of one folder of the store, a 256th of its names. The caller holds the study's
    lock.

    Parameters
    ----------
    store : ObjectStore
        Where to look. Other people's files in it are left alone.
    named : collection or callable
        What rows name.
    older_than_s : float
        The grace period, in seconds; 0 where surely no worker lives.
    dry_run : bool
        Only tell what would go.
    now_s : float, optional
        The present in seconds since 1970; the disk's own clock where it is not given.

    Raises
    ------
    InputError
        If the grace period is no number from 0 on.
    WorkflowError
        Code ``not_writable``; what was removed before is named by no row.
    """
    if not older_than_s >= 0:
        raise InputError(f"a grace period is 0 s or more, not {older_than_s}", code="usage")
    if not store.root.is_dir():
        return Collected()
    if now_s is None:
        now_s = time.time() if dry_run else _present_s(store.root)
    until_s = now_s - older_than_s
    ids: list[str] = []
    n_bytes = n_leftovers = 0
    for folder in (store.root, *store.shelves()):
        with writing(folder):
            if not dry_run:
                _bring_back(folder)
            for file in _unnamed(folder, named, until_s):
                if dry_run or _remove(file.path, until_s):
                    ids.append(file.object_id)
                    n_bytes += file.n_bytes
            for file in _leftovers(folder, until_s):
                if not dry_run:
                    file.path.unlink(missing_ok=True)
                n_leftovers += 1
                n_bytes += file.n_bytes
    return Collected(tuple(ids), n_bytes, n_leftovers)


def _present_s(root: Path) -> float:
    clock = partial_name(root / "clock")
    with writing(root):
        clock.touch()
        try:
            return min(clock.stat().st_mtime, time.time())
        finally:
            clock.unlink()


def _old_files(folder: Path, until_s: float) -> Iterator[_File]:
    """Give the plain files whose time is not after ``until_s``, by name."""
    for path in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):  # a worker renamed or removed it meanwhile
            status = path.lstat()
            if status.st_mtime <= until_s and stat.S_ISREG(status.st_mode):
                yield _File(path, status.st_size)


def _unnamed(folder: Path, named: Named, until_s: float) -> list[_File]:
    old = [file for file in _old_files(folder, until_s) if is_object_id(file.object_id)]
    if not old:
        return []
    ids = [file.object_id for file in old]
    kept = frozenset(named(ids)) if callable(named) else named
    return [file for file in old if file.object_id not in kept]


def _leftovers(folder: Path, until_s: float) -> list[_File]:
    return [f for f in _old_files(folder, until_s) if f.path.name.startswith(PARTIAL)]


def _remove(path: Path, until_s: float) -> bool:
    """Remove an object unless it was put once more; tell whether it is gone."""
    aside = path.with_name(LEAVING + path.name)
    try:
        path.replace(aside)
    except FileNotFoundError:
        return False
    is_old = False
    try:
        with aside.open("rb") as file:  # an open file's time is the server's, not a remembered one
            is_old = os.fstat(file.fileno()).st_mtime <= until_s
    finally:
        if not is_old:
            aside.replace(path)
    if is_old:
        aside.unlink()
    return is_old


def _bring_back(folder: Path) -> None:
    for aside in sorted(folder.glob(f"{LEAVING}*")):
        path = aside.with_name(aside.name.removeprefix(LEAVING))
        if path.exists():
            aside.unlink()
        else:
            aside.replace(path)
