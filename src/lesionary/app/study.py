"""A study as Python sees it: the twin of the commands.

>>> from lesionary import Study                                    # doctest: +SKIP
>>> study = Study.create("my-study", protocol="general")           # doctest: +SKIP
>>> study.ingest(["scans/"])                                       # doctest: +SKIP
>>> study.run()                                                    # doctest: +SKIP
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from lesionary.app.protocol import Protocol, StudySection, parse_protocol
from lesionary.io.lock import exclusive
from lesionary.io.objects import ObjectStore
from lesionary.io.registry import Registry
from lesionary.io.study_files import StudyFiles, clear_partial, create_folder, protocol_text
from lesionary.io.vault import create_key, read_key


class Study:
    """One project of scans, readers and results, in one folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.files = StudyFiles(Path(path))
        self.protocol: Protocol = parse_protocol(
            self.files.read_protocol(), source=str(self.files.protocol)
        )

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Study":
        """Open an existing study."""
        return cls(path)

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], *, protocol: str = "general", title: str = ""
    ) -> "Study":
        """Make a study folder from a shipped protocol, or from a protocol file."""
        text = protocol_text(protocol)
        parsed = parse_protocol(text, source=protocol)
        root = Path(path)
        pending = create_folder(root)
        files = StudyFiles(pending.temporary)
        study_id = str(uuid4())
        files.protocol.write_text(
            _with_study(text, study_id, title or f"Study by protocol {parsed.name}"),
            encoding="utf-8",
        )
        Registry.create(files.registry).close()
        create_key(root, study_id)
        pending.settle()
        return cls(root)

    @property
    def section(self) -> StudySection:
        """The ``[study]`` table."""
        if self.protocol.study is None:
            from lesionary.core.errors import InputError

            raise InputError(
                "study.toml has no [study] table",
                code="protocol",
                hint="a study keeps the table that `lesionary new` wrote",
                source=str(self.files.protocol),
            )
        return self.protocol.study

    @cached_property
    def registry(self) -> Registry:
        """Rows of what came in, was drawn, and is done."""
        return Registry.open(self.files.registry)

    @cached_property
    def objects(self) -> ObjectStore:
        """Volumes and label maps by content."""
        return ObjectStore(self.files.objects)

    @property
    def key(self) -> bytes:
        """The study's secret, from the vault."""
        return read_key(self.files.root, self.section.id)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be the one process that changes the study, and clear what a killed one left."""
        with exclusive(self.files.lock):
            clear_partial(self.files.root)
            yield


def _with_study(text: str, study_id: str, title: str) -> str:
    """Put the ``[study]`` table where TOML wants it: after the top-level keys."""
    escaped = title.replace("\\", "\\\\").replace('"', '\\"')
    table = f'[study]\nid = "{study_id}"\ntitle = "{escaped}"\n\n'
    head, bracket, tail = text.partition("\n[")
    return f"{head}\n{table}{bracket.lstrip()}{tail}"
