"""A folder for what is released: new files, each whole or not there, some written at once.

A file's bytes are on the disk before it gets its name. Waiting for the disk is most of what writing
costs, so several files wait at the same time. What a killed process left behind goes when the next
one opens the folder; a living process holds a lock in a hidden folder of its own.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from lesionary.core.errors import WorkflowError
from lesionary.ingest.deidentify.elements import Buffer
from lesionary.io.durable import PARTIAL, make_folder, writing
from lesionary.io.lock import exclusive, is_free

SUFFIX = ".dcm"
N_WRITERS = 4

_LOCK = "alive.lock"
_TRIES = 3
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class ReleasedFiles:
    """New files of one folder, ``PATIENT/STUDY/SERIES/INSTANCE.dcm``; one thread gives them in.

    Parameters
    ----------
    root : Path
        Made when the first file comes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._staging: Path | None = None
        self._until_end = ExitStack()
        self._pool: ThreadPoolExecutor | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let files come in; behind the block every one of them is there, or was refused."""
        _clear_leftovers(self.root)
        with self._until_end, ThreadPoolExecutor(N_WRITERS) as self._pool:
            yield

    def instances(self) -> dict[str, Path]:
        """Return the places, below the folder, of the files in it by the name of their instance."""
        found = (path.relative_to(self.root) for path in self.root.glob(f"*/*/*/*{SUFFIX}"))
        return {place.stem: place for place in found if self._link_to(place) is None}

    def put(self, place: Path, chunks: Sequence[Buffer]) -> "Future[bool]":
        """Write a file that is not there yet; tell whether it is there then, with this content.

        Nothing is ever overwritten, and no link below the folder is followed: it may lead to
        originals, or to others. Two files of one place are not to be given in at once.

        Parameters
        ----------
        place : Path
            Below the folder.
        chunks : sequence of bytes-like

        Raises
        ------
        WorkflowError
            Code ``not_writable``; the future raises it too. Nothing is written behind a link.
        """
        if self._pool is None:
            raise RuntimeError("the folder is not open")
        link = self._link_to(place)
        if link is not None:
            raise WorkflowError(
                f"{link.as_posix()} in the output is a link, and leads out of it",
                code="not_writable",
                hint="take the link away, or name another folder, then run the same command again",
            )
        if self._staging is None:
            self._staging = self._until_end.enter_context(_staging(self.root))
        path = self.root / place
        make_folder(path.parent)
        return self._pool.submit(_written, path, chunks, self._staging)

    def _link_to(self, place: Path) -> Path | None:
        """Return the first link on the way to a place, the place itself too; None without one."""
        ways = (place, *place.parents[:-1])
        return next((way for way in reversed(ways) if (self.root / way).is_symlink()), None)


def _written(path: Path, chunks: Sequence[Buffer], staging: Path) -> bool:
    with writing(path.parent):
        if path.exists():
            return _is_same(path, chunks)
        temporary = staging / uuid4().hex
        try:
            with temporary.open("xb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            return _give_name(temporary, path) or _is_same(path, chunks)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _give_name(temporary: Path, path: Path) -> bool:
    """Give a file its name unless another has it; tell whether it has it now."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        temporary.replace(path)
    return True


def _is_same(path: Path, chunks: Sequence[Buffer]) -> bool:
    n_bytes = sum(memoryview(chunk).nbytes for chunk in chunks)
    return path.stat().st_size == n_bytes and path.read_bytes() == b"".join(chunks)


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """Make a hidden folder in which this process alone writes; it goes with the block."""
    make_folder(root)
    with ExitStack() as stack:
        for tries_left in reversed(range(_TRIES)):
            with writing(root):
                made = TemporaryDirectory(prefix=PARTIAL, dir=root, ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
            try:
                stack.enter_context(exclusive(folder / _LOCK))
                break
            except WorkflowError:  # somebody took it for a leftover: nobody held it yet
                if not tries_left:
                    raise
        yield folder


def _clear_leftovers(root: Path) -> None:
    for folder in root.glob(f"{PARTIAL}*"):
        if folder.is_dir() and not folder.is_symlink() and is_free(folder / _LOCK):
            shutil.rmtree(folder, ignore_errors=True)
