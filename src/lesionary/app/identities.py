"""What the user gives to name scans by: a list of identities, or the scans themselves.

All of it is identity, **never stored or shown**: ``declared_sets.py`` makes keyed hashes of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.app.progress import Progress
from lesionary.core.errors import InputError, LesionaryError
from lesionary.learn.members import Kind

if TYPE_CHECKING:
    from lesionary.ingest.grouping import SeriesCandidate
    from lesionary.ingest.pairing import ImageEntry
    from lesionary.io.limits import Limits
    from lesionary.io.sources import SourceFile

COLUMNS: Mapping[str, Kind] = {
    "patient_id": Kind.PATIENT,
    "study_uid": Kind.STUDY_UID,
    "series_uid": Kind.SERIES_UID,
    "sop_uid": Kind.SOP_UID,
    "pixel_hash": Kind.PIXELS,
}
"""Columns of a list; it needs one of them at least."""

ISSUER = "issuer_of_patient_id"
"""A further column: DICOM patients with an issuer are told apart by both."""

_PIXEL_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_UID = 64
_SHOWN = 5
_STAGE = "declare"


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One identity as the user gave it, **never stored or shown**, and how to call it instead."""

    kind: Kind
    value: str
    label: str


def parse_list(text: str, *, source: str | None = None) -> list[Entry]:
    """Read a list of identities.

    Raises
    ------
    InputError
        Code ``bad_table``: no known column, no row, or lines that are wrong; with their numbers,
        never with what stands in them.
    """
    from lesionary.ingest.sidecars import read_table

    try:
        table = read_table(text, ())
    except InputError as error:
        raise _bad_list(error.message, source) from None
    if not table or not COLUMNS.keys() & table[0][1].keys():
        problem = "none of the columns it may have" if table else "no rows"
        raise _bad_list(f"the list has {problem}", source)
    entries: list[Entry] = []
    problems: list[str] = []
    for line, row in table:
        problem = _problem_of(row)
        if problem:
            problems.append(f"line {line}: {problem}")
        else:
            entries += _entries_of(line, row)
    if problems:
        n_more = len(problems) - _SHOWN
        more = [f"and {n_more} more lines"] if n_more > 0 else []
        raise _bad_list("; ".join([*problems[:_SHOWN], *more]), source)
    return entries


def _problem_of(row: Mapping[str, str]) -> str:
    if not any(row.get(name) for name in COLUMNS):
        return "names nothing"
    if row.get(ISSUER) and not row.get("patient_id"):
        return "an issuer without a patient_id"
    pixels = row.get("pixel_hash", "")
    if pixels and not _PIXEL_HASH.fullmatch(pixels.lower()):
        return "a pixel_hash has 64 hexadecimal digits"
    for name in ("study_uid", "series_uid", "sop_uid"):
        uid = row.get(name, "")
        if len(uid) > _LONGEST_UID or re.search(r"\s", uid):
            return f"{name} holds no UID"
    return ""


def _entries_of(line: int, row: Mapping[str, str]) -> Iterator[Entry]:
    for column, kind in COLUMNS.items():
        value = row.get(column, "")
        if not value:
            continue
        if kind is Kind.PATIENT and row.get(ISSUER):
            value = f"{value}^^^{row[ISSUER]}"
        yield Entry(kind, value.lower() if kind is Kind.PIXELS else value, f"line {line}")


def text_of_list(path: Path) -> str:
    """Return a list's text, or say why it has none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_list("the list is not UTF-8 text", str(path)) from None
    except OSError as error:
        raise InputError(
            f"the list cannot be read: {error.strerror}", code="not_a_file", source=str(path)
        ) from None


def _bad_list(problem: str, source: str | None) -> InputError:
    return InputError(
        problem,
        code="bad_table",
        hint=f"a list has one or more of the columns {', '.join(COLUMNS)}, and rows below",
        source=source,
    )


def read_images(path: Path, progress: Progress) -> tuple[list[Entry], int]:
    """Return what the scans below a path are known by, and how many could not be read whole."""
    from lesionary.ingest.pairing import pair
    from lesionary.io.dicom.series import group_images, scan_dicom
    from lesionary.io.limits import Limits
    from lesionary.io.sources import open_sources

    limits = Limits()
    entries: list[Entry] = []
    n_unread = 0
    with open_sources([path], limits) as tree:
        scan = scan_dicom(tree.files, limits)
        candidates = group_images(scan.images)
        images = pair(tree.named_files(), None).images
        sources = {file.number: file for file in tree.files}
        progress.start(_STAGE, len(candidates) + len(images))
        for candidate in candidates:
            entries += _headers_of(candidate)
            pixels = _pixels_of_series(candidate, limits)
            entries += pixels
            n_unread += not pixels
            progress.advance(_STAGE)
        for image in images:
            found = _entries_of_file(image, sources[image.number], limits)
            entries += found
            n_unread += not found
            progress.advance(_STAGE)
        progress.finish(_STAGE)
    return entries, n_unread


def _headers_of(candidate: "SeriesCandidate") -> list[Entry]:
    label = f"item {candidate.number}"
    return [
        Entry(kind, value, label)
        for header in candidate.slices
        for kind, value in (
            (Kind.PATIENT, header.subject_key),
            (Kind.STUDY_UID, header.study_instance_uid),
            (Kind.SERIES_UID, header.series_instance_uid),
            (Kind.SOP_UID, header.sop_instance_uid),
        )
        if value
    ]


def _pixels_of_series(candidate: "SeriesCandidate", limits: "Limits") -> list[Entry]:
    from lesionary.core.pixels import pixel_hash
    from lesionary.io.dicom.series import load_series

    series = load_series(candidate, limits, subject="")
    if isinstance(series, tuple):
        return []
    value = pixel_hash(series.volume.array, series.volume.geometry.affine)
    return [Entry(Kind.PIXELS, value, f"item {candidate.number}")]


def _entries_of_file(image: "ImageEntry", source: "SourceFile", limits: "Limits") -> list[Entry]:
    """Return an image file's voxels and, in the recist layout, its series.

    The patients of file names are left aside: ``001`` is somebody else in every data set.
    """
    from lesionary.core.pixels import pixel_hash
    from lesionary.io.image_file import read_image_file

    label = f"item {image.number}"
    try:
        read = read_image_file(source.path, limits=limits)
    except LesionaryError:
        return []
    entries = [Entry(Kind.PIXELS, pixel_hash(read.array, read.geometry.affine), label)]
    return entries + ([Entry(Kind.SERIES_UID, image.uuid, label)] if image.uuid else [])
