"""One image for a ``file`` verb, wherever it comes from: a file, a DICOM folder, an archive.

Errors name files as the user gave them; nothing is stored.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import LabelMap, Quantity, Volume
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.modality import modality_of_name
from lesionary.ingest.series import ImageSeries, SeriesIdentity
from lesionary.io.sources import SourceFile, SourceFinding, open_sources

if TYPE_CHECKING:
    from lesionary.app.files import Reading

ANYONE = "anyone"
"""Subject of files that name none: a ``file`` verb numbers nobody."""


@dataclass(frozen=True, slots=True)
class OneImage:
    """An image with what the gate said of it."""

    volume: Volume
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """An image of a source, with the number and name of its first file."""

    number: int
    name: str
    series: ImageSeries


@dataclass(frozen=True, slots=True)
class FoundMask:
    """What was drawn on an image: its place among the images, and one layer."""

    image: int
    name: str
    label_map: LabelMap


@dataclass(frozen=True, slots=True)
class FoundImages:
    """Everything of a source that can be converted."""

    images: tuple[FoundSeries, ...]
    masks: tuple[FoundMask, ...]
    refused: tuple[SourceFinding, ...]
    source: str


def read_one_image(path: Path, reading: "Reading") -> OneImage:
    """Read the one image that ``path`` holds.

    Raises
    ------
    InputError
        If it holds none, or several: then the list tells which.
    """
    found = read_images(path, reading)
    if len(found.images) != 1:
        raise none_or_many(found)
    series = found.images[0].series
    return OneImage(series.volume, series.findings)


def read_mask(path: Path, reading: "Reading") -> LabelMap:
    """Read a mask file.

    Raises
    ------
    InputError
        If it is no image file, or its numbers are no labels.
    """
    from lesionary.io.image_file import read_image_file

    try:
        image = read_image_file(path, limits=reading.limits, affine=reading.affine)
        return image.as_label_map()[0]
    except LesionaryError as error:
        raise error.at(str(path)) from None


def read_images(path: Path, reading: "Reading") -> FoundImages:
    """Read every image below ``path``; what cannot be read is listed, not raised."""
    from lesionary.io.file_kind import FileKind

    with _sources(path, reading) as tree:
        files: tuple[SourceFile, ...] = tree.files
        refused = [f for f in tree.findings if f.finding.outcome is Outcome.LEFT_OUT]
        images, drawings, dicom_refused = _read_dicom(
            [file for file in files if file.kind is FileKind.DICOM], reading
        )
        refused += dicom_refused
        for file in files:
            if file.kind.is_image_file:
                try:
                    images.append(_read_file(file, reading))
                except LesionaryError as error:
                    refused.append(_refusal(file.name, file.number, error))
        masks = list(_lay_drawings(drawings, images, refused, reading))
    return FoundImages(tuple(images), tuple(masks), tuple(refused), str(path))


def none_or_many(found: FoundImages) -> InputError:
    """Return the error for a source that does not hold exactly one image."""
    if found.images:
        listed = "; ".join(
            f"{number}: {one.series.volume.modality} "
            + " × ".join(str(n) for n in one.series.volume.geometry.shape)
            for number, one in enumerate(found.images)
        )
        return InputError(
            f"it holds {len(found.images)} series: {listed}",
            code="several_series",
            hint="name one with --series, or give the folder of one",
            source=found.source,
        )
    if found.refused:
        first = found.refused[0].finding
        more = f" (and {len(found.refused) - 1} more)" if len(found.refused) > 1 else ""
        return InputError(
            first.reason + more,
            code=first.code,
            hint=first.hint or None,
            source=found.source,
            sources=[refused.name for refused in found.refused],
        )
    return InputError(
        "it holds no image",
        code="not_dicom",
        hint="DICOM, NIfTI, NRRD and MetaImage are read",
        source=found.source,
    )


@contextmanager
def _sources(path: Path, reading: "Reading") -> Iterator[Any]:
    try:
        with open_sources([path], reading.limits) as tree:
            yield tree
    except InputError as error:
        raise error.at(str(path)) from None


def _read_dicom(
    files: list[SourceFile], reading: "Reading"
) -> tuple[list[FoundSeries], list[InstanceHeader], list[SourceFinding]]:
    from lesionary.io.dicom.series import group_images, load_series, scan_dicom

    if not files:
        return [], [], []
    names = {file.number: file.name for file in files}
    scan = scan_dicom(files, reading.limits)
    refused = [f for f in scan.findings if f.finding.outcome is Outcome.LEFT_OUT]
    images = []
    for candidate in group_images(scan.images):
        loaded = load_series(candidate, reading.limits, subject=ANYONE)
        name = names[candidate.number]
        if isinstance(loaded, tuple):
            refused += [
                SourceFinding(name, candidate.number, finding)
                for finding in loaded
                if finding.outcome is Outcome.LEFT_OUT
            ]
        else:
            images.append(FoundSeries(candidate.number, name, loaded))
    return images, list(scan.references), refused


def _lay_drawings(
    drawings: list[InstanceHeader],
    images: list[FoundSeries],
    refused: list[SourceFinding],
    reading: "Reading",
) -> Iterator[FoundMask]:
    from lesionary.app.intake.overlay import lay_on, read_drawing
    from lesionary.ingest.labels import LabelRules
    from lesionary.ingest.place import folder_of
    from lesionary.ingest.references import image_of

    summaries = [image.series.summary for image in images]
    for header in drawings:
        try:
            drawing = read_drawing(header, reading.limits)
            found = image_of(drawing, summaries, folder=folder_of(header))
            if isinstance(found, Finding):
                refused.append(SourceFinding(header.place, header.number, found))
                continue
            overlay = lay_on(drawing, summaries[found].geometry, LabelRules())
        except LesionaryError as error:
            refused.append(_refusal(header.place, header.number, error))
            continue
        refused += [SourceFinding(header.place, header.number, f) for f in overlay.refusals]
        for _, label_map in overlay.label_maps:
            yield FoundMask(found, header.place, label_map)


def _read_file(file: SourceFile, reading: "Reading") -> FoundSeries:
    from lesionary.io.image_file import read_image_file

    read = read_image_file(file.path, limits=reading.limits, affine=reading.affine)
    identity = SeriesIdentity(folder=file.place.rpartition("/")[0], names=(file.name,))
    modality = modality_of_name(file.below)
    quantity = Quantity.HU if modality == "CT" else Quantity.ARBITRARY
    volume = read.as_volume(modality, quantity)
    return FoundSeries(
        file.number, file.name, ImageSeries(volume, identity, findings=read.findings)
    )


def _refusal(name: str, number: int, error: LesionaryError) -> SourceFinding:
    finding = Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")
    return SourceFinding(name, number, finding)
