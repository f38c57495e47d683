"""A release as it lies on the disk: is it this study's, and what stands where."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.records import Check
from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.release_files import (
    CHECKSUMS,
    MANIFEST,
    file_digest,
    read_checksums,
    read_manifest,
)

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = dict[str, str]
_SHOWN = 6


@dataclass
class Published:
    """One release of one study."""

    folder: Path
    manifest: Mapping[str, Any]
    sums: Mapping[str, str]
    _digests: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, study: "Study", folder: Path | None) -> "Published":
        """Open the study's own release, or one that was moved elsewhere.

        Raises
        ------
        WorkflowError
            Code ``not_published``.
        InputError
            Code ``other_study``, or ``manifest`` where it cannot be read.
        """
        place = folder or study.files.release
        manifest = read_manifest(place)
        if manifest is None:
            raise WorkflowError(
                "there is no release to look into",
                code="not_published",
                hint="publish the study with `lesionary run`, or name a release with --release",
                source=str(place),
            )
        if manifest.get("study") != study.section.id:
            raise InputError(
                "this release is another study's",
                code="other_study",
                hint="name the study that it was published from",
                source=str(place),
            )
        try:
            sums = read_checksums(place)
        except (OSError, ValueError):
            raise InputError(
                "the release's checksums cannot be read",
                code="manifest",
                hint="publish the study again",
                source=str(place / CHECKSUMS),
            ) from None
        return cls(place, manifest, sums)

    @cached_property
    def seal(self) -> str:
        """The hash of the list of all checksums: what the audit says of a release."""
        return file_digest(self.folder / CHECKSUMS)

    @property
    def files(self) -> list[str]:
        """Every file's path, the table of lesions first."""
        return sorted(self.sums, key=lambda path: (path != "lesions.csv", path))

    def file_named(self, name: str) -> str:
        """Return the one file that a name means: its path, the end of it, or a table's short name.

        Raises
        ------
        InputError
            Code ``no_such_file``, also where a name means several.
        """
        wanted = name.replace("\\", "/").removeprefix("./")
        if wanted in self.sums:
            return wanted
        found = [path for path in self.files if path.endswith(f"/{wanted}")]
        found = found or [path for path in self.files if short_name(path) == short_name(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            reason = f"{len(found)} files of the release are called so"
            hint = f"say which: {', '.join(found[:_SHOWN])}"
        else:
            tables = [path for path in self.files if path.endswith(".csv")]
            reason = "the release has no such file"
            hint = f"its tables: {', '.join(tables[:_SHOWN])}" + (
                ", …" if len(tables) > _SHOWN else ""
            )
        raise InputError(reason, code="no_such_file", hint=hint, source=name)

    def rows(self, file: str) -> Iterator[tuple[int, int, Row]]:
        """Yield every row of a CSV with its first and last line; the header is line 1."""
        with self._readable(file).open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            header = next(reader, [])
            last = reader.line_num
            for cells in reader:
                first, last = last + 1, reader.line_num
                yield first, last, dict(zip(header, cells, strict=False))

    def document(self, file: str) -> Any:
        """Return a JSON file's content."""
        try:
            return json.loads(self._readable(file).read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(
                "the file is no JSON", code="file_changed", hint="publish again", source=file
            ) from None

    def check(self, file: str) -> Check:
        """Tell whether a file is as it was published."""
        what = f"{file} is as published"
        found = self._digest(file)
        if found is None:
            return Check(what, holds=False, reason="it is gone")
        listed = (self.manifest.get("files") or {}).get(file, self.sums.get(file))
        holds = found == self.sums.get(file) == listed
        return Check(what, holds, "its checksum holds" if holds else "its checksum differs")

    def manifest_check(self) -> Check:
        """Tell whether the manifest is the one that the checksums name."""
        holds = self._digest(MANIFEST) == self.sums.get(MANIFEST)
        reason = "its checksum holds" if holds else "its checksum differs"
        return Check("the release's manifest is as published", holds, reason)

    def _digest(self, file: str) -> str | None:
        if file not in self._digests:
            path = self.folder / file
            self._digests[file] = file_digest(path) if path.is_file() else None
        return self._digests[file]

    def _readable(self, file: str) -> Path:
        path = self.folder / file
        if not path.is_file():
            raise InputError(
                "the release names this file, but it is gone",
                code="file_missing",
                hint="publish the study again",
                source=file,
            )
        return path


def short_name(path: str) -> str:
    """Return what people call a table.

    >>> short_name("agreement/tables/agreement_pairs.csv")
    'agreement/pairs.csv'
    """
    parts = [part for part in path.split("/") if part != "tables"]
    stem = parts[-1].removeprefix("agreement_").removeprefix("evaluation_")
    return "/".join([*parts[:-1], stem])
