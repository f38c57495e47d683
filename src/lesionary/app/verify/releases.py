"""A release: its files are those that were published, its masks lie on their images."""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Set
from pathlib import Path, PurePosixPath

import numpy as np

from lesionary.app.verify.report import VerifyReport
from lesionary.io import release_files
from lesionary.io.checked_images import read_independently

_ROOT = PurePosixPath()
_TRIES = 5
_ADDED = "only what was published belongs there: move them elsewhere"


def verify_release(release: Path, report: VerifyReport) -> None:
    """Check a release; where it is replaced meanwhile, the new one."""
    for _ in range(_TRIES):
        before, own = _identity(release), VerifyReport()
        _verify_release(release, own)
        if not own.failed or _identity(release) == before:
            break
    report.take(own)


def _identity(release: Path) -> tuple[int, int] | None:
    try:
        status = (release / release_files.CHECKSUMS).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _verify_release(release: Path, report: VerifyReport) -> None:
    manifest = release_files.read_manifest(release)
    is_readable = manifest is not None and isinstance(manifest.get("files"), dict)
    if not report.check(release_files.MANIFEST, "manifest", "it cannot be read", holds=is_readable):
        return
    try:
        sums = release_files.read_checksums(release)
    except (OSError, ValueError):
        report.check(release_files.CHECKSUMS, "manifest", "it cannot be read", holds=False)
        return
    present = release_files.list_files(release)
    for path in sorted(sums.keys() - present):
        report.check(path, "file_missing", "the release names it, but it is gone", holds=False)
    _tell_added(present - sums.keys() - {release_files.CHECKSUMS}, sums.keys(), report)
    sound = set()
    for path in sorted(sums.keys() & present):
        holds = release_files.file_digest(release / path) == sums[path]
        if report.check(path, "file_changed", "its content is not what was published", holds=holds):
            sound.add(path)
    listed = (manifest or {}).get("files", {})
    agrees = {p: s for p, s in sums.items() if p != release_files.MANIFEST} == listed
    agrees = agrees and _is_as_written(release / release_files.CHECKSUMS, sums)
    report.check(release_files.CHECKSUMS, "manifest", "it and the manifest differ", holds=agrees)
    report.counts["files"] += len(present)
    for path in sorted(sound):
        if "/masks/" in path and {_image_of(path), _labels_of(path)} <= sound:
            _verify_mask(release, path, report)


def _is_as_written(listing: Path, sums: Mapping[str, str]) -> bool:
    """Tell whether no byte of the list of checksums is another, not even between its words."""
    lines = [f"{checksum}  {path}\n" for path, checksum in sorted(sums.items())]
    return listing.read_bytes() == "".join(lines).encode()


def _tell_added(added: Set[str], published: Set[str], report: VerifyReport) -> None:
    """Tell how many files lie where that were not published; their names may be patients'."""
    folders = {parent for path in published for parent in PurePosixPath(path).parents}
    where: Counter[PurePosixPath] = Counter()
    for path in added:
        where[next(one for one in PurePosixPath(path).parents if one in folders | {_ROOT})] += 1
    for folder, n in sorted(where.items()):
        unit = "release" if folder == _ROOT else folder.as_posix()
        reason = f"{n} {'file was' if n == 1 else 'files were'} not published"
        report.fail(unit, "file_added", reason, _ADDED)


def _image_of(mask_path: str) -> str:
    return mask_path.replace("/masks/", "/images/")


def _labels_of(mask_path: str) -> str:
    return mask_path.replace("/masks/", "/labels/").removesuffix(".nii.gz") + ".json"


def _verify_mask(release: Path, mask_path: str, report: VerifyReport) -> None:
    """Check that a mask lies on its image's grid and that its values are those with labels."""
    try:
        mask, geometry = read_independently(release / mask_path)
        _, image_geometry = read_independently(release / _image_of(mask_path))
        labels = json.loads((release / _labels_of(mask_path)).read_text(encoding="utf-8"))
    except (OSError, ValueError, EOFError, zlib.error) as error:
        reason = f"mask, image or labels cannot be read ({type(error).__name__})"
        report.check(mask_path, "unreadable", reason, holds=False)
        return
    report.check(
        mask_path,
        "grid_mismatch",
        "it does not lie on its image's grid",
        holds=geometry.is_same_grid(image_geometry),
    )
    values = {str(value) for value in np.unique(mask) if value}
    report.check(
        mask_path,
        "labels",
        "its values are not those of its labels file",
        holds=values <= labels.keys(),
    )
