"""Mask files for comparison: read onto one grid, alone or case by case out of folders.

Errors name files as the user gave them.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionary.app.files.case_names import case_pattern, key_of
from lesionary.app.files.single import read_mask, refusal
from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.volume import LabelMap
from lesionary.ingest.file_gate import label_map_on
from lesionary.io.sources import SourceFile, SourceFinding, open_sources

if TYPE_CHECKING:
    from lesionary.app.files.reading import Reading

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")


@dataclass(frozen=True, slots=True)
class MaskFile:
    """One file to read, and the name by which the user knows it."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """What one reader drew of one case: one file, or one a label."""

    reader: str
    files: tuple[tuple[str | None, MaskFile], ...]


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """One case as several readers drew it, readers in the order of their names."""

    key: CaseKey
    readers: tuple[ReaderFiles, ...]


@dataclass(frozen=True, slots=True)
class FoundCases:
    """What a pattern made of a folder.

    Parameters
    ----------
    cases : tuple of CaseFiles
        In the order of their keys.
    findings : tuple of SourceFinding
        What could not be read.
    n_unfit : int
        Image files that the pattern does not fit: they are no case's.
    """

    cases: tuple[CaseFiles, ...]
    findings: tuple[SourceFinding, ...]
    n_unfit: int


def read_on_one_grid(files: Sequence[MaskFile], reading: "Reading") -> list[LabelMap]:
    """Read masks; all come back on the grid of the first.

    Raises
    ------
    InputError
        If a file is no mask, or its grid is no signed permutation of the first's: then both are
        named.
    """
    first, *others = files
    maps = [_read(first, reading)]
    for file in others:
        try:
            maps.append(label_map_on(_read(file, reading), maps[0].geometry)[0])
        except InputError as error:
            if error.code == "grid_mismatch":
                error.sources = (first.name, file.name)
            raise error.at(file.name) from None
    return maps


def read_readers(case: CaseFiles, reading: "Reading") -> list[LabelMap]:
    """Read what each reader drew, on one grid.

    Where a reader has one file a label, its voxels above zero are the label, and labels have the
    same value with every reader: their place in the alphabet.

    Raises
    ------
    InputError
        As :func:`read_on_one_grid`, and if the pattern fits two files of one reader alike.
    """
    for reader in case.readers:
        _require_one_each(reader)
    files = [(reader, label, file) for reader in case.readers for label, file in reader.files]
    try:
        maps = read_on_one_grid([file for _, _, file in files], reading)
    except InputError as error:
        if error.code == "mask_not_integer":
            error.hint = "if it is an image, narrow the pattern so that it does not fit it"
        raise
    labels = sorted({label for _, label, _ in files if label is not None})
    if not labels:
        return maps
    texts = dict(enumerate(labels, start=1))
    joined = {
        reader.reader: np.zeros(maps[0].geometry.shape, dtype=np.uint16) for reader in case.readers
    }
    for (reader, label, _), label_map in zip(files, maps, strict=True):
        value = labels.index(label) + 1 if label is not None else 0
        joined[reader.reader][label_map.array > 0] = value
    return [LabelMap(array, maps[0].geometry, texts) for array in joined.values()]


@contextmanager
def reader_cases(folder: Path, pattern: str, reading: "Reading") -> Iterator[FoundCases]:
    """Sort the mask files below a folder into cases by a pattern.

    Parameters
    ----------
    folder : Path
        Or an archive.
    pattern : str
        Such as ``{group}/{subject}_{timepoint}/{reader}.nii.gz``; it must name ``{reader}``.

    Yields
    ------
    FoundCases
        Cases in the order of group, subject and time point; what could not be read.

    Raises
    ------
    InputError
        Code ``usage``, if the pattern says nothing, or not who drew.
    """
    wanted = case_pattern(pattern)
    if "{reader}" not in pattern:
        raise InputError(
            "the pattern does not say which part of a name is the reader",
            code="usage",
            hint="such as {subject}/{timepoint}/{reader}.nii.gz",
        )
    drawn: dict[CaseKey, dict[str, list[tuple[str | None, MaskFile]]]] = {}
    n_unfit = 0
    with open_sources([folder], reading.limits) as tree:
        for file in tree.files:
            if not file.kind.is_image_file:
                continue
            parts = wanted.match(file.below)
            if parts is None or parts.reader is None:
                n_unfit += 1
                continue
            key = key_of(parts, "1")
            mask = MaskFile(file.path, file.name)
            drawn.setdefault(key, {}).setdefault(parts.reader, []).append((parts.label, mask))
        cases = tuple(
            CaseFiles(key, tuple(_one(reader, files) for reader, files in sorted(readers.items())))
            for key, readers in sorted(drawn.items())
        )
        yield FoundCases(cases, _unread(tree.findings), n_unfit)


@contextmanager
def files_by_case(
    paths: Sequence[Path], reading: "Reading"
) -> Iterator[tuple[list[dict[str, tuple[MaskFile, ...]]], tuple[SourceFinding, ...]]]:
    """List the image files of several folders, each by its place below the folder, less its ending.

    What stands at the same place in two folders belongs to the same case.
    """
    with ExitStack() as stack:
        found: list[dict[str, tuple[MaskFile, ...]]] = []
        findings: list[SourceFinding] = []
        for path in paths:
            tree = stack.enter_context(open_sources([path], reading.limits))
            places: dict[str, tuple[MaskFile, ...]] = {}
            for file in tree.files:
                if file.kind.is_image_file:
                    place = _without_ending(file)
                    mask = MaskFile(file.path, file.name)
                    places[place] = (*places.get(place, ()), mask)
            found.append(places)
            findings += _unread(tree.findings)
        yield found, tuple(findings)


def left_out(name: str, number: int, error: LesionaryError) -> SourceFinding:
    """Return the error of one case as what leaves it out."""
    return refusal(error.source or name, number, error)


def _require_one_each(reader: ReaderFiles) -> None:
    labels = [label for label, _ in reader.files]
    if len(set(labels)) < len(labels):
        raise InputError(
            f"the pattern fits {len(labels)} files of one reader alike",
            code="several_masks",
            hint="a reader has one mask a case, or one a {label}",
            sources=[file.name for _, file in reader.files],
        )


def _one(reader: str, files: list[tuple[str | None, MaskFile]]) -> ReaderFiles:
    return ReaderFiles(reader, tuple(files))


def is_image_name(name: str) -> bool:
    """Tell whether a file's name ends as an image file's."""
    return name.lower().endswith(_ENDINGS)


def _without_ending(file: SourceFile) -> str:
    lowered = file.below.lower()
    ending = next((one for one in _ENDINGS if lowered.endswith(one)), "")
    return file.below[: len(file.below) - len(ending)]


def _unread(findings: Sequence[SourceFinding]) -> tuple[SourceFinding, ...]:
    return tuple(one for one in findings if one.finding.outcome.value == "left_out")


def _read(file: MaskFile, reading: "Reading") -> LabelMap:
    try:
        return read_mask(file.path, reading)
    except LesionaryError as error:
        error.source, error.sources = file.name, (file.name,)
        raise


def with_texts(maps: Sequence[LabelMap], texts: dict[int, str]) -> list[LabelMap]:
    """Give all the same label texts, in place of their own; none leaves them as they are."""
    return [replace(one, labels=texts) for one in maps] if texts else list(maps)


def refused_row(refused: SourceFinding) -> dict[str, Any]:
    """Return what was left out as the contract's JSON shows it, named as the user sees it."""
    finding = refused.finding
    return {
        "source": refused.name,
        "code": finding.code,
        "reason": finding.reason,
        "hint": finding.hint,
    }
