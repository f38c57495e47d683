"""Names of objects with who names them: sorted, and on the disk where they are many."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from types import TracebackType

from lesionary.core.errors import WorkflowError


class NameIndex:
    """A set of pairs, object and namer, that may be larger than memory.

    It lies in a temporary file of SQLite's that no other process sees and that goes with it.

    >>> with NameIndex() as index:
    ...     index.add([("b", "unit/2"), ("a", "unit/1"), ("b", "unit/1")])
    ...     list(index)
    [('a', ('unit/1',)), ('b', ('unit/1', 'unit/2'))]
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE named (name TEXT, namer TEXT, PRIMARY KEY (name, namer)) WITHOUT ROWID"
        )

    def __enter__(self) -> "NameIndex":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add pairs; one that is there already is there once."""
        try:
            self._database.executemany("INSERT OR IGNORE INTO named VALUES (?, ?)", pairs)
        except sqlite3.OperationalError as error:
            raise WorkflowError(
                "the system's folder for temporary files has no room left",
                code="not_writable",
                hint="make room there, or set TMPDIR to a folder with more",
            ) from error

    def among(self, names: Sequence[str]) -> set[str]:
        """Return which of some names are there."""
        query = "SELECT 1 FROM named WHERE name = ? LIMIT 1"
        return {name for name in names if self._database.execute(query, (name,)).fetchone()}

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give every name with its namers, in their order."""
        rows = self._database.execute("SELECT name, namer FROM named ORDER BY name, namer")
        for name, group in groupby(rows, key=lambda row: row[0]):
            yield str(name), tuple(str(namer) for _, namer in group)
