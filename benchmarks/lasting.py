"""What a contestant's process needs as long as it runs: folders and servers, gone at its end."""

import atexit
import shutil
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

T = TypeVar("T")


def until_end(context: AbstractContextManager[T]) -> T:
    """Enter a context that ends with this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(context)


def own_folder() -> Path:
    """Return an empty folder that is removed when this process ends."""
    return Path(until_end(TemporaryDirectory(prefix="lesionary-bench-")))


def emptied(folder: Path) -> Path:
    """Return a folder with nothing in it, whatever it held."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
