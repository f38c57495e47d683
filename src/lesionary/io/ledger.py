"""A list of names that only grows, in a file: what was done is known after a crash.

A name is a line. A crash may lose the last ones, or cut one short: then they are done again.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from lesionary.io.durable import writing


class Ledger:
    """Names that were written down.

    Parameters
    ----------
    path : Path
        Made with the first name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text(encoding="ascii", errors="replace") if path.is_file() else ""
        whole, _, self._cut = text.rpartition("\n")
        self._names = set(whole.split("\n")) if whole else set()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def add(self, names: Iterable[str]) -> None:
        """Write names down.

        Raises
        ------
        WorkflowError
            Code ``not_writable``.
        """
        new = [name for name in names if name not in self._names]
        if not new:
            return
        with writing(self._path), self._path.open("a", encoding="ascii") as file:
            if self._cut:
                file.write("\n")
                self._cut = ""
            file.writelines(f"{name}\n" for name in new)
            file.flush()
            os.fsync(file.fileno())
        self._names.update(new)
