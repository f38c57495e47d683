"""Read an archive into a study: all of it, checked, or nothing.

An import leaves no event. The audit tells of the study, and the study did not change. An event
would give the copy another history than its original has, and no archive of the one would be that
of the other: nobody could tell any more whether they hold the same. An archive of an older schema
is the exception: what an upgrade tells is told, as it would have been of the study itself.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import sqlalchemy as sa

from lesionary.core.errors import InputError
from lesionary.io.durable import flush_to_disk, make_folder, replacing, write_bytes, writing
from lesionary.io.limits import Limits, in_words
from lesionary.io.name_index import NameIndex
from lesionary.io.object_file import read_object
from lesionary.io.object_header import damages
from lesionary.io.objects import ObjectStore, is_object_id
from lesionary.io.opening import opened
from lesionary.io.registry import tables
from lesionary.io.registry.object_names import needed_objects
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.release_files import CHECKSUMS as RELEASE_CHECKSUMS
from lesionary.io.study_archive.layout import (
    MANIFEST,
    MANIFEST_BYTES,
    OBJECTS,
    PROTOCOL,
    PROTOCOL_BYTES,
    RELEASE,
    Manifest,
    OnObject,
    changed,
    no_archive,
    object_member,
)
from lesionary.io.study_archive.load import load_tables, loading, require_whole, unload
from lesionary.io.study_archive.pending import abandoned, claimed, clear, token_of
from lesionary.io.study_archive.release_list import listed_files
from lesionary.io.study_archive.rows import count_rows
from lesionary.io.study_archive.tar import TarReader, unexpected
from lesionary.io.study_files import StudyFiles, create_folder


@dataclass(frozen=True, slots=True)
class Landing:
    """Where an archive is read to, and what is asked of it on the way.

    Parameters
    ----------
    root : Path
        The study's folder: a new name, or an empty folder.
    place_of : callable
        Returns where the registry goes, by the pending folder's files and the study's id.
    protocol_of : callable
        Returns the ``study.toml`` to write, by what the archive says of itself and has as
        ``study.toml``; refuses one that is no protocol.
    limits : Limits
        ``volume_bytes`` is looked at.
    """

    root: Path
    place_of: Callable[[StudyFiles, str], RegistryPlace]
    protocol_of: Callable[[Manifest, str], str]
    limits: Limits


def read_archive(archive: Path, landing: Landing, *, on_object: OnObject) -> Manifest:
    """Make a study of an archive.

    Raises
    ------
    InputError
        Codes ``no_archive``, ``archive_changed``, ``truncated``, ``format_new``, with the member.
    WorkflowError
        Where the folder or the database has something already, or the schema is another.
    """
    try:
        with (
            opened(archive) as file,
            tempfile.TemporaryFile() as sums,
        ):
            return _Reading(TarReader(file, sums), landing, on_object).read()
    except InputError as error:
        error.at(str(archive))
        raise


@dataclass(slots=True)
class _Reading:
    """One archive on its way into a study."""

    reader: TarReader
    landing: Landing
    on_object: OnObject

    def read(self) -> Manifest:
        manifest = self._manifest()
        protocol = self.landing.protocol_of(manifest, self._protocol())
        dead = abandoned(self.landing.root)
        pending = create_folder(self.landing.root)
        files = StudyFiles(pending.temporary)
        place = self.landing.place_of(files, manifest.study)
        token = token_of(pending.temporary)
        with claimed(pending.temporary):
            try:
                write_bytes(files.protocol, protocol.encode())
                store = ObjectStore(files.objects)
                self._read_objects(store, manifest.objects)
                if manifest.release:
                    self._read_release(files.release, manifest.release)
                tokens, schema = [token_of(name) for name in dead], manifest.schema
                with loading(place, token, tokens, schema=schema) as connection:
                    counts = load_tables(connection, self.reader, schema)
                    self.reader.finish()
                    _require_counts(manifest, counts)
                    require_whole(connection, place, schema)
                    _require_objects(connection, store)
                    events = count_rows(connection, tables.event)
                try:
                    pending.settle()
                except BaseException:
                    unload(place, token)
                    raise
            finally:
                pending.discard()
        with writing(self.landing.root):
            clear(dead)
        return replace(manifest, tables=manifest.tables | {tables.event.name: events})

    def _manifest(self) -> Manifest:
        if self.reader.name != MANIFEST:
            raise no_archive()
        return Manifest.from_bytes(self.reader.content(MANIFEST_BYTES))

    def _protocol(self) -> str:
        if self.reader.name != PROTOCOL:
            raise unexpected(self.reader.name)
        try:
            return self.reader.content(PROTOCOL_BYTES).decode()
        except UnicodeDecodeError:
            raise changed(PROTOCOL, "it is not UTF-8 text") from None

    def _read_objects(self, store: ObjectStore, total: int) -> None:
        n_objects, last = 0, ""
        self.on_object(0, total)
        while (name := self.reader.name).startswith(OBJECTS):
            object_id = name.removeprefix(OBJECTS).replace("/", "", 1)
            if not is_object_id(object_id) or object_member(object_id) != name:
                raise unexpected(name)
            if object_id <= last:
                raise changed(name, "it comes twice, or not in its order")
            self._read_object(store.path_of(object_id), object_id)
            last = object_id
            n_objects += 1
            self.on_object(n_objects, total)
        if n_objects != total:
            raise _miscounted("objects", n_objects, total)

    def _read_object(self, path: Path, object_id: str) -> None:
        name, largest = self.reader.name, self.landing.limits.volume_bytes
        make_folder(path.parent)
        with replacing(path) as temporary:
            _copy(self.reader, temporary)
            try:
                with temporary.open("rb") as file:
                    header, _, own_name = read_object(file, hashes=True, keeps=False)
            except damages():
                raise changed(name, "it is no whole object") from None
            if own_name != object_id:
                raise changed(name, "its content is not what its name says")
            if header.n_raw_bytes > largest:
                raise InputError(
                    f"it unpacks to {in_words(header.n_raw_bytes)}, the limit is"
                    f" {in_words(largest)}",
                    code="archive_limit",
                    hint="if you trust it, allow more with --max-volume-bytes",
                    source=name,
                )

    def _read_release(self, folder: Path, total: int) -> None:
        self._read_file(folder, RELEASE_CHECKSUMS)
        n_files = 1
        for digest, name in listed_files(folder / RELEASE_CHECKSUMS):
            if self._read_file(folder, name) != digest:
                raise changed(RELEASE + name, "it is not what was published")
            n_files += 1
        if n_files != total:
            raise _miscounted("files of a release", n_files, total)

    def _read_file(self, folder: Path, name: str) -> str:
        if self.reader.name != RELEASE + name:
            raise unexpected(self.reader.name)
        path = folder / name
        make_folder(path.parent)
        with writing(folder):
            _copy(self.reader, path)
            flush_to_disk(path)
        return self.reader.digest


def _require_counts(manifest: Manifest, counts: Mapping[str, int]) -> None:
    for table, n_rows in counts.items():
        if n_rows != manifest.tables[table]:
            raise _miscounted(f"rows of {table}", n_rows, manifest.tables[table])


def _require_objects(connection: sa.Connection, store: ObjectStore) -> None:
    """Hold what rows name against what is there; both come sorted."""
    with NameIndex() as named:
        named.add(needed_objects(connection))
        names = (name for name, _ in named)
        for name, held in zip_longest(names, store.list_ids()):
            if held is None or (name is not None and name < held):
                raise changed(f"object {name[:12]}", "a row names it, but it is not there")
            if name != held:
                raise changed(object_member(held), "no row names it")


def _copy(reader: TarReader, path: Path) -> None:
    with path.open("xb") as file:
        for piece in reader.pieces():
            file.write(piece)


def _miscounted(things: str, found: int, told: int) -> InputError:
    return changed(MANIFEST, f"it tells of {told} {things}, the archive holds {found}")
