"""Which received series are still arriving, as other processes may know it.

An association that brings objects writes down their series, in a file beside a lock that it holds:
when it ends, or its process dies, nothing of it counts any more.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lesionary.io.durable import make_folder, writing
from lesionary.io.lock import exclusive, is_free, queued

FOLDER = "received.arriving"
RECEIVER_LOCK = "received.lock"
"""Held by all processes that receive, together."""

QUIET_S = 60.0
"""So long after its last object a series counts as whole, while somebody receives."""

_LOCK, _LIST = ".lock", ".series"


@dataclass(slots=True)
class _Association:
    """What one association brought, and the lock that says it is open."""

    listed: Path
    stack: ExitStack = field(default_factory=ExitStack)
    series: set[str] = field(default_factory=set)


class Arrivals:
    """Associations of this process that bring objects; threads may share it.

    Parameters
    ----------
    root : Path
        The study's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._guard = threading.Lock()
        self._open: dict[int, _Association] = {}

    def note(self, association: int, series: str) -> None:
        """Say that an association brings objects of a series.

        Raises
        ------
        WorkflowError
            Code ``not_writable``.
        """
        with self._guard:
            one = self._open.get(association) or self._opened(association)
            if series not in one.series:
                with writing(one.listed.parent), one.listed.open("a", encoding="ascii") as file:
                    file.write(f"{series}\n")
                one.series.add(series)

    def end(self, association: int) -> None:
        """Say that an association brings nothing more; one that brought nothing is none."""
        with self._guard:
            one = self._open.pop(association, None)
        if one is not None:
            one.stack.close()

    def _opened(self, association: int) -> _Association:
        folder = self._root / FOLDER
        make_folder(folder, below=self._root)
        one = _Association(folder / f"{uuid.uuid4().hex}{_LIST}")
        lock = one.listed.with_suffix(_LOCK)
        with ExitStack() as stack:
            stack.callback(_remove, one.listed)
            stack.callback(_remove, lock)
            stack.enter_context(exclusive(lock))
            one.stack = stack.pop_all()
        self._open[association] = one
        return one


def clear_arrivals(root: Path) -> None:
    """Remove what killed processes left; only while nobody receives."""
    for path in (root / FOLDER).glob("*"):
        _remove(path)


def is_received_into(root: Path) -> bool:
    """Tell whether any process receives into a study now."""
    queue = (root / RECEIVER_LOCK).with_suffix(".queue")
    if not queue.exists():
        return False
    try:
        with queued(queue):  # a receiver that starts meanwhile must not find its lock held
            return not is_free(root / RECEIVER_LOCK)
    except OSError:
        return False


def arriving_series(root: Path, received: Path, quiet_s: float = QUIET_S) -> frozenset[str]:
    """Return the UIDs of received series that are not whole yet, as far as can be known.

    Parameters
    ----------
    root, received : Path
        The study's folder, and where its received series lie.
    quiet_s : float
        Seconds after its last object for which a series may still go on; with 0 none is waited
        for, not even one of an association that is open.

    Returns
    -------
    frozenset of str
        Empty where nobody receives: nothing more comes.
    """
    if quiet_s <= 0 or not is_received_into(root):
        return frozenset()
    now = time.time()
    young = (
        path.name
        for path in received.glob("[0-9]*")
        if abs(now - path.stat().st_mtime) < quiet_s  # a new name in a folder sets its time
    )
    return frozenset([*young, *_of_open_associations(root / FOLDER)])


def _of_open_associations(folder: Path) -> Iterator[str]:
    for lock in sorted(folder.glob(f"*{_LOCK}")):
        with suppress(OSError):  # it ended a moment ago: its series are young
            if not is_free(lock):
                yield from lock.with_suffix(_LIST).read_text("ascii").split()


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
