"""A study as Python sees it: the twin of the commands.

>>> from lesionary import Study                                    # doctest: +SKIP
>>> study = Study.create("my-study", protocol="general")           # doctest: +SKIP
>>> study.ingest(["scans/"])                                       # doctest: +SKIP
>>> study.run()                                                    # doctest: +SKIP
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lesionary.app.protocol import Protocol, StudySection, parse_protocol
from lesionary.io.lock import exclusive, queued, shared
from lesionary.io.log_files import logging_to
from lesionary.io.objects import ObjectStore
from lesionary.io.protocol_text import with_registry, without_table
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.claims import Claims, claiming, clear_locks
from lesionary.io.registry.registry import Registry
from lesionary.io.scratch import clear_abandoned
from lesionary.io.study_files import (
    Home,
    StudyFiles,
    clear_partial,
    create_folder,
    digest_of_protocol,
    protocol_text,
)
from lesionary.io.vault import create_key, key_check, read_key, require_key

if TYPE_CHECKING:
    from lesionary.app.executor import ClusterOptions
    from lesionary.app.ingest import IngestOptions, IngestReport
    from lesionary.app.pipeline import RunReport
    from lesionary.app.progress import Progress
    from lesionary.app.release import PublishReceipt
    from lesionary.app.verify import VerifyReport


KEY_CHECK = "key_check"
"""What the event of a study's making says of its key."""


class Study:
    """One project of scans, readers and results, in one folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.files = StudyFiles(Path(path))
        text = self.files.read_protocol()
        self.protocol: Protocol = parse_protocol(text, source=str(self.files.protocol))
        self._protocol_digest = digest_of_protocol(text)
        self.home = Home.of(self.files.root)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Study":
        """Open an existing study."""
        return cls(path)

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        protocol: str = "general",
        title: str = "",
        registry: str | None = None,
    ) -> "Study":
        """Make a study folder from a shipped protocol, or from a protocol file.

        ``registry`` is the URL of a PostgreSQL database; without it the registry is a file.
        """
        text = without_table(protocol_text(protocol), "registry")
        parsed = parse_protocol(text, source=protocol)
        study_id = str(uuid4())
        text = _with_study(text, study_id, title or f"Study by protocol {parsed.name}", registry)
        parse_protocol(text, source=protocol)
        root = Path(path)
        pending = create_folder(root)
        try:
            files = StudyFiles(pending.temporary)
            files.protocol.write_text(text, encoding="utf-8")
            made = Registry.create(files.registry_place)
            check = key_check(create_key(root, study_id), study_id)
            why = f"by protocol {parsed.name}"
            made.say(Draft("created", "study", why, details={KEY_CHECK: check}))
            made.close()
            pending.settle()
        finally:
            pending.discard()
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

    @property
    def protocol_digest(self) -> str:
        """The hash of ``study.toml`` as it was when the study was opened, and as it is gone by."""
        return self._protocol_digest

    @cached_property
    def registry(self) -> Registry:
        """Rows of what came in, was drawn, and is done."""
        return Registry.open(self.files.registry_place)

    @cached_property
    def objects(self) -> ObjectStore:
        """Volumes and label maps by content."""
        return ObjectStore(self.files.objects)

    @property
    def key(self) -> bytes:
        """The study's secret, from the vault; it must be the one that the study was made with."""
        key = read_key(self.files.root, self.section.id)
        created = list(self.registry.events(of="study"))[:1]
        told = json.loads(created[0].details or "{}") if created else {}
        require_key(key, self.section.id, told.get(KEY_CHECK))
        return key

    def ingest(
        self,
        paths: Sequence[str | os.PathLike[str]],
        options: "IngestOptions | None" = None,
        *,
        progress: "Progress | None" = None,
    ) -> "IngestReport":
        """Take scans, masks and boxes into the study; see :func:`lesionary.app.ingest`."""
        from lesionary.app.ingest import ingest_paths

        return ingest_paths(self, [Path(path) for path in paths], options, progress=progress)

    def prepare(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Bring images into the quantity and window that the protocol says."""
        return self._run("prepare", cluster)

    def annotate(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Turn boxes and given masks into the study's masks."""
        return self._run("annotate", cluster)

    def measure(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Measure every lesion, and follow lesions through time."""
        return self._run("respond", cluster)

    def respond(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Judge every subject over time."""
        return self._run("respond", cluster)

    def accept(self, stage: str, reader: str, *, subject: str | None = None) -> dict[str, Any]:
        """Affirm all proposed ``tracks`` or ``targets``; see :mod:`lesionary.app.review`."""
        from lesionary.app.review import accept

        return accept(self, stage, reader, subject)

    def enter_diameter(self, **values: Any) -> dict[str, Any]:
        """Keep a reported diameter; see :func:`lesionary.app.reported.enter_diameter`."""
        from lesionary.app.reported import enter_diameter

        return enter_diameter(self, **values)

    def agree(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Hold the readers of every image against each other."""
        return self._run("agree", cluster)

    def evaluate(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Score drafts and predictions against what readers drew."""
        return self._run("evaluate", cluster)

    def run(self, *, cluster: "ClusterOptions | str" = "none") -> "RunReport":
        """Do every stage that is due, up to the release."""
        return self._run("publish", cluster)

    def publish(self, out: str | os.PathLike[str] | None = None) -> "PublishReceipt":
        """Write the release of what is measured."""
        from lesionary.app.release import publish_study

        return publish_study(self, Path(out) if out is not None else self.files.release)

    def status(self) -> dict[str, Any]:
        """Return what is done, due, failed, and why."""
        from lesionary.io.received import with_waiting
        from lesionary.io.registry.status import read_status

        document = read_status(self.files.registry_place, self.files.protocol_digest)
        return with_waiting(document, self.files.root)

    def verify(self, *, repair: bool = False) -> "VerifyReport":
        """Check registry, audit, objects, splits and release; see :mod:`lesionary.app.verify`."""
        from lesionary.app.verify import VerifyOptions, verify_target

        return verify_target(self.files.root, VerifyOptions(repair=repair))

    def _run(self, until: str, cluster: "ClusterOptions | str") -> "RunReport":
        from lesionary.app.pipeline import run_until

        return run_until(self, until, cluster=cluster)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be the one process that changes the study, and clear what a killed one left."""
        with self._at_home(), exclusive(self.files.lock), logging_to(self.files.logs):
            self._clear_leftovers()
            yield

    @contextmanager
    def running(self, *, first: Callable[[], None] | None = None) -> Iterator[Claims]:
        """Be one of the processes that do the study's work; nothing comes in meanwhile.

        ``first`` is done by whoever comes while nobody is there, and those after wait for its end.
        """

        def begin() -> None:
            self._clear_leftovers()
            if first is not None:
                first()

        with (
            self._at_home(),
            shared(self.files.lock, first=begin),
            logging_to(self.files.logs),
            claiming(self.registry, self.files.holders) as claims,
        ):
            yield claims

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Be the one process that writes the release, after those before."""
        with self._at_home(), queued(self.files.release_lock):
            yield

    @contextmanager
    def _at_home(self) -> Iterator[None]:
        """Say of whatever fails because the folder was moved away that it was moved away."""
        try:
            yield
        except Exception:
            self.home.require()
            raise

    def _clear_leftovers(self) -> None:
        for folder in (self.files.root, self.files.objects, *self.objects.shelves()):
            clear_partial(folder)
        clear_locks(self.files.holders)
        clear_abandoned()


def _with_study(text: str, study_id: str, title: str, registry: str | None) -> str:
    """Put the ``[study]`` table where TOML wants it: after the top-level keys.

    The protocol may be another study's ``study.toml``: its own table goes.
    """
    # A JSON string is a TOML string, but for DEL and for halves of characters.
    printable = title.encode("utf-8", "backslashreplace").decode()
    escaped = json.dumps(printable, ensure_ascii=False).replace("\x7f", "\\u007f")
    table = f'[study]\nid = "{study_id}"\ntitle = {escaped}\n\n'
    text = with_registry(without_table(text, "study"), registry)
    head, bracket, tail = text.partition("\n[")
    return f"{head}\n{table}{bracket.lstrip()}{tail}"
