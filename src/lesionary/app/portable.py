"""Export and import: a study as one file, from one machine and database to another.

What travels is the study: protocol, objects, rows, events, release. What belongs to a machine
stays: the registry's address, logs, locks, claims, and the key. The key moves by itself, from vault
to vault; without it an imported study runs and publishes, but takes nothing in.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.app.progress import Progress, Silent
from lesionary.app.protocol import parse_protocol
from lesionary.app.study import Study
from lesionary.core.errors import InputError, LesionaryError
from lesionary.io.limits import Limits
from lesionary.io.protocol_text import portable_text, with_registry
from lesionary.io.registry.checks import snapshot
from lesionary.io.registry.place import RegistryPlace, registry_place
from lesionary.io.study_archive.layout import PROTOCOL, Manifest, OnObject, changed
from lesionary.io.study_archive.read import Landing, read_archive
from lesionary.io.study_archive.write import Source, write_archive
from lesionary.io.study_files import StudyFiles


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """What was exported where."""

    archive: Path
    study: Path
    n_bytes: int
    sha256: str
    n_objects: int
    tables: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "archive": str(self.archive),
            "study": str(self.study),
            "bytes": self.n_bytes,
            "objects": self.n_objects,
            "tables": dict(self.tables),
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """What became of an archive."""

    study: Path
    id: str
    n_objects: int
    n_events: int
    is_on_server: bool

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "study": str(self.study),
            "id": self.id,
            "objects": self.n_objects,
            "events": self.n_events,
            "registry": "postgresql" if self.is_on_server else "sqlite",
        }


def export_study(study: Study, archive: Path, *, progress: Progress | None = None) -> ExportReceipt:
    """Write a study as one archive, while nobody works on it.

    The same study gives the same bytes, on whichever machine and in whichever database it lies.

    Raises
    ------
    InputError
        If the archive would lie in the study itself.
    WorkflowError
        Codes ``busy``, ``archive_taken``, ``audit_broken``, ``release_damaged``, ``not_writable``.
    UnreadableSeriesError
        Where an object is missing or damaged; it is named.
    """
    if archive.resolve().is_relative_to(study.files.root.resolve()):
        raise InputError(
            "the archive would lie in the study itself", code="usage", hint="name a file elsewhere"
        )
    release = study.files.release
    with study.working(), snapshot(study.registry) as connection:
        source = Source(
            study.section.id,
            portable_text(study.files.read_protocol()),
            connection,
            study.objects,
            release if release.is_dir() and any(release.iterdir()) else None,
        )
        with _showing(progress, "export") as on_object:
            written = write_archive(archive, source, on_object=on_object)
    manifest = written.manifest
    return ExportReceipt(
        archive,
        study.files.root,
        written.n_bytes,
        written.sha256,
        manifest.objects,
        manifest.tables,
    )


def import_study(
    archive: Path,
    root: Path,
    *,
    registry: str | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> ImportReceipt:
    """Make a study of an archive: the same objects, rows, events and release, or nothing.

    Parameters
    ----------
    archive : Path
        What :func:`export_study` wrote. Nothing in it is trusted.
    root : Path
        The study's new folder.
    registry : str, optional
        URL of a PostgreSQL database; without it the registry is a file in the study, unless the
        environment names a database.
    limits : Limits, optional
        ``volume_bytes`` bounds what an object unpacks to.

    Raises
    ------
    InputError
        Codes ``no_archive``, ``truncated``, ``archive_changed``, ``archive_limit``, ``format_new``;
        ``source`` is the member.
    WorkflowError
        Codes ``schema_old``, ``schema_new``, ``registry_taken``, ``not_writable`` and the like.
    """
    places: list[RegistryPlace] = []

    def place_of(files: StudyFiles, study_id: str) -> RegistryPlace:
        places.append(registry_place(files.registry, study_id, registry))
        return places[-1]

    with _showing(progress, "import") as on_object:
        landing = Landing(
            root=root,
            place_of=place_of,
            protocol_of=lambda manifest, text: _protocol_of(manifest, text, registry),
            limits=limits or Limits(),
        )
        manifest = read_archive(archive, landing, on_object=on_object)
    return ImportReceipt(
        root,
        manifest.study,
        manifest.objects,
        manifest.tables["event"],
        places[-1].url is not None,
    )


def _protocol_of(manifest: Manifest, text: str, registry: str | None) -> str:
    try:
        is_portable = portable_text(text) == text
        protocol = parse_protocol(text, source=PROTOCOL)
    except LesionaryError as error:
        raise changed(PROTOCOL, f"it is no protocol: {error.message}") from error
    if not is_portable:
        raise changed(PROTOCOL, "it is not what an export writes")
    if protocol.study is None or protocol.study.id != manifest.study:
        raise changed(PROTOCOL, "it is another study's")
    return with_registry(text, registry)


@contextmanager
def _showing(progress: Progress | None, what: str) -> Iterator[OnObject]:
    shown = progress or Silent()

    def on_object(n_done: int, total: int) -> None:
        if n_done == 0:
            shown.start(what, total)
        else:
            shown.advance(what)

    yield on_object
    shown.finish(what)
