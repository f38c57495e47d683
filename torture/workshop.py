"""Studies to torture: made once, calmly, and copied with their registries as often as wanted."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.postgres import PostgresServer

from lesionary.app.study import Study
from lesionary.io.registry.place import URL_VARIABLE
from torture.commands import Command, Ended
from torture.scans import CHANGES, INGEST_OPTIONS

WAIT_S = 30
"""For how long a command waits for its database, in seconds."""


class CalmError(Exception):
    """What should go well when nobody disturbs it does not."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A study's folder and, on a server, its database."""

    folder: Path
    environment: Mapping[str, str]
    database: str | None = None

    def start(self, command: str, *words: object) -> Command:
        """Start a command on it."""
        answers = self.folder.with_name(f"{self.folder.name}-{command}")
        return Command(command, self.folder, *words, environment=self.environment, answers=answers)

    def do(self, command: str, *words: object) -> Ended:
        """Do a command on it to its end."""
        with self.start(command, *words) as started:
            return started.result()

    @contextmanager
    def opened(self) -> Iterator[Study]:
        """Look into it from here."""
        before = os.environ.get(URL_VARIABLE)
        os.environ.update({name: self.environment[name] for name in self.environment})
        try:
            study = Study.open(self.folder)
            try:
                yield study
            finally:
                study.registry.close()
        finally:
            os.environ.pop(URL_VARIABLE, None)
            if before is not None:
                os.environ[URL_VARIABLE] = before


@dataclass(slots=True)
class Workshop:
    """Makes studies in a folder.

    Parameters
    ----------
    folder : Path
    scans : Path
        What to take in.
    server : PostgresServer, optional
        Where registries lie; without it they are files.
    """

    folder: Path
    scans: Path
    server: PostgresServer | None = None
    _n_made: int = field(default=0)

    def new(self) -> Copy:
        """Make a study that holds nothing."""
        study = self._place(None)
        words = (study.folder, "--protocol", "general", "--title", "Phantoms under torture")
        with Command(
            "new", *words, environment=study.environment, answers=self.folder / "new"
        ) as started:
            require_done(started.result(), "new")
        protocol = study.folder / "study.toml"
        text = protocol.read_text(encoding="utf-8")
        for before, after in CHANGES.items():
            if before not in text:
                raise CalmError(f"the protocol does not say `{before}`")
            text = text.replace(before, after)
        protocol.write_text(text, encoding="utf-8")
        return study

    def copy(self, of: Copy) -> Copy:
        """Copy a study that nobody works on."""
        study = self._place(of.database)
        shutil.copytree(of.folder, study.folder)
        return study

    def discard(self, study: Copy) -> None:
        """Remove a study, its database, and what commands said about it."""
        shutil.rmtree(study.folder)
        for answer in self.folder.glob(f"{study.folder.name}-*"):
            answer.unlink()
        if self.server is not None and study.database is not None:
            self.server.drop_database(study.database)

    def ingest_words(self) -> tuple[object, ...]:
        """Return what ``lesionary ingest STUDY`` is told."""
        return (self.scans, *INGEST_OPTIONS)

    def _place(self, template: str | None) -> Copy:
        self._n_made += 1
        (self.folder / "tmp").mkdir(exist_ok=True)
        name = f"study_{self._n_made:04d}"
        environment = {
            "LESIONARY_VAULT": str(self.folder / "vault"),
            "LESIONARY_REGISTRY_WAIT_S": str(WAIT_S),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "TMPDIR": str(self.folder / "tmp"),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        if self.server is None:
            return Copy(self.folder / name, environment)
        url = self.server.create_database(name, template or "template1")
        return Copy(self.folder / name, environment | {URL_VARIABLE: url}, name)


def require_done(ended: Ended, command: str, allowed: tuple[int, ...] = (0,)) -> None:
    """Raise unless a command ended well.

    Raises
    ------
    CalmError
    """
    if ended.code not in allowed:
        said = f"{ended.document or ''} {ended.messages}"[-2000:]
        raise CalmError(f"`lesionary {command}` ended with {ended.code}: {said}")


def timed(study: Copy, command: str, *words: object, allowed: tuple[int, ...] = (0,)) -> float:
    """Do a command calmly; return how long it took, in seconds."""
    began = time.monotonic()
    ended = study.do(command, *words)
    took_s = time.monotonic() - began
    require_done(ended, command, allowed)
    return took_s
