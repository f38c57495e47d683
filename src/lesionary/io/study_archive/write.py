"""Write a study as one archive: whole and sound, or not at all."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from lesionary.core.errors import InputError, UnreadableSeriesError, WorkflowError
from lesionary.io.durable import replacing, writing
from lesionary.io.name_index import NameIndex
from lesionary.io.objects import ObjectStore
from lesionary.io.registry.object_names import needed_objects
from lesionary.io.registry.soundness import require_sound
from lesionary.io.registry.version import SCHEMA_VERSION
from lesionary.io.release_files import CHECKSUMS as RELEASE_CHECKSUMS
from lesionary.io.study_archive.layout import (
    CARRIED,
    MANIFEST,
    PROTOCOL,
    RELEASE,
    Manifest,
    OnObject,
    changed,
    object_member,
    part_member,
)
from lesionary.io.study_archive.pending import abandoned, claimed, clear
from lesionary.io.study_archive.release_list import listed_files
from lesionary.io.study_archive.rows import count_rows, parts, stored_rows
from lesionary.io.study_archive.tar import TarWriter, pieces_of


@dataclass(frozen=True, slots=True)
class Source:
    """What goes into an archive.

    Parameters
    ----------
    study_id : str
    protocol : str
        ``study.toml`` without what belongs to this machine.
    connection : Connection
        Sees one state of the registry until the archive is written.
    objects : ObjectStore
    release : Path or None
        The folder of what was published.
    """

    study_id: str
    protocol: str
    connection: sa.Connection
    objects: ObjectStore
    release: Path | None


@dataclass(frozen=True, slots=True)
class Written:
    """An archive that was written: its size, its hash, and what it says of itself."""

    n_bytes: int
    sha256: str
    manifest: Manifest


def write_archive(target: Path, source: Source, *, on_object: OnObject) -> Written:
    """Write an archive of a study.

    The same study gives the same bytes, whichever database it lies in. Memory does not grow with
    it.

    Raises
    ------
    WorkflowError
        Codes ``archive_taken`` where something stands at the place, ``audit_broken`` where rows and
        events disagree, ``changed_meanwhile``, ``not_writable``.
    UnreadableSeriesError
        Where an object is missing or damaged.
    """
    _require_free(target)
    with (
        NameIndex() as named,
        tempfile.TemporaryFile() as sums,
        replacing(target) as temporary,
        claimed(temporary),
        temporary.open("xb") as file,
    ):
        require_sound(source.connection)
        named.add(needed_objects(source.connection))
        manifest = _manifest(source, n_objects=sum(1 for _ in named))
        writer = TarWriter(file, sums)
        writer.add_bytes(MANIFEST, manifest.to_bytes())
        writer.add_bytes(PROTOCOL, source.protocol.encode())
        on_object(0, manifest.objects)
        for n_done, (object_id, _) in enumerate(named, start=1):
            _add_object(writer, source.objects, object_id)
            on_object(n_done, manifest.objects)
        if source.release is not None:
            _add_release(writer, source.release)
        for table in CARRIED:
            rows = stored_rows(source.connection, table)
            for number, part in enumerate(parts(rows), start=1):
                writer.add_bytes(part_member(table.name, number), part)
        writer.finish()
    return Written(writer.n_bytes, writer.sha256, manifest)


def _require_free(target: Path) -> None:
    with writing(target):
        is_taken = target.exists()
        clear(abandoned(target))
    if is_taken:
        raise WorkflowError(
            "something stands there already",
            code="archive_taken",
            hint="name a new file",
            source=str(target),
        )


def _manifest(source: Source, *, n_objects: int) -> Manifest:
    n_files = 0
    if source.release is not None:
        n_files = _count_files(source.release)
    return Manifest(
        study=source.study_id,
        schema=SCHEMA_VERSION,
        objects=n_objects,
        release=n_files,
        tables={table.name: count_rows(source.connection, table) for table in CARRIED},
    )


def _count_files(release: Path) -> int:
    try:
        return 1 + sum(1 for _ in listed_files(release / RELEASE_CHECKSUMS))
    except (InputError, FileNotFoundError) as error:
        raise _release_damaged(error) from error


def _add_object(writer: TarWriter, store: ObjectStore, object_id: str) -> None:
    try:
        store.verify(object_id)
        with store.path_of(object_id).open("rb") as file:
            size = store.size_of(object_id)
            writer.add(object_member(object_id), size, pieces_of(file))
    except UnreadableSeriesError as error:
        short = f"object {object_id[:12]}"
        raise UnreadableSeriesError(
            error.message, code=error.code, hint=error.hint, source=short
        ) from error


def _add_release(writer: TarWriter, release: Path) -> None:
    """Add what the release lists, in that order, and nothing else that lies in its folder."""
    try:
        _add_file(writer, release, RELEASE_CHECKSUMS)
        for digest, name in listed_files(release / RELEASE_CHECKSUMS):
            if _add_file(writer, release, name) != digest:
                raise changed(RELEASE + name, "it is not what was published")
    except (InputError, FileNotFoundError) as error:
        raise _release_damaged(error) from error


def _add_file(writer: TarWriter, release: Path, name: str) -> str:
    path = release / name
    with path.open("rb") as file:
        return writer.add(RELEASE + name, path.stat().st_size, pieces_of(file))


def _release_damaged(error: InputError | FileNotFoundError) -> WorkflowError:
    if isinstance(error, InputError):
        reason, name = error.message, error.source
    else:
        reason, name = "it is gone", RELEASE + Path(error.filename).name
    return WorkflowError(
        reason,
        code="release_damaged",
        hint="publish again, with `lesionary publish STUDY`, then export",
        source=name,
    )
