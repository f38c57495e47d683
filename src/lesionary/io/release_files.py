"""A release on disk: written beside its place, checksummed, and put there in one step."""

import errno
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from lesionary.core.errors import InputError
from lesionary.core.volume import LabelMap, Volume
from lesionary.io.checked_images import write_checked
from lesionary.io.durable import exchange, flush_to_disk, partial_name, writing

KIND = "lesionary-release"
MANIFEST = "release.json"
CHECKSUMS = "SHA256SUMS"
_CHUNK_BYTES = 1 << 22


@dataclass(slots=True)
class ReleaseWriter:
    """Collects a release under a temporary name.

    Raises
    ------
    InputError
        If something stands at the place that is no release: nothing of the user's is replaced.
    """

    target: Path
    _folder: Path = field(init=False)
    _written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.target = resolved(self.target)
        with writing():
            self._require_replaceable()
        self._folder = partial_name(self.target.absolute())
        with writing():
            self._folder.mkdir(parents=True)

    def add_text(self, path: str, text: str) -> None:
        """Write a text file."""
        place = self._place(path)
        with writing():
            place.write_text(text, encoding="utf-8", newline="\n")
            flush_to_disk(place)

    def add_bytes(self, path: str, data: bytes) -> None:
        """Write a file as it is."""
        place = self._place(path)
        with writing():
            place.write_bytes(data)
            flush_to_disk(place)

    def add_image(self, path: str, image: Volume | LabelMap) -> None:
        """Write an image, read back by an independent reader."""
        write_checked(self._place(path), image)

    def discard(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def settle(self, manifest: dict[str, Any]) -> Path:
        """Add manifest and checksums, and put the release in its place."""
        with writing():
            sums = {path: file_digest(self._folder / path) for path in sorted(self._written)}
        document = manifest | {"files": sums}
        self.add_text(MANIFEST, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        sums[MANIFEST] = file_digest(self._folder / MANIFEST)
        lines = [f"{digest}  {path}\n" for path, digest in sorted(sums.items())]
        self.add_text(CHECKSUMS, "".join(lines))
        with writing():
            self._require_replaceable()
            replace_folder(self._folder, self.target.absolute())
        return self.target

    def _require_replaceable(self) -> None:
        if self.target.exists() and not is_replaceable(self.target):
            raise InputError(
                "something that is no release stands there",
                hint="name a new folder, or an earlier release; move files of your own out of it",
                source=str(self.target),
            )

    def _place(self, path: str) -> Path:
        folder = self._folder  # if it was moved away meanwhile, it is not made again
        with writing():
            for step in PurePosixPath(path).parent.parts:
                folder /= step
                folder.mkdir(exist_ok=True)
        self._written.append(path)
        return self._folder / path


_LEFT_BY_VIEWERS = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files that systems put into folders that somebody looks at."""


def is_replaceable(folder: Path) -> bool:
    """Tell whether a folder is empty, or an earlier release and nothing else of the user's."""
    if not folder.is_dir():
        return False
    released = _released(folder)
    there = {
        path for path in list_files(folder) if PurePosixPath(path).name not in _LEFT_BY_VIEWERS
    }
    return there <= released if released else not any(folder.iterdir())


def _released(folder: Path) -> set[str]:
    """Return the paths that an earlier release says are its own; one of its two lists is enough."""
    manifest = read_manifest(folder) or {}
    is_ours = manifest.get("kind") == KIND and isinstance(manifest.get("files"), dict)
    told = set(manifest["files"]) if is_ours else set()
    try:
        summed = set(read_checksums(folder))
    except (OSError, UnicodeDecodeError):
        summed = set()
    told |= summed if MANIFEST in summed else set()
    return told | {MANIFEST, CHECKSUMS} if told else told


def resolved(path: Path) -> Path:
    """Follow links to the folder that is meant.

    Raises
    ------
    WorkflowError
        Code ``not_writable``, for a circle of links too.
    """
    with writing():
        try:
            return path.resolve()
        except RuntimeError:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def replace_folder(new: Path, target: Path) -> None:
    """Rename a folder to ``target``, and remove what stood there.

    Where the system can exchange two names in one step, there is always one of the two at
    ``target``; else the old one goes aside first. Once the new one is in place it counts: what
    cannot be removed of the old stays under a temporary name.
    """
    old = new
    if not target.exists():
        new.replace(target)
    elif not exchange(new, target):
        old = partial_name(target)
        target.replace(old)
        new.replace(target)
    flush_to_disk(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def file_digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()


def read_manifest(release: Path) -> dict[str, Any] | None:
    """Return a release's manifest, or None where there is none to read."""
    try:
        document = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def read_checksums(release: Path) -> dict[str, str]:
    """Return what ``SHA256SUMS`` says, by path."""
    sums = {}
    for line in (release / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        sums[path] = digest
    return sums


def list_files(release: Path) -> set[str]:
    """Return every file's path below a folder, with forward slashes."""
    return {
        path.relative_to(release).as_posix() for path in release.rglob("*") if not path.is_dir()
    }
