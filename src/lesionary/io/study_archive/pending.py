"""What is being made beside its place, and what killed processes left there.

Beside every pending name lies a lock file of the same name and ``.lock``. A process that dies lets
go of it, so the next one that wants the place knows what is nobody's any more.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lesionary.io.durable import PARTIAL
from lesionary.io.lock import holding, is_free

_LOCK = ".lock"


@contextmanager
def claimed(temporary: Path) -> Iterator[None]:
    """Let others see that this process makes what has that pending name."""
    lock = temporary.with_name(temporary.name + _LOCK)
    try:
        with holding(lock):
            yield
    finally:
        lock.unlink(missing_ok=True)


def token_of(temporary: Path) -> str:
    """Return the part of a pending name that no other shares."""
    return temporary.name.removeprefix(PARTIAL).partition("-")[0]


def abandoned(target: Path) -> list[Path]:
    """Return the pending names of killed processes that wanted ``target``."""
    folder, found = target.absolute().parent, []
    if folder.is_dir():
        for lock in sorted(folder.iterdir()):
            temporary = lock.with_name(lock.name.removesuffix(_LOCK))
            if lock.name.endswith(_LOCK) and _is_for(temporary, target) and is_free(lock):
                found.append(temporary)
    return found


def clear(abandoned_names: list[Path]) -> None:
    """Remove what was abandoned, its lock last."""
    for temporary in abandoned_names:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)
        temporary.with_name(temporary.name + _LOCK).unlink(missing_ok=True)


def _is_for(temporary: Path, target: Path) -> bool:
    own = temporary.name.removeprefix(PARTIAL)
    return temporary.name.startswith(PARTIAL) and own.partition("-")[2] == target.name
