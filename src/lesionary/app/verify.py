"""Verify that everything still says what it said when it was written."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lesionary.app.study import Study
from lesionary.core.errors import InputError, LesionaryError
from lesionary.io import registry_schema as tables
from lesionary.io import release_files
from lesionary.io.checked_images import read_independently
from lesionary.io.study_files import PROTOCOL_FILE, StudyFiles


@dataclass(slots=True)
class VerifyReport:
    """What was checked, and what did not hold."""

    done: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    @property
    def checked(self) -> int:
        """How many checks were made."""
        return len(self.done) + len(self.failed)

    def check(self, unit: str, code: str, reason: str, *, holds: bool) -> bool:
        """Count one check, and keep it where it does not hold."""
        if holds:
            self.done.append(unit)
        else:
            self.failed.append({"unit": unit, "code": code, "reason": reason})
        return holds

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "checked": self.checked,
            "done": self.done,
            "failed": self.failed,
        }


def verify_target(target: Path) -> VerifyReport:
    """Check a study with its release, or a release alone.

    Raises
    ------
    InputError
        If the folder is neither.
    """
    report = VerifyReport()
    if (target / release_files.MANIFEST).is_file():
        _verify_release(target, report)
    elif (target / PROTOCOL_FILE).is_file():
        _verify_study(target, report)
    else:
        raise InputError(
            "this folder is neither a study nor a release",
            hint="a study holds study.toml, a release holds release.json",
            source=str(target),
        )
    return report


def _verify_study(target: Path, report: VerifyReport) -> None:
    study = Study.open(target)
    series = study.registry.all_series()
    named = {row["object_id"] for row in series}
    named |= {row["object_id"] for row in study.registry.rows(tables.annotation)}
    for stage in ("prepare", "annotate", "measure", "agree"):
        for record in study.registry.units(stage).values():
            if record.state == "done":
                named |= _objects_in(record.output)
    for object_id in sorted(named):
        try:
            study.objects.verify(object_id)
        except LesionaryError as error:
            report.check(object_id[:12], error.code, error.message, holds=False)
        else:
            report.done.append(object_id[:12])
    if StudyFiles(target).release.is_dir():
        _verify_release(StudyFiles(target).release, report)


def _objects_in(output: Any) -> set[str]:
    single = ("object", "mask", "consensus", "uncertainty")
    named = {output[name] for name in single if name in output}
    cleaned = output.get("clean_up") or {}
    several = (output.get("layers"), cleaned.get("before"), cleaned.get("removed"))
    return named.union(*(ids for ids in several if ids))


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
    for path in sorted(present - sums.keys() - {release_files.CHECKSUMS}):
        report.check(path, "file_added", "the release does not name it", holds=False)
    for path in sorted(sums.keys() & present):
        holds = release_files.file_digest(release / path) == sums[path]
        report.check(path, "file_changed", "its content is not what was published", holds=holds)
    listed = (manifest or {}).get("files", {})
    agrees = {p: s for p, s in sums.items() if p != release_files.MANIFEST} == listed
    report.check(release_files.CHECKSUMS, "manifest", "it and the manifest differ", holds=agrees)
    for path in sorted(present):
        if "/masks/" in path:
            _verify_mask(release, path, report)


def _verify_mask(release: Path, mask_path: str, report: VerifyReport) -> None:
    """Check that a mask lies on its image's grid and that its values are those with labels."""
    image_path = mask_path.replace("/masks/", "/images/")
    labels_path = mask_path.replace("/masks/", "/labels/").removesuffix(".nii.gz") + ".json"
    try:
        mask, geometry = read_independently(release / mask_path)
        _, image_geometry = read_independently(release / image_path)
        labels = json.loads((release / labels_path).read_text(encoding="utf-8"))
    except (OSError, ValueError, EOFError) as error:
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
