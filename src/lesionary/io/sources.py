"""What the user gave to read: folders, files and archives, found, told apart and numbered.

Nothing here raises for one bad file: each becomes a finding. Names are private: they are shown to
the user who typed them and stored nowhere.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lesionary.core.errors import InputError
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.pairing import FileRole, NamedFile
from lesionary.io.archive_budget import Budget
from lesionary.io.archives import Member, left_out, unpack
from lesionary.io.file_kind import FileKind, kind_of
from lesionary.io.limits import Limits
from lesionary.io.member_names import shown
from lesionary.io.scratch import clear_abandoned, scratch_folder

_ROLES: dict[FileKind, FileRole] = {
    FileKind.NIFTI: "image",
    FileKind.NRRD: "image",
    FileKind.METAIMAGE: "image",
    FileKind.JSON: "json",
    FileKind.TABLE: "table",
}
_CLUTTER_FOLDERS = frozenset({"__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
_DETACHED_ENDINGS = (".raw", ".zraw", ".img", ".raw.gz", ".bin", ".dat")
_NOT_A_FILE = Finding("not_a_file", Outcome.IGNORED, "a pipe, socket or device, not a file")
_LINK_LOOP = Finding(
    "not_a_file", Outcome.IGNORED, "a link to a folder that was read already, or to itself"
)
_DEAD_LINK = Finding("not_a_file", Outcome.IGNORED, "a link that leads nowhere")
_CLUTTER = Finding("not_a_file", Outcome.IGNORED, "not an image, mask or table")
_DETACHED = Finding("not_a_file", Outcome.IGNORED, "voxels that are read through their header")
_NOISE = Finding(
    "not_dicom",
    Outcome.LEFT_OUT,
    "neither DICOM nor any other image that is read",
    "convert it, or leave it out of the folder",
)
_FOREIGN_ARCHIVE = Finding(
    "not_dicom",
    Outcome.LEFT_OUT,
    "an archive of a kind that is not read",
    "unpack it and give the folder; zip and tar (gz, xz, bz2) are read",
)
_TOO_DEEP = Finding(
    "too_deep",
    Outcome.LEFT_OUT,
    "an archive inside too many other archives",
    "unpack it yourself and give the folder",
)


@dataclass(frozen=True, slots=True, repr=False)
class SourceFile:
    """One file to read.

    Parameters
    ----------
    path : Path
        Where it is now: the user's file, or an archive's member in a private folder.
    name : str
        How the user sees it, ``scans.zip:a/b.dcm``; printable. Private, never stored.
    number : int
        Its place, from 0, among all files and findings of this call in the sorted order of names.
    kind : FileKind
        What its first bytes say.
    place : str
        Name with archives as folders, ``scans.zip/a/b.dcm``: what pairing looks at.
    below : str
        The place below the argument it was found in, ``a/b.dcm``: what ``--reader-from`` matches.
    """

    path: Path
    name: str
    number: int
    kind: FileKind
    place: str
    below: str


@dataclass(frozen=True, slots=True, repr=False)
class SourceFinding:
    """What the gate says of a file that is not read. The name is private."""

    name: str
    number: int
    finding: Finding


@dataclass(frozen=True, slots=True, repr=False)
class SourceTree:
    """All that was found, each in the order of its numbers."""

    files: tuple[SourceFile, ...]
    findings: tuple[SourceFinding, ...]

    def named_files(self) -> tuple[NamedFile, ...]:
        """Return image files, JSON files and tables as :func:`lesionary.ingest.pairing.pair` wants.

        A number is an index into neither tuple: it is the file's own.
        """
        return tuple(
            NamedFile(file.number, file.place, file.below, _ROLES[file.kind])
            for file in self.files
            if file.kind in _ROLES
        )


@contextmanager
def open_sources(paths: Sequence[Path], limits: Limits | None = None) -> Iterator[SourceTree]:
    """Find all files below the given paths; archives are unpacked for as long as the block lasts.

    Numbers count from 0 in the sorted order of names, over files and findings alike, so they
    depend neither on the order of the arguments nor on the file system's. A file given twice, by
    itself and by its folder, counts once. Links are followed, each folder once; a folder reached
    without a link keeps its own name.

    Parameters
    ----------
    paths : sequence of Path
        Folders, files and archives.
    limits : Limits, optional
        Bounds on what archives may unpack.

    Yields
    ------
    SourceTree
        Its paths into archives hold within the block only; the private folder (0700) is removed
        behind it, also on errors. What killed processes left of theirs is removed first.

    Raises
    ------
    InputError
        If one of ``paths`` does not exist.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise InputError(
                "there is no such file or folder",
                code="not_a_file",
                hint="look at the path",
                source=shown(path.as_posix()),
            )
    clear_abandoned()
    with scratch_folder() as scratch:
        yield _numbered(list(_Walk(limits or Limits(), scratch).all_of(paths)))


@dataclass(frozen=True, slots=True)
class _Spot:
    """A path and the three names it goes by."""

    path: Path
    name: str
    place: str
    below: str

    def child(self, path: Path, name: str, separator: str = "/") -> "_Spot":
        name = shown(name)
        return _Spot(
            path,
            f"{self.name.rstrip('/')}{separator}{name}",
            f"{self.place.rstrip('/')}/{name}",
            f"{self.below}/{name}" if self.below else name,
        )


@dataclass(frozen=True, slots=True)
class _Found:
    spot: _Spot
    what: FileKind | Finding


@dataclass(slots=True)
class _Walk:
    limits: Limits
    scratch: Path
    _seen: set[tuple[int, int, str]] = field(default_factory=set)
    _links: list[_Spot] = field(default_factory=list)
    _n_archives: int = 0

    def all_of(self, paths: Sequence[Path]) -> Iterator[_Found]:
        """Yield everything below the arguments; linked folders last."""
        for path in sorted(paths):
            name = shown(path.as_posix())
            below = "" if path.is_dir() else shown(path.name)
            yield from self._entry(_Spot(path, name, name, below), is_argument=True)
        while self._links:
            yield from self._folder(self._links.pop(0))

    def _entry(self, spot: _Spot, *, is_argument: bool = False) -> Iterator[_Found]:
        name = spot.path.name
        if not is_argument and (name.startswith(".") or name in _CLUTTER_FOLDERS):
            yield _Found(spot, _CLUTTER)
            return
        try:
            mode = spot.path.stat().st_mode
            yield from self._by_mode(spot, mode, is_argument=is_argument)
        except OSError as error:
            yield _Found(spot, _finding_of(error))

    def _by_mode(self, spot: _Spot, mode: int, *, is_argument: bool) -> Iterator[_Found]:
        if stat.S_ISDIR(mode) and spot.path.is_symlink() and not is_argument:
            self._links.append(spot)
        elif stat.S_ISDIR(mode):
            yield from self._folder(spot)
        elif stat.S_ISREG(mode):
            yield from self._file(spot, is_argument=is_argument)
        else:
            yield _Found(spot, _NOT_A_FILE)

    def _folder(self, top: _Spot) -> Iterator[_Found]:
        folders = [top]
        while folders:
            folder = folders.pop()
            try:
                if not self._is_new(folder.path, ""):
                    if folder.path.is_symlink():
                        yield _Found(folder, _LINK_LOOP)
                    continue
                children = sorted(folder.path.iterdir())
            except OSError as error:
                yield _Found(folder, _finding_of(error))
                continue
            for path in children:
                spot = folder.child(path, path.name)
                if _is_plain_folder(path):
                    folders.append(spot)
                else:
                    yield from self._entry(spot)

    def _file(self, spot: _Spot, *, is_argument: bool) -> Iterator[_Found]:
        if not self._is_new(spot.path.parent, spot.path.name):
            return
        what = _kind_or_finding(spot)
        if not isinstance(what, FileKind) or not what.is_archive:
            yield _Found(spot, what)
            return
        root = replace(spot, below="") if is_argument else spot
        budget = Budget(self.limits, spot.path.stat().st_size)
        yield from self._archive(root, what, budget, depth=1)

    def _archive(self, spot: _Spot, kind: FileKind, budget: Budget, depth: int) -> list[_Found]:
        self._n_archives += 1
        folder = self.scratch / str(self._n_archives)
        folder.mkdir()
        found: list[_Found] = []
        for unpacked in unpack(spot.path, kind, folder, budget):
            if isinstance(unpacked, Member):
                found += self._member(spot, unpacked, budget, depth)
            elif unpacked.name:
                found.append(_Found(spot.child(spot.path, unpacked.name, ":"), unpacked.finding))
            elif unpacked.finding.code == "gzip_corrupt":  # and nobody knows in which member
                return [_Found(spot, unpacked.finding)]
            else:
                found.append(_Found(spot, unpacked.finding))
        return found

    def _member(self, archive: _Spot, member: Member, budget: Budget, depth: int) -> list[_Found]:
        spot = archive.child(member.path, member.name, ":")
        steps = member.name.split("/")
        if any(step.startswith(".") or step in _CLUTTER_FOLDERS for step in steps):
            return [_Found(spot, _CLUTTER)]
        what = _kind_or_finding(spot)
        if not isinstance(what, FileKind) or not what.is_archive:
            return [_Found(spot, what)]
        if depth >= self.limits.nesting:
            return [_Found(spot, _TOO_DEEP)]
        found = self._archive(spot, what, budget, depth + 1)
        spot.path.unlink()
        return found

    def _is_new(self, folder: Path, name: str) -> bool:
        status = folder.stat()
        key = (status.st_dev, status.st_ino, name)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _is_plain_folder(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name in _CLUTTER_FOLDERS
    return not hidden and not path.is_symlink() and path.is_dir()


def _kind_or_finding(spot: _Spot) -> FileKind | Finding:
    try:
        kind = kind_of(spot.path, spot.place)
    except InputError as error:
        return left_out(error)
    return {
        FileKind.CLUTTER: _CLUTTER,
        FileKind.NOISE: _NOISE,
        FileKind.FOREIGN_ARCHIVE: _FOREIGN_ARCHIVE,
    }.get(kind, kind)


def _finding_of(error: OSError) -> Finding:
    if error.errno == errno.ELOOP:
        return _LINK_LOOP
    if error.errno == errno.ENOENT:
        return _DEAD_LINK
    reason = f"it cannot be read: {error.strerror or type(error).__name__}"
    return Finding("unreadable", Outcome.LEFT_OUT, reason, "see to its permissions")


def _numbered(found: list[_Found]) -> SourceTree:
    found.sort(key=lambda one: one.spot.name)
    headers = {
        one.spot.place.rpartition("/")[0]
        for one in found
        if one.what in {FileKind.NRRD, FileKind.METAIMAGE}
    }
    files: list[SourceFile] = []
    findings: list[SourceFinding] = []
    for number, one in enumerate(found):
        spot = one.spot
        if isinstance(one.what, FileKind):
            files.append(SourceFile(spot.path, spot.name, number, one.what, spot.place, spot.below))
            continue
        finding = one.what
        if finding is _NOISE and _is_detached_data(spot.place, headers):
            finding = _DETACHED
        findings.append(SourceFinding(spot.name, number, finding))
    return SourceTree(tuple(files), tuple(findings))


def _is_detached_data(place: str, header_folders: set[str]) -> bool:
    return place.lower().endswith(_DETACHED_ENDINGS) and place.rpartition("/")[0] in header_folders
